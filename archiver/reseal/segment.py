"""A segment made anew from a sealed one, without the rows and the bytes that are to go."""

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apsw

from archiver.archive.build import NOT_CAPTURED, MediaPlace, Place, Row, SegmentBuilder
from archiver.cutting.needles import Needles
from archiver.errors import ArchiverError, IntegrityError
from archiver.rebuild import capture_of
from archiver.reseal.reduction import Reduction
from archiver.reseal.rows import BELOW, RECORD_TABLES, tables_of
from archiver.reseal.tombstones import Tombstone, read_tombstones, write_tombstones
from archiver.sources.parsers import parse_record

_KIND = {"post": "'post'", "message": "'message'", "account": "'account'", "gone": "'gone'",
         "moderation": "'moderation'", "relation": "kind"}  # fmt: skip
_VERSION = {"gone": "1", "moderation": "number"}
_REQUEST, _HEADERS, _CONTEXT = 7, 13, 14
"""Columns of `capture` that may name what was asked for."""
_NOWHERE = MediaPlace(None, None, None, None, None, NOT_CAPTURED)


REDUCED = "erased"
"""In `context` of a capture whose verbatim bytes were cut: `body_size` and `body_sha256` are of before."""


def marked_reduced(context: str) -> str:
    """A capture's context that says so."""
    return json.dumps({**json.loads(context), REDUCED: "something was cut out"}, ensure_ascii=False)


class SegmentResealing:
    """One segment on its way. `renamed`: the old archive's name, and those that it replaced, to the new
    one's, for media."""

    def __init__(
        self,
        old: apsw.Connection,
        reduction: Reduction,
        needles: Needles,
        *,
        language: str,
        renamed: Mapping[str, str],
    ) -> None:
        self._old = old
        self._reduction = reduction
        self._needles = needles
        self._renamed = renamed
        self._media: dict[str, MediaPlace] = {}
        self._bodies: dict[int, bytes] = {}
        self._doomed = {table: sorted(keys) for table, keys in reduction.found.keys.items()}
        self._tables = tables_of(old)
        self.builder = SegmentBuilder(
            lambda account, name: self._media.get(name, _NOWHERE),
            language=language,
            schema=int(old.pragma("user_version")),
        )

    def run(self, tombstones: Sequence[Tombstone]) -> SegmentBuilder:
        """Everything into the builder, which is ready to be written."""
        self._captures = {row[0]: row for row in self._rows("SELECT * FROM capture ORDER BY id")}
        self._part_captures = dict(self._rows("SELECT id, capture FROM capture_part"))
        for table in RECORD_TABLES:
            if table in self._tables:
                self._copy_records(table)
        for table in BELOW:
            if table in self._tables:
                self._copy_below(table)
        self.builder.finish_rows()
        self._copy_parts()
        self._copy_rest(tombstones)
        return self.builder

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        return self._old.execute(sql, values).fetchall()

    # Records

    def _copy_records(self, table: str) -> None:
        doomed, redone = self._reduction.found.keys[table], self._reduction.redone
        rows: Iterator[Any] = self._old.execute(f"SELECT * FROM {table} ORDER BY key")  # noqa: S608  # constants
        for row in rows:
            if row[0] in doomed:
                continue
            expected = self._key(table, row[0])
            if (table, row[0]) in redone:
                key = self._redo(table, row[0])
            else:
                key = self.builder.copy_record(table, (*row[:-3], *self._moved(table, Place(*row[-3:]))))
            if key != expected:
                raise IntegrityError(f"the keys of {table} are not one after the other, as they were sealed")

    def _key(self, table: str, key: int) -> int:
        """A row's key in the new segment: those that went before it are missing."""
        return key - bisect_left(self._doomed[table], key)

    def _moved(self, table: str, place: Place) -> Place:
        edits = self._reduction.edits.get(place.part)
        if edits is None:
            return place
        found = edits.place(place.offset, place.offset + place.length)
        if found is None:
            raise IntegrityError(
                f"the bytes of a record of {table} that stays would be cut", "erase that one too"
            )
        return Place(place.part, *found)

    def _redo(self, table: str, key: int) -> int:
        """A record that lost something is derived from the bytes that it has left."""
        version = _VERSION.get(table, "version")
        sql = f"SELECT {_KIND[table]}, {version}, part, offset, length FROM {table} WHERE key = ?"  # noqa: S608  # constants
        ((kind, number, *own),) = self._rows(sql, (key,))
        joined = [
            place
            for row in self._rows(
                "SELECT part, offset, length FROM record_capture WHERE record_table = ? AND record_key = ?"
                " ORDER BY position",
                (table, key),
            )
            for place in self._left(Place(*row))
        ]
        place = self._moved(table, Place(*own))
        self._media = self._media_of(table, key)
        capture = capture_of(self._captures[self._part_captures[place.part]])
        slices = [self._bytes(one) for one in (place, *joined)]
        try:
            record = parse_record(capture, kind, slices)
        except ArchiverError as error:
            raise ArchiverError(
                f"a record of {table} cannot be understood without what it quotes: {error.message}",
                "erase that record too",
            ) from error
        again = "again" in self._tables and self._rows(
            "SELECT 1 FROM again WHERE record_table = ? AND record_key = ?", (table, key)
        )
        expected = self._key(table, key)
        self.builder.add(record, number, place, joined, again=bool(again))
        return expected

    def _left(self, place: Place) -> Iterator[Place]:
        """Where bytes lie that belong to a record beside its own; none where they were cut."""
        edits = self._reduction.edits.get(place.part)
        found = (place.offset, place.length) if edits is None else edits.place(
            place.offset, place.offset + place.length
        )  # fmt: skip
        if found is not None:
            yield Place(place.part, *found)

    def _media_of(self, table: str, key: int) -> dict[str, MediaPlace]:
        rows = self._rows(
            "SELECT file_name, sha256, size, archive, pack, offset, missing FROM media"
            " WHERE record_table = ? AND record_key = ?",
            (table, key),
        )
        return {row[0]: MediaPlace(row[1], row[2], self._archive(row[3]), *row[4:]) for row in rows}

    def _archive(self, name: str | None) -> str | None:
        return None if name is None else self._renamed.get(name, name)

    def _copy_below(self, table: str) -> None:
        rows: Iterator[Any] = self._old.execute(f"SELECT * FROM {table}")  # noqa: S608  # constants
        by_table = BELOW[table] == "record_table"
        for row in rows:
            of, key, *rest = row if by_table else ("post", *row)
            if (of, key) in self._reduction.redone or not self._reduction.keeps((of, key)):
                continue
            if table == "record_capture":
                rest = [rest[0], *self._moved(of, Place(*rest[1:]))]
            if table == "media":
                rest[8] = self._archive(rest[8])
            new: Row = (of, self._key(of, key), *rest) if by_table else (self._key(of, key), *rest)
            self.builder.copy_below(table, new)

    # Verbatim bytes

    def _bytes(self, place: Place) -> bytes:
        """Of a part as it becomes."""
        if place.part not in self._bodies:
            self._bodies.clear()
            ((body,),) = self._rows("SELECT body FROM capture_part WHERE id = ?", (place.part,))
            edits = self._reduction.edits.get(place.part)
            self._bodies[place.part] = bytes(body) if edits is None else edits.apply(bytes(body))
        return self._bodies[place.part][place.offset : place.offset + place.length]

    def _copy_parts(self) -> None:
        """All parts but those of which nothing is left, and their captures."""
        self._bodies.clear()
        left = set(self._part_captures.values()) - {
            capture for part, capture in self._part_captures.items() if part in self._reduction.edits
        }
        bodies: Iterator[Any] = self._old.execute("SELECT id, capture, body FROM capture_part ORDER BY id")
        for part, capture, body in bodies:
            edits = self._reduction.edits.get(part)
            new = bytes(body) if edits is None else edits.apply(bytes(body))
            if new or not body:
                left.add(capture)
                self.builder.add_part(part, capture, new)
        for number, row in self._captures.items():
            if number in left:
                self.builder.add_capture(self._capture_row(row))

    def _capture_row(self, row: tuple[Any, ...]) -> Row:
        new = list(row)
        for column in (_REQUEST, _HEADERS, _CONTEXT):
            if new[column] is not None and self._needles.within(new[column]):
                new[column] = self._needles.taken_out(new[column])
        if row[0] in self._reduction.captures:
            new[_CONTEXT] = marked_reduced(new[_CONTEXT])
        return tuple(new)

    def _copy_rest(self, tombstones: Sequence[Tombstone]) -> None:
        problems = self._rows(
            "SELECT source_sha256, source_name, noticed_ms, what, reason, detail FROM problem ORDER BY key"
        )
        clean = self._needles.taken_out
        self.builder.add_problems([(*row[:3], clean(row[3]), row[4], clean(row[5])) for row in problems])
        meta = dict(self._rows("SELECT name, value FROM meta ORDER BY name"))
        if "archive" in meta:
            meta["archive"] = self._renamed.get(meta["archive"], meta["archive"])
        self.builder.add_meta(meta)
        write_tombstones(self.builder.connection, [*read_tombstones(self._old), *tombstones])
