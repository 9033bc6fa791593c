"""The times of a log: as ISO 8601 or in the forms that a mapping names, in their zone or that of the mapping.

A time that the clocks' change makes doubtful is refused, never guessed at.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from archiver.times import format_time, parse_time

EARLIEST_YEAR: Final = 2000
"""There was nothing to moderate before: the year was mistyped, or a spreadsheet counted from 1900."""


def parse_log_time(text: str, forms: Sequence[str], zone: ZoneInfo | None) -> int:
    """Milliseconds. A day without a time is its first minute. Raise ValueError, in words for a person, for
    what is no time, has no zone where the mapping names none, does not exist or came twice in its zone, or is
    out of range."""
    moment = _in_some_form(text.strip(), forms)
    if moment is None:
        raise ValueError(
            f"{text!r} is not a time: as 2026-12-31T14:05Z, or in one of the forms {list(forms)}"
        )
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError(f"{text!r} names no time zone, and the mapping has no timezone")
        moment = _in_zone(text, moment, zone)
    try:
        milliseconds = parse_time(moment.astimezone(UTC).isoformat())
        format_time(milliseconds)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is out of range") from error
    if moment.year < EARLIEST_YEAR:
        raise ValueError(f"{text!r} is before the year {EARLIEST_YEAR}")
    return milliseconds


def _in_some_form(text: str, forms: Sequence[str]) -> datetime | None:
    with suppress(ValueError):
        return datetime.fromisoformat(text)
    for form in forms:
        with suppress(ValueError, OverflowError):
            return datetime.strptime(text, form)  # noqa: DTZ007  # its zone is looked at by who asked
    return None


def _in_zone(text: str, moment: datetime, zone: ZoneInfo) -> datetime:
    """The moment in its zone, where exactly one there has these hands of the clock (PEP 495)."""
    first, second = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment:
        raise ValueError(
            f"{text!r} came twice in {zone.key}, as the clocks went back: write it with its offset,"
            f" as {first.isoformat()} or {second.isoformat()}"
        )
    raise ValueError(f"{text!r} does not exist in {zone.key}: the clocks went forward")
