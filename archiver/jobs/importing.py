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
        from archiver.jobs.work.imported import import_facts, import_inbox, import_problems

        started_ms = context.clock()
        report = import_inbox(context, "run", patient=True)
        for one in report.imported:
            # A full disk or a damaged spool stops what comes after, too; the rest is noted and moved.
            if one.error is not None and getattr(one.error, "ends_run", False):
                raise one.error
        return JobReport(
            self.name,
            started_ms,
            context.clock(),
            report.code,
            import_facts(report),
            import_problems(report),
        )


JOB = ImportJob()
