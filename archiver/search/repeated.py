"""Records of which the vault has several rows: versions, repeats, and whatever was taken anew by a collector
that had lost its state. A count may not count them twice.

Nearly all records have one row, and of those the index alone tells how many match. So all others are found
first, whatever is searched for; a count then looks at each of these.
"""

import json
from collections.abc import Iterable, Sequence

from archiver.search.question import Place, place_of
from archiver.search.segments import Segment, Segments
from archiver.search.settling import may_hold
from archiver.search.sql.conditions import REVISED
from archiver.search.sql.statement import Statement

_ROWS = {
    "post": "SELECT r.key, r.platform_id, coalesce(r.record_id, r.platform_id), r.posted_ms FROM post AS r",
    "message": "SELECT r.key, r.platform_id, r.platform_id, r.posted_ms FROM message AS r",
    "relation": "SELECT r.key, r.platform_id, r.platform_id, r.captured_ms FROM relation AS r",
}
_AGAIN = "r.key IN (SELECT record_key FROM again WHERE record_table = ?)"
_BY_ID = "SELECT key FROM {table} WHERE platform_id IN (SELECT value FROM json_each(?))"
_IDS = "SELECT platform_id, key FROM {table} INDEXED BY {table}_platform_id"
TABLES = ("post", "message", "relation")


class Repeated:
    """The keys of such rows in each segment's tables; found when first asked for."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._keys: dict[Place, set[int]] | None = None

    def keys(self, segment: Segment, table: str) -> frozenset[int]:
        """Rows of a table that may not be the only ones of their records."""
        if self._keys is None:
            self._keys = {}
            for each in TABLES:
                self._find(each)
        return frozenset(self._keys.get(place_of(segment, table), ()))

    def _add(self, segment: Segment, table: str, keys: Iterable[int]) -> None:
        assert self._keys is not None  # noqa: S101 - made by `keys`
        self._keys.setdefault(place_of(segment, table), set()).update(keys)

    def _find(self, table: str) -> None:
        having = [segment for segment in self._segments.all if segment.file.records.get(table)]
        self._find_versions(table, having)
        self._find_twins(table, having)

    def _find_versions(self, table: str, having: Sequence[Segment]) -> None:
        """Rows of records that were changed or captured twice, and the first ones of these, which do not know
        of it."""
        times: dict[str, int] = {}
        asked = [(one, statement) for one in having if (statement := _versions(table, one)) is not None]
        self._segments.gather((segment, [statement]) for segment, statement in asked)
        for segment, statement in asked:
            for key, platform_id, record_id, posted_ms in self._segments.rows(segment, *statement):
                self._add(segment, table, [key])
                times[record_id] = times[platform_id] = posted_ms
        for segment in having if times else ():
            ids = [one for one, ms in times.items() if table == "relation" or may_hold(segment, ms)]
            by_id = (_BY_ID.format(table=table), (json.dumps(ids),))
            self._add(segment, table, (row[0] for row in self._segments.rows(segment, *by_id)))

    def _find_twins(self, table: str, having: Sequence[Segment]) -> None:
        """Rows with the same id in two archives. A record keeps its time, so only archives whose times
        overlap can have any."""
        seen: dict[str, list[tuple[Segment, int]]] = {}
        sql = _IDS.format(table=table)
        overlapping = [one for one in having if any(_overlap(one, other, table) for other in having)]
        self._segments.gather((segment, [(sql, [])]) for segment in overlapping)
        for segment in overlapping:
            for platform_id, key in self._segments.rows(segment, sql, ()):
                seen.setdefault(platform_id, []).append((segment, key))
        for places in seen.values():
            if len({segment.archive.name for segment, _ in places}) > 1:
                for segment, key in places:
                    self._add(segment, table, [key])


def _versions(table: str, segment: Segment) -> Statement | None:
    """What finds the rows of a segment that its manifest counts as versions and repeats; None without any.
    Segments of the first schema have no table `again`, and no repeats."""
    conditions = [REVISED[table]] if table in REVISED and segment.file.revised else []
    conditions += [_AGAIN] if segment.file.again else []
    if not conditions:
        return None
    return f"{_ROWS[table]} WHERE {' OR '.join(conditions)}", [table] if segment.file.again else []


def _overlap(one: Segment, other: Segment, table: str) -> bool:
    if one.archive.name == other.archive.name:
        return False
    if table == "relation":  # they have no time of their own
        return True
    return one.posted_from <= other.posted_to and other.posted_from <= one.posted_to
