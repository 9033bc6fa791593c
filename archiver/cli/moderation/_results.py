"""What the commands that change the register say, to a person and as JSON."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import host_act
from archiver.cli._session import Session, one_line, print_error
from archiver.errors import IntegrityError
from archiver.moderation.acting import Acted, Acting
from archiver.moderation.connecting import Connections
from archiver.moderation.entries import EntryWriter
from archiver.register import Registered
from archiver.times import system_clock
from archiver.wiring.claims import require_holder
from archiver.wiring.spool import open_spool, require_spool

INCOMPLETE = 3
FAILED = 1


@contextmanager
def open_register(
    session: Session, by: str, asked: Asked | None
) -> Iterator[tuple[EntryWriter, Connections, Acting]]:
    """What adds to the register of this host's spool, and the way to X. `asked`: what the log is told before
    anything is asked of X or done; None where nothing is changed. Raise LockedError where another host keeps
    the vault: this one's spool would never be sealed."""
    settings = session.settings
    told = None if asked is None else replace(asked, detail={**asked.detail, "by": by})
    require_spool(settings)
    if asked is not None:
        _require_holder(session)
    with (
        nullcontext() if told is None else host_act(session, told),
        open_spool(settings) as spool,
        closing(Connections(settings, session.environ, system_clock)) as connections,
    ):
        writer = EntryWriter(spool, system_clock, by)
        yield writer, connections, Acting(settings, writer, connections)


def _require_holder(session: Session) -> None:
    """Claims that are damaged are said and keep nobody from acting at once: sealing refuses them."""
    try:
        require_holder(session.settings)
    except IntegrityError as error:
        print_error(error)


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


def report_acted(session: Session, acted: Acted, **more: object) -> int:
    """Say how a record's action stands: 0 done, 3 still to be done or in doubt, 1 failed. `more`: further
    fields of the JSON."""
    row = acted.row
    if session.json:
        session.print_json(
            "moderated",
            **row_fields(row),
            said=acted.said,
            by_hand=acted.by_hand,
            click=acted.clicks if row.is_pending else None,
            error=None if acted.error is None else acted.error.message,
            **more,
        )
    elif row.is_pending:
        _say_open(acted)
    else:
        click.echo(one_line(f"  {_said_of(acted)}"))
    if acted.error is not None:
        print_error(acted.error)
    if row.is_pending:
        return FAILED if row.state == "failed" else INCOMPLETE
    return INCOMPLETE if acted.error is not None or row.state == "failed" else 0


def _said_of(acted: Acted) -> str:
    """As `hidden: X says: hidden`, in as few words as say it."""
    row, said = acted.row, acted.said
    if said is None:
        return (
            f"{row.action}" if row.state == "done" else f"{row.action}: not done, as the item was not there"
        )
    return said if row.action == "none" else f"{row.action}: {said}"


def _say_open(acted: Acted) -> None:
    row = acted.row
    short = row.record_id[:8]
    if acted.by_hand is not None:
        click.echo(one_line(f"  {row.action}: PENDING, to be done by hand: {acted.by_hand}."))
        click.echo(one_line(f"  {acted.clicks}"))
    elif row.state == "failed":
        click.echo(f"  {row.action}: FAILED. It is recorded, and X refuses it.")
        click.echo(f"  try again: archiver moderation pending --finish {short}")
        click.echo(one_line(f"  or by hand: {acted.clicks}"))
    else:
        click.echo(f"  {row.action}: PENDING. It is recorded, and X has not confirmed that it is done.")
        click.echo("  try again: archiver moderation pending --finish")
        click.echo(one_line(f"  or by hand: {acted.clicks}"))
    click.echo(f"  done by hand? then: archiver moderate done {short}")
