"""Texts of others as runs that can be printed: what is shown, what is named, and where a line may end.

A text is cut into clusters: a letter with its marks, a whole emoji. What has no shape, or could turn the
reading of what stands around it, is named by its code point. Nothing is left out without being named.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

Run = str | int | tuple[str, str]
"""What is printed as it is; BREAK; or ("code", what to print in a box), for what cannot be printed."""
BREAK: Final = 0
"""A line may end here, without a space or a hyphen."""
MOST_MARKS: Final = 4
"""On one letter, outside texts of records. Cantillated Hebrew has three, Tibetan stacks four."""

_LONG_WORD, _STEP = 30, 8
"""Words longer than so many clusters may be broken, after each so many."""
_JOINER, _NON_JOINER, _KEYCAP = "\u200d", "\u200c", "\u20e3"
_NAMED = frozenset("\u034f\u115f\u1160\u3164\uffa0\u2800\u180b\u180c\u180d\u17b4\u17b5")
"""Letters and marks that have no shape, beside Unicode's controls and format characters: a post that hides
words behind them is shown to do so."""
_FORMAT_SHOWN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2")
"""Of Unicode's format characters those that have a shape."""
_WITHOUT_SHAPE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_TAB: Final = "    "


def runs(
    text: str, unprintable: frozenset[str] = frozenset(), most_marks: int | None = MOST_MARKS
) -> list[Run]:
    """A text to be printed. `unprintable` are clusters for which there is no font; of the marks on one
    letter `most_marks` are printed and the others counted."""
    if _is_simple(text):
        return [text]
    shown: list[Run] = []
    for word in _words(text):
        since = 0 if len(word) > _LONG_WORD else None
        for cluster in clusters(word):
            if since is not None and (since := _since_break(cluster, since)) > _STEP:
                shown.append(BREAK)
                since = 1
            for run in _spell(cluster, unprintable, most_marks):
                if isinstance(run, str) and shown and isinstance(shown[-1], str):
                    shown[-1] += run
                else:
                    shown.append(run)
    return shown


def plain(text: str, unprintable: frozenset[str] = frozenset()) -> str:
    """A text for where no box can stand, as what describes a picture to those who do not see it."""
    shown: list[str] = []
    for run in runs(text, unprintable):
        if isinstance(run, str):
            shown.append(run)
        elif isinstance(run, tuple):
            shown.append(f"‹{run[1]}›")
    return "".join(shown)


def _is_simple(text: str) -> bool:
    """Printable ASCII in words that fit on a line: most texts, and fifty times as fast."""
    return (
        text.isascii()
        and text.replace("\n", "").isprintable()
        and (len(text) <= _LONG_WORD or max(map(len, text.split()), default=0) <= _LONG_WORD)
    )


def _words(text: str) -> Iterator[str]:
    """Words and the gaps between them, which together are the text with line ends made one kind."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    start = 0
    for number, character in enumerate(text):
        if character in " \n\t":
            if number > start:
                yield text[start:number]
            yield _TAB if character == "\t" else character
            start = number + 1
    if start < len(text):
        yield text[start:]


def _since_break(cluster: str, since: int) -> int:
    """How many clusters stand since a line could end. Scripts without spaces have rules of their own for
    that, which typst knows."""
    code = ord(cluster[0])
    has_own_rules = 0x0E00 <= code < 0x1100 or 0x1780 <= code < 0x1800 or code >= 0x2E80
    return 0 if has_own_rules else since + 1


# Clusters


def clusters(text: str) -> Iterator[str]:
    """A text in pieces that one font has to print: a letter with its marks, an emoji with what it is joined
    to, a flag's two letters, a syllable of Hangul's letters."""
    start = 0
    for number in range(1, len(text)):
        if not _continues(text, start, number):
            yield text[start:number]
            start = number
    if text:
        yield text[start:]


def _continues(text: str, start: int, number: int) -> bool:
    before, now = text[number - 1], text[number]
    if now < "\u0300":
        return False
    if now in (_JOINER, _NON_JOINER, _KEYCAP) or is_mark(now):
        return before not in "\n "
    if before == _JOINER and number - start > 1:
        return not now.isspace()
    if "\U0001f1e6" <= now <= "\U0001f1ff":
        return number - start == 1 and "\U0001f1e6" <= before <= "\U0001f1ff"
    if "\U000e0020" <= now <= "\U000e007f":
        return text[start] == "\U0001f3f4"
    return "\U0001f3fb" <= now <= "\U0001f3ff" or (_is_jamo(before) and _is_jamo(now))


@lru_cache(maxsize=4096)
def is_mark(character: str) -> bool:
    """Whether it stands on, under or around the letter before it, a choice of shape included."""
    return unicodedata.category(character)[0] == "M" and character not in _NAMED


def _is_jamo(character: str) -> bool:
    code = ord(character)
    return 0x1100 <= code <= 0x11FF or 0xA960 <= code <= 0xA97F or 0xD7B0 <= code <= 0xD7FF


# What is printed


def _spell(cluster: str, unprintable: frozenset[str], most_marks: int | None) -> Iterator[Run]:
    if cluster in unprintable or not _is_printable_whole(cluster):
        yield from _spell_apart(cluster, unprintable)
        return
    marks = 0 if len(cluster) <= MOST_MARKS else sum(map(is_mark, cluster))
    if most_marks is None or marks <= most_marks:
        yield cluster
    else:
        yield cluster[: most_marks + 1]
        yield ("code", f"+{len(cluster) - most_marks - 1} marks")


def _spell_apart(cluster: str, unprintable: frozenset[str]) -> Iterator[Run]:
    """Character by character: a letter whose marks no font has is printed, its marks are named."""
    for character in cluster:
        alone = len(cluster) > 1 and not is_mark(character)
        if alone and is_printable(character) and character not in unprintable:
            yield character
        else:
            yield ("code", code_point(character))
            if character in "\u2028\u2029\u0085":
                yield "\n"


def _is_printable_whole(cluster: str) -> bool:
    """Joiners between letters that they join are part of these letters; alone they show nothing."""
    if len(cluster) > 1 and cluster[0] >= "\u0300":
        cluster = cluster.replace(_JOINER, "").replace(_NON_JOINER, "") or cluster
    if cluster[0] == "\U0001f3f4":  # a flag of a part of a country: its letters are tags, kept only here
        return all("\U000e0020" <= one <= "\U000e007f" or is_printable(one) for one in cluster)
    return all(map(is_printable, cluster))


@lru_cache(maxsize=16384)
def is_printable(character: str) -> bool:
    """Whether it may be printed as it is, where a font has it. PDF/A-2a forbids private characters and
    U+0000, U+FEFF and U+FFFE (ISO 19005-2, 6.2.11.7)."""
    if character in _FORMAT_SHOWN or character == "\n":
        return True
    return character not in _NAMED and unicodedata.category(character) not in _WITHOUT_SHAPE


def code_point(character: str) -> str:
    """As it is written: U+202E."""
    return f"U+{ord(character):04X}"


def all_clusters(texts: Iterable[str]) -> set[str]:
    """Every cluster of these texts that would be printed as it is, and every character of them."""
    found: set[str] = set()
    for text in texts:
        if not text.isascii():
            found.update(cluster for word in _words(text) for cluster in clusters(word))
    whole = {one for one in found if _is_printable_whole(one)}
    return whole | {one for cluster in found for one in cluster if is_printable(one) and not is_mark(one)}


def is_piled(line: str) -> bool:
    """Whether more marks stand on a letter than any script writes."""
    return not line.isascii() and any(
        len(one) > MOST_MARKS + 1 and sum(map(is_mark, one)) > MOST_MARKS for one in clusters(line)
    )


def direction(text: str) -> str:
    """`rtl` where the first letter with a direction is written from the right (UAX 9, P2), else `ltr`."""
    if text.isascii():
        return "ltr"
    for character in text:
        way = unicodedata.bidirectional(character)
        if way in ("R", "AL"):
            return "rtl"
        if way == "L":
            return "ltr"
    return "ltr"
