"""When an archive is due, from its manifest alone, which needs no key.

An archive is due when everything in it is: each kind of record of each account, by each way that it came. Of
several rules that cover one the longest counts. What no rule covers is never due, and keeps the archive.
"""

import calendar
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from archiver.archive.manifest import Manifest
from archiver.settings import Settings
from archiver.settings.retention import RetentionRule, RetentionSettings, Then
from archiver.times import as_datetime, parse_time

_LAST_YEAR = 9999
_WITH_OTHERS = ("media", "gone")
"""Pictures go with the records that show them, and notices with what is gone."""
NEVER_MS = 1 << 60
"""Later than any date."""


class Part(NamedTuple):
    """What one account brought of one kind by one way."""

    account: str
    kind: str
    route: str

    def __str__(self) -> str:
        return f"{self.kind} of account {self.account} by {self.route}"


@dataclass(frozen=True)
class Due:
    """When an archive is due and by which rule, the one that takes longest; `then`: what that proposes.
    `uncovered`: what no rule covers; the archive is never due while there is any. `floor_ms`: before that
    nothing of it is disposed of by anybody."""

    at_ms: int | None
    rule: str | None
    then: Then
    floor_ms: int
    uncovered: tuple[Part, ...] = ()

    def is_over(self, now_ms: int) -> bool:
        """Whether the time has come by the rules."""
        return self.at_ms is not None and self.at_ms <= now_ms


def due_of(manifest: Manifest, settings: RetentionSettings) -> Due:
    """When an archive is due."""
    sealed_ms = parse_time(manifest.first_sealed_at or manifest.sealed_at)
    floor_ms = later(sealed_ms, years=settings.minimum_years)
    counting: dict[str, RetentionRule] = {}
    uncovered: list[Part] = []
    for part in parts_of(manifest):
        rules = [rule for rule in settings.rules if _covers(rule, part)]
        counting.update((rule.name, rule) for rule in rules)
        if not rules:
            uncovered.append(part)
    if uncovered or not counting:
        return Due(None, None, "review", floor_ms, tuple(uncovered))
    ends = [(_end_of(rule, manifest, sealed_ms), rule.then == "review", rule) for rule in counting.values()]
    # Of two that end together the one counts that asks for more.
    ends_ms, _, rule = max(ends, key=lambda one: one[:2])
    return Due(max(ends_ms, floor_ms), rule.name, rule.then, floor_ms)


def retention_due_count(settings: Settings, manifests: Iterable[Manifest], now_ms: int) -> int:
    """How many of these archives are due for review or disposal. Give the manifests of archives that were not
    disposed of. Some microseconds for each that no rule could make due yet, a millisecond for another."""
    rules = settings.retention
    return sum(_may_be_due(one, rules, now_ms) and due_of(one, rules).is_over(now_ms) for one in manifests)


def _may_be_due(manifest: Manifest, settings: RetentionSettings, now_ms: int) -> bool:
    """Whether the minimum is over and any rule's period: only then what is in it matters."""
    sealed_ms = parse_time(manifest.first_sealed_at or manifest.sealed_at)
    return later(sealed_ms, years=settings.minimum_years) <= now_ms and any(
        _end_of(rule, manifest, sealed_ms) <= now_ms for rule in settings.rules
    )


def parts_of(manifest: Manifest) -> list[Part]:
    """All that an archive holds, as rules can tell it apart."""
    routes: dict[str, set[str]] = {}
    for origin in manifest.origins:
        routes.setdefault(origin.account, set()).add(origin.route)
    found = {
        Part(count.account, count.kind, route)
        for count in manifest.counts
        if count.kind not in _WITH_OTHERS
        for route in routes.get(count.account) or {"unknown"}
    }
    counted = {part.account for part in found}
    found.update(_others(routes, counted))
    return sorted(found)


def _others(routes: dict[str, set[str]], counted: set[str]) -> Iterator[Part]:
    """Accounts of which something was captured, and no record."""
    for account, ways in routes.items():
        if account not in counted:
            yield from (Part(account, "capture", way) for way in ways)


def _covers(rule: RetentionRule, part: Part) -> bool:
    return (
        (not rule.accounts or part.account in rule.accounts)
        and (not rule.kinds or part.kind in rule.kinds)
        and (not rule.routes or part.route in rule.routes)
    )


def _end_of(rule: RetentionRule, manifest: Manifest, sealed_ms: int) -> int:
    """When a rule's period is over. Where nothing in the archive has a time posted, or one that is after it
    was sealed, it runs from then."""
    began_ms = sealed_ms
    if rule.trigger == "posted" and manifest.covers_to is not None:
        began_ms = parse_time(manifest.covers_to)
    return later(began_ms, years=rule.years, months=rule.months, days=rule.days)


def later(at_ms: int, *, years: int = 0, months: int = 0, days: int = 0) -> int:
    """The same day and time so much later, in UTC; of a day that the month has not, the first of the next:
    nothing is due a day too early. NEVER_MS past the year 9999."""
    moment = as_datetime(at_ms)
    year, month = divmod(moment.year * 12 + moment.month - 1 + years * 12 + months, 12)
    if year > _LAST_YEAR:
        return NEVER_MS
    try:
        return _milliseconds(_on(moment, year, month + 1) + timedelta(days=days))
    except OverflowError:
        return NEVER_MS


def _on(moment: datetime, year: int, month: int) -> datetime:
    last = calendar.monthrange(year, month)[1]
    if moment.day <= last:
        return moment.replace(year=year, month=month)
    return moment.replace(year=year, month=month, day=last) + timedelta(days=1)


def _milliseconds(moment: datetime) -> int:
    return (moment - as_datetime(0)) // timedelta(milliseconds=1)


def rules_in_words(due: Due, uncovered: Sequence[Part]) -> str:
    """By which rule, or why never."""
    if due.rule is not None:
        return f"rule {due.rule}"
    if not uncovered:
        return "no rule"
    more = f" and {len(uncovered) - 1:,} more" if len(uncovered) > 1 else ""
    return f"no rule covers {uncovered[0]}{more}"
