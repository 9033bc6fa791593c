"""Times as X writes them, to whole milliseconds since 1970-01-01 UTC."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

EARLIEST_MS: Final = 1_136_073_600_000
"""2006-01-01: no post is older than Twitter."""
LATEST_MS: Final = 4_102_444_800_000
"""2100-01-01."""
SNOWFLAKE_EPOCH_MS: Final = 1_288_834_974_657
FIRST_SNOWFLAKE: Final = 29_700_000_000
"""Ids below were given in sequence, before November 2010, and hold no time."""
DAY_MS: Final = 86_400_000

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_X_TIME = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d\d):(\d\d):(\d\d) ([+-]\d\d)(\d\d) (\d{4})", re.ASCII
)
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:")
_ISO_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?)? ?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)


@lru_cache(maxsize=4096)
def _day_ms(month_and_day: str, year: str) -> int:
    """'Nov 03', '2022' -> the day's start. Raise ValueError or KeyError where there is no such day in
    range."""
    day = datetime(int(year), _MONTHS[month_and_day[:3]], int(month_and_day[4:]), tzinfo=UTC)
    found = int(day.timestamp()) * 1000
    if not EARLIEST_MS <= found < LATEST_MS:
        raise ValueError(f"{year} is out of range")
    return found


@lru_cache(maxsize=2048)
def _minute_ms(clock: str) -> int:
    """'08:50:' -> milliseconds since the day's start. Raise ValueError where it is no time of day."""
    if not _CLOCK.fullmatch(clock):
        raise ValueError("no time of day")
    return (int(clock[:2]) * 60 + int(clock[3:5])) * 60_000


def parse_time(text: str | None) -> int | None:
    """Given a time as posts, messages or Grailbird write it, return milliseconds; None where it is no time
    between 2006 and 2100.

    Forms: `Thu Nov 03 08:50:26 +0000 2022`, `2015-10-02 20:15:40 +0000`, `2022-11-14T18:44:55.824Z`."""
    if not text:
        return None
    if len(text) == 30 and text[19:26] == " +0000 ":
        try:
            second = int(text[17:19])
            if second < 60:
                return _day_ms(text[4:10], text[26:]) + _minute_ms(text[11:17]) + second * 1000
        except (ValueError, KeyError):
            return None
        return None
    return _parse_other_time(text)


@lru_cache(maxsize=4096)
def _parse_other_time(text: str) -> int | None:
    try:
        moment = _from_x(text) or _from_iso(text)
    except (ValueError, KeyError, OverflowError):
        return None
    if moment is None:
        return None
    found = round(moment.timestamp() * 1000)
    return found if EARLIEST_MS <= found < LATEST_MS else None


def _from_x(text: str) -> datetime | None:
    match = _X_TIME.fullmatch(text)
    if not match:
        return None
    month, day, hour, minute, second, zone_hours, zone_minutes, year = match.groups()
    return datetime(
        int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second),
        tzinfo=_zone(zone_hours + zone_minutes),
    )  # fmt: skip


def _from_iso(text: str) -> datetime | None:
    match = _ISO_TIME.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    microsecond = round(float(fraction or 0) * 1e6)
    moment = datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        tzinfo=_zone(zone),
    )
    return moment + timedelta(microseconds=microsecond)


def _zone(text: str | None) -> timezone:
    """'+0200', '-03:30', 'Z' or nothing, which means UTC."""
    if text is None or text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def parse_milliseconds(text: str | None) -> int | None:
    """'1667465426000', as articles write their times; None where it is no time between 2006 and 2100."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > 15:
        return None
    found = int(text)
    return found if EARLIEST_MS <= found < LATEST_MS else None


def snowflake_ms(platform_id: str) -> int | None:
    """The time inside an id given since November 2010; None for older ids and for what is no id."""
    if not platform_id.isascii() or not platform_id.isdigit() or len(platform_id) > 19:
        return None
    number = int(platform_id)
    if number < FIRST_SNOWFLAKE:
        return None
    found = (number >> 22) + SNOWFLAKE_EPOCH_MS
    return found if found < LATEST_MS else None


def posted_ms(post_id: str, created_at: str | None) -> int:
    """The stated time; where that is none or out of range, the time inside the id; 0 where there is none."""
    found = parse_time(created_at)
    return found if found is not None else snowflake_ms(post_id) or 0


def first_id(now_ms: int, days: int) -> int:
    """The lowest id that X can have given in the last days: an id holds its time."""
    return max(0, (now_ms - days * DAY_MS - SNOWFLAKE_EPOCH_MS) << 22)


def to_iso(milliseconds: int) -> str:
    """2022-11-03T08:50:26Z, for a sentence or a stored fact."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
