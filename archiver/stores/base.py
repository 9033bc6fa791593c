"""What every store does, and the names it takes. One contract suite holds them all to it
(`tests/contracts/test_stores.py`)."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from archiver.errors import ArchiverError, IntegrityError

COPY_BYTES = 1 << 20
MAXIMUM_NAME_BYTES = 1024
"""S3's limit for a key."""
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]{0,199}")


class ExistsInStoreError(ArchiverError):
    """A name that is taken. What lies there stays as it is."""

    def __init__(self, name: str, location: str) -> None:
        super().__init__(f"{name} is in {location} already", "sealed files are written once, never replaced")
        self.name = name


class NotInStoreError(IntegrityError):
    """A name that should be there and is not."""

    def __init__(self, name: str, location: str) -> None:
        folder, _, rest = name.partition("/")
        repair = f": archiver repair {rest.partition('/')[0]}" if folder == "archives" else ""
        super().__init__(f"{name} is missing from {location}", f"restore it from another store{repair}")
        self.name = name


class StoredFile(Protocol):
    """An open file of a store, read at any place."""

    @property
    def size(self) -> int: ...

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`: `length` of them, fewer only where the file ends."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Store(Protocol):
    """Files under names as `archives/2026-11-01/manifest.json`. Nothing sealed is deleted or replaced,
    but for an archive's key, which is rewritten when keyholders change.

    Every method raises ArchiverError for a name that `check_name` refuses, and where the
    store fails; ExistsInStoreError and NotInStoreError as said."""

    @property
    def location(self) -> str:
        """For messages: a path or an address, without credentials."""
        ...

    def create(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A writer. When the body ends well the file is there, whole and durable; else nothing is.

        Raise ExistsInStoreError where the name is taken, at the start or by another writer meanwhile."""
        ...

    def put_new(self, name: str, source: bytes | BinaryIO) -> None:
        """`create` and write it all."""
        ...

    def open_random(self, name: str) -> StoredFile: ...

    def read(self, name: str, max_bytes: int) -> bytes:
        """A whole small file. Raise IntegrityError where it is larger than `max_bytes`."""
        ...

    def list(self, prefix: str = "") -> Iterator[str]:
        """All names that begin with these characters, sorted. A writer's unfinished file is not one."""
        ...

    def exists(self, name: str) -> bool: ...

    def size(self, name: str) -> int: ...

    def replace_key(self, name: str, data: bytes) -> None:
        """Replace an existing `…/key.age`: at any instant the old bytes or the new ones are there."""
        ...

    def discard_unfinished(self, archive: str) -> None:
        """Remove the files of an archive that a killed sealing left without a manifest. Raise
        IntegrityError where it has one: a sealed archive is never removed."""
        ...

    def delete_partial(self) -> int:
        """Remove what killed writers left; return how many. Live writers are not disturbed."""
        ...


def check_name(name: str) -> str:
    """Return the name. Raise ArchiverError for one that is absolute, climbs (`..`), hides (`.x`), is
    empty or over 1024 bytes, or has characters outside `A-Z a-z 0-9 . _ @ + -` and `/`."""
    if len(name) <= MAXIMUM_NAME_BYTES and all(_SEGMENT.fullmatch(part) for part in name.split("/")):
        return name
    raise ArchiverError(f"{name[:80]!r} cannot be a file's name in a store")


def check_key_name(name: str) -> str:
    """Return the name of an archive's key. Raise ArchiverError for any other: only keys are rewritten."""
    if check_name(name).endswith("/key.age"):
        return name
    raise ArchiverError(f"{name} is sealed and is never replaced", "only an archive's key.age is rewritten")
