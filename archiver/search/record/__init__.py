"""One record with all that is held of it: versions, verbatim bytes, media, and whether it is gone."""

import json
from hashlib import sha256
from typing import Any, NamedTuple

import apsw

from archiver.search.hit import SPOOL
from archiver.search.run import Searcher
from archiver.search.segments import Segment
from archiver.search.sql.statement import Statement

NAMES_PEOPLE = 2
"""Segments have the tables `person` and `again` from this schema on."""
_TABLES = ("post", "message", "relation", "account")
_ANY_OF = "IN (SELECT value FROM json_each(?1))"
_FIND = {
    "post": f"SELECT * FROM post WHERE platform_id {_ANY_OF} OR (coalesce(record_id, platform_id) {_ANY_OF}"  # noqa: S608  # constants of this module, here and below
    " AND (version <> 1 OR record_id IS NOT NULL))",
    "message": f"SELECT * FROM message WHERE platform_id {_ANY_OF}",  # noqa: S608
    "relation": f"SELECT * FROM relation WHERE platform_id {_ANY_OF}",  # noqa: S608
    "account": f"SELECT * FROM account WHERE platform_id {_ANY_OF}",  # noqa: S608
    "gone": f"SELECT * FROM gone WHERE platform_id {_ANY_OF}",  # noqa: S608
}
_JOINED = (
    "SELECT part, offset, length FROM record_capture WHERE record_table = ? AND record_key = ?"
    " ORDER BY position"
)
_CAPTURE = "SELECT * FROM capture WHERE id = (SELECT capture FROM capture_part WHERE id = ?)"
_MEDIA = "SELECT * FROM media WHERE record_table = ? AND record_key = ? ORDER BY position"
_PEOPLE = (
    "SELECT role, user_id, handle, name FROM person WHERE record_table = ? AND record_key = ?"
    " ORDER BY position"
)
_AGAIN = "SELECT 1 FROM again WHERE record_table = ? AND record_key = ?"
_LINKS = "SELECT * FROM link WHERE record_table = ? AND record_key = ? ORDER BY position"


class Place(NamedTuple):
    """Where verbatim bytes lie: in `body` of the row of `capture_part` with this id, from an offset on."""

    part: int
    offset: int
    length: int


class Version(NamedTuple):
    """One version of a record: the row's fields, how its bytes were got, and the bytes. `again`: it is the
    same as another version, captured another way. `people`: who the record names by an id. `segment` is the
    file's name in the vault, `places` where in its database the bytes lie, in their order;
    `manifest_sha256` is of the archive's manifest.json, None where no archive holds it yet."""

    archive: str
    table: str
    fields: dict[str, Any]
    capture: dict[str, Any]
    raw: tuple[bytes, ...]
    media: tuple[dict[str, Any], ...]
    links: tuple[dict[str, Any], ...]
    people: tuple[dict[str, Any], ...] = ()
    again: bool = False
    segment: str = ""
    places: tuple[Place, ...] = ()
    manifest_sha256: str | None = None

    @property
    def raw_sha256(self) -> tuple[str, ...]:
        """Of each of its verbatim bytes."""
        return tuple(sha256(body).hexdigest() for body in self.raw)


class Record(NamedTuple):
    versions: list[Version]
    gone: list[dict[str, Any]]


def find_record(searcher: Searcher, platform_id: str) -> Record:
    """Every version of the records with an id, oldest first; edits of the same post included."""
    asked = platform_id.encode("utf-8", "replace").decode()
    found = _find(searcher, {asked})
    others = {
        str(version.fields["record_id"] or version.fields["platform_id"])
        for version in found.versions
        if version.table == "post"
    }
    others |= {one for version in found.versions for one in version.fields.get("edit_ids") or ()}
    if others - {asked}:
        found = _find(searcher, others | {asked})
    found.versions.sort(key=_age)
    return found


def _age(version: Version) -> tuple[int, int]:
    fields = version.fields
    return fields.get("posted_ms") or fields.get("captured_ms") or 0, fields["version"]


def _find(searcher: Searcher, ids: set[str]) -> Record:
    versions: list[Version] = []
    gone: list[dict[str, Any]] = []
    wanted: object = json.dumps(sorted(ids))
    asked: list[tuple[Segment, list[Statement]]] = [
        (segment, statements)
        for segment in searcher.segments.all
        if (statements := [(_FIND[table], [wanted]) for table in _FIND if segment.file.records.get(table)])
    ]
    searcher.segments.gather(asked)
    for segment, _ in asked:
        archive, file = segment.archive, segment.file
        reader = searcher.segments.reader(archive, file)
        connection = reader.connection
        try:
            for table in _TABLES:
                if file.records.get(table):
                    rows = _dicts(connection, _FIND[table], (wanted,))
                    named = int(connection.pragma("user_version")) >= NAMES_PEOPLE
                    versions += [_version(connection, segment, table, row, has_people=named) for row in rows]
            if file.records.get("gone"):
                rows = _dicts(connection, _FIND["gone"], (wanted,))
                gone += [{**row, "archive": archive.name} for row in rows]
        except apsw.Error as error:
            raise reader.translated(error) from error
    return Record(versions, gone)


def _dicts(connection: apsw.Connection, sql: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, values)
    found = []
    names: list[str] = []
    for row in cursor:
        names = names or [column[0] for column in cursor.get_description()]
        found.append(dict(zip(names, row, strict=True)))
    return found


def _version(
    connection: apsw.Connection, segment: Segment, table: str, row: dict[str, Any], *, has_people: bool
) -> Version:
    place = Place(row.pop("part"), row.pop("offset"), row.pop("length"))
    record = (table, row.pop("key"))
    joined: list[Any] = connection.execute(_JOINED, record).fetchall()
    places = (place, *(Place(*one) for one in joined))
    if row.get("edit_ids"):
        row["edit_ids"] = json.loads(row["edit_ids"])
    in_spool = segment.archive.name == SPOOL
    return Version(
        segment.archive.name,
        table,
        row,
        _dicts(connection, _CAPTURE, (place.part,))[0],
        tuple(_bytes(connection, *one) for one in places),
        tuple(_dicts(connection, _MEDIA, record)),
        tuple(_dicts(connection, _LINKS, record)),
        tuple(_dicts(connection, _PEOPLE, record)) if has_people else (),
        has_people and bool(connection.execute(_AGAIN, record).fetchall()),
        segment.file.name if in_spool else segment.archive.path(segment.file),
        places,
        None if in_spool else segment.archive.head.sha256,
    )


def _bytes(connection: apsw.Connection, part: int, offset: int, length: int) -> bytes:
    """Verbatim bytes, read without loading the whole part."""
    blob = connection.blob_open("main", "capture_part", "body", part, False)
    try:
        blob.seek(offset)
        return blob.read(length)
    finally:
        blob.close()
