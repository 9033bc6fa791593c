"""A query over every archive: segments opened newest first, and no more of them than are needed."""

import heapq
from collections.abc import Iterator, Sequence
from functools import partial
from operator import add, sub
from typing import Any, NamedTuple

import apsw
import msgspec

from archiver.archive.manifest import File
from archiver.archive.read import SegmentReader
from archiver.keys import Identity
from archiver.records import Moderation
from archiver.search.hit import POSITION, Effort, Hit, Result
from archiver.search.moderation import TABLE, HeldRecord, hold, sealed_entries
from archiver.search.moderation_index import find_moderation
from archiver.search.query import MODERATION, POST_KINDS, Query
from archiver.search.rank import register_rank
from archiver.search.side_by_side import each_in_a_process
from archiver.search.statement import (
    MANY,
    Order,
    hits_statement,
    revision_statement,
    tables_of,
    wants_relations,
)
from archiver.times import parse_time
from archiver.vault import Archive, Vault

__all__ = ["Effort", "Hit", "Result", "Searcher"]

_REVISION = {
    "post": "FROM post AS r WHERE coalesce(r.record_id, r.platform_id) = ?"
    " AND (r.version <> 1 OR r.record_id IS NOT NULL) AND r.platform = ? AND r.account = ?",
    "message": "FROM message AS r WHERE r.platform_id = ? AND r.version <> 1"
    " AND r.platform = ? AND r.account = ?",
}
"""All versions of a record but a first one. Values: record id, platform, account."""
_AGES = {table: f"SELECT r.posted_ms, r.version {rows}" for table, rows in _REVISION.items()}
_CAPTURED = {
    table: "SELECT (SELECT c.fetched_ms FROM capture_part AS p JOIN capture AS c ON c.id = p.capture"  # noqa: S608  # constants of this module
    f" WHERE p.id = r.part) {rows}"
    for table, rows in _REVISION.items()
}
_AGAIN = {
    table: f"SELECT 1 {rows} AND r.version <> 1 AND EXISTS"  # noqa: S608  # constants of this module
    f" (SELECT 1 FROM again AS a WHERE a.record_table = '{table}' AND a.record_key = r.key)"
    for table, rows in _REVISION.items()
}
"""Rows of a record that are no version of their own and were counted as one: what was captured for the
moderation register alone was not, and is version 1."""
_GONE = "SELECT noticed_ms, how FROM gone WHERE platform_id = ? AND platform = ? AND account = ? AND kind = ?"


class _Segment(NamedTuple):
    archive: Archive
    file: File
    posted_from: int
    posted_to: int


class _Found(NamedTuple):
    """What one process found, and what it read for that."""

    hits: list[Hit]
    edge: float | None
    effort: Effort


_Dated = tuple[_Segment, int, int]
"""A segment with its first and last times."""
SIDE_BY_SIDE_RECORDS = 200_000
"""From so many posts on, ranking uses every core: below that a process costs more than it saves."""


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
        self._vault = vault
        self._processes = processes
        self.side_by_side_records = SIDE_BY_SIDE_RECORDS
        self._read_elsewhere = Effort(0, 0, 0, 0)
        self._identities = identities
        self._spooled = spooled
        self._moderation: list[HeldRecord] | None = None
        self._open: dict[tuple[str, str], SegmentReader] = {}
        self._segments = [
            _Segment(archive, file, _bound(file.posted_from, 0), _bound(file.posted_to, MANY))
            for archive in archives
            for file in archive.manifest.segments
        ]

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
        readers = self._open.values()
        here = (
            len(self._open),
            sum(reader.sealed.chunks_read for reader in readers),
            sum(reader.frames.frames_read for reader in readers),
            sum(reader.sealed.bytes_read for reader in readers),
        )
        return Effort(*map(add, here, self._read_elsewhere))

    def close(self) -> None:
        for reader in self._open.values():
            reader.close()
        self._open.clear()

    def reader(self, archive: Archive, file: File) -> SegmentReader:
        """An open segment."""
        key = (archive.name, file.name)
        reader = self._open.get(key)
        if reader is None:
            reader = self._open[key] = self._vault.open_segment(archive, file, self._identities)
            register_rank(reader.connection)
        return reader

    def readers(self, table: str | None = None) -> Iterator[tuple[Archive, SegmentReader, File]]:
        """Every segment, or each that has rows of one table, opened; oldest archive first."""
        for segment in self._segments:
            if table is None or segment.file.records.get(table):
                yield segment.archive, self.reader(segment.archive, segment.file), segment.file

    def moderation(self) -> list[HeldRecord]:
        """Every moderation record, sealed and in the spool, the one entered first at the beginning. Read
        once; only segments that have any are opened."""
        if self._moderation is None:
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
        segments = list(self._in_order(query, order))
        records = sum(segment.file.records.get("post", 0) for segment, _, _ in segments)
        processes = min(self._processes, len(segments))
        if order != "relevance" or processes < 2 or records < self.side_by_side_records:
            return self._collect_from(segments, query, order, fetch)
        parts = [segments[number::processes] for number in range(processes)]
        tasks = [partial(self._encoded, part, query, order, fetch) for part in parts]
        found = [msgspec.msgpack.decode(answer, type=_Found) for answer in each_in_a_process(tasks)]
        for one in found[1:]:  # the first was read here and is counted already
            self._read_elsewhere = Effort(*map(add, self._read_elsewhere, one.effort))
        edges = [one.edge for one in found if one.edge is not None]
        return [hit for one in found for hit in one.hits], min(edges, default=None)

    def _encoded(self, segments: "Sequence[_Dated]", query: Query, order: Order, fetch: int) -> bytes:
        before = self.effort()
        hits, edge = self._collect_from(segments, query, order, fetch)
        return msgspec.msgpack.encode(_Found(hits, edge, Effort(*map(sub, self.effort(), before))))

    def _collect_from(
        self, segments: "Sequence[_Dated]", query: Query, order: Order, fetch: int
    ) -> tuple[list[Hit], float | None]:
        position = POSITION[order]
        nearest: list[float] = []
        hits: list[Hit] = []
        edges: list[float] = []
        for segment, first, last in segments:
            bound = -last if order == "newest" else first
            if order != "relevance" and len(nearest) >= fetch and -nearest[0] < bound:
                edges.append(bound)
                break
            for table in tables_of(query):
                if not segment.file.records.get(table):
                    continue
                found = self._hits(segment, *hits_statement(table, query, order, fetch, segment.archive.name))
                hits += found
                if len(found) == fetch:
                    edges.append(max(position(hit)[0] for hit in found))
                if fetch < MANY:
                    for hit in found:
                        heapq.heappush(nearest, -position(hit)[0])
                        if len(nearest) > fetch:
                            heapq.heappop(nearest)
        return hits, min(edges, default=None)

    def _in_order(self, query: Query, order: Order) -> Iterator[tuple[_Segment, int, int]]:
        """The segments that can hold hits and their first and last times, those with the newest (or
        oldest) records first."""
        undated = wants_relations(query)
        chosen = []
        for segment in self._segments:
            first, last = segment.posted_from, segment.posted_to
            if undated and segment.file.records.get("relation"):
                first, last = 0, MANY  # what likes, followers and the like have is a time captured
            if query.since_ms is not None and last < query.since_ms:
                continue
            if query.until_ms is not None and first >= query.until_ms:
                continue
            chosen.append((segment, first, last))
        chosen.sort(key=lambda one: one[1] if order == "oldest" else -one[2])
        return iter(chosen)

    def _hits(self, segment: _Segment, sql: str, values: Sequence[Any]) -> list[Hit]:
        return [Hit(*row) for row in self._rows(segment, sql, values)]

    def _rows(self, segment: _Segment, sql: str, values: Sequence[Any]) -> list[Any]:
        reader = self.reader(segment.archive, segment.file)
        try:
            return reader.connection.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise reader.translated(error) from error

    # Merging them: versions, and what is gone

    def _merged(
        self, query: Query, order: Order, wanted: int, found: Sequence[Hit], edge: float | None
    ) -> Result | None:
        """The first `wanted` records of the hits, or None where what lies beyond the edge is needed."""
        position = POSITION[order]
        waiting = [(position(hit), number, hit, False) for number, hit in enumerate(_newest_versions(found))]
        heapq.heapify(waiting)
        shown: list[Hit] = []
        while waiting and len(shown) < wanted:
            place, number, hit, settled = heapq.heappop(waiting)
            if edge is not None and place[0] > edge:
                return None
            if not settled and hit.kind != MODERATION:  # those are whole already
                hit = self._settled(query, order, hit)
                if position(hit) > place:  # its newest version was not among those found, and comes later
                    heapq.heappush(waiting, (position(hit), number, hit, True))
                    continue
            shown.append(hit)
        if edge is not None and not waiting:
            return None
        shown.sort(key=position)
        return Result(shown, bool(waiting))

    def _settled(self, query: Query, order: Order, hit: Hit) -> Hit:
        """The record in its newest version that matches, with how many there are and whether it is gone."""
        table = _table_of(hit)
        ages = self._revisions(hit, _AGES.get(table))
        newest = max(ages, default=(0, 0))
        if newest > (hit.posted_ms, hit.version):
            hit = self._newest_match(query, order, hit, table)
        gone = self._gone(hit, table)
        if gone is not None and ages:
            captured = self._revisions(hit, _CAPTURED.get(table))
            gone = None if max(captured)[0] > gone[0] else gone  # it was there again
        rows = max(abs(version) for version in (hit.version, *(version for _, version in ages)))
        return hit._replace(
            versions=max(1, rows - self._count_again(hit, table)),
            superseded=hit.version < 0 or newest > (hit.posted_ms, hit.version),
            gone=gone,
        )

    def _revisions(self, hit: Hit, sql: str | None) -> list[tuple[int, ...]]:
        """A row for each of the record's versions, but for a first one."""
        if sql is None:
            return []
        record = (hit.record_id, hit.platform, hit.account)
        segments = [segment for segment in self._segments if segment.file.revised]
        return [row for segment in segments for row in self._rows(segment, sql, record)]

    def _count_again(self, hit: Hit, table: str) -> int:
        """How many of the record's rows only repeat what had come another way."""
        sql = _AGAIN.get(table)
        if sql is None:
            return 0
        record = (hit.record_id, hit.platform, hit.account)
        segments = [segment for segment in self._segments if segment.file.again]
        return sum(len(self._rows(segment, sql, record)) for segment in segments)

    def _newest_match(self, query: Query, order: Order, hit: Hit, table: str) -> Hit:
        record = (hit.platform, hit.account, hit.record_id)
        for segment in self._segments:
            if segment.file.revised and segment.file.records.get(table):
                statement = revision_statement(table, query, order, segment.archive.name, record)
                hit = max([hit, *self._hits(segment, *statement)], key=_age)
        return hit

    def _gone(self, hit: Hit, table: str) -> tuple[int, str] | None:
        """When and how the record was last found missing."""
        found: list[tuple[int, str]] = []
        kind = hit.kind if table == "relation" else table
        for segment in self._segments:
            if segment.file.gone.get(kind):
                found += self._rows(segment, _GONE, (hit.id, hit.platform, hit.account, kind))
        return max(found, default=None)


def _age(hit: Hit) -> tuple[int, int]:
    return hit.posted_ms, hit.version


def _bound(time: str | None, otherwise: int) -> int:
    return otherwise if time is None else parse_time(time)


def _table_of(hit: Hit) -> str:
    if hit.kind in POST_KINDS:
        return "post"
    return "message" if hit.kind == "message" else "relation"


def _newest_versions(hits: Sequence[Hit]) -> list[Hit]:
    """Each record once: of its versions among the hits, the newest."""
    best: dict[tuple[str, str, str, str], Hit] = {}
    for hit in hits:
        kind = "post" if hit.kind in POST_KINDS else hit.kind
        key = (hit.platform, hit.account, kind, hit.record_id)
        other = best.get(key)
        if other is None or _age(hit) > _age(other):
            best[key] = hit
    return list(best.values())
