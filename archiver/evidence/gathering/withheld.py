"""What of the bytes that a pack takes is of a record that is kept and not shown.

A record that answers, quotes or names such a one is shown, and its own bytes name it. Bytes are the other
record's where they hold it: an object with its id that says more than that it is meant. Of accounts and the
like, whose ids stand in much that is not about them, only what an answer lists counts.
"""

import re
from typing import Final, Self

from archiver.cutting.json_tree import Node, NotJsonError, parse_tree, walk
from archiver.evidence.gathering.answers import AnswerReader
from archiver.evidence.model import NOT_SHOWN
from archiver.search.run import Searcher

NOT_WHOLE: Final = (
    "this answer also holds a record that is kept and not shown, so neither the whole of it is in this pack,"
    " nor its hash, which would confirm a guess"
)
_IDS: Final = ("id", "id_str", "rest_id")
"""Under one of these an object says which record it is."""
_ABOUT: Final = (*_IDS, "resource_id")
"""And under this one, which it is about: that X says it is gone."""
_NAMES_ONLY: Final = frozenset((*_IDS, "type"))
"""An object with nothing else says which record is meant, and nothing of it."""


class Withheld:
    """What is restricted, as bytes may hold it. Raise as `Searcher.search`."""

    def __init__(self, searcher: Searcher) -> None:
        searcher.segments.know_restricted()
        self._answers = AnswerReader(searcher)
        self._written = searcher.restricted.written_ids
        self._listed = searcher.restricted.listed_ids
        self._ids = [one.encode() for one in self._written | self._listed]
        self._named = _pattern(self._written)

    @classmethod
    def of(cls, searcher: Searcher) -> Self | None:
        """None where nothing is restricted, or it was asked for."""
        return cls(searcher) if searcher.restricted else None

    def is_in_answer(self, segment: str, part: int) -> bool:
        """Whether an answer of a platform's interface holds any, by the segment (its name in the vault) and
        the part that hold the answer."""
        return self.is_in(self._answers.read(segment, part))

    def is_in(self, body: bytes) -> bool:
        """Whether a whole answer holds any; of one that is no JSON, whether it names one."""
        if not self._may_be_in(body):
            return False
        try:
            tree = parse_tree(body)
        except NotJsonError:
            return True
        if any(self._is_copy(node, _ABOUT) for node in walk(tree)):
            return True
        data = [part for part in tree.parts if part.name == "data"]
        listed = [*data, *(one for part in data for one in part.parts)]
        return any(node.field(name) in self._listed for node in listed for name in _IDS)

    def is_copy(self, raw: bytes) -> bool:
        """Whether bytes that a record stands on are those of one that is not shown, as the post it quotes."""
        if not self._may_be_in(raw):
            return False
        try:
            return self._is_copy(parse_tree(raw), _IDS)
        except NotJsonError:
            return False

    def is_named_in(self, data: bytes) -> bool:
        """Whether bytes name a post or message that is not shown."""
        return self._may_be_in(data) and self._named.search(data.decode("utf-8", "replace")) is not None

    def unnamed(self, text: str) -> str:
        """A text without the ids of posts and messages that are not shown, as that of a request."""
        return self._named.sub(NOT_SHOWN, text) if self._written else text

    def _may_be_in(self, body: bytes) -> bool:
        return any(one in body for one in self._ids)

    def _is_copy(self, node: Node, names: tuple[str, ...]) -> bool:
        return any(node.field(name) in self._written for name in names) and any(
            part.name not in _NAMES_ONLY for part in node.parts
        )


def _pattern(ids: frozenset[str]) -> re.Pattern[str]:
    if not ids:
        return re.compile(r"(?!)")
    return re.compile(rf"(?<![0-9A-Za-z])(?:{'|'.join(map(re.escape, sorted(ids)))})(?![0-9A-Za-z])")
