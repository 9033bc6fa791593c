"""The job that takes exports from the inbox into the spool."""

import os

from archiver.disk import os_errors_reported
from archiver.jobs.base import JobContext
from archiver.schedule.due import NOW
from archiver.schedule.report import JobName, JobReport

SEEN_NOTE = "inbox seen"
"""The journal's note of the files that were looked at: their size and time, and whether they were taken."""
_Seen = dict[str, tuple[int, int, bool]]


class ImportJob:
    """Due where a file lies in the inbox that was not looked at yet, or one whose records are sealed."""

    name: JobName = "import"

    def due_ms(self, context: JobContext) -> int | None:
        """See `archiver.jobs.base.Job`."""
        seen = context.journal.note(SEEN_NOTE, _Seen) or {}
        waiting = _waiting(context)
        if any(seen.get(name, ())[:2] != looked for name, looked in waiting.items()):
            return NOW
        taken = any(seen[name][2] for name in waiting)
        return NOW if taken and context.collector.spool.is_empty() else None

    def work(self, context: JobContext) -> JobReport:
        """See `archiver.jobs.base.Job`."""
        from archiver.backup import move_taken
        from archiver.jobs.work import imported

        started_ms = context.clock()
        results = imported.import_inbox(context, "run")
        if context.collector.spool.is_empty():
            move_taken(context.settings, results)
        taken = {path.name for one in results if one.report is not None for path in one.paths}
        seen = {name: (*looked, name in taken) for name, looked in _waiting(context).items()}
        context.journal.set_note(SEEN_NOTE, seen)
        return JobReport(
            self.name,
            started_ms,
            context.clock(),
            imported.import_code(results),
            imported.import_facts(results),
            imported.import_problems(results),
            any(one.error is not None and one.error.ends_run for one in results),
            imported.import_summary(results),
        )


def _waiting(context: JobContext) -> dict[str, tuple[int, int]]:
    """Size and time of what `archiver.backup.find_in_inbox` finds, whose module takes 150 ms to load."""
    inbox = context.settings.inbox
    if not inbox.is_dir():
        return {}
    with os_errors_reported("reading", inbox), os.scandir(inbox) as entries:
        files = [one for one in entries if one.name.lower().endswith(".zip") and one.name[0] != "."]
        looked = {one.name: one.stat() for one in files if one.is_file()}
    return {name: (one.st_size, one.st_mtime_ns) for name, one in looked.items()}


JOB = ImportJob()
