"""How `archiver show` writes times, fields, texts and differences for a person to read."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import click

from archiver.cli._session import colours, one_line, printable
from archiver.search.record.differences import Differences, Piece
from archiver.times import format_time
from archiver.uk_time import format_uk_time

_WIDTH = 18
_PARTS = re.compile(r"\n|[^\S\n]+|\S+")
_MARKS = {"removed": ("[-", "-]", "red"), "added": ("{+", "+}", "green")}


def in_both_times(milliseconds: int) -> str:
    """As `2026-07-01 12:00:00 UTC, 2026-07-01 13:00:00 BST`."""
    utc = format_time(milliseconds)[:19].replace("T", " ")
    return f"{utc} UTC, {format_uk_time(milliseconds)}"


def field(name: str, value: object, indent: int = 2) -> str:
    """A name and what it says, on one line."""
    return " " * indent + f"{name:{_WIDTH}}" + one_line(str(value))


def in_words(value: Any) -> str:
    """What a field says; nothing is said to be so."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def indented(text: str, indent: int = 2) -> str:
    """A text of several lines. On a terminal long ones go on below at a space, not inside a word."""
    margin = " " * indent
    lines = printable(text).split("\n")
    if sys.stdout.isatty():
        lines = [part for line in lines for part in _wrapped(line, columns() - indent)]
    return "\n".join(margin + line for line in lines)


def _wrapped(line: str, width: int) -> list[str]:
    """At least one line, with every space kept but where it goes on."""
    return textwrap.wrap(line, width, replace_whitespace=False, break_on_hyphens=False) or [""]


def differences_in_words(differences: Differences) -> Iterator[str]:
    """What differs, a line for each field."""
    if differences.text:
        yield "    text"
        yield indented(marked(differences.text), 6) if not colours() else _coloured(differences.text)
    for change in differences.fields:
        name = change.name.removesuffix("_ms").replace("_", " ")
        old, new = change.before, change.after
        if change.name.endswith("_ms"):
            old, new = (None if one is None else in_both_times(one) for one in (old, new))
        line = field(name, f"{in_words(old)} -> {in_words(new)}", 4)
        if len(line) > columns() and not change.name.endswith("_ms"):
            yield field(name, in_words(old), 4)
            yield field("", f"-> {in_words(new)}", 1)
        else:
            yield line


def marked(pieces: Iterable[Piece]) -> str:
    """`What [-was-]{+is+} there`, as git and wdiff write it."""
    return "".join(
        piece.text if piece.kind == "same" else f"{_MARKS[piece.kind][0]}{piece.text}{_MARKS[piece.kind][1]}"
        for piece in pieces
    )


def _coloured(pieces: Iterable[Piece]) -> str:
    """In colours beside the signs, as not everybody sees colours; on a new line where one is full."""
    margin = " " * 6
    shown, column = [margin], len(margin)
    for piece in pieces:
        lines = [""]
        for part in _PARTS.findall(printable(marked([piece]))):
            if part == "\n" or (column + len(part) > columns() and part.strip()):
                lines.append("")
                column = len(margin)
            if part != "\n":
                lines[-1] += part
                column += len(part)
        colour = None if piece.kind == "same" else _MARKS[piece.kind][2]
        shown.append(
            f"\n{margin}".join(click.style(one, fg=colour) if one and colour else one for one in lines)
        )
    return "".join(shown)


def columns() -> int:
    """How wide the terminal is; 80 where there is none."""
    return max(60, shutil.get_terminal_size((80, 24)).columns)
