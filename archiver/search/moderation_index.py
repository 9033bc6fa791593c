"""A query over moderation records: filters on what their entries say, words by an index made for the query.

There are few of these records, thousands a year at most, and what is said of one is spread over its entries,
which may lie in several archives. So they are composed first, and asked in memory.

A filter or a word matches a record if any of its entries ever said it: a reason that was corrected is still
found. With a `-` before it, it excludes a record of which it holds as the record stands: what was put right
since hides nothing. What was undone since was done, and so it is not said of it that it was corrected.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import apsw
from msgspec import structs

from archiver.records import Moderation
from archiver.search.hit import POSITION, SPOOL, Hit
from archiver.search.moderation import HeldRecord
from archiver.search.query import MODERATION, Query, exclude_expression, match_expression
from archiver.search.rank import register_rank
from archiver.search.statement import Order

_SCHEMA = """
CREATE TABLE said (
    key INTEGER PRIMARY KEY, record INTEGER NOT NULL, now INTEGER NOT NULL, ever INTEGER NOT NULL,
    text TEXT NOT NULL, note TEXT NOT NULL);
CREATE VIRTUAL TABLE said_fts USING fts4 (
    content="said", text, note, tokenize=unicode61 "remove_diacritics=2", order=desc);
"""
"""A record's words as it stands (`now`) and all it ever had (`ever`), in one row where they are the same."""
_MATCHING = {
    True: "SELECT s.record, s.now, s.ever, rank(matchinfo(f.said_fts, 'pcnalx'))"
    " FROM said_fts AS f CROSS JOIN said AS s ON s.key = f.docid WHERE f.said_fts MATCH ?",
    False: "SELECT s.record, s.now, s.ever, 0.0"
    " FROM said_fts AS f CROSS JOIN said AS s ON s.key = f.docid WHERE f.said_fts MATCH ?",
}
"""By whether they are to be ranked."""
_ALL = "SELECT record, now, ever, 0.0 FROM said"
_APART = "\n\ue000\n"
"""Between two texts of one column: for the index a word, so that no phrase spans them."""


_CORRECTED = ("author_id", "author_handle", "reason_codes", "action", "action_by", "authorised_by",
              "appeal_decided_by")  # fmt: skip
"""Fields that filters ask for and a correction may put right."""


class _Match(NamedTuple):
    held: HeldRecord
    stands: bool
    """It matches without what was corrected since."""
    score: float = 0.0


def find_moderation(records: Sequence[HeldRecord], query: Query, order: Order, fetch: int) -> list[Hit]:
    """The records that match, in the order asked for, at most `fetch`."""
    if not query.wants(MODERATION):
        return []
    found = list(_filtered(records, query))
    if query.has_words:
        found = _with_words(found, query, ranked=order == "relevance")
    return sorted((_hit(one) for one in found), key=POSITION[order])[:fetch]


def _hit(match: _Match) -> Hit:
    now = match.held.record.now
    entries = len(match.held.record.entries)
    return Hit(
        platform=now.platform,
        id=now.record_id,
        kind=MODERATION,
        account=now.account,
        author_id=now.author_id,
        author=now.author_handle,
        posted_ms=now.entered_ms,
        text=now.text or "",
        alt_text=None,
        archive=match.held.archive or SPOOL,
        version=entries,
        record_id=now.record_id,
        score=match.score,
        versions=entries,
        superseded=not match.stands,
        moderation=match.held.record,
        in_spool=match.held.in_spool,
    )


# Filters

_Values = Callable[[Moderation], Iterable[str | None]]


class _Filter(NamedTuple):
    """One name's filter: what must be among an entry's values, and what must not."""

    wanted: frozenset[str]
    excluded: frozenset[str]
    values: _Values

    def passes(self, entries: Sequence[Moderation], standing: Sequence[Moderation]) -> bool:
        """Of a record's entries, and of those by whose values it can be excluded."""
        return not self._are_among(standing, self.excluded) and self.stands(entries)

    def stands(self, entries: Sequence[Moderation]) -> bool:
        """Whether they have what is wanted."""
        return not self.wanted or self._are_among(entries, self.wanted)

    def _are_among(self, entries: Sequence[Moderation], some: frozenset[str]) -> bool:
        return bool(some) and any(
            value and folded(value) in some for entry in entries for value in self.values(entry)
        )


def folded(text: str) -> str:
    """A name or code as it is compared: whatever its case, and however its accents are written."""
    return unicodedata.normalize("NFC", text).casefold()


def _filtered(records: Sequence[HeldRecord], query: Query) -> Iterable[_Match]:
    filters = _filters(records, query)
    people = _filter(query.by, query.not_by, _people)
    for held in records:
        record = held.record
        if query.since_ms is not None and record.now.entered_ms < query.since_ms:
            continue
        if query.until_ms is not None and record.now.entered_ms >= query.until_ms:
            continue
        standing = (record.now,)
        if not all(one.passes(record.entries, standing) for one in filters):
            continue
        if not people.passes(record.entries, record.entries):  # nobody's part in it is put right by others
            continue
        views = _uncorrected(record.entries)
        yield _Match(held, all(one.stands(views) for one in (*filters, people)))


def _uncorrected(entries: Sequence[Moderation]) -> list[Moderation]:
    """The entries, the last one first, without what a later correction says instead."""
    views: list[Moderation] = []
    corrected: dict[str, object] = {}
    for entry in reversed(entries):
        views.append(structs.replace(entry, **corrected) if corrected else entry)
        if entry.entry == "correction":
            said = [name for name in _CORRECTED if getattr(entry, name) or name in entry.cleared]
            corrected |= {name: () if name == "reason_codes" else None for name in said}
    return views


def _filters(records: Sequence[HeldRecord], query: Query) -> list[_Filter]:
    """Those of the query, but for people. An account is found by every handle that any record has of it."""
    filters = [
        _filter(query.authors, query.not_authors, lambda one: (one.author_id, one.author_handle)),
        _filter(query.reasons, query.not_reasons, lambda one: one.reason_codes),
        _filter(query.actions, query.not_actions, lambda one: (one.action,)),
    ]
    if query.accounts or query.not_accounts:
        names: dict[tuple[str, str], set[str | None]] = {}
        for entry in (entry for held in records for entry in held.record.entries):
            known = names.setdefault((entry.platform, entry.account), {entry.account})
            known.add(entry.account_handle)
        filters.append(
            _filter(query.accounts, query.not_accounts, lambda one: names[one.platform, one.account])
        )
    return [one for one in filters if one.wanted or one.excluded]


def _filter(wanted: Iterable[str], excluded: Iterable[str], values: _Values) -> _Filter:
    return _Filter(frozenset(map(folded, wanted)), frozenset(map(folded, excluded)), values)


def _people(entry: Moderation) -> tuple[str | None, ...]:
    return entry.entered_by, entry.action_by, entry.authorised_by, entry.appeal_decided_by


# Words


def _with_words(found: Sequence[_Match], query: Query, *, ranked: bool) -> list[_Match]:
    """Those of the records whose words match, by an index of nothing but these."""
    connection = apsw.Connection(":memory:")
    try:
        rows = _matching_rows(connection, found, query, ranked=ranked)
        excluded = _excluded(connection, query)
    finally:
        connection.close()
    standing = {record for record, now, _, _ in rows if now}
    return [
        _Match(match.held, match.stands and record in standing, score)
        for record, _, ever, score in rows
        if ever and record not in excluded and (match := found[record])
    ]


def _matching_rows(
    connection: apsw.Connection, found: Sequence[_Match], query: Query, *, ranked: bool
) -> list[Any]:
    """(number of the record, its words are those as it stands, all it ever had, score), a row for each match
    of the words that must be there. The connection is an empty database's."""
    connection.execute("PRAGMA temp_store=MEMORY")  # nothing readable on a disk
    register_rank(connection)
    connection.execute(_SCHEMA)
    with connection:
        connection.executemany(
            "INSERT INTO said (record, now, ever, text, note) VALUES (?,?,?,?,?)",
            (row for number, match in enumerate(found) for row in _rows(number, match.held)),
        )
        connection.execute("INSERT INTO said_fts (said_fts) VALUES ('rebuild')")
    expression = match_expression(query._replace(excluded=()))
    if expression is None:
        return connection.execute(_ALL).fetchall()
    return connection.execute(_MATCHING[ranked], (expression,)).fetchall()


def _excluded(connection: apsw.Connection, query: Query) -> set[int]:
    """Records that have an excluded word as they stand."""
    if not query.excluded:
        return set()
    rows: Iterable[Any] = connection.execute(_MATCHING[False], (exclude_expression(query),))
    return {record for record, now, _, _ in rows if now}


def _rows(number: int, held: HeldRecord) -> list[tuple[int, int, int, str, str]]:
    """What a record says as it stands, and what it ever said. Why an entry was made is a note as well."""
    entries, now = held.record.entries, held.record.now
    whys = [one.entry_note for one in entries]
    standing = (_joined([now.text]), _joined([now.reason_text, *whys]))
    ever = (
        _joined([one.text for one in entries]),
        _joined([*(one.reason_text for one in entries), *whys]),
    )
    if standing == ever:
        return [(number, 1, 1, *standing)]
    return [(number, 1, 0, *standing), (number, 0, 1, *ever)]


def _joined(texts: Iterable[str | None]) -> str:
    """Each text once, the newest first."""
    return _APART.join(reversed(dict.fromkeys(text for text in texts if text)))
