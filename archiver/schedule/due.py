"""When a thing is due: arithmetic of days, weeks and months as the clocks of a place show them, which skip an
hour in spring and have one twice in autumn.

A time that lies further ahead than a clock can be off was noted by a wrong clock. It counts for nothing: the
thing is due now, instead of in the year that the clock showed.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from archiver.settings.schedule import SealRhythm

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
CLOCK_OFF_MS = DAY_MS
"""What is noted further ahead than this was noted by a wrong clock."""
NOW = 0
"""Due already, whatever time it is."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def trusted(noted_ms: int | None, now_ms: int) -> int | None:
    """A noted time, or None where it can only come from a clock that was wrong."""
    return None if noted_ms is None or noted_ms > now_ms + CLOCK_OFF_MS else noted_ms


def due_after(noted_ms: int | None, days: int, now_ms: int) -> int:
    """When a thing done at `noted_ms` is due again after so many days of 24 hours; NOW where it never was."""
    known = trusted(noted_ms, now_ms)
    return NOW if known is None else known + days * DAY_MS


def due_again(noted_ms: int | None, days: int, now_ms: int) -> int:
    """As `due_after`, from the beginning of that hour on: a run that is started every hour, and some seconds
    earlier than the day before, must not put a daily thing off by an hour each day."""
    due_ms = due_after(noted_ms, days, now_ms)
    return due_ms - due_ms % HOUR_MS


def period_bounds(rhythm: SealRhythm, zone: str, at_ms: int) -> tuple[int, int]:
    """The first millisecond of the day, week (from Monday) or month that a moment is in, and the first of the
    next."""
    place = ZoneInfo(zone)
    day = (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(place).replace(tzinfo=None)
    first = day.replace(hour=0, minute=0, second=0, microsecond=0)
    if rhythm == "weekly":
        first -= timedelta(days=first.weekday())
    elif rhythm == "monthly":
        first = first.replace(day=1)
    if rhythm == "monthly":
        following = (first + timedelta(days=32)).replace(day=1)
    else:
        following = first + timedelta(days=7 if rhythm == "weekly" else 1)
    return _milliseconds(first, place), _milliseconds(following, place)


def _milliseconds(local: datetime, place: tzinfo) -> int:
    """Of a time as clocks show it. Of one that they show twice the first; of one that they skip, which a
    midnight can be in some places, the moment they go on with."""
    return (local.replace(tzinfo=place, fold=0).astimezone(UTC) - _EPOCH) // _MILLISECOND


def seal_due_ms(rhythm: SealRhythm, zone: str, last_ms: int | None, now_ms: int) -> int:
    """When the next archive is due: with the period after the one that the last was sealed in; NOW where none
    was."""
    known = trusted(last_ms, now_ms)
    return NOW if known is None else period_bounds(rhythm, zone, known)[1]


def export_due_ms(every_days: int, export_ms: int | None, now_ms: int) -> int | None:
    """When the next export of an account is due, after its newest one was made; None where none is wanted."""
    return None if not every_days else due_after(export_ms, every_days, now_ms)
