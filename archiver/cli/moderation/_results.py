"""What the commands that change the register say, to a person and as JSON."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import click

from archiver.cli._session import Session, print_error, printable
from archiver.moderation.acting import Acted, Acting
from archiver.moderation.connecting import Connections
from archiver.moderation.entries import Register
from archiver.register import Registered
from archiver.times import system_clock
from archiver.wiring import open_spool

INCOMPLETE = 3
FAILED = 1


@contextmanager
def open_register(session: Session, by: str) -> Iterator[tuple[Register, Connections, Acting]]:
    """The register of this host's spool, and the way to X."""
    settings = session.settings
    with (
        open_spool(settings) as spool,
        closing(Connections(settings, session.environ, system_clock)) as connections,
    ):
        register = Register(spool, system_clock, by)
        yield register, connections, Acting(settings, register, connections)


def row_fields(row: Registered) -> dict[str, object]:
    """A record's row of the register as JSON."""
    return {
        "record": row.record_id,
        "platform": row.platform,
        "account": row.account,
        "item_type": row.item_type,
        "item_id": row.item_id,
        "action": row.action,
        "state": row.state,
        "way": row.way,
        "entries": row.entries,
    }


def report_acted(session: Session, acted: Acted, *, by_hand: str | None = None, **more: object) -> int:
    """Say how a record's action stands: 0 done, 3 still to be done, 1 failed. `by_hand`: why a person has to
    act. `more`: further fields of the JSON."""
    row = acted.row
    if session.json:
        session.print_json(
            "moderated",
            **row_fields(row),
            said=acted.said,
            click=acted.clicks if row.state != "done" else None,
            error=None if acted.error is None else acted.error.message,
            **more,
        )
    elif row.state == "done":
        click.echo(f"  {row.action}" + (printable(f": {acted.said}") if acted.said else ""))
    elif row.way is not None:
        _say_open(acted, by_hand)
    if acted.error is not None:
        print_error(acted.error)
    if row.state == "failed":
        return FAILED if row.way is not None else INCOMPLETE
    return 0 if row.state == "done" else INCOMPLETE


def _say_open(acted: Acted, by_hand: str | None) -> None:
    row = acted.row
    if row.way == "api":
        word = "FAILED" if row.state == "failed" else "PENDING"
        click.echo(f"  {row.action}: {word}. It is recorded, and not done.")
        if row.state == "planned":
            click.echo("  try again: archiver moderation pending --finish")
        click.echo(f"  or by hand: {acted.clicks}")
    else:
        click.echo(
            f"  {row.action}: PENDING, to be done by hand" + (f" ({by_hand})" if by_hand else "") + "."
        )
        click.echo(f"  {acted.clicks}")
    click.echo(f"  then: archiver moderate done {row.record_id[:8]}")
