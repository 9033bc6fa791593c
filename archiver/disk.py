"""Files that are there whole or not at all: new files, atomic replacement, directory sync, the lock.

A file becomes visible under its name only after its bytes are on the disk. Until then it lies beside its
place as `.partial-…`, locked by the process that writes it, so that a cleaner can tell what a killed run
left from what another run is writing.
"""

import errno
import fcntl
import io
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from archiver.errors import ArchiverError, LockedError, ending_run
from archiver.processes import own_mark

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PARTIAL_PREFIX = ".partial-"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LOOK_AGAIN_SECONDS = 0.05
_MOST_TRIES = 100
_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class TakenError(ArchiverError):
    """A new file's name is taken; what lies there stays as it is."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is there already", "nothing was written; move it away first")
        self.path = path


def is_full(number: int | None) -> bool:
    """Whether a system call's error number says that no more can be written: disk, quota, file size."""
    return number in _FULL


def translate_os_error(error: OSError, action: str, path: Path | str) -> ArchiverError:
    """The error for a failed system call on `path`; `action` is a verb as "writing"."""
    if is_full(error.errno):
        full = ArchiverError(
            f"the disk is full while {action} {path}", "free some space and run the same command again"
        )
        return ending_run(full)
    reason = (error.strerror or str(error)).lower()
    hint = None
    if error.errno in (errno.EACCES, errno.EPERM):
        hint = "check who owns it and its mode: ls -ld"
    elif error.errno == errno.EROFS:
        hint = "the file system is mounted read-only"
    elif error.errno in (errno.ENOENT, errno.ENOTDIR):
        hint = "check the path, and that what it leads to is mounted"
    return ArchiverError(f"{path}: {reason} while {action} it", hint)


@contextmanager
def os_errors_reported(action: str, path: Path | str) -> Iterator[None]:
    """Turn an OSError of the body into an ArchiverError that names the path. Wrap only the calls on it."""
    try:
        yield
    except OSError as error:
        raise translate_os_error(error, action, path) from error


class _NewFile(io.FileIO):
    """A file being made: writes everything it is given, and reports its errors under its final name."""

    def __init__(self, partial: Path, final: Path, mode: int) -> None:
        self.final = final
        super().__init__(partial, "xb", opener=lambda path, flags: os.open(path, flags, mode))

    def write(self, data: "ReadableBuffer", /) -> int:
        view = memoryview(data).cast("B")
        done = 0
        with os_errors_reported("writing", self.final):
            while done < len(view):
                done += super().write(view[done:])
        return done


@contextmanager
def new_file(
    path: Path, *, mode: int = 0o600, replace: bool = False, named: Callable[[], Path] | None = None
) -> Iterator[BinaryIO]:
    """Give a writer; when the body ends well the file is durable under `path`, else nothing is left.

    `named` is asked, when all is written, for the name in the same folder that the file gets instead, where
    that depends on what was written. Without `replace` raise TakenError where the name is taken, however
    late. Raise ArchiverError where the disk is full or a system call fails. The umask applies to `mode`."""
    if not replace and os.path.lexists(path):
        raise TakenError(path)
    file, partial = _open_partial(path, mode)
    try:
        with file:
            yield file
            with os_errors_reported("writing", path):
                os.fsync(file.fileno())
            _publish(partial, path if named is None else named(), replace=replace)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    sync_directory(path.parent)


def _open_partial(path: Path, mode: int) -> tuple[_NewFile, Path]:
    """A new file beside a path, locked, and its name. A cleaner that comes between its making and its locking
    takes it for abandoned, and removes it: then another is made."""
    for _ in range(_MOST_TRIES):
        partial = path.parent / f"{PARTIAL_PREFIX}{os.getpid()}-{secrets.token_hex(6)}"
        with os_errors_reported("creating", path):
            file = _NewFile(partial, path, mode)
        try:
            with suppress(OSError):  # some network file systems have no flock; then a cleaner must be alone
                fcntl.flock(file, fcntl.LOCK_EX)  # a cleaner holds it for as long as it takes to remove it
            if os.path.lexists(partial):
                return file, partial
            file.close()
        except BaseException:
            file.close()
            with suppress(OSError):
                partial.unlink()
            raise
    raise ArchiverError(f"{path}: what is written for it is removed again and again", "see what cleans there")


def _publish(partial: Path, path: Path, *, replace: bool) -> None:
    """Give the finished file its name. A hard link never replaces, so of two writers one wins."""
    try:
        if replace:
            os.replace(partial, path)
            return
        try:
            os.link(partial, path)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            _rename_to_free_name(partial, path)
        else:
            partial.unlink()
    except FileExistsError as error:
        raise TakenError(path) from error
    except OSError as error:
        raise translate_os_error(error, "creating", path) from error


def _rename_to_free_name(partial: Path, path: Path) -> None:
    """Where there are no hard links (FAT, some network shares): our own writers exclude each other."""
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        if os.path.lexists(path):
            raise TakenError(path)
        partial.rename(path)
    finally:
        os.close(directory)


def write_atomically(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Make `path` hold `data`, replacing what was there: at any instant the old bytes or the new ones."""
    with new_file(path, mode=mode, replace=True) as file:
        file.write(data)


def create_exclusively(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Make a new file. Raise TakenError where the name is taken."""
    with new_file(path, mode=mode) as file:
        file.write(data)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    with os_errors_reported("syncing", path):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_file_system(path: Path) -> None:
    """Make all that was written to the file system of a path durable: one call for any number of files.

    syncfs(2), which tells of write errors since Linux 5.8; where there is none, sync(2), which tells of none
    and waits for every file system. Raise ArchiverError."""
    import ctypes  # 3 ms that only the making of a folder pays

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        os.sync()
        return
    with os_errors_reported("syncing", path):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if syncfs(descriptor):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
        finally:
            os.close(descriptor)


def make_directories(path: Path, mode: int = 0o777) -> None:
    """Make a directory and what is missing above it, each name durable. An existing one is left alone."""
    if path.is_dir():
        return
    make_directories(path.parent, mode)
    with os_errors_reported("creating", path), suppress(FileExistsError):
        path.mkdir(mode)
    sync_directory(path.parent)


def delete_partial_files(directory: Path, *, below: bool = True) -> int:
    """Remove what killed runs left in a directory, and below it; return how many. Files still being
    written by a live process are locked by it and stay."""
    deleted = 0
    with os_errors_reported("cleaning", directory):
        for folder, folders, names in os.walk(directory):
            if not below:
                folders.clear()
            for name in names:
                if name.startswith(PARTIAL_PREFIX) and _delete_if_abandoned(Path(folder, name)):
                    deleted += 1
    return deleted


def _delete_if_abandoned(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


class Lock:
    """One run at a time: `with Lock(path):` raises LockedError where another process holds it, and goes on
    holding it for `wait_seconds`. `shared`: many may hold it so at once, and nobody otherwise.

    The kernel releases it when the process ends, however it ends; the file stays and holds the mark of the
    last holder (`archiver/processes.py`)."""

    def __init__(self, path: Path, *, wait_seconds: float = 0.0, shared: bool = False) -> None:
        self.path = path
        self._way = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self._wait_seconds = wait_seconds
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        with os_errors_reported("locking", self.path):
            descriptor, may_write = self._open()
            try:
                self._take(descriptor)
                if may_write:
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, own_mark().encode(), 0)
            except BlockingIOError:
                holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").partition("\n")[0].strip()
                os.close(descriptor)
                raise self._locked(holder) from None
            except BaseException:
                os.close(descriptor)
                raise
            self._descriptor = descriptor
        return self

    def _open(self) -> tuple[int, bool]:
        """The file, made where there is none, and whether it can be written to: one that was left read-only
        locks as well. Raise ArchiverError for what is no file of its own: behind a link lies somebody else's,
        and the process id would be written over it."""
        may_write, flags = True, os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | flags, 0o600)
        except PermissionError:
            may_write, descriptor = False, os.open(self.path, os.O_RDONLY | flags)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
                raise
            raise self._no_file() from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise self._no_file()
        return descriptor, may_write

    def _no_file(self) -> ArchiverError:
        return ArchiverError(
            f"{self.path} is a link, a folder or a device, and a lock is a file", "move it away, then again"
        )

    def _take(self, descriptor: int) -> None:
        """Look again until it is free; raise BlockingIOError when the time is over."""
        until = time.monotonic() + self._wait_seconds
        while True:
            try:
                return fcntl.flock(descriptor, self._way | fcntl.LOCK_NB)
            except BlockingIOError:
                left = until - time.monotonic()
                if left <= 0:
                    raise
                time.sleep(min(_LOOK_AGAIN_SECONDS, left))

    def _locked(self, holder: str) -> LockedError:
        process = f"process {holder}" if holder.isdigit() else "another process"
        hint = f"wait for it, or see what it is: ps {holder}" if holder.isdigit() else "wait for it to end"
        return LockedError(f"{process} is at work here and holds {self.path}", hint)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
