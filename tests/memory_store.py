"""A store in memory with the whole interface of a real one, which counts what it is asked for.

`MemoryStore(is_near=False)` is as a store far away: its files are read by requests through `RangedFile`,
and `requests`, `rounds` (requests that went out together count once) and `bytes_read` tell what a search
cost. `of_same(store)` opens it once more, as another process would."""

import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256 as new_sha256
from typing import BinaryIO, Self, cast

from archiver.errors import ArchiverError, IntegrityError
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
from archiver.stores.ranged import Fetch, RangedFile


@dataclass
class Contents:
    """What all openings of one store share."""

    files: dict[str, bytes] = field(default_factory=dict)
    set_aside: list[tuple[str, bytes]] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


class MemoryStore:
    def __init__(self, *, is_near: bool = True, contents: Contents | None = None) -> None:
        self.contents = Contents() if contents is None else contents
        self._is_near = is_near
        self._executor = ThreadPoolExecutor(8, thread_name_prefix="memory-store")
        self._counting = threading.Lock()
        self.requests = 0
        self.rounds = 0
        self.bytes_read = 0

    @classmethod
    def of_same(cls, store: "MemoryStore") -> Self:
        return cls(is_near=store.is_near, contents=store.contents)

    def forget_counts(self) -> None:
        self.requests = self.rounds = self.bytes_read = 0

    def count(self, requests: int = 0, *, rounds: int = 0, size: int = 0) -> None:
        with self._counting:
            self.requests += requests
            self.rounds += rounds
            self.bytes_read += size

    @property
    def location(self) -> str:
        return "memory"

    @property
    def is_near(self) -> bool:
        return self._is_near

    @contextmanager
    def create(self, name: str, *, sha256: str | None = None) -> Iterator[BinaryIO]:
        if check_name(name) in self.contents.files:
            raise ExistsInStoreError(name, self.location)
        buffer = io.BytesIO()
        writer = HashingWriter(buffer)
        yield cast(BinaryIO, writer)
        if sha256 is not None:
            writer.require(name, sha256)
        self.count(1, rounds=1)
        with self.contents.lock:
            if name in self.contents.files:
                raise ExistsInStoreError(name, self.location)
            self._put(name, buffer.getvalue())

    def _put(self, name: str, data: bytes) -> None:
        self.contents.files[name] = data
        if name.startswith("archives/"):
            self.contents.begun.add(name.split("/")[1])

    def put_new(self, name: str, source: bytes | BinaryIO, *, sha256: str | None = None) -> None:
        with self.create(name, sha256=sha256) as writer:
            copy_all(source, writer)

    def append(self, name: str, data: bytes) -> None:
        self.put_new(name, data)

    def look(self, name: str, max_bytes: int) -> bytes | None:
        self.count(rounds=1)
        if check_name(name) not in self.contents.files:
            self.count(1)
            return None
        return self._read(name, max_bytes)

    def _data(self, name: str) -> bytes:
        data = self.contents.files.get(check_name(name))
        if data is None:
            raise NotInStoreError(name, self.location)
        return data

    def open_random(self, name: str) -> StoredFile:
        data = self._data(name)

        def fetch(offset: int, length: int) -> bytes:
            self.count(1, size=length)
            return data[offset : offset + length]

        if self._is_near:
            return MemoryFile(name, data, self)
        return CountedFile(name, len(data), fetch, self._executor, self)

    def read(self, name: str, max_bytes: int) -> bytes:
        self.count(rounds=1)
        return self._read(name, max_bytes)

    def _read(self, name: str, max_bytes: int) -> bytes:
        data = self._data(name)
        if len(data) > max_bytes:
            raise IntegrityError(f"{name} has {len(data)} bytes where at most {max_bytes} can be right")
        self.count(1, size=len(data))
        return data

    def read_versions(self, name: str, max_bytes: int) -> list[bytes]:
        return [self.read(name, max_bytes)]

    def read_many(self, limits: Mapping[str, int]) -> dict[str, bytes | ArchiverError]:
        self.count(rounds=1 if limits else 0)
        return {name: outcome(partial(self._read, name, most)) for name, most in limits.items()}

    def list(self, prefix: str = "") -> Iterator[str]:
        folder, slash, _ = prefix.rpartition("/")
        if slash:
            check_name(folder)
        self.count(1, rounds=1)
        return iter(sorted(name for name in self.contents.files if name.startswith(prefix)))

    def exists(self, name: str) -> bool:
        self.count(1, rounds=1)
        return check_name(name) in self.contents.files

    def size(self, name: str) -> int:
        self.count(1, rounds=1)
        return len(self._data(name))

    def inspect(self, names: Sequence[str]) -> dict[str, Inspection | ArchiverError]:
        self.count(len(names), rounds=1 if names else 0)
        return {name: outcome(partial(self._inspect, name)) for name in names}

    def _inspect(self, name: str) -> Inspection:
        data = self._data(name)
        return Inspection(len(data), new_sha256(data).hexdigest())

    def replace_key(self, name: str, data: bytes) -> None:
        self._data(check_key_name(name))
        self._put(name, data)

    def destroy_key(self, name: str) -> None:
        check_key_name(name)
        self.count(1, rounds=1)
        with self.contents.lock:
            self.contents.files.pop(name, None)
            self.contents.set_aside[:] = [one for one in self.contents.set_aside if one[0] != name]

    def put_back(self, name: str, source: bytes | BinaryIO, *, sha256: str) -> None:
        check_name(name)
        buffer = io.BytesIO()
        writer = HashingWriter(buffer)
        copy_all(source, cast(BinaryIO, writer))
        writer.require(name, sha256)
        with self.contents.lock:
            if name in self.contents.files:
                self.contents.set_aside.append((name, self.contents.files[name]))
            self._put(name, buffer.getvalue())

    def begun_archives(self) -> set[str]:
        return set(self.contents.begun)

    def discard_unfinished(self, archive: str) -> None:
        folder = check_name(f"archives/{archive}") + "/"
        with self.contents.lock:
            if f"{folder}manifest.json" in self.contents.files:
                raise IntegrityError(f"archives/{archive} is sealed and is never removed")
            for name in [one for one in self.contents.files if one.startswith(folder)]:
                del self.contents.files[name]

    def delete_partial(self) -> int:
        return 0


class MemoryFile:
    """A file that is near: every read is counted and none waits."""

    def __init__(self, name: str, data: bytes, store: MemoryStore) -> None:
        self._name = name
        self._data: bytes | None = data
        self._store = store
        self.requests = 0

    @property
    def _bytes(self) -> bytes:
        if self._data is None:
            raise ArchiverError(f"{self._name} is closed and cannot be read")
        return self._data

    @property
    def size(self) -> int:
        return len(self._bytes)

    def read_at(self, offset: int, length: int) -> bytes:
        piece = self._bytes[offset : offset + length]
        self._store.count(1, rounds=1, size=len(piece))
        return piece

    def prefetch(self, ranges: Sequence[Range]) -> None:
        """Nothing to do: the file is near."""

    def is_at_hand(self, offset: int, length: int) -> bool:
        return True

    def let_go_beyond(self, kept_bytes: int) -> None:
        """Nothing to do: nothing is kept beside the file."""

    def close(self) -> None:
        self._data = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class CountedFile(RangedFile):
    """A file that is far away, whose waits are counted too."""

    def __init__(self, name: str, size: int, fetch: Fetch, executor: Executor, store: MemoryStore) -> None:
        super().__init__(name, size, fetch, executor)
        self._store = store

    def read_at(self, offset: int, length: int) -> bytes:
        if not self.is_at_hand(offset, length):
            self._store.count(rounds=1)
        return super().read_at(offset, length)

    def prefetch(self, ranges: Sequence[Range]) -> None:
        if any(not self.is_at_hand(*one) for one in ranges):
            self._store.count(rounds=1)
        super().prefetch(ranges)
