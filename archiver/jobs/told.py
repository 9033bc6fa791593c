"""What was told when: so that a failure is told at once and then once a day, what is missing at once and then
once a week, and that all is well again, too."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from archiver.jobs.missing import Lacking
from archiver.schedule.checks import DAILY_MS
from archiver.schedule.due import DAY_MS, period_bounds, trusted
from archiver.schedule.journal import RUN, Journal, Moment
from archiver.schedule.report import RunReport

NOTE = "told"
"""Under this name the journal keeps it."""
LOOK_MS = DAY_MS // 4
"""How often a run with nothing to do looks whether something is late."""
MOST_SAID = 20
"""Sentences that are kept of one failure."""
_FINE = (0, 3)


class Failing(Struct, frozen=True, kw_only=True):
    """Since when something fails, when that was last told, its exit code, and what was said of it."""

    since_ms: Moment
    told_ms: Moment
    code: int
    said: tuple[str, ...] = ()


class Told(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`failing`: by job, or `run`; `lacking`: what is missing, by job and sentence; `monthly_sequence`: the
    last archive that a monthly notice has told of."""

    failing: dict[str, Failing] = {}
    lacking: dict[str, dict[str, Lacking]] = {}
    stale_ms: Moment | None = None
    looked_ms: Moment | None = None
    monthly_ms: Moment | None = None
    monthly_sequence: int = 0


@dataclass(frozen=True)
class Failures:
    """What a run's end says of failures: `now` is what fails, kept for the next run; `tell`: what of it is to
    be told now; `recovered`: what failed and is well again."""

    now: dict[str, Failing]
    tell: dict[str, Failing]
    recovered: tuple[str, ...]


def is_time(told_ms: int | None, every_ms: int, now_ms: int) -> bool:
    """Whether something told at `told_ms` is to be told again. A time that only a wrong clock can have noted
    does not count."""
    known = trusted(told_ms, now_ms)
    return known is None or now_ms - known >= every_ms


def is_month_due(zone: str, told_ms: int | None, sealed_ms: int | None, now_ms: int) -> bool:
    """Whether the month's notice is due: once in each month, after an archive was sealed in it, or when its
    third day has begun."""
    begun_ms, _ = period_bounds("monthly", zone, now_ms)
    known = trusted(told_ms, now_ms)
    if known is not None and known >= begun_ms:
        return False
    sealed = trusted(sealed_ms, now_ms)
    return (sealed is not None and sealed >= begun_ms) or now_ms - begun_ms >= 2 * DAY_MS


def failed_parts(report: RunReport, error: str | None) -> dict[str, Sequence[str]]:
    """What failed in a run, each with its sentences: jobs, and the run itself where none of them explains its
    exit code. What a job tells as news is told apart."""
    failed: dict[str, Sequence[str]] = {
        job.job: [said for said in job.problems if said not in job.news] or job.problems
        for job in report.jobs
        if job.code not in _FINE
    }
    if error is not None:
        failed[RUN] = (error,)
    elif report.code not in _FINE and not failed:
        failed[RUN] = tuple(report.problems) or ("it ended before all was done",)
    return failed


def judge_failures(
    known: Mapping[str, Failing], report: RunReport, failed: Mapping[str, Sequence[str]], now_ms: int
) -> Failures:
    """A job that was not due says nothing: what failed of it stands as it was, and is not told again. So an
    export that was refused is told once, and a store that is away each day."""
    codes: dict[str, int] = {job.job: job.code for job in report.jobs}
    failing: dict[str, Failing] = {}
    for name, said in failed.items():
        before = known.get(name)
        failing[name] = Failing(
            since_ms=now_ms if before is None else min(before.since_ms, now_ms),
            told_ms=now_ms if before is None else before.told_ms,
            code=codes.get(name, report.code),
            said=tuple(said[:MOST_SAID]),
        )
    tell = any(_is_news(known.get(name), one, now_ms) for name, one in failing.items())
    if tell:
        failing = {name: replace(one, told_ms=now_ms) for name, one in failing.items()}
    untried = {name: one for name, one in known.items() if name not in codes and name != RUN}
    return Failures(
        now={**untried, **failing},
        tell=failing if tell else {},
        recovered=tuple(name for name in known if name not in untried and name not in failing),
    )


def _is_news(before: Failing | None, one: Failing, now_ms: int) -> bool:
    """Whether a failure is to be told: a new one, another one, and one that was told a day ago."""
    return before is None or before.code != one.code or is_time(one.told_ms, DAILY_MS, now_ms)


def load_told(path: Path) -> Told:
    """What was told so far, as the journal has it; nothing where there is none. Raise ArchiverError."""
    if not path.exists():
        return Told()
    with closing(Journal(path)) as journal:
        return journal.note(NOTE, Told) or Told()
