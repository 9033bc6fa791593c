"""The first hits in the order of time: segment after segment, until what is left cannot have any of them.

A common word has them in the newest segment; for a rare one many are opened, which costs 2 ms each. Text that
no index has is looked for in all texts, which keeps every core busy: then processes read side by side. For
words they do not: what a process has opened it takes with it, and the next search would open it again. (Two
threads took 128 ms for sixty segments, one 150 ms, with a quarter more work: Python runs one at a time. They
are worth it where each waits for a network, see `archiver.search.ahead`.)
"""

import heapq
from collections.abc import Sequence
from functools import partial
from operator import sub
from typing import NamedTuple

import msgspec

from archiver.search.ahead import fetch_ahead
from archiver.search.hit import POSITION, Edge, Effort, Hit, edge_of
from archiver.search.question import Place, Question, place_of
from archiver.search.segments import Dated, Segments
from archiver.search.side_by_side import Work, in_two_steps
from archiver.search.sql.statement import MANY, fetch_of, hits_statement

FIRST_SEGMENTS = 8
FIRST_RECORDS = 50_000
"""Read here before any process is started, which costs as much as reading some three segments."""
_MANY_HITS = 10_000
"""Of one segment, for which it was read nearly through: what was read is in the way of the hits then."""


class _Found(NamedTuple):
    """What one process found, and what it read for that."""

    hits: list[Hit]
    edges: list[Edge]
    effort: Effort


def find_in_time(
    segments: Segments, question: Question, fetch: int, processes: int
) -> tuple[list[Hit], Edge | None]:
    """The first `fetch` hits, with some that come later; and from where on some are left out, None where
    none are."""
    ordered = question.in_order()
    collecting = _Collecting(segments, question, fetch)
    collecting.found_ahead = dict(fetch_ahead(segments, ordered, question, fetch))
    alone = _alone(ordered) if processes > 1 and segments.are_near else len(ordered)
    at, goes_on = alone, collecting.take(ordered[:alone])
    while goes_on and at < len(ordered):
        wave = ordered[at : at + _wave_size(at, len(collecting.hits), fetch)]
        goes_on = collecting.may_need(wave[0])
        if goes_on:
            _take_side_by_side(segments, collecting, wave, processes)
        at += len(wave)
    return collecting.hits, min(collecting.edges, default=None)


def _alone(ordered: Sequence[Dated]) -> int:
    """How many of the segments to read before others help."""
    records = 0
    for number, (segment, _, _) in enumerate(ordered):
        if number >= FIRST_SEGMENTS or records >= FIRST_RECORDS:
            return number if len(ordered) - number > 2 else len(ordered)
        records += sum(segment.file.records.values())
    return len(ordered)


def _wave_size(read: int, hits: int, fetch: int) -> int:
    """How many segments to read next, when so many had so many hits: as should have the rest, and a few more,
    as another wave costs another start of processes."""
    if not hits:
        return MANY
    return max(FIRST_SEGMENTS, (read * (fetch - hits) * 5) // (hits * 4) + 1)


def _take_side_by_side(
    segments: Segments, collecting: "_Collecting", wave: Sequence[Dated], processes: int
) -> None:
    shares = [wave[number::processes] for number in range(min(processes, len(wave)))]
    works = [Work(bytes, partial(collecting.take_encoded, share)) for share in shares]
    answers = in_two_steps(works, lambda some: b"")
    for answer in answers[1:]:  # the first was read here and is counted already
        found = msgspec.msgpack.decode(answer, type=_Found)
        collecting.join(found.hits, found.edges)
        segments.add_effort(found.effort)


class _Collecting:
    """Hits so far. `edges`: from where on a segment that was read, or one that was not, may have more."""

    def __init__(self, segments: Segments, question: Question, fetch: int) -> None:
        self.hits: list[Hit] = []
        self.edges: list[Edge] = []
        self.found_ahead: dict[Place, list[Hit]] = {}
        self._segments = segments
        self._question = question
        self._fetch = fetch
        self._nearest: list[float] = []

    def take(self, ordered: Sequence[Dated]) -> bool:
        """Read segments in their order. Whether those after them can have any of the first hits."""
        for dated in ordered:
            if not self.may_need(dated):
                return False
            segment, _, _ = dated
            for table in self._question.tables(segment):
                found = self.found_ahead.get(place_of(segment, table))
                if found is None:
                    asked = self._question.asked(segment, table)
                    fetch = fetch_of(table, self._fetch)
                    statement = hits_statement(asked, self._question.order, fetch, segment.archive.name)
                    found = self._segments.hits(segment, *statement)
                if len(found) > _MANY_HITS:
                    self._segments.reader(segment.archive, segment.file).let_go()
                self._add(table, found)
        return True

    def may_need(self, dated: Dated) -> bool:
        """Whether a segment can have any of the first hits; if not, none after it can, and what they have is
        beyond the edge."""
        _, first, last = dated
        bound = -last if self._question.order == "newest" else first
        if len(self._nearest) < self._fetch or -self._nearest[0] >= bound:
            return True
        self.edges.append((bound, 0))
        return False

    def _add(self, table: str, found: Sequence[Hit]) -> None:
        position = POSITION[self._question.order]
        is_cut = len(found) == fetch_of(table, self._fetch)
        edges = [max(edge_of(position(hit)) for hit in found)] if is_cut else []
        self.join(found, edges)

    def join(self, found: Sequence[Hit], edges: Sequence[Edge]) -> None:
        """Add hits, and from where on whoever found them has left some out."""
        position = POSITION[self._question.order]
        self.hits += found
        self.edges += edges
        if self._fetch < MANY:
            for hit in found:
                heapq.heappush(self._nearest, -position(hit)[0])
                if len(self._nearest) > self._fetch:
                    heapq.heappop(self._nearest)

    def take_encoded(self, ordered: Sequence[Dated], order: bytes) -> bytes:
        """Go on with some segments, knowing what was found before; only what these have is told."""
        known, before = (len(self.hits), len(self.edges)), self._segments.effort()
        self.take(ordered)
        effort = Effort(*map(sub, self._segments.effort(), before))
        return msgspec.msgpack.encode(_Found(self.hits[known[0] :], self.edges[known[1] :], effort))
