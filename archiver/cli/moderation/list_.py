"""`archiver moderation list`: records, newest first."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import case_option
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._restricted import has_identity, require_reason_for
from archiver.cli._session import printable
from archiver.cli.moderation._dates import parse_dates
from archiver.cli.moderation._lines import (
    SEALED,
    details,
    headline,
    number_of,
    record_fields,
    row_fields,
    row_headline,
    words_of,
)
from archiver.cli.moderation._reading import (
    find_sources,
    note_unknown_people,
    open_records,
    open_sources,
    spooled_records,
)
from archiver.errors import UsageError
from archiver.register import Registered
from archiver.search.hit import Hit
from archiver.search.language import MODERATION, Query, parse_action
from archiver.search.language.tree import And, Filter, Node, Or, Span
from archiver.search.moderation import HeldRecord, accounts_that_occur, reasons_that_occur
from archiver.search.moderation.index import find_moderation, folded
from archiver.times import format_time
from archiver.vault import Archive
from archiver.wiring.spool import RegisterHere, read_register


class _Found(NamedTuple):
    """What there is: records that can be read, rows of the register for those that are sealed, and the
    archives that hold these."""

    records: Sequence[HeldRecord]
    rows: Sequence[Registered]
    here: RegisterHere
    archives: Sequence[Archive] = ()


class _Asked(NamedTuple):
    """What is wanted: of each list any, of times from `since_ms` on and before `until_ms`."""

    accounts: tuple[str, ...]
    reasons: tuple[str, ...]
    actions: tuple[str, ...]
    by: tuple[str, ...]
    since_ms: int | None
    until_ms: int | None

    def query(self) -> Query:
        """The same as a search asks for it."""
        lists = {"account": self.accounts, "reason": self.reasons, "action": self.actions, "by": self.by}
        parts = [_any("kind", [MODERATION]), *(_any(field, some) for field, some in lists.items() if some)]
        times = {"since": self.since_ms, "until": self.until_ms}
        parts += [_any(field, [time_ms]) for field, time_ms in times.items() if time_ms is not None]
        return Query("", And(tuple(parts)))


def _in_words(asked: _Asked, state: str | None) -> str:
    """What is wanted, for the log."""
    lists = {"account": asked.accounts, "reason": asked.reasons, "action": asked.actions, "by": asked.by}
    parts = [f"{name}:{one}" for name, some in lists.items() for one in some]
    times = {"since": asked.since_ms, "until": asked.until_ms}
    parts += [f"{name}:{format_time(one)}" for name, one in times.items() if one is not None]
    return " ".join([*parts, *([] if state is None else [f"state:{state}"])])


def _any(field: str, values: Sequence[str | int]) -> Node:
    filters = tuple(Filter(field, value, Span(0, 0)) for value in values)
    return filters[0] if len(filters) == 1 else Or(filters)


@click.command(
    "list",
    epilog=examples(
        "archiver moderation list --reason abusive --since 2026-11",
        "archiver moderation list --state planned --open",
        "archiver moderation list --action hide --by 'duty officer' --limit 0 --json",
    ),
)
@click.option("--account", "accounts", multiple=True, metavar="ID|HANDLE", help="Of this account of ours.")
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    metavar="CODE",
    help="With this reason, as archiver moderation codes lists them.",
)
@click.option(
    "--action",
    "actions",
    multiple=True,
    metavar="ACTION",
    help="With this action, as archiver moderation codes lists them: hide or hidden.",
)
@click.option("--state", type=click.Choice(["planned", "done", "failed"]), help="How the action stands.")
@click.option("--by", "people", multiple=True, metavar="WHO", help="Who entered, acted or allowed it.")
@click.option("--since", metavar="DAY", help="Entered on this day, month or year, or later; in UTC.")
@click.option("--until", metavar="DAY", help="Entered on this day, month or year, or before; in UTC.")
@click.option("--limit", type=click.IntRange(min=0), default=50, show_default=True, help="0 for all.")
@click.option("--open", "only_open", is_flag=True, help="Only what is not sealed yet; needs no key.")
@click.option("--restricted", is_flag=True, help="Also what is restricted; with --why, for the log.")
@click.option("--why", metavar="TEXT", help="Why it is read, for the log.")
@case_option
@pass_session
def command(
    session: Session,
    accounts: tuple[str, ...],
    reasons: tuple[str, ...],
    actions: tuple[str, ...],
    state: str | None,
    people: tuple[str, ...],
    since: str | None,
    until: str | None,
    limit: int,
    only_open: bool,
    restricted: bool,
    why: str | None,
    case: str | None,
) -> int:
    """List moderation records, the one entered last first. An option given twice takes either value; a value
    that was corrected since still counts.

    Sealed records are read where a keyholder's identity is at hand. Elsewhere their ids, actions and times
    are listed, which is all that a host without it knows; --reason and --by then find only what is not
    sealed."""
    session.require_reason(why, "--why")
    require_reason_for(restricted, why, "--why")
    asked = _Asked(
        accounts=_with_ids(session, accounts),
        reasons=reasons,
        actions=tuple(parse_action(one) for one in actions),
        by=people,
        since_ms=None if since is None else parse_dates(since)[0],
        until_ms=None if until is None else parse_dates(until)[1],
    )
    if only_open:
        found = _open(session, read_register(session.settings), restricted=restricted)
        _list(session, found, asked, state, limit)
        return 0
    sources = find_sources(session)
    if sources.sealed and sources.here.is_here and not has_identity(session):
        found = _Found(*spooled_records(sources.here), sources.here, sources.archives)
        _list(session, found, asked, state, limit)
    else:
        detail: dict[str, object] = {"restricted": True} if restricted else {}
        told = Asked(
            "search", "moderation list", query=_in_words(asked, state), case=case, reason=why, detail=detail
        )
        with open_sources(session, sources, told, restricted=restricted) as (searcher, act):
            found = _Found(searcher.moderation(), (), sources.here)
            act.end(results=len(found.records))
            _list(session, found, asked, state, limit)
    sources.raise_problem()
    return session.worst(0)


def _open(session: Session, here: RegisterHere, *, restricted: bool) -> _Found:
    """Records with entries that are not sealed yet; of those that began in an archive, the register's row."""
    whole, rows = spooled_records(here)
    whole = open_records(session, whole, restricted=restricted)
    ids = {entry.record_id for entry in here.entries}
    return _Found(whole, [row for row in rows if row.record_id in ids], here)


def _with_ids(session: Session, accounts: Sequence[str]) -> tuple[str, ...]:
    """What was asked for, and the ids of accounts that the settings know by it: not every record has the
    handle."""
    names = [one.removeprefix("@") for one in accounts]
    wanted = set(map(folded, names))
    known = session.settings.accounts
    ids = [one.id for one in known if one.handle is not None and folded(one.handle) in wanted]
    return tuple(dict.fromkeys((*names, *ids)))


# What cannot be


def _check_asked(session: Session, found: _Found, asked: _Asked) -> None:
    """Raise UsageError for an account or a reason that neither the settings nor any record has: nothing would
    ever be found. Of people, whom nothing lists, only say so."""
    _check_accounts(session, found, asked.accounts)
    reasons = {*session.settings.moderation.reason_codes, *reasons_that_occur(found.records)}
    reasons |= {
        reason for one in found.archives for count in one.manifest.moderation for reason in count.reasons
    }
    _refuse_unknown("reason", asked.reasons, reasons - {""}, sorted(reasons - {""}))
    note_unknown_people(session, found.records, asked.by)


def _check_accounts(session: Session, found: _Found, asked: Sequence[str]) -> None:
    known = {(one.id, one.handle) for one in session.settings.accounts}
    known |= set(accounts_that_occur(found.records))
    named = {account for account, handle in known if handle}
    known |= {(row.account, None) for row in found.here.records}
    listed = [
        f"@{handle} ({account})" if handle else account
        for account, handle in sorted(known, key=str)
        if handle or account not in named
    ]
    _refuse_unknown("account", asked, {name for one in known for name in one if name}, listed)


def _refuse_unknown(what: str, asked: Sequence[str], known: Collection[str], listed: Sequence[str]) -> None:
    names = set(map(folded, known))
    for one in asked:
        if folded(one) not in names:
            raise UsageError(
                f"neither the settings nor any record read here has the {what} {one}",
                f"one of: {', '.join(listed)}" if listed else None,
            )


# Listing


def _list(session: Session, found: _Found, asked: _Asked, state: str | None, limit: int) -> None:
    _check_asked(session, found, asked)
    records = [one for one in found.records if state is None or one.record.now.state == state]
    hits = find_moderation(records, asked.query(), "newest")
    # What a row does not say cannot be looked at: then it is not listed, and that is said.
    unknown = bool(asked.reasons or asked.by)
    passes = _row_filter(asked, state)
    rows = [row for row in found.rows if passes(row)]
    lines: list[tuple[int, str, Hit | Registered]] = [(-hit.posted_ms, hit.id, hit) for hit in hits]
    if not unknown:
        lines += [(-row.entered_ms, row.record_id, row) for row in rows]
    lines.sort(key=lambda line: line[:2])
    shown = [one for _, _, one in (lines[:limit] if limit else lines)]
    open_ids = {entry.record_id for entry in found.here.entries}
    for one in shown:
        if isinstance(one, Registered):
            _print_row(session, one, in_spool=one.record_id in open_ids)
        else:
            _print_hit(session, one)
    _print_end(session, found, len(shown), len(lines), len(rows), unknown=unknown)


def _row_filter(asked: _Asked, state: str | None) -> Callable[[Registered], bool]:
    """Whether a row of the register passes what it can be asked."""
    wanted = set(map(folded, asked.accounts))

    def passes(row: Registered) -> bool:
        return (
            (not wanted or folded(row.account) in wanted)
            and (not asked.actions or not {row.decided, row.action}.isdisjoint(asked.actions))
            and (state is None or row.state == state)
            and (asked.since_ms is None or row.entered_ms >= asked.since_ms)
            and (asked.until_ms is None or row.entered_ms < asked.until_ms)
        )

    return passes


def _print_row(session: Session, row: Registered, *, in_spool: bool) -> None:
    if session.json:
        session.print_json("moderation", **row_fields(row, in_spool=in_spool), unread=True)
    else:
        click.echo(row_headline(row))
        click.echo(f"  moderation, {SEALED}")


def _print_hit(session: Session, hit: Hit) -> None:
    record = hit.moderation
    if record is None:
        return
    place = {"in_spool": hit.in_spool, "superseded": hit.superseded}
    if session.json:
        session.print_json("moderation", **record_fields(record, hit.sealed_in, **place), unread=False)
        return
    click.echo(headline(record))
    for line in details(record, hit.sealed_in, **place):
        click.echo(f"  {line}")
    for words in words_of(record):
        click.echo("  " + printable(words).replace("\n", "\n  "))


def _print_end(
    session: Session, found: _Found, shown: int, matching: int, rows: int, *, unknown: bool
) -> None:
    """How many there are, where was looked, and of how many not all is known here."""
    if session.json:
        session.print_json(
            "summary",
            count=shown,
            more=matching > shown,
            spool_included=found.here.is_here,
            unread=rows,
        )
    more = "; there are more: raise --limit" if matching > shown else ""
    where = "; the spool is included" if found.here.is_here else "; no spool is at hand here"
    session.note(f"{number_of(shown, 'record')}{more}{where}")
    if rows:
        left_out = "; they are left out for --reason and --by" if unknown else ""
        session.note(
            f"of {number_of(rows, 'sealed record')} this host knows only ids, actions and times{left_out}:"
            " text and reasons are in the archives, which a keyholder's identity opens"
        )
