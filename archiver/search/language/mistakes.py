"""What is wrong with a query, shown under it: a caret where, and what was expected."""

import unicodedata
from typing import NamedTuple

from archiver.errors import UsageError
from archiver.search.language.tree import Span

WIDTH = 76
"""Columns of a terminal that a shown query takes at most."""
_BEFORE = 30
"""Columns of what stands before the place that are shown of a query too long to be shown whole."""
_LONGEST_NAMED = 40


class QueryMistake(UsageError):  # noqa: N818  # it is one of the person who typed
    """A query that cannot be read. The message has three lines: the sentence, the query, carets under the
    place. `span` lies in `query`; it is empty only where something is missing at the end."""

    def __init__(self, query: str, span: Span, what: str, expected: str) -> None:
        line, carets = pointed(query, span)
        super().__init__(f"{what}\n  {line}\n  {carets}", expected)
        self.query = query
        self.span = span
        self.what = what
        self.expected = expected


class _Cell(NamedTuple):
    """One character as a terminal shows it, and the columns it takes."""

    shown: str
    width: int


def pointed(query: str, span: Span) -> tuple[str, str]:
    """The query in one line of at most `WIDTH` columns, and the line of carets that belongs under it."""
    cells = [_cell(character) for character in query]
    first, last = _window(cells, span)
    line = "".join(cell.shown for cell in cells[first:last])
    column = sum(cell.width for cell in cells[first : span.start])
    marked = sum(cell.width for cell in cells[span.start : min(span.end, last)])
    if first > 0:
        line, column = "…" + line, column + 1
    if last < len(cells):
        line += "…"
    return line, " " * column + "^" * max(1, marked)


def named(text: str) -> str:
    """What somebody typed, to be named in a sentence: in one line, nothing invisible, and not long."""
    if len(text) > _LONGEST_NAMED:
        text = text[: _LONGEST_NAMED - 1] + "…"
    return "".join(_cell(character).shown for character in text)


def _window(cells: list[_Cell], span: Span) -> tuple[int, int]:
    """From which character to which a query is shown: the place and what is around it, a column left at
    either side."""
    if sum(cell.width for cell in cells) <= WIDTH:
        return 0, len(cells)
    left = WIDTH - 2
    last = span.start
    while last < span.end and cells[last].width <= left - _BEFORE:
        left -= cells[last].width
        last += 1
    first, before = span.start, 0
    while first > 0 and before + cells[first - 1].width <= _BEFORE:
        first -= 1
        before += cells[first].width
    left -= before
    while last < len(cells) and cells[last].width <= left:
        left -= cells[last].width
        last += 1
    while first > 0 and cells[first - 1].width <= left:
        first -= 1
        left -= cells[first].width
    return first, last


def _cell(character: str) -> _Cell:
    """Control characters get Unicode's pictures of them; what is invisible or turns the line a sign."""
    if character.isascii():
        if character.isprintable():
            return _Cell(character, 1)
        return _Cell("\u2421" if character == "\x7f" else chr(0x2400 + ord(character)), 1)
    category = unicodedata.category(character)
    if category in ("Mn", "Me"):
        # Variation selectors would make a sign wider than it is counted.
        return _Cell("" if "\ufe00" <= character <= "\ufe0f" else character, 0)
    if "\u1160" <= character <= "\u11ff":  # the later letters of a Korean syllable stand in its first
        return _Cell(character, 0)
    if category == "Zs":
        return _Cell(" ", 1) if character != "\u3000" else _Cell("  ", 2)
    if category[0] in ("C", "Z"):
        return _Cell("\ufffd", 1)
    return _Cell(character, 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1)
