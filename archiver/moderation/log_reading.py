"""A log's file, opened: what it is, its hash, its columns; then its rows one at a time.

The file is read twice, for its hash and columns and then for its rows. What is wrong with the whole of it
(no header, a column that a mapping names and that is not there) is raised before any row.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from archiver.disk import os_errors_reported
from archiver.errors import ConfigurationError, SourceError, UsageError
from archiver.moderation.exporting import COLUMN_NAMES, RECORD_COLUMNS
from archiver.moderation.log_lines import (
    BadRow,
    Lines,
    Row,
    csv_rows,
    json_columns,
    json_rows,
    read_header,
)
from archiver.moderation.mapping import OF_AN_EXPORT, Format, LogMapping

__all__ = ["BadRow", "Log", "Row", "open_log"]

_ENDINGS: Final[Mapping[str, Format]] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_COUNT: Final = "entries"
"""A column that every row of an export of records has, and no log that was kept by hand."""
_OF_ENTRIES: Final = COLUMN_NAMES - {*RECORD_COLUMNS}
"""What only single entries have."""


@dataclass(frozen=True)
class Log:
    """An open log. `sha256` is of the whole file."""

    path: Path
    sha256: str
    columns: tuple[str, ...]
    _file: BinaryIO
    _format: Format
    _mapping: LogMapping

    @property
    def is_guarded(self) -> bool:
        """Whether its cells were guarded against spreadsheets, as those of an exported CSV file are."""
        return self._mapping.is_own and self._format == "csv"

    @property
    def is_export(self) -> bool:
        """Whether it is an export of this register's records, all of whose columns are taken as they stand:
        what they do not say is not so."""
        return self._mapping.is_own and (_COUNT in self.columns or {*OF_AN_EXPORT} <= {*self.columns})

    def rows(self) -> Iterator[Row | BadRow]:
        """Every row but empty ones, once. Raise SourceError at the end where the file was changed while it
        was read: what was given then is not what `sha256` names."""
        lines = Lines(self._file, self.path)
        if self._format == "csv":
            read_header(lines, self._mapping)
            yield from csv_rows(lines, self.columns, self._mapping)
        else:
            yield from json_rows(lines, self._mapping)
        if lines.sha256() != self.sha256:
            raise SourceError(f"{self.path} was changed while it was read", "import it again")


@contextmanager
def open_log(path: Path, mapping: LogMapping) -> Iterator[Log]:
    """The log at `path`, looked through once. Raise UsageError for a file that is neither CSV nor JSON lines
    by its ending and the mapping, and for an export of single entries; SourceError for an empty one;
    ConfigurationError where its columns are not what the mapping says."""
    form = mapping.format or _ENDINGS.get(path.suffix.lower())
    if form is None:
        raise UsageError(
            f"{path.name} does not end in .csv, .jsonl or .ndjson",
            'say in a mapping what it is: format = "csv"',
        )
    with os_errors_reported("reading", path):
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is not a file", "name the log itself")
        file = path.open("rb")
    with file:
        yield _look_through(path, file, form, mapping)


def _look_through(path: Path, file: BinaryIO, form: Format, mapping: LogMapping) -> Log:
    """Read the file once: its hash, its columns, whether it has a row at all."""
    lines = Lines(file, path)
    if form == "csv":
        columns = read_header(lines, mapping)
        has_rows = any(line.strip() for _, line in lines)
    else:
        columns, has_rows = json_columns(lines, mapping)
    digest = lines.sha256()
    if not has_rows:
        raise SourceError(f"{path.name} has a header and no row" if columns else f"{path.name} is empty")
    _check_columns(path.name, columns, mapping)
    return Log(path, digest, columns, file, form, mapping)


def _check_columns(name: str, columns: tuple[str, ...], mapping: LogMapping) -> None:
    """Say at once which columns are missing, or with a log that is called as our own which are not ours."""
    if not columns:  # not one line is JSON: each is told of
        return
    if mapping.is_own:
        entries = [repr(one) for one in columns if one in _OF_ENTRIES]
        if entries:
            raise UsageError(
                f"{name} holds single entries, not records: it has {', '.join(entries)}",
                "export the records without --entries; if it is another log, say what its columns are:"
                " --mapping FILE",
            )
        known = {*mapping.columns.values(), *COLUMN_NAMES}
        strange = [repr(one) for one in columns if one not in known]
        if strange:
            raise ConfigurationError(
                f"{name} has columns that this program does not know: {', '.join(strange[:50])}",
                "say what they are in a mapping: --mapping FILE, as config/moderation-log.sample.toml",
            )
        return
    missing = [f"{their!r} ({our})" for our, their in mapping.columns.items() if their not in columns]
    if missing:
        raise ConfigurationError(
            f"{name} lacks columns that the mapping names: {', '.join(missing)}",
            f"it has: {', '.join(repr(one) for one in columns[:50])}",
        )
