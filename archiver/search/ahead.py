"""What a search will read of segments that are far away, fetched before it reads it one after the other.

A read of a store that is far away waits for an answer. SQLite reads a page when it needs it, so fifty rows
would take fifty waits. Here all segments that may matter are asked side by side, and in each of them first
where the words are, then all rows at once; the search itself then finds everything at hand. What is not
foreseen here is read when it is needed: slower, never wrong.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import apsw

from archiver.archive.read import SegmentReader
from archiver.search.query import Query
from archiver.search.segments import Dated, Segment, Segments
from archiver.search.statement import (
    Order,
    Statement,
    best_statement,
    keys_statement,
    length_statements,
    matching_statement,
    row_statement,
    tables_of,
    word_statements,
)

_WAVES = (1, 8, 32)
"""How many segments are asked at first, and then: the newest alone often has enough of a common word, and a
rare one is looked for in many at once. After these, 128 each."""
_MOST_ROWS = 2_000
"""Of one segment, looked at ahead for those that also fulfil a query's other conditions."""


class _Expected:
    """What one segment holds for a search: how many hits, and the rows still to be fetched."""

    def __init__(self) -> None:
        self.hits = 0
        self.rows: list[Statement] = []


def fetch_ahead(segments: Segments, ordered: Sequence[Dated], query: Query, order: Order, fetch: int) -> None:
    """Have at hand what finding the first `fetch` hits reads of these segments, given in their order."""
    expected: list[tuple[Segment, _Expected]] = []
    for wave in _waves([segment for segment, _, _ in ordered], at_once=order == "relevance"):
        found = segments.each(wave, lambda segment: _expect(segments, segment, query, order, fetch))
        expected += zip(wave, found, strict=True)
        if order != "relevance" and sum(one.hits for _, one in expected) >= fetch:
            break
    segments.gather((segment, one.rows) for segment, one in _needed(expected, order, fetch))


def _waves(segments: Sequence[Segment], *, at_once: bool) -> Iterator[Sequence[Segment]]:
    if at_once:
        yield segments
        return
    start = 0
    for size in _WAVES:
        if start < len(segments):
            yield segments[start : start + size]
        start += size
    for rest in range(start, len(segments), 128):
        yield segments[rest : rest + 128]


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


def _expect(segments: Segments, segment: Segment, query: Query, order: Order, fetch: int) -> _Expected:
    expected = _Expected()
    reader = segments.reader(segment.archive, segment.file)
    try:
        for table in tables_of(query):
            rows = segment.file.records.get(table, 0)
            if not rows:
                continue
            reader.gather(word_statements(table, query, order))
            if table == "relation":  # in the order captured, which only all of its rows tell
                reader.gather(row_statement(table, key) for key in range(1, rows + 1))
            elif order == "relevance":
                _expect_best(reader, table, rows, query, fetch, expected)
            else:
                _expect_first(reader, table, rows, query, order, fetch, expected)
    except apsw.Error as error:
        raise reader.translated(error) from error
    return expected


def _expect_best(
    reader: SegmentReader, table: str, rows: int, query: Query, fetch: int, expected: _Expected
) -> None:
    """The best hits' rows: ranked here once, and once more by the search, whose scores are remembered."""
    reader.gather(length_statements(table, rows))
    best = reader.connection.execute(*best_statement(table, query, fetch))
    expected.rows += [row_statement(table, row[0]) for row in best]


def _expect_first(
    reader: SegmentReader, table: str, rows: int, query: Query, order: Order, fetch: int, expected: _Expected
) -> None:
    """Rows in time order. Where more is asked of them than words, they are fetched and looked at in growing
    numbers, until enough are as asked for."""
    keys = _keys(reader, table, rows, query, order)
    size, seen, wanted = min(fetch, _MOST_ROWS), 0, expected.hits + fetch
    while expected.hits < wanted and seen < _MOST_ROWS and (some := list(islice(keys, size))):
        statements = [row_statement(table, key) for key in some]
        matching = matching_statement(table, query, some)
        if matching is None:
            expected.hits += len(some)
            expected.rows += statements
            return
        reader.gather([*statements, matching])
        counted: list[Any] = reader.connection.execute(*matching).fetchall()
        expected.hits += counted[0][0]
        seen += size
        size *= 2


def _keys(reader: SegmentReader, table: str, rows: int, query: Query, order: Order) -> Iterator[int]:
    """Keys of rows that the words are in, as the order wants them. Keys are dense, from 1."""
    if not query.groups:
        yield from range(1, rows + 1) if order == "oldest" else range(rows, 0, -1)
        return
    for row in reader.connection.execute(*keys_statement(table, query, order)):
        yield row[0]
