"""Characters found anywhere in a text, whatever their case and accents: what `contains` is made of.

Of a million posts every text is read, so most are searched as they are, by a pattern with every way to write
each character. To fold each of them first (`archiver.search.words.fold`) took four times as long.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache

from archiver.search.words import fold

_NOT_ALONE = re.compile(
    "[\u00df\u0149\u0300-\u036f\u0483-\u0489\u0530-\u1dff\u1e96-\u1e9a\u1e9e\u1f00-\u1fff\u20d0-\u20ff"
    "\u2adc\u2c00-\u2fff\u302a-\u302f\u3099\u309a\ua000-\uabff\ud7b0-\ud7ff\ufb00-\ufdff\ufe00-\ufe2f"
    "\ufe70-\ufeff\U00010000-\U0001efff\U000e0000-\U0010ffff]"
)
"""What is not folded one character to one, or together with those beside it: marks, letters that are two
when folded, syllables that are put together; whole blocks where one has such. A text with any of these is
folded."""
_OTHER_WAYS = (
    range(0x80, 0x300), range(0x370, 0x483), range(0x48A, 0x530), range(0x1E00, 0x1F00),
    range(0x2000, 0x2200), range(0x22E0, 0x22F0), range(0x2300, 0x2330), range(0x24B0, 0x24F0),
    range(0x2A00, 0x2AE0), range(0x3000, 0x3100), range(0xF900, 0xFB00), range(0xFF20, 0xFF60),
    range(0x2F800, 0x2FA20),
)  # fmt: skip
"""Characters that may be another one when folded, beyond those of `_NOT_ALONE`."""


@lru_cache(maxsize=64)
def finder(part: str) -> Callable[[str], bool]:
    """What tells whether a text has these folded characters: as though it were folded itself."""
    search = re.compile("".join(map(_any_way, part))).search
    is_folded = _NOT_ALONE.search

    def has(text: str) -> bool:
        if text.isascii():
            return part in text.lower()
        if is_folded(text) is None:
            return search(text) is not None
        return part in fold(text)

    return has


def _any_way(character: str) -> str:
    """A pattern for a folded character."""
    others = _ways().get(character, "")
    return f"[{re.escape(character + others)}]" if others else re.escape(character)


@cache
def _ways() -> dict[str, str]:
    """All other ways to write a character, by what they are when folded. Made at the first scan, in 15 ms."""
    ways: dict[str, str] = {chr(code + 32): chr(code) for code in range(ord("A"), ord("Z") + 1)}
    for code in (code for block in _OTHER_WAYS for code in block):
        character = chr(code)
        folded = fold(character)
        if folded != character and _NOT_ALONE.match(character) is None:
            ways[folded] = ways.get(folded, "") + character
    return ways
