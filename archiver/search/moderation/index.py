"""A query over moderation records: filters on what their entries say, words by an index made for the query.

There are few of these records, thousands a year at most, and what is said of one is spread over its entries,
which may lie in several archives. So they are composed first, and asked in memory.

A filter or a word matches a record if any of its entries ever said it: a reason that was corrected is still
found. With a `-` before it, it excludes a record of which it holds as the record stands: what was put right
since hides nothing. What was undone since was done, and so it is not said of it that it was corrected.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from msgspec import structs

from archiver.records import Moderation
from archiver.search.hit import POSITION, SPOOL, Hit
from archiver.search.language import Query
from archiver.search.language.fields import MODERATION
from archiver.search.language.tree import And, Filter, Near, Node, Not, Or, Part, Words
from archiver.search.moderation import HeldRecord
from archiver.search.moderation.words import WordIndex
from archiver.search.sql.functions import contains, has_url
from archiver.search.sql.statement import Order

_CORRECTED = ("author_id", "author_handle", "reason_codes", "action", "action_by", "authorised_by",
              "appeal_decided_by")  # fmt: skip
"""Fields that filters ask for and a correction may put right."""


class _Found(NamedTuple):
    """Numbers of records of which something holds: by anything that an entry `ever` said; `uncorrected`, by
    what was not corrected since; `standing`, as the record stands now, which is what a `-` goes by."""

    ever: frozenset[int]
    uncorrected: frozenset[int]
    standing: frozenset[int]


def find_moderation(
    records: Sequence[HeldRecord], query: Query, order: Order, *, language: str = "none"
) -> list[Hit]:
    """The records that match, in the order asked for. `language`: of the stemmer, for forms of words."""
    if not query.wants(MODERATION):
        return []
    with WordIndex(records, query, language) as index:
        found = _Evaluation(records, index).find(query.root)
        scores = index.scores(query.root) if order == "relevance" else {}
    hits = (
        _hit(records[number], scores.get(number, 0.0), superseded=number not in found.uncorrected)
        for number in found.ever
    )
    return sorted(hits, key=POSITION[order])


def _hit(held: HeldRecord, score: float, *, superseded: bool) -> Hit:
    now = held.record.now
    entries = len(held.record.entries)
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
        archive=held.archive or SPOOL,
        version=entries,
        record_id=now.record_id,
        score=score,
        versions=entries,
        superseded=superseded,
        moderation=held.record,
        in_spool=held.in_spool,
    )


class _Evaluation:
    """A query's tree, node by node, over all records."""

    def __init__(self, records: Sequence[HeldRecord], index: WordIndex) -> None:
        self._records = records
        self._index = index
        self._all = frozenset(range(len(records)))
        self._views: list[list[Moderation]] | None = None
        self._handles: dict[tuple[str, str], set[str]] | None = None

    def find(self, node: Node) -> _Found:
        if isinstance(node, And):
            return _Found(*map(_common, zip(*map(self.find, node.parts), strict=True)))
        if isinstance(node, Or):
            return _Found(*map(_together, zip(*map(self.find, node.parts), strict=True)))
        if isinstance(node, Not):
            rest = self._all - self.find(node.part).standing
            return _Found(rest, rest, rest)
        if isinstance(node, Words | Near):
            ever, now = self._index.find(node)
            return _Found(ever, now, now)
        if isinstance(node, Part):
            ever, now = self._index.find_where(lambda text: contains(node.text, text, None))
            return _Found(ever, now, now)
        return self._filtered(node)

    def _filtered(self, node: Filter) -> _Found:
        asked = _TIMES.get(node.field)
        if asked is not None:
            value = int(node.value)
            some = frozenset(n for n in self._all if asked(self._records[n].record.now.entered_ms, value))
            return _Found(some, some, some)
        test = self._test(node)
        if self._views is None:
            self._views = [_uncorrected(held.record.entries) for held in self._records]
        whole = node.field == "by"  # nobody's part in it is put right by others
        ever = frozenset(n for n in self._all if any(map(test, self._records[n].record.entries)))
        uncorrected = frozenset(n for n in ever if any(map(test, self._views[n])))
        standing = ever if whole else frozenset(n for n in self._all if test(self._records[n].record.now))
        return _Found(ever, uncorrected, standing)

    def _test(self, node: Filter) -> Callable[[Moderation], bool]:
        """Whether an entry says what a filter asks for."""
        if node.field == "url":
            return lambda entry: has_url(str(node.value), entry.item_url)
        wanted = {folded(str(one)) for one in (node.value, *node.also)}
        if node.field == "from":
            return lambda entry: _is_author(entry, folded(str(node.value)), wanted)
        values = _VALUES.get(node.field)
        if node.field == "account":
            values = self._names_of_account
        if values is None:
            return lambda entry: False
        return lambda entry: any(one is not None and folded(one) in wanted for one in values(entry))

    def _names_of_account(self, entry: Moderation) -> Iterable[str | None]:
        """An account is found by every handle that any record has of it."""
        if self._handles is None:
            self._handles = {}
            for one in (one for held in self._records for one in held.record.entries):
                known = self._handles.setdefault((one.platform, one.account), {one.account})
                if one.account_handle:
                    known.add(one.account_handle)
        return self._handles[entry.platform, entry.account]


def _is_author(entry: Moderation, asked: str, wanted: set[str]) -> bool:
    """Whether who wrote the item is known by what was asked for; by other handles only where an entry has no
    id: somebody else may have had them at another time."""
    handle = None if entry.author_handle is None else folded(entry.author_handle)
    if entry.author_id is None:
        return handle in wanted
    return folded(entry.author_id) in wanted or handle == asked


def _common(some: Iterable[frozenset[int]]) -> frozenset[int]:
    return frozenset.intersection(*some)


def _together(some: Iterable[frozenset[int]]) -> frozenset[int]:
    return frozenset.union(*some)


_TIMES: dict[str, Callable[[int, int], bool]] = {"since": int.__ge__, "until": int.__lt__}
_VALUES: dict[str, Callable[[Moderation], Iterable[str | None]]] = {
    "reason": lambda one: one.reason_codes,
    "action": lambda one: (one.action,),
    "by": lambda one: (one.entered_by, one.action_by, one.authorised_by, one.appeal_decided_by),
    "platform": lambda one: (one.platform,),
    "kind": lambda one: (MODERATION,),
    "id": lambda one: (one.record_id, one.id, one.item_id),
}
"""What entries say that filters ask for; nothing else of a query is ever said of them."""


def folded(text: str) -> str:
    """A name or code as it is compared: whatever its case, and however its accents are written."""
    return unicodedata.normalize("NFC", text).casefold()


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
