"""What every sink offers, and what all have in common: names checked, sizes and hashes counted."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from archiver.errors import ArchiverError
from archiver.evidence.model import PackFile
from archiver.evidence.names import find_fault, folded, shown

Octets = bytes | bytearray | memoryview


class SinkFile(ABC):
    """One file of a pack while it is written. `with` closes it at a clean end and gives it up otherwise."""

    def __init__(self, sink: "NamedFiles", path: str, announced: int | None) -> None:
        self.path = path
        self._announced = announced
        self._sink = sink
        self.size = 0  # what has come so far
        self._sha256, self._sha512 = hashlib.sha256(), hashlib.sha512()
        self._finished: PackFile | None = None
        self._given_up = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def write(self, data: Octets, /) -> int:
        """Take all of the data. Raise ArchiverError where the disk is full or a system call fails."""
        if self._finished is not None or self._given_up:
            raise ValueError(f"{self.path} is closed")
        self._take(data)
        self._sha256.update(data)
        self._sha512.update(data)
        length = data.nbytes if isinstance(data, memoryview) else len(data)
        self.size += length
        return length

    def close(self) -> PackFile:
        """Finish the file and say what it is; again, say it again. Raise as `write` does, and where it has
        another size than was said."""
        if self._given_up:
            raise ValueError(f"{self.path} was given up")
        if self._finished is None:
            if self._announced is not None and self.size != self._announced:
                message = f"{shown(self.path)} should have {self._announced} bytes and has {self.size}"
                self.abort()
                raise ArchiverError(message)
            file = PackFile(self.size, self._sha256.hexdigest(), self._sha512.hexdigest())
            try:
                self._finish()
            except BaseException:
                self.abort()
                raise
            self._finished = file
            self._sink.note_finished(self.path, file)
        return self._finished

    def abort(self) -> None:
        """Give the file up: the pack will not have it. Nothing happens to one that is closed."""
        if self._finished is None and not self._given_up:
            self._given_up = True
            self._discard()
            self._sink.note_given_up(self.path)

    @abstractmethod
    def _take(self, data: Octets) -> None: ...

    @abstractmethod
    def _finish(self) -> None: ...

    @abstractmethod
    def _discard(self) -> None: ...


class Sink(Protocol):
    """Takes the files of a pack. `files`: what is finished, in the order in which it was; it grows."""

    @property
    def files(self) -> Mapping[str, PackFile]: ...

    def open(self, path: str, *, size: int | None = None) -> SinkFile:
        """Begin a file at a path as `data/records.csv`; many may be open at once.

        `size`, where it is known: how many bytes will come, in one go, as those of a video do; so the file
        need not be held in memory, whatever its size. Raise ArchiverError where the name is no name for a
        file of a pack, or is taken."""
        ...


class NamedFiles:
    """The names of a sink: which are taken, which are finished."""

    def __init__(self) -> None:
        self.files: dict[str, PackFile] = {}
        self._taken: set[str] = set()
        self._folders: set[str] = set()
        self._unfinished: dict[str, None] = {}

    def take_name(self, path: str) -> None:
        """Reserve a name. Raise ArchiverError where it is unfit or taken, also by one that differs in
        case only, or by a folder, or where a folder in it is a file. A percent sign is unfit, as a manifest
        would have to encode it, which neither `bagit` nor `sha256sum` undoes."""
        fault = "has a percent sign in its name" if "%" in path else None
        if fault := find_fault(path) or fault:
            raise ArchiverError(f"{shown(path)} {fault}, so no file of the pack can be called so")
        name = folded(path)
        above: list[str] = []
        at = name.rfind("/")
        while at > 0 and name[:at] not in self._folders:
            above.append(name[:at])
            at = name.rfind("/", 0, at)
        if name in self._taken or name in self._folders or not self._taken.isdisjoint(above):
            raise ArchiverError(f"the pack has a file called {shown(path)} already")
        self._taken.add(name)
        self._folders.update(above)
        self._unfinished[path] = None

    def note_finished(self, path: str, file: PackFile) -> None:
        del self._unfinished[path]
        self.files[path] = file

    def note_given_up(self, path: str) -> None:
        del self._unfinished[path]
        self._taken.discard(folded(path))

    def check_all_closed(self) -> None:
        """Raise ValueError where a file is open still: the pack would lack its end."""
        if self._unfinished:
            raise ValueError(f"still open at the end of the pack: {', '.join(sorted(self._unfinished))}")
