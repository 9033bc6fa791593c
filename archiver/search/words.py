"""Words as the index has them: cut by SQLite's own tokenizer, and texts folded so that they can be compared.

The tokenizer is that of the segments' indexes (archiver/archive/schema.sql): SQLite's unicode61 without
diacritics, asked through its virtual table fts3tokenize.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from functools import cache
from typing import Any

from archiver.archive.tokenizer import TOKENIZER

_NO_TEXT = re.compile("[\ud800-\udfff]")
_MAYBE_MARKS = re.compile("[^\0-\u02ff]")
_VARIATIONS = "".join(map(chr, range(0xFE00, 0xFE10)))
"""They choose how a sign is drawn, as of an emoji in colour, and are typed by nobody."""
_NO_SPACES = (
    (0x0E01, 0x0E3A), (0x0E40, 0x0E4E),  # Thai
    (0x0E80, 0x0ECF), (0x0EDC, 0x0EDF),  # Lao
    (0x0F00, 0x0F00), (0x0F40, 0x0FBC),  # Tibetan
    (0x1000, 0x103F), (0x104C, 0x108F), (0x109A, 0x109F),  # Myanmar
    (0x1780, 0x17D3), (0x17D7, 0x17D7), (0x17DC, 0x17DD),  # Khmer
    (0x1950, 0x19CF), (0x1A20, 0x1A7F),  # Tai Le, New Tai Lue, Tai Tham
    (0x1B05, 0x1B4C),  # Balinese
    (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3038, 0x303C),  # Han: radicals, marks, numerals
    (0x3041, 0x309F), (0x30A1, 0x30FA), (0x30FC, 0x30FF),  # Kana
    (0x3105, 0x312F), (0x31A0, 0x31BF),  # Bopomofo
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),  # Kana of Ainu, Han
    (0xA980, 0xA9C0),  # Javanese
    (0xA9E0, 0xA9EF), (0xA9FA, 0xA9FE), (0xAA60, 0xAA7F),  # Myanmar
    (0xAA80, 0xAADF),  # Tai Viet
    (0xF900, 0xFAFF), (0xFF66, 0xFF9F),  # Han, Kana of half width
    (0x1AFF0, 0x1B16F), (0x20000, 0x3FFFF),  # old Kana, rare Han
)  # fmt: skip
"""Letters of scripts that put no spaces between words, by Unicode's blocks: from one to another, in order."""
_NO_SPACES_FROM = [first for first, _ in _NO_SPACES]


def cut(text: str) -> tuple[str, ...]:
    """The words of a text as the index has them, in their order; none where it has no letter or digit."""
    own = _own()
    tokens = getattr(own, "tokens", None)
    if tokens is None:
        tokens = own.tokens = _tokenizer()
    return tuple(tokens(whole(text)))


def whole(text: str) -> str:
    """A text of the same length without what is no text (half a character, NUL): it is in no index, and
    SQLite takes neither."""
    return _NO_TEXT.sub("\ufffd", text).replace("\0", " ")


def fold(text: str) -> str:
    """A text without case, accents and variations of signs.

    Words that the index takes for one are equal when folded, so a folded text contains a folded word
    wherever the index has it; and folding twice changes nothing more."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    for character in set(_MAYBE_MARKS.findall(text)):
        if _is_accent(character) or character in _VARIATIONS:
            text = text.replace(character, "")
    # What was no accent is put together again: Korean syllables, so that one is not found in another.
    return unicodedata.normalize("NFC", text)


def _is_accent(character: str) -> bool:
    """Whether it is a mark above, below or through a letter, by its class of combining (Unicode, 4.3): those
    of Latin, Greek and Cyrillic letters, points of Hebrew and Arabic. Not what makes another letter: vowels
    of Thai and Lao, voiced kana, the stroke through ≠."""
    kind = unicodedata.combining(character)
    return kind >= 200 or 10 <= kind <= 36


def has_no_spaces(text: str) -> bool:
    """Whether it has letters of a script without spaces, of which the index takes sentences for words."""
    if text.isascii():
        return False
    return any(
        code <= _NO_SPACES[bisect_right(_NO_SPACES_FROM, code) - 1][1]
        for code in map(ord, text)
        if code >= _NO_SPACES_FROM[0]
    )


def needs_scan(text: str) -> bool:
    """Whether a word or phrase can only be found by reading texts: it is of a script without spaces, or has
    no letter or digit. (Emoji younger than the tokenizer's tables are letters to it, but stuck to others.)"""
    return has_no_spaces(text) or not any(map(str.isalnum, text)) or not cut(text)


@cache
def _own() -> Any:
    """What each thread has for itself."""
    from threading import local  # 1 ms that reading the program's modules does not pay

    return local()


def _tokenizer() -> Callable[[str], list[str]]:
    """SQLite's tokenizer for one thread: a connection of its own in memory (0.2 ms)."""
    import apsw  # 10 ms that a refused query does not pay

    connection = apsw.Connection(":memory:")
    arguments = TOKENIZER.replace(' "', ', "')
    connection.execute(f"CREATE VIRTUAL TABLE temp.words USING fts3tokenize({arguments})")

    def tokens(text: str) -> list[str]:
        found = connection.execute("SELECT token FROM words WHERE input = ? ORDER BY position", (text,))
        return [str(token) for (token,) in found if token]

    return tokens
