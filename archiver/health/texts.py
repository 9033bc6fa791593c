"""How notices are written: plain lines of at most 78 characters, which a phone shows whole and a screen
reader reads in order; no columns, no rulers."""

import textwrap
from collections.abc import Iterable
from typing import Final

from archiver.notify.base import one_line
from archiver.times import as_datetime

WIDTH: Final = 78
MOST_SENTENCES: Final = 20
MOST_CHARACTERS: Final = 600
"""Of one sentence: what a server or a file name brought in ends somewhere."""


def paragraph(text: str) -> list[str]:
    """A text as lines; a line of it begins a line here. Whatever cannot be printed is left out."""
    lines: list[str] = []
    for line in text.splitlines():
        lines += textwrap.wrap(one_line(line, MOST_CHARACTERS), WIDTH, break_on_hyphens=False)
    return lines


def items(sentences: Iterable[str], most: int = MOST_SENTENCES) -> list[str]:
    """Sentences as a list, each begun with a hyphen, the first of them."""
    all_of_them = list(sentences)
    lines: list[str] = []
    for sentence in all_of_them[:most]:
        first, *rest = paragraph(sentence) or [""]
        said = textwrap.wrap(" ".join([first, *rest]), WIDTH - 2, break_on_hyphens=False)
        lines += [f"{'- ' if number == 0 else '  '}{line}" for number, line in enumerate(said)]
    left = len(all_of_them) - most
    return [*lines, f"- and {left:,} more"] if left > 0 else lines


def section(title: str, lines: Iterable[str]) -> list[str]:
    """A title, what belongs to it, and an empty line; nothing where there is nothing."""
    found = list(lines)
    return [title, *found, ""] if found else []


def day(milliseconds: int) -> str:
    """As `26 November 2026`, in UTC."""
    moment = as_datetime(milliseconds)
    return f"{moment.day} {moment:%B %Y}"


def day_and_time(milliseconds: int) -> str:
    """As `26 November 2026, 03:00 UTC`."""
    return f"{day(milliseconds)}, {as_datetime(milliseconds):%H:%M} UTC"


def number_of(number: int, one: str, many: str | None = None) -> str:
    """As `1 archive`, `2,000 archives`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
