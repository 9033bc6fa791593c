"""Which notice is due: of failures, of a month, also where a clock was wrong."""

from itertools import pairwise

import pytest

from archiver.jobs.told import (
    Failing,
    Failures,
    failed_parts,
    is_month_due,
    is_time,
    judge_failures,
)
from archiver.schedule.due import DAY_MS
from archiver.schedule.report import JobName, JobReport, RunReport
from archiver.times import parse_time

HOUR_MS = DAY_MS // 24
NOW_MS = parse_time("2026-11-26T03:00:00Z")


def report(*jobs: tuple[JobName, int], problems: tuple[str, ...] = (), at_ms: int = NOW_MS) -> RunReport:
    made = tuple(JobReport(name, at_ms, at_ms, code, {}, (f"{name} said {code}",)) for name, code in jobs)
    code = max((code for _, code in jobs), default=3 if problems else 0)
    return RunReport(at_ms, at_ms, made, code, problems)


def judge(
    known: dict[str, Failing], one: RunReport, now_ms: int = NOW_MS, error: str | None = None
) -> Failures:
    return judge_failures(known, one, failed_parts(one, error), now_ms)


def test_a_failure_is_told_at_once_then_once_a_day_and_then_that_it_is_well_again() -> None:
    known: dict[str, Failing] = {}
    told = []
    for hour in range(50):
        now_ms = NOW_MS + hour * HOUR_MS
        judged = judge(known, report(("collect", 1), at_ms=now_ms), now_ms)
        known = judged.now
        told += [hour] if judged.tell else []
    assert told == [0, 20, 40]
    assert known["collect"].since_ms == NOW_MS
    now_ms = NOW_MS + 50 * HOUR_MS
    assert judge(known, report(at_ms=now_ms), now_ms).now == known  # it was not due: nothing is known
    well = judge(known, report(("collect", 3), at_ms=now_ms), now_ms)
    assert (well.tell, well.recovered, well.now) == ({}, ("collect",), {})


@pytest.mark.parametrize("drift_ms", [-1_000, -600_000, 1_000])
def test_a_run_each_night_tells_each_night_also_if_it_is_a_little_earlier(drift_ms: int) -> None:
    known: dict[str, Failing] = {}
    for night in range(10):
        now_ms = NOW_MS + night * (DAY_MS + drift_ms)
        judged = judge(known, report(("collect", 1), at_ms=now_ms), now_ms)
        known = judged.now
        assert judged.tell, night


def test_what_fails_besides_is_told_at_once_and_so_is_another_exit_code() -> None:
    known = judge({}, report(("collect", 1))).now
    later_ms = NOW_MS + HOUR_MS
    assert not judge(known, report(("collect", 1)), later_ms).tell
    assert judge(known, report(("collect", 20)), later_ms).tell
    both = judge(known, report(("collect", 1), ("seal", 1)), later_ms)
    assert both.tell == both.now
    assert {name: one.since_ms for name, one in both.now.items()} == {"collect": NOW_MS, "seal": later_ms}
    assert both.now["seal"].said == ("seal said 1",)


def test_what_was_not_tried_again_is_not_told_again_and_does_not_hide_that_others_are_well() -> None:
    known = judge({}, report(("import", 1), ("sync", 1))).now
    later_ms = NOW_MS + 5 * DAY_MS
    assert not judge(known, report(), later_ms).tell
    half = judge(known, report(("sync", 0)), later_ms)
    assert (half.recovered, set(half.now), half.tell) == (("sync",), {"import"}, {})
    other = judge(half.now, report(("sync", 1)), later_ms + HOUR_MS)
    assert set(other.tell) == {"sync"}
    assert judge(other.now, report(("import", 3), ("sync", 1)), later_ms + 2 * HOUR_MS).recovered == (
        "import",
    )


def test_a_run_that_ended_in_an_error_fails_as_a_run_until_one_ends_without() -> None:
    ended = RunReport(NOW_MS, NOW_MS, (), 1)
    assert failed_parts(ended, "the disk is full") == {"run": ("the disk is full",)}
    assert failed_parts(ended, None) == {"run": ("it ended before all was done",)}
    known = judge({}, ended, error="the disk is full").now
    assert set(known) == {"run"}
    assert judge(known, report()).recovered == ("run",)


def test_what_a_job_explains_is_no_failure_of_the_run_besides() -> None:
    assert failed_parts(report(("collect", 1), ("seal", 3)), None) == {"collect": ["collect said 1"]}


@pytest.mark.parametrize("days", [-400, -1.5, 0.5, 400])
def test_a_clock_that_was_wrong_silences_nothing_for_longer_than_a_day(days: float) -> None:
    wrong_ms = NOW_MS + int(days * DAY_MS)
    known = judge({}, report(("collect", 1)), wrong_ms).now
    told = []
    for hour in range(49):
        now_ms = NOW_MS + hour * HOUR_MS
        judged = judge(known, report(("collect", 1)), now_ms)
        known = judged.now
        told += [hour] if judged.tell else []
    assert told
    assert told[0] <= 36
    assert all(later - earlier >= 20 for earlier, later in pairwise(told))


def test_the_month_is_told_once_after_its_archive_or_on_its_third_day() -> None:
    def due(now: str, told: str | None = None, sealed: str | None = None) -> bool:
        times = [None if one is None else parse_time(one + ":00Z") for one in (told, sealed)]
        return is_month_due("Europe/London", times[0], times[1], parse_time(now + ":00Z"))

    assert due("2026-11-01T03:10", "2026-10-01T04:00", "2026-11-01T03:09")
    assert not due("2026-11-01T04:10", "2026-11-01T03:10", "2026-11-01T03:09")
    assert not due("2026-11-02T03:10", "2026-10-01T04:00", "2026-10-01T03:00")
    assert due("2026-11-03T00:10", "2026-10-01T04:00", "2026-10-01T03:00")
    assert due("2026-11-03T00:10", "2026-10-01T04:00")
    assert due("2026-11-20T00:10", "2026-09-01T04:00")  # the machine was off
    assert due("2026-11-20T00:10")
    # In summer the month begins at 23:00 UTC of the day before.
    assert due("2026-06-30T23:30", "2026-06-01T03:00", "2026-06-30T23:10")
    assert not due("2026-06-30T22:30", "2026-06-01T03:00", "2026-06-01T02:00")


def test_a_month_that_a_wrong_clock_told_of_is_told_again_and_only_once() -> None:
    told_ms: int | None = NOW_MS + 4_000 * DAY_MS
    told = 0
    for hour in range(24 * 20):
        now_ms = NOW_MS + hour * HOUR_MS
        if is_month_due("Europe/London", told_ms, None, now_ms):
            told, told_ms = told + 1, now_ms
    assert told == 2  # November, at once, and December


def test_time_goes_by() -> None:
    assert is_time(None, DAY_MS, NOW_MS)
    assert is_time(NOW_MS - DAY_MS, DAY_MS, NOW_MS)
    assert not is_time(NOW_MS - DAY_MS + 1, DAY_MS, NOW_MS)
    assert is_time(NOW_MS + 2 * DAY_MS, DAY_MS, NOW_MS)
