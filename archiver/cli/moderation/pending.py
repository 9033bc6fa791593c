"""`archiver moderation pending`: what was decided and is not done."""

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import printable
from archiver.cli.moderation._options import by_option, who
from archiver.cli.moderation._results import INCOMPLETE, open_register, report_acted, row_fields
from archiver.errors import UsageError
from archiver.moderation.acting import Acting, is_open
from archiver.moderation.clicks import item_address, what_to_click
from archiver.moderation.entries import Register
from archiver.register import Registered
from archiver.times import format_time


@click.command(
    "pending", epilog=examples("archiver moderation pending", "archiver moderation pending --finish")
)
@click.argument("records", nargs=-1, metavar="[RECORD|ITEM…]")
@click.option("--finish", is_flag=True, help="Do what can be done through X's interface.")
@by_option
@pass_session
def command(session: Session, records: tuple[str, ...], finish: bool, by: str | None) -> int:
    """List actions that were decided and are not done, oldest first: those that a kill or a fault of X cut
    off, those that X refused, and those that a person has to do.

    With --finish those that this program can do are done now; one that X refused is tried again only when it
    is named. Needs no keyholder's key. Exit 0 where nothing is left, else 3."""
    with open_register(session, who(by, session.environ)) as (register, _, acting):
        rows = _chosen(register, records)
        if finish:
            codes = [_finish(session, acting, row, named=bool(records)) for row in rows]
            left = [code for code in codes if code]
        else:
            for row in rows:
                _show(session, row)
            left = [INCOMPLETE for _ in rows]
    if session.json:
        session.print_json("summary", pending=len(left))
    elif not rows:
        click.echo("Nothing is pending.")
    elif not finish and any(_is_ours(row, named=bool(records)) for row in rows):
        click.echo("Finish what this program can do: archiver moderation pending --finish")
    return INCOMPLETE if left else 0


def _chosen(register: Register, records: tuple[str, ...]) -> list[Registered]:
    if not records:
        return register.spool.register.pending()
    rows = [register.find(one, is_open) for one in records]
    for row in rows:
        if not is_open(row):
            raise UsageError(
                f"in the record {row.record_id} nothing is pending: {row.action}, {row.state}",
                "see: archiver moderation show",
            )
    return rows


def _is_ours(row: Registered, *, named: bool) -> bool:
    """Whether --finish would do it."""
    return row.way == "api" and (named or row.state == "planned")


def _finish(session: Session, acting: Acting, row: Registered, *, named: bool) -> int:
    if not _is_ours(row, named=named):
        _show(session, row)
        return INCOMPLETE
    if not session.json:
        click.echo(_line(row))
    return report_acted(session, acting.act(row))


def _show(session: Session, row: Registered) -> None:
    if session.json:
        session.print_json(
            "pending", **row_fields(row), recorded_at=format_time(row.entered_ms), click=what_to_click(row)
        )
        return
    click.echo(_line(row))
    by_whom = "this program" if row.way == "api" else "a person"
    word = "X refused it" if row.state == "failed" else f"to be done by {by_whom}"
    click.echo(f"  {row.action}: {word}")
    click.echo(f"  {what_to_click(row)}; then: archiver moderate done {row.record_id[:8]}")


def _line(row: Registered) -> str:
    when = format_time(row.entered_ms)[:16].replace("T", " ")
    return printable(f"{row.record_id}  recorded {when} UTC  {row.item_type} {item_address(row)}")
