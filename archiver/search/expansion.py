"""What else is looked for in place of what was typed: other forms of a word, similar words, other names of
an account. By the catalogue for the segments that it covers; each other segment is asked itself.

What was looked for beside the words typed is told, so that an answer can be understood and repeated.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, product
from typing import NamedTuple, Protocol

import Stemmer
from msgspec import structs

from archiver.archive.tokenizer import SEPARATORS
from archiver.search.catalogue import Catalogue, Names
from archiver.search.hit import SPOOL
from archiver.search.language import Query
from archiver.search.language.tree import And, Filter, Near, Node, Or, Words, leaves, replaced
from archiver.search.segments import Segment, Segments
from archiver.search.sql.matching import check_near, nears
from archiver.search.sql.statement import Statement
from archiver.search.words import cut

NAMED = ("from", "to", "mention", "account")
"""Fields that take an account's handle or id."""
_FORMS = (
    "SELECT term FROM term WHERE stem = coalesce((SELECT stem FROM term WHERE term = ?1), ?2)"
    " AND term <> ?1 ORDER BY term"
)
_ALL_WORDS = "SELECT term, records FROM term"


_GLUED = "SELECT term FROM term WHERE term >= ? AND term < ?"
_MOST_GLUED = 16
"""Phrases in place of one: pictures stand beside words in a few posts."""


class Looked(NamedTuple):
    """What was looked for beside what was typed: by word its other forms or similar words; by name of an
    account its other handles and ids."""

    words: dict[str, tuple[str, ...]]
    names: dict[str, tuple[str, ...]]
    all_names: bool = True
    """Whether names of accounts were looked up for all archives: for those far away they are not."""


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
        self._all_names = True

    def covers(self, segment: Segment) -> bool:
        """Whether the catalogue knows all words and names of a segment."""
        return self._catalogue.covers(segment.archive.name, segment.file)

    def bound(self, query: Query, segment: Segment) -> Node:
        """The query's tree with all that is looked for in a segment."""
        if not self.covers(segment):
            self._all_names = self._all_names and (segment.archive.name == SPOOL or not _has_names(query))
            return self._bind(query, _OneSegment(self._segments, segment, self._stem))
        root = self._covered.get(query)
        if root is None:
            root = self._covered[query] = self._bind(query, self._catalogued())
        return root

    def forget(self) -> None:
        """Other segments are searched from now on."""
        self._covered.clear()
        self._words.clear()

    def looked_for(self) -> Looked:
        """All that was so far."""
        return Looked(
            {word: tuple(sorted(some)) for word, some in sorted(self._words.items()) if some},
            {name: tuple(sorted(some)) for name, some in sorted(self._names.items()) if some},
            self._all_names,
        )

    def may_hold(self, query: Query) -> Callable[[Segment], bool]:
        """Which segments can hold hits, as far as the catalogue knows their words."""
        # The catalogue is asked here once and for all: threads that then ask segments find its answers.
        root = self._covered[query] = self._bind(query, self._catalogued())
        mask = self._mask(root)

        def holds(segment: Segment) -> bool:
            number = self._catalogue.number_of(segment.archive.name, segment.file)
            return mask is None or number is None or bool(mask >> number & 1)

        return holds

    def _bind(self, query: Query, source: "_Source") -> Node:
        def change(one: Words | Filter) -> Words | Filter:
            if isinstance(one, Filter):
                return self._with_names(one)
            if len(one.tokens) > 1:
                return structs.replace(one, also=tuple(_glued_phrases(one, source)))
            if one.prefix:
                return one
            word = one.tokens[0]
            others: set[str] = set()
            if one.edits or not (query.exact or one.exact):
                others = set(source.others(one)) - {word}
                self._words.setdefault(word, set()).update(others)
            glued = set(source.glued((word, *sorted(others))))
            # In one order, whoever was asked: scores are added in it.
            return structs.replace(one, also=tuple(sorted((others | glued) - {word})))

        root = replaced(query.root, change)
        for near in nears(root):
            check_near(near, query.text)
        return root

    def _catalogued(self) -> "_Catalogued":
        numbers = (self._catalogue.number_of(one.archive.name, one.file) for one in self._segments.sealed)
        return _Catalogued(
            self._catalogue, _any(1 << number for number in numbers if number is not None), self._language
        )

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
        if (words.prefix and len(words.tokens) == 1) or (words.also and len(words.tokens) > 1):
            return None
        first = words.tokens[:-1] if words.prefix else words.tokens
        each = [self._catalogue.segments_with([one]) for one in first]
        known = [mask for mask in each if mask is not None]
        if not words.also:
            return _all(known) if known else None
        others = self._catalogue.segments_with(list(words.also))
        return None if others is None or not known else _all(known) | others


def _has_names(query: Query) -> bool:
    return any(isinstance(one, Filter) and one.field in NAMED for one in leaves(query.root))


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


# Where other words come from


class _Source(Protocol):
    """The vocabulary of some segments."""

    def others(self, words: Words) -> Iterable[str]:
        """The forms of a word, or the words like it where it has edits."""
        ...

    def glued(self, words: Sequence[str]) -> Iterable[str]:
        """What an index of schema 1 to 3 has in place of these words, a word and its forms, where they stand
        right beside a sign (`archiver.archive.tokenizer`)."""
        ...


class _Catalogued:
    """Of all segments that are catalogued. `searched`: bits of those that are searched: words that no other
    has are not looked for, so that an answer depends on nothing else."""

    def __init__(self, catalogue: Catalogue, searched: int, language: str) -> None:
        self._catalogue = catalogue
        self._searched = searched
        self._language = language

    def others(self, words: Words) -> Iterable[str]:
        word = words.tokens[0]
        if words.edits:
            found = [one.word for one in self._catalogue.similar(word, words.edits)]
        else:
            found = [one.word for one in self._catalogue.forms(word, self._language)]
        return [one for one in found if self._is_searched(one)]

    def glued(self, words: Sequence[str]) -> Iterable[str]:
        return [one for word in words for one in self._catalogue.glued(word) if self._is_searched(one)]

    def _is_searched(self, word: str) -> bool:
        segments = self._catalogue.segments_with([word])
        return segments is None or bool(segments & self._searched) or bool(self._catalogue.glued(word))


class _OneSegment:
    """Of a segment that is not. Signs are found behind a word; before one, all of the words would have to be
    read."""

    def __init__(self, segments: Segments, segment: Segment, stem: Callable[[str], str]) -> None:
        self._segments = segments
        self._segment = segment
        self._stem = stem

    def others(self, words: Words) -> Iterable[str]:
        word = words.tokens[0]
        if words.edits:
            from archiver.search.catalogue.similarity import similar_words

            rows = self._segments.rows(self._segment, _ALL_WORDS, ())
            return [one.word for one in similar_words(word, words.edits, rows)]
        return self._terms((_FORMS, [word, self._stem(word)]), _behind(word))

    def glued(self, words: Sequence[str]) -> Iterable[str]:
        word = words[0]  # its forms would be further requests
        return [term for term in self._terms(_behind(word)) if cut(term)[:1] == (word,)]

    def _terms(self, statement: Statement, *next_ones: Statement) -> list[str]:
        """What a statement finds; far away, what others will is fetched with it."""
        self._segments.gather([(self._segment, [statement, *next_ones])])
        return [row[0] for row in self._segments.rows(self._segment, *statement)]


def _behind(word: str) -> Statement:
    """Words that go on with a sign: all of them lie behind letters in the order of UTF-8."""
    return _GLUED, [word + min(SEPARATORS), word + max(SEPARATORS)]


def _glued_phrases(words: Words, source: _Source) -> Iterator[str]:
    """Other ways to find a phrase: with signs glued to some of its words. Not of one that ends in the
    beginning of a word, which takes no others."""
    if words.prefix:
        return
    ways = product(*([word, *source.glued((word,))] for word in words.tokens))
    next(ways)  # the phrase itself
    yield from (" ".join(way) for way in islice(ways, _MOST_GLUED))
