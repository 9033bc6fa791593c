"""The collector's files as they are at one instant, for whoever only reads them: nothing is written, nothing
is waited for, whoever else is at work."""

import stat
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw
import msgspec
import zstandard

from archiver.disk import os_errors_reported
from archiver.keys import Identity
from archiver.local_database import FIRST_VERSION, LocalDatabase, not_a_file
from archiver.progress import ProgressNotes
from archiver.register.table import RegisterTable
from archiver.spool import DAMAGED_HINT, SCHEMA, Page, Spool
from archiver.spool.counting import SPOOL_FILE

_WAIT_MS = 10_000
"""For another run that is opening or closing the file: milliseconds, but for a stalled disk."""


class SnapshotDatabase(LocalDatabase):
    """An open SQLite file as it was when it was opened, read only.

    While another run has it open, its log (WAL) is read with it, in one transaction. Without a log SQLite
    would have to make one to read by; such a file is `at_rest` and is read as if it could not change. Should
    it change all the same, `was_written` tells, and what was read is not to be used. Tables of the schema
    that an earlier version did not make are there as empty ones."""

    def __init__(
        self,
        path: Path,
        schema: str,
        *,
        damaged_hint: str,
        at_rest: bool = True,
        version: int = FIRST_VERSION,
    ) -> None:
        self.path = path
        self._damaged_hint = damaged_hint
        with os_errors_reported("reading", path):
            self._before = _file_state(path)
            self._at_rest = at_rest and not _has_log(path)
        mode = "immutable=1" if self._at_rest else "mode=ro"
        with self.translated():
            self.connection = apsw.Connection(
                f"file:{quote(str(path.absolute()))}?{mode}",
                flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
            )
            self.connection.set_busy_timeout(_WAIT_MS)
            self.connection.execute("PRAGMA temp_store=MEMORY")
            self.connection.execute("BEGIN")
            # This begins the snapshot. A file without a table is just being made.
            rows: list[Any] = self.connection.execute("SELECT name FROM sqlite_schema").fetchall()
            self.is_made = bool(rows)
            self._require_known(version)
            self._add_lacking(schema, {row[0] for row in rows})

    def _add_lacking(self, schema: str, there: set[str]) -> None:
        """Tables in memory, for this connection alone, in place of those that the file has not."""
        for name, sql in _tables_of(schema):
            if name not in there:
                self.connection.execute(sql.replace("CREATE TABLE", "CREATE TEMP TABLE", 1))

    def was_written(self) -> bool:
        """Whether what was read may be of several instants."""
        with os_errors_reported("reading", self.path):
            return self._at_rest and (_has_log(self.path) or _file_state(self.path) != self._before)


def _tables_of(schema: str) -> list[tuple[str, str]]:
    """The name of each table of a schema, and the statement that makes it."""
    with closing(apsw.Connection(":memory:")) as database:
        database.execute(schema)
        rows: list[Any] = database.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
    return [(str(name), str(sql)) for name, sql in rows]


def _has_log(path: Path) -> bool:
    try:
        return path.with_name(path.name + "-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def _file_state(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for, for ever
        raise not_a_file(path)
    return status.st_ino, status.st_size, status.st_mtime_ns


class SpoolReader(Spool):
    """A spool that is there, as it was when it was opened: what it tells stays the same, also of pages that a
    sealing takes away meanwhile. Whatever writes fails.

    Raise as `Spool` does where it was made for another identity or is damaged."""

    def __init__(self, folder: Path, identity: Identity, *, at_rest: bool = True) -> None:
        self._decoder = msgspec.msgpack.Decoder(Page)
        self._decompressor = zstandard.ZstdDecompressor()
        self.folder = folder
        self.identity = identity
        self.snapshot = SnapshotDatabase(
            folder / SPOOL_FILE, SCHEMA, damaged_hint=DAMAGED_HINT, at_rest=at_rest
        )
        self._local = self.snapshot
        self._database = self.snapshot.connection
        self.progress = ProgressNotes(self.snapshot)
        self.register = RegisterTable(self.snapshot)
        try:
            if self.snapshot.is_made:
                self.is_made_for_identity()
        except BaseException:
            self.close()
            raise

    def is_empty(self) -> bool:
        return not self.snapshot.is_made or super().is_empty()
