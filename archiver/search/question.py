"""A query as a search asks the segments of a vault: which of them, in which order, and what of each."""

from collections.abc import Sequence
from typing import NamedTuple

from archiver.records import RELATION_KINDS
from archiver.search.expansion import Expander
from archiver.search.language import Query
from archiver.search.language.fields import POST_KINDS
from archiver.search.language.tree import And, Filter, Node
from archiver.search.segments import Dated, Segment, Segments
from archiver.search.sql.conditions import Facts, conjuncts
from archiver.search.sql.ranking import Totals
from archiver.search.sql.statement import MANY, Asked, Keys, Order, ask, time_statement


class Place(NamedTuple):
    """A segment's table."""

    archive: str
    file: str
    table: str


def place_of(segment: Segment, table: str) -> Place:
    return Place(segment.archive.name, segment.file.name, table)


def tables_of(query: Query) -> list[str]:
    """The tables that hold wanted kinds."""
    tables = []
    if any(query.wants(kind) for kind in POST_KINDS):
        tables.append("post")
    if query.wants("message"):
        tables.append("message")
    if any(query.wants(kind) for kind in RELATION_KINDS):
        tables.append("relation")
    return tables


class Times(NamedTuple):
    """From a millisecond up to, not including, another."""

    first_ms: int
    after_ms: int


ALWAYS = Times(-MANY, MANY)


class Question:
    """One query, one order. `within`: beyond what the query says of time, where a page of results goes on."""

    def __init__(
        self,
        segments: Segments,
        query: Query,
        order: Order,
        facts: Facts,
        expander: Expander,
        within: Times = ALWAYS,
    ) -> None:
        self.query = query
        self.order: Order = order
        self._segments = segments
        self._facts = facts
        self._expander = expander
        self._tables = tables_of(query)
        self._within = _narrowed(query, within)
        self._asked: dict[Place, Asked] = {}
        self.totals: dict[str, Totals] = {}
        """By table, the numbers that its hits are ranked by."""

    def tables(self, segment: Segment) -> list[str]:
        """Those that have rows in it."""
        return [table for table in self._tables if segment.file.records.get(table)]

    def asked(self, segment: Segment, table: str) -> Asked:
        place = place_of(segment, table)
        asked = self._asked.get(place)
        if asked is None:
            root = _without_known(self._expander.bound(self.query, segment), segment)
            keys = None if table == "relation" else self._keys(segment, table)
            asked = ask(table, root, self._facts, keys, time_is_in_keys=table != "relation")
            asked = asked.without(self._segments.hidden(segment, table))
            self._asked[place] = asked
        return asked

    def ranking(self, segment: Segment, table: str) -> int | None:
        """Under what number a segment's rows are ranked (`archiver.search.sql.ranking`); None where they are
        not."""
        match, totals = self.asked(segment, table).match, self.totals.get(table)
        if match is None or totals is None:
            return None
        return self._segments.rankings.number_of(totals.counts(match))

    def counted(self) -> list[Segment]:
        """The segments whose rows the numbers that hits are ranked by are of: all that the times asked for
        let in, whichever words they have, so that a score does not depend on what a catalogue knows."""
        return [
            segment
            for segment in self._segments.all
            if (tables := self.tables(segment)) and self._dated(segment, tables) is not None
        ]

    def _dated(self, segment: Segment, tables: Sequence[str]) -> Dated | None:
        """None where its times leave it out."""
        # What likes, followers and the like have is a time captured, which the manifest does not say.
        first, last = (0, MANY) if "relation" in tables else (segment.posted_from, segment.posted_to)
        if last < self._within.first_ms or first >= self._within.after_ms:
            return None
        return segment, first, last

    def in_order(self) -> list[Dated]:
        """The segments that can hold hits and their first and last times, those with the newest (or
        oldest) records first."""
        chosen = []
        may_hold = self._expander.may_hold(self.query)
        for segment in self._segments.all:
            tables = self.tables(segment)
            if not tables or not may_hold(segment):
                continue
            dated = self._dated(segment, tables)
            if dated is not None and not self._is_of_others(segment):
                chosen.append(dated)
        chosen.sort(key=lambda one: one[1] if self.order == "oldest" else -one[2])
        return chosen

    def _is_of_others(self, segment: Segment) -> bool:
        """Whether a catalogued segment lies in an archive of none of the accounts asked for."""
        accounts = _accounts(segment)
        if not accounts or not self._expander.covers(segment):
            return False
        root = self._expander.bound(self.query, segment)
        return any(
            isinstance(part, Filter)
            and part.field == "account"
            and accounts.isdisjoint((part.value, *part.also))
            for part in conjuncts(root)
        )

    def _keys(self, segment: Segment, table: str) -> Keys | None:
        """Which keys lie within the times asked for; None where all do."""
        first_ms, after_ms = self._within
        if first_ms <= segment.posted_from and segment.posted_to < after_ms:
            return None
        last = segment.file.records[table] + 1
        first = 1 if first_ms <= segment.posted_from else self.first_key(segment, table, first_ms)
        after = last if segment.posted_to < after_ms else self.first_key(segment, table, after_ms)
        return Keys(first, after)

    def first_key(self, segment: Segment, table: str, at_ms: int) -> int:
        return first_key(self._segments, segment, table, at_ms)


def first_key(segments: Segments, segment: Segment, table: str, at_ms: int) -> int:
    """The key of the first post or message at a time or after it; one more than there are where none is.

    Keys are dense, from 1, and rise with time (`archiver/archive/schema.sql`). Posts come about evenly, so
    every other guess goes where the time would be if they did: three or four rows are read in place of the
    seventeen that halving takes among 100,000."""
    low, high = 1, segment.file.records[table] + 1
    low_ms, high_ms = segment.posted_from, segment.posted_to
    for number in range(200):  # halving alone ends after 2 x 64
        if low >= high:
            break
        middle = (low + high) // 2
        if number % 2 == 0 and low_ms < at_ms < high_ms < MANY:
            middle = low + (high - low) * (at_ms - low_ms) // (high_ms - low_ms)
        middle = min(max(middle, low), high - 1)
        rows = segments.rows(segment, *time_statement(table, middle))
        found_ms = rows[0][0]
        if found_ms >= at_ms:
            high, high_ms = middle, found_ms
        else:
            low, low_ms = middle + 1, found_ms
    return low


def _narrowed(query: Query, within: Times) -> Times:
    """What the query asks of every hit's time, and what is asked beyond that."""
    first, after = within
    for part in conjuncts(query.root):
        if isinstance(part, Filter) and part.field == "since":
            first = max(first, int(part.value))
        elif isinstance(part, Filter) and part.field == "until":
            after = min(after, int(part.value))
    return Times(first, after)


def _accounts(segment: Segment) -> set[str]:
    """Whose records its archive has, by the manifest."""
    return {one.account for one in segment.archive.manifest.counts}


def _without_known(root: Node, segment: Segment) -> Node:
    """The tree without what the manifest says of every record: that it is of an account asked for."""
    accounts = _accounts(segment)
    parts = list(conjuncts(root))
    rest = [
        part
        for part in parts
        if not (
            isinstance(part, Filter)
            and part.field == "account"
            and accounts
            and accounts <= {part.value, *part.also}
        )
    ]
    return root if len(rest) == len(parts) else And(tuple(rest))
