"""What all flat forms share: times and lists as text, and rows of CSV files that are safe to open."""

import csv
import io
import re
import string
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

from archiver.csv_guard import with_guard
from archiver.errors import UsageError
from archiver.evidence.model import Medium, Person, Production
from archiver.times import format_time
from archiver.uk_time import format_uk_time

REPLACEMENT: Final = "\ufffd"
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")
_LINE_BREAKS: Final = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_KNOWN_TIMES: Final = 4096
_SURE: Final = frozenset(string.ascii_letters + string.digits)
"""What begins no formula: asked here, as half of a table's time would go to asking elsewhere."""


def plain(text: str) -> str:
    """The text without what is none: NUL, at which programs stop, and halves of characters, which UTF-8
    cannot hold, become U+FFFD."""
    return _NO_TEXT.sub(REPLACEMENT, text)


def in_one_line(text: str, instead: str = " ") -> str:
    """The text with every line break as something else."""
    return _LINE_BREAKS.sub(instead, text)


@lru_cache(_KNOWN_TIMES)
def utc(milliseconds: int | None) -> str:
    """As `2026-11-01T03:00:00.000Z`; empty for none. A time past the year 9999, which no calendar writes, is
    given as its number."""
    if milliseconds is None:
        return ""
    try:
        return format_time(milliseconds)
    except OverflowError:
        return f"{milliseconds} ms"


@lru_cache(_KNOWN_TIMES)
def uk(milliseconds: int | None) -> str:
    """As `2026-07-01 13:00:00 BST`; empty for none, and for a time outside the years 1 to 9999."""
    if milliseconds is None or utc(milliseconds).endswith(" ms"):
        return ""
    return format_uk_time(milliseconds)


def number(value: int | None) -> str:
    """Empty where it is not known."""
    return "" if value is None else str(value)


def joined(values: Iterable[str | None]) -> str:
    """What says something, parted by `; `."""
    return "; ".join([one for one in values if one])


def person_in_words(person: Person) -> str:
    """As `Name @handle (id)`, of what is known."""
    handle = f"@{person.handle}" if person.handle else ""
    number = f"({person.id})" if person.id else ""
    return " ".join([part for part in (person.name, handle, number) if part])


def medium_in_words(medium: Medium) -> str:
    """Where the pack holds it, or its name and why it does not."""
    if medium.path is not None:
        return medium.path
    return f"{medium.file_name or medium.media_type} (missing: {medium.missing or 'not in this pack'})"


class CsvRows:
    """Rows as lines of a CSV file (RFC 4180) in UTF-8, their cells guarded against being run as formulas.
    With `one_line` no cell holds a line break, so that each line of the file is a row."""

    def __init__(self, *, one_line: bool = False) -> None:
        self._buffer = io.StringIO(newline="")
        self._write: Callable[[Sequence[str]], object] = csv.writer(
            self._buffer, lineterminator="\r\n"
        ).writerow
        self._one_line = one_line

    def __call__(self, cells: Sequence[str]) -> bytes:
        return self.ended(self.part(cells))

    def part(self, cells: Sequence[str]) -> str:
        """Cells beside each other, as they begin or end a line: several parts are joined by a comma."""
        part = self._written(cells)
        if "\0" in part or not _is_text(part) or (self._one_line and len(part.splitlines()) > 1):
            cells = [plain(cell) for cell in cells]
            part = self._written([in_one_line(cell) for cell in cells] if self._one_line else cells)
        return part

    @staticmethod
    def ended(line: str) -> bytes:
        """A whole line of parts."""
        return f"{line}\r\n".encode()

    def _written(self, cells: Sequence[str]) -> str:
        self._buffer.seek(0)
        self._buffer.truncate()
        self._write([cell if not cell or cell[0] in _SURE else with_guard(cell) for cell in cells])
        return self._buffer.getvalue()[:-2]


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def refuse_public(production: Production, file: str) -> None:
    """Raise UsageError where the pack is for the public: the file says what identifies people."""
    if production.public:
        raise UsageError(
            f"{file} is no part of a pack for the public: it says who people are and where records lie",
            "for the public there are records.csv and report.html",
        )
