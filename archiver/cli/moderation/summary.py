"""`archiver moderation summary`: how many decisions, by account, reason and action."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import printable
from archiver.cli.moderation._lines import row_is_pending
from archiver.cli.moderation._reading import Sources, find_sources, has_identity, open_sources
from archiver.errors import UsageError
from archiver.register import ModerationRecord
from archiver.search.moderation import hold
from archiver.search.query import MODERATION, parse_dates
from archiver.sources.moderation import SOURCE
from archiver.times import format_date, system_clock
from archiver.vault import Archive

_UNDONE = frozenset({"unhidden", "reinstated", "unblocked", "unmuted", "comments_on"})
"""Actions that only a reversal has."""
Key = tuple[str, str, str, str]
"""Platform, account, reason, action."""


@dataclass
class Month:
    """One month's decisions. `pending`, `reversed` and `appeals`: of these, as they stand now. `pending` and
    `appeals` are None where what is sealed would say and cannot be read."""

    counts: Counter[Key] = field(default_factory=Counter)
    decisions: int = 0
    pending: int | None = 0
    reversed: int = 0
    appeals: int | None = 0

    def add(self, record: ModerationRecord) -> None:
        now = record.now
        for reason in now.reason_codes or ("",):
            self.counts[now.platform, now.account, reason, record.decided or ""] += 1
        self.decisions += 1
        self.pending = _plus(self.pending, record.is_pending)
        self.reversed += record.is_reversed
        self.appeals = _plus(self.appeals, record.is_appealed)


def _plus(number: int | None, more: int) -> int | None:
    """What is not known stays so."""
    return None if number is None else number + more


Months = dict[str, Month]


@click.command(
    "summary",
    epilog=examples(
        "archiver moderation summary --month 2026-11", "archiver moderation summary --all --json"
    ),
)
@click.option("--month", metavar="YYYY-MM", help="Of decisions entered in it, in UTC; else this month.")
@click.option("--all", "every", is_flag=True, help="Each month that has any.")
@pass_session
def command(session: Session, month: str | None, every: bool) -> int:
    """Count decisions by account, reason and action, and how many there are in all, are still pending, were
    reversed or objected to since. A decision with two reasons is counted under both, and once in all.

    Where sealed records cannot be read, those are counted from what the archives' manifests say."""
    if every and month is not None:
        raise UsageError("--all and --month exclude each other", "give one of them")
    wanted = _month(month) if month is not None else format_date(system_clock())[:7]
    sources = find_sources(session)
    if sources.sealed and not has_identity(session):
        months = _from_manifests(sources)
        session.note(
            "Sealed decisions are counted from the archives' manifests: as they were decided at first, and,"
            " like reversals, under the month in which the last entry of their archive was made. Who objected"
            " is not in them. For exact numbers run this where a keyholder's identity is."
        )
        way = "manifests"
    else:
        with open_sources(session, sources) as searcher:
            months = _from_records(one.record for one in searcher.moderation())
        way = "records"
    if not sources.here.is_here:
        session.note("No spool is at hand here: what is not sealed yet is not counted.")
    for name in sorted(months) if every else [wanted]:
        _print(session, name, months.get(name, Month()), way)
    sources.raise_problem()
    return 0


def _month(text: str) -> str:
    """The month as `2026-11`; raise UsageError for what is none."""
    first, after = parse_dates(text)
    if not 28 <= (after - first) // 86_400_000 <= 31:
        raise UsageError(f"{text} is not a month", "as 2026-11")
    return format_date(first)[:7]


# Counting


def _from_records(records: Iterable[ModerationRecord]) -> Months:
    months: Months = {}
    for record in records:
        months.setdefault(_month_of(record.now.entered_ms), Month()).add(record)
    return months


def _month_of(entered_ms: int) -> str:
    return format_date(entered_ms)[:7]


def _from_manifests(sources: Sources) -> Months:
    """The open spool's records as they are, the archives' by their manifests; what is pending by this host's
    register."""
    entered = {row.record_id: row.entered_ms for row in sources.here.records}
    known = [one.record for one in hold([], sources.here.entries)]
    begun = {record.id: record for record in known if record.entries[0].number == 1}
    months = _from_records(begun.values())
    for archive in sources.archives:
        _count_archive(months, archive)
    for record in known:
        if record.id not in begun and record.is_reversed:
            months.setdefault(_month_of(entered.get(record.id, record.now.entered_ms)), Month()).reversed += 1
    for row in sources.here.records:
        if row.record_id not in begun and row_is_pending(row):
            month = months.setdefault(_month_of(row.entered_ms), Month())
            month.pending = _plus(month.pending, 1)
    if not sources.here.is_here:
        for month in months.values():
            month.pending = None
    return months


def _count_archive(months: Months, archive: Archive) -> None:
    manifest = archive.manifest
    last = {
        one.account: one.fetched_until or one.fetched_at for one in manifest.origins if one.source == SOURCE
    }

    def month_of(account: str) -> Month:
        month = months.setdefault(last.get(account, manifest.sealed_at)[:7], Month())
        month.appeals = None
        return month

    for count in manifest.counts:
        if count.kind == MODERATION:
            month_of(count.account).decisions += count.decisions
    for one in manifest.moderation:
        month = month_of(one.account)
        if one.action in _UNDONE:
            month.reversed += one.number
        else:
            month.counts[one.platform, one.account, one.reason, one.action] += one.number


# Saying it


def _print(session: Session, name: str, month: Month, way: str) -> None:
    handles = {(one.platform, one.id): one.handle for one in session.settings.accounts}
    if session.json:
        for (platform, account, reason, action), number in sorted(month.counts.items()):
            session.print_json(
                "count",
                month=name,
                platform=platform,
                account=account,
                handle=handles.get((platform, account)),
                reason=reason or None,
                action=action or None,
                number=number,
            )
        totals = {"pending": month.pending, "reversed": month.reversed, "appeals": month.appeals}
        session.print_json("summary", month=name, decisions=month.decisions, **totals, counted_from=way)
        return
    click.echo(
        f"{name}: {month.decisions:,} decision{'' if month.decisions == 1 else 's'},"
        f" {_known(month.pending)} pending, {month.reversed:,} reversed, {_known(month.appeals)} objected to"
    )
    for line in _table(month.counts, handles):
        click.echo(printable(line))


def _known(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def _table(counts: Counter[Key], handles: Mapping[tuple[str, str], str | None]) -> Iterator[str]:
    rows = [
        (
            f"@{handle}" if (handle := handles.get((platform, account))) else account,
            reason or "no reason",
            action or "no action named",
            f"{number:,}",
        )
        for (platform, account, reason, action), number in sorted(counts.items())
    ]
    if not rows:
        return
    rows.insert(0, ("account", "reason", "action", "number"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        first = "  ".join(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False))
        yield f"  {first}  {row[3].rjust(widths[3])}"
