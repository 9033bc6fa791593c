"""A media file read straight out of the ZIP, without a copy on disk."""

import io
from collections.abc import Iterator
from typing import Final

from archiver.sources.x_export.zip_file import Member, ZipArchive

BUFFER_BYTES: Final = 256 * 1024


class _MemberStream(io.RawIOBase):
    """The inflated bytes of one member. Reading raises SourceError where they are damaged or too many."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        super().__init__()
        self._blocks = blocks
        self._block = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: "bytearray | memoryview", /) -> int:  # type: ignore[override]  # a plain buffer
        if not self._block:
            self._block = memoryview(next(self._blocks, b""))
        size = min(len(target), len(self._block))
        target[:size] = self._block[:size]
        self._block = self._block[size:]
        return size


def open_member(archive: ZipArchive, member: Member) -> io.BufferedReader:
    """A binary stream of one member; the ZIP must stay open while it is read."""
    return io.BufferedReader(_MemberStream(archive.blocks(member)), BUFFER_BYTES)
