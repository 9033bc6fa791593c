"""Records that were erased do not come back: not with the next export, which repeats everything, nor with an
answer of an interface, of which otherwise every byte is kept.

The state knows them by keyed hashes alone (`archiver.state`). Where nothing was erased this costs nothing."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from msgspec import structs

from archiver.cutting.edits import Edit, Edits
from archiver.cutting.needles import Needles
from archiver.cutting.scrubbing import Scrubber, Span
from archiver.sources.base import Capture, Item
from archiver.spool import Spool
from archiver.state import KeyedHash, State, erased_content

CUT = {"erased": "something was cut out"}
"""In the context of a capture that is not kept as it came: what was erased before was cut out of it."""


class ErasedFilter:
    """Tells which items are of records that were erased."""

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

    def left(self, items: Sequence[Item]) -> list[Item]:
        """Those that may be kept."""
        return [one for one in items if not self._is_erased(one)] if self._hashes else list(items)

    def cut(
        self, capture: Capture, body: bytes | None, items: Sequence[Item]
    ) -> tuple[Capture, bytes | None, list[Item]]:
        """An answer without them: its capture says so, and the others' places are those in what is left."""
        left = self.left(items)
        if body is None or len(left) == len(items):
            return capture, body, left
        gone = [one for one in items if self._is_erased(one)]
        edits = Edits(_edits(body, gone, left))
        new = edits.apply(body)
        marked = structs.replace(capture, context={**capture.context, **CUT})
        return marked, new, [_moved(one, edits, new) for one in left]

    def _is_erased(self, item: Item) -> bool:
        return any(
            self._key(erased_content(self._platform, kind, own)) in self._hashes for kind, own in _names(item)
        )


def _names(item: Item) -> Iterable[tuple[str, str]]:
    if item.kind == "gone":
        kind, colon, own = item.id.partition(":")
        return [(kind, own) if colon else ("post", item.id)]
    return [(item.kind, own) for own in (item.id, item.record_id) if own]


def _edits(body: bytes, gone: Sequence[Item], left: Sequence[Item]) -> list[Edit]:
    kept = [span for one in left for span in _spans(one)]
    doomed = {
        span
        for one in gone
        for span in _spans(one)
        if not any(span[0] < end and start < span[1] for start, end in kept)
    }
    ids = [one.id for one in gone if one.kind in ("post", "message")]
    texts = [one.words.decode("utf-8", "replace") for one in gone]
    edits = Scrubber(doomed, kept, Needles(ids, texts)).edits(body)
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
