"""`archiver moderation pending`: what was decided and is not done."""

import click

from archiver.audit.entry import Asked
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import one_line, print_error
from archiver.cli.moderation._options import by_option, who
from archiver.cli.moderation._results import INCOMPLETE, open_register, report_acted, row_fields
from archiver.errors import ArchiverError, UsageError
from archiver.moderation.acting import Acting
from archiver.moderation.clicks import item_address, what_to_click
from archiver.moderation.decision import API_ACTS
from archiver.moderation.entries import EntryWriter
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
    asked = Asked("alter", "moderation pending --finish", ids=records) if finish else None
    with open_register(session, who(by, session.environ), asked) as (writer, _, acting):
        rows = _chosen(writer, records)
        if finish:
            left = [row for row in rows if _finish(session, acting, row, named=bool(records))]
        else:
            left = rows
            for row in rows:
                _show(session, row)
    if session.json:
        session.print_json("summary", pending=len(left))
    elif not rows:
        click.echo("Nothing is pending.")
    elif not finish and any(row.action in API_ACTS for row in rows):
        click.echo("Do what this program can do: archiver moderation pending --finish")
    return INCOMPLETE if left else 0


def _chosen(writer: EntryWriter, records: tuple[str, ...]) -> list[Registered]:
    if not records:
        return writer.spool.register.pending()
    rows = [writer.find(one, lambda row: row.is_pending) for one in records]
    for row in rows:
        if not row.is_pending:
            raise UsageError(
                f"in the record {row.record_id} nothing is pending: {row.action}, {row.state}",
                f"see: archiver moderation show {row.record_id[:8]}",
            )
    return rows


def _finish(session: Session, acting: Acting, row: Registered, *, named: bool) -> int:
    """Do it, where this program can and X has not refused it, or it is named; 0 where it is done."""
    if (row.state == "failed" and not named) or acting.by_hand(row) is not None:
        _show(session, row, acting.by_hand(row))
        return INCOMPLETE
    if not session.json:
        click.echo(_line(row))
    try:
        return report_acted(session, acting.act(row))
    except ArchiverError as error:  # of one record: the others are still to be done
        print_error(error)
        return error.exit_code


def _show(session: Session, row: Registered, by_hand: str | None = None) -> None:
    clicks = what_to_click(row)
    if session.json:
        recorded = format_time(row.entered_ms)
        session.print_json("pending", **row_fields(row), recorded_at=recorded, by_hand=by_hand, click=clicks)
        return
    click.echo(_line(row))
    why = f", as {by_hand}" if by_hand else ""
    word = "X refused it" if row.state == "failed" else "by this program" if row.way == "api" else "by hand"
    click.echo(one_line(f"  {row.action}: {word}{why}"))
    either = "or by hand: " if row.way == "api" and not by_hand else ""
    click.echo(one_line(f"  {either}{clicks}"))
    click.echo(f"  then: archiver moderate done {row.record_id[:8]}")


def _line(row: Registered) -> str:
    when = format_time(row.entered_ms)[:16].replace("T", " ")
    return one_line(f"{row.record_id}  recorded {when} UTC  {row.item_type or 'post'} {item_address(row)}")
