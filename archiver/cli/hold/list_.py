"""`archiver hold list`."""

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import reason_option
from archiver.cli._custody import load_register, open_to_decide
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._session import one_line
from archiver.cli.hold._shown import hold_fields
from archiver.cli.moderation._lines import number_of
from archiver.custody.entry import CustodyEntry
from archiver.retention.deciding import hold_in_words


@click.command("list", epilog=examples("archiver hold list", "archiver hold list --case CO/17/26 --all"))
@click.option("--case", metavar="REF", help="Of this case only.")
@click.option("--all", "released", is_flag=True, help="Those that were released too.")
@reason_option
@store_option
@pass_session
def command(session: Session, case: str | None, released: bool, reason: str | None, store: str | None) -> int:
    """List the holds that stand: id, what they cover, for which case, by whom, since when, why."""
    opened = open_to_decide(session, store)
    with session.act(Asked("show", "hold list", case=case, reason=reason)) as act:
        custody = load_register(session, opened)
        standing = custody.holds()
        wanted = [
            one
            for one in (custody.of_kind("hold") if released else standing)
            if case is None or one.case == case
        ]
        act.end(results=len(wanted))
    released_by = {of: one for one in custody.of_kind("release") for of in one.of}
    for one in wanted:
        _print(session, one, released_by.get(one.id))
    if not session.json:
        session.note(number_of(len(wanted), "hold"))
    return session.worst(0)


def _print(session: Session, hold: CustodyEntry, release: CustodyEntry | None) -> None:
    if session.json:
        over = None if release is None else {
            "at": release.at, "by": release.by, "reason": release.reason
        }  # fmt: skip
        session.print_json("hold", **hold_fields(hold), released=over)
        return
    click.echo(one_line(hold_in_words(hold)))
    click.echo(one_line(f"  {hold.reason}"))
    if release is not None:
        click.echo(one_line(f"  released by {release.by} on {release.at[:10]}: {release.reason}"))
