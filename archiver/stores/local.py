"""A store in a folder: a disk, a mounted share."""

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
from archiver.stores.base import (
    ExistsInStoreError,
    HashingWriter,
    Inspection,
    NotInStoreError,
    Range,
    StoredFile,
    check_key_name,
    check_name,
    copy_all,
    outcome,
)

FILE_MODE = 0o444
"""Sealed: nobody writes to it again. The umask may take more away."""
SET_ASIDE = "set-aside"
"""The folder for what repair found in a file's place."""


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

    @contextmanager
    def create(self, name: str, *, sha256: str | None = None) -> Iterator[BinaryIO]:
        path = self._path(name)
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

    def open_random(self, name: str) -> StoredFile:
        path = self._path(name)
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotInStoreError(name, self.location) from error
        except OSError as error:
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
        with disk.os_errors_reported("listing", below):
            names = sorted(_names_below(below, self.root))
        return (name for name in names if name.startswith(prefix))

    def exists(self, name: str) -> bool:
        return self._path(name).is_file()

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
        if not path.is_file():
            raise NotInStoreError(name, self.location)
        with disk.new_file(path, mode=FILE_MODE, replace=True) as writer:
            writer.write(data)

    def put_back(self, name: str, source: bytes | BinaryIO, *, sha256: str) -> None:
        path = self._path(name)
        disk.make_directories(path.parent)
        with disk.new_file(path, mode=FILE_MODE, replace=True) as writer:
            checked = HashingWriter(writer)
            copy_all(source, cast(BinaryIO, checked))
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
        return {name.split("/")[1] for name in self.list("archives/")}

    def discard_unfinished(self, archive: str) -> None:
        folder = self._path(f"archives/{archive}")
        if (folder / "manifest.json").exists():
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


def _names_below(folder: Path, root: Path) -> Iterator[str]:
    """Names in any order. A folder that cannot be read raises OSError, or its files would seem gone."""

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    for directory, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for file in files:
            if not file.startswith("."):
                yield Path(directory, file).relative_to(root).as_posix()
