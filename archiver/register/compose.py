"""Entries of the moderation register to records as they stand."""

from collections.abc import Iterable, Sequence
from itertools import takewhile

import msgspec
from msgspec import Struct

from archiver.records import Moderation, ModerationAction
from archiver.register.table import is_pending

_OF_ONE_ENTRY = frozenset(
    {
        "id",
        "number",
        "entry",
        "entered_ms",
        "entered_by",
        "corrects",
        "entry_note",
        "schema_version",
        "cleared",
    }
)
"""What says something of an entry itself, and nothing of the record."""
_OF_THE_RECORD = tuple(
    name for field in msgspec.structs.fields(Moderation) if (name := field.name) not in _OF_ONE_ENTRY
)
_ADDED_UP = frozenset({"attachments", "context_sha256", "context_missing"})
"""Of these a later entry takes none back, and adds its own."""
CLEARABLE = (
    "reason_text", "house_rule", "house_rule_version", "legal_ground", "authorised_by", "until_ms",
    "notified_ms", "notified_how", "not_notified", "escalated", "escalated_reference", "exhibit", "case",
    "retention_rule", "hold",
)  # fmt: skip
"""What a later entry can take back without saying something else instead."""
_OF_ONE_ACT = ("action_ms", "action_by", "authorised_by", "until_ms", "outcome")
"""What says something of one action: it goes when another begins."""


class ModerationRecord(Struct, frozen=True):
    """A record: all its entries that are known, by their numbers, and what they say together."""

    entries: tuple[Moderation, ...]
    now: Moderation
    """As it stands: of every field what the last entry says that has it; of files and captures all. `id`,
    `number`, `entry` and who entered it when are those of the first entry."""

    @property
    def id(self) -> str:
        return self.now.record_id

    @property
    def last(self) -> Moderation:
        """The entry that the next one follows."""
        return self.entries[-1]

    @property
    def actions(self) -> tuple[ModerationAction, ...]:
        """Every action that was ever decided on, in order."""
        return tuple(dict.fromkeys(one.action for one in self.entries if one.action is not None))

    @property
    def reason_codes(self) -> tuple[str, ...]:
        """Every reason that was ever given, those that were corrected since included."""
        return tuple(dict.fromkeys(code for one in self.entries for code in one.reason_codes))

    @property
    def decided(self) -> ModerationAction | None:
        """The action decided on, as corrected; what undid it later is none of it."""
        before = takewhile(lambda one: one.entry != "reversal", self.entries)
        found = [one.action for one in before if one.action is not None]
        return found[-1] if found else None

    @property
    def is_reversed(self) -> bool:
        """Whether it was decided to undo its action."""
        return any(one.entry == "reversal" for one in self.entries)

    @property
    def is_appealed(self) -> bool:
        """Whether somebody objected."""
        now = self.now
        said = now.appeal_received_ms is not None or now.appeal_outcome is not None
        return said or any(one.entry == "appeal" for one in self.entries)

    @property
    def people(self) -> tuple[str, ...]:
        """Everyone who decided, entered, acted or allowed anything."""
        named = (
            person
            for one in self.entries
            for person in (one.entered_by, one.action_by, one.authorised_by, one.appeal_decided_by)
        )
        return tuple(dict.fromkeys(person for person in named if person))

    @property
    def is_pending(self) -> bool:
        """Whether its last action is still to be done."""
        return is_pending(self.now.state, self.now.way)


def compose(entries: Iterable[Moderation]) -> ModerationRecord:
    """Given all known entries of one record, in any order and perhaps twice, return the record. The first
    may be missing where the archive that holds it is."""
    by_number = sorted({one.id: one for one in entries}.values(), key=lambda one: (one.number, one.id))
    first = by_number[0]
    fields: dict[str, object] = {}
    for one in by_number[1:]:
        fields |= {name: None for name in one.cleared if name in CLEARABLE}
        takes_back = one.entry == "reversal" and one.action is None  # the act stands, and who allowed it
        for name in _OF_THE_RECORD:
            value = getattr(one, name)
            if value is not None and value != () and not (takes_back and name in _OF_ONE_ACT):
                fields[name] = value
        if one.action is not None and (one.entry == "reversal" or one.state == "planned"):
            # Another action begins: what came of the one before is no part of it.
            for name in _OF_ONE_ACT:
                fields[name] = getattr(one, name)
    for name in _ADDED_UP & fields.keys():
        fields[name] = tuple(dict.fromkeys(value for one in by_number for value in getattr(one, name)))
    return ModerationRecord(tuple(by_number), msgspec.structs.replace(first, **fields) if fields else first)


def records_of(entries: Sequence[Moderation]) -> list[ModerationRecord]:
    """All records of these entries, the one entered first at the beginning."""
    by_record: dict[str, list[Moderation]] = {}
    for one in entries:
        by_record.setdefault(one.record_id, []).append(one)
    records = [compose(some) for some in by_record.values()]
    return sorted(records, key=lambda one: (one.now.entered_ms, one.id))
