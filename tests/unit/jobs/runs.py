"""Runs of `archiver run` at times that a test chooses."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager

from archiver.jobs.run import DueJob, list_due, open_context, run_due
from archiver.schedule.journal import Journal
from archiver.schedule.report import JobName, JobReport, RunReport
from archiver.times import parse_time
from tests.homes import Home

Told = list[tuple[str, dict[str, object]]]


def at(text: str) -> int:
    """Milliseconds of a time in UTC, as `2026-11-01 03:00`."""
    return parse_time(f"{text}+00:00")


def run_at(
    home: Home, now_ms: int | Callable[[], int], *, only: Collection[JobName] = (), told: Told | None = None
) -> RunReport:
    """A run, as it is started anew each time."""
    clock = now_ms if callable(now_ms) else lambda: now_ms

    def tell(name: str, facts: Mapping[str, object]) -> None:
        if told is not None:
            told.append((name, dict(facts)))

    return run_due(home.settings, {}, clock, told=tell, only=only)


def done(report: RunReport) -> dict[str, int]:
    """The jobs of a run, and the exit code of each."""
    return {job.job: job.code for job in report.jobs}


def job_of(report: RunReport, name: JobName) -> JobReport:
    (job,) = [one for one in report.jobs if one.job == name]
    return job


def due_at(home: Home, now_ms: int) -> dict[JobName, DueJob]:
    """What is due when, as it is asked at a time."""
    with open_context(home.settings, {}, lambda: now_ms) as context:
        return {one.job: one for one in list_due(context)}


@contextmanager
def open_journal(home: Home) -> Iterator[Journal]:
    with closing(Journal(home.settings.journal)) as journal:
        yield journal
