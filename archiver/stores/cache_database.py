"""The SQLite file of the cache, and what to do when it fails: nothing that befalls it is an error for who
uses it. What cannot be read counts as absent, what cannot be written is not kept, and `problem` says why.

WAL with synchronous=OFF: a power cut may cost the cache, which is then begun anew.
"""

import atexit
import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import apsw

Result = TypeVar("Result")
BUSY_MILLISECONDS = 2000
"""Others write for some milliseconds at a time; what is locked longer is given up for this run."""
_VERSION = 1
_READ_VERSION = "PRAGMA user_version"
_SCHEMA = """
PRAGMA user_version = 1;
CREATE TABLE extent (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    used_ms INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX extent_by_place ON extent (key, start);
CREATE INDEX extent_by_use ON extent (used_ms);
-- apart, so that noting a use does not write the bytes again
CREATE TABLE body (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE total (bytes INTEGER NOT NULL) STRICT;
INSERT INTO total VALUES (0);
CREATE TRIGGER extent_added AFTER INSERT ON extent BEGIN
    UPDATE total SET bytes = bytes + new.length;
END;
CREATE TRIGGER extent_deleted AFTER DELETE ON extent BEGIN
    DELETE FROM body WHERE id = old.id;
    UPDATE total SET bytes = bytes - old.length;
END;
CREATE TABLE listing (
    key TEXT PRIMARY KEY, saved_ms INTEGER NOT NULL, digest BLOB NOT NULL, data BLOB NOT NULL
) STRICT;
"""
_PRAGMAS_OF_A_NEW_FILE = (
    "page_size=16384",  # four to a sealed chunk
    "auto_vacuum=INCREMENTAL",
)
_PRAGMAS = (
    "temp_store=MEMORY",
    "journal_mode=WAL",
    "synchronous=OFF",
    "cache_size=-4096",
)
_DAMAGED = (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, apsw.FormatError)
"""What says that the file is not what this module wrote: it is deleted and begun anew, once."""


class CacheDatabase:
    """The file at a path, opened when it is first used, made when it is first written to: the file 0600, its
    folder 0700. `enabled` False: it is never touched. Used by several threads at once; each process opens it
    for itself, after a fork too. `before_close` is a last act of writing."""

    def __init__(self, path: Path, *, enabled: bool, before_close: Callable[[apsw.Connection], None]) -> None:
        self.path = path
        self.problem: str | None = None
        self._before_close = before_close
        self._connection: apsw.Connection | None = None
        self._reads = self._writes = enabled
        self._begun_anew = False
        self.lock = threading.Lock()
        with _FORKING:  # a set that grows cannot be gone through
            _OPEN.add(self)

    def read(self, act: Callable[[apsw.Connection], Result]) -> Result | None:
        with self.lock:
            return self._attempt(act, writes=False)

    def write(self, act: Callable[[apsw.Connection], object]) -> None:
        with self.lock:
            self._attempt(act, writes=True)

    def change(self, act: Callable[[apsw.Connection], object]) -> None:
        """Write to what is there; where there is no cache yet, none is made."""
        with self.lock:
            if self._connection is not None or self._is_there():
                self._attempt(act, writes=True)

    def _is_there(self) -> bool:
        return self._reads and os.path.exists(self.path)

    def _attempt(self, act: Callable[[apsw.Connection], Result], *, writes: bool) -> Result | None:
        """What the act returns; None where the cache is not there or cannot do it. A write that failed is
        the last one of this process, a read that failed the last use: waiting for it each time would cost
        more than it gains."""
        if not (self._writes if writes else self._reads):
            return None
        try:
            try:
                return self._act(act, writes=writes)
            except _DAMAGED as error:
                self._begin_anew(error)
                return self._act(act, writes=writes)
        except (apsw.Error, OSError, MemoryError) as error:  # a damaged length can ask for any memory
            self.problem = self.problem or f"{self.path}: {error}"
            self._writes = False
            self._reads = self._reads and writes
            return None

    def _act(self, act: Callable[[apsw.Connection], Result], *, writes: bool) -> Result | None:
        if self._connection is None:
            if not writes and not self._is_there():
                return None
            self._connection = self._open()
        return act(self._connection)

    def _open(self) -> apsw.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.fchmod(descriptor, 0o600)  # also where it was made by somebody careless
        finally:
            os.close(descriptor)
        database = apsw.Connection(str(self.path))
        try:
            database.set_busy_timeout(BUSY_MILLISECONDS)
            new = read_number(database, "PRAGMA page_count") == 0
            for pragma in (*(_PRAGMAS_OF_A_NEW_FILE if new else ()), *_PRAGMAS):
                database.execute(f"PRAGMA {pragma}").fetchall()
            database.transaction_mode = "IMMEDIATE"
            if read_number(database, _READ_VERSION) == 0:
                _make_tables(database)
            if read_number(database, _READ_VERSION) != _VERSION:
                raise apsw.NotADBError("it was written by another version")
        except BaseException:
            database.close()
            raise
        return database

    def _begin_anew(self, error: apsw.Error) -> None:
        """Delete a file that is damaged, once; raise the error the second time."""
        if self._begun_anew:
            raise error
        self._begun_anew = True
        self._disconnect()
        for ending in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file. A later use opens it again."""
        with self.lock:
            self.disconnect()

    def disconnect(self) -> None:
        """`close`, with the lock held."""
        if self._connection is not None:
            self._attempt(self._before_close, writes=True)
        self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(apsw.Error):
                connection.close()


def whole(value: object) -> int:
    """A number from a row. Raise apsw.CorruptError for anything else: damage can make a row say anything."""
    if isinstance(value, int):
        return value
    raise apsw.CorruptError("a number is none")


def read_number(database: apsw.Connection, statement: str) -> int:
    """The one number that a statement gives."""
    (value,) = database.execute(statement).fetchone() or (None,)
    return whole(value)


def _make_tables(database: apsw.Connection) -> None:
    """Unless another process made them meanwhile."""
    with database:
        if read_number(database, _READ_VERSION) == 0:
            database.execute(_SCHEMA)


_OPEN: "weakref.WeakSet[CacheDatabase]" = weakref.WeakSet()
_FORKING = threading.Lock()
_held_for_fork: list[CacheDatabase] = []


def _before_fork() -> None:
    """Close each file: SQLite's locks belong to the process, and a child must not believe to have them."""
    _FORKING.acquire()
    for database in list(_OPEN):
        database.lock.acquire()
        _held_for_fork.append(database)
        database.disconnect()


def _after_fork() -> None:
    while _held_for_fork:
        _held_for_fork.pop().lock.release()
    _FORKING.release()


def _before_exit() -> None:
    """Note what was used of each: what is used goes last when room is made. A thread that is still at work
    with one at a process's end keeps nobody waiting: then it is not noted."""
    with _FORKING:
        databases = list(_OPEN)
    for database in databases:
        if database.lock.acquire(timeout=BUSY_MILLISECONDS / 1000):
            try:
                database.disconnect()
            finally:
                database.lock.release()


atexit.register(_before_exit)
os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
