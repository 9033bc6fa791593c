"""A query as SQL for one table of one segment.

Every name in it is one of ours; whatever a person typed is a bound value.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Literal

from archiver.records import RELATION_KINDS
from archiver.search.query import POST_KINDS, Query, exclude_expression, match_expression

Order = Literal["newest", "oldest", "relevance"]
MANY = 1 << 62
"""More rows than there are, for SQLite's LIMIT."""

_COLUMNS = {
    "post": "r.platform, r.platform_id, r.kind, r.account, r.author_id, r.author_handle, r.posted_ms, r.text,"
    " r.alt_text, ?, r.version, coalesce(r.record_id, r.platform_id)",
    "message": "r.platform, r.platform_id, 'message', r.account, r.sender_id, NULL, r.posted_ms, r.text,"
    " NULL, ?, r.version, r.platform_id",
    "relation": "r.platform, r.platform_id, r.kind, r.account, NULL, NULL, r.captured_ms,"
    " coalesce(r.text, r.url, ''), NULL, ?, r.version, r.platform_id",
}
"""A hit's fields in their order, up to its score; the bound one is the archive's name."""
_TIME = {"post": "posted_ms", "message": "posted_ms", "relation": "captured_ms"}
_IN_TIME = {"post": "{key} {way}", "message": "{key} {way}", "relation": "r.captured_ms {way}, {key} {way}"}
"""Keys of posts and messages rise with the time posted: no sort, and an end as soon as there are enough."""
_REVISION = {
    "post": "coalesce(r.record_id, r.platform_id) = ? AND (r.version <> 1 OR r.record_id IS NOT NULL)",
    "message": "r.platform_id = ? AND r.version <> 1",
}
"""Versions of one record, but for a first one: as the indexes have them."""
_AUTHOR = {
    "post": "(r.author_handle = ? COLLATE NOCASE OR r.author_id = ?)",
    "message": "(r.sender_id IN (SELECT account FROM capture WHERE handle = ? COLLATE NOCASE)"
    " OR r.sender_id = ?)",
    "relation": "(? IS NULL OR ? IS NULL)",  # nobody wrote it: never true
}
_ACCOUNT = "r.account IN (SELECT account FROM capture WHERE handle = ? COLLATE NOCASE OR account = ?)"

Statement = tuple[str, list[object]]
"""SQL and its values."""
_WAY = {"newest": "DESC", "oldest": "ASC", "relevance": "DESC"}
_LENGTHS_APART = 1000


def tables_of(query: Query) -> list[str]:
    """The tables that hold wanted kinds."""
    tables = []
    if any(query.wants(kind) for kind in POST_KINDS):
        tables.append("post")
    if query.wants("message"):
        tables.append("message")
    if wants_relations(query):
        tables.append("relation")
    return tables


def wants_relations(query: Query) -> bool:
    """Whether likes, followers or the like can be among the hits."""
    return any(query.wants(kind) for kind in RELATION_KINDS)


def hits_statement(table: str, query: Query, order: Order, fetch: int, archive: str) -> Statement:
    """One table's hits in the order asked for, at most `fetch`."""
    expression = match_expression(query)
    conditions, values = _conditions(table, query)
    if expression is None:
        if query.excluded:
            conditions.insert(0, f"r.key NOT IN (SELECT docid FROM {table}_fts WHERE {table}_fts MATCH ?)")  # noqa: S608  # a table's name
            values.insert(0, exclude_expression(query))
        return _select(table, f"{table} AS r", conditions, [archive, *values], order, fetch)
    # CROSS JOIN fixes the order: from the index to the rows, never the other way.
    source = f"{table}_fts AS f CROSS JOIN {table} AS r ON r.key = f.docid"
    match = f"f.{table}_fts MATCH ?"
    if order == "relevance":
        best, best_values = best_statement(table, query, fetch)
        sql = (
            f"SELECT {_COLUMNS[table]}, best.score FROM ({best}) AS best"  # noqa: S608  # constants of this module
            f" CROSS JOIN {table} AS r ON r.key = best.docid"
        )
        return sql, [archive, *best_values]
    return _select(
        table, source, [match, *conditions], [archive, expression, *values], order, fetch, "f.docid"
    )


def best_statement(table: str, query: Query, fetch: int) -> Statement:
    """The keys of one table's best hits and their scores, at most `fetch`, of a query that has words."""
    conditions, values = _conditions(table, query)
    join = f" CROSS JOIN {table} AS r ON r.key = f.docid" if conditions else ""
    where = " AND ".join([f"f.{table}_fts MATCH ?", *conditions])
    sql = (
        f"SELECT f.docid AS docid, {_score(table)} AS score FROM {table}_fts AS f{join}"  # noqa: S608  # constants of this module
        f" WHERE {where} ORDER BY score, f.docid DESC LIMIT ?"
    )
    return sql, [match_expression(query), *values, min(fetch, MANY)]


def _select(
    table: str,
    source: str,
    conditions: list[str],
    values: list[object],
    order: Order,
    fetch: int,
    key: str = "r.key",
) -> Statement:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    in_time = _IN_TIME[table].format(key=key, way="ASC" if order == "oldest" else "DESC")
    sql = f"SELECT {_COLUMNS[table]}, 0.0 FROM {source}{where} ORDER BY {in_time} LIMIT ?"  # noqa: S608  # constants of this module
    return sql, [*values, min(fetch, MANY)]


def _score(table: str) -> str:
    return f"rank(matchinfo(f.{table}_fts, 'pcnalx'))"


def revision_statement(
    table: str, query: Query, order: Order, archive: str, record: tuple[str, str, str]
) -> Statement:
    """Versions of one record (platform, account, record id) that match, but for its first."""
    conditions, values = _conditions(table, query)
    conditions = [_REVISION[table], "r.platform = ?", "r.account = ?", *conditions]
    platform, account, record_id = record
    values = [archive, record_id, platform, account, *values]
    source, score = f"{table} AS r", "0.0"
    expression = match_expression(query)
    if expression is not None:
        # FTS4 takes bounds of the docid beside MATCH, but no equality.
        source += f" CROSS JOIN {table}_fts AS f ON f.docid >= r.key AND f.docid <= r.key"
        conditions.append(f"f.{table}_fts MATCH ?")
        values.append(expression)
        if order == "relevance":
            score = _score(table)
    elif query.excluded:
        conditions.append(f"r.key NOT IN (SELECT docid FROM {table}_fts WHERE {table}_fts MATCH ?)")  # noqa: S608  # a table's name
        values.append(exclude_expression(query))
    return f"SELECT {_COLUMNS[table]}, {score} FROM {source} WHERE {' AND '.join(conditions)}", values  # noqa: S608  # constants of this module


# What a search will read, for a segment that is far away


def word_statements(table: str, query: Query, order: Order) -> list[Statement]:
    """For each group of words one that finds its first hit, so that all of them look for their words at
    once, and for those excluded; none where the query has no words."""
    sql = f"SELECT docid FROM {table}_fts WHERE {table}_fts MATCH ? ORDER BY docid {_WAY[order]} LIMIT 1"  # noqa: S608  # constants of this module
    groups = [query._replace(groups=(group,), excluded=()) for group in query.groups]
    expressions = [match_expression(one) for one in groups]
    if query.excluded:
        expressions.append(exclude_expression(query))
    return [(sql, [expression]) for expression in expressions]


def keys_statement(table: str, query: Query, order: Order) -> Statement:
    """The keys of rows that the words are in, whatever else is asked of them; of a query that has words."""
    sql = f"SELECT docid FROM {table}_fts WHERE {table}_fts MATCH ? ORDER BY docid {_WAY[order]}"  # noqa: S608  # constants of this module
    return sql, [match_expression(query)]


def row_statement(table: str, key: int) -> Statement:
    """One row, as a hit shows it."""
    return f"SELECT {_COLUMNS[table]} FROM {table} AS r WHERE r.key = ?", ["", key]  # noqa: S608  # constants of this module


def matching_statement(table: str, query: Query, keys: list[int]) -> Statement | None:
    """How many of these rows are as the query wants them, beyond its words; None where all are."""
    conditions, values = _conditions(table, query)
    if query.excluded and not query.groups:
        conditions.append(f"r.key NOT IN (SELECT docid FROM {table}_fts WHERE {table}_fts MATCH ?)")  # noqa: S608  # a table's name
        values.append(exclude_expression(query))
    if not conditions:
        return None
    where = " AND ".join(["r.key IN (SELECT value FROM json_each(?))", *conditions])
    return f"SELECT count(*) FROM {table} AS r WHERE {where}", [json.dumps(keys), *values]  # noqa: S608  # constants of this module


def length_statements(table: str, keys: Iterable[int]) -> list[Statement]:
    """Lengths of some of these documents (keys in order) of a table's index, chosen so that every page
    that holds such is read: a score needs the length of every hit. A page of 64 KiB has some 5,000."""
    ends: dict[int, tuple[int, int]] = {}
    for key in keys:
        first, _ = ends.get(key // _LENGTHS_APART, (key, key))
        ends[key // _LENGTHS_APART] = (first, key)
    sql = f"SELECT size FROM {table}_fts_docsize WHERE docid = ?"  # noqa: S608  # a table's name
    return [(sql, [key]) for some in ends.values() for key in dict.fromkeys(some)]


def _conditions(table: str, query: Query) -> tuple[list[str], list[object]]:
    """The query's filters as conditions on the rows, and their values."""
    conditions: list[str] = []
    values: list[object] = []
    for condition, some in _filters(table, query):
        conditions.append(condition)
        values += some
    return conditions, values


def _filters(table: str, query: Query) -> Iterator[tuple[str, list[object]]]:
    if (query.kinds or query.not_kinds) and table != "message":
        kinds = [kind for kind in (*POST_KINDS, *RELATION_KINDS) if query.wants(kind)]
        yield f"r.kind IN ({','.join('?' * len(kinds))})", list(kinds)
    for condition, included, excluded in (
        (_AUTHOR[table], query.authors, query.not_authors),
        (_ACCOUNT, query.accounts, query.not_accounts),
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
