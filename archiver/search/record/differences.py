"""What one version of a record says otherwise than the one before: its text by words, all else by fields."""

import re
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any, Literal, NamedTuple

from archiver.search.record import Version

_MOST_PAIRS = 1_000_000
"""Of words, or of lines, that are held against each other: at worst half a second. A post of 280 characters
has some 100 words and gaps; X's longest texts have 25,000 characters."""
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_OF_ONE_CAPTURE = frozenset({"version", "captured_ms", "text", "alt_text", "record_id"})
"""Fields that differ without the record saying anything else, or that are compared in another way. Texts
that describe pictures stand with the pictures."""


class Piece(NamedTuple):
    """A part of a text: in both versions, only in the one before, or only in this one."""

    kind: Literal["same", "removed", "added"]
    text: str


class Change(NamedTuple):
    """A field that differs: its column's name, or `links`, `media`, `people`; None where it says nothing."""

    name: str
    before: Any
    after: Any


class Differences(NamedTuple):
    """`text` is empty where the texts are alike."""

    text: tuple[Piece, ...]
    fields: tuple[Change, ...]


def find_differences(before: Version, after: Version) -> Differences:
    """What differs between two versions of one record."""
    old, new = (str(one.fields.get("text") or "") for one in (before, after))
    pieces = () if old == new else tuple(compare_texts(old, new))
    return Differences(pieces, tuple(_changes(before, after)))


def compare_texts(before: str, after: str) -> list[Piece]:
    """Both texts as one row of pieces, word by word. Very long ones are compared line by line, and those
    that are too long for that as a whole. The pieces that are not `added` give the text before, those that
    are not `removed` the text after."""
    if before == after:
        return [Piece("same", before)] if before else []
    for pattern in (_WORDS, _LINES):
        old, new = pattern.findall(before), pattern.findall(after)
        first, last = _alike(old, new)
        between = old[first : len(old) - last], new[first : len(new) - last]
        if len(between[0]) * len(between[1]) <= _MOST_PAIRS:
            head, tail = "".join(old[:first]), "".join(old[len(old) - last :])
            return _joined([Piece("same", head), *_compare(*between), Piece("same", tail)])
    return _joined([Piece("removed", before), Piece("added", after)])


def _alike(old: list[str], new: list[str]) -> tuple[int, int]:
    """How many parts at the beginning, and of the rest at the end, are the same."""
    first = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    ends = zip(reversed(old[first:]), reversed(new[first:]), strict=False)
    return first, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], ends))


def _compare(old: list[str], new: list[str]) -> Iterator[Piece]:
    for way, i, j, k, m in SequenceMatcher(None, old, new).get_opcodes():
        if way == "equal":
            yield Piece("same", "".join(old[i:j]))
        else:
            yield Piece("removed", "".join(old[i:j]))
            yield Piece("added", "".join(new[k:m]))


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Without empty ones. A gap between two words that changed changes with them: `two words` becoming
    `one other` reads better so than word for word."""
    pieces = [one for one in pieces if one.text]
    found: list[Piece] = []
    removed, added = "", ""
    for number, piece in enumerate(pieces):
        is_gap = piece.kind == "same" and piece.text in (" ", "\n") and bool(removed or added)
        if is_gap and number + 1 < len(pieces):
            removed, added = removed + piece.text, added + piece.text
        elif piece.kind == "same":
            found += [*_changed(removed, added), piece]
            removed, added = "", ""
        else:
            removed += piece.text if piece.kind == "removed" else ""
            added += piece.text if piece.kind == "added" else ""
    return [*found, *_changed(removed, added)]


def _changed(removed: str, added: str) -> Iterator[Piece]:
    if removed:
        yield Piece("removed", removed)
    if added:
        yield Piece("added", added)


# All else


def _changes(before: Version, after: Version) -> Iterator[Change]:
    for name in dict.fromkeys([*before.fields, *after.fields]):
        old, new = before.fields.get(name), after.fields.get(name)
        if name not in _OF_ONE_CAPTURE and old != new:
            yield Change(name, old, new)
    for name, describe in _BELOW.items():
        old, new = ([describe(row) for row in getattr(one, name)] for one in (before, after))
        if old != new:
            yield Change(name, old or None, new or None)


def _link(row: dict[str, Any]) -> str:
    return str(row["expanded"] or row["short"])


def _media(row: dict[str, Any]) -> str:
    """A picture by its name, with what describes it, or why it is missing: that it is there now is a
    change."""
    parts = [f"{row['media_type']} {row['file_name']}"]
    parts += [f'"{row["alt_text"]}"'] if row["alt_text"] else []
    parts += [f"MISSING: {row['missing']}"] if row["missing"] is not None else []
    return " ".join(parts)


def _person(row: dict[str, Any]) -> str:
    handle = f"@{row['handle']} " if row["handle"] else ""
    return f"{row['role']} {handle}{row['name'] or ''} ({row['user_id']})"


_BELOW: dict[str, Callable[[dict[str, Any]], str]] = {"links": _link, "media": _media, "people": _person}
