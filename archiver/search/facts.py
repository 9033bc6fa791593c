"""What is true of a record by what another segment says: that it is gone, was edited, was moderated.

Only segments that have versions or notices are asked, as their manifests tell, and only when a query wants to
know.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from archiver.search.hit import table_of
from archiver.search.moderation import HeldRecord
from archiver.search.segments import Segment, Segments
from archiver.search.sql.conditions import REVISED, Facts, fact_key
from archiver.search.sql.statement import CAPTURED_MS, captured_statement

_GONE = "SELECT kind, platform, account, platform_id, noticed_ms FROM gone"
_AGAIN = "EXISTS (SELECT 1 FROM again AS a WHERE a.record_table = '{table}' AND a.record_key = r.key)"
_RECORD = {"post": "coalesce(r.record_id, r.platform_id)", "message": "r.platform_id"}


class Revised(NamedTuple):
    """A row of a record that has several: `version` as it was counted, `again` where it is none of its own,
    and when it was captured."""

    table: str
    platform: str
    account: str
    platform_id: str
    record_id: str
    version: int
    again: bool
    captured_ms: int


Key = tuple[str, str, str, str]
"""Table (of likes and the like their kind), platform, account, id."""


def read_facts(segments: Segments, needed: set[str], moderated: Iterable[HeldRecord]) -> Facts:
    """Those that are needed, by their names; `moderated`: every moderation record, where those are."""
    revised = list(_revised(segments)) if needed else []
    return Facts(
        gone=_listed(_gone(segments, revised)) if "gone" in needed else "[]",
        edited=_listed(_edited(revised)) if "edited" in needed else "[]",
        moderated=_listed(_items(moderated, revised)) if "moderated" in needed else "[]",
    )


def _listed(keys: Iterable[tuple[str, ...]]) -> str:
    return json.dumps(sorted(fact_key(*key) for key in keys), ensure_ascii=False)


def _revised(segments: Segments) -> Iterator[Revised]:
    wanted = [(segment, _statements(segment)) for segment in segments.all if segment.file.revised]
    segments.gather((segment, [(sql, []) for _, sql in some]) for segment, some in wanted)
    for segment, some in wanted:
        for table, sql in some:
            for row in segments.rows(segment, sql, ()):
                platform, account, platform_id, record_id, version, again, captured_ms = row
                yield Revised(
                    table, platform, account, platform_id, record_id, version, bool(again), captured_ms or 0
                )


def _statements(segment: Segment) -> list[tuple[str, str]]:
    return [
        (table, _revised_rows(table, record, has_repeats=bool(segment.file.again)))
        for table, record in _RECORD.items()
        if segment.file.records.get(table)
    ]


def _revised_rows(table: str, record: str, *, has_repeats: bool) -> str:
    """SQL. Segments of the first schema have no table `again`, and no repeats."""
    again = _AGAIN.format(table=table) if has_repeats else "0"
    columns = f"r.platform, r.account, r.platform_id, {record}, r.version, {again}, {CAPTURED_MS}"
    return f"SELECT {columns} FROM {table} AS r WHERE {REVISED[table]}"  # noqa: S608  # constants of this module


class _Noticed(NamedTuple):
    """When something was last found missing, and in which archive that stands."""

    noticed_ms: int
    archive: str


def _gone(segments: Segments, revised: Iterable[Revised]) -> set[Key]:
    """What was found missing and not seen again later."""
    noticed: dict[Key, _Noticed] = {}
    asked = [segment for segment in segments.all if segment.file.gone]
    segments.gather((segment, [(_GONE, [])]) for segment in asked)
    for segment in asked:
        rows: list[Any] = segments.rows(segment, _GONE, ())
        for kind, platform, account, platform_id, noticed_ms in rows:
            key = (kind, platform, account, platform_id)
            one = _Noticed(noticed_ms, segment.archive.name)
            noticed[key] = max(one, noticed.get(key, one), key=lambda each: each.noticed_ms)
    captured = _captured_since(segments, noticed)
    record_of: dict[Key, Key] = {}
    for each in revised:
        record = (each.table, each.platform, each.account, each.record_id)
        record_of[each.table, each.platform, each.account, each.platform_id] = record
        captured[record] = max(each.captured_ms, captured.get(record, 0))
    return {
        key
        for key, one in noticed.items()
        if max(captured.get(key, 0), captured.get(record_of.get(key, key), 0)) <= one.noticed_ms
    }


def _captured_since(segments: Segments, noticed: Mapping[Key, _Noticed]) -> dict[Key, int]:
    """When each of these was captured last, in the archive that says it is missing or one after it."""
    captured: dict[Key, int] = {}
    waiting: dict[str, list[Key]] = {}
    for key, one in noticed.items():
        waiting.setdefault(one.archive, []).append(key)
    for archive, keys in waiting.items():
        for table in ("post", "message", "relation"):
            ids = [key[3] for key in keys if table_of(key[0]) == table]
            having = [one for one in segments.since(archive) if ids and one.file.records.get(table)]
            statement = captured_statement(table, ids)
            segments.gather((segment, [statement]) for segment in having)
            for segment in having:
                for *found, captured_ms in segments.rows(segment, *statement):
                    key = (found[0], found[1], found[2], found[3])
                    captured[key] = max(captured_ms or 0, captured.get(key, 0))
    return captured


def _edited(revised: Iterable[Revised]) -> set[Key]:
    """Records with more than one version, repeats apart."""
    highest: dict[Key, int] = {}
    repeats: dict[Key, int] = {}
    for one in revised:
        key = (one.table, one.platform, one.account, one.record_id)
        highest[key] = max(abs(one.version), highest.get(key, 1))
        repeats[key] = repeats.get(key, 0) + (one.again and one.version != 1)
    return {key for key, number in highest.items() if number - repeats[key] > 1}


def _items(moderated: Iterable[HeldRecord], revised: Iterable[Revised]) -> set[tuple[str, ...]]:
    """Platform and id of every version of what moderation records are about."""
    items = {
        (entry.platform, entry.item_id)
        for held in moderated
        for entry in held.record.entries
        if entry.item_id is not None
    }
    versions: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for one in revised:
        record = versions.setdefault((one.platform, one.record_id), {(one.platform, one.record_id)})
        record.add((one.platform, one.platform_id))
    return {*items, *(each for some in versions.values() if some & items for each in some)}
