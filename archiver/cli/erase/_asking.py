"""What `archiver erase` is asked, and whether a person means it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click

from archiver.cli._session import Session, one_line
from archiver.cli.moderation._lines import number_of
from archiver.errors import ConfigurationError, UsageError
from archiver.reseal.names import RecordName
from archiver.reseal.refusing import listed
from archiver.reseal.survey import Surveyed, Wanted
from archiver.wiring.log import has_collector_key


@dataclass(frozen=True)
class Request:
    """As typed."""

    records: tuple[str, ...]
    reason: str
    reviewer: str
    case: str | None
    everywhere: bool
    entries: bool
    not_in_evidence: bool
    yes: bool

    def wanted(self, names: Sequence[RecordName]) -> Wanted:
        return Wanted(tuple(sorted(names)), everywhere=self.everywhere, entries=self.entries)


def read_request(records: tuple[str, ...], values: Mapping[str, object]) -> Request:
    """Raise UsageError where no reason is given or nobody is named."""
    for name in ("reason", "reviewer"):
        if not str(values[name] or "").strip():
            raise UsageError(f"--{name} says nothing", f'--{name} "…"')
    return Request(
        records=records,
        reason=str(values["reason"]),
        reviewer=str(values["reviewer"]),
        case=None if values["case"] is None else str(values["case"]),
        everywhere=bool(values["everywhere"]),
        entries=bool(values["with_moderation"]),
        not_in_evidence=bool(values["not_in_evidence"]),
        yes=bool(values["yes"]),
    )


def require_both_keys(session: Session) -> None:
    """Raise ConfigurationError on a host that does not collect, NoKeyError where no keyholder's identity
    opens: an archive is opened with the one, and sealed anew with the other."""
    if not has_collector_key(session.settings):
        raise ConfigurationError(
            f"{session.settings.signing_key} is not here: an archive is sealed anew with the collector's key",
            "run this on the host that collects, with a keyholder's identity named in its settings",
        )
    session.identities()


def require_one_each(found: Mapping[str, set[RecordName]]) -> list[RecordName]:
    """The records named. Raise UsageError where an id means several, or one that is erased in no such way."""
    for text, names in found.items():
        if len(names) > 1:
            some = ", ".join(map(str, sorted(names)))
            raise UsageError(f"{len(names)} records have the id {text}: {some}", "name the one that is meant")
    records = sorted({name for names in found.values() for name in names})
    for name in records:
        if name.kind == "moderation":
            raise UsageError(
                f"{name} is a decision about something: it is corrected or reversed, and not erased",
                "what it says of an item goes with the item: archiver erase ITEM --with-moderation",
            )
    return records


def confirm(
    session: Session, names: Sequence[RecordName], found: Surveyed, spooled: int, *, yes: bool
) -> bool:
    """Say what would be done, and have it said once more; whether somebody was waited for. Raise UsageError
    where nobody says so."""
    archives = ", ".join(found.archives) or "no archive"
    rows = sum(found.versions.values()) + spooled
    parts = [
        number_of(len(names), "record"),
        number_of(rows, "version"),
        number_of(len(found.spots), "picture"),
    ]
    session.note(one_line(f"{', '.join(parts)}; sealed anew: {archives}"))
    quotes = [f"{one} in archive {archive}" for archive, some in found.quotes.items() for one in some]
    if quotes:
        session.note(one_line(f"taken out of these too: {listed(quotes)}"))
    if yes:
        return False
    if not sys.stdin.isatty():
        raise UsageError(
            "records would be erased for good, and there is no terminal to say so on",
            "--yes; nothing was done",
        )
    typed = click.prompt(
        "This cannot be undone. Type the first record's id to erase", default="", show_default=False, err=True
    )
    if typed.strip() not in (names[0].id, str(names[0])):
        raise UsageError(f"that is not {names[0].id}", "nothing was done")
    return True
