"""The parts that a report is made of, as lists that `report.typ` sets: sections, fields, texts, tables.

Every text in them has gone through `characters.runs`. Times are shown in UTC and UK time.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from archiver.evidence.model import REDACTED, Person
from archiver.evidence.paper.characters import MOST_MARKS, Run, direction, is_piled, runs
from archiver.evidence.paper.pictures import Wrapped
from archiver.search.record.differences import Piece
from archiver.times import format_time
from archiver.uk_time import format_uk_time

Block = list[Any]
"""Its kind and what is in it, as JSON."""
Field = tuple[str, str | None]
"""A label and what it says; None or nothing leaves it out."""
MOST_ALTERNATIVE: Final = 2000
"""Characters of what describes a picture to those who do not see it; it is printed in full beside. A string
in PDF/A-2 has at most 32,767 bytes (ISO 19005-2, 6.1.13)."""
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_LANGUAGES = {"iw": "he", "in": "id", "ji": "yi", "und": None, "zxx": None, "art": None}
"""Codes that platforms send and that are old, or say that it is not known."""


class Writer(Struct, frozen=True):
    """Makes blocks. `unprintable`: clusters that no font has. `pictures`: those that can be shown, by their
    paths in the pack; `broken`: why others cannot. `public`: for publication."""

    unprintable: frozenset[str]
    pictures: Mapping[str, tuple[str, Wrapped]]
    broken: Mapping[str, str]
    public: bool
    marks_redacted: bool
    """Whether `[redacted]` stands for what was taken out: in other packs these are somebody's own words."""

    def runs(self, text: str, most_marks: int | None = MOST_MARKS) -> list[Run]:
        """A text as it can be printed, what was taken out of it marked."""
        if not self.marks_redacted or REDACTED not in text:
            return runs(text, self.unprintable, most_marks)
        shown: list[Run] = []
        for number, part in enumerate(text.split(REDACTED)):
            shown += [("redacted", REDACTED)] if number else []
            shown += runs(part, self.unprintable, most_marks) if part else []
        return shown

    def fields(self, *rows: Field) -> list[Block]:
        """Labels and values; nothing where none says anything."""
        said = [[self.runs(label), self.runs(value)] for label, value in rows if value]
        return [["fields", said]] if said else []

    def text(self, text: str, language: str | None = None, by: str | None = None) -> list[Block]:
        """A text as it read, in a frame that its marks cannot leave; `by` says above it whose and when."""
        return [["text", self.paragraphs(text), language_of(language), self.runs(by) if by else None]]

    def paragraphs(self, text: str) -> list[list[Any]]:
        """Lines that are written in one direction together, each lot with its direction; a line with marks
        piled up is alone, as it is cut off above and below."""
        together: list[tuple[str, bool, list[str]]] = []
        for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
            way = direction(line) if line.strip() or not together else together[-1][0]
            piled = is_piled(line)
            if together and together[-1][:2] == (way, False) and not piled:
                together[-1][2].append(line)
            else:
                together.append((way, piled, [line]))
        return [[way, piled, self.runs("\n".join(lines), None)] for way, piled, lines in together]

    def pieces(self, pieces: Iterable[Piece]) -> list[Block]:
        """A changed text, with what was taken out and put in said in words and not by colour alone."""
        shown = [[one.kind, self.runs(one.text)] for one in pieces]
        return [["pieces", shown]] if shown else []

    def note(self, text: str) -> Block:
        return ["note", self.runs(text)]

    def table(self, widths: Sequence[int], head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[Block]:
        """A table with a head; `widths` are shares of the page. Nothing without rows."""
        body = [[self.runs(cell) for cell in row] for row in rows]
        return [["table", list(widths), list(head), body]] if body else []

    def person(self, person: Person) -> str:
        """As `Name, @handle, id 123`."""
        parts = [person.name, at(person.handle)]
        if person.id and not self.public:
            parts.append(f"id {person.id}")
        return ", ".join(part for part in parts if part) or "not known"


def at(handle: str | None) -> str | None:
    """A handle as it is written, with its @; what stands for one that was taken out has none."""
    return handle and (handle if handle.startswith(("@", "[")) else f"@{handle}")


def section(title: str, *lots: Iterable[Block]) -> list[Block]:
    """A heading and what is below it; nothing where that is nothing."""
    blocks = [block for lot in lots for block in lot]
    return [["section", title], *blocks] if blocks else []


def in_both_times(milliseconds: int | None) -> str | None:
    """As `2026-07-01 12:00:00 UTC (2026-07-01 13:00:00 BST)`."""
    if milliseconds is None:
        return None
    try:
        utc = format_time(milliseconds)[:19].replace("T", " ")
    except OverflowError:
        return f"{milliseconds} milliseconds after 1970, which is in no calendar"
    return f"{utc} UTC ({format_uk_time(milliseconds)})"


def language_of(code: str | None) -> str | None:
    """A language's code where it is one (ISO 639), for the fonts' shapes and for reading aloud. X has codes
    of its own that begin with q."""
    code = (code or "").lower().split("-")[0]
    if not _LANGUAGE.fullmatch(code) or (len(code) == 3 and code[0] == "q"):
        return None
    return _LANGUAGES.get(code, code)


def in_words(value: Any) -> str:
    """What a field says; nothing is said to be so."""
    if value is None or value in ("", [], ()):
        return "nothing"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def size_in_words(size: int | None) -> str | None:
    """As `1,204,331 bytes`."""
    return None if size is None else f"{size:,} bytes"
