"""`archiver moderation summary`: how many decisions, by account, reason and action, and how they stand."""

from collections.abc import Iterator, Mapping

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import reader_options
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._restricted import has_identity
from archiver.cli._session import printable
from archiver.cli.moderation._dates import parse_dates
from archiver.cli.moderation._lines import number_of
from archiver.cli.moderation._reading import Sources, find_sources, knows_all, open_sources
from archiver.errors import UsageError
from archiver.search.moderation.counts import (
    STANDINGS,
    Key,
    Month,
    Months,
    Tally,
    count_records,
    count_without_key,
)
from archiver.times import format_date, system_clock


@click.command(
    "summary",
    epilog=examples(
        "archiver moderation summary --month 2026-11", "archiver moderation summary --all --json"
    ),
)
@click.option("--month", metavar="YYYY-MM", help="Of decisions entered in it, in UTC; else this month.")
@click.option("--all", "every", is_flag=True, help="Each month that has any.")
@reader_options
@pass_session
def command(session: Session, month: str | None, every: bool, reason: str | None, case: str | None) -> int:
    """Count a month's decisions by account, reason and action: how many were decided, and how many of these
    were done, are pending, failed (X refused, or the item was gone) or were called off. What was done and
    undone since was done.

    A decision with two reasons is counted under both, and once in all. Above: how many acts are still to be
    done, how often one of these decisions was reversed, and to how many somebody objected.

    Where sealed records cannot be read, those are counted from what the archives' manifests say."""
    if every and month is not None:
        raise UsageError("--all and --month exclude each other", "give one of them")
    session.require_reason(reason)
    wanted = _month(month) if month is not None else format_date(system_clock())[:7]
    sources = find_sources(session)
    asked = Asked("search", "moderation summary", query="all" if every else wanted, case=case, reason=reason)
    months, way = _count(session, sources, asked)
    if not sources.here.is_here:
        session.note("No spool is at hand here: what is not sealed yet is not counted.")
    for name in sorted(months) if every else [wanted]:
        _print(session, name, months.get(name, Month()), way)
    sources.raise_problem()
    return session.worst(0)


def _month(text: str) -> str:
    """The month as `2026-11`; raise UsageError for what is none."""
    first, after = parse_dates(text)
    if not 28 <= (after - first) // 86_400_000 <= 31:
        raise UsageError(f"{text} is not a month", "as 2026-11")
    return format_date(first)[:7]


def _count(session: Session, sources: Sources, asked: Asked) -> tuple[Months, str]:
    """The months, and from what they were counted."""
    if not sources.sealed or has_identity(session):
        with open_sources(session, sources, asked) as (searcher, act):
            records = searcher.moderation()
            act.end(results=len(records))
            return count_records(one.record for one in records), "records"
    session.note(
        "Sealed decisions are counted from the archives' manifests, with the reasons given at first. How they"
        " stand and who objected is not in them: run this where a keyholder's identity is."
    )
    register = {row.record_id: row for row in sources.here.records}
    counted = count_without_key(
        sources.archives, sources.here.entries, register, knows_all=knows_all(sources)
    )
    return counted, "manifests"


# Saying it


def _print(session: Session, name: str, month: Month, way: str) -> None:
    handles = {(one.platform, one.id): one.handle for one in session.settings.accounts}
    if session.json:
        _print_json(session, name, month, way, handles)
        return
    click.echo(
        f"{name}: {number_of(month.decisions, 'decision')}; {_known(month.acts_pending)}"
        f" act{'' if month.acts_pending == 1 else 's'} pending,"
        f" {number_of(month.reversals, 'reversal')}, {_known(month.appeals)} objected to"
    )
    for line in _table(month, handles):
        click.echo(printable(line))


def _print_json(
    session: Session, name: str, month: Month, way: str, handles: Mapping[tuple[str, str], str | None]
) -> None:
    for key, number in sorted(month.decided.items()):
        platform, account, reason, action = key
        session.print_json(
            "count",
            month=name,
            platform=platform,
            account=account,
            handle=handles.get((platform, account)),
            reason=reason or None,
            action=action or None,
            decided=number,
            **_tally_fields(_tally_of(month, key)),
        )
    session.print_json(
        "summary",
        month=name,
        decisions=month.decisions,
        **_tally_fields(month.stand),
        acts_pending=month.acts_pending,
        reversals=month.reversals,
        appeals=month.appeals,
        counted_from=way,
    )


def _tally_of(month: Month, key: Key) -> Tally | None:
    return None if month.standing is None else month.standing[key]


def _tally_fields(tally: Tally | None) -> dict[str, int | None]:
    return {name: None if tally is None else tally[name] for name in STANDINGS}


def _known(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def _table(month: Month, handles: Mapping[tuple[str, str], str | None]) -> Iterator[str]:
    """A line for each account, reason and action; where it is known how they stand, with that, and a line for
    all."""
    if not month.decided:
        return
    names = [] if month.standing is None else [one.replace("_", " ") for one in STANDINGS]
    rows = [["account", "reason", "action", "decided", *names]]
    for key, number in sorted(month.decided.items()):
        platform, account, reason, action = key
        handle = handles.get((platform, account))
        who = [f"@{handle}" if handle else account, reason or "no reason", action or "no action named"]
        rows.append([*who, *_numbers(number, _tally_of(month, key))])
    if month.stand is not None:
        rows.append(["in all", "", "", *_numbers(month.decisions, month.stand)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if number < 3 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  " + "  ".join(cells)


def _numbers(decided: int, tally: Tally | None) -> list[str]:
    return [f"{decided:,}", *([] if tally is None else [f"{tally[name]:,}" for name in STANDINGS])]
