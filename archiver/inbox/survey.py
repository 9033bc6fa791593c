"""Which files of the inbox can be taken now, and which have to wait. Nothing is changed, and of a file only
its end is read.

A file is taken once it is whole: its ZIP directory is at its end, no process is seen to write it, and it has
not changed for a minute. One that is not whole after a day without change never will be: it is taken as it
is, which ends in a refusal that says what is wrong with it. A person who asks need not wait for the minute.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archiver.inbox.files import InboxFile, Listing, Odd, list_inbox
from archiver.inbox.notes import Look, Notes
from archiver.inbox.whole import ends_as_zip, find_writers
from archiver.schedule.due import DAY_MS, trusted

SETTLE_MS = 60_000
"""So long a file has to be as it is. Copying over a network pauses for seconds, hardly for a minute."""
PATIENCE_MS = DAY_MS
"""So long a file that is not whole is left alone, and parts of one export wait for each other."""
SAY_AGAIN_MS = 7 * DAY_MS
_WRITTEN = "is still being written"


@dataclass(frozen=True)
class Waiting:
    """A file that is not taken now. `why`: after its name a sentence for a person. `until_ms`: when to look
    again, where nothing changes before."""

    file: InboxFile
    why: str
    until_ms: int


@dataclass(frozen=True)
class Survey:
    """What lies in the inbox. `ready`: to be taken; `broken`: those of them, by key, that are not whole and
    may yet become so. `taken`: their records are in the spool or sealed. `odd`: what is no file."""

    at_ms: int
    listing: Listing
    ready: tuple[InboxFile, ...] = ()
    broken: frozenset[str] = frozenset()
    waiting: tuple[Waiting, ...] = ()
    taken: tuple[InboxFile, ...] = ()
    odd: tuple[Odd, ...] = ()


@dataclass
class _Sorting:
    ready: list[InboxFile] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    waiting: list[Waiting] = field(default_factory=list)
    taken: list[InboxFile] = field(default_factory=list)


def survey_inbox(inbox: Path, notes: Notes, now_ms: int, *, patient: bool) -> Survey:
    """Look at every file. `patient`: nobody waits for the answer. Raise ArchiverError where the inbox cannot
    be read."""
    listing = list_inbox(inbox)
    sorting = _Sorting()
    fresh: list[tuple[InboxFile, Look | None]] = []
    for file in listing.files:
        look = notes.find(file)
        if look is not None and look.taken_page is not None:
            sorting.taken.append(file)
        elif look is not None and patient and _waits_for_parts(look, now_ms):
            until_ms = look.waits_until_ms or now_ms
            sorting.waiting.append(Waiting(file, "waits for the other parts of its export", until_ms))
        else:
            fresh.append((file, look))
    writers = find_writers([file for file, _ in fresh])
    known_before = {file.key for file, look in fresh if look is None and notes.find_named(file.path)}
    for file, look in fresh:
        if patient:
            _sort(sorting, file, look, writers.get(file.key), now_ms, changed=file.key in known_before)
        else:
            _sort_at_once(sorting, file, writers.get(file.key), now_ms)
    return Survey(
        now_ms,
        listing,
        tuple(sorting.ready),
        frozenset(sorting.broken),
        tuple(sorting.waiting),
        tuple(sorting.taken),
        listing.odd,
    )


def _waits_for_parts(look: Look, now_ms: int) -> bool:
    until_ms = trusted(look.waits_until_ms, now_ms)
    return until_ms is not None and now_ms < until_ms


def _sort(
    sorting: _Sorting, file: InboxFile, look: Look | None, writer: int | None, now_ms: int, *, changed: bool
) -> None:
    """Where nobody waits for the answer. A file that is seen for the first time goes by the file system's
    clock, one that was seen before by what it was then."""
    since_ms = look.since_ms if look is not None else now_ms if changed else file.written_ms
    settled_ms = since_ms + SETTLE_MS
    if writer is not None:
        sorting.waiting.append(_written_by(file, writer, now_ms))
    elif now_ms < settled_ms:
        sorting.waiting.append(Waiting(file, f"{_WRITTEN}, or was until a minute ago", settled_ms))
    elif _is_whole(file) or _never_will_be(file, look, now_ms):
        sorting.ready.append(file)
    else:
        until_ms = (now_ms if look is None else look.since_ms) + PATIENCE_MS
        sorting.waiting.append(Waiting(file, "is not whole yet: the end of a ZIP file is missing", until_ms))


def _written_by(file: InboxFile, writer: int, now_ms: int) -> Waiting:
    return Waiting(file, f"{_WRITTEN} by process {writer}", now_ms + PATIENCE_MS)


def _never_will_be(file: InboxFile, look: Look | None, now_ms: int) -> bool:
    """Whether a file that is not whole has been left as it is for a day."""
    return look is not None and now_ms >= look.since_ms + PATIENCE_MS and not file.comes_still


def _sort_at_once(sorting: _Sorting, file: InboxFile, writer: int | None, now_ms: int) -> None:
    if writer is not None:
        sorting.waiting.append(_written_by(file, writer, now_ms))
    elif file.comes_still or not file.size:
        sorting.waiting.append(Waiting(file, "is empty so far" if not file.size else _WRITTEN, now_ms))
    else:
        sorting.ready.append(file)
        if not _is_whole(file) and now_ms < file.written_ms + SETTLE_MS:
            sorting.broken.add(file.key)


def _is_whole(file: InboxFile) -> bool:
    return not file.comes_still and ends_as_zip(file.path)


def to_say(survey: Survey, notes: Notes) -> tuple[list[Waiting], list[Odd]]:
    """What a person should be told now: of files that came a day ago and are not taken yet, and of what is no
    file; once, and again after a week."""
    waiting = [
        one
        for one in survey.waiting
        if (look := notes.find_named(one.file.path)) is not None
        and survey.at_ms >= look.first_ms + PATIENCE_MS
        and _may_say(look, survey.at_ms)
    ]
    odd = [one for one in survey.odd if _may_say(notes.find_named(one.path), survey.at_ms)]
    return waiting, odd


def _may_say(look: Look | None, now_ms: int) -> bool:
    said_ms = None if look is None else trusted(look.said_ms, now_ms)
    return said_ms is None or now_ms >= said_ms + SAY_AGAIN_MS


def note_said(notes: Notes, waiting: Sequence[Waiting], odd: Sequence[Odd], now_ms: int) -> None:
    """Remember that a person was told."""
    for one in waiting:
        notes.change(one.file.path, said_ms=now_ms)
    for other in odd:
        look = notes.find_named(other.path) or Look(
            inode=0, size=0, mtime_ns=0, first_ms=now_ms, since_ms=now_ms
        )
        notes.set(other.path, look)
        notes.change(other.path, said_ms=now_ms)
