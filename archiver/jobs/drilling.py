"""The job that tries to restore: where a keyholder's identity opens without anybody being asked. Elsewhere a
person is reminded that a drill is due."""

from archiver.errors import ArchiverError, sentence_of
from archiver.jobs.base import JobContext
from archiver.keys import opens_unattended
from archiver.schedule.drills import drill_due_ms, note_drill
from archiver.schedule.report import JobName, JobReport

REASON = "the drill that was due"


class DrillJob:
    """The job, as `archiver.jobs.base.Job` describes one."""

    @property
    def name(self) -> JobName:
        return "drill"

    def due_ms(self, context: JobContext) -> int | None:
        """None where a person has to do it, where none is wanted and where nothing is sealed."""
        if not opens_unattended(context.settings.keyholder):
            return None
        sealed = context.collector.state.head() is not None
        return drill_due_ms(context.settings, context.journal, context.clock(), sealed=sealed)

    def work(self, context: JobContext) -> JobReport:
        """Restore the newest archive and one by chance of each store, into memory; note what came of it."""
        # an idle run needs none of what this imports
        from archiver.jobs.drilling_work import archives_of, code_of, drill_unattended, records_of

        started_ms = context.clock()
        note_drill(context.journal, started_ms, ArchiverError.exit_code)  # one that is cut off has failed
        plan = drill_unattended(context, REASON)
        sentences = []
        for one in plan:
            where = f"store {one.store}: " if len(context.settings.stores) > 1 else ""
            sentences += [where + sentence_of(problem) for problem in one.all_problems()]
        facts = {
            "archives": list(archives_of(plan)),
            "records": records_of(plan),
            "media": sum(each.media for one in plan for each in one.drilled),
            "tools_agree": all(each.tools_agree for one in plan for each in one.drilled),
        }
        return JobReport("drill", started_ms, context.clock(), code_of(plan), facts, sentences)


JOB = DrillJob()
