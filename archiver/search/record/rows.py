"""What lies around a record's row in its segment, read for many rows at once: in the tables below it, and its
verbatim bytes."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import apsw

NAMES_PEOPLE = 2
"""Segments have the tables `person` and `again` from this schema on."""
_OF_TABLE = "record_table = ?1 AND record_key IN (SELECT value FROM json_each(?2))"
_OF_POST = "post IN (SELECT value FROM json_each(?2))"
_PLACES = f"SELECT record_key, part, offset, length FROM record_capture WHERE {_OF_TABLE} ORDER BY position"  # noqa: S608  # constants of this module, here and below
_MEDIA = f"SELECT * FROM media WHERE {_OF_TABLE} ORDER BY position"  # noqa: S608
_LINKS = f"SELECT * FROM link WHERE {_OF_TABLE} ORDER BY position"  # noqa: S608
_PEOPLE = f"SELECT record_key, role, user_id, handle, name FROM person WHERE {_OF_TABLE} ORDER BY position"  # noqa: S608
_AGAIN = f"SELECT record_key FROM again WHERE {_OF_TABLE}"  # noqa: S608
_HASHTAGS = f"SELECT post, tag FROM hashtag WHERE {_OF_POST} AND ?1 = 'post' ORDER BY position"  # noqa: S608
_MENTIONS = (
    f"SELECT post, user_id, handle, name FROM mention WHERE {_OF_POST} AND ?1 = 'post' ORDER BY position"  # noqa: S608
)
_CAPTURE = "SELECT * FROM capture WHERE id = ?"
_CAPTURE_OF = "SELECT capture FROM capture_part WHERE id = ?"


def dicts(connection: apsw.Connection, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    """Rows by the names of their columns."""
    cursor = connection.execute(sql, values)
    found = []
    names: list[str] = []
    for row in cursor:
        names = names or [column[0] for column in cursor.get_description()]
        found.append(dict(zip(names, row, strict=True)))
    return found


class Below:
    """The rows of the tables below some rows of one table: a statement for each table, whatever their
    number."""

    def __init__(self, connection: apsw.Connection, table: str, keys: Iterable[int]) -> None:
        values = [table, json.dumps(list(keys))]
        named = int(connection.pragma("user_version")) >= NAMES_PEOPLE
        self._media = _by_key(dicts(connection, _MEDIA, values), "record_key")
        self._links = _by_key(dicts(connection, _LINKS, values), "record_key")
        self._people = _by_key(dicts(connection, _PEOPLE, values) if named else [], "record_key", drop=True)
        self._mentions = _by_key(dicts(connection, _MENTIONS, values), "post", drop=True)
        rows: list[Any] = connection.execute(_AGAIN, values).fetchall() if named else []
        self._again = {row[0] for row in rows}
        self._places = _grouped(connection.execute(_PLACES, values).fetchall())
        self._hashtags = _grouped(connection.execute(_HASHTAGS, values).fetchall())

    def media(self, key: int) -> tuple[dict[str, Any], ...]:
        return tuple(self._media.get(key, ()))

    def links(self, key: int) -> tuple[dict[str, Any], ...]:
        return tuple(self._links.get(key, ()))

    def people(self, key: int) -> tuple[dict[str, Any], ...]:
        return tuple(self._people.get(key, ()))

    def mentions(self, key: int) -> tuple[dict[str, Any], ...]:
        return tuple(self._mentions.get(key, ()))

    def hashtags(self, key: int) -> tuple[str, ...]:
        return tuple(row[0] for row in self._hashtags.get(key, ()))

    def places(self, key: int) -> list[tuple[Any, ...]]:
        """Part, offset and length of its further verbatim bytes."""
        return self._places.get(key, [])

    def is_again(self, key: int) -> bool:
        return key in self._again


class Bodies:
    """Verbatim bytes of one segment, and how they were captured; each capture is read once."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._captures: dict[int, dict[str, Any]] = {}
        self._of_part: dict[int, int] = {}

    def capture(self, part: int) -> dict[str, Any]:
        """The row of the capture that a part is of. Rows are shared: not to be changed."""
        number = self._of_part.get(part)
        if number is None:
            found: list[Any] = self._connection.execute(_CAPTURE_OF, (part,)).fetchall()
            number = self._of_part[part] = int(found[0][0])
        if number not in self._captures:
            self._captures[number] = dicts(self._connection, _CAPTURE, (number,))[0]
        return self._captures[number]

    def read(self, part: int, offset: int, length: int) -> bytes:
        """Without loading the whole part."""
        blob = self._connection.blob_open("main", "capture_part", "body", part, False)
        try:
            blob.seek(offset)
            return blob.read(length)
        finally:
            blob.close()


def _by_key(rows: list[dict[str, Any]], name: str, *, drop: bool = False) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row.pop(name) if drop else row[name]].append(row)
    return found


def _grouped(rows: Iterable[Any]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for key, *rest in rows:
        found[key].append(tuple(rest))
    return found
