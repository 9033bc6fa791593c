"""A segment of what lies in the spool, which was built in memory and is written nowhere.

It is read as a sealed one is, but for the encryption. So one of a first import that is not sealed yet takes
no more memory than its compressed size, and SQLite cannot write to it.
"""

import apsw

from archiver.archive.manifest import File
from archiver.archive.read import FRAME_CACHE_BYTES, PAGE_CACHE_BYTES
from archiver.archive.vfs import SegmentDatabase
from archiver.errors import ArchiverError
from archiver.formats.seekable_zstd import SeekableReader
from archiver.seal.segment_build import SegmentBuild

SPOOL = "spool"
"""Stands for the archive of what is in none yet."""


class UnsealedSegment:
    """Records of the spool as an open segment; `connection` is read only.

    `problems`: of records that are kept and were not understood; no search finds them. `last_page`: the
    highest id of the pages it was built of. `mark`: of the sealing that was taking these pages, if one was
    under way: in a vault that has an archive whose manifest has this mark, all of them are in that."""

    name = SPOOL
    is_near = True
    requests = 0

    def __init__(self, file: File, frames: bytes, build: SegmentBuild, mark: str | None) -> None:
        """`frames`: a seekable Zstandard file."""
        self.file = file
        self.mark = mark
        self.problems = tuple(build.problems)
        self.records = sum(build.changes.values()) - len(self.problems)
        self.last_page = max(page.id for page in build.plan.pages)
        self.sealed = _InMemory(frames)
        self.frames = SeekableReader(self.sealed, cache_bytes=FRAME_CACHE_BYTES)
        self._database = SegmentDatabase.read(self.frames, cache_bytes=PAGE_CACHE_BYTES)
        self.connection = self._database.connection

    @property
    def unparsed(self) -> int:
        return len(self.problems)

    def gather(self, statements: object) -> None:
        """Nothing: all is at hand."""

    def limit_memory(self, frame_bytes: int, page_bytes: int) -> None:
        """Keep at most so many bytes of plain frames and of SQLite's pages, from now on."""
        self.frames.limit_cache(min(frame_bytes, FRAME_CACHE_BYTES))
        self._database.limit_cache(min(page_bytes, PAGE_CACHE_BYTES))

    def let_go(self) -> None:
        """Drop what was decompressed."""
        self.frames.clear_cache()
        self._database.clear_cache()

    def translated(self, error: apsw.Error) -> ArchiverError:
        """Ours for a failed query."""
        return about_spool(ArchiverError(f"the open spool: {self._database.error or error}"))

    def close(self) -> None:
        self._database.close()
        self.frames.clear_cache()
        self.sealed.release()


class _InMemory:
    """A segment's frames. They were never encrypted: nothing is counted as read of a store."""

    chunks_read = 0
    bytes_read = 0

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        return len(self._data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]

    def release(self) -> None:
        self._data = b""


def about_spool(error: ArchiverError) -> ArchiverError:
    """The same error, which is about the spool, as others are about an archive."""
    error.archive = SPOOL
    return error
