"""Which rows of a segment are of the records that are to go, and where the verbatim bytes of all others
lie."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import apsw
from msgspec import Struct

from archiver.archive.build import Place
from archiver.reseal.names import RecordName, table_of

RECORD_TABLES: Final = ("post", "message", "relation", "account", "gone", "moderation")
BELOW: Final = {
    "media": "record_table",
    "link": "record_table",
    "person": "record_table",
    "again": "record_table",
    "record_capture": "record_table",
    "hashtag": "post",
    "mention": "post",
}
"""Tables whose rows belong to a record's row, and the column that says so."""
_ANY = "IN (SELECT value FROM json_each(?2))"
_ANY_VERSION = f"(platform_id {_ANY} OR coalesce(record_id, platform_id) {_ANY})"
_FIND: Final = {
    "post": f"SELECT key FROM post WHERE platform = ?1 AND {_ANY_VERSION}",  # noqa: S608  # constants of this module, here and below
    "message": f"SELECT key FROM message WHERE platform = ?1 AND platform_id {_ANY}",  # noqa: S608
    "account": f"SELECT key FROM account WHERE platform = ?1 AND platform_id {_ANY}",  # noqa: S608
    "relation": f"SELECT key FROM relation WHERE platform = ?1 AND platform_id {_ANY} AND kind = ?3",  # noqa: S608
}
_GONE = f"SELECT key FROM gone WHERE platform = ?1 AND platform_id {_ANY} AND kind = ?3"  # noqa: S608
_OF_ITEM = f"SELECT record_id FROM moderation WHERE platform = ?1 AND item_id {_ANY}"  # noqa: S608
_ABOUT = f"SELECT key FROM moderation WHERE record_id IN ({_OF_ITEM})"  # noqa: S608
_SAID = f"SELECT text FROM moderation WHERE platform = ?1 AND item_id {_ANY}"  # noqa: S608
_OF_DECISIONS = "SELECT key FROM moderation WHERE record_id IN (SELECT value FROM json_each(?1))"
_TEXTS: Final = {
    "post": "text, alt_text",
    "message": "text, NULL",
    "relation": "NULL, NULL",
    "account": "NULL, NULL",
}
OWN_WORDS: Final = {
    "post": ("text", "alt_text"),
    "message": ("text",),
    "moderation": ("text",),
    "media": ("alt_text",),
}
"""Columns of what a row says itself: the same words there are no quote of another record."""


_IN = "IN (SELECT value FROM json_each(?))"


class Found(Struct):
    """What of a segment is of the records that are to go: their rows' keys by table, all their ids (of edits,
    too), and what they say. `about`: keys of entries of the moderation register about them. `versions`: how
    many rows each record has, but for those that say it is gone."""

    keys: dict[str, set[int]]
    ids: set[str]
    texts: set[str]
    handles: set[str]
    about: set[int]
    versions: dict[RecordName, int]

    def __bool__(self) -> bool:
        return any(self.keys.values()) or bool(self.about)


def tables_of(connection: apsw.Connection) -> set[str]:
    """The names of a segment's tables: one that an earlier version sealed lacks some."""
    rows: list[Any] = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return {str(name) for (name,) in rows}


def find_rows(
    connection: apsw.Connection,
    names: Iterable[RecordName],
    *,
    ids: Collection[str] = (),
    decisions: Collection[str] = (),
) -> Found:
    """The rows of these records. `ids`: of their edits; `decisions`: the moderation records about them, as
    other segments have told: a later entry need not name the item."""
    found = Found({table: set() for table in RECORD_TABLES}, set(), set(), set(), set(), {})
    there = tables_of(connection)
    for name in names:
        _add_rows(connection, name, found, there, ids)
    if decisions and "moderation" in there:
        values = (json.dumps(sorted(decisions)),)
        found.about |= {key for (key,) in _rows(connection, _OF_DECISIONS, values)}
    return found


def _add_rows(
    connection: apsw.Connection, name: RecordName, found: Found, there: set[str], known: Collection[str]
) -> None:
    table, ids = table_of(name.kind), _all_ids(connection, name)
    if table == "moderation":
        return
    keys = _keys(connection, name, ids)
    if keys:
        found.versions[name] = len(keys)
    if name.kind == "post":
        ids |= set(known)
        keys |= _keys(connection, name, ids)
    found.keys[table] |= keys
    values = (name.platform, json.dumps(sorted(ids)), name.kind)
    found.keys["gone"] |= {key for (key,) in _rows(connection, _GONE, values)}
    if name.kind in ("post", "message"):
        found.ids |= ids
        if "moderation" in there:
            found.about |= {key for (key,) in _rows(connection, _ABOUT, values[:2])}
            found.texts |= {str(text) for (text,) in _rows(connection, _SAID, values[:2]) if text}
    wanted = json.dumps(sorted(keys))
    sql = f"SELECT {_TEXTS[table]} FROM {table} WHERE key IN (SELECT value FROM json_each(?))"  # noqa: S608  # constants
    for texts in _rows(connection, sql, (wanted,)):
        found.texts |= {str(one) for one in texts if one}
    if table == "post":
        sql = "SELECT author_handle FROM post WHERE key IN (SELECT value FROM json_each(?))"
        found.handles |= {str(handle) for (handle,) in _rows(connection, sql, (wanted,)) if handle}


def _keys(connection: apsw.Connection, name: RecordName, ids: set[str]) -> set[int]:
    table = table_of(name.kind)
    values = (name.platform, json.dumps(sorted(ids)), name.kind)
    return {int(key) for (key,) in _rows(connection, _FIND[table], values[: 3 if table == "relation" else 2])}


def _all_ids(connection: apsw.Connection, name: RecordName) -> set[str]:
    """The record's id, and of a post those of all its versions that the segment knows."""
    ids = {name.id}
    if name.kind != "post":
        return ids
    sql = f"SELECT platform_id, record_id, edit_ids FROM post WHERE platform = ?1 AND {_ANY_VERSION}"  # noqa: S608  # constants
    for own, first, edits in _rows(connection, sql, (name.platform, json.dumps([name.id]))):
        ids |= {own, first or own, *(json.loads(edits) if edits else ())}
    return ids


def _rows(connection: apsw.Connection, sql: str, values: Sequence[Any]) -> list[Any]:
    return connection.execute(sql, values).fetchall()


class Owner(Struct, frozen=True):
    """Whose verbatim bytes a place is: a row of `table`; `position` None for its own, else that in
    `record_capture`."""

    table: str
    key: int
    position: int | None
    place: Place


def places_in(connection: apsw.Connection, parts: Iterable[int]) -> dict[int, list[Owner]]:
    """All places in some parts, by part."""
    wanted, there = json.dumps(sorted(set(parts))), tables_of(connection)
    found: dict[int, list[Owner]] = defaultdict(list)
    for table in RECORD_TABLES:
        if table in there:
            sql = f"SELECT key, part, offset, length FROM {table} WHERE part {_IN}"  # noqa: S608  # constants
            for key, *place in _rows(connection, sql, (wanted,)):
                found[place[0]].append(Owner(table, key, None, Place(*place)))
    sql = (
        "SELECT record_table, record_key, position, part, offset, length FROM record_capture"
        " WHERE part IN (SELECT value FROM json_each(?))"
    )
    for table, key, position, *place in _rows(connection, sql, (wanted,)):
        found[place[0]].append(Owner(table, key, position, Place(*place)))
    return found


def parts_of(connection: apsw.Connection, keys: Mapping[str, Iterable[int]]) -> set[int]:
    """The parts in which the bytes of some rows lie, joined ones included."""
    return {place.part for owner in _places_of(connection, keys) for place in (owner.place,)}


def _places_of(connection: apsw.Connection, keys: Mapping[str, Iterable[int]]) -> Iterator[Owner]:
    for table, some in keys.items():
        wanted = json.dumps(sorted(some))
        if wanted == "[]":
            continue
        sql = f"SELECT key, part, offset, length FROM {table} WHERE key IN (SELECT value FROM json_each(?))"  # noqa: S608  # constants
        for key, *place in _rows(connection, sql, (wanted,)):
            yield Owner(table, key, None, Place(*place))
        sql = (
            "SELECT record_key, position, part, offset, length FROM record_capture WHERE record_table = ?2"
            " AND record_key IN (SELECT value FROM json_each(?1))"
        )
        for key, position, *place in _rows(connection, sql, (wanted, table)):
            yield Owner(table, key, position, Place(*place))
