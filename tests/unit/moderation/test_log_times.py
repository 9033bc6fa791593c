"""Times of a log: in the forms that it has, in its zone, and never guessed at."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.moderation.log_times import parse_log_time
from archiver.moderation.mapping import UK_TIME_FORMATS
from archiver.times import format_time

LONDON = ZoneInfo("Europe/London")


def parsed(text: str, zone: ZoneInfo | None = LONDON, forms: tuple[str, ...] = UK_TIME_FORMATS) -> str:
    return format_time(parse_log_time(text, forms, zone))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("31/12/2026 14:05", "2026-12-31T14:05:00.000Z"),
        ("31/12/2026 14:05:09", "2026-12-31T14:05:09.000Z"),
        ("1/7/2026 14:05", "2026-07-01T13:05:00.000Z"),
        ("01/07/2026", "2026-06-30T23:00:00.000Z"),
        (" 2026-07-01 14:05 ", "2026-07-01T13:05:00.000Z"),
        ("2026-07-01T14:05:00.123Z", "2026-07-01T14:05:00.123Z"),
        ("2026-07-01T14:05:00.1239+02:00", "2026-07-01T12:05:00.123Z"),
        ("2026-12-31", "2026-12-31T00:00:00.000Z"),
    ],
)
def test_a_time_is_read_in_its_zone(text: str, expected: str) -> None:
    assert parsed(text) == expected


def test_a_form_may_hold_the_zone() -> None:
    assert parsed("31 Dec 2026 14:05 +0100", None, ("%d %b %Y %H:%M %z",)) == "2026-12-31T13:05:00.000Z"


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("yesterday", LONDON, "is not a time"),
        ("12/31/2026 14:05", LONDON, "is not a time"),
        ("31/12/26", LONDON, "is not a time"),
        ("", LONDON, "is not a time"),
        ("31/12/2026 14:05", None, "names no time zone, and the mapping has no timezone"),
        ("29/03/2026 01:30", LONDON, "does not exist in Europe/London"),
        ("25/10/2026 01:30", LONDON, "came twice in Europe/London"),
        ("0001-01-01T00:00:00+14:00", LONDON, "is out of range"),
        ("9999-12-31T23:00:00-14:00", LONDON, "is out of range"),
        ("0001-01-01T00:00", ZoneInfo("Asia/Tokyo"), "is out of range"),
        ("31/12/1899", LONDON, "is before the year 2000"),
    ],
)
def test_a_doubtful_time_is_refused(text: str, zone: ZoneInfo | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_log_time(text, UK_TIME_FORMATS, zone)


def test_the_two_moments_of_a_time_that_came_twice_are_both_named_and_both_taken() -> None:
    with pytest.raises(ValueError, match="came twice") as caught:
        parse_log_time("25/10/2026 01:30", UK_TIME_FORMATS, LONDON)
    first, second = "2026-10-25T01:30:00+01:00", "2026-10-25T01:30:00+00:00"
    assert first in str(caught.value)
    assert second in str(caught.value)
    assert (parsed(first), parsed(second)) == ("2026-10-25T00:30:00.000Z", "2026-10-25T01:30:00.000Z")


@pytest.mark.parametrize("hour", ["00:59", "01:00", "01:59", "02:00"])
def test_the_edges_of_a_change_of_clocks_are_as_the_law_says(hour: str) -> None:
    spring = f"29/03/2026 {hour}"
    if hour.startswith("01"):
        with pytest.raises(ValueError, match="does not exist"):
            parsed(spring)
    else:
        assert parsed(spring)[11:16] == {"00:59": "00:59", "02:00": "01:00"}[hour]


@given(
    st.one_of(
        st.text(max_size=30),
        st.from_regex(
            r"\A[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([ T][0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?)?\Z"
        ),
    )
)
def test_any_text_is_a_time_or_refused_in_words(text: str) -> None:
    said = ""
    moment = 0
    try:
        moment = parse_log_time(text, UK_TIME_FORMATS, LONDON)
    except ValueError as error:
        said = str(error)
    assert (moment > 0) != (repr(text) in said)
