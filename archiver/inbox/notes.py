"""What is remembered of the files in the inbox from one run to the next, in the schedule's journal.

Lost without harm: every file is then looked at anew, and what was taken before is known by its SHA-256.
"""

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct, structs

from archiver.inbox.files import InboxFile, key_of
from archiver.schedule.due import CLOCK_OFF_MS
from archiver.schedule.journal import Journal, Moment

_NOTE = "inbox"


class Look(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file as it was found. `first_ms`: when a file of its name was first seen; `since_ms`: since when it
    has not changed. `waits_until_ms`: how long it waits for other parts of its export. `taken_page`: its
    records are in the spool's pages up to this one, or sealed. `complete`: nothing of it was missing.
    `said_ms`: when a person was last told that something is wrong with it."""

    inode: int
    size: int
    mtime_ns: int
    first_ms: Moment
    since_ms: Moment
    waits_until_ms: Moment | None = None
    taken_page: int | None = None
    complete: bool = True
    said_ms: Moment | None = None

    def is_of(self, file: InboxFile) -> bool:
        """Whether the file is as it was."""
        return (self.inode, self.size, self.mtime_ns) == (file.inode, file.size, file.mtime_ns)


class Notes:
    """All of them, by `InboxFile.key`. Changes are in the journal once `save` was called."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._noted = journal.note(_NOTE, dict[str, Look]) or {}
        self._looks = dict(self._noted)

    def find(self, file: InboxFile) -> Look | None:
        """What was noted of the file; None where that was of another, or of what it was before it changed."""
        look = self._looks.get(file.key)
        return look if look is not None and look.is_of(file) else None

    def find_named(self, path: Path) -> Look | None:
        """What was noted under a name, whatever lies there now."""
        return self._looks.get(key_of(path))

    def look(self, file: InboxFile, now_ms: int) -> Look:
        """What is known of a file, which is noted where it is new or has changed. Times that a wrong clock
        noted begin anew."""
        known = self._looks.get(file.key)
        look = known if known is not None and known.is_of(file) else self._new(file, known, now_ms)
        if max(look.since_ms, look.first_ms) > now_ms + CLOCK_OFF_MS:
            look = structs.replace(look, first_ms=now_ms, since_ms=now_ms, waits_until_ms=None)
        self._looks[file.key] = look
        return look

    @staticmethod
    def _new(file: InboxFile, known: Look | None, now_ms: int) -> Look:
        """Of a file that is new, or that was written to since: then it is not new, only not whole yet."""
        look = Look(
            inode=file.inode, size=file.size, mtime_ns=file.mtime_ns, first_ms=now_ms, since_ms=now_ms
        )
        if known is not None and known.inode == file.inode and known.taken_page is None:
            return structs.replace(look, first_ms=known.first_ms, said_ms=known.said_ms)
        return look

    def change(self, path: Path, **changes: object) -> None:
        """Note more of a file that was looked at."""
        look = self._looks.get(key_of(path))
        if look is not None:
            self._looks[key_of(path)] = structs.replace(look, **changes)

    def set(self, path: Path, look: Look) -> None:
        """Note a file, or something that is none, as it was found."""
        self._looks[key_of(path)] = look

    def forget(self, path: Path) -> None:
        """The file is not in the inbox any more."""
        self._looks.pop(key_of(path), None)

    def keep_only(self, keys: Iterable[str]) -> None:
        """Forget what is gone from the inbox."""
        here = set(keys)
        self._looks = {key: look for key, look in self._looks.items() if key in here}

    def save(self) -> None:
        """Make it durable, where anything has changed."""
        if self._looks != self._noted:
            self._journal.set_note(_NOTE, self._looks)
            self._noted = dict(self._looks)
