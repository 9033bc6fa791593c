"""What was found to be missing and when that was told: at once, and once a week for as long as it stands.
What was mended and is missing again is new."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from archiver.schedule.due import DAY_MS, trusted
from archiver.schedule.journal import Moment
from archiver.schedule.report import JobReport, RunReport

FORGET_MS = 30 * DAY_MS
"""What a job has not said for so long is new again, also where the job did not run."""
AGAIN_MS = 7 * DAY_MS - DAY_MS // 2
"""What stands is told again after a week: also by a run that is a little earlier in its day than the one a
week ago."""
QUIET_RUNS = 2
"""What so many good runs of its job did not say is mended. With one, a store that comes and goes would be
told of by every other run."""
MOST_SENTENCES = 1_000
_FINE = (0, 3)
_LASTS = re.compile(r"\d[\d,.]* (?:seconds?|minutes?|hours?|days?)\b")
"""How long something lasts, which each run says anew of the same thing. Any other number counts: it may be an
archive's name."""


class Lacking(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When something missing was last told and last found, and how many good runs have not found it since."""

    told_ms: Moment
    seen_ms: Moment
    quiet_runs: int = 0


Known = Mapping[str, Mapping[str, Lacking]]
"""By job, and by its sentence as it is compared."""


@dataclass(frozen=True)
class Missing:
    """`now`: what is known, kept for the next run; `new`: what is to be told as new; `still`: what stands and
    is to be told again."""

    now: dict[str, dict[str, Lacking]]
    new: tuple[str, ...] = ()
    still: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Found:
    """One sentence of a job, as it is told and as it is compared, and what was known of it."""

    job: str
    said: str
    compared: str
    known: Lacking | None


def compared(said: str) -> str:
    """A sentence without how long something lasts."""
    return _LASTS.sub("…", said)


def judge_missing(known: Known, report: RunReport, now_ms: int) -> Missing:
    """What of a run's problems is to be told. What a job says only when it is time, as its `news`, is told
    whenever it is said; so is what is wrong with the run itself."""
    before = _of_late(known, now_ms)
    news = [*report.problems] if report.code in _FINE else []
    found: list[_Found] = []
    for job in report.jobs:
        if job.job != "remind":  # what it says when it is time has a notice of its own
            news += [f"{job.job}: {said}" for said in job.news]
        found += _standing(job, before.get(job.job, {}))
    again = any(one.known is not None and _is_old(one.known, now_ms) for one in found)
    now = _without_mended(before, report, found)
    for one in found:
        told_ms = now_ms if again or one.known is None else one.known.told_ms
        now.setdefault(one.job, {})[one.compared] = Lacking(told_ms=told_ms, seen_ms=now_ms)
    new = [*news, *(f"{one.job}: {one.said}" for one in found if one.known is None)]
    still = [f"{one.job}: {one.said}" for one in found if one.known is not None and again]
    return Missing(_newest(now), tuple(dict.fromkeys(new)), tuple(dict.fromkeys(still)))


def _standing(job: JobReport, known: Mapping[str, Lacking]) -> Sequence[_Found]:
    """What a job that ended in 3 says in every run, until it is mended."""
    if job.code != 3:
        return []
    said = [one for one in job.problems if one not in job.news]
    if not job.problems:
        said = ["something is missing"]
    by_key = {compared(one): one for one in said}
    return [_Found(job.job, one, key, known.get(key)) for key, one in by_key.items()]


def _of_late(known: Known, now_ms: int) -> dict[str, dict[str, Lacking]]:
    """Without what was not seen for long, and what a wrong clock has noted."""
    return {
        job: {
            key: one
            for key, one in lacking.items()
            if trusted(one.seen_ms, now_ms) is not None and now_ms - one.seen_ms < FORGET_MS
        }
        for job, lacking in known.items()
    }


def _is_old(one: Lacking, now_ms: int) -> bool:
    told_ms = trusted(one.told_ms, now_ms)
    return told_ms is None or now_ms - told_ms >= AGAIN_MS


def _without_mended(
    before: Known, report: RunReport, found: Sequence[_Found]
) -> dict[str, dict[str, Lacking]]:
    """A job that failed, or was not due, says nothing of what is mended."""
    well = {job.job for job in report.jobs if job.code in _FINE}
    seen = {(one.job, one.compared) for one in found}
    now: dict[str, dict[str, Lacking]] = {}
    for job, lacking in before.items():
        for key, one in lacking.items():
            is_quiet = job in well and (job, key) not in seen
            kept = replace(one, quiet_runs=one.quiet_runs + 1) if is_quiet else one
            if kept.quiet_runs < QUIET_RUNS:
                now.setdefault(job, {})[key] = kept
    return now


def _newest(now: Known) -> dict[str, dict[str, Lacking]]:
    every = [(job, key, one) for job, lacking in now.items() for key, one in lacking.items()]
    kept: dict[str, dict[str, Lacking]] = {}
    for job, key, one in sorted(every, key=lambda each: each[2].seen_ms)[-MOST_SENTENCES:]:
        kept.setdefault(job, {})[key] = one
    return kept
