"""The benchmark's vocabulary: 60,000 made-up and common words with the frequencies of real posts.

Zipf–Mandelbrot, weight 1 / (rank + 1.6): exponent 1, its head flattened so that the commonest word stands in
about 40 % of the posts, as in English. A plain Zipf would put it in 70 %.
"""

import random
from functools import cache
from itertools import accumulate

VOCABULARY_SIZE = 60_000
HEAD_SHIFT = 1.6

_COMMON_TEXT = """
the to and of a in for on you is we with our this are at have be from it your that if not will as
please can been all by or out more police has any was up new an about do what who today now people
officers one information night were they when help call area get time but road there their no how
seen just me day see some after make good over team down into back report us know would than so
street many work here home stop find week last car being thank crime between local morning where
community contact also which them online keep only had then need before while take evening two
between house school safe first please
"""
COMMON_WORDS = tuple(_COMMON_TEXT.split())

_ONSET_TEXT = "b br c ch d dr f fl g gr h k l m n p pl qu r s sh st t tr v w"
_ONSETS = tuple(_ONSET_TEXT.split())
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ee", "oo", "ou", "ä", "ö")
_CODAS = ("", "", "", "n", "r", "s", "t", "l", "nd", "st", "ck", "m")


def _made_up_word(rng: random.Random, syllable_count: int) -> str:
    return "".join(
        rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(syllable_count)
    )


@cache
def vocabulary() -> tuple[str, ...]:
    """Give the words, commonest first, the same on every call and in every export."""
    rng = random.Random("vocabulary")  # noqa: S311 - made-up words, the same every time, are the point
    words = dict.fromkeys(COMMON_WORDS)
    while len(words) < VOCABULARY_SIZE:
        shortest = 1 if len(words) < 1_500 else 2
        words[_made_up_word(rng, rng.choice((shortest, 2, 2, 3)))] = None
    return tuple(words)


@cache
def cumulative_weights() -> tuple[float, ...]:
    """Give the cumulative weights of `vocabulary()`, as random.choices takes them."""
    return tuple(accumulate(1.0 / (rank + HEAD_SHIFT) for rank in range(1, VOCABULARY_SIZE + 1)))


def query_words(count: int = 20) -> list[str]:
    """Pick words to search for, rarest first, evenly spaced in the logarithm of the rank."""
    words = vocabulary()
    last = count - 1
    ranks = [round(VOCABULARY_SIZE ** ((last - step) / last)) for step in range(count)]
    return [words[rank - 1] for rank in ranks]
