"""What a search will read of segments that are far away, fetched before it reads it one after the other.

A read of a store that is far away waits for an answer. SQLite reads a page when it needs it, so fifty rows
would take fifty waits. Here all segments that may matter are asked side by side, and in each of them first
where the words are, then all rows at once; the search itself then finds everything at hand. What is not
foreseen here is read when it is needed: slower, never wrong.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import apsw

from archiver.search.hit import Hit
from archiver.search.question import Place, Question, place_of
from archiver.search.segments import Dated, Segment, Segments
from archiver.search.spool_segment import OpenSegment
from archiver.search.sql.foreseen import row_statement, word_statements
from archiver.search.sql.statement import (
    Asked,
    Order,
    among_statement,
    fetch_of,
    hits_statement,
    keys_statement,
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


class _Expected:
    """What one segment holds for a search: how many hits, the rows still to be fetched, and the hits of
    tables that were read through."""

    def __init__(self) -> None:
        self.hits = 0
        self.rows: list[tuple[str, int]] = []
        self.found: dict[str, list[Hit]] = {}


def fetch_ahead(
    segments: Segments, ordered: Sequence[Dated], question: Question, fetch: int
) -> Mapping[Place, list[Hit]]:
    """Where segments are far away, have at hand what finding the first `fetch` hits in the order of time
    reads of these, given in their order. Return the hits of tables that had to be read through to find any,
    which nobody needs to read again."""
    if segments.are_near:
        return {}
    ahead = _Ahead(segments, question, fetch)
    expected: list[tuple[Segment, _Expected]] = []
    size, hits = 1, 0
    while len(expected) < len(ordered) and hits < fetch:
        wave = [segment for segment, _, _ in ordered[len(expected) : len(expected) + size]]
        expected += zip(wave, segments.each(wave, ahead.expect), strict=True)
        hits = sum(one.hits for _, one in expected)
        size = _wave_size(len(expected), hits, fetch)
    segments.gather(
        (segment, [row_statement(table, key) for table, key in one.rows])
        for segment, one in _needed(expected, fetch)
    )
    return {place_of(segment, table): some for segment, one in expected for table, some in one.found.items()}


def _wave_size(asked: int, hits: int, fetch: int) -> int:
    """How many segments to ask next, when so many had so many hits."""
    if asked > _MOST:
        return _REST
    enough = asked * (fetch - hits) // hits + 1 if hits else _MOST
    return min(_MOST, max(_FEWEST, enough))


def _needed(expected: Sequence[tuple[Segment, _Expected]], fetch: int) -> Iterator[tuple[Segment, _Expected]]:
    """Those whose rows are shown: in order, until there are enough hits."""
    hits = 0
    for segment, one in expected:
        if hits >= fetch:
            return
        hits += one.hits
        yield segment, one


class _Ahead:
    """Looks at one segment after the other, from several threads."""

    def __init__(self, segments: Segments, question: Question, fetch: int) -> None:
        self._segments = segments
        self._question = question
        self._order: Order = question.order
        self._fetch = fetch

    def expect(self, segment: Segment) -> _Expected:
        expected = _Expected()
        reader = self._segments.reader(segment.archive, segment.file)
        try:
            for table in self._question.tables(segment):
                asked = self._question.asked(segment, table)
                reader.gather(word_statements(asked, self._order))
                if table == "relation":  # in the order captured, which only all of its rows tell
                    self._scan(segment, asked, expected)
                else:
                    self._expect_first(segment, reader, asked, expected)
        except apsw.Error as error:
            raise reader.translated(error) from error
        return expected

    def _expect_first(self, segment: Segment, reader: OpenSegment, asked: Asked, expected: _Expected) -> None:
        """Rows in time order. Where more is asked of them than words, they are fetched and looked at in
        growing numbers, until enough are as asked for."""
        table = asked.table
        keys = self._keys(reader, segment.file.records[table], asked)
        if not asked.conditions:
            some = list(islice(keys, min(self._fetch, _MOST_ROWS_AT_ONCE + 1)))
            if len(some) > _MOST_ROWS_AT_ONCE:
                self._scan(segment, asked, expected)
                return
            expected.hits += len(some)
            expected.rows += [(table, key) for key in some]
            return
        size, seen, hits = min(self._fetch, _MOST_ROWS), 0, 0
        while some := list(islice(keys, size)):
            matching = among_statement(asked._replace(match=None), some)
            reader.gather([*(row_statement(table, key) for key in some), matching])
            hits += len(reader.connection.execute(*matching).fetchall())
            seen += len(some)
            if hits >= self._fetch:
                break
            if seen >= _MOST_ROWS:
                self._scan(segment, asked, expected)
                return
            size *= _STEP
        expected.hits += hits

    def _scan(self, segment: Segment, asked: Asked, expected: _Expected) -> None:
        """Do what the search itself would: with a read-ahead, and here beside other segments. What was read
        of the store is then of no more use."""
        with self._segments.scanning:
            fetch = fetch_of(asked.table, self._fetch)
            statement = hits_statement(asked, self._order, fetch, segment.archive.name)
            hits = self._segments.hits(segment, *statement)
            self._segments.reader(segment.archive, segment.file).let_go()
        expected.found[asked.table] = hits
        expected.hits += len(hits)

    def _keys(self, reader: OpenSegment, rows: int, asked: Asked) -> Iterator[int]:
        """Keys of rows that the words are in, as the order wants them. Keys are dense, from 1."""
        if asked.match is None:
            first, after = asked.keys or (1, rows + 1)
            yield from range(first, after) if self._order == "oldest" else range(after - 1, first - 1, -1)
            return
        found: Iterator[Any] = reader.connection.execute(
            *keys_statement(asked._replace(conditions=(), values=()), self._order)
        )
        for row in found:
            yield row[0]
