"""Derive an archive's records again from its captures, and compare with what was sealed.

The parsers of today on the bytes of then: shows that nothing in the rows came from anywhere else.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import apsw
import msgspec

from archiver.archive.build import NOT_CAPTURED, MediaPlace, Place, SegmentBuilder
from archiver.archive.manifest import File
from archiver.errors import ArchiverError
from archiver.keys import Identity
from archiver.sources.base import Capture
from archiver.sources.parsers import parse_record
from archiver.vault import Archive, Vault

NAMED_DIFFERENCES = 20
_CACHED_PARTS = 32
_MEDIA = """
SELECT c.account, m.file_name, m.sha256, m.size, m.archive, m.pack, m.offset, m.missing FROM media AS m
JOIN ({owners}) AS c ON c.record_table = m.record_table AND c.key = m.record_key
ORDER BY m.sha256 IS NOT NULL, m.record_table <> 'moderation'"""
"""Where each file lies. What is found counts most, and what an entry of the moderation register says least:
an entry knows itself why a file is missing, and whether one of that name is its own."""
_OWNERS = {"post": "account", "message": "account", "account": "platform_id", "moderation": "account"}
"""Tables whose records show files, and the column whose files those are."""
_RECORDS = {
    "post": "SELECT key, 'post', version, part, offset, length FROM post ORDER BY key",
    "message": "SELECT key, 'message', version, part, offset, length FROM message ORDER BY key",
    "account": "SELECT key, 'account', version, part, offset, length FROM account ORDER BY key",
    "relation": "SELECT key, kind, version, part, offset, length FROM relation ORDER BY key",
    "gone": "SELECT key, 'gone', 1, part, offset, length FROM gone ORDER BY key",
    "moderation": "SELECT key, 'moderation', number, part, offset, length FROM moderation ORDER BY key",
}
_JOINED = (
    "SELECT part, offset, length FROM record_capture WHERE record_table = ? AND record_key = ?"
    " ORDER BY position"
)
_DERIVED = (*_RECORDS, "hashtag", "mention", "link", "media", "record_capture", "person")
_ADDED_IN = {"person": 2, "moderation": 3}
"""The schema that brought a table: archives sealed with an earlier one do not have it."""


@dataclass
class Rebuilt:
    """One segment: how many records were derived again, and which rows differ (table: key)."""

    archive: str
    name: str
    records: int = 0
    different: int = 0
    named: list[str] = field(default_factory=list)

    def add_difference(self, what: str) -> None:
        self.different += 1
        if len(self.named) < NAMED_DIFFERENCES:
            self.named.append(what)


def rebuild_segment(vault: Vault, archive: Archive, file: File, identities: list[Identity]) -> Rebuilt:
    """Make a segment's rows again, in memory, and compare them all."""
    result = Rebuilt(archive.name, file.name)
    with vault.open_segment(archive, file, identities) as segment:
        try:
            rebuild_database(segment.connection, result)
        except apsw.Error as error:
            raise segment.translated(error) from error
    return result


def rebuild_database(database: apsw.Connection, result: Rebuilt) -> None:
    """The same of a segment's open database, into its result. Raise apsw.Error where that cannot be read."""
    _Rebuild(database, result).run()


class _Rebuild:
    """The sealed segment on one side, one made anew on the other."""

    def __init__(self, database: apsw.Connection, result: Rebuilt) -> None:
        self.old = database
        self.result = result
        self.captures = {row[0]: capture_of(row) for row in self._rows("SELECT * FROM capture")}
        self.part_captures = dict(self._rows("SELECT id, capture FROM capture_part"))
        self._parts: dict[int, bytes] = {}
        self.tables = self._tables()
        owners = " UNION ALL ".join(
            f"SELECT '{table}' AS record_table, key, {account} AS account FROM {table}"  # noqa: S608  # names of our own schema
            for table, account in _OWNERS.items()
            if table in self.tables
        )
        self.media = {
            (row[0], row[1]): MediaPlace(*row[2:]) for row in self._rows(_MEDIA.format(owners=owners))
        }

    def _tables(self) -> set[str]:
        """The derived tables that the segment's schema has; and those that are there though it has not."""
        schema = int(self.old.pragma("user_version"))
        there = {name for (name,) in self._rows("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        return {table for table in _DERIVED if table in there or schema >= _ADDED_IN.get(table, 1)}

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        return self.old.execute(sql, values).fetchall()

    def run(self) -> None:
        nowhere = MediaPlace(None, None, None, None, None, NOT_CAPTURED)
        builder = SegmentBuilder(
            lambda account, name: self.media.get((account, name), nowhere), language="english"
        )
        try:
            for table in _RECORDS:
                if table in self.tables:
                    self._derive(table, builder)
            builder.flush()
            for table in _DERIVED:
                if table in self.tables:
                    self._compare(table, builder.connection)
        finally:
            builder.close()

    def _derive(self, table: str, builder: SegmentBuilder) -> None:
        rows: Iterable[Any] = self.old.execute(_RECORDS[table])
        for key, kind, version, *place in rows:
            joined = [Place(*row) for row in self._rows(_JOINED, (table, key))]
            own = Place(*place)
            self.result.records += 1
            try:
                capture = self.captures[self.part_captures[own.part]]
                slices = [self._bytes(one) for one in (own, *joined)]
                builder.add(parse_record(capture, kind, slices), version, own, joined)
            except (ArchiverError, KeyError) as error:
                self.result.add_difference(f"{table} {key}: {error}")

    def _bytes(self, place: Place) -> bytes:
        body = self._parts.get(place.part)
        if body is None:
            rows = self._rows("SELECT body FROM capture_part WHERE id = ?", (place.part,))
            body = bytes(rows[0][0]) if rows else b""
            if len(self._parts) >= _CACHED_PARTS:
                self._parts.pop(next(iter(self._parts)))
            self._parts[place.part] = body
        return body[place.offset : place.offset + place.length]

    def _compare(self, table: str, new: apsw.Connection) -> None:
        described = self._rows(f"PRAGMA table_info({table})")
        newer = {row[1] for row in new.execute(f"PRAGMA table_info({table})")}
        columns = [row[1] for row in described if row[1] in newer]
        if len(columns) != len(described) or len(columns) != len(newer):
            self.result.add_difference(f"{table}: its columns are not those that this version makes")
        keys = [row[1] for row in described if row[5]]
        named = ", ".join(f'"{column}"' for column in columns)
        sql = f"SELECT {named} FROM {table} ORDER BY {', '.join(keys)}"  # noqa: S608  # names of our own schema
        places = [columns.index(key) for key in keys]
        for old_row, new_row in _unequal(self.old.execute(sql), new.execute(sql), places):
            self.result.add_difference(_difference(table, columns, keys, old_row, new_row))


def _unequal(old: Iterator[Any], new: Iterator[Any], places: list[int]) -> Iterator[tuple[Any, Any]]:
    """The rows that differ, those of the same key side by side, None where one side has no such row. Both
    are in the order of their keys, whose columns are at `places`."""
    left, right = next(old, None), next(new, None)
    while left is not None or right is not None:
        if left == right:
            left, right = next(old, None), next(new, None)
            continue
        left_key = None if left is None else [left[place] for place in places]
        right_key = None if right is None else [right[place] for place in places]
        has_left = left_key is not None and (right_key is None or left_key <= right_key)
        has_right = right_key is not None and (left_key is None or right_key <= left_key)
        yield left if has_left else None, right if has_right else None
        left = next(old, None) if has_left else left
        right = next(new, None) if has_right else right


def _difference(
    table: str, columns: list[str], keys: list[str], old: tuple[Any, ...] | None, new: tuple[Any, ...] | None
) -> str:
    """A row that differs, named by its key, with the columns that do."""
    row = dict(zip(columns, old or new or (), strict=True))
    what = f"{table} {'/'.join(str(row[key]) for key in keys)}"
    if old is None or new is None:
        return f"{what}: only {'made anew' if old is None else 'sealed'}"
    differing = [name for name, a, b in zip(columns, old, new, strict=True) if a != b]
    return f"{what}: {', '.join(differing)}"


def capture_of(row: tuple[Any, ...]) -> Capture:
    """How bytes were got, by a row of `capture`."""
    return msgspec.convert(
        {
            "key": row[0],
            "source": row[1],
            "route": row[2],
            "platform": row[3],
            "account": row[4],
            "handle": row[5],
            "name": row[6],
            "request": row[7],
            "body_kind": row[8],
            "layout": row[9],
            "fetched_ms": row[10],
            "status": row[12],
            "headers": None if row[13] is None else json.loads(row[13]),
            "context": json.loads(row[14]),
        },
        Capture,
    )
