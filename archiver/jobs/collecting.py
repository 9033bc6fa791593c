"""The job that asks X for what is due."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from archiver.jobs.base import JobContext
from archiver.progress import Cursor
from archiver.schedule.kinds import cursors_of, kind_due_ms
from archiver.schedule.report import JobName, JobReport

if TYPE_CHECKING:
    from archiver.collect.report import AccountReport

REFUSED_NOTE = "collect refused"
"""The journal's note of what X refused, or the month's money did not reach for."""
REFUSED_MS = 6 * 3_600_000
"""Asking again for what was refused waits so long: it would be refused each hour, and each time be logged."""


class Refused(Struct, frozen=True):
    """Account and kind to when each was refused. `settings`: the digest of those it was asked with, as others
    may put it right."""

    settings: str
    at_ms: dict[str, int]


class CollectJob:
    """Due where any kind of any account is, by its cursor. What was cut off, or failed for want of a network,
    is due at once."""

    name: JobName = "collect"

    def due_ms(self, context: JobContext) -> int | None:
        """See `archiver.jobs.base.Job`."""
        accounts = [(one.platform, one.id, one.api) for one in context.settings.accounts if one.api]
        if not accounts:
            return None
        now_ms, refused = context.clock(), _refused(context)
        cursors = context.collector.spool.progress.cursors()
        return min(
            (
                _later(kind_due_ms(cursor, api.every_days.get(kind, 1), now_ms), refused.get(f"{id_} {kind}"))
                for platform, id_, api in accounts
                for kind in api.kinds
                for cursor in (cursors.get((platform, id_, name), Cursor()) for name in cursors_of(kind))
            ),
            default=None,
        )

    def work(self, context: JobContext) -> JobReport:
        """See `archiver.jobs.base.Job`."""
        from archiver.jobs.work import collected

        started_ms = context.clock()
        reports = collected.collect_due(context, "run")
        _note_refused(context, reports)
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


def _later(due_ms: int, refused_ms: int | None) -> int:
    return due_ms if refused_ms is None else max(due_ms, refused_ms + REFUSED_MS)


def _refused(context: JobContext) -> dict[str, int]:
    """What was refused and by which time; none of it where the settings were changed since, or where that was
    by a clock that was wrong."""
    noted = context.journal.note(REFUSED_NOTE, Refused)
    if noted is None or noted.settings != context.settings.digest:
        return {}
    now_ms = context.clock()
    return {name: at_ms for name, at_ms in noted.at_ms.items() if at_ms <= now_ms}


def _note_refused(context: JobContext, reports: "Iterable[AccountReport]") -> None:
    """Note what was refused now, besides what was refused before and was not asked for."""
    from archiver.jobs.work.collected import refused_kinds

    reports = list(reports)
    asked = {f"{report.account} {kind}" for report in reports for kind in report.due}
    at_ms = {name: at_ms for name, at_ms in _refused(context).items() if name not in asked}
    at_ms |= {f"{account} {kind}": context.clock() for account, kind in refused_kinds(reports)}
    context.journal.set_note(REFUSED_NOTE, Refused(context.settings.digest, at_ms))


JOB = CollectJob()
