"""How many records a query finds, and how many by month, account, author, hashtag or kind. One meaning of a
record: a count is what a search without a limit would show.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Literal, NamedTuple, get_args

import msgspec

from archiver.search.hit import Hit, record_of
from archiver.search.question import Question, first_key
from archiver.search.repeated import Repeated
from archiver.search.segments import Segment, Segments
from archiver.search.settling import age
from archiver.search.side_by_side import Work, in_two_steps
from archiver.search.sql.statement import (
    Asked,
    among_statement,
    count_statement,
    groups_statement,
    keys_statement,
    rows_statement,
    tags_statement,
)
from archiver.uk_time import uk_month, uk_months_between

By = Literal["month", "account", "author", "hashtag", "kind"]
BYS: tuple[By, ...] = get_args(By)
SIDE_BY_SIDE_RECORDS = 200_000
"""From so many on, every core counts."""


class Group(NamedTuple):
    """So many records of a month (`2026-07`, in the UK), an account's or author's id, a hashtag (folded) or
    a kind. `handle`: of an account or author, the newest known."""

    name: str
    records: int
    handle: str | None = None


class _Found(NamedTuple):
    """What some segments hold: numbers by group of records with one row; and the rows that match of others,
    with the groups of each."""

    counts: dict[str, int]
    handles: dict[str, tuple[int, str]]
    rows: list[tuple[Hit, list[str]]]


class Counting:
    """Counts what the segments of a vault hold, in so many processes side by side."""

    def __init__(self, segments: Segments, repeated: Repeated, processes: int) -> None:
        self.segments = segments
        self.repeated = repeated
        self.processes = processes
        self.side_by_side_records = SIDE_BY_SIDE_RECORDS

    def count(self, question: Question, by: By | None, *, versions: bool = False) -> list[Group]:
        """By group, unordered; without `by` one group, of all."""
        some = [segment for segment, _, _ in question.in_order()]
        for segment in some:  # before any process is forked: they are the same for all
            self.repeated.keys(segment, "post")
        if self.segments.are_near:
            shares = self._shares(question, some, by)
            found = _in_processes([partial(_count, self, question, by, share) for share in shares])
        else:
            found = self.segments.each(some, lambda segment: _count(self, question, by, [segment]))
        return _together(found, versions=versions)

    def _shares(self, question: Question, some: Sequence[Segment], by: By | None) -> list[list[Segment]]:
        # Where a month begins within a segment, its rows tell.
        first = [question.asked(segment, table) for segment in some[:1] for table in question.tables(segment)]
        reads = by is not None or not all(asked.is_all for asked in first)
        records = sum(segment.file.records.get("post", 0) for segment in some)
        processes = min(self.processes, len(some)) if reads and records >= self.side_by_side_records else 1
        return [list(some[number::processes]) for number in range(max(1, processes))]


def _in_processes(tasks: Sequence[Callable[[], _Found]]) -> list[_Found]:
    if len(tasks) == 1:
        return [tasks[0]()]
    works = [Work(bytes, partial(_encoded, task)) for task in tasks]
    return [msgspec.msgpack.decode(answer, type=_Found) for answer in in_two_steps(works, lambda some: b"")]


def _encoded(task: Callable[[], _Found], order: bytes) -> bytes:
    return msgspec.msgpack.encode(task())


def _count(counting: Counting, question: Question, by: By | None, some: Sequence[Segment]) -> _Found:
    found = _Found({}, {}, [])
    counter = _Counter(counting, question, by, found)
    for segment in some:
        for table in question.tables(segment):
            counter.add(segment, table)
    return found


class _Counter:
    """Adds up what tables hold."""

    def __init__(self, counting: Counting, question: Question, by: By | None, found: _Found) -> None:
        self._segments = counting.segments
        self._repeated = counting.repeated
        self._question = question
        self._by = by
        self._found = found

    def add(self, segment: Segment, table: str) -> None:
        asked = self._question.asked(segment, table)
        special = self._repeated_hits(segment, asked)
        if self._by in (None, "month") and table != "relation":
            self._add_months(segment, asked, special)
        else:
            self._add_groups(segment, asked, special)
        self._add_rows(segment, table, special)

    def _repeated_hits(self, segment: Segment, asked: Asked) -> list[int]:
        """The keys of rows that match and may not be the only ones of their records."""
        repeated = self._repeated.keys(segment, asked.table)
        if not repeated:
            return []
        return sorted(row[0] for row in self._segments.rows(segment, *among_statement(asked, repeated)))

    def _add_months(self, segment: Segment, asked: Asked, special: Sequence[int]) -> None:
        """Keys rise with time, so each month is a run of them. A segment of one month is counted whole."""
        months = uk_months_between(segment.posted_from, segment.posted_to) if self._by else [("", 0)]
        if len(months) == 1:
            self._add(months[0][0], self._number(segment, asked) - len(special))
            return
        keys = self._keys(segment, asked)
        firsts = [first_key(self._segments, segment, asked.table, first_ms) for _, first_ms in months[1:]]
        places = [0, *(bisect_left(keys, first) for first in firsts), len(keys)]
        others = [0, *(bisect_left(special, first) for first in firsts), len(special)]
        for number, (month, _) in enumerate(months):
            whole = places[number + 1] - places[number]
            self._add(month, whole - (others[number + 1] - others[number]))

    def _add(self, group: str, number: int) -> None:
        self._found.counts[group] = self._found.counts.get(group, 0) + number

    def _number(self, segment: Segment, asked: Asked) -> int:
        """How many rows match."""
        if asked.is_all:
            return len(_range(segment, asked))
        return int(self._segments.rows(segment, *count_statement(asked))[0][0])

    def _keys(self, segment: Segment, asked: Asked) -> Sequence[int]:
        """All that match, in order."""
        if asked.is_all:
            return _range(segment, asked)
        return sorted(row[0] for row in self._segments.rows(segment, *keys_statement(asked)))

    def _add_groups(self, segment: Segment, asked: Asked, special: Sequence[int]) -> None:
        statement = groups_statement(asked, self._by or "", special)
        if statement is None:
            return
        for name, number, _, handle in self._segments.rows(segment, *statement):
            group = uk_month(name) if self._by == "month" else "" if self._by is None else name or ""
            self._add(group, number)
            if handle is not None:
                self._note_handle(group, segment.posted_to, handle)

    def _note_handle(self, name: str, posted_ms: int, handle: str) -> None:
        known = self._found.handles.get(name)
        if known is None or known[0] < posted_ms:
            self._found.handles[name] = (posted_ms, handle)

    def _add_rows(self, segment: Segment, table: str, special: Sequence[int]) -> None:
        if not special:
            return
        hits = self._segments.hits(segment, *rows_statement(table, special, segment.archive.name))
        tags: dict[int, list[str]] = {}
        if self._by == "hashtag" and table == "post":
            for key, tag in self._segments.rows(segment, *tags_statement(special)):
                tags.setdefault(key, []).append(tag)
        for key, hit in zip(special, hits, strict=True):
            groups = tags.get(key, []) if self._by == "hashtag" else [group_of(hit, self._by)]
            self._found.rows.append((hit, groups))
            if self._by == "author" and hit.author is not None:
                self._note_handle(groups[0], hit.posted_ms, hit.author)


def _range(segment: Segment, asked: Asked) -> range:
    first, after = asked.keys or (1, segment.file.records[asked.table] + 1)
    return range(first, max(first, after))


def group_of(hit: Hit, by: By | None) -> str:
    """The one group that a hit is in, unless they are hashtags."""
    if by == "month":
        return uk_month(hit.posted_ms)
    if by == "account":
        return hit.account
    if by == "author":
        return hit.author_id or hit.author or ""
    return hit.kind if by == "kind" else ""


def handle_of(hit: Hit, by: By | None) -> str | None:
    """What the account is called that a hit's group stands for."""
    if by == "account" and hit.moderation is not None:
        return hit.moderation.now.account_handle
    return hit.author if by == "author" else None


def _together(found: Iterable[_Found], *, versions: bool) -> list[Group]:
    counts: Counter[str] = Counter()
    handles: dict[str, tuple[int, str]] = {}
    rows: list[tuple[Hit, list[str]]] = []
    for one in found:
        counts.update(one.counts)
        rows += one.rows
        for name, known in one.handles.items():
            handles[name] = max(known, handles.get(name, known))
    counts.update(group for groups in _each_once(rows, versions=versions) for group in dict.fromkeys(groups))
    return [
        Group(name, number, handles[name][1] if name in handles else None)
        for name, number in counts.items()
        if number
    ]


def _each_once(rows: Iterable[tuple[Hit, list[str]]], *, versions: bool) -> Iterator[list[str]]:
    """The groups of each record, by its newest version that matches; or of each version."""
    best: dict[tuple[object, ...], tuple[Hit, list[str]]] = {}
    for hit, groups in rows:
        key = (*record_of(hit), hit.id, hit.version) if versions else record_of(hit)
        other = best.get(key)
        if other is None or age(hit) > age(other[0]):
            best[key] = (hit, groups)
    return (groups for _, groups in best.values())


def sorted_groups(groups: Iterable[Group], by: By) -> list[Group]:
    """Months in order of time; all others with the largest first."""
    if by == "month":
        return sorted(groups)
    return sorted(groups, key=lambda group: (-group.records, group.name))
