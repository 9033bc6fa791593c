"""What a query asks of the rows of one table, as SQL.

Every name in it is one of ours; whatever a person typed is a bound value.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from archiver.search.language.fields import POST_KINDS
from archiver.search.language.tree import And, Filter, Near, Node, Not, Or, Part, Words
from archiver.search.sql.matching import MOST_PHRASES, count_phrases, expression, is_text, ways
from archiver.search.words import fold

NEVER = "0"
"""A condition that no row of a table fulfils: it has not what is asked for."""
TIME = {"post": "posted_ms", "message": "posted_ms", "relation": "captured_ms"}
REVISED = {
    "post": "(r.version <> 1 OR r.record_id IS NOT NULL)",
    "message": "r.version <> 1",
}
"""Rows of records that have several versions, as the partial indexes have them."""
_RECORD_ID = "coalesce(record_id, platform_id)"

Condition = tuple[str, list[object]]
"""SQL and its values."""


class Facts(NamedTuple):
    """What no row of a segment says of its record, as another one does: which records are gone, are edited,
    are moderated. Each by `fact_key`, as a JSON list."""

    gone: str = "[]"
    edited: str = "[]"
    moderated: str = "[]"


class Compiler:
    """Makes conditions for one table. Which facts a query needs, `facts_needed` tells."""

    def __init__(self, table: str, facts: Facts) -> None:
        self.table = table
        self.facts = facts

    def condition(self, node: Node) -> Condition:
        """SQL that is true of the rows that the query wants; it may be NULL of others."""
        if isinstance(node, And):
            return joined([self.condition(part) for part in node.parts], " AND ")
        if isinstance(node, Or):
            return self._any(node)
        if isinstance(node, Not):
            sql, values = self.condition(node.part)
            return f"({sql}) IS NOT TRUE", values
        if isinstance(node, Words | Near):
            return self._words(node)
        if isinstance(node, Part):
            alt_text = "r.alt_text" if self.table == "post" else "NULL"
            return f"contains(?, r.text, {alt_text})", [node.text]
        return _FILTERS[node.field](self, node)

    def is_always(self, node: Node) -> bool:
        """Whether every row of the table fulfils it, as the kinds of posts together: then nothing need be
        looked at."""
        parts = node.parts if isinstance(node, Or) else (node,)
        kinds = {part.value for part in parts if isinstance(part, Filter) and part.field == "kind"}
        return len(kinds) > 0 and kinds >= _KINDS.get(self.table, {None})

    def _any(self, node: Or) -> Condition:
        """Words among the alternatives are asked for together, so many at a time as an expression holds."""
        texts = [part for part in node.parts if is_text(part)]
        others = [self.condition(part) for part in node.parts if not is_text(part)]
        groups: list[list[Node]] = [[]]
        weight = 0
        for part in texts:
            weight += count_phrases(part)
            if weight > MOST_PHRASES and groups[-1]:
                groups.append([])
                weight = count_phrases(part)
            groups[-1].append(part)
        asked = [self._words(some[0] if len(some) == 1 else Or(tuple(some))) for some in groups if some]
        return joined([*asked, *others], " OR ")

    def _words(self, node: Node) -> Condition:
        if not is_text(node):  # as one
            return joined([self._words(part) for part in self._apart(node)], " OR ")
        sql = f"r.key IN (SELECT docid FROM {self.table}_fts WHERE {self.table}_fts MATCH ?)"  # noqa: S608  # a table's name
        return sql, [expression(node)]

    def _apart(self, node: Node) -> Sequence[Node]:
        """What is too much or too deep for one expression, as alternatives that each are one."""
        if isinstance(node, Near):
            return ways(node)
        if isinstance(node, Or):
            return node.parts
        assert isinstance(node, Words)  # noqa: S101 - a word of which there are hundreds of forms
        step = MOST_PHRASES - 1
        some = [node.also[start : start + step] for start in range(0, len(node.also), step)]
        first = Words(node.tokens, node.span, node.prefix, exact=True)
        return [first, *(Words((also[0],), node.span, exact=True, also=also[1:]) for also in some)]

    # Fields

    def from_(self, node: Filter) -> Condition:
        """Who wrote it, by handle or id."""
        if self.table == "post":
            return _is_account(node, "r.author_id", "r.author_handle")
        if self.table == "message":
            return _is_account(node, "r.sender_id", None)
        return NEVER, []

    def to(self, node: Filter) -> Condition:
        """Whom it answers, or to whom it was sent."""
        if self.table == "post":
            return _is_account(node, "r.in_reply_to_user_id", "r.in_reply_to_handle")
        if self.table == "message":
            return _is_account(node, "r.recipient_id", None)
        return NEVER, []

    def mention(self, node: Filter) -> Condition:
        if self.table != "post":
            return NEVER, []
        sql, values = _is_account(node, "m.user_id", "m.handle")
        return f"r.key IN (SELECT m.post FROM mention AS m WHERE {sql})", values  # noqa: S608  # constants, here and below

    def tag(self, node: Filter) -> Condition:
        if self.table != "post":
            return NEVER, []
        return "r.key IN (SELECT post FROM hashtag WHERE fold(tag) = ?)", [fold(str(node.value))]

    def url(self, node: Filter) -> Condition:
        """A link by where it leads, or as it is written; a pattern sorts out most without a call."""
        if self.table == "relation":
            return "has_url(?, r.url)", [node.value]
        like = f"%{_escaped(str(node.value))}%"
        sql = (
            "r.key IN (SELECT record_key FROM link WHERE record_table = ?"
            r" AND (expanded LIKE ? ESCAPE '\' AND has_url(?, expanded)"
            r" OR short LIKE ? ESCAPE '\' AND has_url(?, short)"
            r" OR expanded IS NULL AND display LIKE ? ESCAPE '\' AND has_url(?, display)))"
        )
        return sql, [self.table, *(value for _ in range(3) for value in (like, node.value))]

    def account(self, node: Filter) -> Condition:
        names = [str(node.value), *node.also]
        marks = _marks(names)
        known = f"handle COLLATE NOCASE IN ({marks}) OR account IN ({marks})"
        return f"r.account IN (SELECT account FROM capture WHERE {known})", [*names, *names]  # noqa: S608

    def platform(self, node: Filter) -> Condition:
        return "r.platform = ? COLLATE NOCASE", [node.value]

    def kind(self, node: Filter) -> Condition:
        if self.table == "message":
            return ("1" if node.value == "message" else NEVER), []
        return "r.kind = ?", [node.value]

    def lang(self, node: Filter) -> Condition:
        return ("r.language = ? COLLATE NOCASE", [node.value]) if self.table == "post" else (NEVER, [])

    def client(self, node: Filter) -> Condition:
        if self.table != "post":
            return NEVER, []
        return "contains(?, r.client, NULL)", [fold(str(node.value))]

    def id(self, node: Filter) -> Condition:
        if self.table != "post":
            return "r.platform_id = ?", [node.value]
        revised = REVISED["post"].replace("r.", "")
        known = f"platform_id = ? UNION ALL SELECT key FROM post WHERE {_RECORD_ID} = ? AND {revised}"  # noqa: S608
        return f"r.key IN (SELECT key FROM post WHERE {known})", [node.value, node.value]  # noqa: S608

    def conversation(self, node: Filter) -> Condition:
        return (NEVER, []) if self.table == "relation" else ("r.conversation_id = ?", [node.value])

    def since(self, node: Filter) -> Condition:
        return f"r.{TIME[self.table]} >= ?", [node.value]

    def until(self, node: Filter) -> Condition:
        return f"r.{TIME[self.table]} < ?", [node.value]

    def has(self, node: Filter) -> Condition:
        if self.table == "relation":
            return NEVER, []
        if node.value == "alt":
            return ("r.alt_text <> ''" if self.table == "post" else NEVER), []
        if node.value == "link":
            return "r.key IN (SELECT record_key FROM link WHERE record_table = ?)", [self.table]
        types = _MEDIA_TYPES[str(node.value)]
        which = f" AND media_type IN ({_marks(types)})" if types else ""
        return f"r.key IN (SELECT record_key FROM media WHERE record_table = ?{which})", [self.table, *types]  # noqa: S608

    def is_(self, node: Filter) -> Condition:
        if node.value in _IS_POST:
            return (_IS_POST[str(node.value)] if self.table == "post" else NEVER), []
        if node.value == "deleted":
            kind = "r.kind" if self.table == "relation" else f"'{self.table}'"
            return _is_among(f"{kind}, r.platform, r.account, r.platform_id", self.facts.gone)
        if self.table == "relation":
            return NEVER, []
        if node.value == "moderated":
            return _is_among("r.platform, r.platform_id", self.facts.moderated)
        record = "coalesce(r.record_id, r.platform_id)" if self.table == "post" else "r.platform_id"
        sql, values = _is_among(f"'{self.table}', r.platform, r.account, {record}", self.facts.edited)
        return (f"(r.edit_ids IS NOT NULL OR {sql})" if self.table == "post" else sql), values

    def never(self, node: Filter) -> Condition:
        """What only moderation records have, which are asked apart."""
        return NEVER, []


_FILTERS: dict[str, Callable[[Compiler, Filter], Condition]] = {
    "from": Compiler.from_,
    "to": Compiler.to,
    "mention": Compiler.mention,
    "tag": Compiler.tag,
    "url": Compiler.url,
    "account": Compiler.account,
    "platform": Compiler.platform,
    "kind": Compiler.kind,
    "lang": Compiler.lang,
    "client": Compiler.client,
    "id": Compiler.id,
    "conversation": Compiler.conversation,
    "since": Compiler.since,
    "until": Compiler.until,
    "has": Compiler.has,
    "is": Compiler.is_,
    "reason": Compiler.never,
    "action": Compiler.never,
    "by": Compiler.never,
}
_MEDIA_TYPES: dict[str, tuple[str, ...]] = {
    "media": (),
    "image": ("photo",),
    "video": ("video", "animated_gif"),
}
_KINDS: dict[str, set[str | None]] = {"post": set(POST_KINDS), "message": {"message"}}
_IS_POST = {
    "reply": "(r.in_reply_to_id IS NOT NULL OR r.in_reply_to_user_id IS NOT NULL)",
    "repost": "(r.kind = 'repost' OR r.repost_of_id IS NOT NULL)",
    "quote": "(r.kind = 'quote' OR r.quote_of_id IS NOT NULL)",
}


def facts_needed(nodes: Iterable[Node]) -> set[str]:
    """Which of the facts' names a query's leaves ask for."""
    asked = {str(one.value) for one in nodes if isinstance(one, Filter) and one.field == "is"}
    return {{"deleted": "gone"}.get(one, one) for one in asked} & set(Facts._fields)


def fact_key(*parts: str) -> str:
    """As SQL puts the parts together."""
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def _is_among(columns: str, keys: str) -> Condition:
    return f"json_array({columns}) IN (SELECT value FROM json_each(?))", [keys]  # noqa: S608


def _is_account(node: Filter, id_column: str, handle_column: str | None) -> Condition:
    """Whether columns name an account that is known by what was asked for. Its other handles count only
    where a row has no id: somebody else may have had them at another time. Of rows that have no handle the
    segment's own captures know some."""
    names = [str(node.value), *node.also]
    marks = _marks(names)
    if handle_column is None:
        by_handle = f"{id_column} IN (SELECT account FROM capture WHERE handle = ? COLLATE NOCASE)"  # noqa: S608
        return f"({by_handle} OR {id_column} IN ({marks}))", [node.value, *names]
    by_handle = f"{handle_column} = ? COLLATE NOCASE"
    others = f"{id_column} IS NULL AND {handle_column} COLLATE NOCASE IN ({marks})"
    return f"({by_handle} OR {id_column} IN ({marks}) OR {others})", [node.value, *names, *names]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _escaped(text: str) -> str:
    """For LIKE: its signs stand for themselves."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def joined(conditions: Sequence[Condition], between: str) -> Condition:
    """Some conditions as one, halves within halves: SQLite takes a chain for a tree as deep as it is long,
    and none deeper than 1,000."""
    if len(conditions) == 1:
        return conditions[0]
    half = len(conditions) // 2
    first, second = joined(conditions[:half], between), joined(conditions[half:], between)
    return f"({first[0]}){between}({second[0]})", [*first[1], *second[1]]


def conjuncts(node: Node) -> Iterator[Node]:
    """What must all hold."""
    if isinstance(node, And):
        for part in node.parts:
            yield from conjuncts(part)
    else:
        yield node
