"""SQLite on one file that is not on disk: a segment being built, or a sealed one being read.

Both refuse every name but their own, so no journal, no temporary file and no attached database can
put plaintext anywhere. Pages reach SQLite through apsw's VFS (SQLite, "The OS Backend (VFS) To SQLite").
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import apsw

from archiver.archive.segment_file import GrowingFile, PlainSource, Range, SealedFile

Statement = tuple[str, Sequence[Any]]
"""SQL and its values."""


class _OneFileVFS(apsw.VFS):
    """Knows one name; opening any other fails."""

    def __init__(self, name: str, file: Any) -> None:
        self._name = name
        self._file = file
        super().__init__(name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802  # SQLite's name
        file_name = name.filename() if isinstance(name, apsw.URIFilename) else name
        if file_name != self._name or not flags[0] & apsw.SQLITE_OPEN_MAIN_DB:
            raise apsw.CantOpenError(f"only {self._name} can be opened here")
        flags[1] = flags[0]
        return self._file

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return name

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802
        return False

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        raise apsw.IOError("nothing can be deleted here")

    def xRandomness(self, numbytes: int) -> bytes:  # noqa: N802
        return b"\0" * numbytes  # only temporary names would need it, and there are none

    def xSleep(self, microseconds: int) -> int:  # noqa: N802
        return 0

    def xCurrentTime(self) -> float:  # noqa: N802
        return 2440587.5  # 1970-01-01 as a Julian day: a sealed database does not know the time

    def xCurrentTimeInt64(self) -> int:  # noqa: N802
        return 210866760000000

    def xGetLastError(self) -> tuple[int, str]:  # noqa: N802
        return (0, "")


class SegmentDatabase:
    """A connection on one file of the kinds above, with the VFS that must outlive it."""

    _numbers = count(1)  # taking the next one is safe from several threads

    def __init__(self, file: GrowingFile | SealedFile, flags: int) -> None:
        name = f"archiver-segment-{next(self._numbers)}"
        self._file = file
        self._vfs: _OneFileVFS | None = _OneFileVFS(name, file)
        try:
            self.connection = apsw.Connection(name, flags=flags, vfs=name)
        except apsw.Error:
            self._vfs.unregister()
            raise

    @property
    def error(self) -> Exception | None:
        """Why the last read failed, below SQLite."""
        return self._file.error if isinstance(self._file, SealedFile) else None

    def lacking(self, statements: Sequence[Statement]) -> tuple[set[Range], list[Statement]]:
        """Run statements as far as what is at hand lets them: the parts that they lack, a first one each,
        and the statements that could not be run to their end."""
        if not isinstance(self._file, SealedFile):
            raise TypeError("a segment that is being built lacks nothing")
        lacking: set[Range] = set()
        unfinished = []
        self._file.lacking = lacking
        try:
            for sql, values in statements:
                try:
                    self.connection.execute(sql, values).fetchall()
                except apsw.Error:  # whatever else is wrong is told when it is run for its rows
                    unfinished.append((sql, values))
        finally:
            self._file.lacking = None
        return lacking, unfinished

    def limit_cache(self, cache_bytes: int) -> None:
        """From now on let SQLite keep at most so many bytes of pages, and drop at once what is more."""
        self.connection.execute(f"PRAGMA cache_size=-{cache_bytes // 1024}").fetchall()

    def clear_cache(self) -> None:
        """Drop all pages that SQLite keeps."""
        self.connection.execute("PRAGMA shrink_memory").fetchall()

    def close(self) -> None:
        self.connection.close()
        if self._vfs is not None:
            self._vfs.unregister()
            self._vfs = None

    @classmethod
    def create(cls, file: GrowingFile, *, page_bytes: int, cache_bytes: int) -> "SegmentDatabase":
        """An empty database whose every byte stays in memory: no journal, no temporary file."""
        database = cls(file, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
        for pragma in (
            f"page_size={page_bytes}",
            "locking_mode=EXCLUSIVE",
            "journal_mode=OFF",
            "synchronous=OFF",
            "temp_store=MEMORY",
            f"cache_size=-{cache_bytes // 1024}",
        ):
            database.connection.execute(f"PRAGMA {pragma}").fetchall()
        return database

    @classmethod
    def read(
        cls,
        source: PlainSource,
        *,
        cache_bytes: int = 8 * 1024 * 1024,
        is_at_hand: Callable[[int, int], bool] = lambda offset, length: True,
    ) -> "SegmentDatabase":
        """A sealed segment, read only. `is_at_hand`: whether reading a part of it waits for nothing."""
        file = SealedFile(source, is_at_hand)
        try:
            database = cls(file, apsw.SQLITE_OPEN_READONLY)
        except apsw.Error as error:  # opening reads the first page
            raise file.error or error from None
        database.limit_cache(cache_bytes)
        database.connection.execute("PRAGMA temp_store=MEMORY")
        database.connection.execute("PRAGMA trusted_schema=OFF")
        return database
