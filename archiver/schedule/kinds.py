"""When each kind of an account is to be asked for again: arithmetic on the cursors that runs leave behind."""

from collections.abc import Callable

from archiver.progress import Cursor
from archiver.schedule.due import DAY_MS, NOW
from archiver.settings_api import CURSORS, AccountApi, CollectKind

SLACK_MS = 2 * 3_600_000
"""A kind is due this much before its time, so that a daily run which starts a second early is not idle."""
Cursors = Callable[[str], Cursor]
"""The cursor of this name, an empty one where nothing was collected."""


def cursors_of(kind: CollectKind) -> tuple[str, ...]:
    """The cursors of the ways that a kind takes, in their order."""
    return CURSORS.get(kind, (kind,))


def every_days(api: AccountApi, kind: CollectKind) -> int:
    """How often the settings want a kind to be asked for."""
    return api.every_days.get(kind, 1)


def kind_due_ms(api: AccountApi, kind: CollectKind, cursors: Cursors, now_ms: int) -> int:
    """When a kind is due, which is when the first of its ways is; NOW where one never was taken or was cut
    off, and where a clock that was wrong noted a time to come."""
    return min(cursor_due_ms(cursors(name), every_days(api, kind), now_ms) for name in cursors_of(kind))


def cursor_due_ms(cursor: Cursor, days: int, now_ms: int) -> int:
    """When one way of a kind is due."""
    if cursor.walk is not None or cursor.started_ms is None or cursor.started_ms > now_ms + SLACK_MS:
        return NOW
    return cursor.started_ms + days * DAY_MS - SLACK_MS


def collected_ms(kind: CollectKind, cursors: Cursors) -> int | None:
    """When a kind was last collected to its end, by all of its ways; None where one never was."""
    ended = [cursors(name).finished_ms for name in cursors_of(kind)]
    known = [one for one in ended if one is not None]
    return min(known) if len(known) == len(ended) else None
