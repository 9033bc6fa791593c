"""What is searched for, as patterns over folded texts; and which of it can be searched for at all."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from archiver.evidence.redaction.folding import LETTER, fold, is_bounded, keep_case, weight
from archiver.evidence.redaction.own_words import OWN_WORDS
from archiver.evidence.redaction.rules import LEAST_ID, LEAST_WEIGHT

Sort = Literal["name", "handle", "id", "text", "loose", "token", "hash"]
_PARTS: Final = re.compile(r"[\s\x00-\x1f_\-.+,]+")
_MOST_BETWEEN: Final = 40
"""Characters that may part two words of a name."""
_BETWEEN: Final = r"[\s\x00-\x1f_\-.+,]"
_SPACE: Final = r"[\s\x00-\x1f]"
_JOINED_LEAST: Final = 8
"""Letters of a name of several parts that is also found written as one word, as in a hashtag or a handle."""
_LONG_ID: Final = 7
"""From so many digits on, a number that is an id by chance is none that a pack has: sizes and places of
records have fewer."""
_SHORT_ID: Final = (
    r'(?<=")(?:{0})(?=")|(?<=\')(?:{0})(?=\')|(?<=id[=:/ -])(?:{0})(?![0-9a-z])|(?<=id":)(?:{0})(?![0-9a-z])'
    r"|(?<=/)(?:{0})(?![0-9a-z])|(?<=@)(?:{0})(?![0-9a-z])"
)
"""Where a shorter one counts: alone in quotes, after `id`, in an address."""


@dataclass(frozen=True)
class Needle:
    """Something to take out. `anchor`: folded characters that stand in every place where `pattern` matches.
    `exact`: what the place must read like, case and all; empty where case does not count. `raw`: as it was
    written, for bytes that are no text. `reach`: more characters than a place where it stands can have."""

    rule: int
    sort: Sort
    raw: str
    anchor: str
    pattern: re.Pattern[str]
    reach: int
    exact: str = ""

    def matches(self, folded: str, anchors: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Where it stands in a folded text, in which its anchor begins at these characters."""
        for anchor in anchors:
            least = max(0, anchor - self.reach)
            for match in self.pattern.finditer(folded, least, anchor + len(self.anchor) + self.reach):
                if match.start() <= anchor < match.end():  # what only ends here may be cut off
                    yield match.span()

    @property
    def is_word(self) -> bool:
        """Whether it ends where a word ends."""
        return self.sort in ("name", "handle", "id", "token", "hash")


def make_needle(rule: int, sort: Sort, value: str) -> Needle | None:
    """The needle for a value, or None where there is too little of it to be searched for."""
    folded = fold(value).strip()
    if not is_searchable(sort, folded):
        return None
    anchor, pattern = _MAKERS[sort](folded)
    exact = keep_case(value).strip() if sort == "text" else ""
    reach = len(folded) + _MOST_BETWEEN * (len(_PARTS.findall(folded)) + 1)
    return Needle(rule, sort, value, anchor, re.compile(pattern), reach, exact)


def is_searchable(sort: Sort, folded: str) -> bool:
    """Whether a folded value can be told from anything else. A display name may be one letter, a flower, or
    a word that the pack itself says."""
    if sort == "hash":
        return True
    if sort == "id":
        return len(folded) >= LEAST_ID
    return weight(folded) >= LEAST_WEIGHT and " ".join(folded.split()) not in OWN_WORDS


def _name(folded: str) -> tuple[str, str]:
    """Whole words, whatever parts them; with an `s` of possession, with or without its apostrophe."""
    parts = [one for one in _PARTS.split(folded) if one]
    least = 0 if len("".join(parts)) >= _JOINED_LEAST else 1
    words = (re.escape(one).replace("'", "'?") for one in parts)
    before, after = _edges(parts[0][0], parts[-1][-1])
    possessive = r"(?:'?s)?" if after else ""
    return _longest(parts), before + f"{_BETWEEN}{{{least},{_MOST_BETWEEN}}}".join(words) + possessive + after


def _handle(folded: str) -> tuple[str, str]:
    folded = folded.lstrip("@")
    return folded, f"(?<![_])(?<!{LETTER}){re.escape(folded)}(?!{LETTER})(?!_)"


def _id(folded: str) -> tuple[str, str]:
    escaped = re.escape(folded)
    if len(folded) < _LONG_ID:
        return folded, _SHORT_ID.format(escaped)
    return folded, rf"(?<![0-9a-z])(?<![0-9]\.){escaped}(?![0-9a-z])"


def _token(folded: str) -> tuple[str, str]:
    return folded, rf"(?<![0-9a-z]){re.escape(folded)}(?![0-9a-z])"


def _text(folded: str) -> tuple[str, str]:
    return folded, re.escape(folded)


def _loose(folded: str) -> tuple[str, str]:
    parts = folded.split()
    return max(parts, key=len), f"{_SPACE}{{1,{_MOST_BETWEEN}}}".join(map(re.escape, parts))


_MAKERS: Final = {
    "name": _name, "handle": _handle, "id": _id, "text": _text, "loose": _loose, "token": _token,
    "hash": _token,
}  # fmt: skip


def _edges(first: str, last: str) -> tuple[str, str]:
    """Nothing before or after that would make it part of another word, in scripts that part words."""
    before = f"(?<!{LETTER})" if is_bounded(first) else ""
    return before, f"(?!{LETTER})" if is_bounded(last) else ""


def _longest(parts: list[str]) -> str:
    """The longest run of letters in which nothing may be left out."""
    return max((piece for one in parts for piece in one.split("'")), key=len)
