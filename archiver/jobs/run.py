"""One run: every job in turn is asked whether it is due, and what is due is done.

A job that fails does not stop those after it, unless nothing more can be done on this host: its disk is full,
or the spool is damaged. What is due is looked up anew in every run, so that what was missed while the machine
was off is caught up with at the next one, once.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

from archiver.errors import ArchiverError, IncompleteError, LockedError, sentence_of, worse_code
from archiver.jobs.base import JobContext, Told
from archiver.jobs.noting import as_ours, do_job, failed_report, told_end
from archiver.jobs.registry import load_job, registered
from archiver.schedule.due import HOUR_MS
from archiver.schedule.journal import RUN, Journal
from archiver.schedule.report import JobName, JobReport, RunReport
from archiver.settings import Settings
from archiver.times import Clock, format_time
from archiver.wiring.collector import open_collector

CLOCK_BACK_MS = HOUR_MS
"""A clock that goes back by less is put right, as clocks are; by more, something was wrong."""


@dataclass(frozen=True)
class DueJob:
    """A job, and when it is due: None where there is nothing to wait for. `error`: why that is not known."""

    job: JobName
    due_ms: int | None
    error: ArchiverError | None = None

    def is_due(self, now_ms: int) -> bool:
        """Whether there is anything to do or to report."""
        return self.error is not None or (self.due_ms is not None and self.due_ms <= now_ms)


@contextmanager
def open_context(
    settings: Settings,
    environ: Mapping[str, str],
    clock: Clock,
    told: Told = lambda name, facts: None,
) -> Iterator[JobContext]:
    """What jobs are given, with the collector's lock held. Raise LockedError where another run has it."""
    with open_collector(settings) as collector, closing(Journal(settings.journal)) as journal:
        yield JobContext(settings, collector, journal, environ, clock, told)


def list_due(context: JobContext, only: Collection[JobName] = ()) -> list[DueJob]:
    """When each job is due, or `only` these; nothing is done."""
    return [_ask(context, name) for name in registered(only)]


def run_due(
    settings: Settings,
    environ: Mapping[str, str],
    clock: Clock,
    *,
    told: Told = lambda name, facts: None,
    only: Collection[JobName] = (),
) -> RunReport:
    """Do all that is due now, or of that `only` these jobs; what became of it.

    Raise LockedError where another run is at work, or another host keeps the vault; and what else keeps the
    spool, the state or the journal from being opened or written. It is in the journal, too, for `status`."""
    started_ms = clock()
    has_lock = False
    try:
        with open_context(settings, environ, clock, told) as context:
            has_lock = True
            started_ms = clock()
            return _run(context, started_ms, only)
    except ArchiverError as error:
        if has_lock or not isinstance(error, LockedError):  # else the other run notes what becomes of it
            _note_error(settings, started_ms, clock(), error)
        raise


def _run(context: JobContext, started_ms: int, only: Collection[JobName]) -> RunReport:
    """All that is due, with the lock held."""
    problems = _clock_problems(context, started_ms)
    reports: list[JobReport] = []
    for name in registered(only):
        asked = _ask(context, name)
        if not asked.is_due(context.clock()):
            context.journal.asked(name)
            continue
        if not reports:
            _require_holder(context.settings)
            context.journal.begin(RUN, started_ms)
        reports.append(_do(context, asked))
        if reports[-1].ends_run:
            break
    return _finished(context, started_ms, reports, problems)


def _note_error(settings: Settings, started_ms: int, now_ms: int, error: ArchiverError) -> None:
    """Note what a run ended in before it had done anything. Where the journal cannot be written, that is what
    is told of it."""
    with suppress(ArchiverError), closing(Journal(settings.journal)) as journal:
        journal.end(RUN, now_ms, error.exit_code, (sentence_of(error),), started_ms=started_ms)


def _require_holder(settings: Settings) -> None:
    """Imported when there is something to do: an idle run asks no store."""
    from archiver.wiring.claims import require_holder

    require_holder(settings)


def _ask(context: JobContext, name: JobName) -> DueJob:
    try:
        return DueJob(name, load_job(name).due_ms(context))
    except Exception as error:  # noqa: BLE001  # a defect of ours in one job must not stop the others
        return DueJob(name, None, as_ours(error))


def _do(context: JobContext, asked: DueJob) -> JobReport:
    """Do it; or report, and note, why it cannot be told whether it is due."""
    if asked.error is None:
        return do_job(context, asked.job, load_job(asked.job).work)
    report = failed_report(context, asked.job, context.clock(), asked.error)
    context.journal.unasked(asked.job, report.finished_ms, report.code, sentence_of(asked.error))
    told_end(context, report)
    return report


def _clock_problems(context: JobContext, now_ms: int) -> list[str]:
    """Whether the clock was set back since the last run; said once, as this run is noted next."""
    last_ms = context.journal.job(RUN).finished_ms
    if last_ms is None or last_ms <= now_ms + CLOCK_BACK_MS:
        return []
    problem = (
        f"the clock of this host was set back, or was wrong before: the last run ended at"
        f" {format_time(last_ms)}, and now it is {format_time(now_ms)}"
    )
    context.told("problem", {"problem": problem})
    return [problem]


def _finished(
    context: JobContext, started_ms: int, jobs: Sequence[JobReport], problems: Sequence[str]
) -> RunReport:
    """The run's report, noted in the journal."""
    code = IncompleteError.exit_code if problems else 0
    for job in jobs:
        code = worse_code(code, job.code)
    finished_ms = context.clock()
    said = (*problems, *(problem for job in jobs for problem in job.problems))
    context.journal.end(RUN, finished_ms, code, said, started_ms=started_ms)
    return RunReport(started_ms, finished_ms, tuple(jobs), code, tuple(problems))
