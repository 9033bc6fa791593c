"""The thread around records: what a post replies to, up the chain; what answers it, all the way down; the
rest of its conversation; what it quotes or repeats; and of a message the conversation around it.

A thread is made by whoever writes on a platform, and he may mean harm: posts that answer each other in a
circle, ten thousand answers, chains of thousands. So the walk ends after so many rounds and rows, and says
so.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from archiver.search.record.messages import find_conversations
from archiver.search.record.thread_lines import DAY_MS, Anchor, Line, Missing, Thread, cut_to, time_of
from archiver.search.run import Searcher
from archiver.search.segments import Segment
from archiver.search.sql.statement import MANY, Statement
from archiver.sources.x.times import snowflake_ms

__all__ = ["Anchor", "Line", "Missing", "Thread", "find_naming", "find_thread"]

_ROUNDS = 100
"""How many steps up a chain and down the answers are followed. The longest thread of the ordinary kind that
people write on X has some 25 posts."""
_MOST_ROWS = 20_000
"""Of all threads together, and 200 more for each: 12 MB."""
_ROWS_EACH = 200
_MOST_NAMING = 1_000
_LINE = (
    "SELECT r.platform, r.platform_id, coalesce(r.record_id, r.platform_id), r.kind, r.account, r.author_id,"
    " r.author_handle, r.posted_ms, substr(r.text, 1, 280), r.version, r.in_reply_to_id,"
    " r.in_reply_to_handle, r.conversation_id, r.quote_of_id, r.repost_of_id, r.repost_of_handle, r.edit_ids"
    " FROM post AS r WHERE "
)
_ANY_OF = "IN (SELECT value FROM json_each({}))"
_BY_ID = (
    f"{_LINE} r.platform_id {_ANY_OF.format('?1')} OR (coalesce(r.record_id, r.platform_id)"
    f" {_ANY_OF.format('?1')} AND (r.version <> 1 OR r.record_id IS NOT NULL)) LIMIT ?2"
)
ANSWERS = (
    f"{_LINE} r.in_reply_to_id {_ANY_OF.format('?1')} OR r.conversation_id {_ANY_OF.format('?2')} LIMIT ?3"
)
"""Segments of schema 4 and later have an index for each; older ones are read through."""
_NAMING = f"{_LINE} ?1 IN (r.in_reply_to_id, r.conversation_id, r.quote_of_id, r.repost_of_id) LIMIT ?2"

_Key = tuple[str, str]
"""Platform and id."""


def find_thread(searcher: Searcher, records: Sequence[Anchor], *, before: int, after: int) -> list[Thread]:
    """The thread of each of some posts and messages, in their order: at most `before` lines posted earlier
    and `after` posted later, those of its own chain and answers first, in order of time. Raise as
    `Searcher.search`."""
    walk = _Walk(searcher, [one for one in records if one.table == "post"])
    walk.run()
    messages = [one for one in records if one.table == "message"]
    found = dict(zip(messages, find_conversations(searcher, messages, before, after), strict=True))
    return [found.get(one) or walk.thread(one, before, after) for one in records]


def find_naming(searcher: Searcher, platform_id: str) -> list[Line]:
    """Posts that answer, quote or repeat the one with this id, or belong to its conversation, oldest first.
    Reads segments through: for an id that no record has."""
    asked: list[object] = [platform_id.encode("utf-8", "replace").decode(), _MOST_NAMING]
    lines: dict[_Key, Line] = {}
    for segment in searcher.segments.all:
        if segment.file.records.get("post"):
            for row in searcher.segments.rows(segment, _NAMING, asked):
                line = _line(segment, row)
                lines.setdefault((line.platform, line.record_id), line)
    return sorted(lines.values(), key=time_of)


class _Ask:
    """Ids to be looked for, and between which times what is found was posted."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.first_ms, self.last_ms = MANY, 0

    def add(self, ids: Sequence[str], first_ms: int, last_ms: int) -> None:
        if ids:
            self.ids.update(ids)
            self.first_ms, self.last_ms = min(self.first_ms, first_ms), max(self.last_ms, last_ms)

    def may_be_in(self, segment: Segment) -> bool:
        """Posts of unknown time are kept with the time 0. Whatever its clock, an answer is not a day older
        than what it answers."""
        return bool(self.ids) and (
            segment.posted_from == 0
            or (segment.posted_from - DAY_MS <= self.last_ms and self.first_ms <= segment.posted_to + DAY_MS)
        )


class _Walk:
    """All posts of some threads, found round by round: in each, every segment is asked once for those that
    are named and once for those that answer."""

    def __init__(self, searcher: Searcher, anchors: Sequence[Anchor]) -> None:
        self._segments = searcher.segments
        self._anchors = anchors
        self._room = _MOST_ROWS + _ROWS_EACH * len(anchors)
        self._lines: dict[_Key, Line] = {}
        self._keys: dict[_Key, _Key] = {}
        """Every id of a post, edits included, to the post's own key."""
        self._followed: set[tuple[str, str]] = set()
        """What was asked for already: the way and the id."""
        self._answers: dict[_Key, list[_Key]] = {}
        self._conversations: dict[_Key, list[_Key]] = {}
        self.is_cut = False

    def run(self) -> None:
        """Walk until there is nothing new, or enough. Posts of a chain lead upward, answers downward; what
        is quoted and the rest of a conversation lead nowhere."""
        named, answers, talks = _Ask(), _Ask(), _Ask()
        for anchor in self._anchors:
            first, last = (anchor.posted_ms, anchor.posted_ms) if anchor.posted_ms else (0, MANY)
            named.add(self._new("named", [anchor.id]), first, last)
        wanted = {(one.platform, one.id) for one in self._anchors}
        up, down = set(wanted), set(wanted)
        for _ in range(_ROUNDS):
            found = self._ask(named, answers, talks)
            named, answers, talks = _Ask(), _Ask(), _Ask()
            for line in found:
                if not down.isdisjoint(_names(line)) or (line.platform, line.in_reply_to_id) in down:
                    down.update(_names(line))
                    answers.add(self._new("answers", _ids(line)), line.posted_ms, MANY)
                if not up.isdisjoint(_names(line)):
                    named_here = [line.in_reply_to_id] if line.in_reply_to_id is not None else []
                    up.update((line.platform, one) for one in named_here)
                    if not wanted.isdisjoint(_names(line)):
                        named_here += _shown_ids(line)
                    for one in self._new("named", named_here):
                        posted = _inside(line, one)
                        named.add([one], posted or 0, posted or line.posted_ms or MANY)
                    for one in self._new("talk", _talks(line)):
                        talks.add([one], _begun_ms(line, one), MANY)
            if not named.ids | answers.ids | talks.ids:
                break
        else:
            self.is_cut = True
        self._link()

    def _new(self, way: str, ids: Iterable[str]) -> list[str]:
        new = [one for one in dict.fromkeys(ids) if (way, one) not in self._followed]
        self._followed.update((way, one) for one in new)
        return new

    def _ask(self, named: _Ask, answers: _Ask, talks: _Ask) -> list[Line]:
        """All posts that these name, known ones too, each in its newest version."""
        asked = [
            (segment, self._statements(segment, named, answers, talks))
            for segment in self._segments.all
            if segment.file.records.get("post")
        ]
        self._segments.gather((segment, some) for segment, some in asked if some)
        found: dict[_Key, Line] = {}
        for segment, statements in asked:
            for sql, values in statements:
                values[-1] = self._room + 1
                rows = self._segments.rows(segment, sql, values)
                self.is_cut |= len(rows) > self._room
                for row in rows[: self._room]:
                    self._keep(_line(segment, row), found)
        return list(found.values())

    @staticmethod
    def _statements(segment: Segment, named: _Ask, answers: _Ask, talks: _Ask) -> list[Statement]:
        statements: list[Statement] = []
        if named.may_be_in(segment):
            statements.append((_BY_ID, [json.dumps(sorted(named.ids)), MANY]))
        if answers.may_be_in(segment) or talks.may_be_in(segment):
            wanted: list[object] = [json.dumps(sorted(one.ids)) for one in (answers, talks)]
            statements.append((ANSWERS, [*wanted, MANY]))
        return statements

    def _keep(self, line: Line, found: dict[_Key, Line]) -> None:
        key = line.platform, line.record_id
        for name in _names(line):
            self._keys.setdefault(name, key)
        known = self._lines.get(key)
        if known is None:
            self._room -= 1
        if known is None or (line.posted_ms, line.version) > (known.posted_ms, known.version):
            self._lines[key] = line
        found[key] = self._lines[key]

    # One thread of all that was found

    def _link(self) -> None:
        answers: dict[_Key, list[_Key]] = defaultdict(list)
        conversations: dict[_Key, list[_Key]] = defaultdict(list)
        for key, line in self._lines.items():
            if line.in_reply_to_id is not None:
                parent = line.platform, line.in_reply_to_id
                answers[self._keys.get(parent, parent)].append(key)
            if line.conversation_id is not None:
                conversations[line.platform, line.conversation_id].append(key)
        self._answers, self._conversations = answers, conversations

    def thread(self, anchor: Anchor, before: int, after: int) -> Thread:
        """The lines of one record's thread, cut to those nearest to it."""
        name = anchor.platform, anchor.id
        key = self._keys.get(name, name)
        record = self._lines.get(key)
        above, missing = self._above(record)
        below = self._below(key)
        shown = [] if record is None else self._shown(record)
        near = list(dict.fromkeys(one for one in (*above, *shown, *below) if one != key))
        talks = {(line.platform, one) for line in self._some([key, *above]) for one in _talks(line)}
        known = {key, *near}
        wider = {one for talk in talks for one in self._conversations.get(talk, ())} - known
        now = (0, 0, "") if record is None else time_of(record)
        sides = cut_to(now, [*self._some(near)], [*self._some(wider)], before, after)
        missing += [] if record is None else self._not_shown(record)
        return Thread(record, *sides, tuple(missing), self.is_cut)

    def _some(self, keys: Iterable[_Key]) -> Iterator[Line]:
        return (self._lines[key] for key in keys if key in self._lines)

    def _above(self, record: Line | None) -> tuple[list[_Key], list[Missing]]:
        """What it answers, what that answers, and so on; and what of that is not held."""
        above: dict[_Key, None] = {}
        line = record
        while line is not None and line.in_reply_to_id is not None:
            name = line.platform, line.in_reply_to_id
            key = self._keys.get(name, name)
            if key not in self._lines:
                if self.is_cut or ("named", line.in_reply_to_id) not in self._followed:
                    break  # it may well be held
                missing = Missing("replies to", line.in_reply_to_id, line.in_reply_to_handle, line.id)
                return list(above), [missing]
            if key in above or line is self._lines[key] or self._lines[key] is record:
                break  # a circle
            above[key] = None
            line = self._lines[key]
        return list(above), []

    def _below(self, key: _Key) -> list[_Key]:
        """All answers to it, and to those."""
        below: dict[_Key, None] = {}
        waiting = [key]
        while waiting:
            for one in self._answers.get(waiting.pop(), ()):
                if one not in below:
                    below[one] = None
                    waiting.append(one)
        return list(below)

    def _shown(self, record: Line) -> list[_Key]:
        """What it quotes or repeats."""
        names = [(record.platform, one) for one in _shown_ids(record)]
        return [self._keys.get(name, name) for name in names]

    def _not_shown(self, record: Line) -> Iterator[Missing]:
        of = (("quotes", record.quote_of_id, None), ("reposts", record.repost_of_id, record.repost_of_handle))
        for how, one, handle in of:
            if one and not self.is_cut and self._keys.get((record.platform, one)) not in self._lines:
                yield Missing(how, one, handle, record.id)


def _line(segment: Segment, row: Sequence[Any]) -> Line:
    *fields, edit_ids = row
    edits = tuple(json.loads(edit_ids)) if edit_ids else ()
    return Line._make(["post", segment.archive.name, *fields, edits])


def _ids(line: Line) -> list[str]:
    """Its own and those of other versions."""
    return [line.id, line.record_id, *line.edit_ids]


def _names(line: Line) -> Iterator[_Key]:
    return ((line.platform, one) for one in _ids(line))


def _shown_ids(line: Line) -> list[str]:
    """What it quotes and repeats."""
    return [one for one in (line.quote_of_id, line.repost_of_id) if one is not None]


def _inside(line: Line, other_id: str) -> int | None:
    """When a post that this one names was posted, as far as its id tells."""
    return snowflake_ms(other_id) if line.platform == "x" else None


def _begun_ms(line: Line, conversation: str) -> int:
    """Before which nothing of a conversation was posted: it has its first post's id. 0 where that tells
    no time."""
    return line.posted_ms if conversation in _ids(line) else _inside(line, conversation) or 0


def _talks(line: Line) -> Iterator[str]:
    """The ids its conversation may have: an export names none, and X calls it by its first post."""
    named = [line.conversation_id] if line.conversation_id is not None else []
    return iter(dict.fromkeys(chain(named, [line.in_reply_to_id or line.record_id])))
