"""Records of which the vault has several rows: versions, repeats, and whatever was taken anew by a collector
that had lost its state. A count may not count them twice.

Nearly all records have one row, and of those the index alone tells how many match. So all others are found
first, whatever is searched for; a count then looks at each of these.
"""

import json
from collections.abc import Iterable, Sequence

import msgspec

from archiver.search.question import Place, place_of
from archiver.search.revised import TABLES, Revised, may_hold
from archiver.search.segments import Segment
from archiver.search.sql.statement import Statement

_BY_ID = "SELECT key FROM {table} WHERE platform_id IN (SELECT value FROM json_each(?))"
_IDS = "SELECT json_group_array(platform_id) FROM {table} INDEXED BY {table}_platform_id"
"""All in one value: a row each took three times as long."""


class Repeated:
    """The keys of such rows in each segment's tables; found when first asked for."""

    def __init__(self, revised: Revised) -> None:
        self._revised = revised
        self._segments = revised.segments
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

    def _add_by_id(self, segment: Segment, table: str, ids: Iterable[str]) -> None:
        self._add(segment, table, (key for (key,) in self._segments.rows(segment, *_by_id(table, ids))))

    def _find(self, table: str) -> None:
        having = [segment for segment in self._segments.all if segment.file.records.get(table)]
        self._find_versions(table, having)
        self._find_twins(table, having)

    def _find_versions(self, table: str, having: Sequence[Segment]) -> None:
        """Rows of records that were changed or captured twice, and the first ones of these, which do not know
        of it."""
        times: dict[str, int] = {}
        for row in self._revised.rows():
            if row.record.table == table:
                self._add(row.segment, table, [row.key])
                times[row.record.record_id] = times[row.platform_id] = row.posted_ms
        for segment in having if times else ():
            ids = [one for one, ms in times.items() if table == "relation" or may_hold(segment, ms)]
            self._add_by_id(segment, table, ids)

    def _find_twins(self, table: str, having: Sequence[Segment]) -> None:
        """Rows with the same id in two archives. A record keeps its time, so only archives whose times
        overlap can have any."""
        overlapping = [one for one in having if any(_overlap(one, other, table) for other in having)]
        statement: Statement = (_IDS.format(table=table), [])
        self._segments.gather((segment, [statement]) for segment in overlapping)
        ids: list[tuple[Segment, set[str]]] = []
        for segment in overlapping:
            listed = self._segments.rows(segment, *statement)[0][0]
            ids.append((segment, set(msgspec.json.decode(listed, type=list[str]))))
        twins = _in_two_archives(ids)
        for segment, own in ids:
            if own := own & twins:
                self._add_by_id(segment, table, own)


def _in_two_archives(ids: Iterable[tuple[Segment, set[str]]]) -> set[str]:
    """Ids that segments of at least two archives have. The largest archive's are copied nowhere."""
    archives: dict[str, list[set[str]]] = {}
    for segment, own in ids:
        archives.setdefault(segment.archive.name, []).append(own)
    seen: set[str] = set()
    twins: set[str] = set()
    smallest_first = sorted(archives.values(), key=lambda some: sum(map(len, some)))
    for number, some in enumerate(smallest_first, start=1):
        twins.update(*(seen & own for own in some))
        if number < len(smallest_first):
            seen.update(*some)
    return twins


def _by_id(table: str, ids: Iterable[str]) -> Statement:
    return _BY_ID.format(table=table), [json.dumps(list(ids))]


def _overlap(one: Segment, other: Segment, table: str) -> bool:
    if one.archive.name == other.archive.name:
        return False
    if table == "relation":  # they have no time of their own
        return True
    return one.posted_from <= other.posted_to and other.posted_from <= one.posted_to
