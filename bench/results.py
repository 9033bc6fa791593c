"""What was measured, as the tables of bench/RESULTS.md."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import NamedTuple

NOTHING = "—"
_INTRODUCTION = (
    "Every ratio is of two measurements of this one run, on this one machine, one after the other, nothing in"
    " parallel. The peer is SQLCipher with FTS5 over the same export, with the verbatim JSON kept; for the"
    " streams it is the age program, for collecting tweepy, for uploads boto3. MB are powers of ten."
)


@dataclass(frozen=True)
class Asked:
    """A limit: a value may at most be this, or must at least be."""

    limit: float
    unit: str = ""
    at_least: bool = False

    def met_by(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {with_unit(f'{self.limit:g}', self.unit)}"


@dataclass(frozen=True)
class Row:
    """One row of the table. `value` is the ratio, or what is asked about; None where it was not measured,
    and then `ours` says why. `meaning` is the sentence that says what was measured."""

    what: str
    counts: str
    ours: str
    peer: str
    value: float | None
    meaning: str
    asked: Asked | None = None
    unit: str = ""

    @property
    def reached(self) -> str:
        if self.value is None:
            return "not measured"
        if self.asked is None:
            return NOTHING
        return "yes" if self.asked.met_by(self.value) else "no"

    def cells(self) -> list[str]:
        value = NOTHING if self.value is None else with_unit(significant(self.value), self.unit)
        asked = NOTHING if self.asked is None else str(self.asked)
        return [self.what, self.counts, self.ours, self.peer, value, asked, self.reached]


class Detail(NamedTuple):
    """A further table, and a sentence before it."""

    title: str
    text: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Report:
    """The whole of a run."""

    day: date
    machine: Sequence[str]
    counts: Sequence[str]
    rows: Sequence[Row]
    details: Sequence[Detail]

    def markdown(self) -> str:
        """The file's text."""
        header = ["what", "counts", "ours", "peer", "ratio or value", "asked", "reached"]
        parts = [
            "# Results",
            f"Written by `make bench` on {self.day.isoformat()}. {_INTRODUCTION}",
            "\n".join(f"- {line}" for line in (*self.machine, *self.counts)),
            table(header, [row.cells() for row in self.rows]),
            "## What each row is",
            "\n".join(f"- **{row.what}**: {row.meaning}" for row in self.rows),
        ]
        for detail in self.details:
            parts += [f"## {detail.title}", detail.text, table(detail.header, detail.rows)]
        return "\n\n".join(parts) + "\n"

    def missed(self) -> list[str]:
        """What was asked for and not reached, or not measured."""
        return [row.what for row in self.rows if row.reached in ("no", "not measured")]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped, a line's end becomes a space."""
    lines = [_line(header), "|" + " --- |" * len(header)]
    return "\n".join([*lines, *(_line(row) for row in rows)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def with_unit(number: str, unit: str) -> str:
    """`15 ms`; a ratio has no unit."""
    return f"{number} {unit}" if unit else number


def significant(value: float) -> str:
    """Three digits that mean something, and never fewer than the whole number: `0.0427`, `3.14`, `1,234`."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"


def megabytes(size: float) -> str:
    """Bytes as `1,234 MB`."""
    return f"{significant(size / 1e6)} MB"


def machine() -> list[str]:
    """What the figures depend on; nothing that names the machine."""
    import apsw

    minute, five_minutes, _ = os.getloadavg()
    load = f"load before the run {minute:.1f} (1 minute), {five_minutes:.1f} (5 minutes)"
    ours = f"Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()} in archives"
    return [
        f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, {platform.system()}; {load}",
        f"{ours}, {_peer_versions()}, {_age_version()}",
    ]


def _peer_versions() -> str:
    try:
        sqlcipher3 = import_module("sqlcipher3")
    except ImportError:
        return "no SQLCipher here"
    connection = sqlcipher3.connect(":memory:")
    version = connection.execute("PRAGMA cipher_version").fetchone()[0]
    connection.close()
    return f"SQLCipher {version} with SQLite {sqlcipher3.sqlite_version}"


def _age_version() -> str:
    program = shutil.which("age")
    if program is None:
        return "no age program here"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - found on PATH, no shell
    return f"age {done.stdout.strip().removeprefix('v') or 'of an unknown version'}"
