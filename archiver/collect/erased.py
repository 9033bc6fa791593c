"""Records that were erased do not come back: not with the next export, which repeats everything, nor with an
answer of an interface, of which otherwise every byte is kept, nor as a copy in what stands around another.

The state knows them by keyed hashes alone (`archiver.state`). Where nothing was erased this costs nothing;
else an answer costs a hash for each number in it, and is read as JSON only where one is known."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache, cached_property
from typing import Final, NamedTuple

from msgspec import structs

from archiver.cutting.copies import Copies, find_copies, other_versions
from archiver.cutting.edits import Edit, Edits
from archiver.cutting.json_tree import Node, NotJsonError, parse_tree
from archiver.cutting.needles import Needles
from archiver.cutting.scrubbing import Scrubber, Span
from archiver.errors import ArchiverError, SourceError
from archiver.records import Post
from archiver.sources.base import Capture, Item, Problem
from archiver.sources.parsers import parse_record
from archiver.sources.x.lenient import clean_text
from archiver.spool import Spool
from archiver.state import KeyedHash, State, erased_content

CUT = {"erased": "something was cut out"}
"""In the context of a capture that is not kept as it came: what was erased before was cut out of it."""
NOTHING: Final = Needles((), ())
_NUMBER: Final = re.compile(rb"(?<![0-9A-Za-z])[0-9]{1,64}(?![0-9A-Za-z])")
"""What may be an id, in an answer's bytes: X writes digits as digits."""
_REPOST: Final = b"RT @"
_OF_A_POST: Final = ("like", "mention")
"""Kinds and series whose records go by the id of a post."""
_Knows = Callable[[str, str], bool]
"""Whether a record of this kind and id was erased."""


class Left(NamedTuple):
    """What of an answer may be kept. `needles`: what was found in it and must be in nothing that is said
    of it."""

    capture: Capture
    body: bytes | None
    items: list[Item]
    needles: Needles = NOTHING

    def reworded(self, problems: Iterable[Problem]) -> list[Problem]:
        """Problems of the answer without what was erased."""
        words = self.needles.taken_out
        return [structs.replace(one, what=words(one.what), detail=words(one.detail)) for one in problems]


class ErasedFilter:
    """Tells which items are of records that were erased, or repeat one."""

    def __init__(self, spool: Spool, state: State, platform: str) -> None:
        self._spool = spool
        self._state = state
        self._platform = platform

    @cached_property
    def _hashes(self) -> frozenset[bytes]:
        return self._state.erased()

    @cached_property
    def _key(self) -> KeyedHash:
        return KeyedHash.of(self._spool.identity)

    def left(self, items: Sequence[Item], capture: Capture) -> list[Item]:
        """Those of a capture's items that may be kept. A repost counts as what it repeats where its own bytes
        say which post that is."""
        if not self._hashes:
            return list(items)
        return _left(items, capture, self._asked_once())

    def cut(self, capture: Capture, body: bytes | None, items: Sequence[Item]) -> Left:
        """An answer without them: its capture says so, and the others' places are those in what is left.

        What makes a version of an item stays as X sent it, so that the same answer is unchanged the next
        time. Raise SourceError for an answer that has one and that nothing can be cut out of."""
        if not self._hashes:
            return Left(capture, body, list(items))
        knows = self._asked_once()
        numbers = {*_NUMBER.findall(capture.request.encode()), *_NUMBER.findall(body or b"")}
        ids = {
            one for one in map(bytes.decode, numbers) if knows("post", one) or knows("message", one)
        }  # fmt: skip
        if body is None or not (ids or any(_is_erased(one, knows) for one in items)):
            return Left(_reworded(capture, ids), body, _left(items, capture, knows), Needles(ids, ()))
        tree = _tree_of(capture, body)
        ids |= other_versions(tree, ids)
        left = _left(items, capture, lambda kind, own: knows(kind, own) or (kind == "post" and own in ids))
        gone = _others(items, left)
        ids |= {one.id for one in gone if one.kind in ("post", "message")}
        copies = find_copies(tree, ids)
        needles = _needles(ids, copies, gone, left)
        edits = Edits(_edits(body, copies, needles, gone, left))
        new = edits.apply(body)
        marked = _reworded(capture, ids)
        if edits:
            marked = structs.replace(marked, context={**marked.context, **CUT})
        return Left(marked, new, [_moved(one, edits, new) for one in left], needles)

    def _asked_once(self) -> _Knows:
        """For one answer: each record is hashed once."""

        @cache
        def knows(kind: str, own: str) -> bool:
            return self._key(erased_content(self._platform, kind, own)) in self._hashes

        return knows


def _left(items: Sequence[Item], capture: Capture, knows: _Knows) -> list[Item]:
    return [one for one in items if not _is_erased(one, knows) and not _repeats(one, capture, knows)]


def _is_erased(item: Item, knows: _Knows) -> bool:
    return any(knows(kind, own) for kind, own in _names(item))


def _names(item: Item) -> Iterator[tuple[str, str]]:
    """The records that an item is of or repeats, as `archiver erase` names them."""
    kind, own = item.kind, item.id
    if kind == "gone":
        kind, colon, own = own.partition(":")
        if not colon:
            kind, own = "post", item.id
    yield kind, own
    if kind == "account":  # the account's id, then which of its facts
        yield kind, own.partition(":")[0]
    elif kind in _OF_A_POST:
        yield "post", own
    if item.record_id:
        yield kind, item.record_id


def _others(items: Sequence[Item], some: Sequence[Item]) -> list[Item]:
    """Those that are not among some of them."""
    known = {id(one) for one in some}
    return [one for one in items if id(one) not in known]


def _repeats(item: Item, capture: Capture, knows: _Knows) -> bool:
    """Whether an item is a repost of one that was erased."""
    if item.kind != "post" or not item.slices or _REPOST not in item.slices[0][1]:
        return False
    try:
        record = parse_record(capture, item.kind, [data for _, data in item.slices])
    except ArchiverError:
        return False
    return isinstance(record, Post) and record.repost_of_id is not None and knows("post", record.repost_of_id)


def _tree_of(capture: Capture, body: bytes) -> Node:
    try:
        return parse_tree(body)
    except NotJsonError as error:
        path = capture.request.partition("?")[0]
        raise SourceError(f"{path}: the answer has what was erased, and cannot be cut as JSON") from error


def _reworded(capture: Capture, ids: Collection[str]) -> Capture:
    """Without ids that X was asked for."""
    return structs.replace(capture, request=Needles(ids, ()).taken_out(capture.request)) if ids else capture


def _needles(ids: Collection[str], copies: Copies, gone: Sequence[Item], left: Sequence[Item]) -> Needles:
    """What to cut out wherever it stands: but for words that one which stays says itself, as others did."""
    texts = [*map(clean_text, copies.texts), *(one.words.decode("utf-8", "replace") for one in gone)]
    return Needles(ids, texts).without_texts(one.words.decode("utf-8", "replace") for one in left)


def _edits(
    body: bytes, copies: Copies, needles: Needles, gone: Sequence[Item], left: Sequence[Item]
) -> list[Edit]:
    """Kept are the items' own bytes, and what they were read with unless that is itself a copy."""
    kept = [span for one in left for span in _spans(one)[:1]]
    kept += [span for one in left for span in _spans(one)[1:] if span not in copies.spans]
    doomed = {
        span
        for span in (*copies.pictures, *(span for one in gone for span in _spans(one)))
        if not any(span[0] < end and start < span[1] for start, end in kept)
    }
    edits = Scrubber(doomed, kept, needles).edits(body)
    return edits + [
        Edit(*span) for span in doomed if not any(e.start <= span[0] and span[1] <= e.end for e in edits)
    ]


def _spans(item: Item) -> list[Span]:
    return [(start, start + length) for start, length in item.places]


def _moved(item: Item, edits: Edits, body: bytes) -> Item:
    """A record of the answer at its places there now; what it quoted of one that was erased is not its any
    more."""
    places, slices = [], []
    for (start, length), (capture, _) in zip(item.places, item.slices, strict=False):
        place = edits.place(start, start + length)
        if place is not None:
            places.append(place)
            slices.append((capture, body[place[0] : sum(place)]))
    return structs.replace(item, places=tuple(places), slices=tuple(slices))
