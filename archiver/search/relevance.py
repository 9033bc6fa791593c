"""The best hits of all segments, ranked by the numbers of the whole vault.

First every segment counts in how many rows each phrase stands; with the sums of that each ranks its own rows,
and the best of all are read whole.
"""

from collections.abc import Sequence
from operator import sub
from typing import Any, NamedTuple

import apsw
import msgspec

from archiver.search.hit import POSITION, Edge, Effort, Hit, edge_of, table_of
from archiver.search.question import Question
from archiver.search.segments import Segment, Segments
from archiver.search.side_by_side import Work, in_two_steps
from archiver.search.sql.foreseen import length_statements, row_statement, word_statements
from archiver.search.sql.ranking import Totals, added, counts_statements, read_totals
from archiver.search.sql.statement import (
    best_statement,
    fetch_of,
    keys_statement,
    rows_statement,
)

SIDE_BY_SIDE_RECORDS = 200_000
"""From so many posts on, ranking uses every core: below that a process costs more than it saves."""
Numbers = dict[str, Totals]
"""By table, over several segments."""


class _Found(NamedTuple):
    """What one process found, and what it read for that."""

    hits: list[Hit]
    edge: Edge | None
    effort: Effort


class Best:
    """Ranks the segments of a vault, in so many processes side by side."""

    def __init__(self, segments: Segments, processes: int) -> None:
        self.segments = segments
        self.processes = processes
        self.side_by_side_records = SIDE_BY_SIDE_RECORDS

    def shares(self, some: Sequence[Segment]) -> list[list[Segment]]:
        """What each process counts and ranks."""
        records = sum(segment.file.records.get("post", 0) for segment in some)
        processes = min(self.processes, len(some)) if records >= self.side_by_side_records else 1
        return [list(some[number::processes]) for number in range(max(1, processes))]


def find_best(
    best: Best, question: Question, fetch: int, least: float | None
) -> tuple[list[Hit], Edge | None]:
    """The first `fetch` hits by score, none better than `least`; and from where on some are left out."""
    asked = [segment for segment, _, _ in question.in_order()]
    shares = [
        _Share(best.segments, question, some, asked, fetch, least) for some in best.shares(question.counted())
    ]
    if len(shares) == 1:
        found = shares[0].rank(shares[0].count())
        return found.hits, found.edge

    def combine(some: Sequence[bytes]) -> bytes:
        question.totals = _together([_numbers(each) for each in some])
        return _encoded(question.totals)

    answers = in_two_steps([Work(one.count_encoded, one.rank_encoded) for one in shares], combine)
    found_by_all = [msgspec.msgpack.decode(answer, type=_Found) for answer in answers]
    for one in found_by_all[1:]:  # the first was read here and is counted already
        best.segments.add_effort(one.effort)
    edges = [one.edge for one in found_by_all if one.edge is not None]
    return [hit for one in found_by_all for hit in one.hits], min(edges, default=None)


class _Share:
    """Some of the segments, counted and then ranked."""

    def __init__(
        self,
        segments: Segments,
        question: Question,
        some: Sequence[Segment],
        asked: Sequence[Segment],
        fetch: int,
        least: float | None,
    ) -> None:
        """`some`: those whose numbers count, of which those among `asked` can hold hits."""
        self._segments = segments
        self._question = question
        self._counted = some
        chosen = {id(segment) for segment in asked}
        self._some = [segment for segment in some if id(segment) in chosen]
        self._fetch = fetch
        self._least = least
        self._before = Effort()

    # First step

    def count(self) -> Numbers:
        """The numbers of its segments together."""
        return _together(self._segments.each(self._counted, self._count))

    def count_encoded(self) -> bytes:
        self._before = self._segments.effort()
        return _encoded(self.count())

    def _count(self, segment: Segment) -> Numbers:
        reader = self._segments.reader(segment.archive, segment.file)
        numbers = {}
        for table in self._question.tables(segment):
            match = self._question.asked(segment, table).match
            if match is None:
                continue
            reader.gather(counts_statements(table, match))
            try:
                numbers[table] = read_totals(reader.connection, table, match)
            except apsw.Error as error:
                raise reader.translated(error) from error
        return numbers

    # Second step

    def rank(self, numbers: Numbers) -> _Found:
        """Its best hits, by the numbers of all."""
        self._question.totals = numbers
        ranked = self._segments.each(self._some, self._best_keys)
        scores = sorted(score for tables in ranked for some in tables.values() for score, _ in some)
        worst = scores[self._fetch - 1] if len(scores) >= self._fetch else None
        chosen = [
            (segment, table, {key: score for score, key in some if _is_kept(table, score, worst)})
            for segment, tables in zip(self._some, ranked, strict=True)
            for table, some in tables.items()
        ]
        self._segments.gather(
            (segment, [row_statement(table, key) for key in some]) for segment, table, some in chosen
        )
        hits = [hit for one in chosen for hit in self._hits(*one)]
        hits.sort(key=POSITION["relevance"])
        edge = edge_of(POSITION["relevance"](hits[self._fetch - 1])) if len(hits) >= self._fetch else None
        kept = [hit for at, hit in enumerate(hits) if at < self._fetch or table_of(hit.kind) == "relation"]
        return _Found(kept, edge, Effort(*map(sub, self._segments.effort(), self._before)))

    def rank_encoded(self, numbers: bytes) -> bytes:
        return msgspec.msgpack.encode(self.rank(_numbers(numbers)))

    def _best_keys(self, segment: Segment) -> dict[str, list[tuple[float, int]]]:
        """Scores and keys of the best rows of each table, the best first. Rows without words to rank by are
        all as good as each other, so the newest are the best."""
        reader = self._segments.reader(segment.archive, segment.file)
        best: dict[str, list[tuple[float, int]]] = {}
        try:
            for table in self._question.tables(segment):
                asked = self._question.asked(segment, table)
                fetch = fetch_of(table, self._fetch)
                if asked.match is None:
                    keys = reader.connection.execute(*keys_statement(asked, "newest", fetch))
                    best[table] = [(0.0, row[0]) for row in keys]
                    continue
                if not self._segments.are_near:
                    reader.gather(word_statements(asked, "relevance"))
                    found: Any = reader.connection.execute(*keys_statement(asked, "relevance"))
                    reader.gather(length_statements(table, (row[0] for row in found)))
                ranking = self._question.ranking(segment, table)
                least = None if table == "relation" else self._least  # newer versions may be better
                statement = best_statement(asked, ranking or 0, fetch, least)
                best[table] = [(score, key) for key, score in reader.connection.execute(*statement)]
        except apsw.Error as error:
            raise reader.translated(error) from error
        return best

    def _hits(self, segment: Segment, table: str, scores: dict[int, float]) -> list[Hit]:
        if not scores:
            return []
        hits = self._segments.hits(segment, *rows_statement(table, scores, segment.archive.name))
        return [hit._replace(score=score) for hit, score in zip(hits, scores.values(), strict=True)]


def _is_kept(table: str, score: float, worst: float | None) -> bool:
    return worst is None or score <= worst or table == "relation"


def _together(some: Sequence[Numbers]) -> Numbers:
    tables = {table for one in some for table in one}
    return {
        table: total
        for table in sorted(tables)
        if (total := added(one[table] for one in some if table in one)) is not None
    }


def _encoded(numbers: Numbers) -> bytes:
    return msgspec.msgpack.encode(numbers)


def _numbers(data: bytes) -> Numbers:
    return msgspec.msgpack.decode(data, type=Numbers)
