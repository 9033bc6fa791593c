"""Records of one answer of an interface as a page of the spool."""

from collections.abc import Sequence

from msgspec import Struct

from archiver.sources.base import Item, Route
from archiver.spool import Page, PageInfo

ROUTE: Route = "api"
UNREAD = "unread"
"""The kind of a page without records."""


class Decided(Struct, gc=False):
    """An item, and what it is to what was known: its change, its version's number, and its digest."""

    item: Item
    change: str
    version: int
    digest: bytes


def page_of(
    platform: str,
    account: str,
    seen_ms: int,
    kind: str,
    series: str,
    decided: Sequence[Decided],
    body: bytes | None,
) -> tuple[PageInfo, Page]:
    """A page of one kind and series, its records in order of time. With the answer's whole `body` each record
    says where in it it lies; without, the page has only the records' own bytes, one after the other."""
    ordered = sorted(decided, key=lambda one: (one.item.posted_ms or 0, len(one.item.id), one.item.id))
    items = [one.item for one in ordered]
    posted = [item.posted_ms or 0 for item in items]
    payload = b"\n".join([item.slices[0][1] for item in items]) if body is None else body
    page = Page(
        platform,
        account,
        seen_ms,
        [item.id for item in items],
        posted,
        [one.version for one in ordered],
        [one.change for one in ordered],
        [one.digest for one in ordered],
        [len(item.slices[0][1]) for item in items],
        {number: item.record_id for number, item in enumerate(items) if item.record_id is not None},
        {},
        payload,
        ROUTE,
        "" if series == kind else series,
        None if body is None else [item.places[0][0] for item in items],
        {number: list(item.places[1:]) for number, item in enumerate(items) if len(item.places) > 1}
        if body is not None
        else {},
    )
    return PageInfo(0, 0, kind, len(items), posted[0], posted[-1], len(payload)), page


def unread_page(platform: str, account: str, seen_ms: int, body: bytes) -> tuple[PageInfo, Page]:
    """An answer of which nothing was taken: its bytes, for whoever looks into it."""
    page = Page(platform, account, seen_ms, [], [], [], [], [], [], {}, {}, body, ROUTE, "", [])
    return PageInfo(0, 0, UNREAD, 0, None, None, len(body)), page
