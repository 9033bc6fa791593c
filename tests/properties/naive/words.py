"""Texts cut into words as SQLite documents its tokenizer unicode61 with remove_diacritics=2, without SQLite.

"SQLite FTS3 and FTS4 Extensions", 8: characters of the categories L*, N* and Co are words, all others stand
between them; case is folded by Unicode's simple folding; diacritics are taken off Latin letters. All this by
Unicode 6.1 of 2012: what that did not know is a letter to SQLite, unless it is given as a separator. All
pictures in use are; rare signs are not, so a word with one of them right beside it is another word."""

import unicodedata
from functools import lru_cache

_OLD_PICTURES = (
    (0x1F300, 0x1F320), (0x1F330, 0x1F335), (0x1F337, 0x1F37C), (0x1F380, 0x1F393), (0x1F3A0, 0x1F3C4),
    (0x1F3C6, 0x1F3CA), (0x1F3E0, 0x1F3F0), (0x1F400, 0x1F43E), (0x1F440, 0x1F440), (0x1F442, 0x1F4F7),
    (0x1F4F9, 0x1F4FC), (0x1F500, 0x1F53D), (0x1F540, 0x1F543), (0x1F550, 0x1F567), (0x1F5FB, 0x1F640),
    (0x1F645, 0x1F64F), (0x1F680, 0x1F6C5), (0x1F700, 0x1F773),
)  # fmt: skip
"""Of the planes' blocks of pictures from U+1F300 on, what Unicode 6.1 has."""
_YOUNG_SIGNS = frozenset((0x61C, *range(0x2066, 0x206A)))
"""Others that it does not have, and that texts do: they turn the direction of writing."""


def _is_young(code: int) -> bool:
    if 0x1F300 <= code <= 0x1FAFF:
        return not any(first <= code <= last for first, last in _OLD_PICTURES)
    return code in _YOUNG_SIGNS


def _is_left_a_letter(code: int) -> bool:
    """Signs of alchemists, shapes and arrows of Unicode 7 to 13, which nobody writes in posts."""
    return code == 0x61C or 0x1F774 <= code <= 0x1F7D4 or 0x1F800 <= code <= 0x1F8FF


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")


def _simple_fold(character: str) -> str:
    """Case folding that makes one character of one."""
    folded = character.casefold()
    return folded if len(folded) == 1 else character.lower()[0]


_ACCENTS = frozenset(
    accent
    for code in range(0x80, 0x2000)
    if _is_latin(chr(code)) and unicodedata.category(chr(code))[0] == "L"
    for accent in unicodedata.normalize("NFD", chr(code))[1:]
)
"""The combining characters that Latin letters are made with."""


def _folded(character: str) -> str:
    """A letter without case and accent, nothing for an accent, a space for what is no part of a word."""
    if character in _ACCENTS:
        return ""
    category = unicodedata.category(character)
    if _is_young(ord(character)):
        return character if _is_left_a_letter(ord(character)) else " "
    if category[0] not in "LN" and category != "Co":
        return " "
    lower = _simple_fold(character)
    base = unicodedata.normalize("NFD", lower)[0]
    return base if _is_latin(base) else lower


class _Folded(dict[int, str]):
    """For `str.translate`: what becomes of each character."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _folded(chr(code))
        return found


_FOLDED = _Folded()


@lru_cache(maxsize=100_000)
def cut(text: str) -> tuple[str, ...]:
    """The words of a text in their order."""
    return tuple(text.translate(_FOLDED).split())


@lru_cache(maxsize=100_000)
def fold(text: str) -> str:
    """A text without case, accents and the signs that choose how an emoji is drawn, for characters looked for
    anywhere in it. A mark that makes another letter (classes below 10: the dots of kana; 84 to 132: vowels
    of Thai) is no accent."""
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    kept = (one for one in apart if not _is_mark(one))
    return unicodedata.normalize("NFC", "".join(kept))


def _is_mark(sign: str) -> bool:
    kind = unicodedata.combining(sign)
    return kind >= 200 or 10 <= kind <= 36 or 0xFE00 <= ord(sign) <= 0xFE0F


def distance(first: str, second: str) -> int:
    """How many letters have to be put in, left out, changed or exchanged with the next to make one word of
    another, none of them twice (optimal string alignment)."""
    rows = [list(range(len(second) + 1))]
    for number, letter in enumerate(first, 1):
        row = [number]
        for place, other in enumerate(second, 1):
            found = min(rows[-1][place - 1] + (letter != other), rows[-1][place] + 1, row[place - 1] + 1)
            if number > 1 < place and letter == second[place - 2] and other == first[number - 2]:
                found = min(found, rows[-2][place - 2] + 1)
            row.append(found)
        rows.append(row)
    return rows[-1][-1]
