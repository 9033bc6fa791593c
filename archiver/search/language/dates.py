"""Dates and times in a query: days, months and years in the UK, and full times."""

import re
from datetime import UTC, datetime, timedelta

from archiver.uk_time import after_moment, first_moment, uk_day_bounds, uk_month_bounds, uk_year_bounds

FORMS = "2026-11-01, 2026-11, 2026, 01/11/2026 or 2026-11-01T12:30"
"""How to write one, for a hint."""
_MONTH = r"([0-9]{4})(?:-([0-9]{1,2}))?"
_DAY = (
    r"(?:(?P<y>[0-9]{4})-(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})"
    r"|(?P<d2>[0-9]{1,2})/(?P<m2>[0-9]{1,2})/(?P<y2>[0-9]{4}))"
)
_TIME = (
    _DAY + r"(?:(?:[Tt]|\s+)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"\s*(?P<zone>[Zz]|UTC|GMT|BST|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST_MS, _AFTER_MS = -62_135_596_800_000, 253_402_300_800_000
"""The years 1 to 9999 in UTC: a zone carries a time no further."""


def parse_dates(text: str) -> tuple[int, int]:
    """The first millisecond of a year, month, day, minute, second or part of one, and the one after its last.

    Days and times without a zone are UK time. Of an hour that comes twice in autumn the first millisecond is
    in the first, the last in the second; one that is skipped in spring is the moment of the change. Raise
    ValueError for what is no date."""
    month = re.fullmatch(_MONTH, text)  # compiled with the first date
    if month is not None:
        year = int(month[1])
        return uk_year_bounds(year) if month[2] is None else uk_month_bounds(year, int(month[2]))
    time = re.fullmatch(_TIME, text)
    if time is None:
        raise ValueError("not written as a date")
    day = (int(time["y"] or time["y2"]), int(time["m"] or time["m2"]), int(time["d"] or time["d2"]))
    if time["hour"] is None:
        return uk_day_bounds(*day)
    fraction = (time["fraction"] or "")[:3]
    first = datetime(  # noqa: DTZ001  # as clocks show, where is seen to below
        *day,
        int(time["hour"]),
        int(time["minute"]),
        int(time["second"] or 0),
        int(fraction.ljust(3, "0")) * 1000,
    )
    unit_ms = 10 ** (3 - len(fraction)) if time["second"] else 60_000
    if time["zone"] is None:
        # The last millisecond is in the same minute, so within the years that there are.
        return first_moment(first), after_moment(first + (unit_ms - 1) * _MILLISECOND)
    start_ms = (first.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND - _offset_ms(time["zone"])
    return _within(start_ms), _within(start_ms + unit_ms)


def _offset_ms(zone: str) -> int:
    """How far a zone is before UTC. Raise ValueError for one that is a day or more."""
    if zone[0] not in "+-":
        return 3_600_000 if zone == "BST" else 0
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if hours > 23 or minutes > 59:
        raise ValueError("no zone is a day away")
    return (hours * 60 + minutes) * (-60_000 if zone[0] == "-" else 60_000)


def _within(milliseconds: int) -> int:
    return min(max(milliseconds, _FIRST_MS), _AFTER_MS)
