"""The job that gives every store what another has."""

from archiver.errors import sentence_of, worse_code
from archiver.jobs.base import JobContext
from archiver.schedule.due import due_again
from archiver.schedule.report import JobName, JobReport


class SyncJob:
    """Due so many days after it was last done well. Where a required store was away it is due at each run."""

    name: JobName = "sync"

    def due_ms(self, context: JobContext) -> int | None:
        """See `archiver.jobs.base.Job`."""
        good_ms = context.journal.job(self.name).good_ms
        return due_again(good_ms, context.settings.schedule.sync_every_days, context.clock())

    def work(self, context: JobContext) -> JobReport:
        """See `archiver.jobs.base.Job`."""
        from archiver.audit.entry import Asked
        from archiver.jobs.work import synced
        from archiver.wiring.log import collector_act, log_code, share_log

        settings, started_ms = context.settings, context.clock()
        with collector_act(settings, context.environ, Asked("seal", "sync"), context.clock) as act:
            result = synced.fill_stores(settings, context.collector.state.head(), clean=True)
            act.end(**synced.synced_of(result))
        unlogged = share_log(settings, mend=True)
        return JobReport(
            self.name,
            started_ms,
            context.clock(),
            worse_code(result.exit_code, log_code(unlogged)),
            synced.sync_facts(result),
            synced.sync_problems(result) + [f"{one.about}: {sentence_of(one.error)}" for one in unlogged],
            summary=synced.sync_summary(result),
            excused=synced.sync_excused(result),
        )


JOB = SyncJob()
