"""Zstandard's seekable format: independent frames, and their sizes in a last, skippable frame.

`zstd -d` reads the whole as any Zstandard file; `SeekableReader` finds a byte range by reading the seek
table and the frames which that range touches.

Source: facebook/zstd, contrib/seekable_format/zstd_seekable_compression_format.md, version 0.1.0, and
RFC 8878 for the frames. The table's own optional checksums (XXH64) are skipped over when read and never
written: a frame carries its own content checksum, which `checksums=True` turns on. Nothing in the format
protects the table itself: whoever may be handed an altered one wraps the file in something authenticated.
"""

import struct
import sys
import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import accumulate
from types import TracebackType
from typing import Protocol, Self, TypeAlias

import zstandard

from archiver.formats.errors import FormatError

SKIPPABLE_MAGIC = 0x184D2A5E
SEEKABLE_MAGIC = 0x8F92EAB1
MAX_FRAMES = 0x8000000  # the reference implementation's own limits
MAX_FRAME_SIZE = 0x40000000
DEFAULT_FRAME_SIZE = 65536
_HEADER = struct.Struct("<II")
_FOOTER = struct.Struct("<IBI")
_CHECKSUM_FLAG = 0x80
_RESERVED_BITS = 0x7C
_MAX_EMPTY_FRAME = 25  # RFC 8878: a header of at most 18 bytes, one block header of 3, a checksum of 4
_BATCH_BYTES = 1 << 20  # one frame a job cost more in hand-overs than the second core gave
_RUN_BYTES = 1 << 20  # neighbouring frames are read from the source in one request of about this size

BytesLike: TypeAlias = bytes | bytearray | memoryview


class SeekableError(FormatError):
    """Bytes that are not a seekable Zstandard file, or a frame other than its table says."""


class Destination(Protocol):
    """Where a writer puts its bytes."""

    def write(self, data: bytes, /) -> object: ...


class RandomSource(Protocol):
    """Bytes of a known number which may be read anywhere."""

    @property
    def size(self) -> int: ...

    def read_at(self, offset: int, length: int) -> bytes: ...


class FrameCompressor:
    """Compresses single frames, from any number of threads: each gets a context of its own."""

    def __init__(self, *, level: int = 3, checksums: bool = False) -> None:
        self._level = level
        self._checksums = checksums
        self._local = threading.local()

    def compress_frame(self, plain: BytesLike) -> bytes:
        """Given the plain bytes of one frame, return the frame, its content size declared in it."""
        compressor: zstandard.ZstdCompressor | None = getattr(self._local, "compressor", None)
        if compressor is None:
            compressor = zstandard.ZstdCompressor(level=self._level, write_checksum=self._checksums)
            self._local.compressor = compressor
        return compressor.compress(plain)


class SeekableWriter:
    """Cuts what is written into frames and ends them with a seek table.

    `frame_size` is in plain bytes and may be changed at any time; it holds from the next byte written.
    With `threads` above 1 frames are compressed beside the caller and written in their order by it.
    As a context manager it writes the table only when the block ends without an exception, so that a
    file cut short does not pass for a whole one. The destination stays open.
    """

    def __init__(
        self,
        destination: Destination,
        *,
        frame_size: int = DEFAULT_FRAME_SIZE,
        level: int = 3,
        checksums: bool = False,
        threads: int = 1,
    ) -> None:
        self.frame_size = frame_size
        self._destination = destination
        self._compressor = FrameCompressor(level=level, checksums=checksums)
        self._pending = bytearray()
        self._entries = array("I")
        self._pipeline = _Pipeline(self._compressor, threads) if threads > 1 else None
        self._closed = False
        self.plain_size = 0
        self.compressed_size = 0

    @property
    def frame_size(self) -> int:
        """Plain bytes in a frame that is not ended early."""
        return self._frame_size

    @frame_size.setter
    def frame_size(self, value: int) -> None:
        if not 1 <= value <= MAX_FRAME_SIZE:
            raise ValueError(f"frame size {value} is not within 1 and {MAX_FRAME_SIZE} bytes")
        self._frame_size = value

    @property
    def frame_count(self) -> int:
        """Frames handed to the destination so far."""
        return len(self._entries) // 2

    def write(self, data: BytesLike) -> int:
        """Take plain bytes, return how many (all). What the destination raises passes through."""
        self._require_open()
        view = memoryview(data).cast("B")
        offset = 0
        while offset < len(view):
            if len(self._pending) >= self._frame_size:
                self.end_frame()
            room = self._frame_size - len(self._pending)
            piece = view[offset : offset + room]
            if len(piece) == self._frame_size:
                self._add_frame(piece)
            else:
                self._pending += piece
                if len(piece) == room:
                    self.end_frame()
            offset += len(piece)
        self.plain_size += len(view)
        return len(view)

    def write_frame(self, frame: bytes, plain_size: int) -> None:
        """Take one finished Zstandard frame that holds `plain_size` bytes, from a caller who compresses
        for himself; what was written before it ends its own frame."""
        self.end_frame()
        self._put(frame, plain_size)
        self.plain_size += plain_size

    def end_frame(self) -> None:
        """Close the current frame here; the next byte begins another. Without a byte in it, do nothing."""
        self._require_open()
        if self._pending:
            frame, self._pending = self._pending, bytearray()
            self._add_frame(frame)

    def close(self) -> None:
        """Write the last frame and the seek table. Again, do nothing."""
        if self._closed:
            return
        try:
            self.end_frame()
            if self._pipeline is not None:
                self._put_all(self._pipeline.finish())
            table = _table_bytes(self._entries)
            self._destination.write(table)
            self.compressed_size += len(table)
        finally:
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._release()

    def _require_open(self) -> None:
        if self._closed:
            raise ValueError("the writer is closed")

    def _release(self) -> None:
        self._closed = True
        self._pending = bytearray()
        if self._pipeline is not None:
            self._pipeline.stop()

    def _add_frame(self, plain: BytesLike) -> None:
        if self._pipeline is None:
            self._put(self._compressor.compress_frame(plain), len(plain))
        else:
            # A view is the caller's memory, who may change it as soon as write() returns.
            self._put_all(self._pipeline.add(bytes(plain) if isinstance(plain, memoryview) else plain))

    def _put_all(self, frames: Iterator[tuple[bytes, int]]) -> None:
        for frame, plain_size in frames:
            self._put(frame, plain_size)

    def _put(self, frame: bytes, plain_size: int) -> None:
        if self.frame_count >= MAX_FRAMES:
            raise SeekableError(f"more than {MAX_FRAMES} frames do not fit one seek table")
        self._destination.write(frame)
        self._entries.extend((len(frame), plain_size))
        self.compressed_size += len(frame)


class _Pipeline:
    """Batches of frames on threads, given back in order; at most two batches a thread are under way."""

    def __init__(self, compressor: FrameCompressor, threads: int) -> None:
        self._compressor = compressor
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="zstd")
        self._limit = 2 * threads
        self._batch: list[bytes | bytearray] = []
        self._batch_bytes = 0
        self._jobs: deque[Future[list[tuple[bytes, int]]]] = deque()

    def add(self, plain: bytes | bytearray) -> Iterator[tuple[bytes, int]]:
        """Take one frame, yield those (frame, plain size) that have to make room for it."""
        self._batch.append(plain)
        self._batch_bytes += len(plain)
        if self._batch_bytes >= _BATCH_BYTES:
            self._submit()
        while len(self._jobs) > self._limit:
            yield from self._jobs.popleft().result()

    def finish(self) -> Iterator[tuple[bytes, int]]:
        """Yield all that is left."""
        self._submit()
        while self._jobs:
            yield from self._jobs.popleft().result()

    def stop(self) -> None:
        """End the threads; what has not been yielded is dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _submit(self) -> None:
        if self._batch:
            self._jobs.append(self._executor.submit(self._compress, self._batch))
            self._batch, self._batch_bytes = [], 0

    def _compress(self, batch: list[bytes | bytearray]) -> list[tuple[bytes, int]]:
        return [(self._compressor.compress_frame(plain), len(plain)) for plain in batch]


def _little_endian(values: "array[int]") -> "array[int]":
    """A copy in the format's byte order, which is the machine's except on big-endian ones."""
    copy = values[:]
    if sys.byteorder == "big":
        copy.byteswap()
    return copy


def _table_bytes(entries: "array[int]") -> bytes:
    body = _little_endian(entries).tobytes()
    header = _HEADER.pack(SKIPPABLE_MAGIC, len(body) + _FOOTER.size)
    return header + body + _FOOTER.pack(len(entries) // 2, 0, SEEKABLE_MAGIC)


class SeekableReader:
    """Reads any part of a seekable Zstandard file; not for several threads at once.

    Opening reads the footer and the seek table, nothing else, and raises SeekableError where they are
    not possible. A frame is taken only when it is exactly as its table entry says, so that no table can
    make a read allocate more than `max_frame_size` a frame. `frames_read` counts frames decompressed,
    `bytes_read` bytes asked of the source.
    """

    def __init__(
        self, source: RandomSource, *, max_frame_size: int = 16 << 20, cache_bytes: int = 16 << 20
    ) -> None:
        self._source = source
        self.frames_read = 0
        self.bytes_read = 0
        # Bounds what a frame that does not declare its size may claim as window (RFC 8878, 3.1.1.1.2).
        window_limit = 1 << max(max_frame_size - 1, 1023).bit_length()
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=window_limit)
        self._max_compressed = 2 * max_frame_size + 1024
        self._cache = _FrameCache(cache_bytes)
        compressed_sizes, plain_sizes = self._read_table()
        _check_sizes(compressed_sizes, plain_sizes, max_frame_size, self._max_compressed)
        self._starts = array("Q", accumulate(compressed_sizes, initial=0))
        self._plain_starts = array("Q", accumulate(plain_sizes, initial=0))
        if self._starts[-1] != self._table_start:
            raise SeekableError(
                f"the seek table's frames take {self._starts[-1]} bytes, before it are {self._table_start}"
            )

    @property
    def size(self) -> int:
        """Plain bytes in all."""
        return self._plain_starts[-1]

    @property
    def frame_count(self) -> int:
        """Frames in the table."""
        return len(self._starts) - 1

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` plain bytes from `offset`, fewer only at the end. Raise SeekableError."""
        if offset < 0 or length < 0:
            raise ValueError(f"cannot read {length} bytes at {offset}")
        first, stop = self._touched(offset, length)
        base = self._plain_starts[first]
        part = slice(offset - base, min(offset + length, self.size) - base)
        if stop == first + 1:
            return self._frame(first)[part]
        return b"".join(self._frames(first, stop))[part] if first < stop else b""

    def locate(self, offset: int, length: int) -> tuple[int, int]:
        """Where in the source the frames lie that hold these plain bytes: offset and length in bytes. For a
        reader who fetches several parts at once before reading them."""
        first, stop = self._touched(offset, length)
        return self._starts[first], self._starts[stop] - self._starts[first]

    def limit_cache(self, cache_bytes: int) -> None:
        """From now on keep at most so many plain bytes of the frames used last."""
        self._cache.limit(cache_bytes)

    def clear_cache(self) -> None:
        """Drop all plain frames that are kept."""
        self._cache.clear()

    def holds(self, offset: int, length: int) -> bool:
        """Whether these plain bytes are in memory, from frames read before."""
        return all(number in self._cache for number in range(*self._touched(offset, length)))

    def _touched(self, offset: int, length: int) -> tuple[int, int]:
        """The first frame of a part, and the first beyond it; twice the same where the part is empty."""
        end = min(offset + length, self.size)
        if offset >= end:
            return 0, 0
        first = bisect_right(self._plain_starts, offset) - 1
        return first, bisect_right(self._plain_starts, end - 1)

    def iter_frames(self) -> Iterator[bytes]:
        """Yield every frame's plain bytes in order, past the cache. Raise SeekableError naming the frame."""
        number = 0
        while number < self.frame_count:
            stop = self._run_end(number, self.frame_count)
            yield from self._fetch(number, stop)
            number = stop

    def _frame(self, number: int) -> bytes:
        plain = self._cache.get(number)
        if plain is None:
            (plain,) = self._fetch(number, number + 1)
            self._cache.put(number, plain)
        return plain

    def _frames(self, first: int, stop: int) -> Iterator[bytes]:
        number = first
        while number < stop:
            cached = self._cache.get(number)
            if cached is not None:
                yield cached
                number += 1
                continue
            for plain in self._fetch(number, self._run_end(number, stop)):
                self._cache.put(number, plain)
                yield plain
                number += 1

    def _run_end(self, first: int, stop: int) -> int:
        """The end of the run of frames from `first` on that one request to the source should fetch."""
        last_byte = self._starts[first] + _RUN_BYTES
        end = first + 1
        while end < stop and self._starts[end + 1] <= last_byte and end not in self._cache:
            end += 1
        return end

    def _fetch(self, first: int, stop: int) -> Iterator[bytes]:
        start, end = self._starts[first], self._starts[stop]
        if end - start > max(self._max_compressed, _RUN_BYTES):
            yield self._check_large_skippable(first)
            return
        run = memoryview(self._read_source(start, end - start))
        for number in range(first, stop):
            frame = run[self._starts[number] - start : self._starts[number + 1] - start]
            yield self._decode(number, frame)

    def _decode(self, number: int, frame: memoryview) -> bytes:
        expected = self._plain_starts[number + 1] - self._plain_starts[number]
        self.frames_read += 1
        if expected == 0:
            return self._decode_empty(number, frame)
        try:
            declared = zstandard.frame_content_size(frame)
            if declared not in (expected, -1):
                raise SeekableError(f"frame {number} declares {declared} bytes, its entry {expected}")
            plain = self._decompressor.decompress(frame, max_output_size=expected, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise SeekableError(f"frame {number} cannot be decompressed: {error}") from error
        if len(plain) != expected:
            raise SeekableError(f"frame {number} has {len(plain)} bytes, its entry says {expected}")
        return plain

    def _decode_empty(self, number: int, frame: memoryview) -> bytes:
        """A frame without plain bytes: a skippable one, or a Zstandard frame of nothing."""
        magic, length = _HEADER.unpack_from(frame)
        if magic & 0xFFFFFFF0 == 0x184D2A50:
            if length + _HEADER.size != len(frame):
                raise SeekableError(f"frame {number} is skippable and not as long as its entry says")
            return b""
        if len(frame) > _MAX_EMPTY_FRAME:
            raise SeekableError(f"frame {number} of {len(frame)} bytes is not the empty frame its entry says")
        # decompress() takes a declared size of 0 at its word and looks no further; this looks.
        stream = self._decompressor.decompressobj()
        try:
            plain = stream.decompress(frame)
        except zstandard.ZstdError as error:
            raise SeekableError(f"frame {number} cannot be decompressed: {error}") from error
        if plain or not stream.eof or stream.unused_data:
            raise SeekableError(f"frame {number} is not the empty frame its entry says")
        return b""

    def _check_large_skippable(self, number: int) -> bytes:
        """A skippable frame too large to hold in memory: its header is enough."""
        magic, length = _HEADER.unpack(self._read_source(self._starts[number], _HEADER.size))
        frame_bytes = self._starts[number + 1] - self._starts[number]
        if magic & 0xFFFFFFF0 != 0x184D2A50 or length + _HEADER.size != frame_bytes:
            raise SeekableError(f"frame {number} of {frame_bytes} bytes is not the skippable one it must be")
        return b""

    def _read_source(self, offset: int, length: int) -> bytes:
        data = self._source.read_at(offset, length)
        self.bytes_read += len(data)
        if len(data) != length:
            raise SeekableError(f"{length} bytes at {offset} were asked for, {len(data)} came")
        return data

    def _read_table(self) -> tuple["array[int]", "array[int]"]:
        """The compressed and the plain sizes as the table states them, the table's own frame checked."""
        size = self._source.size
        if size < _HEADER.size + _FOOTER.size:
            raise SeekableError(f"{size} bytes are too few for a seek table")
        footer = self._read_source(size - _FOOTER.size, _FOOTER.size)
        count, descriptor, magic = _FOOTER.unpack(footer)
        if magic != SEEKABLE_MAGIC:
            raise SeekableError("there is no seek table at the end")
        if descriptor & _RESERVED_BITS:
            raise SeekableError(f"the seek table's reserved bits are set ({descriptor:#04x})")
        words = 3 if descriptor & _CHECKSUM_FLAG else 2
        body_bytes = count * words * 4
        self._table_start = size - _FOOTER.size - body_bytes - _HEADER.size
        if count > MAX_FRAMES or self._table_start < 0:
            raise SeekableError(f"a seek table of {count} frames does not fit {size} bytes")
        table = self._read_source(self._table_start, _HEADER.size + body_bytes)
        if _HEADER.unpack_from(table) != (SKIPPABLE_MAGIC, body_bytes + _FOOTER.size):
            raise SeekableError(f"no seek table of {count} frames begins where it should")
        entries = array("I")
        entries.frombytes(memoryview(table)[_HEADER.size :])
        entries = _little_endian(entries)
        return entries[0::words], entries[1::words]


def _check_sizes(
    compressed_sizes: "array[int]", plain_sizes: "array[int]", max_frame_size: int, max_compressed: int
) -> None:
    """Raise SeekableError naming the first frame whose sizes no frame can have, or beyond the limits."""
    if not compressed_sizes:
        return
    if max(plain_sizes) > max_frame_size:
        number, plain = next((n, s) for n, s in enumerate(plain_sizes) if s > max_frame_size)
        raise SeekableError(f"frame {number} would be {plain} bytes, the limit is {max_frame_size}")
    if min(compressed_sizes) < _HEADER.size:
        number, held = next((n, s) for n, s in enumerate(compressed_sizes) if s < _HEADER.size)
        raise SeekableError(f"frame {number} is said to take {held} bytes, which no frame does")
    if max(compressed_sizes) > max_compressed:
        for number, (held, plain) in enumerate(zip(compressed_sizes, plain_sizes, strict=True)):
            if held > max_compressed and plain:
                raise SeekableError(f"frame {number} is said to take {held} bytes for {plain}")


class _FrameCache:
    """The plain frames used last, at most so many bytes of them."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._frames: OrderedDict[int, bytes] = OrderedDict()

    def __contains__(self, number: int) -> bool:
        return number in self._frames

    def get(self, number: int) -> bytes | None:
        plain = self._frames.get(number)
        if plain is not None:
            self._frames.move_to_end(number)
        return plain

    def put(self, number: int, plain: bytes) -> None:
        if len(plain) > self._limit_bytes or number in self._frames:
            return
        self._frames[number] = plain
        self._held_bytes += len(plain)
        self._drop_oldest()

    def limit(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._drop_oldest()

    def clear(self) -> None:
        self._frames.clear()
        self._held_bytes = 0

    def _drop_oldest(self) -> None:
        while self._held_bytes > self._limit_bytes:
            _, dropped = self._frames.popitem(last=False)
            self._held_bytes -= len(dropped)
