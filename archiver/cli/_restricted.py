"""What is restricted: kept, and not shown unless it is asked for with a reason."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archiver.cli._session import Session, one_line
from archiver.errors import ArchiverError, UsageError

if TYPE_CHECKING:
    from archiver.custody.entry import RecordId
    from archiver.custody.register import Custody
    from archiver.keys import Identity
    from archiver.vault import Archive

restricted_option = click.option(
    "--restricted", is_flag=True, help="Also what is restricted; with --reason, for the log."
)


def require_reason_for(restricted: bool, reason: str | None, option: str = "--reason") -> None:
    """Raise UsageError where what is restricted is asked for without a reason."""
    if restricted and not (reason or "").strip():
        raise UsageError("what is restricted is shown for a reason alone", f'--restricted {option} "…"')


def load_register(
    session: Session, archives: Sequence["Archive"], identities: Sequence["Identity"]
) -> "Custody":
    """What keyholders decided, as the store that is read has it; where that lacks some of it, as all have it
    together. Without an identity nobody can tell: then nothing. Raise as `archiver.custody.reading`."""
    from archiver.audit.verify import CutOffError
    from archiver.custody.reading import has_custody, load_custody
    from archiver.custody.register import Custody
    from archiver.wiring.custody import load_custody_everywhere, noted_ends

    opened = session.opened
    if opened is None or not identities:
        return Custody()
    noted = noted_ends(session.settings, opened.vault.id, archives)
    if not noted and not has_custody(opened.vault.store):
        return Custody()
    try:
        return load_custody(opened.vault.store, identities, vault=opened.vault.id, noted=noted)
    except CutOffError:
        return load_custody_everywhere(session.settings, identities, opened, archives)[0]


def hidden_records(
    session: Session,
    archives: Sequence["Archive"],
    identities: Sequence["Identity"],
    *,
    shown: bool,
) -> "frozenset[RecordId]":
    """The records that are not to be shown: none where they were asked for."""
    return frozenset() if shown else load_register(session, archives, identities).restricted()


def require_not_restricted(platform_id: str, hidden: "frozenset[RecordId]") -> None:
    """Raise ArchiverError where a record that was asked for by its id is kept and not shown."""
    if any(one.id == platform_id for one in hidden):
        raise ArchiverError(
            f"the record {platform_id} is restricted: it is kept and not shown",
            'with a reason, which the log keeps: --restricted --reason "…"',
        )


def hidden_line(number: int) -> str:
    """That something is kept and not shown; nothing of what."""
    are = "1 restricted record is" if number == 1 else f"{number:,} restricted records are"
    return f'{are} not shown: --restricted --reason "…"'


def note_hidden(session: Session, number: int) -> None:
    """Say so, where there is any."""
    if number:
        session.note(one_line(hidden_line(number)))
