"""Which pages of the spool go into which segment, and their records in order of time posted."""

import heapq
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from archiver.records import TIMED_KINDS
from archiver.spool import Entry, Page, PageInfo

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


def in_time_order(
    pages: Sequence[PageInfo], read_page: Callable[[int], Page]
) -> Iterator[tuple[PageInfo, Page, Entry]]:
    """The records of dated pages by time posted, then by id. Each page is in order itself; a page is read
    only when its time has come and dropped when it is through, so few are in memory at once."""
    waiting = sorted(pages, key=lambda page: (page.posted_from or 0, page.id), reverse=True)
    open_pages: list[tuple[int, int, int, PageInfo, Page]] = []
    while waiting or open_pages:
        while waiting and (not open_pages or (waiting[-1].posted_from or 0) <= open_pages[0][0]):
            info = waiting.pop()
            page = read_page(info.id)
            heapq.heappush(open_pages, (page.entries[0].posted_ms or 0, info.id, 0, info, page))
        _, page_id, index, info, page = open_pages[0]
        entries = page.entries
        # Run through this page for as long as no other has an earlier record.
        limit = min((one[0] for one in open_pages[1:3]), default=None)
        if waiting and (limit is None or (waiting[-1].posted_from or 0) < limit):
            limit = waiting[-1].posted_from or 0
        while True:
            yield info, page, entries[index]
            index += 1
            if index == len(entries):
                heapq.heappop(open_pages)
                break
            posted = entries[index].posted_ms or 0
            if limit is not None and posted >= limit:
                heapq.heapreplace(open_pages, (posted, page_id, index, info, page))
                break
