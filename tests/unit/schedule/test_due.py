from datetime import UTC, datetime, timedelta

import pytest

from archiver.progress import Cursor, Walk
from archiver.schedule.due import (
    DAY_MS,
    HOUR_MS,
    NOW,
    due_after,
    due_again,
    export_due_ms,
    period_bounds,
    seal_due_ms,
    trusted,
)
from archiver.schedule.kinds import is_due, kind_due_ms
from archiver.settings.schedule import SealRhythm
from archiver.times import format_time, parse_time

LONDON = "Europe/London"


def at(text: str) -> int:
    return parse_time(f"{text}+00:00")


@pytest.mark.parametrize(
    ("rhythm", "moment", "first", "following"),
    [
        # The clocks go forward at 01:00 UTC on 29 March 2026, and back at 01:00 UTC on 25 October.
        ("monthly", "2026-03-31 22:59:59.999", "2026-03-01 00:00", "2026-03-31 23:00"),
        ("monthly", "2026-03-31 23:00", "2026-03-31 23:00", "2026-04-30 23:00"),
        ("monthly", "2026-10-31 23:59:59.999", "2026-09-30 23:00", "2026-11-01 00:00"),
        ("daily", "2026-03-29 12:00", "2026-03-29 00:00", "2026-03-29 23:00"),
        ("daily", "2026-10-25 12:00", "2026-10-24 23:00", "2026-10-26 00:00"),
        ("weekly", "2026-03-29 22:59", "2026-03-23 00:00", "2026-03-29 23:00"),
        ("weekly", "2026-10-25 23:59", "2026-10-18 23:00", "2026-10-26 00:00"),
        # On 28 March and 31 October 2027; a month ends with the day that has 25 hours.
        ("daily", "2027-03-28 00:30", "2027-03-28 00:00", "2027-03-28 23:00"),
        ("monthly", "2027-10-31 23:59:59.999", "2027-09-30 23:00", "2027-11-01 00:00"),
        ("daily", "2027-10-31 00:30", "2027-10-30 23:00", "2027-11-01 00:00"),
        # A leap day.
        ("monthly", "2028-02-29 23:59:59.999", "2028-02-01 00:00", "2028-03-01 00:00"),
        ("daily", "2028-02-29 00:00", "2028-02-29 00:00", "2028-03-01 00:00"),
        ("weekly", "2028-02-29 12:00", "2028-02-28 00:00", "2028-03-06 00:00"),
        ("monthly", "2027-02-28 23:59:59.999", "2027-02-01 00:00", "2027-03-01 00:00"),
        ("monthly", "2026-12-31 23:59:59.999", "2026-12-01 00:00", "2027-01-01 00:00"),
    ],
)
def test_a_period_is_one_of_the_calendar_as_the_clocks_of_london_show_it(
    rhythm: SealRhythm, moment: str, first: str, following: str
) -> None:
    assert period_bounds(rhythm, LONDON, at(moment)) == (at(first), at(following))


def test_a_midnight_that_the_clocks_skip_is_the_moment_that_they_go_on_with() -> None:
    # In Cairo the 24th of April 2026 begins at 01:00.
    first, following = period_bounds("daily", "Africa/Cairo", at("2026-04-24 12:00"))
    assert following - first == 23 * HOUR_MS
    assert period_bounds("daily", "Africa/Cairo", first)[0] == first
    assert period_bounds("daily", "Africa/Cairo", first - 1)[1] == first


@pytest.mark.parametrize("rhythm", ["daily", "weekly", "monthly"])
@pytest.mark.parametrize("zone", [LONDON, "UTC", "Africa/Cairo", "Pacific/Apia", "America/St_Johns"])
def test_periods_follow_each_other_without_a_hole_for_three_years(rhythm: SealRhythm, zone: str) -> None:
    moment, number = at("2026-01-01 12:00"), 0
    while moment < at("2029-01-02 00:00"):
        first, following = period_bounds(rhythm, zone, moment)
        assert first <= moment < following
        assert period_bounds(rhythm, zone, following)[0] == following
        assert period_bounds(rhythm, zone, following - 1) == (first, following)
        moment, number = following, number + 1
    assert number in {"daily": (1096, 1097, 1098), "weekly": (157, 158), "monthly": (37, 38)}[rhythm]


def test_an_archive_is_due_with_the_period_after_the_one_it_was_last_sealed_in() -> None:
    sealed, now = at("2026-03-02 03:00"), at("2026-03-20 03:00")
    assert format_time(seal_due_ms("monthly", LONDON, sealed, now)) == "2026-03-31T23:00:00.000Z"
    assert seal_due_ms("monthly", LONDON, None, now) == NOW
    assert seal_due_ms("monthly", LONDON, at("2036-03-02 03:00"), now) == NOW  # by a clock that was wrong
    assert seal_due_ms("monthly", LONDON, now + DAY_MS, now) > now  # a clock may be off by so much


def test_what_was_noted_by_a_clock_that_was_wrong_counts_for_nothing() -> None:
    now = at("2026-10-26 03:00")
    assert trusted(now + DAY_MS, now) == now + DAY_MS
    assert trusted(now + DAY_MS + 1, now) is None
    assert due_after(now + DAY_MS + 1, 7, now) == NOW
    assert due_after(now, 7, now) == now + 7 * DAY_MS
    assert due_after(None, 7, now) == NOW
    assert export_due_ms(31, now, now) == now + 31 * DAY_MS
    assert export_due_ms(31, None, now) == NOW
    assert export_due_ms(0, None, now) is None


def test_a_daily_thing_stays_at_its_hour_however_late_in_it_each_run_starts() -> None:
    """Runs every hour that start up to a minute late: once a day for 400 days, and never twice."""
    noted, times = at("2026-10-26 03:00:59"), []
    for hour in range(1, 400 * 24 + 1):
        now = at("2026-10-26 03:00") + hour * HOUR_MS + hour * 7_919 % 60_000
        if due_again(noted, 1, now) <= now:
            noted = now
            times.append(now)
    assert len(times) == 400
    assert {datetime.fromtimestamp(one / 1000, UTC).hour for one in times} == {3}


def test_a_kind_is_due_by_its_cursor_and_then_collecting_takes_it_too() -> None:
    now = at("2026-10-26 03:00:30")
    walk = Walk(digest="00", started_ms=now)
    assert kind_due_ms(Cursor(), 7, now) == NOW
    assert kind_due_ms(Cursor(started_ms=now, walk=walk), 7, now) == NOW
    assert kind_due_ms(Cursor(started_ms=now), 7, now) == at("2026-11-02 03:00")
    assert kind_due_ms(Cursor(started_ms=now + 2 * DAY_MS), 7, now) == NOW
    for minutes in range(0, 8 * 24 * 60, 7):
        later = now + timedelta(minutes=minutes) // timedelta(milliseconds=1)
        if kind_due_ms(Cursor(started_ms=now), 7, later) <= later:
            assert is_due(Cursor(started_ms=now), 7, later)
