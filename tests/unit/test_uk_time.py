"""What clocks in the UK show, and the milliseconds of UK days, months and years."""

from datetime import datetime

import pytest

from archiver.times import parse_time
from archiver.uk_time import (
    after_moment,
    first_moment,
    format_uk_time,
    uk_day_bounds,
    uk_month,
    uk_month_bounds,
    uk_months_between,
    uk_year_bounds,
)

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("utc", "shown"),
    [
        ("2026-07-01T12:00:00.999Z", "2026-07-01 13:00:00 BST"),
        ("2026-01-01T00:00:00Z", "2026-01-01 00:00:00 GMT"),
        ("2026-03-29T00:59:59Z", "2026-03-29 00:59:59 GMT"),
        ("2026-03-29T01:00:00Z", "2026-03-29 02:00:00 BST"),
        ("2026-10-25T00:59:59Z", "2026-10-25 01:59:59 BST"),
        ("2026-10-25T01:00:00Z", "2026-10-25 01:00:00 GMT"),
        ("1969-12-31T23:00:00Z", "1970-01-01 00:00:00 BST"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31 23:59:59 GMT"),
    ],
)
def test_a_moment_is_shown_as_clocks_in_the_uk_show_it(utc: str, shown: str) -> None:
    assert format_uk_time(parse_time(utc)) == shown


def test_a_moment_outside_all_years_is_shown_as_the_first_or_the_last() -> None:
    assert format_uk_time(-(10**15)) == "0001-01-01 00:00:00 LMT"
    assert format_uk_time(10**15) == "9999-12-31 23:59:59 GMT"
    assert (uk_month(-(10**15)), uk_month(10**15)) == ("0001-01", "9999-12")
    assert uk_months_between(10**15, 2 * 10**15)[-1][0] == "9999-12"


def test_the_month_is_that_of_the_uk() -> None:
    assert uk_month(parse_time("2026-06-30T22:59:59.999Z")) == "2026-06"
    assert uk_month(parse_time("2026-06-30T23:00:00Z")) == "2026-07"
    assert uk_month(parse_time("2026-12-31T23:59:59Z")) == "2026-12"
    assert uk_month(parse_time("0099-06-01T12:00:00Z")) == "0099-06"


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 7, 1), 24)])
def test_a_day_has_as_many_hours_as_clocks_give_it(day: tuple[int, int, int], hours: int) -> None:
    first, after = uk_day_bounds(*day)
    assert after - first == hours * HOUR_MS
    assert format_uk_time(first)[:19] == "{}-{:02}-{:02} 00:00:00".format(*day)
    assert format_uk_time(after - 1)[:19] == "{}-{:02}-{:02} 23:59:59".format(*day)


def test_months_and_years_follow_each_other_without_a_gap() -> None:
    for year in (1, 1847, 1916, 1941, 1968, 1971, 1972, 2024, 2026, 2100, 9998):
        months = [uk_month_bounds(year, month) for month in range(1, 13)]
        assert [after for _, after in months[:-1]] == [first for first, _ in months[1:]]
        assert (months[0][0], months[-1][1]) == uk_year_bounds(year)
        assert uk_year_bounds(year)[1] == uk_year_bounds(year + 1)[0]


def test_months_between_two_moments_are_all_of_them_with_their_beginnings() -> None:
    first, last = parse_time("2026-02-28T12:00:00Z"), parse_time("2026-03-31T23:00:00Z")
    assert uk_months_between(first, last) == [
        ("2026-02", parse_time("2026-02-01T00:00:00Z")),
        ("2026-03", parse_time("2026-03-01T00:00:00Z")),
        ("2026-04", last),
    ]
    assert uk_months_between(last, last) == [("2026-04", last)]
    assert uk_months_between(last, first) == []


def test_the_last_year_ends_where_times_end() -> None:
    end = parse_time("9999-12-31T23:59:59.999Z") + 1
    assert uk_year_bounds(9999)[1] == uk_month_bounds(9999, 12)[1] == uk_day_bounds(9999, 12, 31)[1] == end


@pytest.mark.parametrize("year", [0, 10_000])
def test_a_year_that_no_calendar_has_is_refused(year: int) -> None:
    for bounds in (
        lambda: uk_year_bounds(year),
        lambda: uk_month_bounds(year, 1),
        lambda: uk_day_bounds(year, 1, 1),
    ):
        with pytest.raises(ValueError):
            bounds()


def test_a_day_or_month_that_no_calendar_has_is_refused() -> None:
    with pytest.raises(ValueError):
        uk_day_bounds(2027, 2, 29)
    with pytest.raises(ValueError):
        uk_month_bounds(2026, 13)
    assert uk_month_bounds(2028, 2)[1] == uk_day_bounds(2028, 2, 29)[1]


def test_every_minute_around_the_changes_holds_exactly_the_moments_that_clocks_show_it() -> None:
    for start in (parse_time("2026-03-28T23:00:00Z"), parse_time("2026-10-24T22:00:00Z")):
        moments = range(start, start + 5 * HOUR_MS, 60_000)
        shown = {moment: format_uk_time(moment)[:19] for moment in moments}
        for minute in range(180):
            clock = datetime.fromisoformat(f"{shown[start][:10]} 23:00:00").replace(tzinfo=None)
            clock = datetime.fromordinal(clock.toordinal() + 1).replace(hour=minute // 60, minute=minute % 60)
            wanted = [moment for moment in moments if shown[moment] >= str(clock)]
            assert first_moment(clock) == wanted[0]
            earlier = [moment for moment in moments if shown[moment] <= str(clock)]
            assert after_moment(clock) in (earlier[-1] + 1, earlier[-1] + 60_000)
