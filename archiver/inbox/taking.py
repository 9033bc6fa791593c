"""The inbox from one run to the next: look, take in what is whole, and put away what is sealed.

An export stays in the inbox until its records are sealed, and a note in the journal says that it was taken,
so that it is not read again. A kill at any instant costs nothing: without the note the export is read once
more and found to be known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from archiver.errors import ArchiverError, IncompleteError
from archiver.inbox.files import InboxFile, list_inbox, names_of
from archiver.inbox.notes import Notes
from archiver.inbox.survey import (
    PATIENCE_MS,
    Survey,
    Waiting,
    note_said,
    survey_inbox,
    to_say,
)
from archiver.schedule.due import NOW
from archiver.schedule.journal import Journal
from archiver.settings import Settings
from archiver.times import Clock

if TYPE_CHECKING:
    from archiver.collect import Progress
    from archiver.inbox.exports import Imported
    from archiver.inbox.groups import Group
    from archiver.spool import Spool
    from archiver.wiring.collector import Collector

_NOT_OURS = "if it is yours, put it back into the inbox, and then: archiver backup --add-account"


@dataclass
class Taken:
    """What became of what lay in the inbox. `failed`: how many files were moved to `failed/`; `waiting`: how
    many wait for parts of their export; `unmoved`: what could not be moved, and why."""

    imported: "list[Imported]" = field(default_factory=list)
    failed: int = 0
    waiting: int = 0
    unmoved: list[ArchiverError] = field(default_factory=list)


class Inbox:
    """The inbox of one run, with the collector's lock held. `patient`: nobody waits for the answer, so files
    that may still be written, and parts of which there are more, can wait."""

    def __init__(self, settings: Settings, journal: Journal, clock: Clock, *, patient: bool) -> None:
        self.folder = settings.inbox
        self._notes = Notes(journal)
        self._clock = clock
        self._patient = patient

    def due_ms(self, spool: "Spool") -> int | None:
        """When there is something to do: NOW; later, where files wait; None where nothing waits. Raise
        ArchiverError where the inbox cannot be read. A few milliseconds, and nothing is changed."""
        now_ms = self._clock()
        survey = survey_inbox(self.folder, self._notes, now_ms, patient=True)
        waiting, odd = to_say(survey, self._notes)
        unknown = any(self._notes.find(one.file) is None for one in survey.waiting)
        sealed = any(self._is_sealed(one, spool) for one in survey.taken)
        if survey.ready or waiting or odd or unknown or sealed:
            return NOW
        return min((one.until_ms for one in survey.waiting), default=None)

    def look(self) -> Survey:
        """What lies there, remembered. Raise ArchiverError where the inbox cannot be read."""
        now_ms = self._clock()
        survey = survey_inbox(self.folder, self._notes, now_ms, patient=self._patient)
        for file in survey.listing.files:
            self._notes.look(file, now_ms)
        self._notes.keep_only([file.key for file in survey.listing.files] + [one.key for one in survey.odd])
        self._notes.save()
        return survey

    def say(self, survey: Survey) -> Sequence[ArchiverError]:
        """What a person should be told of what is not taken: once, and again after a week."""
        waiting, odd = to_say(survey, self._notes)
        if not self._patient:
            waiting = list(survey.waiting)
        note_said(self._notes, waiting, odd, survey.at_ms)
        self._notes.save()
        said = [_waiting_error(one, self._patient) for one in waiting] + [
            IncompleteError(f"{self._called(one.path, 'something')} in the inbox is {one.what}")
            for one in odd
        ]
        return list({one.message: one for one in said}.values())  # without names many are the same

    def _called(self, path: Path, else_called: str) -> str:
        """A file's name for a person at a terminal; notices name none, as it may be anything."""
        return else_called if self._patient else names_of([path])

    def take(
        self,
        survey: Survey,
        collector: "Collector",
        *,
        may_add_account: bool,
        progress: "Progress | None" = None,
    ) -> Taken:
        """Take in what is ready. What is refused is moved to `failed/`, unless it may yet become whole; what
        failed otherwise stays and is tried again."""
        from archiver.inbox.exports import NotOursError, import_group

        taken = Taken()
        ready = {file.path: file for file in survey.ready}
        for group in self._groups(survey, collector.settings):
            files = [ready[path] for path in group.paths if path in ready]
            if not files or self._may_wait(group, survey, files, taken):
                continue
            result = import_group(
                collector,
                group,
                may_add_account=may_add_account,
                clock=self._clock,
                progress=progress or (lambda phase, records: None),
            )
            taken.imported.append(result)
            if result.report is not None:
                for path in group.paths:
                    self._notes.change(
                        path,
                        taken_page=collector.spool.last_page_ever(),
                        complete=result.report.complete,
                        waits_until_ms=None,
                    )
                self._notes.save()
            elif result.is_refused and not any(file.key in survey.broken for file in files):
                if isinstance(result.error, NotOursError):
                    result.error.hint = _NOT_OURS
                self._fail(result, taken)
        self._notes.save()  # of what was moved once: of a thousand files each save would be a megabyte
        return taken

    def _groups(self, survey: Survey, settings: Settings) -> "list[Group]":
        """The files that are ready, by export, with what waits for them. A part that came after the others
        were taken goes with those, as long as they are here."""
        from archiver.inbox.exports import limits_of
        from archiver.inbox.groups import group_exports

        if not survey.ready:
            return []
        earlier = [*survey.taken, *(one.file for one in survey.waiting)]
        looks = [(one.path, self._notes.look(one, survey.at_ms)) for one in earlier]
        short = [path for path, look in looks if look.waits_until_ms is not None or not look.complete]
        return group_exports([file.path for file in survey.ready] + short, limits_of(settings))

    def _may_wait(self, group: "Group", survey: Survey, files: Sequence[InboxFile], taken: Taken) -> bool:
        """Whether the group is left for a later run, because parts of it are missing; for a day after the
        first of them came. A person who waits for the answer gets what there is of it, but for a later part
        that cannot be read alone."""
        from archiver.inbox.exports import Imported
        from archiver.inbox.groups import StrayPartError

        is_stray = isinstance(group.error, StrayPartError)
        if not is_stray and not (self._patient and group.wants_more):
            return False
        looks = [self._notes.find_named(path) for path in group.paths]
        until_ms = min(look.first_ms for look in looks if look is not None) + PATIENCE_MS
        if survey.at_ms >= until_ms:
            return False
        for file in files:
            self._notes.change(file.path, waits_until_ms=until_ms)
        self._notes.save()
        taken.waiting += len(files)
        if not self._patient:
            taken.imported.append(Imported(tuple(group.paths), error=group.error))
        return True

    def _fail(self, result: "Imported", taken: Taken) -> None:
        """Move what was refused, and what had waited for it; not what was taken before and waits to be
        sealed."""
        from archiver.inbox.moving import move_to_failed

        for path in result.paths:
            look = self._notes.find_named(path)
            if result.error is None or (look is not None and look.taken_page is not None):
                continue
            try:
                move_to_failed(self.folder, path, result.error, self._clock())
            except ArchiverError as error:
                taken.unmoved.append(_unmoved(error))
            else:
                self._notes.forget(path)
                taken.failed += 1

    def put_away(self, spool: "Spool") -> tuple[int, Sequence[ArchiverError]]:
        """Move exports whose records are sealed to `done/`: how many were, and what could not be, which is
        tried again by the next run. To be called after a sealing, and at the begin of a run, for a sealing
        that was followed by a kill."""
        from archiver.inbox.moving import move_to_done

        moved, problems = 0, list[ArchiverError]()
        for file in list_inbox(self.folder).files:
            if not self._is_sealed(file, spool):
                continue
            try:
                move_to_done(self.folder, file.path)
            except ArchiverError as error:
                problems.append(_unmoved(error))
            else:
                self._notes.forget(file.path)
                moved += 1
        self._notes.save()
        return moved, problems

    def _is_sealed(self, file: InboxFile, spool: "Spool") -> bool:
        """Whether an export was taken, and none of the pages that were in the spool then is there still."""
        look = self._notes.find(file)
        return look is not None and look.taken_page is not None and not spool.holds_pages(look.taken_page)


def _waiting_error(waiting: Waiting, patient: bool) -> IncompleteError:
    hint = "it is taken once it is whole; where it stays as it is, take it away and put it there anew"
    if patient:
        return IncompleteError(f"a file lies in the inbox for more than a day and {waiting.why}", hint)
    name = names_of([waiting.file.path])
    return IncompleteError(f"{name} {waiting.why}", f"{hint.partition(';')[0]}: run this again then")


def _unmoved(error: ArchiverError) -> IncompleteError:
    """What is said of a file that could not be moved: its records are safe, and it is tried again."""
    return IncompleteError(f"a file stays in the inbox: {error.message}", error.hint)
