"""`archiver moderation list`: records, newest first."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import printable
from archiver.cli.moderation._lines import (
    headline,
    number_of,
    record_fields,
    row_fields,
    row_line,
    words_of,
)
from archiver.cli.moderation._reading import (
    find_sources,
    has_identity,
    open_sources,
    spooled_records,
)
from archiver.register import Registered
from archiver.search.hit import Hit
from archiver.search.moderation import HeldRecord
from archiver.search.moderation_index import find_moderation, folded
from archiver.search.query import MODERATION, Query, parse_action, parse_dates
from archiver.search.statement import MANY
from archiver.wiring import RegisterHere, read_register


class _Found(NamedTuple):
    """What there is: records that can be read, and rows of the register for those that are sealed."""

    records: Sequence[HeldRecord]
    rows: Sequence[Registered]
    here: RegisterHere


@click.command(
    "list",
    epilog=examples(
        "archiver moderation list --reason abusive --since 2026-11",
        "archiver moderation list --state planned --open",
        "archiver moderation list --action hide --by 'duty officer' --limit 0 --json",
    ),
)
@click.option("--account", "accounts", multiple=True, metavar="HANDLE|ID", help="Of this account.")
@click.option("--reason", "reasons", multiple=True, metavar="CODE", help="With this reason.")
@click.option("--action", "actions", multiple=True, metavar="ACTION", help="As hide or hidden.")
@click.option("--state", type=click.Choice(["planned", "done", "failed"]), help="How the action stands.")
@click.option("--by", "people", multiple=True, metavar="WHO", help="Who entered, acted or allowed it.")
@click.option("--since", metavar="DATE", help="Entered on this day, in this month or year, or later.")
@click.option("--until", metavar="DATE", help="Entered up to the end of it; days in UTC.")
@click.option("--limit", type=click.IntRange(min=0), default=50, show_default=True, help="0 for all.")
@click.option("--open", "only_open", is_flag=True, help="Only what is not sealed yet; needs no key.")
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
) -> int:
    """List moderation records, the one entered last first. An option given twice takes either value; a value
    that was corrected since still counts.

    Sealed records are read where a keyholder's identity is at hand. Elsewhere their ids, actions and times
    are listed, which is all that a host without it knows; --reason and --by then find only what is not
    sealed."""
    query = Query(
        kinds=(MODERATION,),
        accounts=tuple(one.removeprefix("@") for one in accounts),
        reasons=reasons,
        actions=tuple(parse_action(one) for one in actions),
        by=people,
        since_ms=None if since is None else parse_dates(since)[0],
        until_ms=None if until is None else parse_dates(until)[1],
    )
    if only_open:
        here = read_register(session.settings)
        _list(session, _open(here), query, state, limit)
        return 0
    sources = find_sources(session)
    if sources.sealed and sources.here.is_here and not has_identity(session):
        _list(session, _Found(*spooled_records(sources.here), sources.here), query, state, limit)
    else:
        with open_sources(session, sources) as searcher:
            found = _Found(searcher.moderation(), (), sources.here)
            _list(session, found, query, state, limit)
    sources.raise_problem()
    return 0


def _open(here: RegisterHere) -> _Found:
    """Records with entries that are not sealed yet; of those that began in an archive, the register's row."""
    whole, rows = spooled_records(here)
    ids = {entry.record_id for entry in here.entries}
    return _Found(whole, [row for row in rows if row.record_id in ids], here)


def _list(session: Session, found: _Found, query: Query, state: str | None, limit: int) -> None:
    records = [one for one in found.records if state is None or one.record.now.state == state]
    hits = find_moderation(records, query, "newest", MANY)
    # What a row does not say cannot be looked at: then it is not listed, and that is said.
    unknown = bool(query.reasons or query.by)
    passes = _row_filter(session, query, state)
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


def _row_filter(session: Session, query: Query, state: str | None) -> Callable[[Registered], bool]:
    """Whether a row of the register passes what it can be asked."""
    wanted = {folded(name) for name in query.accounts}
    wanted |= {
        one.id for one in session.settings.accounts if one.handle is not None and folded(one.handle) in wanted
    }

    def passes(row: Registered) -> bool:
        return (
            (not wanted or row.account in wanted)
            and (not query.actions or row.action in query.actions)
            and (state is None or row.state == state)
            and (query.since_ms is None or row.entered_ms >= query.since_ms)
            and (query.until_ms is None or row.entered_ms < query.until_ms)
        )

    return passes


def _print_row(session: Session, row: Registered, *, in_spool: bool) -> None:
    if session.json:
        session.print_json("moderation", **row_fields(row, in_spool=in_spool), unread=True)
    else:
        click.echo(row_line(row))


def _print_hit(session: Session, hit: Hit) -> None:
    record = hit.moderation
    if record is None:
        return
    place = {"in_spool": hit.in_spool, "superseded": hit.superseded}
    if session.json:
        session.print_json("moderation", **record_fields(record, hit.sealed_in, **place), unread=False)
        return
    click.echo(headline(record, hit.sealed_in, **place))
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
