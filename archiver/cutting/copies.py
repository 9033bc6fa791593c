"""Copies of records that a document holds beside its own: as X sends a post along that another answers or
quotes."""

from collections.abc import Collection, Iterator
from typing import Final

from msgspec import Struct

from archiver.cutting.json_tree import Node, walk
from archiver.cutting.scrubbing import ID_FIELDS, Span

_VERSIONS: Final = ("edit_history_tweet_ids", "edit_history_post_ids")
_TEXTS: Final = ("text", "full_text", "alt_text")
_SHOWN: Final = "media_keys"
_PICTURE: Final = "media_key"


class Copies(Struct, frozen=True):
    """`spans` of objects that are one, or that name one as what they are about; what they say, escaped as it
    came, and what is said of their pictures; `pictures`: spans of those that nothing else shows."""

    spans: frozenset[Span]
    texts: frozenset[str]
    pictures: frozenset[Span]


def other_versions(tree: Node, ids: Collection[str]) -> set[str]:
    """Ids of posts that are another version of one of these: each version lists all."""
    found: set[str] = set()
    for part in walk(tree):
        if part.name in _VERSIONS:
            versions = {one.text for one in part.parts if one.text is not None}
            if not versions.isdisjoint(ids):
                found |= versions
    return found


def find_copies(tree: Node, ids: Collection[str]) -> Copies:
    """All copies of the records with these ids."""
    copies = [node for node in walk(tree) if any(node.field(name) in ids for name in ID_FIELDS)]
    spans = frozenset((one.start, one.end) for one in copies)
    parts = [part for one in copies for part in walk(one)]
    keys = set(_keys(parts))
    keys -= set(_keys(part for part in walk(tree) if not any(s <= part.start < e for s, e in spans)))
    pictures = [node for node in walk(tree) if keys and node.field(_PICTURE) in keys]
    texts = {
        part.text or "" for part in (*parts, *(part for one in pictures for part in one.parts))
        if part.name in _TEXTS and part.is_string
    }  # fmt: skip
    return Copies(spans, frozenset(texts), frozenset((one.start, one.end) for one in pictures))


def _keys(parts: "Collection[Node] | Iterator[Node]") -> Iterator[str]:
    for part in parts:
        if part.name == _SHOWN:
            yield from (one.text for one in part.parts if one.text is not None)
