"""What is restricted: kept, and not shown unless it is asked for with a reason."""

import os
from collections.abc import Collection, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from archiver.cli._session import Session, one_line
from archiver.errors import ArchiverError, UsageError

if TYPE_CHECKING:
    from archiver.custody.entry import RecordId
    from archiver.custody.register import Custody
    from archiver.keys import Identity
    from archiver.search.restricted import Restricted
    from archiver.vault import Archive

restricted_option = click.option(
    "--restricted", is_flag=True, help="Also what is restricted; with --reason, for the log."
)


def has_identity(session: Session) -> bool:
    """Whether a keyholder's identity is at hand, be it behind a passphrase."""
    keyholder = session.settings.keyholder
    return keyholder is not None and os.access(keyholder.identity, os.R_OK)


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


def learn_from_spool(session: Session, restricted: "Restricted") -> None:
    """Take in by which ids what is not sealed yet knows restricted posts, where it is not searched itself."""
    if not restricted.has_posts:
        return
    from archiver.wiring.spool import open_spool_segments

    for segment in open_spool_segments(session.settings):
        with closing(segment):
            if segment.file.records.get("post"):
                restricted.add(restricted.other_names(segment.connection))


def require_not_restricted(platform_id: str, hidden: Collection[str]) -> None:
    """Raise ArchiverError where a record that was asked for by its id is kept and not shown. `hidden`: ids of
    such records, of all their versions."""
    if platform_id in hidden:
        raise ArchiverError(
            f"the record {platform_id} is restricted: it is kept and not shown",
            'with a reason, which the log keeps: --restricted --reason "…"',
        )


def hidden_line(number: int, what: str = "record") -> str:
    """That so many of the whole vault are kept and not shown. How many of them what is asked for would match
    is not said: it would tell of what they say."""
    are = f"1 {what} is" if number == 1 else f"{number:,} {what}s are"
    return (
        f"of the whole vault {are} restricted, and not shown whatever is asked: --restricted, with a reason"
    )


def note_hidden(session: Session, number: int, what: str = "record") -> None:
    """Say so, where there is any."""
    if number:
        session.note(one_line(hidden_line(number, what)))
