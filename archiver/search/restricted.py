"""Records that are kept and not shown: hidden from whatever is asked of an open segment.

A view of a table's own name, in the connection's own memory, takes the table's place for every statement that
names it, but for the full-text index, which has no rows: statements that use that alone are told the keys.
Costs two looks into an index for each segment and nothing where nothing is restricted.

A post that was edited has an id for each version, and only its own rows say which belong together. So a
notice that an edit is gone, and a decision about one, are judged once all segments' rows were looked at.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import apsw

from archiver.records import Moderation

Name = tuple[str, str, str]
"""Platform, kind and the platform's id, of a post the first version's."""
_ANY = "IN (SELECT value FROM json_each(?2))"
_FIRST = "coalesce(record_id, platform_id)"
_OF_POST: Final = (
    f"main.post WHERE platform = ?1 AND (platform_id {_ANY}"
    f" OR ({_FIRST} {_ANY} AND (version <> 1 OR record_id IS NOT NULL)))"
)
"""As the indexes have it: what is a first version is found by its own id."""
_ALL_IDS: Final = f"SELECT platform_id, record_id, edit_ids FROM {_OF_POST}"  # noqa: S608  # constants, here and below
_KEYS: Final = {
    "post": f"SELECT key FROM {_OF_POST}",  # noqa: S608
    "message": f"SELECT key FROM main.message WHERE platform = ?1 AND platform_id {_ANY}",  # noqa: S608
    "account": f"SELECT key FROM main.account WHERE platform = ?1 AND platform_id {_ANY}",  # noqa: S608
    "relation": f"SELECT key FROM main.relation WHERE platform = ?1 AND platform_id {_ANY} AND kind = ?3",  # noqa: S608
    "gone": f"SELECT key FROM main.gone WHERE platform = ?1 AND platform_id {_ANY} AND kind = ?3",  # noqa: S608
}
_ITEMS: Final = ("post", "message")
"""Kinds of which a moderation record can be about one."""


class Restricted:
    """The records that are not to be shown. `names`: as they were named when they were restricted."""

    def __init__(self, names: Iterable[Name] = ()) -> None:
        self.names = frozenset(tuple(one) for one in names)
        self._ids: dict[tuple[str, str], set[str]] = defaultdict(set)
        for platform, kind, own in self.names:
            self._ids[platform, kind].add(own)

    def __bool__(self) -> bool:
        return bool(self.names)

    @property
    def has_posts(self) -> bool:
        """Whether any may be known by several ids."""
        return any(kind == "post" for _, kind, _ in self.names)

    def ids(self, *kinds: str) -> frozenset[str]:
        """Their ids of some kinds, of all platforms, as far as they are known."""
        return frozenset(one for (_, kind), ids in self._ids.items() if kind in kinds for one in ids)

    @property
    def all_ids(self) -> frozenset[str]:
        """Of every kind."""
        return self.ids(*(kind for _, kind in self._ids))

    @property
    def written_ids(self) -> frozenset[str]:
        """Those of posts, all their versions', and of messages."""
        return self.ids(*_ITEMS)

    @property
    def listed_ids(self) -> frozenset[str]:
        """Those of accounts and relations, which stand in much that is not about them."""
        return self.ids(*(kind for _, kind in self._ids if kind not in (*_ITEMS, "moderation")))

    def other_names(self, connection: apsw.Connection) -> set[Name]:
        """By which further ids rows of a segment know restricted posts."""
        found: set[Name] = set()
        for (platform, kind), ids in list(self._ids.items()):
            if kind != "post":
                continue
            rows = connection.execute(_ALL_IDS, (platform, json.dumps(sorted(ids))))
            for own, first, edits in rows:
                found |= {
                    (platform, kind, str(one)) for one in (own, first, *json.loads(edits or "[]")) if one
                }
        return found

    def add(self, names: Iterable[Name]) -> None:
        """Take in further ids of what is restricted."""
        for platform, kind, own in names:
            self._ids[platform, kind].add(own)

    def hide(self, connection: apsw.Connection, rows: Mapping[str, int]) -> dict[str, list[int]]:
        """Hide them in an open segment that has so many rows of each table; the keys hidden, by table."""
        hidden: dict[str, list[int]] = {}
        for table in _KEYS:
            if rows.get(table) and (keys := self.hide_in(connection, table)):
                hidden[table] = keys
        return hidden

    def hide_in(self, connection: apsw.Connection, table: str) -> list[int]:
        """Hide what one table has of them, anew where that was done before; the keys hidden."""
        keys = sorted(self._keys(connection, table, _KEYS[table]))
        if keys:
            some = ",".join(map(str, keys))
            connection.execute(f"DROP VIEW IF EXISTS temp.{table}")
            connection.execute(
                f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} WHERE key NOT IN ({some})"  # noqa: S608  # whole numbers
            )
        return keys

    def _keys(self, connection: apsw.Connection, table: str, sql: str) -> set[int]:
        found: set[int] = set()
        for (platform, kind), ids in self._ids.items():
            if table not in ("gone", _table_of(kind)):
                continue
            values: list[Any] = [platform, json.dumps(sorted(ids)), kind]
            some = connection.execute(sql, values[: 3 if "?3" in sql else 2])
            found |= {int(key) for (key,) in some}
        return found

    def hides_record(self, entries: Iterable[Moderation]) -> bool:
        """Whether a moderation record is restricted: itself, or as it is about a post or message that is, in
        any of its versions that is known of."""
        return bool(self.names) and any(
            (one.platform, "moderation", one.record_id) in self.names
            or any((one.item_id or "") in self._ids.get((one.platform, kind), ()) for kind in _ITEMS)
            for one in entries
        )


def _table_of(kind: str) -> str:
    return kind if kind in ("post", "message", "account", "moderation") else "relation"
