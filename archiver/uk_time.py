"""UK time: what clocks in London show, for days, months and years that people name, and to show times in.

Searches and tables count in UK days and months; what is stored is milliseconds in UTC. The zone comes from
the system's data or the package tzdata, and is loaded at the first use (about 3 ms).
"""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST_MS, _LAST_MS = -62_135_596_725_000, 253_402_300_799_999
"""The years 1 to 9999 in London, whose clocks were 75 seconds behind Greenwich before there were zones."""
_LAST_OF_DAY = {"hour": 23, "minute": 59, "second": 59, "microsecond": 999_000}


@cache
def _london() -> tzinfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo("Europe/London")


def _in_london(milliseconds: int) -> datetime:
    """What UK clocks show; of a time outside the years that there are, at the first or last moment."""
    return (_EPOCH + timedelta(milliseconds=min(max(milliseconds, _FIRST_MS), _LAST_MS))).astimezone(
        _london()
    )


def format_uk_time(milliseconds: int) -> str:
    """As `2026-07-01 13:00:00 BST`, in winter `GMT`; parts of a second are left out. What lies
    outside the years 1 to 9999 is shown as their first or last day."""
    moment = _in_london(milliseconds)
    return f"{moment.replace(microsecond=0, tzinfo=None).isoformat(' ')} {moment.tzname()}"


def uk_month(milliseconds: int) -> str:
    """The month in the UK, as `2026-07`. What lies outside the years 1 to 9999 is in their first or last."""
    moment = _in_london(milliseconds)
    return f"{moment.year:04}-{moment.month:02}"


def uk_day_bounds(year: int, month: int, day: int) -> tuple[int, int]:
    """The first millisecond of a UK day, and the one after its last: 23, 24 or 25 hours. Raise ValueError
    for a day that is in no calendar."""
    return _bounds(datetime(year, month, day), datetime(year, month, day))  # noqa: DTZ001  # as UK clocks show


def uk_month_bounds(year: int, month: int) -> tuple[int, int]:
    """The first millisecond of a UK month, and the one after its last. Raise ValueError for none."""
    first = datetime(year, month, 1)  # noqa: DTZ001  # as UK clocks show
    return _bounds(first, first.replace(day=_days_in(year, month)))


def uk_months_between(first_ms: int, last_ms: int) -> list[tuple[str, int]]:
    """The months from that of one millisecond to that of another, each with its first millisecond."""
    months: list[tuple[str, int]] = []
    at_ms = first_ms
    while at_ms <= last_ms and (not months or at_ms <= _LAST_MS):
        month = uk_month(at_ms)
        start_ms, at_ms = uk_month_bounds(int(month[:4]), int(month[5:]))
        months.append((month, start_ms))
    return months


def uk_year_bounds(year: int) -> tuple[int, int]:
    """The first millisecond of a UK year, and the one after its last. Raise ValueError for none."""
    return _bounds(datetime(year, 1, 1), datetime(year, 12, 31))  # noqa: DTZ001  # as UK clocks show


def first_moment(shown: datetime) -> int:
    """The earliest millisecond at which UK clocks show this time (without a zone) or a later one.

    Of an hour that comes twice it is in the first; in one that is skipped it is the moment of the change."""
    return _change(shown) if _is_skipped(shown) else _milliseconds(shown.replace(fold=0))


def after_moment(shown: datetime) -> int:
    """The millisecond after the last at which UK clocks show this time (without a zone) or an earlier one.

    Of an hour that comes twice it is in the second; in one that is skipped it is the moment of the change."""
    return _change(shown) if _is_skipped(shown) else _milliseconds(shown.replace(fold=1)) + 1


def _bounds(first: datetime, last: datetime) -> tuple[int, int]:
    return first_moment(first), after_moment(last.replace(**_LAST_OF_DAY))  # type: ignore[arg-type]  # mypy takes any value for any name


def _days_in(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _milliseconds(shown: datetime) -> int:
    """Worked out in whole numbers, so that no zone carries it out of the years that there are."""
    offset = shown.replace(tzinfo=_london()).utcoffset() or timedelta()
    return (shown.replace(tzinfo=UTC, fold=0) - _EPOCH - offset) // _MILLISECOND


def _is_skipped(shown: datetime) -> bool:
    """Whether UK clocks never show it: the offset before the change is then the smaller one."""
    return _milliseconds(shown.replace(fold=1)) < _milliseconds(shown.replace(fold=0))


def _change(shown: datetime) -> int:
    """The millisecond in which the clocks go past a time that they skip."""
    before, after = _milliseconds(shown.replace(fold=1)), _milliseconds(shown.replace(fold=0))
    offset = _offset(before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(milliseconds: int) -> timedelta | None:
    return (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone(_london()).utcoffset()
