"""A hit as it is shown: in its newest version that matches, with how many there are, and whether it is gone.

What it has to ask for that lies in whichever segments hold other versions, most of them none. Of a few hits
each is asked about; before many, all such rows are read (`archiver.search.revised`).
"""

from collections.abc import Sequence
from typing import Any, Protocol

from archiver.search.hit import Hit, table_of
from archiver.search.language.fields import MODERATION
from archiver.search.question import Question
from archiver.search.revised import Notice, Revised, item_key, may_hold, record_key
from archiver.search.segments import Segment, Segments
from archiver.search.sql.revisions import CAPTURED_MS, captured_statement
from archiver.search.sql.statement import Statement, revision_statement

_REVISION = {
    "post": "FROM post AS r WHERE coalesce(r.record_id, r.platform_id) = ?"
    " AND (r.version <> 1 OR r.record_id IS NOT NULL) AND r.platform = ? AND r.account = ?",
    "message": "FROM message AS r WHERE r.platform_id = ? AND r.version <> 1"
    " AND r.platform = ? AND r.account = ?",
}
"""All versions of a record but a first one. Values: record id, platform, account."""
_AGES = {table: f"SELECT r.posted_ms, r.version {rows}" for table, rows in _REVISION.items()}
_CAPTURED = {
    table: f"SELECT {CAPTURED_MS} {rows}"  # constants of this module
    for table, rows in _REVISION.items()
}
_AGAIN = {
    table: f"SELECT 1 {rows} AND r.version <> 1 AND EXISTS"  # noqa: S608  # constants of this module
    f" (SELECT 1 FROM again AS a WHERE a.record_table = '{table}' AND a.record_key = r.key)"
    for table, rows in _REVISION.items()
}
"""Rows of a record that are no version of their own and were counted as one: what was captured for the
moderation register alone was not, and is version 1."""
_GONE = "SELECT noticed_ms, how FROM gone WHERE platform_id = ? AND platform = ? AND account = ? AND kind = ?"

_STATEMENTS_OF_SEGMENT = 20
_ROWS_OF_STATEMENT = 5
"""A statement that asks about one record takes as long as reading so many rows. So when as many were asked as
reading everything costs, that is read: at most twice the time is spent that the better way alone takes."""
FEW_FAR_AWAY = 100
"""Hits that are asked about one by one where segments are far away: each statement there reads two or three
pages, reading everything reads nearly all of them."""


class _Way(Protocol):
    """How to learn of a hit what other rows say."""

    def ages(self, hit: Hit) -> list[tuple[int, int]]:
        """Time and version of each of the record's rows, but for a first version."""
        ...

    def count_again(self, hit: Hit) -> int:
        """How many of these only repeat what had come another way."""
        ...

    def captured(self, hit: Hit) -> int:
        """When the last of these was captured; 0 for never."""
        ...

    def notice(self, hit: Hit) -> Notice | None:
        """The last one that says it is missing."""
        ...

    def holding_newer(self, hit: Hit) -> list[Segment]:
        """Segments that may hold a newer version of the record."""
        ...


class Settler:
    """Asks the segments of a vault about hits."""

    def __init__(self, revised: Revised) -> None:
        self._revised = revised
        self._segments = revised.segments
        self._asking = _Asking(self._segments)
        self._known = _Known(revised)
        self._foreseen = 0
        self._knows_all = False

    def fetch_ahead(self, hits: Sequence[Hit]) -> None:
        """Where segments are far away, have at hand what `settled` reads for these hits."""
        if not len(self._revised):  # to ask no segment 48,000 times took a third of a second
            self._knows_all = True
        if self._segments.are_near or self._knows_all:
            return
        asked = [hit for hit in hits if hit.kind != MODERATION]
        if len(asked) > FEW_FAR_AWAY:
            self._knows_all = True
            return
        self._foreseen = len(asked)
        self._segments.gather((segment, _statements(segment, asked)) for segment in self._segments.all)

    def settled(self, question: Question, hit: Hit, *, is_version: bool = False) -> Hit:
        """The record in its newest version that matches, with how many there are and whether it is gone.
        `is_version`: this version, whichever else match."""
        way = self._way()
        ages = way.ages(hit)
        newest = max(ages, default=(0, 0))
        if newest > (hit.posted_ms, hit.version) and not is_version:
            hit = self._newest_match(question, hit, way.holding_newer(hit))
        gone = self._gone(way, hit)
        rows = max(abs(version) for version in (hit.version, *(version for _, version in ages)))
        versions = max(1, rows - way.count_again(hit)) if rows > 1 else 1
        superseded = hit.version < 0 or newest > (hit.posted_ms, hit.version)
        if versions == 1 and not superseded and gone is None:
            return hit  # as nearly all are; another that says the same would be 200 bytes each
        return hit._replace(versions=versions, superseded=superseded, gone=gone)

    def _way(self) -> _Way:
        """What was foreseen costs nothing to ask for."""
        if self._knows_all:
            return self._known
        if self._foreseen:
            self._foreseen -= 1
            self._asking.asked = 0
        elif self._has_cost_enough():
            self._knows_all = True
            return self._known
        return self._asking

    def _has_cost_enough(self) -> bool:
        more = self._asking.asked - _STATEMENTS_OF_SEGMENT * len(self._segments.all)
        return more > 0 and more > len(self._revised) // _ROWS_OF_STATEMENT

    def _newest_match(self, question: Question, hit: Hit, segments: Sequence[Segment]) -> Hit:
        table = table_of(hit.kind)
        record = (hit.platform, hit.account, hit.record_id)
        for segment in segments:
            statement = revision_statement(
                question.asked(segment, table), segment.archive.name, record, question.ranking(segment, table)
            )
            hit = max([hit, *self._segments.hits(segment, *statement)], key=age)
        return hit

    def _gone(self, way: _Way, hit: Hit) -> tuple[int, str] | None:
        """When and how the record was last found missing; None where it was there again later."""
        notice = way.notice(hit)
        if notice is None:
            return None
        later = max(way.captured(hit), self._asking.captured_since(notice.archive, hit)) > notice.noticed_ms
        return None if later else (notice.noticed_ms, notice.how)


class _Asking:
    """Asks every segment that may know of a hit. `asked`: how many statements that were so far."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self.asked = 0

    def ages(self, hit: Hit) -> list[tuple[int, int]]:
        return self._of_record(hit, _AGES)

    def captured(self, hit: Hit) -> int:
        return max((ms for (ms,) in self._of_record(hit, _CAPTURED) if ms is not None), default=0)

    def count_again(self, hit: Hit) -> int:
        return len(self._of_record(hit, _AGAIN))

    def notice(self, hit: Hit) -> Notice | None:
        item = item_key(hit)
        found: list[Notice] = []
        for segment in self._segments.all:
            if segment.file.gone.get(item.kind):
                rows = self._rows(segment, _GONE, (hit.id, hit.platform, hit.account, item.kind))
                found += [Notice(noticed_ms, how, segment.archive.name) for noticed_ms, how in rows]
        return max(found, default=None)

    def holding_newer(self, hit: Hit) -> list[Segment]:
        table = table_of(hit.kind)
        return [segment for segment in self._holding(hit, _AGES) if segment.file.records.get(table)]

    def captured_since(self, archive: str, hit: Hit) -> int:
        """When a row with this id was last captured, as this archive and those after it say."""
        item, table = item_key(hit), table_of(hit.kind)
        statement = captured_statement(table, [hit.id])
        captured = [
            ms
            for segment in self._segments.since(archive)
            if segment.file.records.get(table) and (table == "relation" or may_hold(segment, hit.posted_ms))
            for *key, ms in self._rows(segment, *statement)
            if tuple(key[:3]) == item[:3] and ms is not None
        ]
        return max(captured, default=0)

    def _of_record(self, hit: Hit, by_table: dict[str, str]) -> list[Any]:
        sql = by_table.get(table_of(hit.kind))
        if sql is None:
            return []
        record = (hit.record_id, hit.platform, hit.account)
        return [row for segment in self._holding(hit, by_table) for row in self._rows(segment, sql, record)]

    def _holding(self, hit: Hit, by_table: dict[str, str]) -> list[Segment]:
        wants_again = by_table is _AGAIN
        return [
            segment
            for segment in self._segments.all
            if (segment.file.again if wants_again else segment.file.revised)
            and may_hold(segment, hit.posted_ms)
        ]

    def _rows(self, segment: Segment, sql: str, values: Sequence[object]) -> list[Any]:
        self.asked += 1
        return self._segments.rows(segment, sql, values)


class _Known:
    """Knows all such rows."""

    def __init__(self, revised: Revised) -> None:
        self._revised = revised

    def ages(self, hit: Hit) -> list[tuple[int, int]]:
        return [(row.posted_ms, row.version) for row in self._rows(hit)]

    def captured(self, hit: Hit) -> int:
        return max((row.captured_ms for row in self._rows(hit)), default=0)

    def count_again(self, hit: Hit) -> int:
        return sum(row.is_repeat for row in self._rows(hit))

    def notice(self, hit: Hit) -> Notice | None:
        return self._revised.gone().get(item_key(hit))

    def holding_newer(self, hit: Hit) -> list[Segment]:
        newer = [row.segment for row in self._rows(hit) if (row.posted_ms, row.version) > age(hit)]
        return list({id(segment): segment for segment in newer}.values())

    def _rows(self, hit: Hit) -> list[Any]:
        rows = self._revised.records().get(record_key(hit))
        if rows is None:
            return []
        return [row for row in rows if row.is_revision and may_hold(row.segment, hit.posted_ms)]


def _statements(segment: Segment, hits: Sequence[Hit]) -> list[Statement]:
    """All that one segment is asked about some hits."""
    statements: list[Statement] = []
    for hit in hits:
        table = table_of(hit.kind)
        record: list[object] = [hit.record_id, hit.platform, hit.account]
        if table in _REVISION and segment.file.revised and may_hold(segment, hit.posted_ms):
            statements += [(_AGES[table], record), (_CAPTURED[table], record)]
        if table in _REVISION and segment.file.again and may_hold(segment, hit.posted_ms):
            statements.append((_AGAIN[table], record))
        kind = item_key(hit).kind
        if segment.file.gone.get(kind):
            statements.append((_GONE, [hit.id, hit.platform, hit.account, kind]))
    return statements


def age(hit: Hit) -> tuple[int, int]:
    """Which of two versions is the newer one: the higher."""
    return hit.posted_ms, hit.version
