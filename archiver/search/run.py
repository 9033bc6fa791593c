"""A query over every archive: segments opened newest first, and no more of them than are needed."""

import heapq
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import apsw

from archiver.archive.manifest import File
from archiver.archive.read import SegmentReader
from archiver.keys import Identity
from archiver.search.query import POST_KINDS, Query, exclude_expression, match_expression
from archiver.search.rank import register_rank
from archiver.records import RELATION_KINDS
from archiver.times import parse_time
from archiver.vault import Archive, Vault

Order = Literal["newest", "oldest", "relevance"]
_MANY = 1 << 62


class Hit(NamedTuple):
    """One record: its newest version that matches. `versions` is how many were taken; `superseded`: a
    newer one does not match; `gone`: when and how it was found missing."""

    platform: str
    id: str
    kind: str
    account: str
    author_id: str | None
    author: str | None
    posted_ms: int
    text: str
    alt_text: str | None
    archive: str
    version: int
    record_id: str
    score: float
    versions: int = 1
    superseded: bool = False
    gone: tuple[int, str] | None = None


class Effort(NamedTuple):
    """What a search read."""

    segments: int
    chunks: int
    frames: int
    bytes: int


class Result(NamedTuple):
    hits: list[Hit]
    more: bool
    """There are more hits than were asked for."""


class _Segment(NamedTuple):
    archive: Archive
    file: File
    posted_from: int
    posted_to: int


_COLUMNS = {
    "post": "r.platform, r.platform_id, r.kind, r.account, r.author_id, r.author_handle, r.posted_ms, r.text,"
    " r.alt_text, r.version, coalesce(r.record_id, r.platform_id)",
    "message": "r.platform, r.platform_id, 'message', r.account, r.sender_id, NULL, r.posted_ms, r.text,"
    " NULL, r.version, r.platform_id",
    "relation": "r.platform, r.platform_id, r.kind, r.account, NULL, NULL, r.captured_ms, coalesce(r.text, r.url, ''),"
    " NULL, r.version, r.platform_id",
}
_TIME = {"post": "posted_ms", "message": "posted_ms", "relation": "captured_ms"}
_REVISIONS = {
    "post": "SELECT posted_ms, version FROM post WHERE coalesce(record_id, platform_id) = ? AND platform = ?"
    " AND (version > 1 OR record_id IS NOT NULL)",
    "message": "SELECT posted_ms, version FROM message WHERE platform_id = ? AND platform = ? AND version > 1",
}


class Searcher:
    """An opened vault: segments stay open, so that a second search is quicker than the first.

    Raise NoKeyError where no identity opens an archive, IntegrityError for altered bytes."""

    def __init__(self, vault: Vault, archives: Sequence[Archive], identities: Sequence[Identity]) -> None:
        self._vault = vault
        self._identities = identities
        self._open: dict[tuple[str, str], SegmentReader] = {}
        self._segments = [
            _Segment(archive, file, _bound(file.posted_from, 0), _bound(file.posted_to, _MANY))
            for archive in archives
            for file in archive.manifest.segments
        ]

    def search(self, query: Query, *, order: Order = "newest", limit: int = 50) -> Result:
        """The first `limit` records in the order asked for; 0 for all of them."""
        wanted = limit if limit else _MANY
        fetch = wanted + 1
        while True:
            found, exhausted = self._collect(query, order, fetch)
            hits = _newest_versions(found)
            if exhausted or len(hits) > wanted:
                break
            fetch *= 2
        hits.sort(key=_SORT_KEYS[order])
        shown = [self._with_history(hit) for hit in hits[:wanted]]
        return Result(shown, len(hits) > wanted)

    def effort(self) -> Effort:
        """What all searches so far have read."""
        readers = self._open.values()
        return Effort(
            len(self._open),
            sum(reader.sealed.chunks_read for reader in readers),
            sum(reader.frames.frames_read for reader in readers),
            sum(reader.sealed.bytes_read for reader in readers),
        )

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

    def readers(self) -> Iterator[tuple[Archive, SegmentReader, File]]:
        """Every segment, opened, oldest archive first."""
        for segment in self._segments:
            yield segment.archive, self.reader(segment.archive, segment.file), segment.file

    # Collecting hits

    def _collect(self, query: Query, order: Order, fetch: int) -> tuple[list[Hit], bool]:
        """Hits of all segments that can matter, and whether there are no others."""
        heap: list[tuple[int, int]] = []
        hits: list[Hit] = []
        exhausted = True
        direction = 1 if order == "newest" else -1
        for segment in self._in_order(query, order):
            edge = segment.posted_to if order == "newest" else -segment.posted_from
            if order != "relevance" and len(heap) >= fetch and heap[0][0] > edge:
                return hits, False
            found = self._search_segment(segment, query, order, fetch)
            exhausted = exhausted and len(found) < fetch
            for hit in found:
                hits.append(hit)
                if fetch < _MANY:
                    entry = (direction * hit.posted_ms, len(hits))
                    heapq.heappush(heap, entry) if len(heap) < fetch else heapq.heappushpop(heap, entry)
        return hits, exhausted

    def _in_order(self, query: Query, order: Order) -> Iterator[_Segment]:
        """The segments that can hold hits, those with the newest (or oldest) records first."""
        reverse = order != "oldest"
        for segment in sorted(
            self._segments, key=lambda one: one.posted_to if reverse else one.posted_from, reverse=reverse
        ):
            if query.since_ms is not None and segment.posted_to < query.since_ms:
                continue
            if query.until_ms is not None and segment.posted_from >= query.until_ms:
                continue
            yield segment

    def _search_segment(self, segment: _Segment, query: Query, order: Order, fetch: int) -> list[Hit]:
        hits: list[Hit] = []
        for table in _tables(query):
            if not segment.file.records.get(table):
                continue
            reader = self.reader(segment.archive, segment.file)
            sql, values = _statement(table, query, order, fetch)
            try:
                rows: list[Any] = reader.connection.execute(sql, values).fetchall()
            except apsw.Error as error:
                raise reader.translated(error) from error
            hits += [Hit(*row[:9], segment.archive.name, row[9], row[10], row[11]) for row in rows]
        return hits

    # Versions and what is gone

    def _with_history(self, hit: Hit) -> Hit:
        """The hit with how many versions there are and whether it is gone."""
        table = "message" if hit.kind == "message" else "post" if hit.kind in POST_KINDS else None
        newest, versions = (hit.posted_ms, hit.version), hit.version
        gone = None
        for segment in self._segments:
            if table is not None and segment.file.revised:
                for posted_ms, version in self._rows(
                    segment, _REVISIONS[table], (hit.record_id, hit.platform)
                ):
                    newest = max(newest, (posted_ms, version))
                    versions = max(versions, version)
            if segment.file.records.get("gone"):
                rows = self._rows(
                    segment,
                    "SELECT noticed_ms, how FROM gone WHERE platform_id = ? AND platform = ? AND kind = ?",
                    (hit.id, hit.platform, table or hit.kind),
                )
                gone = max([*rows, *([gone] if gone else [])], default=None)
        return hit._replace(versions=versions, superseded=newest > (hit.posted_ms, hit.version), gone=gone)

    def _rows(self, segment: _Segment, sql: str, values: tuple[str, ...]) -> list[Any]:
        reader = self.reader(segment.archive, segment.file)
        try:
            return reader.connection.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise reader.translated(error) from error


_SORT_KEYS = {
    "newest": lambda hit: (-hit.posted_ms, hit.platform, hit.id),
    "oldest": lambda hit: (hit.posted_ms, hit.platform, hit.id),
    "relevance": lambda hit: (hit.score, -hit.posted_ms, hit.platform, hit.id),
}


def _bound(time: str | None, otherwise: int) -> int:
    return otherwise if time is None else parse_time(time)


def _newest_versions(hits: Sequence[Hit]) -> list[Hit]:
    """Each record once: of its versions among the hits, the newest."""
    best: dict[tuple[str, str, str, str], Hit] = {}
    for hit in hits:
        kind = "post" if hit.kind in POST_KINDS else hit.kind
        key = (hit.platform, hit.account, kind, hit.record_id)
        other = best.get(key)
        if other is None or (hit.posted_ms, hit.version) > (other.posted_ms, other.version):
            best[key] = hit
    return list(best.values())


def _tables(query: Query) -> list[str]:
    """The tables that hold wanted kinds."""
    tables = []
    if any(query.wants(kind) for kind in POST_KINDS):
        tables.append("post")
    if query.wants("message"):
        tables.append("message")
    if any(query.wants(kind) for kind in RELATION_KINDS):
        tables.append("relation")
    return tables


def _statement(table: str, query: Query, order: Order, fetch: int) -> tuple[str, list[object]]:
    """One table's hits in the order asked for, at most `fetch`."""
    values: list[object] = []
    conditions: list[str] = []
    expression = match_expression(query)
    ranked = order == "relevance" and expression is not None
    key = "r.key"
    source = f"{table} AS r"
    if expression is not None:
        # CROSS JOIN fixes the order: from the index to the rows, never the other way.
        source = f"{table}_fts AS f CROSS JOIN {table} AS r ON r.key = f.docid"
        conditions.append(f"f.{table}_fts MATCH ?")
        values.append(expression)
        key = "f.docid"
    elif query.excluded:
        conditions.append(f"r.key NOT IN (SELECT docid FROM {table}_fts WHERE {table}_fts MATCH ?)")
        values.append(exclude_expression(query))
    for condition, value in _filters(table, query):
        conditions.append(condition)
        values += value
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    if ranked:
        filtered = len(conditions) > 1
        inner = source if filtered else f"{table}_fts AS f"
        sql = (
            f"SELECT {_COLUMNS[table]}, best.score FROM (SELECT f.docid AS docid,"
            f" rank(matchinfo(f.{table}_fts, 'pcnalx')) AS score FROM {inner}{where}"
            f" ORDER BY score, f.docid DESC LIMIT ?) AS best CROSS JOIN {table} AS r ON r.key = best.docid"
        )
    else:
        sequence = "ASC" if order == "oldest" else "DESC"
        sql = f"SELECT {_COLUMNS[table]}, 0.0 FROM {source}{where} ORDER BY {key} {sequence} LIMIT ?"
    return sql, [*values, min(fetch, _MANY)]


def _filters(table: str, query: Query) -> Iterator[tuple[str, list[object]]]:
    """Conditions on the rows themselves, each with its values."""
    if query.kinds or query.not_kinds:
        kinds = [kind for kind in (*POST_KINDS, *RELATION_KINDS) if query.wants(kind)]
        if table != "message":
            yield f"r.kind IN ({','.join('?' * len(kinds))})", list(kinds)
    author = {
        "post": "(r.author_handle = ? COLLATE NOCASE OR r.author_id = ?)",
        "message": "(r.sender_id IN (SELECT account FROM capture WHERE handle = ? COLLATE NOCASE) OR r.sender_id = ?)",
        "relation": "(? IS NULL OR ? IS NULL)",
    }[table]
    account = "r.account IN (SELECT account FROM capture WHERE handle = ? COLLATE NOCASE OR account = ?)"
    for condition, included, excluded in (
        (author, query.authors, query.not_authors),
        (account, query.accounts, query.not_accounts),
    ):
        if included:
            yield (
                f"({' OR '.join([condition] * len(included))})",
                [value for one in included for value in (one, one)],
            )
        for one in excluded:
            yield f"({condition}) IS NOT TRUE", [one, one]
    if query.since_ms is not None:
        yield f"r.{_TIME[table]} >= ?", [query.since_ms]
    if query.until_ms is not None:
        yield f"r.{_TIME[table]} < ?", [query.until_ms]
