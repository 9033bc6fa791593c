"""The job that asks X for what is due."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from archiver.jobs.base import JobContext
from archiver.progress import Cursor
from archiver.schedule.due import HOUR_MS, NOW, due_again, trusted
from archiver.schedule.journal import Moment
from archiver.schedule.kinds import cursors_of, kind_due_ms
from archiver.schedule.report import JobName, JobReport

if TYPE_CHECKING:
    from archiver.collect.report import AccountReport

KINDS_NOTE = "collect kinds"
"""The journal's note of how it went with each kind."""
REFUSED_MS = 6 * HOUR_MS
"""Asking again for what was refused waits so long: it would be refused each hour, and each time be logged."""


class Kinds(Struct, frozen=True):
    """Each by its account and name: when it was `taken` to its end, and when it was `refused`, by X or for
    want of the month's money. By this host's clock, while cursors have X's time: with a clock that is off by
    years every run would collect everything, by those alone. `settings`: the digest of those in force then,
    as others may put right what was refused."""

    settings: str = ""
    taken: dict[str, Moment] = {}
    refused: dict[str, Moment] = {}

    def due_ms(self, name: str, cursor: Cursor, days: int, digest: str, now_ms: int) -> int:
        """When a kind is due, by one of its cursors and by this."""
        was_done = cursor.walk is None and cursor.started_ms is not None
        taken_ms = due_again(self.taken.get(name), days, now_ms) if was_done else NOW
        refused_ms = trusted(self.refused.get(name), now_ms)
        wait_ms = NOW if refused_ms is None or self.settings != digest else refused_ms + REFUSED_MS
        return max(kind_due_ms(cursor, days, now_ms), taken_ms, wait_ms)


class CollectJob:
    """Due where any kind of any account is, by its cursor. What was cut off, or failed for want of a network,
    is due at once."""

    name: JobName = "collect"

    def due_ms(self, context: JobContext) -> int | None:
        """See `archiver.jobs.base.Job`."""
        accounts = [(one.platform, one.id, one.api) for one in context.settings.accounts if one.api]
        if not accounts:
            return None
        now_ms, kinds, digest = context.clock(), _kinds(context), context.settings.digest
        cursors = context.collector.spool.progress.cursors()
        times = []
        for platform, account, api in accounts:
            for kind in api.kinds:
                days = api.every_days.get(kind, 1)
                for name in cursors_of(kind):
                    cursor = cursors.get((platform, account, name), Cursor())
                    times.append(kinds.due_ms(f"{account} {kind}", cursor, days, digest, now_ms))
        return min(times, default=None)

    def work(self, context: JobContext) -> JobReport:
        """See `archiver.jobs.base.Job`."""
        from archiver.jobs.work import collected

        started_ms = context.clock()
        reports = collected.collect_due(context, "run")
        _note(context, reports, started_ms)
        ended = collected.ending_error(reports)
        return JobReport(
            self.name,
            started_ms,
            context.clock(),
            collected.collect_code(reports),
            collected.collect_facts(reports),
            collected.collect_problems(reports),
            ended is not None,
            collected.collect_summary(reports),
        )


def _kinds(context: JobContext) -> Kinds:
    return context.journal.note(KINDS_NOTE, Kinds) or Kinds()


def _note(context: JobContext, reports: "Sequence[AccountReport]", at_ms: int) -> None:
    """Note how it went with each kind that was due, besides what is noted of the others."""
    from archiver.jobs.work.collected import refused_kinds

    noted = _kinds(context)
    asked = {f"{report.account} {kind}" for report in reports for kind in report.due}
    refused = {f"{account} {kind}" for account, kind in refused_kinds(reports)}
    taken = {
        f"{report.account} {kind.kind}"
        for report in reports
        for kind in report.kinds
        if kind.error is None and (report.error is None or kind is not report.kinds[-1])
    }
    context.journal.set_note(
        KINDS_NOTE,
        Kinds(
            context.settings.digest,
            {name: ms for name, ms in noted.taken.items() if name not in asked} | dict.fromkeys(taken, at_ms),
            {name: ms for name, ms in noted.refused.items() if name not in asked}
            | dict.fromkeys(refused, at_ms),
        ),
    )


JOB = CollectJob()
