"""What lies in the inbox, by names and kinds alone: nothing is opened.

Whatever is there was put there by somebody else: only regular files with a name in `.zip` are exports. What
browsers and copying programs call a file until it is whole is never touched.
"""

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from archiver.disk import os_errors_reported

DONE = "done"
"""The folder in the inbox for exports whose records are sealed."""
FAILED = "failed"
"""The folder in the inbox for exports that could not be taken, each with the reason beside it."""
OWN_FOLDERS = (DONE, FAILED, "taken")
"""`taken`: what `done` was called up to version 0.6; what lies there stays."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SUFFIX = b".zip"
_UNFINISHED = (b".crdownload", b".part", b".partial", b".tmp", b".download", b".opdownload", b".filepart")
"""What a file is called while it comes: Chromium, Firefox and curl, and others."""


@dataclass(frozen=True)
class InboxFile:
    """A file as it lay there at one moment. `written_ms`: when it was last written, by the file system's own
    clock, whatever time a copying program has set."""

    path: Path
    inode: int
    size: int
    mtime_ns: int
    written_ms: int
    comes_still: bool = False
    """Whether what a browser has of it so far lies beside it."""

    @property
    def key(self) -> str:
        return key_of(self.path)


@dataclass(frozen=True)
class Odd:
    """Something that is no file an export could be in. `what`: a few words for a person."""

    path: Path
    what: str

    @property
    def key(self) -> str:
        return key_of(self.path)


@dataclass(frozen=True)
class Listing:
    """All that matters in the inbox, by name."""

    files: tuple[InboxFile, ...]
    odd: tuple[Odd, ...]


def key_of(path: Path) -> str:
    """A file's name as text that JSON takes, another for every name: a character for each of its bytes."""
    return os.fsencode(path.name).decode("latin-1")


def names_of(paths: Iterable[Path]) -> str:
    """File names as text: what is no UTF-8 in a name is written out, as a database takes nothing else, and
    so is what could be taken for the end of a line."""
    names = (os.fsencode(path.name).decode("utf-8", "backslashreplace") for path in paths)
    return ", ".join(_CONTROL.sub(lambda one: ascii(one[0])[1:-1], name) for name in names)


def find_in_inbox(inbox: Path) -> list[Path]:
    """The files in the inbox that may be exports, by name. Raise ArchiverError where it cannot be read."""
    return [one.path for one in list_inbox(inbox).files]


def holds_refused(inbox: Path) -> bool:
    """Whether anything lies among what was refused: a person has not dealt with it yet."""
    try:
        with os.scandir(inbox / FAILED) as entries:
            return any(not entry.name.startswith(".") for entry in entries)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def list_inbox(inbox: Path) -> Listing:
    """What lies in the inbox. Raise ArchiverError where it cannot be read; what vanishes meanwhile is left
    out."""
    with os_errors_reported("reading", inbox), os.scandir(inbox) as entries:
        names = {os.fsencode(entry.name) for entry in entries}
    files: list[InboxFile] = []
    odd: list[Odd] = []
    for name in sorted(names):
        path = inbox / os.fsdecode(name)
        if name.startswith(b".") or path.name in OWN_FOLDERS or name.lower().endswith(_UNFINISHED):
            continue
        try:
            status = path.lstat()
        except OSError:
            continue
        what = _what_else(name, status.st_mode, path)
        if what is not None:
            odd.append(Odd(path, what))
        elif name.lower().endswith(_SUFFIX):
            files.append(_file(path, status, comes_still=_comes_still(name, names)))
    return Listing(tuple(files), tuple(odd))


def _file(path: Path, status: os.stat_result, *, comes_still: bool) -> InboxFile:
    written_ns = max(status.st_mtime_ns, status.st_ctime_ns)
    return InboxFile(
        path, status.st_ino, status.st_size, status.st_mtime_ns, written_ns // 1_000_000, comes_still
    )


def _what_else(name: bytes, mode: int, path: Path) -> str | None:
    """What it is, where it is no file and yet looks as if somebody meant it to be taken."""
    if stat.S_ISDIR(mode):
        return "a folder, where the ZIP file is wanted as X delivered it"
    if not name.lower().endswith(_SUFFIX):
        return None
    if stat.S_ISLNK(mode):
        return "a symbolic link, which is not followed: put the file itself there"
    if not stat.S_ISREG(mode):
        return "no file"
    return None if os.access(path, os.R_OK) else "not readable for this program: chmod, chown"


def _comes_still(name: bytes, names: set[bytes]) -> bool:
    """Firefox makes an empty file of the final name at once, and writes into `NAME.part` beside it."""
    return any(name + suffix in names for suffix in _UNFINISHED)
