"""Relevance: BM25 by sqlite-fts4, with the numbers of the whole vault, remembered.

What a score needs is of two kinds. How often the phrases stand in a row is the row's own (FTS4's matchinfo
'y'), and so is how long its texts are (the table `docsize` of an index). In how many rows each phrase stands
at all, how many rows there are and how long they are on average is counted over all segments: by one
segment's numbers a word that is common in one month would weigh less there than elsewhere. Both together are
what `rank_bm25` takes (matchinfo 'pcnalx'). Rows of the same length with the same words have the same score,
so most calls are a look-up.
"""

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import apsw

from archiver.search.language.tree import Node
from archiver.search.sql.matching import any_of, phrases
from archiver.search.sql.statement import Statement

_REMEMBERED = 65_536
COLUMNS = {"post": 2, "message": 1, "relation": 1}
"""Of each table's full-text index."""


class Counts(NamedTuple):
    """Of one table's index: rows; words in each column; and for each phrase and column, phrase by phrase,
    how often it stands there, and in how many rows."""

    rows: int
    words: tuple[int, ...]
    occurrences: tuple[int, ...]
    holding: tuple[int, ...]


class Totals(NamedTuple):
    """The same of several segments, which need not be asked for the same phrases: by each how often it
    stands in each column, and in how many rows."""

    rows: int
    words: tuple[int, ...]
    phrases: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]

    def counts(self, match: Node) -> Counts:
        """Of the phrases of an expression."""
        none = (0,) * len(self.words)
        found = [self.phrases.get(phrase, (none, none)) for phrase in phrases(match)]
        return Counts(
            self.rows,
            self.words,
            tuple(number for occurrences, _ in found for number in occurrences),
            tuple(number for _, holding in found for number in holding),
        )


def totals_of(counts: Counts, match: Node) -> Totals:
    """One segment's numbers."""
    columns = len(counts.words)
    places = [slice(start, start + columns) for start in range(0, len(counts.holding), columns)]
    found = zip(phrases(match), places, strict=True)
    return Totals(
        counts.rows,
        counts.words,
        {phrase: (counts.occurrences[place], counts.holding[place]) for phrase, place in found},
    )


def counts_statements(table: str, match: Node) -> list[Statement]:
    """What `read_totals` reads."""
    return [
        (f"SELECT value FROM {table}_fts_stat WHERE id = 0", []),  # noqa: S608  # a table's name, here and below
        (
            f"SELECT matchinfo({table}_fts, 'x') FROM {table}_fts WHERE {table}_fts MATCH ? LIMIT 1",  # noqa: S608
            [any_of(phrases(match))],
        ),
    ]


def read_totals(connection: apsw.Connection, table: str, match: Node) -> Totals:
    """The numbers of one segment's table."""
    return totals_of(counts_of(connection, table, COLUMNS[table], match), match)


def counts_of(connection: apsw.Connection, table: str, columns: int, match: Node) -> Counts:
    """The numbers of a full-text index of so many columns."""
    some: list[list[Any]] = [connection.execute(*one).fetchall() for one in counts_statements(table, match)]
    stat, found = some
    numbers = _varints(stat[0][0]) if stat else []
    rows, words = (
        (numbers[0], tuple(numbers[1 : 1 + columns])) if len(numbers) > columns else (0, (0,) * columns)
    )
    places = len(phrases(match)) * columns
    info = struct.unpack(f"={3 * places}I", found[0][0]) if found else (0,) * (3 * places)
    return Counts(rows, words, tuple(info[1::3]), tuple(info[2::3]))


def _varints(data: bytes) -> list[int]:
    """FTS3's variable-length integers: seven bits a byte, the lowest first (fts3.c, "Varints")."""
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(value)
            value = shift = 0
    return numbers


def added(some: Iterable[Totals]) -> Totals | None:
    """The numbers of several segments together; None of none."""
    total: Totals | None = None
    for one in some:
        if total is None:
            total = Totals(one.rows, one.words, dict(one.phrases))
            continue
        total = total._replace(rows=total.rows + one.rows, words=_sums(total.words, one.words))
        for phrase, numbers in one.phrases.items():
            known = total.phrases.get(phrase)
            total.phrases[phrase] = (
                numbers if known is None else (_sums(known[0], numbers[0]), _sums(known[1], numbers[1]))
            )
    return total


def _sums(some: Sequence[int], others: Sequence[int]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(some, others, strict=True))


class Rankings:
    """The numbers that searches rank by, each set under a number of its own; `score` is SQL's `rank`."""

    def __init__(self) -> None:
        self._known: dict[Counts, int] = {}
        self._by_number: list[Counts] = []
        self.score = lru_cache(_REMEMBERED)(self._score)

    def number_of(self, counts: Counts) -> int:
        """Under what number `score` finds these."""
        number = self._known.setdefault(counts, len(self._known))
        if number == len(self._by_number):
            self._by_number.append(counts)
        return number

    def _score(self, number: int, lengths: bytes, hits: bytes) -> float | None:
        from sqlite_fts4 import rank_bm25  # type: ignore[import-untyped]  # the package has no types

        found: float | None = rank_bm25(full_matchinfo(self._by_number[number], lengths, hits))
        return found


def full_matchinfo(counts: Counts, lengths: bytes, hits: bytes) -> bytes:
    """Matchinfo 'pcnalx' of a row, made of the vault's numbers, the row's lengths as its index keeps them,
    and its matchinfo 'y'. An average is rounded as FTS4 does it."""
    columns = len(counts.words)
    places = len(counts.holding)
    own = struct.unpack(f"={places}I", hits)
    averages = [(words + counts.rows // 2) // counts.rows if counts.rows else 0 for words in counts.words]
    numbers = [places // columns, columns, counts.rows, *averages, *_varints(lengths)[:columns]]
    for place in zip(own, counts.occurrences, counts.holding, strict=True):
        numbers += place
    return struct.pack(f"={len(numbers)}I", *(min(number, 0xFFFFFFFF) for number in numbers))
