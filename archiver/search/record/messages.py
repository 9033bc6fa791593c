"""The conversation around a message."""

import json
from collections.abc import Sequence
from typing import Any

from archiver.search.record.thread_lines import DAY_MS, NO_THREAD, Anchor, Line, Thread, cut_to, time_of
from archiver.search.run import Searcher
from archiver.search.segments import Segment
from archiver.search.sql.statement import Statement

MOST_AROUND = 1_000
"""Rows read of one segment on either side of a message; beyond that there are `at least` so many more."""
_HANDLE = (
    "(SELECT p.handle FROM person AS p WHERE p.record_table = 'message' AND p.record_key = r.key"
    " AND p.role = 'sender' LIMIT 1)"
)
_OWN_HANDLE = (
    "CASE WHEN r.sender_id = r.account THEN (SELECT c.handle FROM capture AS c"
    " WHERE c.account = r.account AND c.handle IS NOT NULL LIMIT 1) END"
)
"""The archived account's, which exports do not name with each message."""
NAMES_PEOPLE = 2
"""Segments have the table `person` from this schema on."""
_COLUMNS = (
    "r.key, r.platform, r.platform_id, r.kind, r.account, r.sender_id, {handle}, r.posted_ms,"
    " substr(r.text, 1, 280), r.version, r.conversation_id"
)
_BY_ID = "SELECT {columns} FROM message AS r WHERE r.platform_id IN (SELECT value FROM json_each(?))"
_AROUND = (
    "SELECT {columns} FROM message AS r WHERE r.conversation_id = ? AND r.platform = ?"
    " AND r.posted_ms {side} ? ORDER BY r.key {way} LIMIT ?"
)
_SIDES = (("<=", "DESC"), (">=", "ASC"))


def find_conversations(
    searcher: Searcher, anchors: Sequence[Anchor], before: int, after: int
) -> list[Thread]:
    """What was written before and after each of these messages in its conversation. Raise as
    `Searcher.search`."""
    if not anchors:
        return []
    own = _find_own(searcher, anchors)
    found = [own.get((one.platform, one.id)) for one in anchors]
    asked = {
        (line.platform, line.conversation_id or "", line.posted_ms) for line in found if line is not None
    }
    around: dict[tuple[str, str, int], list[Line]] = {one: [] for one in asked}
    cut: set[tuple[str, str, int]] = set()
    statements = [
        (segment, one, _around(searcher, segment, *one))
        for segment in searcher.segments.all
        if segment.file.records.get("message")
        for one in sorted(asked)
    ]
    searcher.segments.gather((segment, some) for segment, _, some in statements)
    for segment, one, some in statements:
        for sql, values in some:
            rows = searcher.segments.rows(segment, sql, values)
            around[one] += [_line(segment, row) for row in rows]
            if len(rows) >= MOST_AROUND:
                cut.add(one)
    return [_thread(line, around, cut, before, after) for line in found]


def _thread(
    record: Line | None,
    around: dict[tuple[str, str, int], list[Line]],
    cut: set[tuple[str, str, int]],
    before: int,
    after: int,
) -> Thread:
    if record is None:
        return NO_THREAD
    one = record.platform, record.conversation_id or "", record.posted_ms
    lines: dict[str, Line] = {}
    for line in around[one]:
        known = lines.get(line.id)
        if line.id != record.id and (known is None or line.version > known.version):
            lines[line.id] = line
    sides = cut_to(time_of(record), [*lines.values()], [], before, after)
    return Thread(record, *sides, (), one in cut)


def _find_own(searcher: Searcher, anchors: Sequence[Anchor]) -> dict[tuple[str, str], Line]:
    """The messages themselves, each in its newest version."""
    ids = json.dumps(sorted({one.id for one in anchors}))
    times = [one.posted_ms for one in anchors if one.posted_ms]
    dated = len(times) == len(anchors)
    found: dict[tuple[str, str], Line] = {}
    asked: list[tuple[Segment, Statement]] = [
        (segment, (_BY_ID.format(columns=_columns(searcher, segment)), [ids]))
        for segment in searcher.segments.all
        if segment.file.records.get("message") and (not dated or _is_near(segment, min(times), max(times)))
    ]
    searcher.segments.gather((segment, [statement]) for segment, statement in asked)
    for segment, (sql, values) in asked:
        for row in searcher.segments.rows(segment, sql, values):
            line = _line(segment, row)
            known = found.get((line.platform, line.id))
            if known is None or line.version > known.version:
                found[line.platform, line.id] = line
    return found


def _is_near(segment: Segment, first_ms: int, last_ms: int) -> bool:
    return segment.posted_from - DAY_MS <= last_ms and first_ms <= segment.posted_to + DAY_MS


def _around(
    searcher: Searcher, segment: Segment, platform: str, conversation: str, posted_ms: int
) -> list[Statement]:
    columns = _columns(searcher, segment)
    values: list[object] = [conversation, platform, posted_ms, MOST_AROUND]
    return [(_AROUND.format(columns=columns, side=side, way=way), values) for side, way in _SIDES]


def _columns(searcher: Searcher, segment: Segment) -> str:
    """What is read of a message; earlier versions kept nobody's handle with it."""
    ((version,),) = searcher.segments.rows(segment, "PRAGMA user_version", ())
    named = f"coalesce({_HANDLE}, {_OWN_HANDLE})" if version >= NAMES_PEOPLE else _OWN_HANDLE
    return _COLUMNS.format(handle=named)


def _line(segment: Segment, row: Sequence[Any]) -> Line:
    _, platform, own, *others, conversation = row
    known = ["message", segment.archive.name, platform, own, own, *others]
    return Line._make([*known, None, None, conversation, None, None, None, ()])
