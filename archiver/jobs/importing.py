"""The job that takes exports from the inbox into the spool, and puts away those that are sealed."""

from archiver.inbox.files import holds_refused
from archiver.inbox.taking import Inbox
from archiver.jobs.base import JobContext
from archiver.schedule.due import due_after
from archiver.schedule.report import JobName, JobReport


class ImportJob:
    """Due where a file lies in the inbox that was not looked at yet, has become whole or has waited long
    enough, and where the records of one that was taken are sealed. Also a day after one that did not end
    well, if nothing refused lies there any more: then all is well again, and is noted so."""

    name: JobName = "import"

    def due_ms(self, context: JobContext) -> int | None:
        """See `archiver.jobs.base.Job`."""
        inbox = Inbox(context.settings, context.journal, context.clock, patient=True)
        due_ms = inbox.due_ms(context.collector.spool)
        last = context.journal.job(self.name)
        if not last.code or holds_refused(inbox.folder):
            return due_ms
        again_ms = due_after(last.finished_ms, 1, context.clock())
        return again_ms if due_ms is None else min(due_ms, again_ms)

    def work(self, context: JobContext) -> JobReport:
        """See `archiver.jobs.base.Job`."""
        from archiver.jobs.work.imported import (
            import_facts,
            import_inbox,
            import_news,
            import_problems,
            import_summary,
        )

        started_ms = context.clock()
        report = import_inbox(context, "run", patient=True)
        return JobReport(
            self.name,
            started_ms,
            context.clock(),
            report.code,
            import_facts(report),
            import_problems(report),
            any(one.error is not None and one.error.ends_run for one in report.imported),
            import_summary(report),
            import_news(report),
        )


JOB = ImportJob()
