"""A job from its beginning to its end: noted in the journal, told, and its errors made a report."""

from collections.abc import Callable, Sequence
from contextlib import closing, suppress

from archiver.disk import translate_os_error
from archiver.errors import ArchiverError, IncompleteError, sentence_of
from archiver.jobs.base import JobContext
from archiver.schedule.journal import RUN, Journal
from archiver.schedule.report import JobName, JobReport
from archiver.settings import Settings


def do_job(context: JobContext, name: JobName, work: Callable[[JobContext], JobReport]) -> JobReport:
    """Do it, noted as begun before and as ended after; a kill in between leaves it noted as cut off. What it
    raises becomes its report, but for what interrupts the program. Raise where the journal cannot be
    written."""
    started_ms = context.clock()
    context.journal.begin(name, started_ms)
    context.told("job.begin", {"job": name})
    try:
        report = work(context)
    except Exception as error:  # noqa: BLE001  # a defect of ours in one job must not stop the others
        report = failed_report(context, name, started_ms, as_ours(error))
    context.journal.end(
        name, report.finished_ms, report.code, tuple(report.problems), excused=tuple(report.excused)
    )
    told_end(context, report)
    return report


def note_done(
    context: JobContext,
    name: JobName,
    started_ms: int,
    code: int,
    problems: Sequence[str] = (),
    excused: Sequence[str] = (),
) -> None:
    """Note a job that was done by hand, so that whoever looks when it was done last sees it."""
    context.journal.end(
        name, context.clock(), code, tuple(problems), excused=tuple(excused), started_ms=started_ms
    )


def note_by_hand(
    settings: Settings,
    name: JobName,
    started_ms: int,
    now_ms: int,
    code: int,
    problems: Sequence[str] = (),
    excused: Sequence[str] = (),
) -> None:
    """The same of a command that has no journal open, where it ended well: what failed earlier is done now.
    Only where `archiver run` is at home; where the journal cannot be written `status` tells that."""
    if code not in (0, IncompleteError.exit_code) or not settings.journal.exists():
        return
    with suppress(ArchiverError), closing(Journal(settings.journal)) as journal:
        if journal.job(RUN).started_ms is not None or journal.job(name).started_ms is not None:
            journal.end(name, now_ms, code, tuple(problems), excused=tuple(excused), started_ms=started_ms)


def told_end(context: JobContext, report: JobReport) -> None:
    """Tell what came of a job, and what is wrong."""
    for problem in report.problems:
        context.told("problem", {"job": report.job, "problem": problem})
    context.told(
        "job.end",
        {
            "job": report.job,
            "code": report.code,
            "seconds": (report.finished_ms - report.started_ms) / 1000,
            **report.facts,
            "problems": len(report.problems),
        },
    )


def failed_report(context: JobContext, name: JobName, started_ms: int, error: ArchiverError) -> JobReport:
    """The report of a job that an error ended."""
    return JobReport(
        name,
        started_ms,
        context.clock(),
        error.exit_code,
        problems=(sentence_of(error),),
        ends_run=error.ends_run,
    )


def as_ours(error: Exception) -> ArchiverError:
    """Any error as one of ours. Of a defect the place where it happened, without its words, which may hold
    anything."""
    if isinstance(error, ArchiverError):
        return error
    if isinstance(error, OSError):
        return translate_os_error(error, "using", str(error.filename or "a file"))
    import traceback  # 3 ms, which an idle run does not pay

    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
    return ArchiverError(
        f"a defect of this program ended it: {type(error).__name__} at {where}",
        "report it; what was kept before is kept, and the next run tries again",
    )
