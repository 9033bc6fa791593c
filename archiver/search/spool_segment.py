"""What searches read, sealed or not: an open segment, and the spool's among those of the archives.

The spool's segments are built by `archiver.wiring.spool.open_spool_segments`, before the archives are listed.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import apsw

from archiver.archive.manifest import FORMAT, File, Manifest
from archiver.archive.vfs import Statement
from archiver.chain import Head
from archiver.errors import ArchiverError
from archiver.search.hit import SPOOL
from archiver.vault import Archive


class Sealed(Protocol):
    """What was read of a file: age's chunks, and their bytes."""

    @property
    def chunks_read(self) -> int: ...

    @property
    def bytes_read(self) -> int: ...


class Frames(Protocol):
    @property
    def frames_read(self) -> int: ...


class OpenSegment(Protocol):
    """An open segment. `archiver.archive.read.SegmentReader` is one, of a store;
    `archiver.seal.unsealed.UnsealedSegment` another, of the spool, in memory. Not for several threads at
    once."""

    connection: apsw.Connection

    @property
    def requests(self) -> int: ...

    @property
    def sealed(self) -> Sealed: ...

    @property
    def frames(self) -> Frames: ...

    def gather(self, statements: Iterable[Statement], /) -> None: ...

    def limit_memory(self, frame_bytes: int, page_bytes: int) -> None: ...

    def let_go(self) -> None: ...

    def translated(self, error: apsw.Error) -> ArchiverError: ...

    def close(self) -> None: ...


class SpoolSegment(OpenSegment, Protocol):
    """An open segment of what is in the spool, as `archiver.seal.unsealed.UnsealedSegment` says it."""

    file: File
    mark: str | None
    records: int
    last_page: int

    @property
    def unparsed(self) -> int: ...


Some = TypeVar("Some", bound=SpoolSegment)


def not_in_archives(segments: Sequence[Some], archives: Iterable[Archive]) -> list[Some]:
    """Those segments of the spool whose records are in none of the archives; the others are closed.

    A sealing that was cut off after its archive's manifest, or that waits for a store that must have the
    archive too, leaves its records in the spool: each would be counted as two."""
    marks = {archive.manifest.mark for archive in archives}
    for segment in segments:
        if segment.mark in marks:
            segment.close()
    return [segment for segment in segments if segment.mark not in marks]


def spool_archive(segments: Iterable[SpoolSegment]) -> Archive:
    """What stands for an archive among the others where searches list segments: it is called `spool`, lists
    these files, and is in no chain; nobody has signed it."""
    manifest = Manifest(
        format=FORMAT, vault="", archive=SPOOL, sequence=0, previous=None, sealed_at="", covers_from=None,
        covers_to=None, recipient="", mark="", files=[segment.file for segment in segments], counts=[],
        problems={}, origins=[], tool="", configuration="",
    )  # fmt: skip
    return Archive(SPOOL, manifest, Head(0, ""), "")
