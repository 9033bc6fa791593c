"""`archiver run`: what is due, for cron or a timer."""

from collections.abc import Callable, Mapping, Sequence

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import one_line
from archiver.cli._telling import tell_begin, tell_end, tell_error
from archiver.errors import ArchiverError, IncompleteError, worse_code
from archiver.schedule.report import JOB_NAMES, JobName, JobReport, RunReport
from archiver.times import format_time, system_clock

INCOMPLETE = IncompleteError.exit_code
Told = Callable[[str, Mapping[str, object]], None]


@click.command(
    "run",
    epilog=examples(
        "archiver --config police-archive run --dry-run",
        "archiver --config police-archive run --quiet --log police-archive.jsonl",
    ),
)
@click.option("--dry-run", is_flag=True, help="Show what is due when, and do nothing.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(JOB_NAMES),
    metavar="JOB",
    help=f"Only this job, if it is due; may be repeated: {', '.join(JOB_NAMES)}.",
)
@click.option("--quiet", is_flag=True, help="Print nothing where nothing was due or all went well.")
@pass_session
def command(session: Session, dry_run: bool, only: tuple[JobName, ...], quiet: bool) -> int:
    """Do what is due: take exports from the inbox, collect from X, seal a new month, fill every store, check
    what is sealed, remind. To be started every hour or so; where nothing is due it ends at once. What was
    missed while the machine was off is done at the next run.

    A job that fails does not stop the others, and is tried again at the next run. The exit code is that of
    the worst one: 0 all is well, 3 something is missing and named, 11 another run is at work."""
    started_ms = system_clock()
    try:
        settings = session.settings
        if dry_run:
            return _print_due(session, only)
        untold = tell_begin(session)
        from archiver.jobs.run import run_due

        report = run_due(settings, session.environ, system_clock, told=_teller(session, quiet), only=only)
    except ArchiverError as error:
        if not dry_run:
            tell_error(session, error, started_ms)
        raise
    _print_end(session, report, quiet)
    return worse_code(report.code, worse_code(untold, tell_end(session, report)))


def _teller(session: Session, quiet: bool) -> Told:
    """What happens goes to the log."""

    def told(name: str, facts: Mapping[str, object]) -> None:
        code = facts.get("code", 0)
        wrong = name == "problem" or code == INCOMPLETE
        session.events.event(name, facts, "warning" if wrong else "error" if code else "info")

    return told


def _print_end(session: Session, report: RunReport, quiet: bool) -> None:
    for problem in report.problems:
        session.note(one_line(f"archiver: {problem}"))
    for job in report.jobs:
        if session.json or not quiet or job.code or job.problems:
            _print_job(session, job)
    if session.json:
        session.print_json(
            "run",
            code=report.code,
            started=format_time(report.started_ms),
            finished=format_time(report.finished_ms),
            jobs=[job.job for job in report.jobs],
            problems=list(report.problems),
        )
    elif report.is_idle and not quiet:
        click.echo("Nothing is due.")


def _print_job(session: Session, job: JobReport) -> None:
    if session.json:
        session.print_json(
            "job",
            job=job.job,
            code=job.code,
            started=format_time(job.started_ms),
            finished=format_time(job.finished_ms),
            summary=job.summary,
            facts=dict(job.facts),
            problems=list(job.problems),
        )
    else:
        state = {0: "", INCOMPLETE: "INCOMPLETE"}.get(job.code, "FAILED")
        words = [word for word in (state, job.summary) if word]
        click.echo(one_line(f"{job.job}: {', '.join(words) or 'done'}"))
    for problem in job.problems:
        session.note(one_line(f"  {job.job}: {problem}"))


def _print_due(session: Session, only: Sequence[JobName]) -> int:
    """What would be done now, and when the rest is due. The exit code: of what keeps that from being
    known."""
    from archiver.health.words import moment
    from archiver.jobs.run import list_due, open_context

    code, now_ms = 0, system_clock()
    with open_context(session.settings, session.environ, system_clock) as context:
        jobs = list_due(context, only)
    for one in jobs:
        when_ms = None if one.due_ms is None else max(one.due_ms, now_ms)
        error = None if one.error is None else one.error.message
        code = code if one.error is None else worse_code(code, one.error.exit_code)
        if session.json:
            when = None if when_ms is None else format_time(when_ms)
            session.print_json("due", job=one.job, due=one.is_due(now_ms), at=when, error=error)
        else:
            later = "nothing to do" if when_ms is None else f"due {moment(when_ms)}"
            words = "due now" if one.is_due(now_ms) else later
            click.echo(one_line(f"{one.job}: {words if error is None else f'cannot be known: {error}'}"))
    return code
