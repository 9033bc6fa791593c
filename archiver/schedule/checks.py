"""What the checks of `archiver run` noted of each store: when it was looked at, how far it was read again,
and what is wrong until somebody mends it. In the journal, for `status` and the notices too."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from archiver.errors import ArchiverError, error_of, parts_of
from archiver.schedule.due import DAY_MS, NOW, trusted
from archiver.schedule.journal import Journal, Moment

NAME = "check.stores"
DAILY_MS = DAY_MS * 20 // 24
"""What is to be done once a day is due after 20 hours: a run that cron starts each night, a second sooner or
later, finds it due each night."""
AWAY_DAYS = 31
"""A store that need not have everything may be away so long: a disk in a drawer."""
MOST_PROBLEMS = 50
"""That are noted of a store: of a vault that is gone as a whole every file is missing."""


class Problem(Struct, frozen=True):
    """What is wrong, as an error of this program says it."""

    kind: str
    message: str
    hint: str | None = None

    @classmethod
    def of(cls, error: ArchiverError) -> "Problem":
        return cls(*parts_of(error))

    def error(self) -> ArchiverError:
        return error_of((self.kind, self.message, self.hint))


class Damaged(Struct, frozen=True):
    """A file that was read and found wrong: what is wrong, when it was read last, and what the file system
    said of it then, so that it is read anew once something was done to it."""

    problem: Problem
    read_ms: Moment
    stat: str | None = None


class StoreNote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of one store. `place`: where it was then; what was noted of another place counts for nothing.
    `looked_ms`: when its manifests, signatures and sizes were looked at; `whole_ms`: when nothing was found
    wrong last; `stat`: what the file system said of all its files then; `log_ms`: when its log was looked at.
    `away_ms`: of one that need not be there and is away, since when. `rationed_ms`: when a part of it was
    read again; `read_to_ms`: every byte of it was read since then, None before that was once so."""

    place: str
    looked_ms: Moment | None = None
    whole_ms: Moment | None = None
    stat: str | None = None
    log_ms: Moment | None = None
    problems: tuple[Problem, ...] = ()
    rationed_ms: Moment | None = None
    read_to_ms: Moment | None = None
    damaged: dict[str, Damaged] = {}
    away_ms: Moment | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is known to be wrong."""
        return not self.problems and not self.damaged

    def may_be_away(self, now_ms: int, stale_days: int) -> bool:
        """Whether nothing is wrong but that it is away, and it may still be."""
        since_ms = trusted(self.away_ms, now_ms)
        if since_ms is None or self.damaged:
            return False
        return now_ms - since_ms <= (AWAY_DAYS + stale_days) * DAY_MS

    def errors(self) -> Iterator[ArchiverError]:
        """All that is known to be wrong, each once."""
        for problem in dict.fromkeys((*self.problems, *(one.problem for one in self.damaged.values()))):
            yield problem.error()


class ReadNote(Struct):
    """How far a store was read again. `since_ms`: when that began here. `files`: when each was read last, or
    first seen; `stats`: what the file system said of it then, where the store is near."""

    since_ms: Moment
    files: dict[str, Moment] = {}
    stats: dict[str, str] = {}


def load_store_notes(journal: Journal) -> dict[str, StoreNote]:
    """What is noted of each store, by its name in the settings. A store that moved is in it still: compare
    its `place`."""
    return journal.note(NAME, dict[str, StoreNote]) or {}


def save_store_notes(journal: Journal, notes: Mapping[str, StoreNote]) -> None:
    journal.set_note(NAME, dict(notes))


def load_read_note(journal: Journal, store: str) -> ReadNote | None:
    return journal.note(f"check.read.{store}", ReadNote)


def save_read_note(journal: Journal, store: str, note: ReadNote) -> None:
    journal.set_note(f"check.read.{store}", note)


def daily_due_ms(noted_ms: int | None, now_ms: int) -> int:
    """When what is done once a day is due again; NOW where it never was."""
    return due_again_ms(noted_ms, 1, now_ms)


def due_again_ms(noted_ms: int | None, days: int, now_ms: int) -> int:
    """The same, of what is done each so many days."""
    known = trusted(noted_ms, now_ms)
    return NOW if known is None else known + (days - 1) * DAY_MS + DAILY_MS


def problems_of(errors: Sequence[ArchiverError], more: str) -> tuple[Problem, ...]:
    """The first of them, to be noted; of the rest their number, and the command that names them: `more`."""
    noted = [Problem.of(one) for one in errors[:MOST_PROBLEMS]]
    if len(errors) > MOST_PROBLEMS:
        worst = max(errors[MOST_PROBLEMS:], key=lambda one: one.exit_code)
        kind = parts_of(worst)[0]
        noted.append(Problem(kind, f"{len(errors) - MOST_PROBLEMS:,} more things are wrong", more))
    return tuple(noted)
