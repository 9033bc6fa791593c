"""A pack as a folder: built beside its place and then renamed, so that it is there whole or not at all.

Until then it lies there as `.partial-…`, locked by the process that writes it; what a killed one left is
removed by the next pack that is made in the same place, as it holds what is readable.
"""

import errno
import fcntl
import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from archiver.disk import (
    PARTIAL_PREFIX,
    TakenError,
    os_errors_reported,
    sync_directory,
    sync_file_system,
    translate_os_error,
)
from archiver.evidence.sink.base import NamedFiles, Octets, SinkFile

_PARTIAL_FOLDER: Final = re.compile(re.escape(PARTIAL_PREFIX) + r"[0-9]+-[0-9a-f]{12}")
_BUFFER_BYTES: Final = 64 * 1024
_TAKEN: Final = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


class FolderSink(NamedFiles):
    """`with FolderSink(path) as sink:` leaves a folder with modes 0700 and 0600, durable, at a clean end,
    and nothing otherwise. The folder above it must be there.

    Raise TakenError where something is there already, however late, and ArchiverError where the disk is
    full or a system call fails."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.partial = path.parent / f"{PARTIAL_PREFIX}{os.getpid()}-{secrets.token_hex(6)}"
        self._made: set[str] = {""}
        self._lock = -1

    def __enter__(self) -> Self:
        if os.path.lexists(self.path):
            raise TakenError(self.path)
        with os_errors_reported("creating", self.path):
            while not self._begin():
                pass
        delete_partial_folders(self.path.parent)
        return self

    def _begin(self) -> bool:
        """Make the folder and lock it; whether it is there then. Between the two another run may have taken
        it for abandoned."""
        self.partial.mkdir(0o700)
        self._lock = os.open(self.partial, os.O_RDONLY | os.O_DIRECTORY)
        with suppress(OSError):  # some network file systems have no locks; then nothing is cleaned up there
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if self.partial.exists():
            return True
        os.close(self._lock)
        return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.check_all_closed()
                sync_file_system(self.partial)
                self._publish()
        finally:
            os.close(self._lock)
            if self.partial.exists():
                shutil.rmtree(self.partial, ignore_errors=True)

    def open(self, path: str, *, size: int | None = None) -> SinkFile:
        """Begin a file; all are written to the disk as they come."""
        self.take_name(path)
        try:
            with os_errors_reported("creating", f"{self.path}/{path}"):
                self._make_folder(path.rpartition("/")[0])
                return _FolderFile(self, path, size)
        except BaseException:
            self.note_given_up(path)
            raise

    def _make_folder(self, path: str) -> None:
        if path not in self._made:
            self._make_folder(path.rpartition("/")[0])
            with suppress(FileExistsError):  # another process that makes a part of the pack was quicker
                os.mkdir(self.partial / path, 0o700)
            self._made.add(path)

    def _publish(self) -> None:
        """rename(2) replaces an empty folder, and nothing else: no pack is ever lost by it."""
        if os.path.lexists(self.path):
            raise TakenError(self.path)
        try:
            self.partial.rename(self.path)
        except OSError as error:
            if error.errno in _TAKEN:
                raise TakenError(self.path) from error
            raise translate_os_error(error, "creating", self.path) from error
        sync_directory(self.path.parent)


class _FolderFile(SinkFile):
    """Written by the system's own calls: of 20,000 small files, Python's file objects cost a second."""

    def __init__(self, sink: FolderSink, path: str, size: int | None) -> None:
        super().__init__(sink, path, size)
        self._partial, self._final = f"{sink.partial}/{path}", f"{sink.path}/{path}"
        """Errors tell of the final name."""
        self._waiting = bytearray()
        self._descriptor = os.open(
            self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )

    def _take(self, data: Octets) -> None:
        self._waiting += data
        if len(self._waiting) >= _BUFFER_BYTES:
            self._write_out()

    def _write_out(self) -> None:
        with os_errors_reported("writing", self._final), memoryview(self._waiting) as view:
            done = 0
            while done < len(view):
                done += os.write(self._descriptor, view[done:])
        self._waiting.clear()

    def _finish(self) -> None:
        self._write_out()
        descriptor, self._descriptor = self._descriptor, -1
        with os_errors_reported("writing", self._final):
            os.close(descriptor)

    def _discard(self) -> None:
        if self._descriptor >= 0:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1
        with suppress(OSError):
            os.unlink(self._partial)


def delete_partial_folders(directory: Path) -> int:
    """Remove the folders that killed runs left in a directory; return how many. Those still being written
    by a live process are locked by it and stay, and all do where nothing can be locked."""
    with os_errors_reported("reading", directory):
        names = [name for name in os.listdir(directory) if _PARTIAL_FOLDER.fullmatch(name)]
    return sum(_delete_if_abandoned(directory / name) for name in names)


def _delete_if_abandoned(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # a file, or gone
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return not path.exists()
