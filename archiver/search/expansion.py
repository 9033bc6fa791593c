"""What else is looked for in place of what was typed: other forms of a word, similar words, other names of
an account. By the catalogue for the segments that it covers; each other segment is asked itself.

What was looked for beside the words typed is told, so that an answer can be understood and repeated.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import Stemmer
from msgspec import structs

from archiver.search.catalogue import Catalogue, Names
from archiver.search.language import Query
from archiver.search.language.tree import And, Filter, Near, Node, Or, Words, replaced
from archiver.search.matching import check_near, nears
from archiver.search.segments import Segment, Segments

NAMED = ("from", "to", "mention", "account")
"""Fields that take an account's handle or id."""
_FORMS = (
    "SELECT term FROM term WHERE stem = coalesce((SELECT stem FROM term WHERE term = ?1), ?2)"
    " AND term <> ?1 ORDER BY term"
)
_ALL_WORDS = "SELECT term, records FROM term"


class Looked(NamedTuple):
    """What was looked for beside what was typed: by word its other forms or similar words; by name of an
    account its other handles and ids."""

    words: dict[str, tuple[str, ...]]
    names: dict[str, tuple[str, ...]]


class Expander:
    """Binds queries to segments. `language`: of the stemmer, for words that no vocabulary has; "none"
    leaves words as they are."""

    def __init__(self, catalogue: Catalogue, segments: Segments, language: str) -> None:
        self._catalogue = catalogue
        self._segments = segments
        self._stem: Callable[[str], str] = str if language == "none" else Stemmer.Stemmer(language).stemWord
        self._language = language
        self._covered: dict[Query, Node] = {}
        self._words: dict[str, set[str]] = {}
        self._names: dict[str, set[str]] = {}
        self._known_names: dict[str, Names] = {}

    def covers(self, segment: Segment) -> bool:
        """Whether the catalogue knows all words and names of a segment."""
        return self._catalogue.covers(segment.archive.name, segment.file)

    def bound(self, query: Query, segment: Segment) -> Node:
        """The query's tree with all that is looked for in a segment."""
        if not self.covers(segment):
            return self._bind(query, lambda words: self._in_segment(segment, words))
        root = self._covered.get(query)
        if root is None:
            root = self._covered[query] = self._bind(query, self._in_catalogue)
        return root

    def looked_for(self) -> Looked:
        """All that was so far."""
        return Looked(
            {word: tuple(sorted(some)) for word, some in sorted(self._words.items()) if some},
            {name: tuple(sorted(some)) for name, some in sorted(self._names.items()) if some},
        )

    def may_hold(self, query: Query) -> Callable[[Segment], bool]:
        """Which segments can hold hits, as far as the catalogue knows their words."""
        # The catalogue is asked here once and for all: threads that then ask segments find its answers.
        root = self._covered[query] = self._bind(query, self._in_catalogue)
        mask = self._mask(root)

        def holds(segment: Segment) -> bool:
            number = self._catalogue.number_of(segment.archive.name, segment.file)
            return mask is None or number is None or bool(mask >> number & 1)

        return holds

    def _bind(self, query: Query, others: Callable[[Words], Iterable[str]]) -> Node:
        def change(one: Words | Filter) -> Words | Filter:
            if isinstance(one, Filter):
                return self._with_names(one)
            if len(one.tokens) > 1 or one.prefix or ((query.exact or one.exact) and not one.edits):
                return one
            # In one order, whoever was asked: scores are added in it.
            also = tuple(sorted(set(others(one)) - {one.tokens[0]}))
            self._words.setdefault(one.tokens[0], set()).update(also)
            return structs.replace(one, also=also)

        root = replaced(query.root, change)
        for near in nears(root):
            check_near(near, query.text)
        return root

    def _with_names(self, one: Filter) -> Filter:
        if one.field not in NAMED:
            return one
        value = str(one.value)
        names = self._known_names.get(value)
        if names is None:
            names = self._known_names[value] = self._catalogue.known_as(value)
        also = tuple(sorted({*names.ids, *names.handles} - {str(one.value)}))
        self._names.setdefault(str(one.value), set()).update(also)
        return structs.replace(one, also=also)

    def _in_catalogue(self, words: Words) -> Iterable[str]:
        word = words.tokens[0]
        if words.edits:
            return [one.word for one in self._catalogue.similar(word, words.edits)]
        return [one.word for one in self._catalogue.forms(word, self._language)]

    def _in_segment(self, segment: Segment, words: Words) -> Iterable[str]:
        word = words.tokens[0]
        if words.edits:
            from archiver.search.catalogue.similarity import similar_words

            rows = self._segments.rows(segment, _ALL_WORDS, ())
            return [one.word for one in similar_words(word, words.edits, rows)]
        statement = (_FORMS, (word, self._stem(word)))
        self._segments.gather([(segment, [(statement[0], list(statement[1]))])])
        return [row[0] for row in self._segments.rows(segment, *statement)]

    # Which segments have the words, as bits by their numbers in the catalogue

    def _mask(self, node: Node) -> int | None:
        """None where nothing is known, so that any may."""
        if isinstance(node, Words):
            return self._mask_of(node)
        if isinstance(node, Near | And):
            masks = [mask for part in node.parts if (mask := self._mask(part)) is not None]
            return _all(masks) if masks else None
        if isinstance(node, Or):
            some = [self._mask(part) for part in node.parts]
            return None if None in some else _any(mask for mask in some if mask is not None)
        return None

    def _mask_of(self, words: Words) -> int | None:
        if words.prefix and len(words.tokens) == 1:
            return None
        first = words.tokens[:-1] if words.prefix else words.tokens
        each = [self._catalogue.segments_with([one]) for one in first]
        known = [mask for mask in each if mask is not None]
        if not words.also:
            return _all(known) if known else None
        others = self._catalogue.segments_with(list(words.also))
        return None if others is None or not known else _all(known) | others


def _all(masks: Iterable[int]) -> int:
    result = -1
    for mask in masks:
        result &= mask
    return result


def _any(masks: Iterable[int]) -> int:
    result = 0
    for mask in masks:
        result |= mask
    return result
