"""Records that are kept and not shown: hidden from whatever is asked of an open segment.

A view of a table's own name, in the connection's own memory, takes the table's place for every statement that
names it, but for the full-text index, which has no rows: statements that use that alone are told the keys.
Costs two looks into an index for each segment and nothing where nothing is restricted.
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
_KEYS: Final = {
    "post": f"SELECT key FROM main.post WHERE platform = ?1 AND (platform_id {_ANY} OR {_FIRST} {_ANY})",  # noqa: S608  # constants, here and below
    "message": f"SELECT key FROM main.message WHERE platform = ?1 AND platform_id {_ANY}",  # noqa: S608
    "account": f"SELECT key FROM main.account WHERE platform = ?1 AND platform_id {_ANY}",  # noqa: S608
    "relation": f"SELECT key FROM main.relation WHERE platform = ?1 AND platform_id {_ANY} AND kind = ?3",  # noqa: S608
    "gone": f"SELECT key FROM main.gone WHERE platform = ?1 AND platform_id {_ANY} AND kind = ?3",  # noqa: S608
}
_ITEMS: Final = ("post", "message")
"""Kinds of which a moderation record can be about one."""


class Restricted:
    """The records that are not to be shown."""

    def __init__(self, names: Iterable[Name] = ()) -> None:
        self.names = frozenset(tuple(one) for one in names)
        self._ids: dict[tuple[str, str], set[str]] = defaultdict(set)
        for platform, kind, own in self.names:
            self._ids[platform, kind].add(own)

    def __bool__(self) -> bool:
        return bool(self.names)

    def hide(self, connection: apsw.Connection, rows: Mapping[str, int]) -> dict[str, list[int]]:
        """Hide them in an open segment that has so many rows of each table; the keys hidden, by table."""
        hidden: dict[str, list[int]] = {}
        for table, sql in _KEYS.items():
            if rows.get(table) and (keys := self._keys(connection, table, sql)):
                hidden[table] = sorted(keys)
                some = ",".join(map(str, hidden[table]))
                connection.execute(
                    f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} WHERE key NOT IN ({some})"  # noqa: S608  # whole numbers
                )
        return hidden

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
        """Whether a moderation record is restricted: itself, or as it is about a post or message that is."""
        return any(
            (one.platform, "moderation", one.record_id) in self.names
            or any((one.platform, kind, one.item_id or "") in self.names for kind in _ITEMS)
            for one in entries
        )


def _table_of(kind: str) -> str:
    return kind if kind in ("post", "message", "account", "moderation") else "relation"
