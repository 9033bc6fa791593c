"""What segments found, made into an answer: each record once, in its newest version that matches."""

import heapq
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from archiver.search.hit import POSITION, Edge, Hit, Position, Result, edge_of, record_of
from archiver.search.language.fields import MODERATION
from archiver.search.question import Question
from archiver.search.settling import Settler, age
from archiver.search.sql.statement import Order

_SETTLED_AHEAD = 500
"""Of the hits to be shown, asked about in one go where segments are far away."""


class Page(NamedTuple):
    """Which part of an answer is wanted."""

    order: Order
    wanted: int
    after: Position | None
    versions: bool

    def holds(self, position: Position) -> bool:
        return self.after is None or position > self.after


def merged(
    settler: Settler, question: Question, page: Page, found: Sequence[Hit], edge: Edge | None
) -> Result | None:
    """The first records of the page, or None where what lies beyond the edge is needed."""
    position = POSITION[page.order]
    once = _each_version(found) if page.versions else _newest_versions(found)
    waiting = [hit for hit in sorted(once, key=position) if page.holds(position(hit))]
    settler.fetch_ahead(waiting[: min(page.wanted + 1, _SETTLED_AHEAD)])
    later: list[tuple[Position, int, Hit]] = []
    shown: list[Hit] = []
    at = 0
    while (later or at < len(waiting)) and len(shown) < page.wanted:
        if later and (at == len(waiting) or later[0][0] <= position(waiting[at])):
            place, _, hit = heapq.heappop(later)
            settled = True
        else:
            hit, settled = waiting[at], False
            place, at = position(hit), at + 1
        if edge is not None and edge_of(place) >= edge:
            return None
        if not settled and hit.kind != MODERATION:  # those are whole already
            hit = settler.settled(question, hit, is_version=page.versions)
            if position(hit) > place:  # its newest version was not among those found, and comes later
                heapq.heappush(later, (position(hit), at, hit))
                continue
            if not page.holds(position(hit)):  # it came before, in its newest version
                continue
        shown.append(hit)
    if edge is not None and not later and at == len(waiting):
        return None
    shown.sort(key=position)
    more = bool(later) or at < len(waiting)
    return Result(shown, more, position(shown[-1]) if shown else None)


def _newest_versions(hits: Iterable[Hit]) -> list[Hit]:
    """Each record once: of its versions among the hits, the newest."""
    best: dict[tuple[str, str, str], dict[str, Hit]] = {}  # a key of its own for each would be 90 bytes more
    for hit in hits:
        *record, own = record_of(hit)
        records = best.setdefault((record[0], record[1], record[2]), {})
        other = records.get(own)
        if other is None or age(hit) > age(other):
            records[own] = hit
    return [hit for records in best.values() for hit in records.values()]


def _each_version(hits: Iterable[Hit]) -> list[Hit]:
    """Each version once, whichever archive has it."""
    return list({(*record_of(hit), hit.id, hit.version): hit for hit in hits}.values())
