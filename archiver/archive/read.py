"""Reading one sealed segment in place: store, age, Zstandard, SQLite, each authenticated or checked."""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

import apsw

from archiver.archive.read_ahead import ReadAhead
from archiver.archive.vfs import SegmentDatabase, Statement
from archiver.errors import ArchiverError, IntegrityError, repair_hint
from archiver.formats import FormatError, age
from archiver.formats.age.payload import SEALED_CHUNK_BYTES
from archiver.formats.age.reader import HEAD_BYTES
from archiver.formats.seekable_zstd import SeekableReader
from archiver.stores.base import Store

NOT_ITS_KEY = "its beginning was altered, or it is another archive's: the archive's key does not open it"
"""The key itself was found to be the manifest's (`archiver.keys.open_archive_key`), so the file is wrong."""

FIRST_BYTES = HEAD_BYTES + 4 * SEALED_CHUNK_BYTES
"""Of a segment far away, fetched on opening: age's header, and the roots of tables and indexes, which are
the database's first pages, as SQLite never moves a root; those that a search needs took 220 kB sealed."""
LAST_BYTES = 128 * 1024
"""Fetched on opening too: the seek table, 8 bytes for each frame, and age's last chunk. A segment of 256 MiB
has 1,300 frames."""
PAGE_CACHE_BYTES = 16 * 1024 * 1024
"""Of pages that SQLite keeps of an open segment; `limit_memory` lowers it where many are open."""
FRAME_CACHE_BYTES = 4 * 1024 * 1024
"""Of plain frames kept besides. A page of rows or of an index is a frame, so that only frames of 1 MiB, with
captures, are asked for again and again."""
KEPT_BYTES = 4 * 1024 * 1024
"""Of sealed bytes fetched of a segment far away, before a scan fetches more: what it has passed is let go
of. The 50 newest of a common word took 0.7 MiB of a segment."""
_NO_DAMAGE = (apsw.TooBigError, apsw.NoMemError, apsw.InterruptError, apsw.ThreadingViolationError)
"""What SQLite says of a question, not of a database."""
_ROUNDS = 12
"""How often `gather` looks again. A page of a table is found in two rounds; the rest is for long rows."""


class SegmentReader:
    """An open segment: `connection` is read only. Raise IntegrityError, naming the file, for altered
    bytes, and for a file that the archive's own key does not open.

    Of a store that is far away, its beginning and its end are fetched together. Not for several threads at
    once."""

    def __init__(self, store: Store, name: str, identity: age.Identity) -> None:
        self.name = name
        self.is_near = store.is_near
        self._limits = FRAME_CACHE_BYTES, PAGE_CACHE_BYTES
        self._stored = store.open_random(name)
        try:
            self._stored.prefetch([(0, FIRST_BYTES), (max(0, self._stored.size - LAST_BYTES), LAST_BYTES)])
            self.sealed = age.SeekReader(self._stored, [identity])
            self.frames = SeekableReader(self.sealed, cache_bytes=FRAME_CACHE_BYTES)
            source = self.frames if self.is_near else ReadAhead(self.frames, self._is_at_hand, self._prefetch)
            self._database = SegmentDatabase.read(
                source, cache_bytes=PAGE_CACHE_BYTES, is_at_hand=self._is_at_hand
            )
        except (FormatError, ArchiverError, apsw.Error) as error:
            self._stored.close()
            raise self._translated(error) from error
        self.connection = self._database.connection

    @property
    def requests(self) -> int:
        """Made of the store for this segment so far."""
        return self._stored.requests

    def _is_at_hand(self, offset: int, length: int) -> bool:
        return self.frames.holds(offset, length) or self._stored.is_at_hand(*self._locate(offset, length))

    def _locate(self, offset: int, length: int) -> tuple[int, int]:
        """Where in the stored file a part of the plain database lies."""
        return self.sealed.locate(*self.frames.locate(offset, length))

    def _prefetch(self, offset: int, length: int) -> None:
        self._stored.let_go_beyond(KEPT_BYTES)
        self._stored.prefetch([self._locate(offset, length)])

    def gather(self, statements: Iterable[Statement]) -> None:
        """Of a segment that is far away, have at hand all that these statements read; do nothing for a near
        one. Where statements lack something, what each lacks first is fetched together, and they are run
        again: so many at once take as many rounds of requests as one. Raise ArchiverError where the store
        fails. A statement that is wrong or reads altered bytes says so when it is run for its rows."""
        if self.is_near:
            return
        waiting: Sequence[Statement] = list(statements)
        for number in range(_ROUNDS):
            lacking, waiting = self._database.lacking(waiting)
            if not lacking:
                return
            # A row that goes on over several pages shows one after the other: look further each time.
            further = 1 << max(0, number - 1)
            self._stored.prefetch([self._locate(offset, length * further) for offset, length in lacking])

    def limit_memory(self, frame_bytes: int, page_bytes: int) -> None:
        """Keep at most so many bytes of plain frames and of SQLite's pages, from now on."""
        limits = min(frame_bytes, FRAME_CACHE_BYTES), min(page_bytes, PAGE_CACHE_BYTES)
        if limits != self._limits:
            self._limits = limits
            self.frames.limit_cache(limits[0])
            self._database.limit_cache(limits[1])

    def let_go(self) -> None:
        """Of a segment that was read through: let go of what was read; of one far away, of its sealed bytes
        too, where they are more than a little. Whoever reads it again has those from the cache on disk, or
        asks for them once more."""
        self._stored.let_go_beyond(KEPT_BYTES)
        self.frames.clear_cache()
        self._database.clear_cache()

    def _translated(self, error: Exception) -> ArchiverError:
        if isinstance(error, ArchiverError):
            ours = error
        else:
            what = NOT_ITS_KEY if isinstance(error, age.NoMatchError) else str(error)
            ours = IntegrityError(f"{self.name}: {what}", repair_hint(self._archive))
        ours.archive = self._archive
        return ours

    @property
    def _archive(self) -> str:
        return self.name.split("/")[-2] if "/" in self.name else self.name

    def translated(self, error: apsw.Error) -> ArchiverError:
        """Ours for a failed query: IntegrityError for altered bytes below SQLite, and for a database that is
        not one or lacks what it must have."""
        cause = self._database.error or error
        if isinstance(cause, _NO_DAMAGE) or (
            isinstance(cause, apsw.SQLError) and "no such" not in str(cause)
        ):
            return ArchiverError(f"{self.name} could not be searched: {cause}", "search for less in one go")
        return self._translated(cause)

    def close(self) -> None:
        self._database.close()
        self._stored.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
