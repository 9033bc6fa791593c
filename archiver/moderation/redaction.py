"""A text about a record without the names and addresses that the record knows of.

It takes out whoever wrote, noticed, decided, acted or allowed, what the item says, its address and number,
the references of cases, and in any text @names, e-mail addresses, links and telephone numbers. What it
does not know it leaves in: a person must read what comes out.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from archiver.records import Moderation
from archiver.register import ModerationRecord

REMOVED: Final = "[removed]"
# Every repetition has a bound: a text of a million letters costs no more than so many times it.
LINK: Final = (
    r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)\S{1,4000}|(?<![\w.-])(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}/\S{0,4000}"
)
EMAIL: Final = r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
MENTION: Final = r"[@＠]\w{1,64}(?:@[\w.-]{1,250})?"
TELEPHONE: Final = (
    r"(?<!\d)(?!\d{4}-\d\d-\d\d(?!\d)|\d\d?/\d\d?/\d{4}(?!\d))\(?\+?\d(?:[\s().\-/]{0,3}\d){7,24}"
)
_ANYBODY: Final = (LINK, EMAIL, MENTION, TELEPHONE)
_QUOTED: Final = re.compile(r'"([^"]{1,4000})"|“([^”]{1,4000})”|„([^“”]{1,4000})[“”]|«([^»]{1,4000})»')
_PIECE_CHARACTERS: Final = 400
_SHORTEST_LINE: Final = 12
_SHORTEST_PART: Final = 3
_PIECES: Final = 1000


class Redaction:
    """Made of a record; called with a text, it gives the text without what the record knows of."""

    def __init__(self, record: ModerationRecord) -> None:
        entries = record.entries
        self._said = " ".join(_plain(one.text) for one in entries if one.text).casefold()
        people = [name for one in entries for name in _people(one)] + list(record.people)
        named = {*people, *(thing for one in entries for thing in _things(one))}
        known = {_pattern(_plain(one)) for one in named if _says(one)}
        known |= set(islice((piece for one in entries for piece in _pieces(one.text or "")), _PIECES))
        parts = {rf"(?-i:(?<![^\W_]){re.escape(part)}(?![^\W_]))" for one in people for part in _parts(one)}
        longest_first = sorted(known, key=lambda pattern: (-len(pattern), pattern))
        self._pattern = re.compile("|".join([*_ANYBODY, *longest_first, *sorted(parts)]), re.IGNORECASE)

    def __call__(self, text: str) -> str:
        text = _QUOTED.sub(self._without_quote, unicodedata.normalize("NFC", text))
        return self._pattern.sub(REMOVED, text).strip()

    def _without_quote(self, match: re.Match[str]) -> str:
        """A passage in quotation marks stays only where it is known not to be the item's."""
        passage = _plain(next(one for one in match.groups() if one is not None)).casefold()
        return REMOVED if not self._said or passage in self._said else match[0]


def _plain(text: str) -> str:
    """In one form, with single spaces; a handle without its @."""
    return " ".join(unicodedata.normalize("NFC", text).split()).removeprefix("@")


def _says(name: str) -> bool:
    return any(character.isalnum() for character in name)


def _people(entry: Moderation) -> Iterator[str]:
    yield from (one for one in (entry.author_name, entry.author_handle, entry.detected_by) if one)


def _things(entry: Moderation) -> Iterator[str]:
    """What leads to somebody."""
    named = (
        entry.author_id,
        entry.item_id,
        entry.item_url,
        entry.case,
        entry.exhibit,
        entry.escalated_reference,
    )
    yield from (one for one in named if one)


def _pieces(text: str) -> Iterator[str]:
    """Patterns of what an item says: whole where it is short, and its lines, long ones in pieces."""
    if len(text) <= _PIECE_CHARACTERS and _says(text):
        yield _pattern(_plain(text))
    for line in text.splitlines():
        is_cut = len(line) > _PIECE_CHARACTERS
        for start in range(0, len(line), _PIECE_CHARACTERS):
            piece = _plain(line[start : start + _PIECE_CHARACTERS])
            if _says(piece) and (is_cut or len(piece) >= _SHORTEST_LINE):
                yield _pattern(piece, is_word=not is_cut)


def _parts(name: str) -> Iterable[str]:
    """The words of a name that begin with a capital: somebody is often called by one of them."""
    words = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", name))
    return (one for one in words if len(one) >= _SHORTEST_PART and one[0].isupper())


def _pattern(name: str, *, is_word: bool = True) -> str:
    """The name wherever it stands; one that begins or ends with a Latin letter or a digit, as a word."""
    before = r"(?<![^\W_])" if is_word and name[0].isascii() and name[0].isalnum() else ""
    after = r"(?![^\W_])" if is_word and name[-1].isascii() and name[-1].isalnum() else ""
    return before + r"\s+".join(map(re.escape, name.split())) + after
