"""Days, months and years that the options of `archiver moderation` take: in UTC, as they say.

The search language's own dates are UK time: `archiver/search/language/dates.py`.
"""

import re
from datetime import UTC, date, datetime, timedelta

from archiver.errors import UsageError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMS = (
    (re.compile(r"(?P<y>\d{4})"), "year"),
    (re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})"), "month"),
    (re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"), "day"),
    (re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})"), "day"),
)


def parse_dates(text: str) -> tuple[int, int]:
    """The first millisecond of a day, month or year in UTC, and the one after its last.

    Takes 2026-11-01, 2026-11, 2026 and 01/11/2026; raise UsageError for anything else."""
    for form, unit in _FORMS:
        match = form.fullmatch(text)
        if match is None:
            continue
        parts = {name: int(value) for name, value in match.groupdict().items()}
        try:
            first = date(parts["y"], parts.get("m", 1), parts.get("d", 1))
            after = _next_unit(first, unit)
        except (ValueError, OverflowError) as error:
            raise UsageError(f"{text} is not a date", "as 2026-11-01, 2026-11, 2026 or 01/11/2026") from error
        return _milliseconds(first), _milliseconds(after)
    raise UsageError(f"{text!r} is not a date", "as 2026-11-01, 2026-11, 2026 or 01/11/2026")


def _next_unit(first: date, unit: str) -> date:
    """The day after a day, month or year that begins with `first`."""
    if unit == "day":
        return first + timedelta(days=1)
    if unit == "month":
        return date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return date(first.year + 1, 1, 1)


def _milliseconds(day: date) -> int:
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
