"""Derive an archive's records again from its captures, and compare with what was sealed.

The parsers of today on the bytes of then: shows that nothing in the rows came from anywhere else.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import apsw
import msgspec

from archiver.archive.build import MediaPlace, Place, SegmentBuilder
from archiver.archive.manifest import File
from archiver.archive.read import SegmentReader
from archiver.errors import ArchiverError
from archiver.keys import Identity
from archiver.sources.base import Capture
from archiver.sources.parsers import parse_record
from archiver.vault import Archive, Vault

_TABLES = ("post", "message", "account", "relation", "gone")
_DERIVED = (*_TABLES, "hashtag", "mention", "link", "media", "record_capture")
NAMED_DIFFERENCES = 20


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
            _Rebuild(segment, result).run()
        except apsw.Error as error:
            raise segment.translated(error) from error
    return result


class _Rebuild:
    """The sealed segment on one side, one made anew on the other."""

    def __init__(self, segment: SegmentReader, result: Rebuilt) -> None:
        self.old = segment.connection
        self.result = result
        self.captures = {row[0]: _capture(row) for row in self._rows("SELECT * FROM capture")}
        self.part_captures = dict(self._rows("SELECT id, capture FROM capture_part"))
        self._parts: dict[int, bytes] = {}
        media = self._rows(
            "SELECT c.account, m.file_name, m.sha256, m.size, m.archive, m.pack, m.offset, m.missing FROM media AS m"
            " JOIN (SELECT 'post' AS record_table, key, account FROM post UNION ALL SELECT 'message', key, account"
            " FROM message UNION ALL SELECT 'account', key, platform_id FROM account) AS c"
            " ON c.record_table = m.record_table AND c.key = m.record_key"
        )
        self.media = {(row[0], row[1]): MediaPlace(*row[2:]) for row in media}

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        return self.old.execute(sql, values).fetchall()

    def run(self) -> None:
        nowhere = MediaPlace(None, None, None, None, None, "not captured")
        builder = SegmentBuilder(
            lambda account, name: self.media.get((account, name), nowhere), language="english"
        )
        try:
            for table in _TABLES:
                self._derive(table, builder)
            builder.flush()
            for table in _DERIVED:
                self._compare(table, builder.connection)
        finally:
            builder.close()

    def _derive(self, table: str, builder: SegmentBuilder) -> None:
        version = "1" if table == "gone" else "version"
        kind = {
            "relation": "kind",
            "post": "'post'",
            "message": "'message'",
            "account": "'account'",
            "gone": "'gone'",
        }
        for key, row_kind, row_version, *place in self.old.execute(
            f"SELECT key, {kind[table]}, {version}, part, offset, length FROM {table} ORDER BY key"  # noqa: S608
        ):
            joined = [
                Place(*row)
                for row in self._rows(
                    "SELECT part, offset, length FROM record_capture WHERE record_table = ? AND record_key = ?"
                    " ORDER BY position",
                    (table, key),
                )
            ]
            own = Place(*place)
            self.result.records += 1
            try:
                capture = self.captures[self.part_captures[own.part]]
                slices = [self._bytes(one) for one in (own, *joined)]
                builder.add(parse_record(capture, row_kind, slices), row_version, own, joined)
            except (ArchiverError, KeyError) as error:
                self.result.add_difference(f"{table} {key}: {error}")

    def _bytes(self, place: Place) -> bytes:
        body = self._parts.get(place.part)
        if body is None:
            rows = self._rows("SELECT body FROM capture_part WHERE id = ?", (place.part,))
            body = bytes(rows[0][0]) if rows else b""
            if len(self._parts) >= 32:
                self._parts.pop(next(iter(self._parts)))
            self._parts[place.part] = body
        return body[place.offset : place.offset + place.length]

    def _compare(self, table: str, new: apsw.Connection) -> None:
        columns = [row[1] for row in self._rows(f"PRAGMA table_info({table})")]
        keys = [row[1] for row in self._rows(f"PRAGMA table_info({table})") if row[5]]
        sql = f"SELECT * FROM {table} ORDER BY {', '.join(keys)}"  # noqa: S608  # names of our own schema
        for old_row, new_row in _paired(self.old.execute(sql), new.execute(sql)):
            if old_row == new_row:
                continue
            row = old_row or new_row
            what = f"{table} {'/'.join(str(row[columns.index(key)]) for key in keys)}"
            if old_row is not None and new_row is not None:
                differing = [name for name, a, b in zip(columns, old_row, new_row, strict=True) if a != b]
                what += f": {', '.join(differing)}"
            self.result.add_difference(what)


def _paired(old: Iterator[Any], new: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    """Rows side by side, None where one side has come to its end."""
    while True:
        pair = (next(old, None), next(new, None))
        if pair == (None, None):
            return
        yield pair


def _capture(row: tuple[Any, ...]) -> Capture:
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
            "context": json.loads(row[14]),
        },
        Capture,
    )
