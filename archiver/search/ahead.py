"""What a search will read of segments that are far away, fetched before it reads it one after the other.

A read of a store that is far away waits for an answer. SQLite reads a page when it needs it, so fifty rows
would take fifty waits. Here all segments that may matter are asked side by side, and in each of them first
where the words are, then all rows at once; the search itself then finds everything at hand. What is not
foreseen here is read when it is needed: slower, never wrong.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import apsw

from archiver.archive.read import SegmentReader
from archiver.search.hit import Hit
from archiver.search.query import Query
from archiver.search.segments import Dated, Segment, Segments
from archiver.search.statement import (
    Order,
    Statement,
    best_statement,
    hits_statement,
    keys_statement,
    length_statements,
    matching_statement,
    row_statement,
    tables_of,
    word_statements,
)

_FEWEST, _MOST, _REST = 8, 32, 128
"""The newest segment is asked alone, as it often has enough of a common word. Then as many at once as should
have the rest, judged by what it had, 8 to 32; after these, 128 each. A wave is three rounds of requests."""
_MOST_ROWS = 2_000
"""Of one segment, looked at row by row for those that also fulfil a query's other conditions. Where so many
are not enough, all are read in order, which fetches ahead (`archiver/archive/read_ahead.py`)."""
_MOST_ROWS_AT_ONCE = 10_000
"""Fetched in one go where nothing but words is asked for; where there are more, all are read in order."""
_STEP = 4
"""How many times as many rows are looked at next."""


Place = tuple[str, str, str]
"""Archive, segment and table."""


class Best(NamedTuple):
    """Of a ranked search: how many of each segment's and table's best hits are among the first, by
    `place_of`; and the score up to which that is all of them, None where there are no others."""

    counts: dict[Place, int]
    edge: float | None


class Ahead(NamedTuple):
    """What is known after fetching ahead: of a ranked search its best hits; and the hits of segments' tables
    that had to be read through to find any, which nobody needs to read again."""

    best: Best | None = None
    found: Mapping[Place, list[Hit]] = {}


class _Wanted(NamedTuple):
    """What a search asks of every segment: the first `fetch` hits in an order."""

    query: Query
    order: Order
    fetch: int


class _Expected:
    """What one segment holds for a search: how many hits, the rows still to be fetched, of a ranked one
    the tables with scores and keys of their best hits, and the hits of tables that were read through."""

    def __init__(self) -> None:
        self.hits = 0
        self.rows: list[Statement] = []
        self.best: dict[str, list[tuple[float, int]]] = {}
        self.found: dict[str, list[Hit]] = {}


def place_of(segment: Segment, table: str) -> Place:
    """A segment's table."""
    return segment.archive.name, segment.file.name, table


def fetch_ahead(
    segments: Segments, ordered: Sequence[Dated], query: Query, order: Order, fetch: int
) -> Ahead:
    """Have at hand what finding the first `fetch` hits reads of these segments, given in their order. Of a
    ranked search return which those are: of all others only the scores were read."""
    wanted = _Wanted(query, order, fetch)
    expected: list[tuple[Segment, _Expected]] = []
    size, hits = len(ordered) if order == "relevance" else 1, 0
    while len(expected) < len(ordered) and (order == "relevance" or hits < fetch):
        wave = [segment for segment, _, _ in ordered[len(expected) : len(expected) + size]]
        some = segments.each(wave, lambda segment: _expect(segments, segment, wanted))
        expected += zip(wave, some, strict=True)
        hits = sum(one.hits for _, one in expected)
        size = _wave_size(len(expected), hits, fetch)
    best = _best(expected, fetch) if order == "relevance" else None
    segments.gather((segment, one.rows) for segment, one in _needed(expected, order, fetch))
    read = {place_of(segment, table): some for segment, one in expected for table, some in one.found.items()}
    return Ahead(best, read)


def _best(expected: Sequence[tuple[Segment, _Expected]], fetch: int) -> Best:
    """The first `fetch` hits of all segments together; their rows are to be fetched."""
    scores = sorted(score for _, one in expected for some in one.best.values() for score, _ in some)
    edge = scores[fetch - 1] if len(scores) >= fetch else None
    counts = {}
    for segment, one in expected:
        for table, some in one.best.items():
            keys = [key for score, key in some if edge is None or score <= edge]
            counts[place_of(segment, table)] = len(keys)
            one.rows += [row_statement(table, key) for key in keys]
    return Best(counts, edge)


def _wave_size(asked: int, hits: int, fetch: int) -> int:
    """How many segments to ask next, when so many had so many hits."""
    if asked > _MOST:
        return _REST
    enough = asked * (fetch - hits) // hits + 1 if hits else _MOST
    return min(_MOST, max(_FEWEST, enough))


def _needed(
    expected: Sequence[tuple[Segment, _Expected]], order: Order, fetch: int
) -> Iterator[tuple[Segment, _Expected]]:
    """Those whose rows are shown: in order, until there are enough hits."""
    hits = 0
    for segment, one in expected:
        if order != "relevance" and hits >= fetch:
            return
        hits += one.hits
        yield segment, one


def _expect(segments: Segments, segment: Segment, wanted: _Wanted) -> _Expected:
    query, order, _ = wanted
    expected = _Expected()
    reader = segments.reader(segment.archive, segment.file)
    try:
        for table in tables_of(query):
            rows = segment.file.records.get(table, 0)
            if not rows:
                continue
            reader.gather(word_statements(table, query, order))
            if order == "relevance":
                _expect_best(reader, table, wanted, expected)
            elif table == "relation":  # in the order captured, which only all of its rows tell
                _scan(segments, segment, table, wanted, expected)
            else:
                _expect_first(segments, segment, table, wanted, expected)
    except apsw.Error as error:
        raise reader.translated(error) from error
    return expected


def _expect_best(reader: SegmentReader, table: str, wanted: _Wanted, expected: _Expected) -> None:
    """The best hits: ranked here once, and once more by the search, whose scores are remembered."""
    keys: Iterator[Any] = reader.connection.execute(*keys_statement(table, wanted.query, "relevance"))
    reader.gather(length_statements(table, (row[0] for row in keys)))
    best = reader.connection.execute(*best_statement(table, wanted.query, wanted.fetch))
    expected.best[table] = [(score, key) for key, score in best]


def _expect_first(
    segments: Segments, segment: Segment, table: str, wanted: _Wanted, expected: _Expected
) -> None:
    """Rows in time order. Where more is asked of them than words, they are fetched and looked at in growing
    numbers, until enough are as asked for."""
    query, order, fetch = wanted
    reader = segments.reader(segment.archive, segment.file)
    keys = _keys(reader, table, segment.file.records[table], query, order)
    if matching_statement(table, query, []) is None:
        some = list(islice(keys, min(fetch, _MOST_ROWS_AT_ONCE + 1)))
        if len(some) > _MOST_ROWS_AT_ONCE:
            _scan(segments, segment, table, wanted, expected)
            return
        expected.hits += len(some)
        expected.rows += [row_statement(table, key) for key in some]
        return
    size, seen, hits = min(fetch, _MOST_ROWS), 0, 0
    while some := list(islice(keys, size)):
        matching = matching_statement(table, query, some)
        assert matching is not None  # noqa: S101 - it was not for none of them
        reader.gather([*(row_statement(table, key) for key in some), matching])
        counted: list[Any] = reader.connection.execute(*matching).fetchall()
        hits += counted[0][0]
        seen += len(some)
        if hits >= fetch:
            break
        if seen >= _MOST_ROWS:
            _scan(segments, segment, table, wanted, expected)
            return
        size *= _STEP
    expected.hits += hits


def _scan(segments: Segments, segment: Segment, table: str, wanted: _Wanted, expected: _Expected) -> None:
    """Do what the search itself would: with a read-ahead, and here beside other segments. What was read of
    the store is then of no more use."""
    with segments.scanning:
        hits = segments.hits(segment, *hits_statement(table, *wanted, segment.archive.name))
        segments.reader(segment.archive, segment.file).let_go()
    expected.found[table] = hits
    expected.hits += len(hits)


def _keys(reader: SegmentReader, table: str, rows: int, query: Query, order: Order) -> Iterator[int]:
    """Keys of rows that the words are in, as the order wants them. Keys are dense, from 1."""
    if not query.groups:
        yield from range(1, rows + 1) if order == "oldest" else range(rows, 0, -1)
        return
    for row in reader.connection.execute(*keys_statement(table, query, order)):
        yield row[0]
