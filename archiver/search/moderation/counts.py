"""How many decisions the moderation register has, month by month: from the records, or from what manifests
and a collector's own spool say without a key. Both give the same numbers, but for reasons that were put right
since; how the decisions of each reason stand now, only the records tell.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from archiver.archive.manifest import ModerationCount
from archiver.records import Moderation
from archiver.register import ModerationRecord, Registered
from archiver.search.moderation import hold
from archiver.times import format_date
from archiver.vault import Archive

Standing = Literal["done", "pending", "failed", "called_off"]
STANDINGS: tuple[Standing, ...] = ("done", "pending", "failed", "called_off")
Key = tuple[str, str, str, str]
"""Platform, account, reason, action decided on."""
Tally = Counter[Standing]


@dataclass
class Month:
    """The decisions entered in one month, in UTC. `decided`: by reason, so that one with two counts twice.
    `reversals`: entries that undo one of them, call it off or take it back, whenever they were made.

    None where what is sealed would say and cannot be read: `standing` and, of all, `stand`: how the action
    decided on stands; `acts_pending`: of how many an action, or its undoing, is still to be done; `appeals`:
    to how many somebody objected."""

    decisions: int = 0
    decided: Counter[Key] = field(default_factory=Counter)
    standing: dict[Key, Tally] | None = field(default_factory=dict)
    stand: Tally | None = field(default_factory=Counter)
    acts_pending: int | None = 0
    reversals: int = 0
    appeals: int | None = 0

    def add(self, record: ModerationRecord) -> None:
        """Count one record."""
        stands = standing_of(record)
        for reason in record.now.reason_codes or ("",):
            key = (record.now.platform, record.now.account, reason, record.decided or "")
            self.decided[key] += 1
            if self.standing is not None:
                self.standing.setdefault(key, Counter())[stands] += 1
        if self.stand is not None:
            self.stand[stands] += 1
        self.decisions += 1
        self.reversals += sum(one.entry == "reversal" for one in record.entries)
        self.acts_pending = _plus(self.acts_pending, record.is_pending)
        self.appeals = _plus(self.appeals, record.is_appealed)


def _plus(number: int | None, more: int) -> int | None:
    """What is not known stays so."""
    return None if number is None else number + more


Months = dict[str, Month]
"""By names as `2026-11`."""


def month_of(milliseconds: int) -> str:
    return format_date(milliseconds)[:7]


def standing_of(record: ModerationRecord) -> Standing:
    """How the action that was decided on stands. One that was done and undone since was done; one that was
    undone before it was known to be done is called off."""
    state, is_undone, is_called_off = None, False, False
    for entry in record.entries:
        if entry.entry == "reversal" and entry.action == "none":
            is_called_off, is_undone = not is_undone, False
        elif entry.entry == "reversal" and entry.action is not None:
            is_undone = entry.action != record.decided
        if entry.state is not None and not is_undone and entry.action != "none":
            state = entry.state
    if is_called_off or (is_undone and state == "planned"):
        return "called_off"
    return "pending" if state == "planned" else "failed" if state == "failed" else "done"


def count_records(records: Iterable[ModerationRecord]) -> Months:
    """As the records stand now, each under the month in which its first entry was made."""
    months: Months = {}
    for record in records:
        months.setdefault(month_of(record.now.entered_ms), Month()).add(record)
    return months


def count_without_key(
    archives: Iterable[Archive],
    entries: Sequence[Moderation],
    register: Mapping[str, Registered],
    *,
    knows_all: bool,
) -> Months:
    """Sealed decisions by the archives' manifests, as they were decided at first, and those that are not
    sealed by the open spool's entries. `register`: the records that this host's register has, by id;
    `knows_all`: whether these are all there are."""
    spooled = [one.record for one in hold([], entries)]
    begun = {one.id for one in spooled if one.entries[0].number == 1}
    months = count_records(one for one in spooled if one.id in begun)
    for archive in archives:
        for one in archive.manifest.moderation:
            _add_sealed(months.setdefault(one.month, Month()), one)
    for entry in entries:
        if entry.entry == "reversal" and entry.record_id not in begun:
            row = register.get(entry.record_id)
            name = month_of(entry.entered_ms if row is None else row.entered_ms)
            months.setdefault(name, Month()).reversals += 1
    for month in months.values():
        month.acts_pending = 0 if knows_all else None
    for row in register.values() if knows_all else ():
        month = months.setdefault(month_of(row.entered_ms), Month())
        month.acts_pending = _plus(month.acts_pending, row.is_pending)
    return months


def _add_sealed(month: Month, sealed: ModerationCount) -> None:
    month.standing = month.stand = month.appeals = None
    month.decisions += sealed.decisions
    month.reversals += sealed.reversals
    for reason, number in sealed.reasons.items():
        month.decided[sealed.platform, sealed.account, reason, sealed.action] += number
