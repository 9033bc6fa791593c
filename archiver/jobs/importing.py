"""The job that takes exports from the inbox into the spool, and puts away those that are sealed."""

from archiver.inbox.taking import Inbox
from archiver.jobs.base import JobContext
from archiver.schedule.report import JobName, JobReport


class ImportJob:
    """Due where a file lies in the inbox that was not looked at yet, has become whole or has waited long
    enough, and where the records of one that was taken are sealed."""

    name: JobName = "import"

    def due_ms(self, context: JobContext) -> int | None:
        """See `archiver.jobs.base.Job`."""
        inbox = Inbox(context.settings, context.journal, context.clock, patient=True)
        return inbox.due_ms(context.collector.spool)

    def work(self, context: JobContext) -> JobReport:
        """See `archiver.jobs.base.Job`."""
        from archiver.jobs.work.imported import import_facts, import_inbox, import_problems, import_summary

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
        )


JOB = ImportJob()
