"""A pack that is read: a folder or a ZIP file, made by anybody. Nothing of it is followed or trusted."""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, NamedTuple, Protocol

from archiver.disk import os_errors_reported
from archiver.errors import IntegrityError

_LOCAL_HEADER: Final = struct.Struct("<4s22xHH")
_DESCRIPTOR_BYTES: Final = (0, 12, 16, 20, 24)
"""What may follow a file in a ZIP file: nothing, or its CRC and sizes, with a mark or without."""
_UNREADABLE: Final = (
    OSError, EOFError, ValueError, OverflowError, struct.error, zlib.error, zipfile.BadZipFile,
    NotImplementedError, RuntimeError,
)  # fmt: skip
"""What `zipfile` raises of bytes that are no ZIP file."""
_EMPTY: Final = "is an empty folder, which no manifest can list"


class PackEntry(NamedTuple):
    """Something in a pack: a file, where `fault` is None; else what else it is, to follow its name."""

    path: str
    size: int
    fault: str | None = None


class PackSource(Protocol):
    """What a pack is read from."""

    def entries(self) -> Iterator[PackEntry]:
        """Everything in it, in any order; raise IntegrityError where that cannot be told."""
        ...

    def read(self, path: str) -> Iterator[bytes]:
        """The bytes of a file, in pieces. Raise IntegrityError where they cannot be read."""
        ...


class FolderSource:
    """A folder. Links are named and not followed; empty folders are named, as no manifest tells of them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def entries(self) -> Iterator[PackEntry]:
        with os_errors_reported("reading", self._path):
            yield from self._below("")

    def _below(self, folder: str) -> Iterator[PackEntry]:
        is_empty = True
        with os.scandir(self._path / folder) as found:
            for each in found:
                is_empty = False
                path = f"{folder}{each.name}"
                if each.is_dir(follow_symlinks=False):
                    yield from self._below(f"{path}/")
                else:
                    state = each.stat(follow_symlinks=False)
                    yield PackEntry(path, state.st_size, _fault_of_mode(state.st_mode))
        if is_empty and folder:
            yield PackEntry(folder.rstrip("/"), 0, _EMPTY)

    def read(self, path: str) -> Iterator[bytes]:
        try:
            descriptor = os.open(
                self._path / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            )
            with open(descriptor, "rb", buffering=0) as file:
                while piece := file.read(1024 * 1024):
                    yield piece
        except OSError as error:
            raise IntegrityError(f"cannot be read: {(error.strerror or str(error)).lower()}") from error


class ZipSource:
    """A ZIP file in something that can be read and sought in."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except _UNREADABLE as error:
            raise IntegrityError(f"the pack is no whole ZIP file: {error}") from error
        self._file = file
        self._members = {each.orig_filename: each for each in self._zip.infolist()}

    def entries(self) -> Iterator[PackEntry]:
        """Each as often as the directory names it, and under the name that stands there."""
        members = self._zip.infolist()
        folders = {
            each.orig_filename[: at + 1]
            for each in members
            for at in _slashes(each.orig_filename.rstrip("/"))
        }
        for each in members:
            if each.orig_filename not in folders:
                yield PackEntry(each.orig_filename, each.file_size, _fault_of_member(each))
        if self._has_gaps(members):
            yield PackEntry("", 0, "the ZIP file holds bytes that belong to no file of it")

    def _has_gaps(self, members: list[zipfile.ZipInfo]) -> bool:
        """Whether anything stands before, between or after the files, or one in another."""
        at = 0
        for each in sorted(members, key=lambda one: one.header_offset):
            if each.header_offset - at not in (_DESCRIPTOR_BYTES if at else (0,)):
                return True
            self._file.seek(each.header_offset)
            header = self._file.read(_LOCAL_HEADER.size)
            if len(header) < _LOCAL_HEADER.size:
                return True
            _, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
            at = each.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes + each.compress_size
        return self._zip.start_dir - at not in _DESCRIPTOR_BYTES or bool(self._zip.comment)

    def read(self, path: str) -> Iterator[bytes]:
        try:
            with self._zip.open(self._members[path]) as file:
                while piece := file.read(1024 * 1024):
                    yield piece
        except _UNREADABLE as error:
            raise IntegrityError(f"cannot be read: {error or type(error).__name__}") from error


def _slashes(path: str) -> Iterator[int]:
    return (at for at, each in enumerate(path) if each == "/")


def _fault_of_member(member: zipfile.ZipInfo) -> str | None:
    if member.orig_filename.endswith("/"):
        return _EMPTY
    if member.flag_bits & 0x1:
        return "is encrypted inside the ZIP file"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in a way that is not read here"
    mode = member.external_attr >> 16
    return _fault_of_mode(mode) if stat.S_IFMT(mode) else None


def _fault_of_mode(mode: int) -> str | None:
    if stat.S_ISREG(mode):
        return None
    return "is a symbolic link" if stat.S_ISLNK(mode) else "is no ordinary file"


@contextmanager
def open_pack(path: Path) -> Iterator[PackSource]:
    """A folder or a ZIP file. Raise ArchiverError where there is nothing, IntegrityError where it is
    neither."""
    if path.is_dir():
        yield FolderSource(path)
        return
    with os_errors_reported("reading", path):
        file = path.open("rb")
    with file:
        yield ZipSource(file)
