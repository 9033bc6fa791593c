"""The store: names to objects of a bucket."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from hashlib import sha256 as new_sha256
from typing import BinaryIO, Protocol, TypeVar, cast

from archiver.errors import ArchiverError, IntegrityError
from archiver.store_names import check_key_name, check_name
from archiver.stores.base import (
    ExistsInStoreError,
    Inspection,
    NotInStoreError,
    StoredFile,
    copy_all,
    outcome,
)
from archiver.stores.checks import Check
from archiver.stores.ranged import Held, RangedFile
from archiver.stores.s3 import mending
from archiver.stores.s3.connection import Connection
from archiver.stores.s3.index import Index, ListingCache
from archiver.stores.s3.objects import Head, Objects
from archiver.stores.s3.options import S3Options
from archiver.stores.s3.upload import put_at_once, uploading
from archiver.stores.s3.versions import EMPTY, History, Version, find_version, manifest_of, names_there
from archiver.times import Clock, as_datetime, system_clock

Result = TypeVar("Result")
STALE_UPLOAD = timedelta(days=1)
"""An upload begun longer ago is a killed writer's: no file takes a day."""
_MOST_VERSIONS = 100
"""Of a small file, looked at: a key is rewritten now and then."""
_FEW = 3
"""So many names are looked up one by one; for more all are listed."""


class Cache(ListingCache, Protocol):
    """What lies on this machine of stores that are far away."""

    def file(self, key: str) -> Held | None: ...

    def drop_file(self, key: str) -> None: ...


class S3Store:
    """Names are keys below a prefix of a bucket. Making it asks nothing of the server.

    `cache`: where listings and parts of files are kept on this machine, if anywhere."""

    def __init__(
        self, options: S3Options, *, clock: Clock = system_clock, cache: Cache | None = None
    ) -> None:
        self.options = options
        self._clock = clock
        self._cache = cache
        self._connection = Connection(options, clock)
        self._objects = Objects(self._connection)
        self._index = Index(self._objects, clock, cache)

    def __reduce__(self) -> tuple[object, ...]:
        """For the pipe to a process of ours and for nothing else: what is pickled holds the keys themselves,
        so that it is never written to a disk, nor given as an argument or to another program."""
        return _open_again, (self.options, self._clock, self._cache)

    def __repr__(self) -> str:
        return f"S3Store({self.location!r})"

    @property
    def location(self) -> str:
        return self.options.location

    @property
    def is_near(self) -> bool:
        return False

    # Putting

    @contextmanager
    def create(self, name: str, *, sha256: str | None = None) -> Iterator[BinaryIO]:
        if self._objects.look_up(name).versions:  # under a delete marker too, where IfNoneMatch would pass
            raise ExistsInStoreError(name, self.location)

        def done(head: Head) -> None:
            self._index.add(name, Version(head.version, head.size, head.etag, 0))

        with uploading(self._objects, name, condition=True, sha256=sha256, done=done) as writer:
            yield cast(BinaryIO, writer)  # as much of a file as a writer needs

    def put_new(self, name: str, source: bytes | BinaryIO, *, sha256: str | None = None) -> None:
        with self.create(name, sha256=sha256) as writer:
            copy_all(source, writer)

    def append(self, name: str, data: bytes) -> None:
        put_at_once(self._objects, check_name(name), data)

    def look(self, name: str, max_bytes: int) -> bytes | None:
        return self._objects.read_newest(check_name(name), max_bytes)

    def replace_key(self, name: str, data: bytes) -> None:
        check_key_name(name)
        try:
            mending.replace_key(self._objects, name, data)
        finally:
            self._index.forget(name)

    def destroy_key(self, name: str) -> None:
        check_key_name(name)
        try:
            for version in mending.destroy_key(self._objects, name):
                if self._cache is not None:
                    self._cache.drop_file(self._cache_key(name, version))
        finally:
            self._index.forget(name)

    def put_back(self, name: str, source: bytes | BinaryIO, *, sha256: str) -> None:
        check_name(name)
        try:
            mending.put_back(self._objects, name, source, sha256)
        finally:
            self._index.forget(name)

    # Reading

    def open_random(self, name: str) -> StoredFile:
        version = self._require(name)
        # A version's number stands for its bytes; "null" is whatever lies there now.
        etags: set[str] | None = set() if version.id == "null" else None

        def fetch(offset: int, length: int) -> bytes:
            try:
                return self._objects.read(name, version, offset, length, etags)
            except (NotInStoreError, IntegrityError):
                self._index.forget(name)
                raise

        held = self._held(name, version)
        connection = self._connection
        return RangedFile(name, version.size, fetch, connection.executor, held, connection.interruptible)

    def _require(self, name: str) -> Version:
        check_name(name)
        version = self._index.find(name, prepare=True)
        if version is None:
            raise NotInStoreError(name, self.location)
        return version

    def _held(self, name: str, version: Version) -> Held | None:
        """What lies here of this version; another version of the same name is another file."""
        return None if self._cache is None else self._cache.file(self._cache_key(name, version))

    def _cache_key(self, name: str, version: Version) -> str:
        which = version.id if version.id != "null" else f"null {version.etag} {version.modified_ms}"
        return new_sha256(f"{self.location}\0{name}\0{which}".encode()).hexdigest()

    def read(self, name: str, max_bytes: int) -> bytes:
        version = self._require(name)
        try:
            return self._read_version(name, version, max_bytes)
        except (NotInStoreError, IntegrityError):
            # What was known of it may be old: an archive's key was rewritten, a file was put back.
            self._index.forget(name)
            fresh = self._objects.find(name)
            if fresh is None or fresh == version:
                raise
            return self._read_version(name, fresh, max_bytes)

    def _read_version(self, name: str, version: Version, max_bytes: int) -> bytes:
        if version.size > max_bytes:
            raise IntegrityError(f"{name} has {version.size} bytes where at most {max_bytes} can be right")
        if version.size == 0:
            return b""
        held = self._held(name, version)
        data = None if held is None else held.get(0)
        if data is None or len(data) != version.size:
            data = self._objects.read(name, version, 0, version.size)
            if held is not None:
                held.put([(0, data)])
        return data

    def read_versions(self, name: str, max_bytes: int) -> list[bytes]:
        version = self._require(name)
        others = self._objects.look_up(name).versions[:_MOST_VERSIONS]
        fitting = [one for one in (version, *others) if one.size <= max_bytes]  # the first may be anything
        return list(dict.fromkeys(self._read_version(name, one, max_bytes) for one in fitting))

    def read_many(self, limits: Mapping[str, int]) -> dict[str, bytes | ArchiverError]:
        self._index.prepare(list(limits))
        return self._all_at_once({name: partial(self.read, name, most) for name, most in limits.items()})

    def _all_at_once(self, acts: Mapping[str, Callable[[], Result]]) -> dict[str, Result | ArchiverError]:
        """What each act returns, or the error it ends in."""
        waiting = {name: self._connection.executor.submit(outcome, act) for name, act in acts.items()}
        with self._connection.interruptible():
            return {name: each.result() for name, each in waiting.items()}

    def _histories_of(self, names: Sequence[str]) -> Mapping[str, History]:
        """What lies under these names, asked afresh."""
        asked = {one for name in names for one in (name, manifest_of(name)) if one and _is_name(one)}
        below = {one for one in asked if one.startswith("archives/")}
        if len(below) <= _FEW:
            below = set()
        folders = {one.split("/")[1] for one in below}
        start = f"archives/{folders.pop()}/" if len(folders) == 1 else "archives/"
        found = self._objects.list_below(start) if below else {}
        results = self._all_at_once({one: partial(self._objects.look_up, one) for one in asked - below})
        for name, result in results.items():
            if isinstance(result, ArchiverError):
                raise result
            found[name] = result
        return found

    # What there is

    def list(self, prefix: str = "") -> Iterator[str]:
        folder, slash, _ = prefix.rpartition("/")
        if slash:
            check_name(folder)
        if prefix == "archives/":
            histories = self._index.archives()
        else:
            parts = prefix.split("/")
            # With its manifest, which tells whether an archive was discarded.
            start = f"archives/{parts[1]}/" if parts[0] == "archives" and len(parts) > 2 else prefix
            histories = self._objects.list_below(start)
        return iter(sorted(name for name in names_there(histories) if name.startswith(prefix)))

    def exists(self, name: str) -> bool:
        check_name(name)
        return self._index.is_known(name) or self._objects.find(name) is not None

    def size(self, name: str) -> int:
        check_name(name)
        version = self._index.find(name)
        if version is None:
            raise NotInStoreError(name, self.location)
        return version.size

    def inspect(self, names: Sequence[str]) -> dict[str, Inspection | ArchiverError]:
        known = self._histories_of(names)
        return self._all_at_once({name: partial(self._inspect, name, known) for name in names})

    def _inspect(self, name: str, known: Mapping[str, History]) -> Inspection:
        check_name(name)
        return mending.inspect(self._objects, name, known.get(name, EMPTY), find_version(name, known))

    def begun_archives(self) -> set[str]:
        names = self._objects.list_below("archives/")
        return {name.split("/")[1] for name in names if name.count("/") >= 2}

    # What is left over

    def discard_unfinished(self, archive: str) -> None:
        folder = check_name(f"archives/{archive}") + "/"
        histories = self._objects.list_below(folder)
        if histories.get(f"{folder}manifest.json", EMPTY).versions:
            raise IntegrityError(f"archives/{archive} is sealed and is never removed")
        for key, upload, _ in self._objects.uploads(folder):
            self._objects.abort(key, upload)
        there = [name for name, history in histories.items() if history.versions and not history.hidden]
        self._index.forget_below(folder)
        done = self._all_at_once({name: partial(self._objects.delete, name) for name in there})
        for result in done.values():
            if isinstance(result, ArchiverError):
                raise result

    def delete_partial(self) -> int:
        before = as_datetime(self._clock()) - STALE_UPLOAD
        stale = [
            (key, upload)
            for key, upload, begun in self._objects.uploads("")
            if begun is not None and begun < before
        ]
        for key, upload in stale:
            self._objects.abort(key, upload)
        return len(stale)

    # Whether it can be trusted

    def checks(self) -> Sequence[Check]:
        """Every proof there is, as `archiver stores check` makes them."""
        from archiver.stores.s3.checks import check_bucket

        return check_bucket(self._connection)


def _open_again(options: S3Options, clock: Clock, cache: Cache | None) -> S3Store:
    return S3Store(options, clock=clock, cache=cache)


def _is_name(name: str) -> bool:
    return not isinstance(outcome(partial(check_name, name)), ArchiverError)
