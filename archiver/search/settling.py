"""A hit as it is shown: in its newest version that matches, with how many there are, and whether it is gone.

What it has to ask for that lies in whichever segments hold other versions, most of them none.
"""

from collections.abc import Sequence

from archiver.search.hit import Hit, table_of
from archiver.search.language.fields import MODERATION
from archiver.search.question import Question
from archiver.search.segments import Segment, Segments
from archiver.search.sql.statement import CAPTURED_MS, Statement, captured_statement, revision_statement

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

_FURTHEST_APART_MS = 366 * 86_400_000
"""Between two versions of a record: one that was changed keeps its time, and X lets a post be edited for an
hour. So segments of other years are not asked; of 120 monthly archives that leaves 25."""


class Settler:
    """Asks the segments of a vault about hits."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments

    def fetch_ahead(self, hits: Sequence[Hit]) -> None:
        """Where segments are far away, have at hand what `settled` reads for these hits."""
        asked = [hit for hit in hits if hit.kind != MODERATION]
        self._segments.gather((segment, _statements(segment, asked)) for segment in self._segments.all)

    def settled(self, question: Question, hit: Hit, *, is_version: bool = False) -> Hit:
        """The record in its newest version that matches, with how many there are and whether it is gone.
        `is_version`: this version, whichever else match."""
        table = table_of(hit.kind)
        ages = self._revisions(hit, _AGES.get(table))
        newest = max(ages, default=(0, 0))
        if newest > (hit.posted_ms, hit.version) and not is_version:
            hit = self._newest_match(question, hit, table)
        gone = self._gone(hit, table)
        rows = max(abs(version) for version in (hit.version, *(version for _, version in ages)))
        versions = max(1, rows - self._count_again(hit, table))
        superseded = hit.version < 0 or newest > (hit.posted_ms, hit.version)
        if versions == 1 and not superseded and gone is None:
            return hit  # as nearly all are; another that says the same would be 200 bytes each
        return hit._replace(versions=versions, superseded=superseded, gone=gone)

    def _revisions(self, hit: Hit, sql: str | None) -> list[tuple[int, ...]]:
        """A row for each of the record's versions, but for a first one."""
        if sql is None:
            return []
        record = (hit.record_id, hit.platform, hit.account)
        segments = [one for one in self._segments.all if one.file.revised and may_hold(one, hit.posted_ms)]
        return [row for segment in segments for row in self._segments.rows(segment, sql, record)]

    def _count_again(self, hit: Hit, table: str) -> int:
        """How many of the record's rows only repeat what had come another way."""
        sql = _AGAIN.get(table)
        if sql is None:
            return 0
        record = (hit.record_id, hit.platform, hit.account)
        segments = [one for one in self._segments.all if one.file.again and may_hold(one, hit.posted_ms)]
        return sum(len(self._segments.rows(segment, sql, record)) for segment in segments)

    def _newest_match(self, question: Question, hit: Hit, table: str) -> Hit:
        record = (hit.platform, hit.account, hit.record_id)
        for segment in self._segments.all:
            if segment.file.revised and segment.file.records.get(table) and may_hold(segment, hit.posted_ms):
                statement = revision_statement(
                    question.asked(segment, table),
                    segment.archive.name,
                    record,
                    question.ranking(segment, table),
                )
                hit = max([hit, *self._segments.hits(segment, *statement)], key=age)
        return hit

    def _gone(self, hit: Hit, table: str) -> tuple[int, str] | None:
        """When and how the record was last found missing; None where it was there again later."""
        found: list[tuple[int, str, str]] = []
        kind = hit.kind if table == "relation" else table
        for segment in self._segments.all:
            if segment.file.gone.get(kind):
                rows = self._segments.rows(segment, _GONE, (hit.id, hit.platform, hit.account, kind))
                found += [(noticed_ms, how, segment.archive.name) for noticed_ms, how in rows]
        if not found:
            return None
        noticed_ms, how, archive = max(found)
        later = self._captured_since(archive, hit, table) > noticed_ms
        return None if later else (noticed_ms, how)

    def _captured_since(self, archive: str, hit: Hit, table: str) -> int:
        """When the record was last captured, as this archive and those after it say, and its versions."""
        captured = [ms for (ms,) in self._revisions(hit, _CAPTURED.get(table)) if ms is not None]
        kind = hit.kind if table == "relation" else table
        statement = captured_statement(table, [hit.id])
        for segment in self._segments.since(archive):
            if segment.file.records.get(table):
                captured += [
                    ms
                    for *key, ms in self._segments.rows(segment, *statement)
                    if key[:3] == [kind, hit.platform, hit.account] and ms is not None
                ]
        return max(captured, default=0)


def may_hold(segment: Segment, posted_ms: int) -> bool:
    """Whether a segment's times let it hold a version of a record of this time."""
    return segment.posted_from - _FURTHEST_APART_MS <= posted_ms <= segment.posted_to + _FURTHEST_APART_MS


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
        kind = hit.kind if table == "relation" else table
        if segment.file.gone.get(kind):
            statements.append((_GONE, [hit.id, hit.platform, hit.account, kind]))
    return statements


def age(hit: Hit) -> tuple[int, int]:
    """Which of two versions is the newer one: the higher."""
    return hit.posted_ms, hit.version
