"""`archiver moderation export`: records as CSV, JSON lines or statements of reasons."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import reader_options
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._output import write_lines
from archiver.cli._restricted import require_reason_for, restricted_option
from archiver.cli._session import printable
from archiver.cli.moderation._dates import parse_dates
from archiver.cli.moderation._lines import number_of
from archiver.cli.moderation._reading import find_sources, open_sources, spooled_records
from archiver.errors import UsageError
from archiver.moderation.dsa import dsa_statements
from archiver.moderation.exporting import (
    Selection,
    accounts_called,
    csv_entries,
    csv_records,
    json_entries,
    json_records,
    selected_entries,
    selected_records,
)
from archiver.records import Moderation
from archiver.register import ModerationRecord
from archiver.settings.moderation import ModerationSettings
from archiver.times import system_clock
from archiver.wiring.spool import RegisterHere, read_register

_DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class _Export:
    """What is written, how much of it, and what was left out for which reason."""

    lines: Iterable[bytes]
    number: int
    of: str
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _There:
    """The records there are, what this host's register knows, and what to say of those that are not there."""

    records: Sequence[ModerationRecord]
    here: RegisterHere
    note: str | None = None


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
@restricted_option
@reader_options
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
    restricted: bool,
    reason: str | None,
    case: str | None,
) -> int:
    """Write records, each as it stands now with all that was put right, or with --entries every entry.

    csv is for spreadsheets: a cell that one would run as a formula begins with an apostrophe. Take in ids as
    text, or a spreadsheet rounds them. jsonl is for programs, every text as it is. Records can be imported
    again from both, single entries cannot.

    dsa gives statements of reasons in the shape of the EU's transparency database, schema 2, of what was
    removed, hidden, blocked, muted or closed for comments. Author, text and address are not in it, and names,
    handles, addresses and telephone numbers that the record knows of are taken out of its reason. A person
    must read it before it goes anywhere: a name may stand in it that no record knows.

    What is written is readable by whoever has it. Keep it where records may be."""
    if entries and form == "dsa":
        raise UsageError("--entries and --format dsa exclude each other", "a statement is made of a record")
    session.require_reason(reason)
    require_reason_for(restricted, reason)
    first_ms, after_ms = _read_days(since, until)
    detail: dict[str, object] = {"format": form} | ({"restricted": True} if restricted else {})
    asked = Asked("export", "moderation export", case=case, reason=reason, detail=detail)
    there = _open_records(session) if only_open else _all_records(session, asked, restricted=restricted)
    _check_since(there, since, first_ms)
    records = there.records
    selection = Selection(
        accounts=None if account is None else _find_accounts(session, there, account),
        since_ms=first_ms,
        until_ms=after_ms,
    )
    if there.note is not None:
        session.note(there.note)
    if form == "dsa":
        export = _statements(selected_records(records, selection), session.settings.moderation)
    elif entries:
        export = _entries(selected_entries(records, selection), form)
    else:
        export = _records(selected_records(records, selection), form)
    write_lines(export.lines, output)
    _report(session, export, output)
    return session.worst(0)


# Which records there are


def _open_records(session: Session) -> _There:
    """Records all of which lies in the spool, and how many are not among them."""
    here = read_register(session.settings)
    records, sealed = spooled_records(here)
    note = (
        f"{number_of(len(sealed), 'record')} sealed, wholly or in part, and not in this export;"
        " without --open it has all, where a keyholder's identity is"
    )
    return _There([one.record for one in records], here, note if sealed else None)


def _all_records(session: Session, asked: Asked, *, restricted: bool) -> _There:
    """Every record, sealed and open, or none. Raise NoKeyError where archives that hold some cannot be
    opened, and what is wrong with the chain of archives: one that is missing may hold some."""
    sources = find_sources(session)
    sources.raise_problem()
    with open_sources(session, sources, asked, restricted=restricted) as (searcher, act):
        records = [one.record for one in searcher.moderation()]
        act.end(results=len(records))
    note = "no spool is at hand here: what is not sealed yet is not in this export"
    return _There(records, sources.here, None if sources.here.is_here else note)


# Which are wanted


def _read_days(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """From which millisecond on and before which. Raise UsageError for what is no date, and for days between
    which there is none."""
    first_ms = None if since is None else parse_dates(since)[0]
    after_ms = None if until is None else parse_dates(until)[1]
    if first_ms is not None and after_ms is not None and first_ms >= after_ms:
        raise UsageError(f"--since {since} is after --until {until}", "give the earlier day to --since")
    return first_ms, after_ms


def _check_since(there: _There, since: str | None, first_ms: int | None) -> None:
    """Raise UsageError for a day that is still to come, unless something is entered so late."""
    if first_ms is None or first_ms <= system_clock() + _DAY_MS:  # it is tomorrow already somewhere
        return
    if not any(entry.entered_ms >= first_ms for one in there.records for entry in one.entries):
        raise UsageError(f"--since {since} lies in the future, and nothing is entered then", "see the year")


def _find_accounts(session: Session, there: _There, name: str) -> frozenset[tuple[str, str]]:
    """The accounts that are called so, in the settings or in a record. Raise UsageError where none is."""
    entries = (entry for one in there.records for entry in one.entries)
    known = [
        *((one.platform, one.id, one.handle) for one in session.settings.accounts),
        *((one.platform, one.account, one.account_handle) for one in entries),
        *((one.platform, one.account, None) for one in there.here.records),
    ]
    return accounts_called(name, known)


# What is written


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
