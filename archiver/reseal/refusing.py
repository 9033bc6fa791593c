"""Whether records may be erased: the order of decisions of docs/retention.md. Each reason against it has the
same advice: restrict the record instead, which takes nothing away from anybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from archiver.errors import ArchiverError, UsageError
from archiver.reseal.names import RecordName
from archiver.reseal.survey import Surveyed

INSTEAD: Final = 'restrict it instead: archiver restrict {names} --reason "…"'
_MOST_NAMED: Final = 10


class KeptError(ArchiverError):
    """A record must not be erased, whoever wants it."""


@dataclass(frozen=True)
class Against:
    """What stands in the way, in words: holds, by what they hold (an archive, the spool); appeals that are
    open; by archive packs that may hold the record; and until when the minimum keeps what there is."""

    holds: Mapping[str, Sequence[str]] = field(default_factory=dict)
    appeals: Sequence[str] = ()
    packs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    kept_until: Mapping[str, str] = field(default_factory=dict)


def require_erasable(names: Sequence[RecordName], against: Against) -> None:
    """Raise KeptError for the first reason against erasing: a hold, an appeal, a pack, the minimum."""
    hint = INSTEAD.format(names=" ".join(map(str, names)))
    for archive, holds in against.holds.items():
        raise KeptError(f"{archive} is held, and what is in it with it: {listed(holds)}", hint)
    if against.appeals:
        raise KeptError(
            f"moderation records about it have an appeal that is not decided: {listed(against.appeals)}", hint
        )
    for archive, packs in against.packs.items():
        raise KeptError(
            f"evidence was taken from archive {archive}, and may be this: {listed(packs)}",
            f"{hint}; where none of these packs has it: --not-in-evidence",
        )
    for archive, until in against.kept_until.items():
        raise KeptError(f"{archive} is kept until {until} at least: the minimum is not reached", hint)


def require_complete(found: Surveyed, *, everywhere: bool, entries: bool, spooled: Sequence[str]) -> None:
    """Raise UsageError where something would be left: what quotes a record, or what the moderation register
    says of it. `spooled`: what does among that which is not sealed yet, in words."""
    about = {record for records in found.about.values() for record in records}
    if about and not entries:
        raise UsageError(
            f"the moderation register says what it was, by whom: {listed(sorted(about))}",
            "--with-moderation takes text and author out of these records too, and leaves codes and times",
        )
    quotes = [f"{one} in archive {archive}" for archive, some in found.quotes.items() for one in some]
    if (quotes or spooled) and not everywhere:
        raise UsageError(
            f"other records quote or name it: {listed([*quotes, *spooled])}",
            "--everywhere takes it out of these too; a repost or a like of it goes as a whole",
        )


def listed(some: Sequence[str]) -> str:
    """The first ten, and how many more."""
    more = len(some) - _MOST_NAMED
    return ", ".join(some[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
