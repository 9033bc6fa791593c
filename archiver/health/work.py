"""How the jobs of `archiver run` stand: what each ended in, and when it is due."""

from archiver.health.local import LocalFacts
from archiver.health.snapshot import AccountHealth, ArchiveHealth, JobHealth
from archiver.processes import holder_in
from archiver.schedule.due import DAY_MS, NOW, due_after, due_again, period_bounds, trusted
from archiver.schedule.journal import JobTimes
from archiver.schedule.report import JOB_NAMES, JobName
from archiver.settings import Settings

_WATCHED: tuple[JobName, ...] = ("sync", "check")
"""Jobs that are stale when they are late themselves. Collecting, importing and sealing are where what they
do is late, whoever does it; drills and reminders are told of by reminders."""


def job_healths(
    settings: Settings,
    facts: LocalFacts,
    accounts: tuple[AccountHealth, ...],
    last: ArchiveHealth | None,
    inbox_files: int,
    now_ms: int,
) -> tuple[JobHealth, ...]:
    """Every job, in the order of a run; none where `archiver run` was never started here."""
    if facts.journal.jobs is None:
        return ()
    # The lock is not tried: whoever tries it holds it for a moment, and another run would be refused.
    is_at_work = holder_in(settings.lock) is not None
    dues = _dues(settings, facts, accounts, last, inbox_files, now_ms)
    late_ms = settings.schedule.stale_days * DAY_MS
    jobs = []
    for name in JOB_NAMES:
        times, due_ms = _times(facts, name), dues[name]
        was_begun = times.started_ms is not None
        jobs.append(
            JobHealth(
                job=name,
                finished_ms=times.finished_ms,
                good_ms=times.good_ms,
                code=times.code,
                due_ms=due_ms,
                stale=name in _WATCHED and was_begun and due_ms is not None and due_ms + late_ms <= now_ms,
                problems=times.problems,
                is_at_work=is_at_work and was_begun and times.code is None,
                excused=times.excused,
            )
        )
    return tuple(jobs)


def _times(facts: LocalFacts, name: JobName) -> JobTimes:
    """What is noted of a job; of drills also one that was made by hand, or on a keyholder's host."""
    times, drill = (facts.journal.jobs or {}).get(name) or JobTimes(), facts.journal.drill
    if name != "drill" or drill is None or drill.at_ms <= (times.finished_ms or 0):
        return times
    return JobTimes(started_ms=drill.at_ms, finished_ms=drill.at_ms, good_ms=drill.good_ms, code=drill.code)


def was_cut_off(facts: LocalFacts, job: JobHealth) -> bool:
    """Whether a job was begun and not ended, and nothing is at work that might end it."""
    times = (facts.journal.jobs or {}).get(job.job)
    return times is not None and times.started_ms is not None and times.code is None and not job.is_at_work


def is_past(settings: Settings, facts: LocalFacts, last: ArchiveHealth | None, job: JobHealth) -> bool:
    """Whether what a job failed at is done by now, or wanted no more, so that no run will ever try it again:
    of collecting where no account is asked for any more; of sealing where all is sealed, and that was
    later, or every store was given everything later."""
    jobs = facts.journal.jobs or {}
    if job.job == "collect":
        return not any(account.api for account in settings.accounts)
    if job.job != "seal" or facts.spool.records or facts.spool.since_ms is not None or facts.state.is_sealing:
        return False
    times, synced = _times(facts, "seal"), jobs.get("sync") or JobTimes()
    failed_ms = (times.started_ms if times.code is None else times.finished_ms) or 0
    was_sealed = last is not None and last.sealed_ms > failed_ms
    was_filled = times.code is not None and synced.code == 0 and (synced.started_ms or 0) >= failed_ms
    return was_sealed or was_filled


def _dues(
    settings: Settings,
    facts: LocalFacts,
    accounts: tuple[AccountHealth, ...],
    last: ArchiveHealth | None,
    inbox_files: int,
    now_ms: int,
) -> dict[JobName, int | None]:
    good = {name: times.good_ms for name, times in (facts.journal.jobs or {}).items()}
    return {
        "import": NOW if inbox_files else None,
        "collect": min((kind.due_ms for account in accounts for kind in account.kinds), default=None),
        "seal": seal_due_ms(settings, facts, last, now_ms),
        "sync": due_again(good.get("sync"), settings.schedule.sync_every_days, now_ms),
        "check": due_after(good.get("check"), 1, now_ms),
        "drill": None if facts.state.head is None else facts.journal.drill_due_ms,
        "remind": None,
    }


def seal_due_ms(settings: Settings, facts: LocalFacts, last: ArchiveHealth | None, now_ms: int) -> int | None:
    """When what waits in the spool is to be sealed: with the period after the one in which the oldest of it
    was captured, or when it was captured where there is no archive yet; None where nothing waits."""
    since_ms = facts.spool.since_ms
    if since_ms is None:
        return None
    known = trusted(since_ms, now_ms)
    if known is None:
        return NOW
    if last is None and facts.state.head is None:
        return known
    return period_bounds(settings.schedule.seal, settings.schedule.time_zone, known)[1]
