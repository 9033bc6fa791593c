"""SQL that reads ahead what a search will read of a segment that is far away."""

from collections.abc import Iterable

from archiver.search.sql.matching import phrases
from archiver.search.sql.statement import COLUMNS, WAY, Asked, Order, Statement

_LENGTHS_APART = 1000


def word_statements(asked: Asked, order: Order) -> list[Statement]:
    """For each phrase one that finds its first hit, so that all of them look for their words at once; none
    where no words are asked for."""
    if asked.match is None:
        return []
    table = asked.table
    sql = f"SELECT docid FROM {table}_fts WHERE {table}_fts MATCH ? ORDER BY docid {WAY[order]} LIMIT 1"  # noqa: S608  # constants of this package, here and below
    return [(sql, [phrase]) for phrase in dict.fromkeys(phrases(asked.match, excluded=True))]


def row_statement(table: str, key: int) -> Statement:
    """One row, as a hit shows it."""
    return f"SELECT {COLUMNS[table]} FROM {table} AS r WHERE r.key = ?", ["", key]  # noqa: S608


def length_statements(table: str, keys: Iterable[int]) -> list[Statement]:
    """Lengths of some of these documents (keys in order) of a table's index, chosen so that every page
    that holds such is read: a score needs the length of every hit. A page of 64 KiB has some 5,000."""
    ends: dict[int, tuple[int, int]] = {}
    for key in keys:
        first, _ = ends.get(key // _LENGTHS_APART, (key, key))
        ends[key // _LENGTHS_APART] = (first, key)
    sql = f"SELECT size FROM {table}_fts_docsize WHERE docid = ?"  # noqa: S608
    return [(sql, [key]) for some in ends.values() for key in dict.fromkeys(some)]
