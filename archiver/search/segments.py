"""The segments of a vault that searches read: opened when first needed, side by side where they are far
away, and left open."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from hashlib import sha256
from operator import add
from threading import Semaphore
from typing import Any, NamedTuple, TypeVar

import apsw

from archiver.archive.manifest import File
from archiver.archive.read import SegmentReader
from archiver.errors import ArchiverError, IntegrityError, NoKeyError
from archiver.formats import age
from archiver.keys import MAXIMUM_KEY_BYTES, Identity, archive_key_name
from archiver.search.catalogue import Catalogue
from archiver.search.hit import SPOOL, Effort, Hit, hits_of
from archiver.search.restricted import Name, Restricted
from archiver.search.spool_segment import OpenSegment, SpoolSegment, spool_archive
from archiver.search.sql.functions import register_functions
from archiver.search.sql.ranking import Rankings
from archiver.search.sql.statement import MANY, Statement
from archiver.times import parse_time
from archiver.vault import Archive, Vault, readable

Found = TypeVar("Found")
SIDE_BY_SIDE = 32
"""Segments that are asked at the same time, where that means waiting for a network. A bucket's store has as
many connections."""
SCANS_SIDE_BY_SIDE = 4
"""Segments read through at the same time: each holds some 20 MiB meanwhile, and four fill a line."""
PAGE_BYTES = 128 * 1024 * 1024
FRAME_BYTES = 32 * 1024 * 1024
"""Of SQLite's pages and of plain frames, kept of all open segments together. Eight have as much each as does
them good (`archiver/archive/read.py`), and a hundred take little more. With half of it ranking a common word
of a million posts again took 124 ms in place of 36."""
_LEAST_BYTES = 512 * 1024
"""But each has this: eight pages, as many as a statement goes back and forth between."""


_NOTHING = Restricted()


class Segment(NamedTuple):
    archive: Archive
    file: File
    posted_from: int
    posted_to: int


Dated = tuple[Segment, int, int]
"""A segment with the first and last times of what a search wants of it."""


class Segments:
    """All segments of some archives, but for those that were disposed of. Raise NoKeyError where no identity
    opens an archive, IntegrityError for altered bytes, StoreError where the store cannot be reached."""

    def __init__(
        self,
        vault: Vault,
        archives: Sequence[Archive],
        identities: Sequence[Identity],
        catalogue: Catalogue,
        spool: Sequence[SpoolSegment] = (),
        restricted: Restricted = _NOTHING,
        known_from: Sequence[Archive] = (),
    ) -> None:
        """`known_from`: archives that are not searched, and may tell by which ids what is restricted is
        known."""
        self._vault = vault
        self._catalogue = catalogue
        self._identities = identities
        self._open: dict[tuple[str, str], OpenSegment] = {}
        self._shared_by = 1
        self._share = FRAME_BYTES, PAGE_BYTES
        self.scanning = Semaphore(SCANS_SIDE_BY_SIDE)
        """To be held while a segment far away is read through."""
        self._threads: ThreadPoolExecutor | None = None
        self._is_left = False
        self._read_elsewhere = Effort()
        self.rankings = Rankings()
        self._key_sha256: dict[str, str] = {}
        self._restricted = restricted
        self._hidden: dict[tuple[str, str], dict[str, list[int]]] = {}
        self._knows_restricted = not restricted.has_posts
        self.unwrapped: list[tuple[Archive, File]] = []
        """Segments for which the archive's own key was unwrapped."""
        self._take_spool(spool)
        self.all = _segments_of((*readable(archives), *([spool_archive(spool)] if spool else [])))
        searched = {one.name for one in archives}
        self._also = _segments_of(one for one in readable(known_from) if one.name not in searched)

    def _take_spool(self, spool: Sequence[SpoolSegment]) -> None:
        """What is not sealed yet is open already, and is among the others from here on."""
        for segment in spool:
            register_functions(segment.connection, self.rankings.score)
            self._open[SPOOL, segment.file.name] = segment
            self._hide(SPOOL, segment.file, segment)

    @property
    def are_near(self) -> bool:
        return self._vault.store.is_near

    def reader(self, archive: Archive, file: File) -> OpenSegment:
        """An open segment."""
        key = (archive.name, file.name)
        reader = self._open.get(key)
        if reader is None:
            with _about(archive):
                reader = self._open[key] = self._open_segment(archive, file)
            register_functions(reader.connection, self.rankings.score)
            self._hide(archive.name, file, reader)
            reader.limit_memory(*self._share)
            if self.are_near:  # of others a thread may just be reading one: `each` does it before
                self._share_memory(len(self._open))
        return reader

    def _hide(self, archive: str, file: File, reader: OpenSegment) -> None:
        if not self._restricted:
            return
        try:
            self._hidden[archive, file.name] = self._restricted.hide(reader.connection, file.records)
        except apsw.Error as error:
            raise reader.translated(error) from error

    def know_restricted(self) -> None:
        """Learn, once, by which further ids restricted posts are known: those of their edits, whichever
        archive has them. One that cannot be read tells none; whoever asks it for more is told so. Opens every
        segment that has posts, but only where a post is restricted."""
        if self._knows_restricted:
            return
        asked = [one for one in (*self.all, *self._also) if one.file.records.get("post")]
        for names in self.each(asked, self._other_names):
            self._restricted.add(names)
        self._knows_restricted = True
        for archive, file, *_ in (*self.all, *self._also):
            reader = self._open.get((archive.name, file.name))
            if reader is None or not file.records.get("gone"):
                continue
            try:
                self._hidden[archive.name, file.name]["gone"] = self._restricted.hide_in(
                    reader.connection, "gone"
                )
            except apsw.Error as error:
                raise reader.translated(error) from error

    def _other_names(self, segment: Segment) -> set[Name]:
        try:
            reader = self.reader(segment.archive, segment.file)
            try:
                return self._restricted.other_names(reader.connection)
            except apsw.Error as error:
                raise reader.translated(error) from error
        except (IntegrityError, NoKeyError):
            return set()

    def hidden(self, segment: Segment, table: str) -> list[int]:
        """Keys of a table that are not to be shown: rows without their index are hidden already."""
        if not self._restricted:
            return []
        self.reader(segment.archive, segment.file)
        return self._hidden.get((segment.archive.name, segment.file.name), {}).get(table, [])

    def sealed_reader(self, segment: Segment) -> SegmentReader:
        """An open segment of an archive."""
        reader = self.reader(segment.archive, segment.file)
        assert isinstance(reader, SegmentReader)  # noqa: S101 - the spool's are none, and in no archive
        return reader

    def _open_segment(self, archive: Archive, file: File) -> SegmentReader:
        """With the key that the catalogue has of it, so that the archive's own need not be unwrapped: unless
        `key.age` is another now, or gone. Then whoever searches may be a keyholder no longer."""
        if self._catalogue.covers(archive.name, file):
            file_key = self._catalogue.file_key(archive.name, file, self.key_sha256(archive))
        else:
            file_key = None
        if file_key is None:
            self.unwrapped.append((archive, file))
            return self._vault.open_segment(archive, file, self._identities)
        return SegmentReader(self._vault.store, archive.path(file), age.FileKeyIdentity(file_key))

    def key_sha256(self, archive: Archive) -> str:
        """Of the archive's `key.age`, as it is in the store."""
        known = self._key_sha256.get(archive.name)
        if known is None:
            data = self._vault.store.read(archive_key_name(archive.name), MAXIMUM_KEY_BYTES)
            known = self._key_sha256[archive.name] = sha256(data).hexdigest()
        return known

    def _share_memory(self, among: int) -> None:
        """Divide what may be kept between so many; anew whenever they have become twice as many."""
        if among <= self._shared_by:
            return
        self._shared_by = 1 << (among - 1).bit_length()
        frames, pages = FRAME_BYTES // self._shared_by, PAGE_BYTES // self._shared_by
        self._share = max(_LEAST_BYTES, frames), max(_LEAST_BYTES, pages)
        for reader in self._open.values():
            reader.limit_memory(*self._share)

    def rows(self, segment: Segment, sql: str, values: Sequence[Any]) -> list[Any]:
        """What a statement gives of a segment."""
        reader = self.reader(segment.archive, segment.file)
        try:
            return reader.connection.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise reader.translated(error) from error

    def hits(self, segment: Segment, sql: str, values: Sequence[Any]) -> list[Hit]:
        """What a statement gives of a segment, as hits."""
        reader = self.reader(segment.archive, segment.file)
        try:
            return hits_of(reader.connection.execute(sql, values))
        except apsw.Error as error:
            raise reader.translated(error) from error

    # Asking many at once

    def each(self, segments: Iterable[Segment], act: Callable[[Segment], Found]) -> list[Found]:
        """What an act does with each of them: side by side where they are far away, in turn otherwise.
        Raise the first error, when those that were under way have ended; the others are not begun."""
        asked = list(segments)
        if self.are_near or len(asked) < 2:
            return [act(segment) for segment in asked]
        if self._threads is None:
            self._threads = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="segment")
        wanted = {(segment.archive.name, segment.file.name) for segment in asked}
        self._share_memory(len(wanted | self._open.keys()))
        futures = [self._threads.submit(act, segment) for segment in asked]
        self._is_left = True  # on Ctrl-C, until all have ended
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:  # of what has ended there is nothing to cancel
            for future in futures:
                future.cancel()
        wait(futures)
        self._is_left = False
        for future in futures:
            if not future.cancelled() and (error := future.exception()) is not None:
                raise error
        return [future.result() for future in futures]

    def since(self, archive: str) -> list[Segment]:
        """Those of an archive and of all after it: what was captured after something that this one has."""
        start = next((at for at, one in enumerate(self.all) if one.archive.name == archive), len(self.all))
        return self.all[start:]

    @property
    def sealed(self) -> Iterator[Segment]:
        """Those of archives."""
        return (segment for segment in self.all if segment.archive.name != SPOOL)

    def gather(self, wanted: Iterable[tuple[Segment, Sequence[Statement]]]) -> None:
        """Where segments are far away, open these and have at hand all that their statements read."""
        if self.are_near:
            return
        statements = {id(segment): (segment, some) for segment, some in wanted if some}

        def ask(segment: Segment) -> None:
            self.reader(segment.archive, segment.file).gather(statements[id(segment)][1])

        self.each([segment for segment, _ in statements.values()], ask)

    def set_aside(self, archive: str) -> bool:
        """Ask an archive no more: it cannot be opened, or is damaged. Whether it was asked at all."""
        others = [segment for segment in self.all if segment.archive.name != archive]
        if len(others) == len(self.all):
            return False
        self.all = others
        for key in [key for key in self._open if key[0] == archive]:
            self._open.pop(key).close()
        return True

    # What was read

    def effort(self) -> Effort:
        """What all searches so far have read."""
        readers = self._open.values()
        here = (
            len(self._open),
            sum(reader.sealed.chunks_read for reader in readers),
            sum(reader.frames.frames_read for reader in readers),
            sum(reader.sealed.bytes_read for reader in readers),
            sum(reader.requests for reader in readers),
        )
        return Effort(*map(add, here, self._read_elsewhere))

    def add_effort(self, effort: Effort) -> None:
        """Count what another process read for this one."""
        self._read_elsewhere = Effort(*map(add, self._read_elsewhere, effort))

    def let_go(self) -> None:
        """Let go of all that was read and is kept in memory, when something else needs it; what is asked for
        again is read again."""
        for reader in self._open.values():
            reader.let_go()

    def close(self) -> None:
        """Close all segments; but after Ctrl-C leave those alone that threads still wait for."""
        if self._threads is not None:
            self._threads.shutdown(wait=not self._is_left, cancel_futures=True)
            self._threads = None
        if self._is_left:
            return
        for reader in self._open.values():
            reader.close()
        self._open.clear()

    def opened(self, table: str | None = None) -> Iterator[tuple[Archive, OpenSegment, File]]:
        """Every segment, or each that has rows of one table, opened; oldest archive first."""
        wanted = [one for one in self.all if table is None or one.file.records.get(table)]
        if not self.are_near:
            self.each(wanted, lambda segment: self.reader(segment.archive, segment.file))
        for segment in wanted:
            yield segment.archive, self.reader(segment.archive, segment.file), segment.file


def _segments_of(archives: Iterable[Archive]) -> list[Segment]:
    return [
        Segment(archive, file, _bound(file.posted_from, 0), _bound(file.posted_to, MANY))
        for archive in archives
        for file in archive.manifest.segments
    ]


def _bound(time: str | None, otherwise: int) -> int:
    return otherwise if time is None else parse_time(time)


@contextmanager
def _about(archive: Archive) -> Iterator[None]:
    """An error is about this archive."""
    try:
        yield
    except ArchiverError as error:
        error.archive = archive.name
        raise
