"""The job that reminds: once a day it looks at what only a person can do, and says what is new among it, and
what has not been done for a week."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archiver.errors import ArchiverError, IncompleteError, sentence_of, worse_code
from archiver.jobs.base import JobContext
from archiver.schedule.due import DAY_MS, due_again, trusted
from archiver.schedule.reminded import Reminded, Said, load_reminded, save_reminded
from archiver.schedule.report import JobName, JobReport

if TYPE_CHECKING:
    from archiver.jobs.reminders.base import Reminder

_AGAIN_SLACK_MS = DAY_MS // 2
"""A look that is taken a little earlier in the day than the one of a week ago says it again."""


class RemindJob:
    """Due once a day."""

    name: JobName = "remind"

    def due_ms(self, context: JobContext) -> int | None:
        """See `archiver.jobs.base.Job`."""
        return due_again(load_reminded(context.journal).looked_ms, 1, context.clock())

    def work(self, context: JobContext) -> JobReport:
        """See `archiver.jobs.base.Job`."""
        started_ms = context.clock()
        known = load_reminded(context.journal).said
        found, errors = _find(context)
        due = [one for one in found if _is_to_say(one, known.get(one.key), started_ms)]
        said = {
            one.key: Said(said_ms=started_ms, is_late=one.is_late) if one in due else known[one.key]
            for one in found
        }
        if errors:  # of those that could not be looked for nothing is known: they stand as they were
            said = {**known, **said}
        save_reminded(context.journal, Reminded(looked_ms=started_ms, said=said))
        code = IncompleteError.exit_code if any(one.is_late for one in due) else 0
        for error in errors.values():
            code = worse_code(code, error.exit_code)
        news = [one.text for one in due]
        problems = news + [
            f"{name}: what is due cannot be told: {sentence_of(error)}" for name, error in errors.items()
        ]
        return JobReport(
            self.name, started_ms, context.clock(), code, _facts(found, due), problems, news=news
        )


def _find(context: JobContext) -> "tuple[list[Reminder], dict[str, ArchiverError]]":
    """What stands now, and why that cannot be told of some. Raise what ends the whole run."""
    from archiver.jobs.reminders.registry import FINDERS

    found: list[Reminder] = []
    errors: dict[str, ArchiverError] = {}
    for name, finder in FINDERS.items():
        try:
            found += finder(context)
        except ArchiverError as error:
            if error.ends_run:
                raise
            errors[name] = error
    return found, errors


def _is_to_say(reminder: "Reminder", said: Said | None, now_ms: int) -> bool:
    """Whether it is new, has become late, or was not said for long enough."""
    said_ms = None if said is None else trusted(said.said_ms, now_ms)
    if said is None or said_ms is None or (reminder.is_late and not said.is_late):
        return True
    return now_ms >= said_ms + reminder.again_days * DAY_MS - _AGAIN_SLACK_MS


def _facts(found: "list[Reminder]", due: "list[Reminder]") -> Mapping[str, object]:
    return {
        "standing": [one.key for one in found],
        "said": [one.key for one in due],
        "late": [one.key for one in found if one.is_late],
    }


JOB = RemindJob()
