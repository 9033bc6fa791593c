"""What every store does. One contract suite holds them all to it
(`tests/contracts/test_stores.py`)."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self, TypeVar

from archiver.errors import ArchiverError, IntegrityError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

Outcome = TypeVar("Outcome")
COPY_BYTES = 1 << 20


class ExistsInStoreError(ArchiverError):
    """A name that is taken. What lies there stays as it is."""

    def __init__(self, name: str, location: str) -> None:
        super().__init__(f"{name} is in {location} already", "sealed files are written once, never replaced")
        self.name = name


class NotInStoreError(IntegrityError):
    """A name that should be there and is not. `how`: what lies there instead, in words."""

    def __init__(self, name: str, location: str, how: str = "is missing from") -> None:
        folder, _, rest = name.partition("/")
        archive = f" {rest.partition('/')[0]}" if folder == "archives" else ""
        super().__init__(
            f"{name} {how} {location}", f"restore it from another store: archiver repair{archive}"
        )
        self.name = name


Range = tuple[int, int]
"""A part of a file: offset and length in bytes."""


@dataclass(frozen=True)
class Inspection:
    """What a store itself says of a file, without its bytes being read: its size, the SHA-256 (hexadecimal)
    that the store checked when it took the file, where it keeps one, and what is not as it was asked to
    be: a delete marker over it, versions that somebody else put there, a lock that is not in force."""

    size: int
    sha256: str | None = None
    problems: tuple[str, ...] = ()


class StoredFile(Protocol):
    """An open file of a store, read at any place."""

    @property
    def size(self) -> int: ...

    @property
    def requests(self) -> int:
        """How many requests were made for its bytes so far: none of a file that is near."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`: `length` of them, fewer only where the file ends."""
        ...

    def prefetch(self, ranges: Sequence[Range]) -> None:
        """Have these parts at hand, all fetched together, so that `read_at` of them waits for nothing.
        Parts beyond the end are cut short. A file that is near needs nothing."""
        ...

    def is_at_hand(self, offset: int, length: int) -> bool:
        """Whether `read_at` of this would wait for nothing: always, of a file that is near."""
        ...

    def let_go_beyond(self, kept_bytes: int) -> None:
        """Let go of what was fetched and is kept in memory, if that is more than so many bytes."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class SmallFiles(Protocol):
    """Whatever gives small files by their names: a store, or a vault that has read some of them ahead."""

    def read(self, name: str, max_bytes: int) -> bytes:
        """A whole small file. Raise NotInStoreError where there is none, IntegrityError where it is larger
        than `max_bytes`."""
        ...

    def read_versions(self, name: str, max_bytes: int) -> list[bytes]:
        """All that lies under the name of a small file, first what `read` gives; what is larger than
        `max_bytes` is left out. There is more than one where a store keeps what was rewritten, or what
        somebody put something else over."""
        ...


class Store(SmallFiles, Protocol):
    """Files under names as `archives/2026-11-01/manifest.json`. Nothing sealed is deleted or replaced,
    but for an archive's key, which is rewritten when keyholders change, and destroyed when the archive is
    disposed of.

    Every method raises ArchiverError for a name that `check_name` refuses, StoreError where the store
    cannot be reached or refuses; ExistsInStoreError and NotInStoreError as said. A store can be pickled
    to be used by another process, and be used by several threads at once."""

    @property
    def location(self) -> str:
        """For messages: a path or an address, without credentials."""
        ...

    @property
    def is_near(self) -> bool:
        """Whether a read costs next to nothing, as in a folder. Of one that is not near, each read is a
        request that takes its time: whoever reads asks for many parts at once."""
        ...

    def create(self, name: str, *, sha256: str | None = None) -> AbstractContextManager[BinaryIO]:
        """A writer. When the body ends well the file is there, whole and durable; else nothing is.

        Raise ExistsInStoreError where the name is taken, at the start or by another writer meanwhile;
        IntegrityError, leaving nothing, where what was written has not the SHA-256 (hexadecimal) named."""
        ...

    def put_new(self, name: str, source: bytes | BinaryIO, *, sha256: str | None = None) -> None:
        """`create` and write it all."""
        ...

    def append(self, name: str, data: bytes) -> None:
        """Put a small new file of the log, in one request where the store is far away: its SHA-256 goes along
        and is checked there, and nothing is asked before or after. Raise ExistsInStoreError where the name is
        taken."""
        ...

    def look(self, name: str, max_bytes: int) -> bytes | None:
        """A small file as it lies there now, past all that is known or kept of it, in one request; None where
        there is none. Raise IntegrityError where it is larger than `max_bytes`."""
        ...

    def open_random(self, name: str) -> StoredFile: ...

    def read_many(self, limits: Mapping[str, int]) -> dict[str, bytes | ArchiverError]:
        """`read` of many small files at once, each with its limit in bytes: what each holds, or why it
        could not be read."""
        ...

    def list(self, prefix: str = "") -> Iterator[str]:
        """All names that begin with these characters, sorted. A writer's unfinished file is not one."""
        ...

    def exists(self, name: str) -> bool: ...

    def size(self, name: str) -> int: ...

    def inspect(self, names: Sequence[str]) -> dict[str, Inspection | ArchiverError]:
        """What the store itself says of each file, or why it says nothing."""
        ...

    def replace_key(self, name: str, data: bytes) -> None:
        """Replace an existing `…/key.age`: at any instant the old bytes or the new ones are there."""
        ...

    def destroy_key(self, name: str) -> None:
        """Destroy an archive's key for good: every version of it, and what repair set aside of it. One that
        is not there is well. Raise StoreError where the store keeps any of it, as under a lock, saying until
        when; what could be destroyed is then."""
        ...

    def put_back(self, name: str, source: bytes | BinaryIO, *, sha256: str) -> None:
        """For repair alone: put the file there whose SHA-256 this is, whatever lies there. What lay there
        is set aside and not lost. Raise IntegrityError, changing nothing, where the source has another
        SHA-256; StoreError where the store keeps what lies there."""
        ...

    def begun_archives(self) -> set[str]:
        """The names of all archives that were ever begun here, so also of those that were discarded:
        none of them is used again."""
        ...

    def discard_unfinished(self, archive: str) -> None:
        """Remove the files of an archive that a killed sealing left without a manifest. Raise
        IntegrityError where it has one: a sealed archive is never removed."""
        ...

    def delete_partial(self) -> int:
        """Remove what killed writers left; return how many. Live writers are not disturbed."""
        ...


class Writer(Protocol):
    """All of a file that writing to it needs."""

    def write(self, data: "ReadableBuffer", /) -> int: ...


class HashingWriter:
    """Passes on what is written, if there is anything to pass it to, and hashes it."""

    def __init__(self, target: Writer | None = None) -> None:
        self._target = target
        self._digest = hashlib.sha256()

    def write(self, data: "ReadableBuffer", /) -> int:
        self._digest.update(data)
        return memoryview(data).nbytes if self._target is None else self._target.write(data)

    def require(self, name: str, sha256: str) -> None:
        """Raise IntegrityError unless all that was written has this SHA-256."""
        if self._digest.hexdigest() != sha256:
            raise wrong_bytes(name)


def wrong_bytes(name: str) -> IntegrityError:
    """The error for what has not the SHA-256 it must have."""
    return IntegrityError(
        f"what was to become {name} has not the SHA-256 it must have", "nothing was written"
    )


def copy_all(source: bytes | BinaryIO, target: Writer) -> None:
    """Write all that a source holds."""
    if isinstance(source, bytes):
        target.write(source)
        return
    while piece := source.read(COPY_BYTES):
        target.write(piece)


def outcome(act: Callable[[], Outcome]) -> Outcome | ArchiverError:
    """What an act returns, or the error it ends in."""
    try:
        return act()
    except ArchiverError as error:
        return error
