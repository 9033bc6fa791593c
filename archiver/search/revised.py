"""Records of which the vault says more than one row does: versions, repeats, notices of what is gone.

They are few, and each segment has indexes of them. Read once of the whole vault they tell, without asking any
segment again, how many versions each hit has and whether it is gone.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from archiver.search.hit import Hit, table_of
from archiver.search.segments import Segment, Segments
from archiver.search.sql.revisions import GONE, captured_statement, several_statements

TABLES = ("post", "message", "relation")
_FURTHEST_APART_MS = 366 * 86_400_000
"""Between two versions of a record: one that was changed keeps its time, and X lets a post be edited for an
hour. So segments of other years are not asked; of 120 monthly archives that leaves 25."""


class Record(NamedTuple):
    """What versions of one record have in common: table, platform, account, the record's id."""

    table: str
    platform: str
    account: str
    record_id: str


class Item(NamedTuple):
    """What a notice of something gone names: table (of likes and the like their kind), platform, account, id.
    Of a record with several ids each is an item."""

    kind: str
    platform: str
    account: str
    platform_id: str


class Row(NamedTuple):
    """A row of a record that has several. `is_revision`: any but a first version, by its number or its
    record's id; `again`: no version of its own; `captured_ms`: 0 where that is not known."""

    segment: Segment
    key: int
    record: Record
    platform_id: str
    posted_ms: int
    version: int
    is_revision: bool
    again: bool
    captured_ms: int

    @property
    def is_repeat(self) -> bool:
        """Whether it was counted as a version and is none of its own: what was captured for the moderation
        register alone was not, and is version 1."""
        return self.is_revision and self.again and self.version != 1


class Notice(NamedTuple):
    """When and how something was found missing, and in which archive that stands."""

    noticed_ms: int
    how: str
    archive: str


class Revised:
    """Read when first asked for; anew when an archive was set aside."""

    def __init__(self, segments: Segments) -> None:
        self.segments = segments
        self._all: list[Segment] = []
        self._records: dict[Record, list[Row]] | None = None
        self._gone: dict[Item, Notice] | None = None
        self._captured: dict[Item, int] | None = None

    def __len__(self) -> int:
        """How many rows there are to read, by the manifests."""
        return sum(
            segment.file.revised + segment.file.again + sum(segment.file.gone.values())
            for segment in self.segments.all
        )

    def records(self) -> Mapping[Record, list[Row]]:
        """Rows of records that have several; of those without an id of its own for each version, first ones
        are not among them."""
        self._forget_others()
        if self._records is None:
            records: dict[Record, list[Row]] = {}
            for row in self._read_rows():
                records.setdefault(row.record, []).append(row)
            self._records = records
        return self._records

    def rows(self) -> Iterator[Row]:
        return (row for rows in self.records().values() for row in rows)

    def gone(self) -> Mapping[Item, Notice]:
        """Of whatever was ever found missing, the last notice."""
        self._forget_others()
        if self._gone is None:
            found: dict[Item, Notice] = {}
            asked = [segment for segment in self.segments.all if segment.file.gone]
            self.segments.gather((segment, [(GONE, [])]) for segment in asked)
            for segment in asked:
                for kind, platform, account, own, noticed_ms, how in self.segments.rows(segment, GONE, ()):
                    item = Item(kind, platform, account, own)
                    notice = Notice(noticed_ms, how, segment.archive.name)
                    found[item] = max(notice, found.get(item, notice))
            self._gone = found
        return self._gone

    def captured_since(self) -> Mapping[Item, int]:
        """When each of what was found missing was captured last, in the archive that says so or one after
        it."""
        gone = self.gone()
        if self._captured is None:
            self._captured = self._read_captured(gone)
        return self._captured

    def _forget_others(self) -> None:
        if self._all is not self.segments.all:
            self._all = self.segments.all
            self._records = self._gone = self._captured = None

    def _read_rows(self) -> Iterator[Row]:
        asked = [
            (segment, table, statements)
            for segment in self.segments.all
            for table in TABLES
            if (statements := several_statements(table, segment.file))
        ]
        wanted: dict[int, tuple[Segment, list[Any]]] = {}
        for segment, _, statements in asked:
            wanted.setdefault(id(segment), (segment, []))[1].extend(statements)
        self.segments.gather(wanted.values())
        for segment, table, statements in asked:
            for statement in statements:
                for key, platform, account, own, record_id, *others in self.segments.rows(
                    segment, *statement
                ):
                    posted_ms, version, is_revision, again, captured_ms = others
                    record = Record(table, platform, account, record_id)
                    yield Row(
                        segment, key, record, own, posted_ms, version, bool(is_revision), bool(again),
                        captured_ms or 0,
                    )  # fmt: skip

    def _read_captured(self, gone: Mapping[Item, Notice]) -> dict[Item, int]:
        by_archive: dict[str, list[Item]] = {}
        for item, notice in gone.items():
            by_archive.setdefault(notice.archive, []).append(item)
        asked: list[tuple[Segment, Any]] = []
        ids: dict[str, set[str]] = {table: set() for table in TABLES}
        for segment in self.segments.all:
            for item in by_archive.pop(segment.archive.name, ()):
                ids[table_of(item.kind)].add(item.platform_id)
            asked += [
                (segment, captured_statement(table, some))
                for table, some in ids.items()
                if some and segment.file.records.get(table)
            ]
        self.segments.gather((segment, [statement]) for segment, statement in asked)
        captured: dict[Item, int] = {}
        for segment, statement in asked:
            for kind, platform, account, own, captured_ms in self.segments.rows(segment, *statement):
                item = Item(kind, platform, account, own)
                captured[item] = max(captured_ms or 0, captured.get(item, 0))
        return captured


def record_key(hit: Hit) -> Record:
    return Record(table_of(hit.kind), hit.platform, hit.account, hit.record_id)


def item_key(hit: Hit) -> Item:
    table = table_of(hit.kind)
    return Item(hit.kind if table == "relation" else table, hit.platform, hit.account, hit.id)


def may_hold(segment: Segment, posted_ms: int) -> bool:
    """Whether a segment's times let it hold a version of a record of this time."""
    return segment.posted_from - _FURTHEST_APART_MS <= posted_ms <= segment.posted_to + _FURTHEST_APART_MS
