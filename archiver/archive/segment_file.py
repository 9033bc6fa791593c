"""The one file that SQLite sees of a segment, which is not on disk: a segment being built, compressed in
memory while it grows, or a sealed one being read. What is asked of each is SQLite's interface to files
(SQLite, "The OS Backend (VFS) To SQLite").
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Protocol

import apsw
import zstandard

FRAME_BYTES = 64 * 1024
"""Of the database in one frame where searches read: rows and indexes."""
BULK_FRAME_BYTES = 1024 * 1024
"""In one frame where only a record's verbatim bytes are: a tenth smaller than frames of 64 KiB."""

Range = tuple[int, int]
"""A part of the plain database: offset and length in bytes."""

_SQLITE_IOCAP_IMMUTABLE = apsw.SQLITE_IOCAP_IMMUTABLE


class PlainSource(Protocol):
    """A sealed segment's plain database: any part of it, authenticated."""

    @property
    def size(self) -> int: ...

    def read_at(self, offset: int, length: int, /) -> bytes: ...


class _LockFreeFile:
    """What SQLite asks of a file that nobody else can open."""

    def xLock(self, level: int) -> None:  # noqa: N802
        pass

    def xUnlock(self, level: int) -> None:  # noqa: N802
        pass

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xSync(self, flags: int) -> None:  # noqa: N802
        pass

    def xClose(self) -> None:  # noqa: N802
        pass

    def xFileControl(self, op: int, pointer: int) -> bool:  # noqa: N802
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        return 4096


class GrowingFile(_LockFreeFile):
    """A database in memory that is compressed while it grows.

    Chunks not written for a while are compressed (they are the sealed segment's frames already) and
    only the last `hot_bytes` stay plain. So a segment's memory is its compressed size plus that."""

    def __init__(self, *, hot_bytes: int, level: int) -> None:
        self._hot: OrderedDict[int, bytearray] = OrderedDict()
        self._cold: dict[int, tuple[int, int]] = {}
        # All frames in one buffer: a hundred kilobytes each between the chunks they came from, they kept
        # the allocator from reusing those, and a segment of 256 MiB took 150 MiB more.
        self._frames = bytearray()
        self._hot_bytes = 0
        self._hot_limit = hot_bytes
        self._small_chunks = 1 << 62
        self._compressor = zstandard.ZstdCompressor(level=level, write_checksum=True)
        self._decompressor = zstandard.ZstdDecompressor()
        self._thawed: tuple[int, bytes] = (-1, b"")
        self.size = 0

    def release(self) -> None:
        """Give its memory back now, whoever still refers to it."""
        self._hot.clear()
        self._cold.clear()
        self._frames = bytearray()
        self._thawed = (-1, b"")
        self.size = 0

    def begin_bulk(self, offset: int) -> None:
        """From this offset on (at least the size so far), cut larger frames."""
        self._small_chunks = -(-max(offset, self.size) // FRAME_BYTES)

    def frames(self) -> Iterator[tuple[bytes, int]]:
        """Each chunk in order as a finished Zstandard frame and its plain size; empties the file."""
        offset = index = 0
        while offset < self.size:
            plain_size = min(self._chunk_bytes(index), self.size - offset)
            if index in self._hot:
                frame = self._compressor.compress(memoryview(self._hot.pop(index))[:plain_size])
            elif plain_size == self._chunk_bytes(index):
                frame = self._cold_frame(index)
            else:  # the last one, compressed before it was the last
                frame = self._compressor.compress(
                    self._decompressor.decompress(self._cold_frame(index))[:plain_size]
                )
            yield frame, plain_size
            offset += plain_size
            index += 1

    def _cold_frame(self, index: int) -> bytes:
        start, length = self._cold[index]
        return bytes(memoryview(self._frames)[start : start + length])

    def _chunk_bytes(self, index: int) -> int:
        return FRAME_BYTES if index < self._small_chunks else BULK_FRAME_BYTES

    def _locate(self, offset: int) -> tuple[int, int]:
        """The chunk an offset is in, and where in it."""
        index, start = divmod(offset, FRAME_BYTES)
        if index < self._small_chunks:
            return index, start
        index, start = divmod(offset - self._small_chunks * FRAME_BYTES, BULK_FRAME_BYTES)
        return index + self._small_chunks, start

    def _chunk(self, index: int) -> bytes | bytearray:
        hot = self._hot.get(index)
        if hot is not None:
            return hot
        if self._thawed[0] != index:
            self._thawed = (index, self._decompressor.decompress(self._cold_frame(index)))
        return self._thawed[1]

    def _writable(self, index: int) -> bytearray:
        hot = self._hot.get(index)
        if hot is not None:
            self._hot.move_to_end(index)
            return hot
        size = self._chunk_bytes(index)
        if index in self._cold:
            hot = bytearray(self._decompressor.decompress(self._cold_frame(index)))
            del self._cold[index]
        else:
            hot = bytearray(size)
        if self._thawed[0] == index:
            self._thawed = (-1, b"")
        self._hot[index] = hot
        self._hot_bytes += size
        while self._hot_bytes > self._hot_limit and len(self._hot) > 1:
            coldest, chunk = self._hot.popitem(last=False)
            self._hot_bytes -= len(chunk)
            frame = self._compressor.compress(chunk)
            self._cold[coldest] = (len(self._frames), len(frame))
            self._frames += frame
        return hot

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        if offset >= self.size:
            return b""
        # Pages are powers of two no larger than a chunk, so none crosses a chunk's end.
        index, start = self._locate(offset)
        return bytes(self._chunk(index)[start : start + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        index, start = self._locate(offset)
        end = offset + len(data)
        if end > self.size:
            # A hole between the old end and this write must read as zeros.
            first_missing = self._locate(self.size - 1)[0] + 1 if self.size else 0
            for missing in range(first_missing, index):
                self._writable(missing)
            self.size = end
        self._writable(index)[start : start + len(data)] = data

    def xTruncate(self, size: int) -> None:  # noqa: N802
        # What lies behind the new end must read as zeros should the file grow over it again.
        offset = size
        while offset < self.size:
            index, start = self._locate(offset)
            self._writable(index)[start:] = bytes(self._chunk_bytes(index) - start)
            offset += self._chunk_bytes(index) - start
        self.size = min(size, self.size)

    def xFileSize(self) -> int:  # noqa: N802
        return self.size

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return 0


class SealedFile(_LockFreeFile):
    """A sealed segment as SQLite sees it: immutable, every write refused.

    While `lacking` is a set, nothing is waited for: a read of what `is_at_hand` denies fails, and is noted
    in it."""

    def __init__(self, source: PlainSource, is_at_hand: Callable[[int, int], bool]) -> None:
        self._source = source
        self._is_at_hand = is_at_hand
        self._size = source.size
        self.error: Exception | None = None
        self.lacking: set[Range] | None = None

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        if self.lacking is not None and not self._is_at_hand(offset, amount):
            self.lacking.add((offset, amount))
            raise apsw.IOError("this part is not at hand")
        try:
            return self._source.read_at(offset, min(amount, max(0, self._size - offset)))
        except Exception as error:  # kept for the caller: SQLite passes on only a code
            self.error = error
            raise apsw.IOError("the sealed segment could not be read") from error

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        raise apsw.ReadOnlyError("a sealed segment is never written")

    def xTruncate(self, size: int) -> None:  # noqa: N802
        raise apsw.ReadOnlyError("a sealed segment is never written")

    def xFileSize(self) -> int:  # noqa: N802
        return self._size

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return _SQLITE_IOCAP_IMMUTABLE
