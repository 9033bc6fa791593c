"""Texts in one form, so that what reads alike is found: any case, with or without accents, compatible letters
as one (NFKC), without what nobody sees (joiners, directions, soft hyphens), dashes and apostrophes as one."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

_UNITS: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]|.", re.DOTALL)
"""Characters; two halves of a surrogate pair that stand apart are one."""
_NON_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
_UNSEEN: Final = frozenset("\u115f\u1160\u3164\uffa0")
"""Fillers that are letters by their category."""
_SINGLE: Final = {
    **dict.fromkeys("‘’‚‛′ʼʻʹ", "'"),
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ı": "i", "ŧ": "t",
    "ĸ": "k", "ŋ": "n", "ſ": "s",
}  # fmt: skip
_BOUNDED: Final = (
    "0-9a-z\u00df-\u024f\u0250-\u02af\u0370-\u03ff\u0400-\u052f\u0561-\u0587\u10d0-\u10ff\u1e00-\u1fff"
)
"""Folded letters of scripts that part words by spaces and add nothing to a name: Latin, Greek, Cyrillic,
Armenian, Georgian; and digits."""
LETTER: Final = f"[{_BOUNDED}]"
_IS_LETTER: Final = re.compile(LETTER)


class Mapped(NamedTuple):
    """A folded text, and for each of its characters where the one it comes from begins and ends."""

    folded: str
    starts: Sequence[int]
    ends: Sequence[int]


def fold(text: str) -> str:
    """The text in one form. Costs a look at each character that is not ASCII."""
    if not text.isascii():
        text = _NON_ASCII.sub(lambda match: _fold_run(match[0]), text)
    return text.lower()


def fold_mapped(text: str) -> Mapped:
    """The same, and where each character comes from. Marks belong to the character before them."""
    if text.isascii():
        return Mapped(text.lower(), range(len(text)), range(1, len(text) + 1))
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _UNITS.finditer(text):
        unit = match[0]
        of_unit = unit.lower() if unit.isascii() else _fold_unit(unit)
        if not of_unit and ends and ends[-1] == match.start() and unicodedata.category(unit[0])[0] == "M":
            ends[-1] = match.end()
        folded.append(of_unit)
        starts += [match.start()] * len(of_unit)
        ends += [match.end()] * len(of_unit)
    return Mapped("".join(folded), starts, ends)


def keep_case(text: str) -> str:
    """The same with capitals kept, for what is to be taken as it is written."""
    return _NON_ASCII.sub(lambda match: "".join(map(_plain, _UNITS.findall(match[0]))), text)


def is_bounded(character: str) -> bool:
    """Whether a word ends where this folded character meets no other of its kind."""
    return _IS_LETTER.match(character) is not None


def weight(folded: str) -> int:
    """How much there is to tell a text by: its letters and digits, a Chinese or Japanese one for two."""
    return sum(2 if "\u3040" <= one <= "\u9fff" or one >= "\U00020000" else 1 for one in _said(folded))


def _said(folded: str) -> Iterator[str]:
    return (one for one in folded if one.isalnum())


def _fold_run(run: str) -> str:
    return "".join(map(_fold_unit, _UNITS.findall(run)))


@lru_cache(maxsize=1 << 16)
def _fold_unit(unit: str) -> str:
    return _plain(_plain(unit).casefold()).lower()


@lru_cache(maxsize=1 << 16)
def _plain(unit: str) -> str:
    """One character decomposed, without marks and what nobody sees."""
    if len(unit) == 2:
        unit = unit.encode("utf-16", "surrogatepass").decode("utf-16")
    return "".join(_single(one) for one in unicodedata.normalize("NFKD", unit))


def _single(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Cf", "Cs") or character in _UNSEEN:
        return ""
    if category in ("Zs", "Zl", "Zp"):
        return " "
    return "-" if category == "Pd" else _SINGLE.get(character, character)
