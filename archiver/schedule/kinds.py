"""Which kinds of an account X is to be asked for now."""

from collections.abc import Callable, Sequence

from archiver.progress import Cursor
from archiver.schedule.due import DAY_MS, HOUR_MS, NOW, due_again
from archiver.settings.api import COLLECT_KINDS, CURSORS, AccountApi, CollectKind

SLACK_MS = 2 * HOUR_MS
"""A kind is due this much before its time, so that a daily run which starts a second early is not idle."""


def cursors_of(kind: CollectKind) -> tuple[str, ...]:
    """The cursors of the ways that a kind takes, in their order."""
    return CURSORS.get(kind, (kind,))


def is_due(cursor: Cursor, days: int, now_ms: int) -> bool:
    """Whether a kind is to be collected: never yet, not to its end, or long enough ago."""
    if cursor.walk is not None or cursor.started_ms is None:
        return True
    if cursor.started_ms > now_ms + SLACK_MS:  # by a clock that was wrong
        return True
    return now_ms - cursor.started_ms >= days * DAY_MS - SLACK_MS


def kind_due_ms(cursor: Cursor, days: int, now_ms: int) -> int:
    """When a kind is due where runs are started every hour or so; then `is_due` as well. NOW where it never
    was collected, or not to its end."""
    return NOW if cursor.walk is not None else due_again(cursor.started_ms, days, now_ms)


def due_kinds(
    api: AccountApi, cursors: Callable[[str], Cursor], now_ms: int, only: Sequence[CollectKind] = ()
) -> list[CollectKind]:
    """The kinds to collect now, in their order. Those asked for by name are due in any case; the profile
    goes before whatever its counts are compared with."""
    if only:
        return [kind for kind in COLLECT_KINDS if kind in only]
    return [
        kind
        for kind in COLLECT_KINDS
        if kind in api.kinds
        and any(is_due(cursors(name), api.every_days.get(kind, 1), now_ms) for name in cursors_of(kind))
    ]
