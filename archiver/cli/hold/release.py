"""`archiver hold release`."""

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import share_log
from archiver.cli._custody import load_register, open_to_decide, open_writer
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._session import one_line
from archiver.custody.entry import Draft
from archiver.errors import UsageError
from archiver.retention.deciding import hold_in_words


@click.command(
    "release", epilog=examples('archiver hold release 1f0c --reason "the complaint was withdrawn"')
)
@click.argument("hold", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is kept.")
@store_option
@pass_session
def command(session: Session, hold: str, reason: str, store: str | None) -> int:
    """Release the hold whose id begins with ID. It stays in the register, with who released it and why."""
    opened = open_to_decide(session, store)
    with session.act(Asked("release", "hold release", ids=[hold], reason=reason)) as act:
        custody = load_register(session, opened)
        entry = custody.find(hold, kinds=["hold"])
        if entry not in custody.holds():
            raise UsageError(
                f"hold {entry.id[:8]} is released already", "see which stand: archiver hold list"
            )
        draft = Draft(kind="release", reason=reason, case=entry.case, of=(entry.id,))
        made = open_writer(session).add(draft)
        act.end(results=1, ids=[entry.id, made.id])
    code = share_log(session)
    if session.json:
        session.print_json("release", id=made.id, of=entry.id, at=made.at, by=made.by, reason=made.reason)
    else:
        click.echo(one_line(f"released: {hold_in_words(entry)}"))
    return session.worst(code, named=True)
