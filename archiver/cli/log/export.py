"""`archiver log export`: the log as a table, for a spreadsheet or a program."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import click

from archiver.audit.reading import LoggedAct
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._output import write_lines
from archiver.cli._session import one_line, print_error
from archiver.cli.log._acts_shown import COLUMNS, act_row, entries_in_words, json_lines
from archiver.cli.log._reading import asked_for, find_acts, read_wanted, wanted_options
from archiver.cli.moderation._lines import number_of
from archiver.csv_guard import with_guard
from archiver.errors import IntegrityError


@click.command(
    "export",
    epilog=examples(
        "archiver log export -o log.csv", "archiver log export --format jsonl --since 2026-10 --until 2026-12"
    ),
)
@wanted_options
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A new file; else standard output.",
)
@click.option("--to", metavar="WHO", help="Who gets it, for the log.")
@store_option
@pass_session
def command(
    session: Session, /, since: str | None, until: str | None, by: str | None, verb: str | None,
    case: str | None, reason: str | None, form: str, output: Path | None, to: str | None,
    store: str | None,
) -> int:  # fmt: skip
    """Write what was done, a row an act, oldest first. csv is for spreadsheets: a cell that one would run as
    a formula begins with an apostrophe. jsonl is for programs, every text as it is.

    It needs an identity that opens the log, and is itself in the log."""
    session.require_reason(reason)
    wanted = read_wanted(since, until, by, verb, case)
    session.identities()
    session.list_archives(session.open_vault(store))
    typed = {"since": since, "until": until, "by": by, "verb": verb, "case": case}
    asked = asked_for("export", "log export", typed, reason, to=to)
    with session.act(asked) as act:
        found = find_acts(session, wanted, 0)
        act.end(results=len(found.acts))
    write_lines(csv_lines(found.acts) if form == "csv" else json_lines(found.acts), output)
    where = "" if output is None else f" in {output}"
    session.note(one_line(f"{number_of(len(found.acts), 'act')}{where}"))
    if found.reading.unopened:
        session.note(f"  left out {entries_in_words(found.reading.unopened)} sealed to others")
    for problem in found.reading.problems:
        print_error(problem)
    return IntegrityError.exit_code if found.reading.problems else session.worst(0)


def csv_lines(acts: Iterable[LoggedAct]) -> Iterable[bytes]:
    """A header and a line for each act, every cell harmless in a spreadsheet (RFC 4180)."""
    for row in (COLUMNS, *(map(with_guard, act_row(act)) for act in acts)):
        buffer = io.StringIO(newline="")
        csv.writer(buffer).writerow(row)
        yield buffer.getvalue().encode("utf-8", "backslashreplace")
