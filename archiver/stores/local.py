"""A store in a folder: a disk, a mounted share. The folder itself may be a link to one. Below it no link is
followed: what it leads to is not what was put there, and may lie on a host's other disks."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from archiver import disk
from archiver.errors import ArchiverError, IntegrityError, NoVaultError
from archiver.store_names import check_key_name, check_name
from archiver.stores.base import (
    ExistsInStoreError,
    HashingWriter,
    Inspection,
    NotInStoreError,
    Range,
    StoredFile,
    copy_all,
    outcome,
)

FILE_MODE = 0o444
"""Sealed: nobody writes to it again. The umask may take more away."""
SET_ASIDE = "set-aside"
"""The folder for what repair found in a file's place."""
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
"""Without waiting, which opening a pipe would for whoever writes to it."""
_ROOT_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FOLDER_FLAGS = _ROOT_FLAGS | os.O_NOFOLLOW
_NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)
"""What opening ends in where there is no file: nothing, a file or a link for a folder, a link, a socket."""


class LocalFile:
    """An open file, read by `pread`, so that readers share no position."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path
        self._size = os.fstat(descriptor).st_size

    @property
    def size(self) -> int:
        return self._size

    @property
    def requests(self) -> int:
        return 0

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`: `length` of them, fewer only where the file ends."""
        with disk.os_errors_reported("reading", self._path):
            data = os.pread(self._descriptor, length, offset)
            while len(data) < length and (more := self._read_more(offset + len(data), length - len(data))):
                data += more  # the kernel reads at most 2 GiB at once
        return data

    def _read_more(self, offset: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, offset) if offset < self._size else b""

    def prefetch(self, ranges: Sequence[Range]) -> None:
        """Nothing to do: the file is near."""

    def is_at_hand(self, offset: int, length: int) -> bool:
        return True

    def let_go_beyond(self, kept_bytes: int) -> None:
        """Nothing to do: nothing is kept."""

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class LocalStore:
    """Names are paths below a folder. Raise NoVaultError where the folder is not there."""

    def __init__(self, root: Path) -> None:
        self.root = _existing(root)

    @property
    def location(self) -> str:
        return str(self.root)

    def _path(self, name: str) -> Path:
        return self.root / check_name(name)

    @property
    def is_near(self) -> bool:
        return True

    def _link_to(self, name: str) -> Path | None:
        """The first link on the way to a name, or it itself; None where there is none."""
        path = self.root
        for part in check_name(name).split("/"):
            path = path / part
            if os.path.islink(path):
                return path
        return None

    def _path_to_write(self, name: str) -> Path:
        """Raise IntegrityError where a link in place of a folder leads elsewhere."""
        path = self._path(name)
        link = self._link_to(name)
        if link not in (None, path):
            raise IntegrityError(f"{link} is a link, and no file is put through it", "move it away")
        return path

    def _not_there(self, name: str) -> NotInStoreError:
        link = self._link_to(name)
        if link is None:
            return NotInStoreError(name, self.location)
        place = "is a link" if link == self._path(name) else "is behind a link"
        return NotInStoreError(name, self.location, f"{place}, which is not followed, in")

    @contextmanager
    def create(self, name: str, *, sha256: str | None = None) -> Iterator[BinaryIO]:
        path = self._path_to_write(name)
        disk.make_directories(path.parent)
        try:
            with disk.new_file(path, mode=FILE_MODE) as writer:
                if sha256 is None:
                    yield writer
                else:
                    checked = HashingWriter(writer)
                    yield cast(BinaryIO, checked)
                    checked.require(name, sha256)
        except disk.TakenError as error:
            if error.path != path:  # of another file that the body was making
                raise
            raise ExistsInStoreError(name, self.location) from error

    def put_new(self, name: str, source: bytes | BinaryIO, *, sha256: str | None = None) -> None:
        with self.create(name, sha256=sha256) as writer:
            copy_all(source, writer)

    def append(self, name: str, data: bytes) -> None:
        self.put_new(name, data)

    def look(self, name: str, max_bytes: int) -> bytes | None:
        try:
            return self.read(name, max_bytes)
        except NotInStoreError:
            if os.path.lexists(self._path(name)):  # a link, a folder: it is not that there is none
                raise
            return None

    def open_random(self, name: str) -> StoredFile:
        path = self._path(name)
        try:
            descriptor = _open_below(self.root, name)
        except OSError as error:
            if error.errno in _NO_FILE:
                raise self._not_there(name) from error
            raise disk.translate_os_error(error, "opening", path) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NotInStoreError(name, self.location)
        return LocalFile(descriptor, path)

    def read(self, name: str, max_bytes: int) -> bytes:
        with self.open_random(name) as file:
            if file.size > max_bytes:
                raise IntegrityError(f"{name} has {file.size} bytes where at most {max_bytes} can be right")
            return file.read_at(0, max_bytes)

    def read_versions(self, name: str, max_bytes: int) -> list[bytes]:
        return [self.read(name, max_bytes)]

    def list(self, prefix: str = "") -> Iterator[str]:
        folder, slash, _ = prefix.rpartition("/")
        below = self.root / check_name(folder) if slash else _existing(self.root)
        if slash and self._link_to(folder) is not None:
            return iter(())
        with disk.os_errors_reported("listing", below):
            names = sorted(_names_below(below, folder + slash, prefix))
        return iter(names)

    def exists(self, name: str) -> bool:
        path = self._path(name)
        with disk.os_errors_reported("looking for", path):
            return path.is_file() and self._link_to(name) is None

    def size(self, name: str) -> int:
        with self.open_random(name) as file:
            return file.size

    def read_many(self, limits: Mapping[str, int]) -> dict[str, bytes | ArchiverError]:
        return {name: outcome(partial(self.read, name, most)) for name, most in limits.items()}

    def inspect(self, names: Sequence[str]) -> dict[str, Inspection | ArchiverError]:
        return {name: outcome(partial(self._inspect, name)) for name in names}

    def _inspect(self, name: str) -> Inspection:
        return Inspection(self.size(name))

    def replace_key(self, name: str, data: bytes) -> None:
        path = self._path(check_key_name(name))
        if not self.exists(name):
            raise self._not_there(name)
        with disk.new_file(path, mode=FILE_MODE, replace=True) as writer:
            writer.write(data)

    def destroy_key(self, name: str) -> None:
        path = self._path_to_write(check_key_name(name))
        aside = self._path_to_write(f"{SET_ASIDE}/{name}")
        for folder, begin in ((path.parent, None), (aside.parent, f"{aside.name}.")):
            if not folder.is_dir():
                continue
            disk.delete_partial_files(folder, below=False)  # of a writer killed with the key in its hands
            with disk.os_errors_reported("destroying the key in", folder):
                for one in [path] if begin is None else list(folder.iterdir()):
                    if begin is None or one.name.startswith(begin):
                        one.unlink(missing_ok=True)
            disk.sync_directory(folder)

    def put_back(self, name: str, source: bytes | BinaryIO, *, sha256: str) -> None:
        path = self._path_to_write(name)
        disk.make_directories(path.parent)
        with disk.new_file(path, mode=FILE_MODE, replace=True) as writer:
            checked = HashingWriter(writer)
            copy_all(source, checked)
            checked.require(name, sha256)
            self._set_aside(name, path)

    def _set_aside(self, name: str, path: Path) -> None:
        """Keep what lies there under another name: it may be evidence of what happened to it."""
        if not os.path.lexists(path):
            return
        number = 1
        while os.path.lexists(target := self.root / SET_ASIDE / f"{name}.{number}"):
            number += 1
        disk.make_directories(target.parent)
        with disk.os_errors_reported("moving", path):
            path.rename(target)
        disk.sync_directory(target.parent)

    def begun_archives(self) -> set[str]:
        """Also those whose folder somebody put a link in the place of: nothing can be put there."""
        names = {name.split("/")[1] for name in self.list("archives/")}
        folder = self.root / "archives"
        if folder.is_dir() and not folder.is_symlink():
            with disk.os_errors_reported("listing", folder), os.scandir(folder) as entries:
                names.update(one.name for one in entries if one.is_symlink())
        return names

    def discard_unfinished(self, archive: str) -> None:
        manifest = self._path_to_write(f"archives/{archive}/manifest.json")
        folder = manifest.parent
        if os.path.lexists(manifest):
            raise IntegrityError(f"archives/{archive} is sealed and is never removed")
        if folder.is_dir():
            with disk.os_errors_reported("removing", folder):
                shutil.rmtree(folder)
            disk.sync_directory(folder.parent)

    def delete_partial(self) -> int:
        return disk.delete_partial_files(self.root)


def _existing(root: Path) -> Path:
    """Raise NoVaultError where the folder is not there: a share that is not mounted is no empty vault."""
    if not root.is_dir():
        raise NoVaultError(
            f"there is no folder {root}", "mount it, or make a new vault: archiver init DIR --holder NAME"
        )
    return root


def _open_below(root: Path, name: str) -> int:
    """Open a file to be read, folder by folder, so that none on the way can be a link, and none become one
    meanwhile. Raise OSError. Each folder costs some microseconds."""
    *folders, last = name.split("/")
    here = os.open(root, _ROOT_FLAGS)
    try:
        for folder in folders:
            below = os.open(folder, _FOLDER_FLAGS, dir_fd=here)
            os.close(here)
            here = below
        return os.open(last, _FILE_FLAGS, dir_fd=here)
    finally:
        os.close(here)


def _names_below(folder: Path | str, above: str, prefix: str) -> Iterator[str]:
    """The names of all files that begin with the prefix, in any order; `above`: what the names of this
    folder's begin with. No other folder is looked into. One that cannot be read raises OSError, or its files
    would seem gone."""
    try:
        with os.scandir(folder) as found:
            entries = [one for one in found if not one.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        name = above + entry.name
        if entry.is_dir(follow_symlinks=False):
            if f"{name}/".startswith(prefix) or prefix.startswith(f"{name}/"):
                yield from _names_below(entry.path, f"{name}/", prefix)
        elif name.startswith(prefix) and entry.is_file(follow_symlinks=False):
            yield name
