"""From the spool to segments that can be searched: built in memory as those of an archive are."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from archiver.archive.build import MediaPlace
from archiver.errors import ArchiverError
from archiver.formats.seekable_zstd import SeekableWriter
from archiver.keys import Identity
from archiver.seal.hashing import MeasuringWriter
from archiver.seal.plan import SegmentPlan, plan_segments
from archiver.seal.segment import file_of
from archiver.seal.segment_build import SegmentBuild, SegmentContext
from archiver.seal.unsealed import SPOOL, UnsealedSegment, about_spool
from archiver.sources.moderation import KIND as MODERATION
from archiver.spool import Page, PageInfo
from archiver.spool.reading import SnapshotDatabase, SpoolReader
from archiver.state import SCHEMA, Sealing, State

DAMAGED_HINT = "keep it aside; what it remembers can be made again by importing an export"
"""Of a state that is damaged."""
READING = "reading the spool"
_TRIES_AT_REST = 2
"""How often files without a log are read as lying at rest (`archiver/spool/reading.py`), if they are written
each time meanwhile."""

Progress = Callable[[str, int, int], None]
"""Told a phase, how many records are done, and of how many."""


@dataclass(frozen=True)
class UnsealedOptions:
    """How segments are cut and indexed, as `archiver seal` would do it, and the settings' hash. `up_to_page`:
    pages with a higher id are left out, as of a later day."""

    segment_bytes: int
    language: str
    configuration: str
    up_to_page: int | None = None


def build_unsealed(
    folder: Path,
    identity: Identity,
    state_path: Path | None,
    options: UnsealedOptions,
    progress: Progress = lambda phase, done, total: None,
) -> list[UnsealedSegment]:
    """All records of a spool that is there, but for the moderation register's entries, as segments from the
    oldest to the newest; none where there are none. Without the collector's lock, whatever else is at work:
    the spool is as it was when this began. To be called before the archives are listed: a sealing takes pages
    from the one to the other. `state_path`: None where there is no state.

    Raise IntegrityError for a damaged page, which it names, and for a spool that was made for another
    identity; every error's `archive` is the spool."""
    try:
        for _ in range(_TRIES_AT_REST):
            segments = _build(folder, identity, state_path, options, progress, at_rest=True)
            if segments is not None:
                return segments
        return _build(folder, identity, state_path, options, progress, at_rest=False) or []
    except ArchiverError as error:
        about_spool(error)
        raise


def _build(
    folder: Path,
    identity: Identity,
    state_path: Path | None,
    options: UnsealedOptions,
    progress: Progress,
    *,
    at_rest: bool,
) -> list[UnsealedSegment] | None:
    """None where the files were, or may have been, written while they were read as lying at rest."""
    try:
        opened = _Reading(folder, identity, state_path, at_rest=at_rest)
    except ArchiverError:
        if at_rest:
            return None
        raise
    with closing(opened) as reading:
        try:
            segments = _segments_of(reading, options, progress)
        except ArchiverError:
            if reading.was_written():
                return None
            raise
        if reading.was_written():
            close_all(segments)
            return None
        return segments


def close_all(segments: Iterable[UnsealedSegment]) -> None:
    for segment in segments:
        segment.close()


class _StateReader(State):
    """A state that is there, as it was when it was opened."""

    def __init__(self, path: Path, *, at_rest: bool) -> None:
        self.path = path
        self.snapshot = SnapshotDatabase(path, SCHEMA, damaged_hint=DAMAGED_HINT, at_rest=at_rest)
        self._local = self.snapshot
        self._database = self.snapshot.connection


class _Reading:
    """Spool and state, and the sealing that is under way, if any."""

    def __init__(self, folder: Path, identity: Identity, state_path: Path | None, *, at_rest: bool) -> None:
        # The state before the spool, and after it: so a sealing is known that began or ended between.
        before = _sealing(state_path, at_rest=at_rest)
        self.spool = SpoolReader(folder, identity, at_rest=at_rest)
        self._state: _StateReader | None = None
        try:
            self._state = None if state_path is None else _StateReader(state_path, at_rest=at_rest)
            self.sealing = (None if self.state is None else self.state.sealing()) or before
        except BaseException:
            self.close()
            raise

    @property
    def state(self) -> State | None:
        return None if self._state is None or not self._state.snapshot.is_made else self._state

    def was_written(self) -> bool:
        """Whether what was read may be of several instants."""
        state = self._state
        return self.spool.snapshot.was_written() or (state is not None and state.snapshot.was_written())

    def close(self) -> None:
        self.spool.close()
        if self._state is not None:
            self._state.close()


def _sealing(state_path: Path | None, *, at_rest: bool) -> Sealing | None:
    if state_path is None:
        return None
    with closing(_StateReader(state_path, at_rest=at_rest)) as state:
        return state.sealing() if state.snapshot.is_made else None


def _segments_of(reading: _Reading, options: UnsealedOptions, progress: Progress) -> list[UnsealedSegment]:
    if reading.spool.is_empty():
        return []
    pages = [page for page in reading.spool.pages() if page.records and page.kind != MODERATION]
    if options.up_to_page is not None:
        pages = [page for page in pages if page.id <= options.up_to_page]
    context = SegmentContext(
        SPOOL, "", "", reading.spool.captures(), {}, options.language, options.configuration, -1, []
    )
    telling = _Telling(progress, sum(page.records for page in pages))
    segments: list[UnsealedSegment] = []
    try:
        for mark, some in _by_sealing(pages, reading.sealing):
            for plan in plan_segments(some, options.segment_bytes):
                plan = SegmentPlan(len(segments), plan.pages)
                build = _UnsealedBuild(plan, reading.spool, reading.state, context, telling)
                segments.append(_built(build, mark))
    except BaseException:
        close_all(segments)
        raise
    return segments


def _by_sealing(
    pages: Sequence[PageInfo], sealing: Sealing | None
) -> list[tuple[str | None, list[PageInfo]]]:
    """Pages that a sealing was taking with its mark, then the others: whether the first are in an archive
    already, as where another store has yet to get it, whoever lists the archives can tell."""
    last = 0 if sealing is None else sealing.last_page
    taken = [page for page in pages if page.id <= last]
    others = [page for page in pages if page.id > last]
    parts = [(None if sealing is None else sealing.mark, taken), (None, others)]
    return [part for part in parts if part[1]]


def _built(build: "_UnsealedBuild", mark: str | None) -> UnsealedSegment:
    try:
        build.add_records()
        build.add_captures()
        frames = BytesIO()
        measured = MeasuringWriter(frames)
        with SeekableWriter(measured) as writer:
            for frame, plain_size in build.builder.frames():
                writer.write_frame(frame, plain_size)
        file = file_of(f"records-{build.plan.number:03d}.sqlite", build.builder, measured, writer.plain_size)
    finally:
        build.builder.close()
    return UnsealedSegment(file, frames.getvalue(), build, mark)


class _Telling:
    """Tells how many records were read so far."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        if total:
            progress(READING, 0, total)

    def add(self, records: int) -> None:
        self._done += records
        self._progress(READING, self._done, self._total)


class _UnsealedBuild(SegmentBuild):
    """A segment's build that leaves media files where they are: in the spool."""

    def __init__(
        self, plan: SegmentPlan, spool: SpoolReader, state: State | None, context: SegmentContext,
        telling: _Telling,
    ) -> None:  # fmt: skip
        super().__init__(plan, spool, state, context)
        self._telling = telling
        self._told: set[int] = set()

    def find_new_media(self, account: str, file_name: str) -> MediaPlace | None:
        media = self.spool.find_media(account, file_name)
        if media is None or media.missing is not None:
            return None
        return MediaPlace(media.sha256, media.size, SPOOL, None, None, None)

    def read_page(self, page_id: int) -> Page:
        page = super().read_page(page_id)
        if page_id not in self._told:  # it is read again for its bytes
            self._told.add(page_id)
            self._telling.add(len(page.ids))
        return page
