"""What to change in verbatim bytes so that nothing of the records that are to go stands in them."""

import json
from collections.abc import Collection, Iterator
from typing import Final

from archiver.cutting.edits import Edit
from archiver.cutting.json_tree import Node, NotJsonError, cut_parts, parse_tree
from archiver.cutting.needles import ERASED, Needles

ID_FIELDS: Final = ("id", "id_str", "rest_id", "tweetId", "tweet_id", "resource_id")
"""Under one of these an object says which record it is a copy of, or is about."""
Span = tuple[int, int]


class Scrubber:
    """Looks through one body. `doomed`: spans that are cut whole; `kept`: spans of records that stay, within
    which nothing is cut that holds one of them whole."""

    def __init__(self, doomed: Collection[Span], kept: Collection[Span], needles: Needles) -> None:
        self._doomed = frozenset(doomed)
        self._kept = kept
        self._needles = needles
        self._base = 0

    def edits(self, data: bytes, base: int = 0) -> list[Edit]:
        """Of bytes that begin at `base` in their body. Whatever is no JSON loses the words alone."""
        self._base = base
        if not self._doomed and not self._needles.may_be_in(data):
            return []
        try:
            tree = parse_tree(data)
        except NotJsonError:
            return list(_plain_edits(data, base, self._needles)) if self._needles.in_bytes(data) else []
        if self._is_cut(tree):
            return [Edit(base, base + len(data))]
        return [Edit(edit.start + base, edit.end + base, edit.new) for edit in self._within(tree)]

    def _within(self, tree: Node) -> Iterator[Edit]:
        waiting = [tree]
        if tree.is_string and tree.text is not None:
            yield from self._reworded(tree)
        while waiting:
            node = waiting.pop()
            cut = [number for number, part in enumerate(node.parts) if self._is_cut(part)]
            yield from cut_parts(node, cut)
            gone = set(cut)
            for number, part in enumerate(node.parts):
                if number in gone:
                    continue
                if part.text is None:
                    waiting.append(part)
                elif part.is_string:
                    yield from self._reworded(part)

    def _is_cut(self, node: Node) -> bool:
        span = node.start + self._base, node.end + self._base
        if span in self._doomed:
            return True
        if node.text is not None:
            return self._needles.is_id(node.text) or self._needles.is_id(node.name)
        if self._needles.is_id(node.name) or any(self._needles.is_id(node.field(one)) for one in ID_FIELDS):
            return not any(span[0] <= start and end <= span[1] for start, end in self._kept)
        return False

    def _reworded(self, node: Node) -> Iterator[Edit]:
        text = node.text or ""
        if self._needles.within(text):
            yield Edit(node.start + 1, node.end - 1, _escaped(self._needles.taken_out(text)))


def _escaped(text: str) -> bytes:
    """The text as it stands between the quotes of a JSON string: as ASCII, which every reader takes."""
    return json.dumps(text)[1:-1].encode()


def _plain_edits(data: bytes, base: int, needles: Needles) -> Iterator[Edit]:
    """Of bytes that are no JSON, as a line of CSV."""
    text = data.decode("utf-8", "surrogateescape")
    new = needles.taken_out(text).encode("utf-8", "surrogateescape")
    for form in needles.raw_forms():
        new = new.replace(form, ERASED.encode())
    if new != data:
        yield Edit(base, base + len(data), new)
