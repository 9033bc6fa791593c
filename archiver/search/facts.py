"""What is true of a record by what another segment says: that it is gone, was edited, was moderated.

Only segments that have versions or notices are asked, as their manifests tell, and only when a query wants to
know.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from archiver.search.conditions import REVISED, Facts, fact_key
from archiver.search.moderation import HeldRecord
from archiver.search.segments import Segment, Segments

_GONE = "SELECT kind, platform, account, platform_id, noticed_ms FROM gone"
_AGAIN = "EXISTS (SELECT 1 FROM again AS a WHERE a.record_table = '{table}' AND a.record_key = r.key)"
_CAPTURED = (
    "(SELECT c.fetched_ms FROM capture_part AS p JOIN capture AS c ON c.id = p.capture WHERE p.id = r.part)"
)
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
    revised = list(_revised(segments)) if needed & {"gone", "edited"} else []
    return Facts(
        gone=_listed(_gone(segments, revised)) if "gone" in needed else "[]",
        edited=_listed(_edited(revised)) if "edited" in needed else "[]",
        moderated=_listed(_items(moderated)) if "moderated" in needed else "[]",
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
    columns = f"r.platform, r.account, r.platform_id, {record}, r.version, {again}, {_CAPTURED}"
    return f"SELECT {columns} FROM {table} AS r WHERE {REVISED[table]}"  # noqa: S608  # constants of this module


def _gone(segments: Segments, revised: Iterable[Revised]) -> set[Key]:
    """What was found missing and not seen again later."""
    noticed: dict[Key, int] = {}
    asked = [segment for segment in segments.all if segment.file.gone]
    segments.gather((segment, [(_GONE, [])]) for segment in asked)
    for segment in asked:
        rows: list[Any] = segments.rows(segment, _GONE, ())
        for kind, platform, account, platform_id, noticed_ms in rows:
            key = (kind, platform, account, platform_id)
            noticed[key] = max(noticed_ms, noticed.get(key, 0))
    record_of: dict[Key, Key] = {}
    captured: dict[Key, int] = {}
    for one in revised:
        record = (one.table, one.platform, one.account, one.record_id)
        record_of[one.table, one.platform, one.account, one.platform_id] = record
        captured[record] = max(one.captured_ms, captured.get(record, 0))
    return {key for key, at_ms in noticed.items() if captured.get(record_of.get(key, key), 0) <= at_ms}


def _edited(revised: Iterable[Revised]) -> set[Key]:
    """Records with more than one version, repeats apart."""
    highest: dict[Key, int] = {}
    repeats: dict[Key, int] = {}
    for one in revised:
        key = (one.table, one.platform, one.account, one.record_id)
        highest[key] = max(abs(one.version), highest.get(key, 1))
        repeats[key] = repeats.get(key, 0) + (one.again and one.version != 1)
    return {key for key, number in highest.items() if number - repeats[key] > 1}


def _items(moderated: Iterable[HeldRecord]) -> set[tuple[str, ...]]:
    return {
        (entry.platform, entry.item_id)
        for held in moderated
        for entry in held.record.entries
        if entry.item_id is not None
    }
