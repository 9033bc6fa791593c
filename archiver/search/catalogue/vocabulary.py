"""The words of all segments that are catalogued: their forms, words like them, and where they are.

Every answer is a sum over the parts, whose segments are different ones.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from archiver.search.catalogue.part import Part
from archiver.search.catalogue.similarity import Form, by_distance, distances

SUGGESTIONS = 3
_SHORT_WORD = 4
"""Letters up to which one wrong letter makes a word a different one often enough."""
_DIGITS = frozenset("0123456789")


class Vocabulary:
    """The words of some parts."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts

    def _rows(self, sql: str, *values: Any) -> Iterable[Any]:
        for part in self._parts:
            yield from part.rows(sql, values)

    def stems_of(self, word: str) -> list[str]:
        """The stems that the segments have for a word: one, but for a vault whose language was changed."""
        return sorted({stem for (stem,) in self._rows("SELECT stem FROM term WHERE term = ?", word)})

    def forms(self, word: str, language: str) -> tuple[Form, ...]:
        """The word itself, which may be in no record, then the other words of its stem, the most frequent
        first. `language`: whose rules give its stem where no segment has it; none: it has no other forms."""
        records: Counter[str] = Counter()
        stems = self.stems_of(word) or [_stem(word, language)]
        for stem in stems:
            for form, count in self._rows("SELECT term, records FROM term WHERE stem = ?", stem):
                records[form] += count
        for (piece,) in self._rows("SELECT DISTINCT piece FROM glued"):  # some hundreds
            if _stem(piece, language) in stems:
                records[piece] += 0
        own = records.pop(word, 0)
        return (Form(word, own), *_by_records(records))

    def glued(self, word: str) -> list[str]:
        """The words that are this one with signs right beside it, which older indexes took for letters."""
        return sorted({term for (term,) in self._rows("SELECT term FROM glued WHERE piece = ?", word)})

    def similar(self, word: str, edits: int) -> tuple[Form, ...]:
        """As `similar_words`, of all words."""
        near: dict[str, int] = {}
        sql = "SELECT words FROM word_list WHERE length BETWEEN ? AND ?"
        for (words,) in self._rows(sql, len(word) - edits, len(word) + edits):
            near |= distances(word, edits, words.split(" "))
        return tuple(by_distance(near, {one: self.records(one) for one in near}))

    def records(self, word: str) -> int:
        """How many records have exactly this word."""
        return sum(count for (count,) in self._rows("SELECT records FROM term WHERE term = ?", word))

    def suggest(self, word: str) -> tuple[Form, ...]:
        """What may have been meant by a word: the nearest three at most, without digits, never itself.
        Nothing for a word with digits: those are names and numbers."""
        if _has_digit(word):
            return ()
        near = self.similar(word, 1 if len(word) <= _SHORT_WORD else 2)
        return tuple(form for form in near if form.word != word and not _has_digit(form.word))[:SUGGESTIONS]

    def segments_with(self, words: Iterable[str]) -> int | None:
        """Which segments have any of these words in a post, message or relation (entries of the moderation
        register have no index): a bit for each, by its number. None where that is not known: of a word with
        a digit that one record has a segment keeps no count."""
        found = 0
        for word in words:
            if _has_digit(word):
                return None
            for part in self._parts:
                for (blob,) in part.rows("SELECT segments FROM term WHERE term = ?", (word,)):
                    found |= part.segments_of(blob)
        return found


def _has_digit(word: str) -> bool:
    """Whether SQLite's GLOB '*[0-9]*' holds (`archiver.archive.build`)."""
    return not _DIGITS.isdisjoint(word)


def _by_records(records: Counter[str]) -> tuple[Form, ...]:
    return tuple(Form(*one) for one in sorted(records.items(), key=lambda one: (-one[1], one[0])))


def _stem(word: str, language: str) -> str:
    if language == "none":
        return word
    import Stemmer

    return str(Stemmer.Stemmer(language).stemWord(word))
