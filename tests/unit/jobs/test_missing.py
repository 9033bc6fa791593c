"""What is missing is told when it is new, once a week while it stands, and as new when it was mended."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from archiver.jobs.missing import FORGET_MS, MOST_SENTENCES, Lacking, Missing, compared, judge_missing
from archiver.schedule.due import DAY_MS, HOUR_MS
from archiver.schedule.report import JobName, JobReport, RunReport
from archiver.times import parse_time

NOW_MS = parse_time("2026-11-26T03:00:00Z")


@dataclass
class Days:
    """Runs one after the other, and what was told by each."""

    now_ms: int = NOW_MS
    known: dict[str, dict[str, Lacking]] = field(default_factory=dict)

    def run(
        self,
        job: JobName | None = None,
        said: Sequence[str] = (),
        code: int | None = None,
        *,
        hours: float = 24,
        news: Sequence[str] = (),
        problems: Sequence[str] = (),
    ) -> Missing:
        self.now_ms += int(hours * HOUR_MS)
        made: list[JobReport] = []
        if job is not None:
            ended = (3 if said else 0) if code is None else code
            made = [JobReport(job, self.now_ms, self.now_ms, ended, {}, said, news=news)]
        code = max([one.code for one in made] + ([3] if problems else [0]))
        judged = judge_missing(self.known, RunReport(0, 0, made, code, problems), self.now_ms)
        self.known = judged.now
        return judged


def test_what_is_missing_is_told_once_and_once_a_week_while_it_stands() -> None:
    days = Days()
    told = []
    for day in range(30):
        judged = days.run("check", ["it lacks 2026-11-01"])
        told += [(day, "new") for _ in judged.new] + [(day, "still") for _ in judged.still]
    assert told == [(0, "new"), (7, "still"), (14, "still"), (21, "still"), (28, "still")]


def test_what_was_mended_and_is_missing_again_is_new() -> None:
    days = Days()
    assert days.run("check", ["store share is away"]).new == ("check: store share is away",)
    days.run("check")
    days.run("check")
    assert days.run("check", ["store share is away"]).new == ("check: store share is away",)


def test_what_comes_and_goes_from_run_to_run_is_not_told_each_time() -> None:
    days = Days()
    told = 0
    for _ in range(24):
        told += len(days.run("check", ["store share is away"], hours=1).new)
        days.run("check", hours=1)
    assert told == 1


@pytest.mark.parametrize("code", [None, 1])
def test_a_job_that_failed_or_was_not_due_says_nothing_of_what_is_mended(code: int | None) -> None:
    days = Days()
    days.run("sync", ["share is away"])
    for _ in range(3):
        days.run(None if code is None else "sync", code=code)
        days.run("check")
    assert days.run("sync", ["share is away"]).new == ()


def test_two_jobs_that_say_the_same_are_two() -> None:
    days = Days()
    days.run("sync", ["share is away"])
    assert days.run("check", ["share is away"]).new == ("check: share is away",)
    days.run("check")
    days.run("check")
    assert days.run("sync", ["share is away"]).new == ()


def test_what_stands_is_told_with_the_first_of_it_that_is_due() -> None:
    days = Days()
    days.run("check", ["one"])
    days.run("check", ["one", "two"], hours=72)
    judged = days.run("check", ["one", "two", "three"], hours=96)
    assert (judged.new, judged.still) == (("check: three",), ("check: one", "check: two"))
    assert days.run("check", ["one", "two", "three"], hours=96).still == ()


def test_what_a_job_says_only_when_it_is_time_is_told_whenever_it_does() -> None:
    days = Days()
    folder = "something in the inbox is a folder"
    for code in (3, 3, 1):
        judged = days.run("import", [folder, "a file stays in the inbox"], code, news=[folder], hours=1)
        assert folder in str(judged.new)
    assert judged.new == (f"import: {folder}",)


def test_what_is_wrong_with_the_run_itself_is_told_whenever_it_is_said() -> None:
    days = Days()
    for _ in range(2):
        assert days.run(problems=["the clock was set back"]).new == ("the clock was set back",)


def test_how_long_something_lasts_makes_no_other_sentence_of_it() -> None:
    days = Days()
    limit = "X's rate limit is reached, for {} seconds, which is longer than a run may wait"
    assert len(days.run("collect", [limit.format("1,812")], hours=1).new) == 1
    for number in ("907", "1", "12.5"):
        assert days.run("collect", [limit.format(number)], hours=1).new == ()
    assert compared("archive 2026-11-01 lacks 12 files") != compared("archive 2026-12-01 lacks 12 files")
    assert compared("2 gaps") != compared("3 gaps")


def test_what_was_not_said_for_a_month_is_new() -> None:
    days = Days()
    days.run("sync", ["share is away"])
    assert days.run("sync", ["share is away"], hours=FORGET_MS / HOUR_MS).new == ("sync: share is away",)


@pytest.mark.parametrize("wrong", [-400, -1.5, 1.5, 400])
def test_a_clock_that_was_wrong_silences_nothing_for_longer_than_a_week(wrong: float) -> None:
    days = Days(NOW_MS + int(wrong * DAY_MS))
    days.run("check", ["it lacks 2026-11-01"])
    days.now_ms = NOW_MS
    judged = [days.run("check", ["it lacks 2026-11-01"]) for _ in range(9)]
    assert any(one.new or one.still for one in judged)


def test_an_incomplete_job_that_says_nothing_is_told_all_the_same_and_reminders_are_not() -> None:
    assert Days().run("check", code=3).new == ("check: something is missing",)
    assert Days().run("remind", ["LATE: an export"], news=["LATE: an export"]).new == ()


def test_not_more_sentences_are_kept_than_some() -> None:
    days = Days()
    assert len(days.run("check", [f"file {number}" for number in range(5_000)]).new) == 5_000
    assert len(days.known["check"]) == MOST_SENTENCES
