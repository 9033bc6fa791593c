"""What a store knows of its names without asking again.

A version, once found, stays the one that counts, so that it may be read by its number however old the
knowledge is; only of `…/key.age`, which is rewritten, it must be young. That a name is missing is never
known: it is asked after by itself. A list is asked for afresh, but for what a cache holds that is fresh,
and once for what reading brought a moment ago: whoever opens a vault lists it and reads it."""

import json
import threading
from hashlib import sha256
from typing import Protocol

from archiver.stores.s3.objects import Objects
from archiver.stores.s3.versions import History, Version, decode, encode, find_version
from archiver.times import Clock

KEY_AGE_MS = 10_000
"""How long the newest version of an archive's key is taken to be the newest, where no cache says longer."""
LIST_AGE_MS = 2_000
"""How long what reading brought may serve one list."""


class ListingCache(Protocol):
    """Where listings lie on this machine while they are fresh."""

    def listing(self, key: str) -> bytes | None: ...

    def put_listing(self, key: str, data: bytes) -> None: ...

    def drop_listing(self, key: str) -> None: ...


class Index:
    """What lies under all names of the top level and of `archives/`, and single names that were found."""

    def __init__(self, objects: Objects, clock: Clock, cache: ListingCache | None) -> None:
        self._objects = objects
        self._clock = clock
        self._cache = cache
        self._key = sha256(f"listing\0{objects.location}".encode()).hexdigest()
        self._lock = threading.RLock()
        self._histories: dict[str, History] = {}
        self._made_ms: int | None = None
        self._serves_a_list = False
        self._found: dict[str, Version] = {}

    def find(self, name: str, *, prepare: bool = False) -> Version | None:
        """The version of a name that counts; None where it is not there, asked just now. `prepare`: list
        all names first where that was not done, as more of them will be asked for."""
        if prepare:
            self.prepare([name])
        with self._lock:
            version = self._known(name)
        if version is None:
            version = self._objects.find(name)
            if version is not None and not _is_key(name):
                with self._lock:
                    self._found[name] = version
        return version

    def is_known(self, name: str) -> bool:
        """Whether this is there for certain: put by this store, or in a listing that is fresh."""
        with self._lock:
            if name in self._found:
                return True
            return self._load_cached() and find_version(name, self._histories) is not None

    def _known(self, name: str) -> Version | None:
        if name in self._found:
            return self._found[name]
        if _is_key(name) and self._age() > KEY_AGE_MS and not self._is_fresh():
            return None
        return find_version(name, self._histories)

    def _is_fresh(self) -> bool:
        """Whether the cache has a listing that still counts."""
        return self._cache is not None and self._cache.listing(self._key) is not None

    def _age(self) -> float:
        return float("inf") if self._made_ms is None else abs(self._clock() - self._made_ms)

    def prepare(self, names: list[str]) -> None:
        """List all names if one of these is among those that are listed, and it was not done yet."""
        if not any("/" not in name or name.startswith("archives/") for name in names):
            return
        with self._lock:
            if self._made_ms is None and not self._load_cached():
                self._fetch()
                self._serves_a_list = True

    def archives(self) -> dict[str, History]:
        """What lies under all names of `archives/`, for a list."""
        with self._lock:
            serves = self._serves_a_list and self._age() <= LIST_AGE_MS
            self._serves_a_list = False
            if not serves and not self._load_cached():
                self._fetch()
            return {name: one for name, one in self._histories.items() if name.startswith("archives/")}

    def _fetch(self) -> None:
        """Two lists at once: the archives', and the few names beside them without what lies deeper."""
        began = self._clock()
        below = self._objects.connection.executor.submit(self._objects.list_below, "archives/")
        top = self._objects.list_below("", top_only=True)
        with self._objects.connection.interruptible():
            self._histories = below.result() | top
        self._made_ms = began
        if self._cache is not None:
            self._cache.put_listing(self._key, json.dumps([began, encode(self._histories)]).encode())

    def _load_cached(self) -> bool:
        data = None if self._cache is None else self._cache.listing(self._key)
        if data is None:
            return False
        try:
            made_ms, histories = json.loads(data)
            self._histories = decode(histories)
            self._made_ms = int(made_ms)
        except (ValueError, TypeError, RecursionError):
            return False
        return True

    def add(self, name: str, version: Version) -> None:
        """This store put it just now."""
        self.forget(name)
        if not _is_key(name):
            with self._lock:
                self._found[name] = version

    def forget(self, name: str) -> None:
        """What is known of a name is not true any more, and a list would not be."""
        with self._lock:
            self._found.pop(name, None)
            self._histories.pop(name, None)
            self._serves_a_list = False
            if self._cache is not None:
                self._cache.drop_listing(self._key)

    def forget_below(self, start: str) -> None:
        """As `forget`, of all names that begin so."""
        with self._lock:
            for name in [one for one in (*self._found, *self._histories) if one.startswith(start)]:
                self.forget(name)
            self.forget(start)


def _is_key(name: str) -> bool:
    return name.endswith("/key.age")
