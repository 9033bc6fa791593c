"""The lines of a log and its rows: CSV (RFC 4180), and JSON lines, each with the line it begins on.

What is wrong with one row is said of that row, and reading goes on with the next line. Nothing here holds
more than one row, and no row is larger than 2 MiB.
"""

import json
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from archiver.disk import translate_os_error
from archiver.errors import ConfigurationError, SourceError
from archiver.moderation.mapping import LogMapping

CELL_BYTES: Final = 1024 * 1024
ROW_BYTES: Final = 2 * 1024 * 1024
COLUMNS: Final = 1000
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_BLOCK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class Row:
    """Its cells that are not empty, verbatim, by the names of their columns."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be taken, with everything that was found wrong in it."""

    line: int
    problems: tuple[str, ...]


class RowError(Exception):
    """What is wrong with one row; caught in this module."""


class Lines:
    """The file's lines from its beginning, with their numbers. One that is too long is cut. What was put back
    comes again."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.path = path
        self._file = file
        self._digest = sha256()
        self._number = 0
        self._again: deque[tuple[int, bytes]] = deque()
        file.seek(0)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        while (line := self.next()) is not None:
            yield line

    def next(self) -> tuple[int, bytes] | None:
        """The next line with its end; None after the last."""
        if self._again:
            return self._again.popleft()
        line = self._read(ROW_BYTES + 1)
        if not line:
            return None
        self._number += 1
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = self._read(_BLOCK_BYTES)
        return self._number, line.removeprefix(_BOM) if self._number == 1 else line

    def _read(self, size: int) -> bytes:
        """Up to the end of the line, or so many bytes."""
        try:
            line = self._file.readline(size)
        except OSError as error:
            raise translate_os_error(error, "reading", self.path) from error
        self._digest.update(line)
        return line

    def put_back(self, lines: list[tuple[int, bytes]]) -> None:
        self._again.extendleft(reversed(lines))

    def sha256(self) -> str:
        """Of the whole file, read to its end."""
        while self._read(_BLOCK_BYTES):
            pass
        return self._digest.hexdigest()


# CSV


def read_header(lines: Lines, mapping: LogMapping) -> tuple[str, ...]:
    """The names of the columns; one without a name is called after its place. Raise SourceError for a file
    that is no CSV, ConfigurationError for a name given twice."""
    name = lines.path.name
    first = next((line for line in lines if line[1].strip()), None)
    if first is None:
        return ()
    if first[1].startswith(_UTF16):
        raise SourceError(f"{name} is UTF-16 text", "save it as CSV in UTF-8")
    try:
        cells = _csv_cells(first, lines, mapping)
    except RowError as error:
        raise SourceError(f"{name}, line {first[0]}, the header: {error}") from error
    if len(cells) > COLUMNS:
        raise SourceError(f"{name} has {len(cells):,} columns, and {COLUMNS:,} are taken at most")
    names = tuple(cell.strip() or f"column {place}" for place, cell in enumerate(cells, start=1))
    twice = [repr(one) for one, times in Counter(names).items() if times > 1]
    if twice:
        raise ConfigurationError(
            f"{name} has two columns of one name: {', '.join(twice)}", "give each a name of its own"
        )
    return names


def csv_rows(lines: Lines, columns: tuple[str, ...], mapping: LogMapping) -> Iterator[Row | BadRow]:
    for first in lines:
        if not first[1].strip():
            continue
        try:
            cells = _csv_cells(first, lines, mapping)
            if len(cells) != len(columns):
                cell = "cell" if len(cells) == 1 else "cells"
                raise RowError(f"it has {len(cells):,} {cell}, and the header has {len(columns):,}")
        except RowError as error:
            yield BadRow(first[0], (str(error),))
            continue
        filled = {name: cell for name, cell in zip(columns, cells, strict=True) if cell}
        if any(cell.strip() for cell in filled.values()):
            yield Row(first[0], filled)


def _csv_cells(first: tuple[int, bytes], lines: Lines, mapping: LogMapping) -> list[str]:
    """One row's cells, which may go on over lines (RFC 4180, 2.6): its quotes are even in number. Where that
    is not so, the lines after its first are put back, and the next row begins there."""
    taken = [first]
    size, quotes = len(first[1]), first[1].count(b'"')
    try:
        while quotes % 2 and size <= ROW_BYTES:
            if (following := lines.next()) is None:
                raise RowError("a quote is opened in it and never closed")
            taken.append(following)
            size, quotes = size + len(following[1]), quotes + following[1].count(b'"')
        return _split_row(b"".join(line for _, line in taken), mapping)
    except RowError:
        lines.put_back(taken[1:])
        raise


def _split_row(data: bytes, mapping: LogMapping) -> list[str]:
    """The cells of a row whose quotes are even in number."""
    if len(data) > ROW_BYTES:
        raise RowError(f"it is longer than {ROW_BYTES:,} bytes, or a quote in it is never closed")
    data = data.removesuffix(b"\n").removesuffix(b"\r")
    pattern = _cell_pattern(mapping.delimiter)
    cells: list[str] = []
    place = 0
    while place <= len(data):
        match = pattern.match(data, place)
        if match is None:
            raise RowError(
                "its quotes are not balanced"
                if b'"' in data
                else "a line feed or carriage return stands in a cell without quotes"
            )
        quoted, plain, end = match.groups()
        cell = plain if quoted is None else quoted.replace(b'""', b'"')
        cells.append(_decoded(cell, f"cell {len(cells) + 1}", mapping))
        place = match.end() if end else len(data) + 1
    return cells


@cache
def _cell_pattern(delimiter: str) -> re.Pattern[bytes]:
    """A cell in quotes, or one without, and what ends it. Nothing is gone back over: a row of quotes costs no
    more than any."""
    return re.compile(
        rb'(?:"([^"]*+(?:""[^"]*+)*+)"|([^"\r\n%b]*+))(%b|\Z)' % ((re.escape(delimiter.encode()),) * 2)
    )


def _decoded(cell: bytes, what: str, mapping: LogMapping) -> str:
    if len(cell) > CELL_BYTES:
        raise RowError(f"{what} is larger than the {CELL_BYTES:,} bytes it may have")
    if b"\0" in cell:
        raise RowError(f"{what} has NUL bytes")
    try:
        return cell.decode(mapping.encoding)
    except UnicodeDecodeError as error:
        raise RowError(
            f"{what} is no {mapping.encoding} text; the mapping says what it is: encoding"
        ) from error


# JSON lines


def json_columns(lines: Lines, mapping: LogMapping) -> tuple[tuple[str, ...], bool]:
    """Every key that any line has, and whether there is a line. What is no JSON is told of later."""
    columns: dict[str, None] = {}
    has_rows = False
    for _, line in lines:
        if line.startswith(_UTF16):
            raise SourceError(f"{lines.path.name} is UTF-16 text", "save it in UTF-8")
        if not line.strip():
            continue
        has_rows = True
        with suppress(RowError):
            columns |= dict.fromkeys(_json_cells(line, mapping, only_names=True))
        if len(columns) > COLUMNS:
            raise SourceError(f"{lines.path.name} has more than {COLUMNS:,} different keys")
    return tuple(columns), has_rows


def json_rows(lines: Lines, mapping: LogMapping) -> Iterator[Row | BadRow]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            cells = _json_cells(line, mapping)
        except RowError as error:
            yield BadRow(number, (str(error),))
            continue
        if any(cell.strip() for cell in cells.values()):
            yield Row(number, cells)


def _json_cells(line: bytes, mapping: LogMapping, *, only_names: bool = False) -> dict[str, str]:
    """One object's values: texts as they are, others as JSON writes them; without those that are null."""
    if len(line) > ROW_BYTES:
        raise RowError(f"it is longer than {ROW_BYTES:,} bytes")
    try:
        text = line.decode(mapping.encoding)
        json.loads(text, object_pairs_hook=_each_once)
        found = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except UnicodeDecodeError as error:
        raise RowError(f"it is no {mapping.encoding} text; the mapping says what it is: encoding") from error
    except msgspec.ValidationError as error:
        raise RowError("it is JSON, but no object") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RowError("it is not JSON on one line") from error
    if only_names:
        return dict.fromkeys(found, "")
    return {name: cell for name, raw in found.items() if (cell := _json_cell(name, bytes(raw))) is not None}


def _json_cell(name: str, raw: bytes) -> str | None:
    if raw == b"null":
        return None
    cell = msgspec.json.decode(raw, type=str) if raw.startswith(b'"') else raw.decode()
    if len(raw) > CELL_BYTES:
        raise RowError(f"{name!r} is larger than the {CELL_BYTES:,} bytes it may have")
    if "\0" in cell:
        raise RowError(f"{name!r} has NUL characters")
    return cell or None


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RowError("it has a key twice")
    return found
