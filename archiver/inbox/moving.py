"""Out of the inbox: to `done/`, or to `failed/` with the reason beside it. Never over another file, and
nothing is lost at any instant: a file has its old name until it has its new one.
"""

import errno
import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from archiver import disk
from archiver.errors import ArchiverError
from archiver.inbox.files import DONE, FAILED, key_of
from archiver.times import format_time

REASON_SUFFIX = ".reason.txt"
_LONGEST_NAME = 255
_PRIVATE = 0o700
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def move_to_done(inbox: Path, path: Path) -> Path:
    """Move an export whose records are sealed; where it is now. An earlier refusal of it, which lies in
    `failed/` without it, is taken away. Raise ArchiverError where it cannot be moved."""
    moved = _move(path, _folder(inbox / DONE))
    stale = _reason_path(inbox / FAILED / path.name)
    if not os.path.lexists(inbox / FAILED / path.name):
        with suppress(OSError):
            stale.unlink()
    return moved


def move_to_failed(inbox: Path, path: Path, error: ArchiverError, now_ms: int) -> Path:
    """Move an export that was refused, once the reason is written; where it is now. Raise ArchiverError
    where either is not possible."""
    folder = _folder(inbox / FAILED)
    target = _free_name(folder, path, room=len(REASON_SUFFIX))
    # Before the move: a kill between leaves a reason without its file, which the next try writes anew.
    disk.write_atomically(_reason_path(target), _reason_of(error, now_ms).encode("utf-8", "replace"))
    return _move(path, folder, target)


def _reason_of(error: ArchiverError, now_ms: int) -> str:
    lines = [f"This export was not taken: {_one_line(error.message)}."]
    if error.hint:
        lines.append(f"What to do: {_one_line(error.hint)}.")
    lines.append(f"When: {format_time(now_ms)}.")
    lines.append("It is tried again once it is put back into the inbox, the folder above this one.")
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return shown.rstrip(".")


def _reason_path(path: Path) -> Path:
    return path.with_name(path.name + REASON_SUFFIX)


def _folder(folder: Path) -> Path:
    disk.make_directories(folder, _PRIVATE)
    return folder


def _free_name(folder: Path, path: Path, room: int = 0) -> Path:
    """The file's own name in the folder, else with a number before its ending; shortened where it would be
    too long with `room` bytes more."""
    stem, suffix = os.fsencode(path.stem), os.fsencode(path.suffix)
    end, number = suffix, 1
    while True:
        target = folder / os.fsdecode(stem[: _LONGEST_NAME - room - len(end)] + end)
        if not os.path.lexists(target) or _same(path, target):
            return target
        number += 1
        end = f".{number}".encode() + suffix


def _same(path: Path, target: Path) -> bool:
    """Whether a kill between the two halves of a move left the file with both names."""
    with suppress(OSError):
        return os.path.samestat(path.lstat(), target.lstat())
    return False


def _move(path: Path, folder: Path, target: Path | None = None) -> Path:
    """Give the file its new name, then take the old one away, and make both durable."""
    target = target or _free_name(folder, path)
    with disk.os_errors_reported("moving", path):
        if not _same(path, target):
            try:
                os.link(path, target, follow_symlinks=False)
            except FileExistsError:  # somebody has just put another file there
                return _move(path, folder)
            except OSError as error:
                if error.errno == errno.EXDEV:
                    _copy(path, target)
                elif error.errno in _NO_LINKS:
                    return _rename(path, folder, target)
                else:
                    raise
        disk.sync_directory(folder)
        path.unlink()
    disk.sync_directory(path.parent)
    return target


def _rename(path: Path, folder: Path, target: Path) -> Path:
    """Where there are no hard links, or not of somebody else's file. The collector's lock keeps other runs
    away."""
    if os.path.lexists(target):
        return _move(path, folder)
    path.rename(target)
    disk.sync_directory(folder)
    disk.sync_directory(path.parent)
    return target


def _copy(path: Path, target: Path) -> None:
    """To another file system: copied, synced, read back and compared, all before the old one goes."""
    with path.open("rb") as source:
        with disk.new_file(target) as file:
            shutil.copyfileobj(source, file, 1 << 20)
        source.seek(0)
        digest = _digest(source)
    with target.open("rb") as copied:
        if _digest(copied) != digest:
            copied.close()
            target.unlink()
            raise ArchiverError(
                f"{key_of(path)} was copied to {target} and does not read back as it was",
                "check that disk; the file is still in the inbox",
            )


def _digest(file: BinaryIO) -> bytes:
    return hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]  # typeshed wants more of it
