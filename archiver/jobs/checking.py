"""The job that makes sure that what is sealed is still there, and can still be read.

Of stores in folders the manifests, signatures and sizes are looked at whenever anything happened to a file,
and once a day in any case; of stores far away once a day, and the log of each with it. A part of all bytes is
read again each day, so that each was within the period of the settings. What is found wrong is said in every
run until it is mended.
"""

from collections.abc import Iterator

from archiver.errors import ArchiverError, sentence_of, worse_code
from archiver.jobs.base import JobContext
from archiver.jobs.near import stat_of_store
from archiver.schedule.checks import StoreNote, daily_due_ms, load_store_notes, save_store_notes
from archiver.schedule.due import NOW
from archiver.schedule.report import JobName, JobReport
from archiver.settings.stores import LocalStoreSettings, StoreSettings


class CheckJob:
    """The job, as `archiver.jobs.base.Job` describes one."""

    @property
    def name(self) -> JobName:
        return "check"

    def due_ms(self, context: JobContext) -> int | None:
        """Now where something is known to be wrong or a near file is not as it was seen last; else when the
        daily look or the daily share of reading is due. One that need not be there and is away is looked for
        once a day, until the month is over. Asks no store far away."""
        notes = known_notes(context)
        return min(_due_ms(context, one, notes.get(one.name)) for one in context.settings.stores)

    def work(self, context: JobContext) -> JobReport:
        """Look at what is due, read what is due; every problem there is."""
        from archiver.jobs.checking_work import Checking  # an idle run needs none of what that imports

        started_ms = context.clock()
        checking = Checking(context, known_notes(context))
        others = checking.run()
        save_store_notes(context.journal, checking.notes)
        problems = [*_problems(context, checking.notes), *others]
        code = 0
        for _, problem in problems:
            code = worse_code(code, problem.exit_code)
        sentences = [_sentence(context, store, problem) for store, problem in problems]
        away = {name for name, note in checking.notes.items() if may_be_away(context, note)}
        excused = [_sentence(context, store, problem) for store, problem in problems if store in away]
        return JobReport(
            "check", started_ms, context.clock(), code, checking.facts(), sentences, excused=excused
        )


JOB = CheckJob()


def known_notes(context: JobContext) -> dict[str, StoreNote]:
    """What is noted of the stores that the settings name, each where it is now."""
    noted = load_store_notes(context.journal)
    places = {one.name: one.place for one in context.settings.stores}
    return {name: note for name, note in noted.items() if places.get(name) == note.place}


def may_be_away(context: JobContext, note: StoreNote) -> bool:
    """Whether a store is away, and nobody has to do anything about it yet."""
    return note.may_be_away(context.clock(), context.settings.schedule.stale_days)


def _due_ms(context: JobContext, store: StoreSettings, note: StoreNote | None) -> int:
    now_ms = context.clock()
    is_away = note is not None and may_be_away(context, note)
    if note is None or not (note.is_whole or is_away):
        return NOW
    if isinstance(store, LocalStoreSettings) and note.stat != stat_of_store(store.path):
        return NOW
    if is_away:
        return daily_due_ms(note.looked_ms, now_ms)
    return min(daily_due_ms(note.looked_ms, now_ms), daily_due_ms(note.rationed_ms, now_ms))


Said = tuple[str | None, ArchiverError]
"""A problem and the store that has it, if it is one store's."""


def _problems(context: JobContext, notes: dict[str, StoreNote]) -> Iterator[Said]:
    for one in context.settings.stores:
        note = notes.get(one.name)
        for problem in () if note is None else note.errors():
            yield one.name, problem


def _sentence(context: JobContext, store: str | None, problem: ArchiverError) -> str:
    """What is wrong and what to do; the store is named where there are several."""
    where = f"store {store}: " if store is not None and len(context.settings.stores) > 1 else ""
    return where + sentence_of(problem)
