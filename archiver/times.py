"""Times as this program keeps them: whole milliseconds since 1970-01-01 UTC, and as text with a `Z`."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], int]
"""Gives the time now in milliseconds; an argument wherever the time matters."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def system_clock() -> int:
    """The time now in milliseconds."""
    return time.time_ns() // 1_000_000


def as_datetime(milliseconds: int) -> datetime:
    """The moment in UTC. Exact, and for times before 1970 as well; raise OverflowError past year 9999."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def format_time(milliseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds, as `2026-11-01T03:00:00.000Z`."""
    return as_datetime(milliseconds).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def format_date(milliseconds: int) -> str:
    """The UTC date, as `2026-11-01`."""
    return as_datetime(milliseconds).date().isoformat()


def parse_time(text: str) -> int:
    """Milliseconds of what `format_time` wrote; raise ValueError for anything else without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return (moment - _EPOCH) // timedelta(milliseconds=1)
