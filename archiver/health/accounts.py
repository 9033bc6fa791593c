"""How each account stands: what was collected when, what is due, what is out of reach, what it cost."""

from collections.abc import Callable

from archiver.health.local import LocalFacts
from archiver.health.snapshot import AccountHealth, KindHealth
from archiver.progress import Cursor
from archiver.schedule.due import DAY_MS, export_due_ms, trusted
from archiver.schedule.kinds import cursors_of, kind_due_ms
from archiver.settings import AccountSettings, Settings
from archiver.settings.api import COLLECT_KINDS, AccountApi, CollectKind
from archiver.sources.x.times import snowflake_ms

_TIMED: tuple[CollectKind, ...] = ("posts", "mentions", "messages")
"""Kinds whose mark is an id that holds the time."""
Cursors = Callable[[str], Cursor]
"""The cursor of this name, an empty one where nothing was collected."""


def account_healths(settings: Settings, facts: LocalFacts, now_ms: int) -> tuple[AccountHealth, ...]:
    """Every account of the settings, in their order."""
    return tuple(_account(settings, account, facts, now_ms) for account in settings.accounts)


def _account(settings: Settings, account: AccountSettings, facts: LocalFacts, now_ms: int) -> AccountHealth:
    key = (account.platform, account.id)
    stale_ms = settings.schedule.stale_days * DAY_MS
    kinds = () if account.api is None else _kinds(account, account.api, facts, stale_ms, now_ms)
    export_ms = facts.state.exports.get(key)
    due_ms = export_due_ms(account.export_every_days, export_ms, now_ms)
    mine = [gap for gap in facts.spool.gaps if (gap.platform, gap.account) == key]
    unsealed = [gap for gap in facts.spool.gaps_unsealed if (gap.platform, gap.account) == key]
    own = [one.newest_ms for one in kinds if one.kind in ("posts", "messages") and one.newest_ms is not None]
    newest = [one for one in (facts.state.newest.get(key), *own) if one is not None]
    return AccountHealth(
        platform=account.platform,
        id=account.id,
        handle=account.handle,
        export_ms=export_ms,
        export_due_ms=due_ms if facts.is_collector else None,
        export_stale=facts.is_collector and due_ms is not None and due_ms + stale_ms <= now_ms,
        kinds=kinds if facts.is_collector else (),
        gaps=tuple(mine),
        gaps_unsealed=len(unsealed),
        spent_micro_usd=None if account.api is None else facts.spool.spent.get(key, 0),
        most_micro_usd=None if account.api is None else account.api.max_spend_micro_usd,
        newest_ms=max(newest, default=None),
    )


def _kinds(
    account: AccountSettings, api: AccountApi, facts: LocalFacts, stale_ms: int, now_ms: int
) -> tuple[KindHealth, ...]:
    def cursor(name: str) -> Cursor:
        return facts.spool.cursors.get((account.platform, account.id, name)) or Cursor()

    return tuple(_kind(api, kind, cursor, stale_ms, now_ms) for kind in COLLECT_KINDS if kind in api.kinds)


def _kind(api: AccountApi, kind: CollectKind, cursor: Cursors, stale_ms: int, now_ms: int) -> KindHealth:
    """A kind that was never collected is as late as one can be."""
    good_ms, days = _collected_ms(kind, cursor), api.every_days.get(kind, 1)
    known_ms = trusted(good_ms, now_ms)
    late_ms = days * DAY_MS + stale_ms
    mark = cursor(kind).mark
    return KindHealth(
        kind=kind,
        good_ms=good_ms,
        newest_ms=snowflake_ms(mark) if mark is not None and kind in _TIMED else None,
        due_ms=min(kind_due_ms(cursor(name), days, now_ms) for name in cursors_of(kind)),
        stale=known_ms is None or known_ms + late_ms <= now_ms,
        unfinished=any(cursor(name).walk is not None for name in cursors_of(kind)),
    )


def _collected_ms(kind: CollectKind, cursors: Cursors) -> int | None:
    """When a kind was last collected to its end, by all of its ways; None where one never was."""
    ended = [cursors(name).finished_ms for name in cursors_of(kind)]
    known = [one for one in ended if one is not None]
    return min(known) if len(known) == len(ended) else None
