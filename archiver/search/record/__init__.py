"""One record with all that is held of it: versions, verbatim bytes, media, and whether it is gone."""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple

import apsw

from archiver.search.hit import SPOOL
from archiver.search.record.rows import Below, Bodies, dicts
from archiver.search.run import Searcher
from archiver.search.segments import Segment
from archiver.search.sql.statement import Statement

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


class Place(NamedTuple):
    """Where verbatim bytes lie: in `body` of the row of `capture_part` with this id, from an offset on."""

    part: int
    offset: int
    length: int


class Version(NamedTuple):
    """One version of a record: the row's fields, how its bytes were got, and the bytes. `again`: it is the
    same as another version, captured another way. `people`: who the record names by an id. `segment` is the
    file's name in the vault, `places` where in its database the bytes lie, in their order; `hashtags` and
    `mentions` are a post's; `captures` has that of each of `places`;
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
    hashtags: tuple[str, ...] = ()
    mentions: tuple[dict[str, Any], ...] = ()
    captures: tuple[dict[str, Any], ...] = ()

    @property
    def raw_sha256(self) -> tuple[str, ...]:
        """Of each of its verbatim bytes."""
        return tuple(sha256(body).hexdigest() for body in self.raw)


class Record(NamedTuple):
    """`gone`: the rows that say so, and of each `archive`, `segment`, `capture` and `raw` as of a version."""

    versions: list[Version]
    gone: list[dict[str, Any]]


def find_record(searcher: Searcher, platform_id: str) -> Record:
    """Every version of the records with an id, oldest first; edits of the same post included."""
    return find_records(searcher, [platform_id])


def find_records(searcher: Searcher, platform_ids: Iterable[str]) -> Record:
    """As `find_record`, of all records with any of these ids together: each segment is asked once."""
    asked = {one.encode("utf-8", "replace").decode() for one in platform_ids}
    found = _find(searcher, asked)
    others = {
        str(version.fields["record_id"] or version.fields["platform_id"])
        for version in found.versions
        if version.table == "post"
    }
    others |= {one for version in found.versions for one in version.fields.get("edit_ids") or ()}
    if others - asked:
        found = _find(searcher, others | asked)
    found.versions.sort(key=_age)
    return found


def _age(version: Version) -> tuple[int, int]:
    fields = version.fields
    return fields.get("posted_ms") or fields.get("captured_ms") or 0, fields["version"]


def _find(searcher: Searcher, ids: set[str]) -> Record:
    versions: list[Version] = []
    gone: list[dict[str, Any]] = []
    searcher.segments.know_restricted()
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
                    rows = dicts(connection, _FIND[table], (wanted,))
                    versions += _versions(connection, segment, table, rows)
            if file.records.get("gone"):
                gone += _gone(connection, segment, dicts(connection, _FIND["gone"], (wanted,)))
        except apsw.Error as error:
            raise reader.translated(error) from error
    return Record(versions, gone)


def _gone(
    connection: apsw.Connection, segment: Segment, rows: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    bodies = Bodies(connection)
    for row in rows:
        yield {
            **row,
            "archive": segment.archive.name,
            "segment": _path(segment),
            "capture": bodies.capture(row["part"]),
            "raw": bodies.read(row["part"], row["offset"], row["length"]),
        }


def _path(segment: Segment) -> str:
    in_spool = segment.archive.name == SPOOL
    return segment.file.name if in_spool else segment.archive.path(segment.file)


def _versions(
    connection: apsw.Connection, segment: Segment, table: str, rows: list[dict[str, Any]]
) -> Iterator[Version]:
    in_spool = segment.archive.name == SPOOL
    below = Below(connection, table, [row["key"] for row in rows])
    bodies = Bodies(connection)
    for row in rows:
        key = row.pop("key")
        first = row.pop("part"), row.pop("offset"), row.pop("length")
        places = tuple(Place(*one) for one in (first, *below.places(key)))
        if row.get("edit_ids"):
            row["edit_ids"] = json.loads(row["edit_ids"])
        yield Version(
            segment.archive.name,
            table,
            row,
            bodies.capture(places[0].part),
            tuple(bodies.read(*one) for one in places),
            below.media(key),
            below.links(key),
            below.people(key),
            below.is_again(key),
            _path(segment),
            places,
            None if in_spool else segment.archive.head.sha256,
            below.hashtags(key),
            below.mentions(key),
            tuple(bodies.capture(one.part) for one in places),
        )
