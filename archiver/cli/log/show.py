"""`archiver log show`: who did what, a line an act."""

import click

from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._session import one_line, print_error
from archiver.cli.log._acts_shown import act_fields, act_line, entries_in_words
from archiver.cli.log._reading import asked_for, find_acts, read_wanted, wanted_options
from archiver.errors import IntegrityError


@click.command(
    "show",
    epilog=examples(
        "archiver log show",
        "archiver log show --since 2026-11 --by records --verb search",
        "archiver log show --case C-2026-117 --limit 0 --json",
    ),
)
@wanted_options
@click.option("--limit", type=click.IntRange(min=0), default=50, show_default=True, help="0 for all.")
@store_option
@pass_session
def command(
    session: Session, /, since: str | None, until: str | None, by: str | None, verb: str | None,
    case: str | None, reason: str | None, limit: int, store: str | None,
) -> int:  # fmt: skip
    """Show what was done, a line an act, the newest last. An act that was cut off has no end, and says so.

    It needs an identity that opens the log: those of all keyholders do, unless [log] recipients names others.
    Entries that it does not open are counted. This is itself in the log. Whether the log is whole says
    archiver log verify."""
    session.require_reason(reason)
    wanted = read_wanted(since, until, by, verb, case)
    session.identities()
    session.list_archives(session.open_vault(store))
    typed = {"since": since, "until": until, "by": by, "verb": verb, "case": case}
    with session.act(asked_for("show", "log show", typed, reason)) as act:
        found = find_acts(session, wanted, limit)
        act.end(results=len(found.acts))
    for one in found.acts:
        if session.json:
            session.print_json("act", **act_fields(one))
        else:
            click.echo(one_line(act_line(one)))
    reading = found.reading
    if session.json:
        session.print_json("summary", count=len(found.acts), more=not found.is_all, unopened=reading.unopened)
    else:
        if not found.is_all:
            session.note("There is more: --limit 0 for all.")
        if reading.unopened:
            session.note(f"{entries_in_words(reading.unopened)} sealed to others: not shown.")
        if not found.acts:
            session.note("No such act is in the log.")
    for problem in reading.problems:
        print_error(problem)
    return IntegrityError.exit_code if reading.problems else session.worst(0)
