"""What is to change in one segment: which rows go, how verbatim bytes are cut, which rows are made anew of
what is left, and where else the records are quoted."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import apsw
import msgspec
from msgspec import Struct

from archiver.cutting.edits import Edit, Edits
from archiver.cutting.json_tree import NotJsonError, parse_tree
from archiver.cutting.needles import Needles
from archiver.cutting.scrubbing import Scrubber, Span
from archiver.reseal.rows import OWN_WORDS, Found, Owner, parts_of, places_in
from archiver.sources.moderation import decode_entry, encode_entry

Row = tuple[str, int]
"""Table and key."""
_ANY_OF: Final = "IN (SELECT value FROM json_each(?1))"
_REPOSTS: Final = f"SELECT key FROM post WHERE repost_of_id {_ANY_OF}"  # noqa: S608  # constants, here and below
_GONE: Final = f"SELECT key FROM gone WHERE platform_id {_ANY_OF}"  # noqa: S608
_LIKES: Final = f"SELECT key FROM relation WHERE kind = 'like' AND platform_id {_ANY_OF}"  # noqa: S608
_UNTIL_CUT: Final = 20
"""Characters of a repost's beginning that tell what it repeats, where X cut the rest."""
_LOST: Final = (
    "item_id", "item_url", "author_id", "author_handle", "author_name", "posted_ms", "text", "language",
    "imported", "unseen", "entry_note", "reason_text", "outcome", "notified_how", "not_notified",
)  # fmt: skip
"""What an entry of the moderation register about an erased item loses: who said what, and what somebody wrote
about that in their own words, which may name the person. Codes, times and who decided stay."""


class Quote(Struct, frozen=True):
    """Another record that holds an id or words of one that is to go."""

    table: str
    id: str

    def __str__(self) -> str:
        return f"{self.table} {self.id}"


class Reduction(Struct):
    """`edits` by part; `redone`: rows that stay and are derived anew; `quotes`: records that hold something,
    which is cut as well where that was asked for. `captures`: those whose bytes were reduced."""

    found: Found
    edits: dict[int, Edits]
    redone: set[Row]
    quotes: list[Quote]
    captures: set[int]

    def keeps(self, row: Row) -> bool:
        """Whether a row stays."""
        return row[1] not in self.found.keys.get(row[0], ())


def quoting_rows(connection: apsw.Connection, found: Found, needles: Needles) -> dict[str, set[int]]:
    """Records that are nothing but a repetition of one that is to go: reposts, likes of it, notes that it is
    gone."""
    ids = json.dumps(sorted(needles.ids))
    rows: dict[str, set[int]] = {
        "post": _keys(connection, _REPOSTS, ids),
        "relation": _keys(connection, _LIKES, ids),
        "gone": _keys(connection, _GONE, ids),
    }
    for handle in found.handles:
        begin = f"RT @{handle}: "
        sql = "SELECT key, text FROM post WHERE kind = 'repost' AND substr(text, 1, ?) = ?"
        for key, text in connection.execute(sql, (len(begin), begin)):
            if repeats_words(text[len(begin) :], needles):
                rows["post"].add(key)
    return {table: keys - found.keys[table] for table, keys in rows.items()}


def repeats_words(text: str, needles: Needles) -> bool:
    """Whether a repost's text, without who is reposted, is one of the texts or the beginning of one."""
    said = text.rstrip("…").strip()
    return len(said) >= _UNTIL_CUT and any(one.startswith(said) for one in needles.texts)


def _keys(connection: apsw.Connection, sql: str, values: str) -> set[int]:
    return {int(key) for (key,) in connection.execute(sql, (values,))}


class Reducer:
    """Makes the reduction of one segment. `everywhere`: what quotes a record loses that too; `entries`:
    entries of the moderation register about one lose who said what."""

    def __init__(
        self, connection: apsw.Connection, found: Found, needles: Needles, *, everywhere: bool, entries: bool
    ) -> None:
        self._connection = connection
        self._needles = needles
        self._everywhere = everywhere
        self._entries = entries
        self._result = Reduction(found, {}, set(), [], set())
        self._quotes: dict[Quote, None] = {}
        self._own_words: dict[Row, Needles] = {}

    def run(self) -> Reduction:
        """Look through all verbatim bytes. Raise ArchiverError subclasses for what cannot be read."""
        found, result = self._result.found, self._result
        self._quoting()
        certain = parts_of(self._connection, found.keys)
        if self._entries:
            certain |= parts_of(self._connection, {"moderation": found.about})
        for part, capture, body in self._connection.execute(
            "SELECT id, capture, body FROM capture_part ORDER BY id"
        ):
            if part in certain or self._needles.may_be_in(body):
                edits = Edits(self._edits_of(part, body))
                if edits:
                    result.edits[part] = edits
                    result.captures.add(capture)
        self._find_redone()
        result.quotes = list(self._quotes)
        return result

    def _quoting(self) -> None:
        for table, keys in quoting_rows(self._connection, self._result.found, self._needles).items():
            if self._everywhere:
                self._result.found.keys[table] |= keys
            else:
                for key in sorted(keys):
                    self._note(table, key)

    def _note(self, table: str, key: int) -> None:
        self._quotes[Quote(table, self._id_of(table, key))] = None

    def _id_of(self, table: str, key: int) -> str:
        column = "record_id" if table == "moderation" else "platform_id"
        sql = f"SELECT {column} FROM {table} WHERE key = ?"  # noqa: S608  # constants
        rows: list[Any] = self._connection.execute(sql, (key,)).fetchall()
        return str(rows[0][0]) if rows else str(key)

    def _edits_of(self, part: int, body: bytes) -> Iterator[Edit]:
        owners = places_in(self._connection, [part]).get(part, [])
        kept = [one for one in owners if self._result.keeps((one.table, one.key))]
        doomed = [one for one in owners if not self._result.keeps((one.table, one.key))]
        spans = {_span(one) for one in doomed if not any(_overlap(one, other) for other in kept)}
        if _is_document(body, owners):
            yield from self._document_edits(body, spans, kept)
            return
        for start, end in spans:
            yield line_edit(body, start, end)
        for owner in kept:
            yield from self._kept_edits(body, owner, kept)
        for start, end in _between(len(body), [_span(one) for one in owners]):
            yield from self._loose_edits(body, start, end)

    def _document_edits(self, body: bytes, spans: set[Span], kept: Sequence[Owner]) -> Iterator[Edit]:
        """Of an answer that is kept whole: cut as JSON. What stands within a record that stays is another's,
        and counts as a quote of it."""
        edits = Scrubber(spans, [_span(one) for one in kept], self._needles).edits(body)
        edits += [Edit(*span) for span in spans if not any(_covers(one, span) for one in edits)]
        for edit in edits:
            holders = [one for one in kept if one.place.offset < edit.end and edit.start < _span(one)[1]]
            holders = [one for one in holders if not self._says_the_same(one, body, edit)]
            for owner in holders:
                self._note(owner.table, owner.key)
            inside = [one for one in kept if one.place.offset < edit.end and edit.start < _span(one)[1]]
            if not inside or (self._everywhere and holders):
                yield edit

    def _says_the_same(self, owner: Owner, body: bytes, edit: Edit) -> bool:
        """Whether a place in a record is only the words that it says itself, as others did."""
        if not edit.new or self._needles.id_in(body[edit.start : edit.end].decode("utf-8", "replace")):
            return False
        return not self._needles_for(owner).in_bytes(body[edit.start : edit.end])

    def _kept_edits(self, body: bytes, owner: Owner, kept: Sequence[Owner]) -> Iterator[Edit]:
        start, end = _span(owner)
        data = body[start:end]
        if owner.table == "moderation" and self._entries and owner.key in self._result.found.about:
            entry = reduced_entry(data)
            yield Edit(start, end, Edits(Scrubber((), (), self._needles).edits(entry)).apply(entry))
            return
        inner = [_span(one) for one in kept if one is not owner and _span(one) != (start, end)]
        edits = Scrubber((), inner, self._needles_for(owner)).edits(data, start)
        edits = [edit for edit in edits if (edit.start, edit.end) != (start, end) or edit.new]
        if edits:
            self._note(owner.table, owner.key)
            if self._everywhere:
                yield from edits

    def _loose_edits(self, body: bytes, start: int, end: int) -> Iterator[Edit]:
        """Of bytes that no row names: what was not understood, a line each."""
        at = start
        for line in body[start:end].split(b"\n"):
            if line and self._needles.may_be_in(line):
                yield from Scrubber((), (), self._needles).edits(line, at)
            at += len(line) + 1

    def _needles_for(self, owner: Owner) -> Needles:
        """What to look for in a record's bytes: not the words that it says itself, as others did."""
        if owner.table not in OWN_WORDS:
            return self._needles
        row = owner.table, owner.key
        if row not in self._own_words:
            columns = ", ".join(OWN_WORDS[owner.table])
            sql = f"SELECT {columns} FROM {owner.table} WHERE key = ?"  # noqa: S608  # constants
            texts = [one for row in self._connection.execute(sql, (owner.key,)) for one in row if one]
            same = {str(one).strip() for one in texts} & self._needles.texts
            self._own_words[row] = self._needles.without_texts(same) if same else self._needles
        return self._own_words[row]

    def _find_redone(self) -> None:
        result = self._result
        for part, owners in places_in(self._connection, result.edits).items():
            edits = result.edits[part]
            for owner in owners:
                row = owner.table, owner.key
                if result.keeps(row) and edits.touch(*_span(owner)):
                    result.redone.add(row)


def reduced_entry(data: bytes) -> bytes:
    """An entry of the moderation register without who said what."""
    entry = decode_entry(data)
    lost: dict[str, Any] = dict.fromkeys(_LOST)
    return encode_entry(
        msgspec.structs.replace(entry, **lost, attachments=(), context_sha256=(), context_missing=())
    )


def _span(owner: Owner) -> Span:
    return owner.place.offset, owner.place.offset + owner.place.length


def _overlap(one: Owner, other: Owner) -> bool:
    (start, end), (other_start, other_end) = _span(one), _span(other)
    return start < other_end and other_start < end


def _covers(edit: Edit, span: Span) -> bool:
    return edit.start <= span[0] and span[1] <= edit.end


def _is_document(body: bytes, owners: Sequence[Owner]) -> bool:
    """Whether a part is an answer that is kept whole, and not records one after the other."""
    if any(_span(one) == (0, len(body)) for one in owners):
        return False
    try:
        parse_tree(body)
    except NotJsonError:
        return False
    return True


def line_edit(body: bytes, start: int, end: int) -> Edit:
    """Cut a record with the line feed that parts it from the next, or from the one before."""
    if body[end : end + 1] == b"\n":
        return Edit(start, end + 1)
    if start and body[start - 1 : start] == b"\n":
        return Edit(start - 1, end)
    return Edit(start, end)


def _between(size: int, spans: Iterable[Span]) -> Iterator[Span]:
    """What no span covers."""
    at = 0
    for start, end in sorted(spans):
        if start > at:
            yield at, start
        at = max(at, end)
    if at < size:
        yield at, size
