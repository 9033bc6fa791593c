"""The job that tries to restore: where a keyholder's identity opens without anybody being asked. Elsewhere a
person is reminded that a drill is due."""

from archiver.errors import ArchiverError, sentence_of
from archiver.jobs.base import JobContext
from archiver.keys import opens_unattended
from archiver.schedule.drills import drill_due_ms, note_drill, note_nothing
from archiver.schedule.report import JobName, JobReport

REASON = "the drill that was due"


class DrillJob:
    """The job, as `archiver.jobs.base.Job` describes one."""

    @property
    def name(self) -> JobName:
        return "drill"

    def due_ms(self, context: JobContext) -> int | None:
        """None where a person has to do it, where none is wanted and where nothing is sealed, or left."""
        if not opens_unattended(context.settings.keyholder):
            return None
        head, now_ms = context.collector.state.head(), context.clock()
        return drill_due_ms(context.settings, context.journal, now_ms, sealed=head is not None, head=head)

    def work(self, context: JobContext) -> JobReport:
        """Restore the newest archive and one by chance of each store, into memory; note what came of it."""
        # an idle run needs none of what this imports
        from archiver.drill.stores import NothingLeftError
        from archiver.jobs.drilling_work import archives_of, code_of, drill_unattended, records_of

        started_ms = context.clock()
        note_drill(context.journal, started_ms, ArchiverError.exit_code)  # one that is cut off has failed
        try:
            plan = drill_unattended(context, REASON)
        except NothingLeftError as error:
            note_nothing(context.journal, context.clock(), error.head)
            return JobReport("drill", started_ms, context.clock(), summary=error.message)
        sentences, excused = [], []
        for one in plan:
            where = f"store {one.store}: " if len(context.settings.stores) > 1 else ""
            said = [where + sentence_of(problem) for problem in one.all_problems()]
            sentences += said
            excused += said if one.is_away else []
        drilled = [each for one in plan for each in one.drilled]
        facts = {
            "archives": list(archives_of(plan)),
            "records": records_of(plan),
            "media": sum(each.media for each in drilled),
            "tools_agree": all(each.tools_agree for each in drilled) if drilled else None,
        }
        return JobReport(
            "drill", started_ms, context.clock(), code_of(plan), facts, sentences, excused=excused
        )


JOB = DrillJob()
