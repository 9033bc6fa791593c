"""The collector's own SQLite files: durable on every commit, private, their errors named.

`PRAGMA user_version` numbers what a file's tables mean. It is raised where a program that does not know of a
change could spoil what it writes into, not for a table more: that the older one leaves alone. A file without
a number is of the first.

WAL with synchronous=FULL: a commit that returned survives a power cut (SQLite, "Write-Ahead Logging").
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from archiver.disk import is_full, os_errors_reported
from archiver.errors import ArchiverError, IntegrityError, ending_run, newer_version

FIRST_VERSION = 1
_FULL_HINT = "free some space and run the same command again; nothing captured is lost"


class LocalDatabase:
    """An open SQLite file. `damaged_hint` says what to do should its bytes not be a database's; `version` is
    that of its schema. Raise NewerVersionError, changing nothing, where the file has a higher one."""

    def __init__(
        self,
        path: Path,
        schema: str,
        *,
        damaged_hint: str,
        cache_bytes: int = 8 * 1024 * 1024,
        version: int = FIRST_VERSION,
    ) -> None:
        self.path = path
        self._damaged_hint = damaged_hint
        with os_errors_reported("creating", path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _require_file(path)
        with self.translated():
            self.connection = apsw.Connection(str(path))
            self.connection.set_busy_timeout(30_000)
            found = self._require_known(version)
            for pragma in (
                "temp_store=MEMORY",
                "journal_mode=WAL",
                "synchronous=FULL",
                f"cache_size=-{cache_bytes // 1024}",
                "wal_autocheckpoint=4000",
                "journal_size_limit=0",
            ):
                self.connection.execute(f"PRAGMA {pragma}").fetchall()
            self.connection.execute(schema)
            if found != version:
                self.connection.execute(f"PRAGMA user_version={version}")

    def _require_known(self, version: int) -> int:
        """The number of the file's tables, 0 of one that has none. Raise NewerVersionError for a higher one
        than this program knows; nothing was written by then."""
        rows: list[Any] = self.connection.execute("PRAGMA user_version").fetchall()
        found = int(rows[0][0])
        if found > version:
            self.connection.close()
            raise newer_version(str(self.path), f"tables of version {found}, and this one knows {version}")
        return found

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise ours for SQLite's errors: full disk, damaged file, anything else."""
        try:
            yield
        except (apsw.FullError, apsw.IOError) as error:
            if isinstance(error, apsw.FullError) or self._is_full():
                full = ArchiverError(f"the disk is full while writing {self.path}", _FULL_HINT)
                raise ending_run(full) from error
            raise ArchiverError(f"{self.path}: {error}", "check the disk and its mount") from error
        except (apsw.CorruptError, apsw.NotADBError) as error:
            damaged = IntegrityError(f"{self.path} is damaged: {error}", self._damaged_hint)
            raise ending_run(damaged) from error
        except apsw.Error as error:
            raise ArchiverError(f"{self.path}: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """Everything inside, durable when the block ends; or nothing."""
        with self.translated(), self.connection:
            yield self.connection

    def close(self) -> None:
        self.connection.close()

    def _is_full(self) -> bool:
        """SQLite says "full" for ENOSPC alone, "I/O error" for a quota and a limit on the file's size; and
        a file mapped into memory (the WAL's index) fails for want of space with no number at all."""
        opened: apsw.Connection | None = getattr(self, "connection", None)
        if opened is not None and is_full(opened.system_errno):
            return True
        status = os.statvfs(self.path.parent)
        return status.f_bavail * status.f_frsize < 1024 * 1024


def _require_file(path: Path) -> None:
    """Make the file, private, where there is none. Raise OSError, and ArchiverError for a pipe or the like:
    SQLite would wait for what comes out of it, for ever."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o600)
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    finally:
        os.close(descriptor)
    if not is_file:
        raise not_a_file(path)


def not_a_file(path: Path) -> ArchiverError:
    """What is said of a folder, a pipe or the like in a file's place."""
    return ArchiverError(f"{path} is no file", "move away what is in its place")
