"""Which pages of the spool go into which segment, and their records in order of time posted."""

import heapq
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from archiver.records import TIMED_KINDS
from archiver.spool import Page, PageInfo

PLAIN_BYTES_PER_PAYLOAD = 1.35
"""A segment's plain database is this many times its verbatim bytes (measured: 1.2 to 1.35 for posts)."""


class SegmentPlan(Struct, frozen=True):
    """One segment: its number from the oldest on, and its pages, dated ones first."""

    number: int
    pages: tuple[PageInfo, ...]


def plan_segments(pages: Sequence[PageInfo], segment_bytes: int) -> list[SegmentPlan]:
    """Cut the pages into segments of about equal size, none much over `segment_bytes` of plain database.

    Dated pages follow each other in time, so that segments hardly overlap and a search for the newest
    opens only the last; undated ones (relations, accounts) come after them."""
    dated = sorted(
        (page for page in pages if page.kind in TIMED_KINDS),
        key=lambda page: (page.posted_from or 0, page.id),
    )
    undated = [page for page in pages if page.kind not in TIMED_KINDS]
    ordered = dated + undated
    total = sum(page.plain_bytes for page in ordered) * PLAIN_BYTES_PER_PAYLOAD
    count = max(1, -(-int(total) // segment_bytes))
    share = total / count / PLAIN_BYTES_PER_PAYLOAD
    plans: list[SegmentPlan] = []
    waiting: list[PageInfo] = []
    taken = 0.0
    for page in ordered:
        waiting.append(page)
        taken += page.plain_bytes
        if taken >= share * (len(plans) + 1) and len(plans) + 1 < count:
            plans.append(SegmentPlan(len(plans), tuple(waiting)))
            waiting = []
    plans.append(SegmentPlan(len(plans), tuple(waiting)))
    return [plan for plan in plans if plan.pages]


class Run(NamedTuple):
    """Records `start` to `stop` of a page, all due before any other page's next one."""

    info: PageInfo
    page: Page
    start: int
    stop: int


def in_time_order(pages: Sequence[PageInfo], read_page: Callable[[int], Page]) -> Iterator[Run]:
    """The records of dated pages by time posted. Each page is in order itself; a page is read only when its
    time has come and dropped when it is through, so few are in memory at once. One that has none, as all were
    erased, is left out."""
    having = [page for page in pages if page.records]
    waiting = sorted(having, key=lambda page: (page.posted_from or 0, page.id), reverse=True)
    open_pages: list[tuple[int, int, int, PageInfo, Page]] = []
    while waiting or open_pages:
        while waiting and (not open_pages or (waiting[-1].posted_from or 0) <= open_pages[0][0]):
            info = waiting.pop()
            heapq.heappush(open_pages, (info.posted_from or 0, info.id, 0, info, read_page(info.id)))
        _, page_id, start, info, page = heapq.heappop(open_pages)
        nexts = [open_pages[0][0]] if open_pages else []
        nexts += [waiting[-1].posted_from or 0] if waiting else []
        times = page.posted_ms
        # At least one record, so that equal times do not stop the march.
        stop = max(start + 1, bisect_left(times, min(nexts), start)) if nexts else len(times)
        yield Run(info, page, start, stop)
        if stop < len(times):
            heapq.heappush(open_pages, (times[stop], page_id, stop, info, page))
