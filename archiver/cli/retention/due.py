"""`archiver retention due`."""

from collections.abc import Sequence, Set

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import reason_option
from archiver.cli._custody import Opened, load_register
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._restricted import has_identity
from archiver.cli._session import one_line
from archiver.cli.moderation._lines import number_of
from archiver.custody.entry import CustodyEntry
from archiver.custody.register import Custody
from archiver.disposal import disposed_in_words
from archiver.errors import ArchiverError, IntegrityError
from archiver.retention.deciding import date_of, hold_in_words, is_kept
from archiver.retention.due import NEVER_MS, Due, due_of, rules_in_words
from archiver.retention.holding import may_be_held_by
from archiver.times import format_time, system_clock
from archiver.vault import Archive, names_of

MayHold = tuple[CustodyEntry, bool | None]
"""A hold, and whether it covers an archive: None where only its query or the packs of its case would tell."""


@click.command("due", epilog=examples("archiver retention due", "archiver retention due --all --json"))
@click.option("--all", "show_all", is_flag=True, help="Archives that are not due yet, or disposed of, too.")
@click.option("--holds", is_flag=True, help="With holds and reviews, which need an identity.")
@reason_option
@store_option
@pass_session
def command(session: Session, show_all: bool, holds: bool, reason: str | None, store: str | None) -> int:
    """List the archives whose time is over, and by which rule. Needs no key.

    Where an identity is at hand without a passphrase, or with --holds, also what holds them and what was
    decided. Whether a hold by query covers an archive is only known once the query is asked: such holds are
    named, and `archiver retention dispose` asks."""
    vault = session.open_vault(store)
    listed = session.list_archives(vault)
    now_ms = system_clock()
    custody = _custody(session, Opened(vault, listed), reason, must=holds)
    settings = session.settings.retention
    shown = 0
    for archive in listed.archives:
        due = due_of(archive.manifest, settings)
        is_due = due.is_over(now_ms) and archive.disposed is None
        if show_all or (is_due and not _is_kept(custody, archive, now_ms)):
            shown += 1
            may_hold = _holds_on(custody, names_of(archive.name, listed.archives))
            _print(session, archive, due, may_hold, custody, now_ms)
    if listed.problems:
        raise listed.problems[0]
    if not session.json:
        _end(session, shown, known=custody is not None, show_all=show_all)
    return session.worst(0)


def _custody(session: Session, opened: Opened, reason: str | None, *, must: bool) -> Custody | None:
    """The register, where it can be read without a question, or `must` be; the log is told."""
    keyholder = session.settings.keyholder
    lacks_reason = session.settings.log.needs_reason and not reason
    if not must and (keyholder is None or not has_identity(session) or _asks(session) or lacks_reason):
        return None
    try:
        return _read(session, opened, reason)
    except IntegrityError:
        raise
    except ArchiverError as error:
        if must:
            raise
        session.note(one_line(f"holds and reviews could not be read: {error.message}"))
        return None


def _read(session: Session, opened: Opened, reason: str | None) -> Custody:
    session.identities()
    with session.act(Asked("show", "retention due", reason=reason)) as act:
        custody = load_register(session, opened)
        act.end(results=len(custody.entries))
    return custody


def _asks(session: Session) -> bool:
    """Whether a person would be asked for a passphrase."""
    from archiver.keys import opens_unattended

    return not opens_unattended(session.settings.keyholder)


def _holds_on(custody: Custody | None, names: Set[str]) -> list[MayHold]:
    """The holds that cover an archive of these names, or may."""
    holds = [] if custody is None else custody.holds()
    judged = [(one, may_be_held_by(names, one)) for one in holds]
    return [(hold, covers) for hold, covers in judged if covers is not False]


def _is_kept(custody: Custody | None, archive: Archive, now_ms: int) -> bool:
    return custody is not None and is_kept(custody.review_of(archive.name), now_ms)


def _print(
    session: Session,
    archive: Archive,
    due: Due,
    holds: Sequence[MayHold],
    custody: Custody | None,
    now_ms: int,
) -> None:
    if session.json:
        session.print_json("due", **_fields(archive, due, holds, custody, now_ms))
        return
    if archive.disposed is not None:
        click.echo(one_line(f"{archive.name}  {disposed_in_words(archive.disposed)}"))
        return
    by = rules_in_words(due, due.uncovered)
    if due.at_ms is None:
        line = f"never due: {by}"
    else:
        when = "due since" if due.is_over(now_ms) else "due on"
        line = f"{when} {date_of(due.at_ms)}, {by}: {due.then}"
    click.echo(one_line(f"{archive.name}  {line}"))
    if custody is not None:
        for text in _decided(archive, holds, custody):
            click.echo(one_line(f"  {text}"))


def _decided(archive: Archive, holds: Sequence[MayHold], custody: Custody) -> list[str]:
    lines = [hold_in_words(hold) + ("" if covers else " (may cover this one too)") for hold, covers in holds]
    review = custody.review_of(archive.name)
    if review is not None:
        until = f" until {review.until}" if review.until else ""
        lines.append(f"reviewed {review.at[:10]} by {review.reviewer}: {review.decision}{until}")
    return lines


def _fields(
    archive: Archive, due: Due, holds: Sequence[MayHold], custody: Custody | None, now_ms: int
) -> dict[str, object]:
    has_date = due.at_ms is not None and due.at_ms < NEVER_MS
    fields: dict[str, object] = {
        "archive": archive.name,
        "due": due.is_over(now_ms) and archive.disposed is None,
        "due_at": format_time(due.at_ms) if has_date and due.at_ms is not None else None,
        "rule": due.rule,
        "then": due.then if due.rule is not None else None,
        "not_before": format_time(due.floor_ms) if due.floor_ms < NEVER_MS else None,
        "uncovered": [part._asdict() for part in due.uncovered],
        "disposed": None if archive.disposed is None else archive.disposed.at,
    }
    if custody is not None:
        review = custody.review_of(archive.name)
        fields["holds"] = [{"id": hold.id, "covers": covers} for hold, covers in holds]
        fields["review"] = None if review is None else {
            "id": review.id, "at": review.at, "decision": review.decision, "until": review.until,
        }  # fmt: skip
    return fields


def _end(session: Session, shown: int, *, known: bool, show_all: bool) -> None:
    if not session.settings.retention.rules:
        session.note("The settings have no retention rule, so nothing is ever due: [[retention.rule]].")
    elif not show_all:
        session.note(f"{number_of(shown, 'archive')} due." if shown else "Nothing is due.")
    if not known:
        session.note("Holds and reviews are not shown: they need an identity, --holds.")
