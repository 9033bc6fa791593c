"""A query over every archive: segments opened newest first, and no more of them than are needed."""

import heapq
from collections.abc import Iterator, Sequence
from functools import partial
from operator import sub
from typing import NamedTuple

import msgspec

from archiver.archive.manifest import File
from archiver.archive.read import SegmentReader
from archiver.keys import Identity
from archiver.records import Moderation
from archiver.search.ahead import Ahead, fetch_ahead, place_of
from archiver.search.hit import POSITION, Effort, Hit, Position, Result
from archiver.search.moderation import READ_ENTRIES, TABLE, HeldRecord, hold, sealed_entries
from archiver.search.moderation_index import find_moderation
from archiver.search.query import MODERATION, POST_KINDS, Query
from archiver.search.segments import Dated, Segments
from archiver.search.settling import Settler, age
from archiver.search.side_by_side import each_in_a_process
from archiver.search.statement import MANY, Order, hits_statement, tables_of
from archiver.vault import Archive, Vault

__all__ = ["Effort", "Hit", "Result", "Searcher"]


class _Found(NamedTuple):
    """What one process found, and what it read for that."""

    hits: list[Hit]
    edge: float | None
    effort: Effort


SIDE_BY_SIDE_RECORDS = 200_000
"""From so many posts on, ranking uses every core: below that a process costs more than it saves."""
_MANY_HITS = 10_000
"""Of one segment, for which it was read nearly through: what was read is in the way of the hits then."""
_SETTLED_AHEAD = 500
"""Of the hits to be shown, asked about in one go where segments are far away."""


class Searcher:
    """An opened vault: segments stay open, so that a second search is quicker than the first.

    Raise NoKeyError where no identity opens an archive, IntegrityError for altered bytes."""

    def __init__(
        self,
        vault: Vault,
        archives: Sequence[Archive],
        identities: Sequence[Identity],
        *,
        processes: int = 1,
        spooled: Sequence[Moderation] = (),
    ) -> None:
        """`processes`: how many may rank side by side. `spooled`: entries of the moderation register that
        are not sealed yet, read before the archives were listed."""
        self.segments = Segments(vault, archives, identities)
        # A process that is forked beside threads waiting for a network would inherit their locks.
        self._processes = processes if self.segments.are_near else 1
        self.side_by_side_records = SIDE_BY_SIDE_RECORDS
        self._settler = Settler(self.segments)
        self._spooled = spooled
        self._moderation: list[HeldRecord] | None = None

    def search(self, query: Query, *, order: Order = "newest", limit: int = 50) -> Result:
        """The first `limit` records in the order asked for; 0 for all of them. Among records of the same
        millisecond at the limit, which are shown is chance."""
        wanted = limit or MANY
        fetch = wanted + 1
        moderated = find_moderation(self.moderation(), query, order, fetch) if query.wants(MODERATION) else []
        if not tables_of(query):
            return Result(moderated[:wanted], len(moderated) > wanted)
        while True:
            found, edge = self._collect(query, order, fetch)
            result = self._merged(query, order, wanted, [*found, *moderated], edge)
            if result is not None:
                return result
            fetch *= 2

    def effort(self) -> Effort:
        """What all searches so far have read."""
        return self.segments.effort()

    def close(self) -> None:
        self.segments.close()

    def readers(self, table: str | None = None) -> Iterator[tuple[Archive, SegmentReader, File]]:
        """Every segment, or each that has rows of one table, opened; oldest archive first."""
        return self.segments.opened(table)

    def moderation(self) -> list[HeldRecord]:
        """Every moderation record, sealed and in the spool, the one entered first at the beginning. Read
        once; only segments that have any are opened."""
        if self._moderation is None:
            holding = [segment for segment in self.segments.all if segment.file.records.get(TABLE)]
            self.segments.gather((segment, READ_ENTRIES) for segment in holding)
            sealed = (
                held
                for archive, reader, _ in self.readers(TABLE)
                for held in sealed_entries(archive.name, reader)
            )
            self._moderation = hold(sealed, self._spooled)
        return self._moderation

    # Collecting hits

    def _collect(self, query: Query, order: Order, fetch: int) -> tuple[list[Hit], float | None]:
        """Hits of all segments that can matter, and the edge: up to which position (time or score, as
        `POSITION` begins) none is left out; None where none is at all."""
        segments = self.segments.in_order(query, order)
        records = sum(segment.file.records.get("post", 0) for segment, _, _ in segments)
        processes = min(self._processes, len(segments))
        if order != "relevance" or processes < 2 or records < self.side_by_side_records:
            ahead = Ahead()
            if not self.segments.are_near:
                ahead = fetch_ahead(self.segments, segments, query, order, fetch)
            return self._collect_from(segments, query, order, fetch, ahead)
        parts = [segments[number::processes] for number in range(processes)]
        tasks = [partial(self._encoded, part, query, order, fetch) for part in parts]
        found = [msgspec.msgpack.decode(answer, type=_Found) for answer in each_in_a_process(tasks)]
        for one in found[1:]:  # the first was read here and is counted already
            self.segments.add_effort(one.effort)
        edges = [one.edge for one in found if one.edge is not None]
        return [hit for one in found for hit in one.hits], min(edges, default=None)

    def _encoded(self, segments: Sequence[Dated], query: Query, order: Order, fetch: int) -> bytes:
        before = self.effort()
        hits, edge = self._collect_from(segments, query, order, fetch, Ahead())
        return msgspec.msgpack.encode(_Found(hits, edge, Effort(*map(sub, self.effort(), before))))

    def _collect_from(
        self, segments: Sequence[Dated], query: Query, order: Order, fetch: int, ahead: Ahead
    ) -> tuple[list[Hit], float | None]:
        """`ahead`: which hits are the first, where that is known: the rows of others are not read then; and
        hits that were read already."""
        position = POSITION[order]
        best = ahead.best
        nearest: list[float] = []
        hits: list[Hit] = []
        edges: list[float] = [] if best is None or best.edge is None else [best.edge]
        for segment, first, last in segments:
            bound = -last if order == "newest" else first
            if order != "relevance" and len(nearest) >= fetch and -nearest[0] < bound:
                edges.append(bound)
                break
            for table in tables_of(query):
                place = place_of(segment, table)
                most = fetch if best is None else best.counts.get(place, 0)
                if not segment.file.records.get(table) or not most:
                    continue
                found = ahead.found.get(place)
                if found is None:
                    statement = hits_statement(table, query, order, most, segment.archive.name)
                    found = self.segments.hits(segment, *statement)
                hits += found
                if len(found) > _MANY_HITS:
                    self.segments.reader(segment.archive, segment.file).let_go()
                if len(found) == fetch:
                    edges.append(max(position(hit)[0] for hit in found))
                if fetch < MANY:
                    for hit in found:
                        heapq.heappush(nearest, -position(hit)[0])
                        if len(nearest) > fetch:
                            heapq.heappop(nearest)
        return hits, min(edges, default=None)

    # Merging them: versions, and what is gone

    def _merged(
        self, query: Query, order: Order, wanted: int, found: Sequence[Hit], edge: float | None
    ) -> Result | None:
        """The first `wanted` records of the hits, or None where what lies beyond the edge is needed."""
        position = POSITION[order]
        waiting = sorted(_newest_versions(found), key=position)
        if not self.segments.are_near:
            self._settler.fetch_ahead(waiting[: min(wanted + 1, _SETTLED_AHEAD)])
        later: list[tuple[Position, int, Hit]] = []
        shown: list[Hit] = []
        at = 0
        while (later or at < len(waiting)) and len(shown) < wanted:
            if later and (at == len(waiting) or later[0][0] <= position(waiting[at])):
                place, _, hit = heapq.heappop(later)
                settled = True
            else:
                hit, settled = waiting[at], False
                place, at = position(hit), at + 1
            if edge is not None and place[0] > edge:
                return None
            if not settled and hit.kind != MODERATION:  # those are whole already
                hit = self._settler.settled(query, order, hit)
                if position(hit) > place:  # its newest version was not among those found, and comes later
                    heapq.heappush(later, (position(hit), at, hit))
                    continue
            shown.append(hit)
        if edge is not None and not later and at == len(waiting):
            return None
        shown.sort(key=position)
        return Result(shown, bool(later) or at < len(waiting))


def _newest_versions(hits: Sequence[Hit]) -> list[Hit]:
    """Each record once: of its versions among the hits, the newest."""
    best: dict[tuple[str, str, str], dict[str, Hit]] = {}  # a key of its own for each would be 90 bytes more
    for hit in hits:
        kind = "post" if hit.kind in POST_KINDS else hit.kind
        records = best.setdefault((hit.platform, hit.account, kind), {})
        other = records.get(hit.record_id)
        if other is None or age(hit) > age(other):
            records[hit.record_id] = hit
    return [hit for records in best.values() for hit in records.values()]
