"""Times: exact milliseconds there and back, whatever the year."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.times import as_datetime, format_date, format_time, parse_time, system_clock

moments = st.datetimes(timezones=st.just(UTC)).map(
    lambda one: int(one.timestamp()) * 1000 + one.microsecond // 1000
)


@given(moments)
def test_a_time_is_read_back_as_it_was_written(milliseconds: int) -> None:
    text = format_time(milliseconds)
    assert parse_time(text) == milliseconds
    assert len(text) == len("2026-11-01T03:00:00.000Z")
    assert text.startswith(f"{format_date(milliseconds)}T")
    assert as_datetime(milliseconds) == datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_793_500_000_007, "2026-11-01T02:26:40.007Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_iso_8601_in_utc_with_milliseconds(milliseconds: int, text: str) -> None:
    assert format_time(milliseconds) == text


def test_other_zones_are_read_and_no_zone_is_refused() -> None:
    assert parse_time("2026-11-01T03:00:00+01:00") == parse_time("2026-11-01T02:00:00.000Z")
    for text in ("2026-11-01T03:00:00", "2026-11-01", "today", ""):
        with pytest.raises(ValueError):
            parse_time(text)


def test_a_year_past_9999_is_an_overflow() -> None:
    with pytest.raises(OverflowError):
        format_time(253_402_300_800_000)


def test_the_clock_counts_milliseconds() -> None:
    before, now = datetime.now(UTC).timestamp(), system_clock()
    assert before - 1 < now / 1000 < before + 60
