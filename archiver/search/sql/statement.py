"""A query as one table of one segment is asked: SQL that finds hits, keys and versions."""

import json
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from archiver.search.language.tree import And, Filter, Node, Not
from archiver.search.sql.conditions import REVISED, TIME, Compiler, Facts, conjuncts, joined
from archiver.search.sql.matching import MOST_PHRASES, count_phrases, expression, is_text

Order = Literal["newest", "oldest", "relevance"]
MANY = 1 << 62
"""More rows than there are, for SQLite's LIMIT."""

COLUMNS = {
    "post": "r.platform, r.platform_id, r.kind, r.account, r.author_id, r.author_handle, r.posted_ms, r.text,"
    " r.alt_text, ?, r.version, coalesce(r.record_id, r.platform_id)",
    "message": "r.platform, r.platform_id, 'message', r.account, r.sender_id, NULL, r.posted_ms, r.text,"
    " NULL, ?, r.version, r.platform_id",
    "relation": "r.platform, r.platform_id, r.kind, r.account, NULL, NULL, r.captured_ms,"
    " coalesce(r.text, r.url, ''), NULL, ?, r.version, r.platform_id",
}
"""A hit's fields in their order, up to its score; the bound one is the archive's name."""
_IN_TIME = {"post": "{key} {way}", "message": "{key} {way}", "relation": "r.captured_ms {way}, {key} {way}"}
"""Keys of posts and messages rise with the time posted: no sort, and an end as soon as there are enough."""
_REVISION = {
    "post": f"coalesce(r.record_id, r.platform_id) = ? AND {REVISED['post']}",
    "message": f"r.platform_id = ? AND {REVISED['message']}",
}
"""Versions of one record, but for a first one: as the indexes have them."""

Statement = tuple[str, list[object]]
"""SQL and its values."""
WAY = {"newest": "DESC", "oldest": "ASC", "relevance": "DESC"}


_NOT_AMONG = "r.key NOT IN (SELECT value FROM json_each(?))"


class Keys(NamedTuple):
    """Keys of a table that can be meant: from a first one up to, not including, another."""

    first: int
    after: int


class Asked(NamedTuple):
    """What is asked of a table: words that its full-text index finds, if any; and what the rows must be
    beyond that, `keys` among it."""

    table: str
    match: Node | None
    conditions: tuple[str, ...] = ()
    values: tuple[object, ...] = ()
    keys: Keys | None = None

    def without(self, hidden: Sequence[int]) -> "Asked":
        """The same, but for some rows."""
        if not hidden:
            return self
        return self._replace(
            conditions=(*self.conditions, _NOT_AMONG), values=(*self.values, json.dumps(list(hidden)))
        )

    @property
    def is_all(self) -> bool:
        """Whether every row is meant, or every one between two keys."""
        return self.match is None and not self.conditions

    @property
    def expression(self) -> str | None:
        return None if self.match is None else expression(self.match)


def ask(
    table: str, root: Node, facts: Facts, keys: Keys | None = None, *, time_is_in_keys: bool = False
) -> Asked:
    """A query's question to a table. `time_is_in_keys`: the keys stand for what it asks of every hit's time,
    None for all of them."""
    compiler = Compiler(table, facts)
    words: list[Node] = []
    others: list[Node] = []
    for part in conjuncts(root):
        if time_is_in_keys and isinstance(part, Filter) and part.field in ("since", "until"):
            continue
        if compiler.is_always(part):
            continue
        if is_text(part.part if isinstance(part, Not) else part):
            words.append(part)
        else:
            others.append(part)
    match, rest = _one_expression(words)
    conditions = [compiler.condition(part) for part in (*others, *rest)]
    if not conditions:
        return Asked(table, match, keys=keys)
    sql, values = joined(conditions, " AND ")
    return Asked(table, match, (f"({sql})",), tuple(values), keys)


def match_of(root: Node) -> Node | None:
    """The words that a hit must have, as far as one expression holds them."""
    parts = conjuncts(root)
    return _one_expression([one for one in parts if is_text(one.part if isinstance(one, Not) else one)])[0]


def _one_expression(words: Sequence[Node]) -> tuple[Node | None, list[Node]]:
    """As many of these together as one expression holds, and the others."""
    some: list[Node] = []
    rest: list[Node] = []
    weight = 0
    for part in sorted(words, key=lambda one: isinstance(one, Not)):  # what must be there first
        more = count_phrases(part)
        fits = weight + more <= MOST_PHRASES and (not isinstance(part, Not) or bool(some))
        weight += more if fits else 0
        (some if fits else rest).append(part)
    # In the order that they were typed in, as scores are added in that order.
    some.sort(key=lambda one: [each is one for each in words].index(True))
    if not some:
        return None, rest
    together: Node = some[0] if len(some) == 1 else And(tuple(some))
    if not is_text(together):  # a tree too deep
        positive = next(part for part in some if not isinstance(part, Not))
        return positive, [*rest, *(part for part in some if part is not positive)]
    return together, rest


def _where(asked: Asked, key: str) -> Statement:
    """The conditions of a statement on rows `r` and, where there are words, their index `f`."""
    conditions: list[str] = []
    values: list[object] = []
    if asked.match is not None:
        conditions.append(f"f.{asked.table}_fts MATCH ?")
        values.append(asked.expression)
    if asked.keys is not None:
        conditions.append(f"{key} >= ? AND {key} < ?")
        values += asked.keys
    conditions += asked.conditions
    values += asked.values
    return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), values


def _source(asked: Asked, *, rows: bool = True) -> tuple[str, str]:
    """Where rows come from, and what their key is called."""
    table = asked.table
    if asked.match is None:
        return f"{table} AS r", "r.key"
    if not rows and not asked.conditions:
        return f"{table}_fts AS f", "f.docid"
    # CROSS JOIN fixes the order: from the index to the rows, never the other way.
    return f"{table}_fts AS f CROSS JOIN {table} AS r ON r.key = f.docid", "f.docid"


def fetch_of(table: str, fetch: int) -> int:
    """How many hits of a table to fetch, where so many are wanted. Of likes, followers and the like all:
    which is the newest version of one only the others tell, and they lie in no order of time anyway."""
    return MANY if table == "relation" else fetch


def hits_statement(asked: Asked, order: Order, fetch: int, archive: str) -> Statement:
    """One table's hits in the order of time, at most `fetch`."""
    source, key = _source(asked)
    where, values = _where(asked, key)
    in_time = _IN_TIME[asked.table].format(key=key, way="ASC" if order == "oldest" else "DESC")
    sql = f"SELECT {COLUMNS[asked.table]}, 0.0 FROM {source}{where} ORDER BY {in_time} LIMIT ?"  # noqa: S608  # constants of this module and of conditions, here and below
    return sql, [archive, *values, min(fetch, MANY)]


def best_statement(asked: Asked, ranking: int, fetch: int, least: float | None = None) -> Statement:
    """The keys of one table's best hits and their scores, at most `fetch`, by a ranking's number; none
    better than `least`, where that is given. Of equal ones the newest first.

    Lengths by a join took 0.7 of the time that matchinfo 'l' takes, which looks each up by itself. LIMIT -1
    keeps SQLite from calculating scores more than once a row."""
    table = asked.table
    is_timed = table == "relation"  # keys of all others rise with time
    source, key = _source(asked, rows=is_timed)
    where, values = _where(asked, key)
    age = "r.captured_ms" if is_timed else "f.docid"
    scored = (
        f"SELECT f.docid AS docid, {_score(table)} AS score, {age} AS age"  # noqa: S608
        f" FROM {source} CROSS JOIN {table}_fts_docsize AS l ON l.docid = f.docid{where} LIMIT -1"
    )
    values = [ranking, *values]
    better = ""
    if least is not None:
        better = " WHERE score >= ?"
        values.append(least)
    sql = f"SELECT docid, score FROM ({scored}){better} ORDER BY score, age DESC, docid DESC LIMIT ?"  # noqa: S608
    return sql, [*values, min(fetch, MANY)]


def keys_statement(asked: Asked, order: Order | None = None, fetch: int = MANY) -> Statement:
    """The keys of hits, at most `fetch`; in an order where one is wanted."""
    source, key = _source(asked, rows=order is not None and asked.table == "relation")
    where, values = _where(asked, key)
    in_time = _IN_TIME[asked.table].format(key=key, way=WAY[order]) if order else ""
    sorting = f" ORDER BY {in_time}" if order else ""
    return f"SELECT {key} FROM {source}{where}{sorting} LIMIT ?", [*values, min(fetch, MANY)]  # noqa: S608


def count_statement(asked: Asked) -> Statement:
    """How many hits there are."""
    source, key = _source(asked, rows=False)
    where, values = _where(asked, key)
    return f"SELECT count(*) FROM {source}{where}", values  # noqa: S608


def rows_statement(table: str, keys: Iterable[int], archive: str) -> Statement:
    """Rows by their keys, as hits, in the order of the keys."""
    source = f"json_each(?) AS k CROSS JOIN {table} AS r ON r.key = k.value"
    return f"SELECT {COLUMNS[table]}, 0.0 FROM {source} ORDER BY k.key", [archive, json.dumps(list(keys))]  # noqa: S608


def among_statement(asked: Asked, keys: Iterable[int]) -> Statement:
    """Those of some keys that are hits."""
    table = asked.table
    conditions = ["r.key IN (SELECT value FROM json_each(?))", *asked.conditions]
    values: list[object] = [json.dumps(list(keys)), *asked.values]
    if asked.keys is not None:
        conditions.append("r.key >= ? AND r.key < ?")
        values += asked.keys
    if asked.match is not None:
        conditions.append(f"r.key IN (SELECT docid FROM {table}_fts WHERE {table}_fts MATCH ?)")  # noqa: S608
        values.append(asked.expression)
    return f"SELECT r.key FROM {table} AS r WHERE {' AND '.join(conditions)}", values  # noqa: S608


def revision_statement(
    asked: Asked, archive: str, record: tuple[str, str, str], ranking: int | None = None
) -> Statement:
    """Versions of one record (platform, account, record id) that match, but for its first; with scores by a
    ranking's number."""
    table = asked.table
    platform, account, record_id = record
    source, score = f"{table} AS r", "0.0"
    conditions = [_REVISION[table], "r.platform = ?", "r.account = ?", *asked.conditions]
    values: list[object] = [record_id, platform, account, *asked.values]
    if asked.match is not None:
        # FTS4 takes bounds of the docid beside MATCH, but no equality.
        source += f" CROSS JOIN {table}_fts AS f ON f.docid >= r.key AND f.docid <= r.key"
        source += f" CROSS JOIN {table}_fts_docsize AS l ON l.docid = r.key"
        conditions.append(f"f.{table}_fts MATCH ?")
        values.append(asked.expression)
        if ranking is not None:
            score = _score(table)
    bound: list[object] = [archive, *([ranking] if score != "0.0" else []), *values]
    return f"SELECT {COLUMNS[table]}, {score} FROM {source} WHERE {' AND '.join(conditions)}", bound  # noqa: S608


def _score(table: str) -> str:
    return f"rank(?, l.size, matchinfo(f.{table}_fts, 'y'))"


def time_statement(table: str, key: int) -> Statement:
    """When one row was posted, also of one that is not shown: keys are looked through by it."""
    return f"SELECT {TIME[table]} FROM main.{table} WHERE key = ?", [key]  # noqa: S608


_HANDLE = (
    "(SELECT handle FROM capture WHERE account = r.account AND handle IS NOT NULL"
    " ORDER BY fetched_ms DESC LIMIT 1)"
)
_GROUPS = {
    "month": dict.fromkeys(("post", "message"), "r.posted_ms") | {"relation": "r.captured_ms"},
    "account": dict.fromkeys(("post", "message", "relation"), "r.account"),
    "author": {
        "post": "coalesce(r.author_id, r.author_handle)",
        "message": "r.sender_id",
        "relation": "NULL",
    },
    "kind": {"post": "r.kind", "message": "'message'", "relation": "r.kind"},
    "": dict.fromkeys(("post", "message", "relation"), "NULL"),
}


def groups_statement(asked: Asked, by: str, without: Iterable[int]) -> Statement | None:
    """How many rows there are of each group, without some: the group, how many, the last key, and of accounts
    and authors their handle there. None where the table has no such groups."""
    source, key = _source(asked)
    where, values = _where(asked, key)
    where += (" AND " if where else " WHERE ") + _NOT_AMONG
    values.append(json.dumps(list(without)))
    if by == "hashtag":
        if asked.table != "post":
            return None
        source += " CROSS JOIN hashtag AS h ON h.post = r.key"
        return (
            f"SELECT fold(h.tag), count(DISTINCT r.key), max(r.key), NULL FROM {source}{where} GROUP BY 1",  # noqa: S608
            values,
        )
    handle = "NULL"
    if by == "account":
        handle = _HANDLE
    elif by == "author" and asked.table == "post":
        handle = "r.author_handle"
    group = _GROUPS[by][asked.table]
    sql = f"SELECT {group}, count(*), max(r.key), {handle} FROM {source}{where} GROUP BY 1"  # noqa: S608
    return sql, values


def tags_statement(keys: Iterable[int]) -> Statement:
    """The hashtags of some posts, folded, each with its post's key."""
    source = "json_each(?) AS k CROSS JOIN hashtag AS h ON h.post = k.value"
    return f"SELECT DISTINCT h.post, fold(h.tag) FROM {source}", [json.dumps(list(keys))]  # noqa: S608
