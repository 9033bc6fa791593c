"""The way of one segment's records from the spool's pages to rows."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from archiver import __version__
from archiver.archive.build import NOT_CAPTURED, MediaPlace, Place, SegmentBuilder
from archiver.errors import ArchiverError
from archiver.records import TIMED_KINDS, Moderation
from archiver.seal.plan import Run, SegmentPlan, in_time_order
from archiver.sources.parsers import parser_for
from archiver.spool import Page, PageInfo, Spool, SpooledCapture
from archiver.state import SealedMedia, State
from archiver.times import format_date

JOINED_PART_BYTES = 1024 * 1024
Decided = tuple[str, str, str, str]
"""Of decisions of the moderation register: platform, account, month in which they were entered, action."""


class SegmentContext(Struct, frozen=True):
    """What every segment of one archive is built with. Holds secrets: passed on, never shown."""

    archive: str
    vault: str
    archive_identity: str
    captures: dict[int, SpooledCapture]
    packed: dict[tuple[str, str], MediaPlace]
    """Media files that this archive's packs hold."""
    language: str
    configuration: str
    problem_segment: int
    """The number of the segment that the problems go into."""
    problems: list[tuple[object, ...]]

    def __repr__(self) -> str:
        return f"SegmentContext(archive={self.archive!r})"


class SegmentBuild:
    """The way of one segment's records from pages to rows: to be sealed, or searched in memory
    (`archiver/seal/unsealed.py`). Without a state nothing is known of what earlier archives hold."""

    def __init__(self, plan: SegmentPlan, spool: Spool, state: State | None, context: SegmentContext) -> None:
        self.plan = plan
        self.spool = spool
        self.state = state
        self.context = context
        self.builder = SegmentBuilder(self._find_media, language=context.language)
        self.changes: Counter[tuple[int, str, str]] = Counter()
        self.problems: list[str] = []
        self.decisions: Counter[Decided] = Counter()
        self.reasons: Counter[tuple[Decided, str]] = Counter()
        self.reversals: Counter[Decided] = Counter()
        self._account = ""
        self._missing: dict[tuple[str, str], str] = {}
        self._sealed_before: dict[str, bool] = {}
        self._last_offsets: tuple[int, list[int]] = (0, [])
        self._parts = {page.id: number for number, page in enumerate(plan.pages, start=1)}
        self._joined = _JoinedParts(first_part=len(plan.pages) + 1)

    def _find_media(self, shown_by: str, file_name: str) -> MediaPlace:
        """In this archive's packs, in an earlier archive's, or missing with the reason. Files are kept under
        the account that they were captured for, also those that somebody else's profile shows."""
        account = self._account
        packed = self.find_new_media(account, file_name)
        if packed is not None:
            return packed
        sealed = self._find_sealed_media(account, file_name)
        if sealed is not None:
            return MediaPlace(sealed.sha256, sealed.size, sealed.archive, sealed.pack, sealed.offset, None)
        return MediaPlace(None, None, None, None, None, self._why_missing(account, file_name))

    def find_new_media(self, account: str, file_name: str) -> MediaPlace | None:
        """Where a file lies that the spool holds."""
        return self.context.packed.get((account, file_name))

    def _find_sealed_media(self, account: str, file_name: str) -> SealedMedia | None:
        if self.state is None:
            return None
        if account not in self._sealed_before:
            self._sealed_before[account] = self.state.holds_media(account)
        return self.state.find_media(account, file_name) if self._sealed_before[account] else None

    def read_page(self, page_id: int) -> Page:
        """A page's records and bytes; called once for its records, then once for its bytes."""
        return self.spool.read_page(page_id)

    def _why_missing(self, account: str, file_name: str) -> str:
        """The same for all records of the segment, though the file may come into the spool meanwhile."""
        reason = self._missing.get((account, file_name))
        if reason is None:
            spooled = self.spool.find_media(account, file_name)
            if spooled is None:
                reason = NOT_CAPTURED
            else:
                reason = spooled.missing or "not there yet when this was sealed"
            reason = self._missing[account, file_name] = sys.intern(reason)
        return reason

    def add_records(self) -> None:
        """Parse every record of the plan's pages into the builder, dated ones in order of time."""
        for kind in TIMED_KINDS:
            dated = [page for page in self.plan.pages if page.kind == kind]
            self._add_all(in_time_order(dated, self.read_page))
        self._add_all(self._undated())
        self.builder.finish_rows()

    def _undated(self) -> Iterator[Run]:
        for info in self.plan.pages:
            if info.kind not in TIMED_KINDS:
                page = self.read_page(info.id)
                yield Run(info, page, 0, len(page.ids))

    def _add_all(self, runs: Iterator[Run]) -> None:
        for info, page, start, stop in runs:
            spooled = self.context.captures[info.capture]
            parse = parser_for(spooled.capture.source)
            self._account = spooled.capture.account
            offsets = self._offsets(info, page)
            for index in range(start, stop):
                offset, length = offsets[index], page.lengths[index]
                joined = page.joined.get(index, ())
                within = page.within.get(index, ())
                slices = [page.payload[start : start + size] for start, size in ((offset, length), *within)]
                slices += [data for _, data in joined]
                change = page.changes[index]
                try:
                    record = parse(spooled.capture, info.kind, slices)
                except ArchiverError as error:
                    change = "unparsed"
                    self.problems.append(f"{info.kind} {page.ids[index]}: {error.message}")
                else:
                    part = self._parts[info.id]
                    places = [Place(part, start, size) for start, size in within]
                    places += [self._joined.add(capture, data) for capture, data in joined]
                    self.builder.add(
                        record,
                        page.versions[index],
                        (part, offset, length),
                        places,
                        again=change == "again",
                    )
                    if type(record) is Moderation:
                        self._count_entry(record)
                self.changes[info.capture, info.kind, change] += 1

    def _count_entry(self, entry: Moderation) -> None:
        if entry.entry == "decision":
            decided = _decided(entry, entry.entered_ms, entry.action)
            self.decisions[decided] += 1
            self.reasons.update((decided, reason) for reason in dict.fromkeys(entry.reason_codes or ("",)))
        if entry.entry == "reversal":
            # What it undoes may be in an archive that is not open; the register remembers what that was.
            row = self.spool.register.find(entry.record_id)
            known = (entry.entered_ms, None) if row is None else (row.entered_ms, row.decided)
            self.reversals[_decided(entry, *known)] += 1

    def _offsets(self, info: PageInfo, page: Page) -> list[int]:
        """A page comes in several runs where others overlap it; its offsets are counted once."""
        if self._last_offsets[0] != info.id:
            self._last_offsets = (info.id, page.offsets())
        return self._last_offsets[1]

    def add_captures(self) -> None:
        """Add the verbatim bytes, page by page, and how each was got."""
        used = {page.capture for page in self.plan.pages} | self._joined.captures
        for number in sorted(used):
            self.builder.add_capture(self._capture_row(self.context.captures[number]))
        for page in self.plan.pages:
            self.builder.add_part(self._parts[page.id], page.capture, self.read_page(page.id).payload)
        for part, capture, body in self._joined.parts():
            self.builder.add_part(part, capture, body)
        if self.plan.number == self.context.problem_segment:
            self.builder.add_problems(self.context.problems)
        self.builder.add_meta(
            {
                "format": "archiver-segment-1",
                "vault": self.context.vault,
                "archive": self.context.archive,
                "segment": str(self.plan.number),
                "tool": f"archiver {__version__}",
            }
        )

    def _capture_row(self, spooled: SpooledCapture) -> tuple[object, ...]:
        capture = spooled.capture
        context = msgspec.json.encode(capture.context).decode()
        headers = None if capture.headers is None else msgspec.json.encode(capture.headers).decode()
        return (
            spooled.id, capture.source, capture.route, capture.platform, capture.account, capture.handle,
            capture.name, capture.request, capture.body_kind, capture.layout, capture.fetched_ms,
            spooled.taken_ms, capture.status, headers, context, spooled.body_size, spooled.body_sha256,
            spooled.source_sha256, f"archiver {__version__}", self.context.configuration,
        )  # fmt: skip


def _decided(entry: Moderation, entered_ms: int, action: str | None) -> Decided:
    return entry.platform, entry.account, format_date(entered_ms)[:7], action or ""


class _JoinedParts:
    """Verbatim bytes that belong to a record beside its own, put into parts of their own captures."""

    def __init__(self, first_part: int) -> None:
        self._next_part = first_part
        self._open: dict[int, tuple[int, bytearray]] = {}
        self._full: list[tuple[int, int, bytes]] = []
        self.captures: set[int] = set()

    def add(self, capture: int, data: bytes) -> Place:
        part, body = self._open.get(capture, (0, bytearray()))
        if part and len(body) + len(data) > JOINED_PART_BYTES:
            self._full.append((part, capture, bytes(body)))
            part, body = 0, bytearray()
        if not part:
            part = self._next_part
            self._next_part += 1
            self._open[capture] = (part, body)
            self.captures.add(capture)
        if body:
            body += b"\n"
        place = Place(part, len(body), len(data))
        body += data
        return place

    def parts(self) -> Sequence[tuple[int, int, bytes]]:
        """Each as (part, capture, body)."""
        return [*self._full, *((part, capture, bytes(body)) for capture, (part, body) in self._open.items())]
