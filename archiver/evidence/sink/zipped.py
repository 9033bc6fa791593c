"""A pack as a ZIP file, written from front to back, into a file or into what encrypts it.

A ZIP file holds its files one after the other. So one that stays open while others come is kept in memory,
compressed with Zstandard, and enters when it is closed; a large one whose size is known enters as it is
written. With the same calls the bytes are the same.

Every file is deflated and followed by its sizes ("data descriptor", APPNOTE 4.3.9), as nothing can be put
right further up; pictures and videos, which shrink no more, are deflated without being compressed.
"""

import zipfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Final, Self

import zstandard

from archiver.evidence.sink.base import NamedFiles, Octets, SinkFile
from archiver.formats.age.armor import Destination, write_all
from archiver.times import as_datetime

_OUT_BYTES: Final = 256 * 1024
_PLAIN_BYTES: Final = 64 * 1024
_MEMORY_LEVEL: Final = 3
_DEFLATE_LEVEL: Final = 4
"""Half of the time that the usual 6 takes, for files a tenth larger."""
_SHRUNK: Final = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".mp4", ".mov", ".webm", ".zip", ".age", ".zst")
_MODE: Final = (0o100600 & 0xFFFF) << 16
"""A regular file of mode 0600, where ZIP keeps what Unix says of a file."""
_FIRST_YEAR, _LAST_YEAR = 1980, 2107


class ZipSink(NamedFiles):
    """`with ZipSink(destination, made_ms) as sink:` writes a whole ZIP file at a clean end; otherwise what
    was written lacks its directory, and is no ZIP file. The destination stays open.

    `made_ms` is the time that all files get. Raise ArchiverError as the destination does."""

    def __init__(self, destination: Destination, made_ms: int) -> None:
        super().__init__()
        self._out = _Out(destination)
        self._zip = zipfile.ZipFile(self._out, "w", zipfile.ZIP_DEFLATED)
        self._time = as_datetime(made_ms).timetuple()[:6]
        if not _FIRST_YEAR <= self._time[0] <= _LAST_YEAR:
            raise ValueError("a ZIP file knows times from 1980 to 2107 only")
        self._streaming: IO[bytes] | None = None
        self._waiting: list[_KeptFile] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._give_up()
            return
        try:
            self.check_all_closed()
            self._zip.close()
            self._out.finish()
        except BaseException:
            self._give_up()
            raise

    def _give_up(self) -> None:
        """ZipFile writes its directory whenever it goes, be it as garbage; let that lead nowhere."""
        self._out.give_up()
        if self._streaming is not None:
            self._streaming.close()
        self._zip.close()

    def open(self, path: str, *, size: int | None = None) -> SinkFile:
        """Begin a file. Of two that could enter as they are written, the second waits in memory."""
        self.take_name(path)
        if size is None or size < _PLAIN_BYTES or self._streaming is not None:
            return _KeptFile(self, path, size)
        self._streaming = self.begin_member(path, size)
        return _StreamedFile(self, path, size, self._streaming)

    def begin_member(self, path: str, size: int) -> IO[bytes]:
        """What takes the bytes of the next file in the ZIP file. The size decides on ZIP64."""
        member = zipfile.ZipInfo(path, self._time)
        member.create_system = 3
        member.external_attr = _MODE
        member.compress_type = zipfile.ZIP_DEFLATED
        member._compresslevel = 0 if path.lower().endswith(_SHRUNK) else _DEFLATE_LEVEL  # type: ignore[attr-defined]  # public as compress_level since Python 3.13
        member.file_size = size
        return self._zip.open(member, "w")

    def add_kept(self, file: "_KeptFile") -> None:
        """Let a file enter that is whole, or wait until the streamed one has its end."""
        if self._streaming is not None:
            self._waiting.append(file)
            return
        with self.begin_member(file.path, file.size) as member:
            for piece in file.take_pieces():
                member.write(piece)

    def end_streaming(self) -> None:
        waiting, self._waiting, self._streaming = self._waiting, [], None
        for file in waiting:
            self.add_kept(file)

    def give_up_streamed(self) -> None:
        """What is written cannot be taken back, so the ZIP file is given up whole."""
        self._out.give_up()
        if self._streaming is not None:
            self._streaming.close()
        self._streaming = None


class _KeptFile(SinkFile):
    """In memory until it is closed: as it is while it is small, compressed from then on."""

    def __init__(self, sink: ZipSink, path: str, size: int | None) -> None:
        super().__init__(sink, path, size)
        self._zip = sink
        self._plain = bytearray()
        self._frames: list[bytes] = []

    def _take(self, data: Octets) -> None:
        self._plain += data
        if len(self._plain) >= _PLAIN_BYTES:
            self._compress()

    def _compress(self) -> None:
        self._frames.append(zstandard.ZstdCompressor(level=_MEMORY_LEVEL).compress(self._plain))
        self._plain = bytearray()

    def _finish(self) -> None:
        self._zip.add_kept(self)

    def take_pieces(self) -> Iterator[bytes | bytearray]:
        """All of it, once: each frame is forgotten as it goes."""
        decompressor = zstandard.ZstdDecompressor()
        for number, frame in enumerate(self._frames):
            self._frames[number] = b""
            yield decompressor.decompress(frame)
        yield self._plain

    def _discard(self) -> None:
        self._frames.clear()
        self._plain.clear()


class _StreamedFile(SinkFile):
    def __init__(self, sink: ZipSink, path: str, size: int, member: IO[bytes]) -> None:
        super().__init__(sink, path, size)
        self._zip = sink
        self._member = member

    def _take(self, data: Octets) -> None:
        self._member.write(data)

    def _finish(self) -> None:
        self._member.close()
        self._zip.end_streaming()

    def _discard(self) -> None:
        self._zip.give_up_streamed()


class _Out:
    """What ZipFile writes to: forwards only (it has no `seek`), in large pieces, nowhere once given up."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._waiting = bytearray()
        self._given_up = False

    def write(self, data: Octets, /) -> int:
        with memoryview(data) as view:
            length = view.nbytes
        if not self._given_up:
            self._waiting += data
            if len(self._waiting) >= _OUT_BYTES:
                self._write_out()
        return length

    def flush(self) -> None:
        """ZipFile asks for it after every file; nothing is gained by it before the end."""

    def close(self) -> None:
        """The destination stays open."""

    def _write_out(self) -> None:
        """After a failure nothing more is written: there would be a hole in it."""
        waiting, self._waiting, self._given_up = self._waiting, bytearray(), True
        write_all(self._destination, memoryview(waiting))
        self._given_up = False

    def finish(self) -> None:
        """Write what is left. Raise ValueError where a part of it was given up."""
        if self._given_up:
            raise ValueError("a part of the ZIP file was given up, and so is all of it")
        self._write_out()

    def give_up(self) -> None:
        self._given_up = True
        self._waiting.clear()
