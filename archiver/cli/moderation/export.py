"""`archiver moderation export`: records as CSV, JSON lines or statements of reasons."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import printable
from archiver.cli.moderation._lines import number_of
from archiver.cli.moderation._reading import find_sources, open_sources, spooled_records
from archiver.disk import new_file
from archiver.errors import UsageError
from archiver.moderation.dsa import dsa_statements
from archiver.moderation.exporting import (
    Selection,
    csv_entries,
    csv_records,
    json_entries,
    json_records,
    selected_entries,
    selected_records,
)
from archiver.records import Moderation
from archiver.register import ModerationRecord
from archiver.search.query import parse_dates
from archiver.settings_moderation import ModerationSettings
from archiver.wiring import read_register


@dataclass(frozen=True)
class _Export:
    """What is written, how much of it, and what was left out for which reason."""

    lines: Iterable[bytes]
    number: int
    of: str
    left_out: Mapping[str, int] = field(default_factory=dict)


@click.command(
    "export",
    epilog=examples(
        "archiver moderation export -o records.csv",
        "archiver moderation export --format jsonl --account SpringfieldPD --since 2026-10-01",
        "archiver moderation export --format dsa --since 2026-10-01 --until 2026-10-31 -o statements.json",
    ),
)
@click.option(
    "--format", "form", type=click.Choice(["csv", "jsonl", "dsa"]), default="csv", show_default=True
)
@click.option("--account", metavar="ID|HANDLE", help="Only of this account.")
@click.option("--since", metavar="DAY", help="Entered on this day (in UTC) or later.")
@click.option("--until", metavar="DAY", help="Entered on this day or before.")
@click.option("--entries", is_flag=True, help="Every entry by itself, later ones too.")
@click.option("--open", "only_open", is_flag=True, help="Only what is not sealed yet; needs no key.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A new file; else standard output.",
)
@pass_session
def command(
    session: Session,
    form: str,
    account: str | None,
    since: str | None,
    until: str | None,
    entries: bool,
    only_open: bool,
    output: Path | None,
) -> int:
    """Write records, each as it stands now with all that was put right, or with --entries every entry.

    csv is for spreadsheets: a cell that one would run as a formula begins with an apostrophe. Take in ids as
    text, or a spreadsheet rounds them. jsonl is for programs, every text as it is. Records can be imported
    again from both.

    dsa gives statements of reasons in the shape of the EU's transparency database, schema 2, of what was
    removed, hidden, blocked, muted or closed for comments. Author, text and address are not in it, and names,
    handles, addresses and telephone numbers that the record knows of are taken out of its reason. A person
    must read it before it goes anywhere: a name may stand in it that no record knows.

    What is written is readable by whoever has it. Keep it where records may be."""
    if entries and form == "dsa":
        raise UsageError("--entries and --format dsa exclude each other", "a statement is made of a record")
    selection = Selection(
        account=account,
        since_ms=None if since is None else parse_dates(since)[0],
        until_ms=None if until is None else parse_dates(until)[1],
    )
    records = _open_records(session) if only_open else _all_records(session)
    if form == "dsa":
        export = _statements(selected_records(records, selection), session.settings.moderation)
    elif entries:
        export = _entries(selected_entries(records, selection), form)
    else:
        export = _records(selected_records(records, selection), form)
    _write(export.lines, output)
    _report(session, export, output)
    return 0


def _open_records(session: Session) -> list[ModerationRecord]:
    """Records all of which lies in the spool. How many are not among them is said."""
    records, sealed = spooled_records(read_register(session.settings))
    if sealed:
        session.note(
            f"{number_of(len(sealed), 'record')} sealed, wholly or in part, and not in this export;"
            " without --open it has all, where a keyholder's identity is"
        )
    return [one.record for one in records]


def _all_records(session: Session) -> list[ModerationRecord]:
    """Every record, sealed and open, or none. Raise NoKeyError where archives that hold some cannot be
    opened, and what is wrong with the chain of archives: one that is missing may hold some."""
    sources = find_sources(session)
    sources.raise_problem()
    with open_sources(session, sources) as searcher:
        records = [one.record for one in searcher.moderation()]
    if not sources.here.is_here:
        session.note("no spool is at hand here: what is not sealed yet is not in this export")
    return records


def _entries(entries: Sequence[Moderation], form: str) -> _Export:
    lines = csv_entries(entries) if form == "csv" else json_entries(entries)
    return _Export(lines, len(entries), "entry")


def _records(records: Sequence[ModerationRecord], form: str) -> _Export:
    lines = csv_records(records) if form == "csv" else json_records(records)
    return _Export(lines, len(records), "record")


def _statements(records: Sequence[ModerationRecord], moderation: ModerationSettings) -> _Export:
    made = dsa_statements(records, moderation)
    text = json.dumps(made.document, ensure_ascii=False, indent=2)
    return _Export([text.encode() + b"\n"], len(made.document["statements"]), "statement", made.left_out)


def _write(lines: Iterable[bytes], output: Path | None) -> None:
    """To a new file, whole or not at all, for its owner's eyes only; or to standard output."""
    if output is not None:
        with new_file(output) as file:
            for line in lines:
                file.write(line)
        return
    for line in lines:
        sys.stdout.buffer.write(line)
    sys.stdout.flush()


def _report(session: Session, export: _Export, output: Path | None) -> None:
    """How much was written and what was left out. Standard output is for the records where no file is."""
    if session.json:
        fields = {"type": "moderation_export", "of": export.of, "number": export.number}
        line = json.dumps({**fields, "left_out": dict(export.left_out)})
        click.echo(line, err=output is None)
        return
    many = "entries" if export.of == "entry" else f"{export.of}s"
    where = "" if output is None else f" in {output}"
    session.note(printable(f"{export.number:,} {export.of if export.number == 1 else many}{where}"))
    for why, number in sorted(export.left_out.items()):
        session.note(f"  left out {number_of(number, 'record')}: {why}")
    if export.of == "statement" and export.number:
        session.note(
            "Read every statement before it goes anywhere: a name may stand in it that no record knows."
        )
