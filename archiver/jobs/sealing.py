"""The job that seals the spool into the vault."""

from archiver.errors import sentence_of
from archiver.jobs.base import JobContext
from archiver.schedule.due import NOW, seal_due_ms
from archiver.schedule.report import JobName, JobReport


class SealJob:
    """Due where something waits and a period has begun that has no archive yet, whoever made the last one;
    and at once where there is none at all, or where a sealing was cut off."""

    name: JobName = "seal"

    def due_ms(self, context: JobContext) -> int | None:
        """See `archiver.jobs.base.Job`."""
        collector, schedule = context.collector, context.settings.schedule
        if collector.state.sealing() is not None:
            return NOW
        if collector.spool.is_empty():
            return None
        return seal_due_ms(schedule.seal, schedule.time_zone, collector.state.sealed_ms(), context.clock())

    def work(self, context: JobContext) -> JobReport:
        """See `archiver.jobs.base.Job`."""
        from archiver.jobs.work import sealed
        from archiver.jobs.work.imported import put_away
        from archiver.wiring.log import share_log

        started_ms = context.clock()
        done = sealed.seal_spool(context, "run")
        unmoved = put_away(context)
        done = done.with_log(share_log(context.settings))
        return JobReport(
            self.name,
            started_ms,
            context.clock(),
            sealed.seal_code(done),
            sealed.seal_facts(done),
            [*sealed.seal_problems(done), *map(sentence_of, unmoved)],
            summary=sealed.seal_summary(done),
            excused=sealed.seal_excused(done),
        )


JOB = SealJob()
