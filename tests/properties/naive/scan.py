"""Every record held against the whole query, one after the other."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import product
from typing import NamedTuple
from zoneinfo import ZoneInfo

import Stemmer

from archiver.search.language.tree import And, Filter, Near, Node, Not, Or, Part, Words, leaves
from tests.properties.naive.fields import WRITTEN, Fields
from tests.properties.naive.records import Record, Version
from tests.properties.naive.words import cut, distance, fold

UK = ZoneInfo("Europe/London")


class Found(NamedTuple):
    """A record in its newest version that matches."""

    record: Record
    version: Version

    @property
    def name(self) -> tuple[str, str, str, str]:
        """As results are compared: platform, sort, account, the record's first id."""
        return self.record.platform, self.record.sort, self.record.account.id or "", self.record.key


@dataclass
class Readable:
    """A version's texts, cut and folded once."""

    version: Version
    record: Record

    @cached_property
    def words(self) -> list[tuple[str, ...]]:
        return [cut(text) for text in self.version.texts]

    @cached_property
    def known(self) -> frozenset[str]:
        return frozenset(word for words in self.words for word in words)

    @cached_property
    def folded(self) -> list[str]:
        return [fold(text) for text in self.version.texts]


class Scan:
    """All records of a vault. `language` is the stems'."""

    def __init__(self, records: Iterable[Record], language: str = "english") -> None:
        self.records = list(records)
        self.readable = [Readable(one, record) for record in self.records for one in record.versions]
        self._stem = Stemmer.Stemmer(language).stemWord
        self._fields = Fields(self.records)
        self._wanted: dict[Words, frozenset[str]] = {}

    @cached_property
    def forms(self) -> dict[str, frozenset[str]]:
        """The words of all texts by their stems."""
        found = defaultdict(set)
        for one in self.readable:
            for word in one.known:
                found[self._stem(word)].add(word)
        return {stem: frozenset(words) for stem, words in found.items()}

    def find(self, root: Node) -> list[Found]:
        """The records that match, in their newest matching version, the newest first."""
        kinds = _kinds(root)
        asked = {
            number for number, one in enumerate(self.readable) if kinds is None or one.version.kind in kinds
        }
        found: dict[int, Found] = {}
        for number in self._matching(root, asked):
            version, record = self.readable[number].version, self.readable[number].record
            other = found.get(id(record))
            if other is None or version.age > other.version.age:
                found[id(record)] = Found(record, version)
        return sorted(found.values(), key=lambda one: one.version.posted_ms, reverse=True)

    def _matching(self, node: Node, asked: set[int]) -> set[int]:
        """Those of some versions, named by their numbers, that a part of the query wants."""
        if isinstance(node, And):
            for part in node.parts:
                asked = self._matching(part, asked)
            return asked
        if isinstance(node, Or):
            return set().union(*(self._matching(part, asked) for part in node.parts))
        if isinstance(node, Not):
            return asked - self._matching(node.part, asked)
        holds = self._test(node)
        return {number for number in asked if holds(self.readable[number])}

    def _test(self, node: Words | Near | Part | Filter) -> Callable[[Readable], bool]:
        """Whether a version is what a leaf of the query wants."""
        if isinstance(node, Part):
            part = fold(node.text)
            return lambda one: any(part in text for text in one.folded)
        if isinstance(node, Near):
            return lambda one: any(self._are_near(node, words) for words in one.words)
        if isinstance(node, Filter):
            return lambda one: self._fields.passes(node, one.record, one.version)
        if len(node.tokens) == 1 and not node.prefix:
            wanted = self.wanted(node)
            return lambda one: not wanted.isdisjoint(one.known)
        known = node.tokens[0] if len(node.tokens) > 1 else None
        return lambda one: (
            (known is None or known in one.known) and any(self._places(node, words) for words in one.words)
        )

    def wanted(self, node: Words) -> frozenset[str]:
        """A single word, with all that is found in its place."""
        known = self._wanted.get(node)
        if known is None:
            (word,) = node.tokens
            known = frozenset((word,))
            if node.edits and len(word) > 2:  # questions ask for one change only
                some = (other for words in self.forms.values() for other in words)
                known |= {other for other in some if _may_be(word, other) and distance(word, other) <= 1}
            elif not node.exact and not node.edits:
                known |= self.forms.get(self._stem(word), frozenset())
            self._wanted[node] = known
        return known

    def _places(self, node: Words, words: Sequence[str]) -> list[tuple[int, int]]:
        """From where up to, not including, where it stands among the words of a text."""
        length = len(node.tokens)
        if length == 1 and not node.prefix:
            wanted = self.wanted(node)
            return [(at, at + 1) for at, word in enumerate(words) if word in wanted]
        *first, last = node.tokens
        return [
            (at, at + length)
            for at in range(len(words) - length + 1)
            if (words[at + length - 1].startswith(last) if node.prefix else words[at + length - 1] == last)
            and list(words[at : at + length - 1]) == first
        ]

    def _are_near(self, node: Near, words: Sequence[str]) -> bool:
        """Whether each part stands somewhere with at most `distance` words between it and the next."""
        before = self._places(node.parts[0], words)
        for part in node.parts[1:]:
            places = self._places(part, words)
            before = [
                there
                for here, there in product(before, places)
                if here[1] != there[1]
                and (there[0] - here[1] if there[1] > here[1] else here[0] - there[1]) <= node.distance
            ]
            before = list(dict.fromkeys(before))
        return bool(before)


def _may_be(word: str, other: str) -> bool:
    """Whether one change could make the other of a word: it leaves its first letter or its last."""
    return abs(len(word) - len(other)) <= 1 and (word[0] == other[0] or word[-1] == other[-1])


def _kinds(root: Node) -> frozenset[str] | None:
    """Kinds to search; None for all of them, as the query itself names some."""
    fields = {leaf.field for leaf in leaves(root) if isinstance(leaf, Filter)}
    if _names_kind(root):
        return None
    return frozenset() if fields & {"reason", "action", "by"} else frozenset(WRITTEN)


def _names_kind(node: Node) -> bool:
    """Whether it has a kind that is not excluded."""
    if isinstance(node, And | Or):
        return any(_names_kind(part) for part in node.parts)
    return isinstance(node, Filter) and node.field == "kind"


# Counting

_BY = ("month", "account", "author", "hashtag", "kind")


def count_by(found: Iterable[Found], by: str) -> dict[str, int]:
    """How many of the records found are of each month, account, author, hashtag or kind."""
    counts: dict[str, int] = defaultdict(int)
    for one in found:
        for group in set(_groups(one, by)):
            counts[group] += 1
    return dict(counts)


def _groups(one: Found, by: str) -> Iterable[str]:
    version = one.version
    if by == "month":
        return [datetime.fromtimestamp(version.posted_ms / 1000, UTC).astimezone(UK).strftime("%Y-%m")]
    if by == "account":
        return [one.record.account.id or ""]
    if by == "author":
        return [(version.author and (version.author.id or version.author.handle)) or ""]
    if by == "hashtag":
        return [fold(tag) for tag in version.tags]
    return [version.kind]
