"""One record with all that is held of it: every version, its verbatim bytes, its media, whether it is gone."""

import json
from typing import Any, NamedTuple

import apsw

from archiver.search.run import Searcher

_TABLES = ("post", "message", "relation", "account")


class Version(NamedTuple):
    """One version of a record: the row's fields, how its bytes were got, and the bytes."""

    archive: str
    table: str
    fields: dict[str, Any]
    capture: dict[str, Any]
    raw: tuple[bytes, ...]
    media: tuple[dict[str, Any], ...]
    links: tuple[dict[str, Any], ...]


class Record(NamedTuple):
    versions: list[Version]
    gone: list[dict[str, Any]]


def find_record(searcher: Searcher, platform_id: str) -> Record:
    """Every version of the records with an id, oldest first; edits of the same post included."""
    found = _find(searcher, {platform_id})
    others = {
        str(version.fields["record_id"] or version.fields["platform_id"])
        for version in found.versions
        if version.table == "post"
    }
    others |= {one for version in found.versions for one in version.fields.get("edit_ids") or ()}
    if others - {platform_id}:
        found = _find(searcher, others | {platform_id})
    found.versions.sort(
        key=lambda one: (
            one.fields.get("posted_ms") or one.fields.get("captured_ms") or 0,
            one.fields["version"],
        )
    )
    return found


def _find(searcher: Searcher, ids: set[str]) -> Record:
    versions: list[Version] = []
    gone: list[dict[str, Any]] = []
    marks = ",".join("?" * len(ids))
    for archive, reader, file in searcher.readers():
        try:
            for table in _TABLES:
                if file.records.get(table):
                    condition = f"platform_id IN ({marks})"
                    values: tuple[str, ...] = tuple(ids)
                    if table == "post":
                        condition += f" OR (coalesce(record_id, platform_id) IN ({marks}) AND (version > 1 OR record_id IS NOT NULL))"
                        values *= 2
                    for row in _dicts(reader.connection, f"SELECT * FROM {table} WHERE {condition}", values):  # noqa: S608
                        versions.append(_version(reader.connection, archive.name, table, row))
            if file.records.get("gone"):
                for row in _dicts(
                    reader.connection, f"SELECT * FROM gone WHERE platform_id IN ({marks})", tuple(ids)
                ):  # noqa: S608
                    gone.append({**row, "archive": archive.name})
        except apsw.Error as error:
            raise reader.translated(error) from error
    return Record(versions, gone)


def _dicts(connection: apsw.Connection, sql: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, values)
    rows = cursor.fetchall()
    names = [
        column[1] for column in connection.execute(f"PRAGMA table_info({sql.split(' FROM ')[1].split()[0]})")
    ]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _version(connection: apsw.Connection, archive: str, table: str, row: dict[str, Any]) -> Version:
    key = row.pop("key")
    places = [(row.pop("part"), row.pop("offset"), row.pop("length"))]
    places += connection.execute(
        "SELECT part, offset, length FROM record_capture WHERE record_table = ? AND record_key = ? ORDER BY position",
        (table, key),
    ).fetchall()
    raw = tuple(_bytes(connection, *place) for place in places)
    capture = _dicts(
        connection,
        "SELECT * FROM capture WHERE id = (SELECT capture FROM capture_part WHERE id = ?)",
        (places[0][0],),
    )[0]
    if row.get("edit_ids"):
        row["edit_ids"] = json.loads(row["edit_ids"])
    media = _dicts(
        connection,
        "SELECT * FROM media WHERE record_table = ? AND record_key = ? ORDER BY position",
        (table, key),
    )
    links = _dicts(
        connection,
        "SELECT * FROM link WHERE record_table = ? AND record_key = ? ORDER BY position",
        (table, key),
    )
    return Version(archive, table, row, capture, raw, tuple(media), tuple(links))


def _bytes(connection: apsw.Connection, part: int, offset: int, length: int) -> bytes:
    """Verbatim bytes, read without loading the whole part."""
    with connection.blob_open("main", "capture_part", "body", part, False) as blob:
        blob.seek(offset)
        return blob.read(length)
