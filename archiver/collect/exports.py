"""Source to spool: every record that is new or changed, its media, and what is gone since.

An export repeats everything each time; what is unchanged is not stored again. Pages are durable in the
spool before the state notes them, so a kill at any instant loses nothing and a rerun completes.
"""

from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from archiver.collect.erased import ErasedFilter
from archiver.errors import SourceError
from archiver.records import MediaReference
from archiver.sources.base import (
    Absence,
    Batch,
    Capture,
    CaptureEnd,
    Item,
    Problem,
    Source,
    Unread,
    digest_of,
)
from archiver.sources.comparison import absent_items, comparison_capture
from archiver.spool import MissingMedia, Page, PageInfo, PageSealer, Spool
from archiver.state import Seen, State, as_key, other_words, same_content
from archiver.times import Clock

PAGE_BYTES = 1024 * 1024
WAITING_BYTES = 24 * 1024 * 1024
"""Verbatim bytes held back so that a page's records lie close in time."""
COMMIT_PAGES = 32
BUCKET_MS = 14 * 24 * 3600 * 1000
NOTED_PROBLEMS = 10_000
"""So many problems of one export are kept; a hostile one could have a million."""
NAMED_MISSING = 1000
"""So many missing media files are named in a report; the archive lists all."""
NOT_IN_EXPORT = "not in the export"
Progress = Callable[[str, int], None]
"""Told a phase and how many records have passed."""


class CollectReport(Struct, kw_only=True):
    """What one run took. `counts`: kind to change to a number of records, where change is new, changed,
    back (was gone), again (the platform's interface had brought it), gone or unchanged."""

    name: str
    platform: str
    account: str
    handle: str | None
    generated_ms: int
    counts: dict[str, dict[str, int]]
    media: int = 0
    media_missing: int = 0
    media_missing_names: list[str]
    problems: list[Problem]
    """Those noted: at most `NOTED_PROBLEMS`, and one more that says how many there were."""
    unread: list[str]
    repeated: bool = False
    """The same export was taken before: nothing was read, and this is what was said then."""

    @property
    def complete(self) -> bool:
        return not self.problems and not self.media_missing

    def add(self, kind: str, change: str, number: int) -> None:
        """Count records."""
        changes = self.counts.setdefault(kind, {})
        changes[change] = changes.get(change, 0) + number

    def count(self, kind: str, change: str) -> int:
        """How many records of a kind had a change."""
        return self.counts.get(kind, {}).get(change, 0)


_Record = tuple[int, int, str, int, Item, str, bytes]
"""On its way into a page: time posted, length of the id, id, version (so far the order in the page), then
the item, the change and the keyed hash."""


class _Bucket(Struct, gc=False):
    """Records of one capture and kind that lie close in time."""

    capture: int
    kind: str
    series: int
    records: list[_Record]
    size: int = 0


class _Sealing(Struct, gc=False):
    """A page being compressed and encrypted."""

    info: PageInfo
    series: int
    page: Page
    body: Future[bytes]


def collect(
    source: Source,
    spool: Spool,
    state: State,
    *,
    name: str,
    content_hash: Callable[[bytes], bytes],
    clock: Clock,
    progress: Progress = lambda phase, records: None,
) -> CollectReport:
    """Take everything new from a source into the spool; what was taken, missing and not understood.

    `content_hash` is applied to each item's content; equal hashes mean an unchanged record. Raise
    SourceError if the source refuses as a whole."""
    run = state.find_import(source.digest)
    if run is not None and run.summary is not None:
        report = msgspec.convert(run.summary, CollectReport)
        report.repeated = True
        return report
    state.begin_import(
        source.digest, source.platform, source.account, name, source.generated_ms, source.partial, clock()
    )
    report = CollectReport(
        name=name,
        platform=source.platform,
        account=source.account,
        handle=source.handle,
        generated_ms=source.generated_ms,
        counts={},
        media_missing_names=[],
        problems=[],
        unread=[],
    )
    with _Collection(source, spool, state, content_hash, clock, report, progress) as collection:
        collection.take_all()
    state.end_import(source.digest, clock(), msgspec.to_builtins(report))
    return report


class _Collection:
    """One run of `collect`: what waits for its page, and what waits to be committed."""

    def __init__(
        self,
        source: Source,
        spool: Spool,
        state: State,
        content_hash: Callable[[bytes], bytes],
        clock: Clock,
        report: CollectReport,
        progress: Progress,
    ) -> None:
        self.source = source
        self.spool = spool
        self.state = state
        self.content_hash = content_hash
        self.clock = clock
        self.report = report
        self.progress = progress
        self._captures: dict[int, int] = {}
        self._opened: dict[int, Capture] = {}
        self._of_deleted: set[int] = set()
        self._others: set[tuple[int, int | str, bytes]] = set()
        self._first_capture: Capture | None = None
        self._series: dict[str, int] = {}
        self._elsewhere: dict[str, int | None] = {}
        self._buckets: dict[tuple[int, str, int], _Bucket] = {}
        self._waiting = 0
        self._sealing: deque[_Sealing] = deque()
        self._uncommitted: dict[int, dict[int | str, Seen]] = {}
        self._unchanged: dict[int, list[int | str]] = {}
        self._missing: list[MissingMedia] = []
        self._sealer = PageSealer(spool.identity.recipient())
        self._erased = ErasedFilter(spool, state, source.platform)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._records = 0
        self._problems = 0
        self._holds_media = state.holds_media(source.account) or spool.holds_media(source.account)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def take_all(self) -> None:
        """Read the source to its end; commit everything; then note what is gone."""
        absences: list[Absence] = []
        for event in self.source.events():
            if type(event) is Batch:
                self._take_batch(event)
            elif type(event) is Capture:
                self._begin_capture(event)
            elif type(event) is CaptureEnd:
                self.spool.end_capture(self._captures[event.capture_key], event.size, event.sha256)
            elif type(event) is Problem:
                self._note_problem(event)
            elif type(event) is Unread:
                self.report.unread.append(event.name)
            elif type(event) is Absence:
                absences.append(event)
        self._flush_all()
        for absence in absences:
            self._note_absence(absence)
        self._flush_all()
        if self._problems > NOTED_PROBLEMS:
            more = f"and {self._problems - NOTED_PROBLEMS:,} more problems that are not listed"
            self.report.problems.append(Problem(self.report.name, "broken", more))
        self.spool.add_problems(self.source.digest, self.report.name, self.clock(), self.report.problems)

    def _note_problem(self, problem: Problem) -> None:
        self._problems += 1
        if self._problems <= NOTED_PROBLEMS:
            self.report.problems.append(problem)

    def _begin_capture(self, capture: Capture) -> None:
        self._opened[capture.key] = capture
        self._captures[capture.key] = self.spool.begin_capture(self.source.digest, capture, self.clock())
        self._first_capture = self._first_capture or capture
        if capture.body_kind.startswith("deleted"):
            self._of_deleted.add(self._captures[capture.key])

    def _series_of(self, kind: str) -> int:
        series = self._series.get(kind)
        if series is None:
            series = self._series[kind] = self.state.series(self.source.platform, self.source.account, kind)
        return series

    # Records

    def _take_batch(self, batch: Batch) -> None:
        by_kind: dict[str, list[Item]] = {}
        for item in self._erased.left(batch.items, self._opened[batch.capture_key]):
            by_kind.setdefault(item.kind, []).append(item)
        capture = self._captures[batch.capture_key]
        for kind, items in by_kind.items():
            self._take_items(capture, kind, items)
        self._records += len(batch.items)
        self.progress("records", self._records)

    def _take_items(self, capture: int, kind: str, items: list[Item]) -> None:
        series = self._series_of(kind)
        keys = [as_key(item.id) for item in items]
        known = self.state.find_seen(series, keys)
        elsewhere = self._find_elsewhere(kind, keys)
        uncommitted = self._uncommitted.setdefault(series, {})
        unchanged = self._unchanged.setdefault(series, [])
        generated_ms = self.source.generated_ms
        changes: dict[str, int] = {}
        for item, key in zip(items, keys, strict=True):
            digest = digest_of(item, self.content_hash)
            seen = uncommitted.get(key) or known.get(key)
            change = "new" if seen is None else self._change(capture, kind, item.id, key, seen, digest)
            other = elsewhere.get(key) if elsewhere else None
            if change == "new" and other is not None:
                change = self._change_of_route(kind, item.id, other, digest)
            if item.media and self._take_media(item.media) and change == "unchanged":
                change = "changed"
            changes[change] = changes.get(change, 0) + 1
            if change == "unchanged":
                unchanged.append(key)
                continue
            version = 1 if seen is None else seen.version + 1
            if other is not None:
                version = max(version, other.version + 1)
            if change == "other" and seen is not None:
                uncommitted[key] = Seen(seen.digest, version, seen.gone, seen.generated_ms)
                self._others.add((series, key, digest))
                self._put(capture, kind, series, item, -version, change, digest)
                continue
            if item.record_id is not None and item.record_id != item.id:
                version = self._version_of_edit(kind, series, item.record_id) + 1
                uncommitted[f"record {item.record_id}"] = Seen(b"", version, 0, 0)
            uncommitted[key] = Seen(digest, version, 0, generated_ms)
            # The interface tells more of a record than an export, so its capture stays the one that shows.
            shown = -version if change in ("again", "other") else version
            self._put(capture, kind, series, item, shown, change, digest)
        if kind == "gone":
            self._count_gone(items, changes.get("unchanged", 0))
            return
        for change, number in changes.items():
            self.report.add(kind, change, number)

    def _count_gone(self, items: list[Item], known: int) -> None:
        """Count what is gone with its kind; several files of one export may say the same of a record."""
        kinds = Counter(item.id.partition(":")[0] if ":" in item.id else "post" for item in items)
        for gone_kind, number in kinds.items():
            self.report.add(gone_kind, "gone", number - (known if len(kinds) == 1 else 0))

    def _change(self, capture: int, kind: str, record: str, key: int | str, seen: Seen, digest: bytes) -> str:
        """What a record seen before is now: unchanged, changed, back, or other: a version, not known yet,
        that is not newer than what was seen."""
        generated_ms = self.source.generated_ms
        if 0 < seen.gone < generated_ms and capture not in self._of_deleted:
            return "back"
        if same_content(seen.digest, digest):
            return "unchanged"
        if seen.generated_ms == generated_ms:
            detail = "is in the export twice, with differing content; both are kept"
            self._note_problem(Problem(f"{kind} {record}", "conflict", detail))
        series = self._series[kind]
        if (series, key, digest) in self._others or self.state.is_other(series, key, digest):
            return "unchanged"
        return "changed" if seen.generated_ms < generated_ms else "other"

    def _change_of_route(self, kind: str, record: str, other: Seen, digest: bytes) -> str:
        """What a record is that the platform's interface brought before and no export did."""
        if kind == "account":
            return "new"  # what an account says of itself differs from time to time
        if not other_words(other.digest, digest):
            return "again"
        detail = "reads differently in the export and through X's interface; both are kept"
        self._note_problem(Problem(f"{kind} {record}", "conflict", detail))
        return "changed" if other.generated_ms < self.source.generated_ms else "other"

    def _other_series(self, kind: str) -> int | None:
        """The same account's records of a kind as its platform's interface brought them, if it did."""
        if kind not in self._elsewhere:
            self._elsewhere[kind] = (
                None
                if kind == "gone"  # what each way shows to be gone is an observation of its own
                else self.state.find_series(self.source.platform, self.source.account, kind, "api")
            )
        return self._elsewhere[kind]

    def _find_elsewhere(self, kind: str, keys: list[int | str]) -> dict[int | str, Seen]:
        series = self._other_series(kind)
        return {} if series is None else self.state.find_seen(series, keys)

    def _version_of_edit(self, kind: str, series: int, record_id: str) -> int:
        """The highest version so far of a record that has edits."""
        waiting = self._uncommitted[series]
        known = [waiting.get(f"record {record_id}"), waiting.get(as_key(record_id))]
        other = self._other_series(kind)
        elsewhere = 0 if other is None else self.state.versions_of(other, record_id)
        own = self.state.versions_of(series, record_id)
        return max(own, elsewhere, *(one.version for one in known if one), 0)

    def _put(
        self, capture: int, kind: str, series: int, item: Item, version: int, change: str, digest: bytes
    ) -> None:
        """Lay a record beside those close to it in time; finish the page when there are enough."""
        posted = item.posted_ms
        bucket_key = (capture, kind, posted // BUCKET_MS if posted is not None else 0)
        bucket = self._buckets.get(bucket_key)
        if bucket is None:
            bucket = self._buckets[bucket_key] = _Bucket(capture, kind, series, [])
        bucket.records.append((posted or 0, len(item.id), item.id, version, item, change, digest))
        size = len(item.slices[0][1]) + 1
        bucket.size += size
        self._waiting += size
        if bucket.size >= PAGE_BYTES:
            self._finish(bucket_key)
        elif self._waiting > WAITING_BYTES:
            self._finish(max(self._buckets, key=lambda one: self._buckets[one].size))

    # Media

    def _take_media(self, media: tuple[MediaReference, ...]) -> bool:
        """Spool the files a record shows that are not held yet; whether there was one."""
        found = False
        for one in media:
            if self._is_held(one.file_name):
                continue
            reason = NOT_IN_EXPORT
            try:
                stream = self.source.open_media(one.file_name)
                if stream is not None:
                    with stream:
                        self.spool.add_media(self.source.account, one.file_name, stream)
                    self._holds_media = True
                    self.report.media += 1
                    found = True
                    continue
            except SourceError as error:
                reason = "broken in the export"
                self._note_problem(Problem(one.file_name, "broken", error.message))
            self._missing.append(MissingMedia(self.source.account, one.file_name, reason))
            self.report.media_missing += 1
            if len(self.report.media_missing_names) < NAMED_MISSING:
                self.report.media_missing_names.append(one.file_name)
        return found

    def _is_held(self, file_name: str) -> bool:
        """Whether the file is in the spool or was sealed. Not asked where there is none of the account."""
        return self._holds_media and (
            self.state.find_media(self.source.account, file_name) is not None
            or self.spool.has_media(self.source.account, file_name)
        )

    # Pages

    def _finish(self, bucket_key: tuple[int, str, int]) -> None:
        """Make a page of a bucket's records, in order of time posted, and have it encrypted."""
        bucket = self._buckets.pop(bucket_key)
        self._waiting -= bucket.size
        bucket.records.sort()
        posted, _, ids, versions, items, changes, digests = map(list, zip(*bucket.records, strict=True))
        slices = [item.slices[0][1] for item in items]
        page = Page(
            self.source.platform,
            self.source.account,
            self.source.generated_ms,
            ids,
            posted,
            versions,
            changes,
            digests,
            [len(body) for body in slices],
            {
                index: item.record_id
                for index, item in enumerate(items)
                if item.record_id not in (None, item.id)
            },
            {
                index: [(self._captures[number], data) for number, data in item.slices[1:]]
                for index, item in enumerate(items)
                if len(item.slices) > 1
            },
            b"\n".join(slices),
        )
        info = PageInfo(0, bucket.capture, bucket.kind, len(ids), posted[0], posted[-1], len(page.payload))
        body = self._thread.submit(self._sealer.seal, page)
        self._sealing.append(_Sealing(info, bucket.series, page, body))
        if len(self._sealing) >= COMMIT_PAGES:
            self._commit(COMMIT_PAGES // 2)

    def _flush_all(self) -> None:
        for bucket_key in list(self._buckets):
            self._finish(bucket_key)
        self._commit(len(self._sealing))

    def _commit(self, count: int) -> None:
        """Make the oldest pages durable, then note in the state what they hold."""
        sealed = [self._sealing.popleft() for _ in range(count)]
        page_ids = self.spool.add_pages([(one.info, one.body.result()) for one in sealed], self._missing)
        self._missing.clear()
        with self.state.transaction():
            for page_id, one in zip(page_ids, sealed, strict=True):
                self.state.note_page(page_id, one.series, one.page)
                if one.info.kind == "gone":
                    self.state.note_gone_page(one.page)
            for series, keys in self._unchanged.items():
                self.state.note_unchanged(series, self.source.generated_ms, keys)
        self._unchanged = {}
        for one in sealed:
            uncommitted = self._uncommitted[one.series]
            for key in map(as_key, one.page.ids):
                uncommitted.pop(key, None)
            for record_id in one.page.record_ids.values():
                uncommitted.pop(f"record {record_id}", None)

    # What is gone

    def _note_absence(self, absence: Absence) -> None:
        series = self._series_of(absence.kind)
        noticed_ms = self.state.note_full(series, self.source.generated_ms)
        if self._first_capture is None:
            return
        gone = self.state.find_gone(series)
        if not gone:
            return
        number = max(self._captures, default=0) + 1
        capture = comparison_capture(self._first_capture, number, noticed_ms)
        self._begin_capture(capture)
        items = absent_items(number, absence.kind, gone, absence.how, noticed_ms)
        self._take_items(self._captures[number], "gone", self._erased.left(items, capture))
