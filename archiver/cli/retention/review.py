"""`archiver retention review`."""

from collections.abc import Sequence

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import share_log
from archiver.cli._custody import (
    Opened,
    find_archive,
    load_exhibits,
    load_register,
    open_finder,
    open_to_decide,
    open_writer,
)
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._session import one_line
from archiver.custody.entry import CustodyEntry, Draft, Scope
from archiver.errors import UsageError
from archiver.evidence.register import Listed
from archiver.retention.deciding import date_of, hold_in_words, require_date
from archiver.retention.due import due_of
from archiver.retention.holding import holds_on, open_appeals, took_from
from archiver.times import format_date, system_clock
from archiver.vault import Archive, names_of, require_not_disposed


@click.command(
    "review",
    epilog=examples(
        'archiver retention review 2019-11-01 --decision dispose --reviewer "A. B. Clerk" --reason "period"',
        'archiver retention review 2019-11-01 --decision keep --until 2030-01-01 --reviewer "A. B. Clerk"'
        ' --reason "inquiry announced"',
    ),
)
@click.argument("archive")
@click.option("--decision", type=click.Choice(["keep", "dispose"]), required=True)
@click.option("--reviewer", required=True, metavar="NAME", help="Who decided: a person, by name.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is kept.")
@click.option("--until", metavar="DATE", help="With keep: look again then, as 2030-01-01.")
@store_option
@pass_session
def command(
    session: Session, archive: str, decision: str, reviewer: str, reason: str, until: str | None,
    store: str | None,
) -> int:  # fmt: skip
    """Record what a named person decided about an archive. The latest decision counts.

    Nothing is disposed of by this. What holds the archive now, and which exhibits were made of it, is
    said."""
    if until is not None and decision != "keep":
        raise UsageError("--until goes with --decision keep", "archiver retention dispose goes by the rules")
    if until is not None and require_date(until) <= format_date(system_clock()):
        raise UsageError(f"{until} is over", "give a later day")
    if not reviewer.strip():
        raise UsageError("a decision needs a reviewer", "--reviewer NAME: a person, by name")
    opened = open_to_decide(session, store)
    found = find_archive(opened.listed, archive)
    require_not_disposed(found)
    asked = Asked("alter", "retention review", ids=[archive], reason=reason, detail={"decision": decision})
    with session.act(asked) as act:
        notes = list(_notes(session, opened, found))
        draft = Draft(
            kind="review",
            reason=reason,
            reviewer=reviewer.strip(),
            decision="keep" if decision == "keep" else "dispose",
            until=until,
            scope=Scope(archives=(archive,)),
        )
        entry = open_writer(session).add(draft)
        act.end(results=1, ids=[archive, entry.id])
    code = share_log(session)
    _report(session, entry, notes)
    return session.worst(code, named=True)


def _notes(session: Session, opened: Opened, archive: Archive) -> Sequence[str]:
    """What a reviewer should know of an archive."""
    custody = load_register(session, opened)
    exhibits = load_exhibits(session, opened)
    with open_finder(session, opened) as find:
        names = names_of(archive.name, opened.listed.archives)
        holds = holds_on(names, custody, find, exhibits)
        appeals = open_appeals(find.searcher.moderation(), archive)
    notes = [f"held: {hold_in_words(one)}" for one in holds]
    notes += [f"an appeal is not decided: moderation record {one[:8]}" for one in appeals]
    notes += [_exhibit_in_words(one) for one in exhibits if took_from(one, names)]
    due = due_of(archive.manifest, session.settings.retention)
    if due.at_ms is None or not due.is_over(system_clock()):
        when = "never due by the rules" if due.at_ms is None else f"not due before {date_of(due.at_ms)}"
        notes.append(f"it is {when}")
    return notes


def _exhibit_in_words(exhibit: Listed) -> str:
    case = "" if exhibit.taken is None else f", case {exhibit.taken.case}"
    return f"exhibit {exhibit.reference.written} was made of it{case}"


def _report(session: Session, entry: CustodyEntry, notes: Sequence[str]) -> None:
    archive = entry.scope.archives[0]
    if session.json:
        session.print_json(
            "review", id=entry.id, archive=archive, decision=entry.decision, until=entry.until,
            reviewer=entry.reviewer, reason=entry.reason, at=entry.at, by=entry.by, notes=list(notes),
        )  # fmt: skip
        return
    until = f" until {entry.until}" if entry.until else ""
    click.echo(one_line(f"{archive}: {entry.decision}{until}, decided by {entry.reviewer}"))
    for note in notes:
        session.note(one_line(note))
    if entry.decision == "dispose":
        when = "When nothing of this stands in the way any more" if notes else "Then"
        session.note(one_line(f"{when}: archiver retention dispose {archive}"))
