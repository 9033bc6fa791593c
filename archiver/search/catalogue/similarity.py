"""Words that are like another, letter by letter."""

from collections.abc import Iterable
from typing import NamedTuple

SHORTEST_COMPARED = 3
"""Words of one or two letters are like too many others."""


class Form(NamedTuple):
    """A word and how many records have it."""

    word: str
    records: int


def similar_words(word: str, edits: int, words: Iterable[tuple[str, int]]) -> list[Form]:
    """Of words with their numbers of records those that at most so many changes make of it: a letter more,
    less, another, or two side by side exchanged (optimal string alignment); the nearest first, of these the
    most frequent."""
    records = dict(words)
    return by_distance(distances(word, edits, list(records)), records)


def distances(word: str, edits: int, words: list[str]) -> dict[str, int]:
    """How many changes make each of these of the word, if they are not more than so many."""
    if len(word) < SHORTEST_COMPARED:
        return {}
    from rapidfuzz import process  # 20 ms to load, which most searches do not need
    from rapidfuzz.distance import OSA

    found = process.extract(word, words, scorer=OSA.distance, score_cutoff=edits, limit=None)
    return {other: int(distance) for other, distance, _ in found}


def by_distance(distances: dict[str, int], records: dict[str, int]) -> list[Form]:
    """Words in the order of their distance, then of their records."""
    order = sorted(distances, key=lambda one: (distances[one], -records[one], one))
    return [Form(one, records[one]) for one in order]
