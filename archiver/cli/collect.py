"""`archiver collect`: what is new on X into the spool, through X's interface."""

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import host_act
from archiver.cli._collected import report_collected
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, progress_bar
from archiver.collect.connect import asked_accounts, collect_from_x
from archiver.collect.plan import Plan, Planned, plan
from archiver.errors import ConfigurationError
from archiver.jobs.noting import note_by_hand
from archiver.jobs.work.collected import collect_problems, collected_of
from archiver.settings.api import COLLECT_KINDS, CollectKind, format_usd
from archiver.times import system_clock
from archiver.wiring.claims import require_holder
from archiver.wiring.collector import open_collector

CACHE_BYTES = 2 * 1024 * 1024
"""Of the state: a page asks for a hundred ids at a time, so that more only grows with the accounts (RSS from
10 to 50 accounts: 2 % with this, 13 % with 32 MiB, at the same speed)."""


@click.command(
    "collect",
    epilog=examples(
        "archiver collect --dry-run",
        "archiver collect",
        "archiver collect --account SpringfieldPolice --kind posts --kind mentions",
    ),
)
@click.option(
    "--account", "accounts", multiple=True, metavar="ID|HANDLE", help="Only this account; may be repeated."
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(COLLECT_KINDS),
    metavar="KIND",
    help=f"Only this kind, due or not, and paid again; may be repeated: {', '.join(COLLECT_KINDS)}.",
)
@click.option(
    "--dry-run", is_flag=True, help="Show what would be asked for and what it may cost; ask nothing."
)
@pass_session
def command(
    session: Session, accounts: tuple[str, ...], kinds: tuple[CollectKind, ...], dry_run: bool
) -> int:
    """Ask X what is new on the accounts that have [account.api] in the settings, and keep it until it is
    sealed: `archiver backup` does both.

    This costs money, up to max_spend_usd an account and month. It needs a key: archiver login x. Each kind is
    asked for as often as the settings say; posts of the last days are looked up again. The next run goes on
    where one was cut off.

    Exit 0: all that was due came. 3: something is missing (out of X's reach, not shown, over the month's
    money) and is listed. 1: nothing came. 2: the settings or keys. 11: another run is at work."""
    settings = session.settings
    asked = asked_accounts(settings, accounts)
    if not asked:
        raise ConfigurationError(
            f"{settings.path} names no account to be collected from X",
            "that costs money and needs a key: see [account.api] in config/archiver.sample.toml",
        )
    if dry_run:
        _print_plan(session, plan(settings, asked, system_clock(), kinds))
        return 0
    require_holder(settings)
    show, started_ms = progress_bar(session), system_clock()
    told = Asked(
        "collect", "collect", ids=[one.id for one, _ in asked], detail={"kinds": kinds} if kinds else {}
    )
    with host_act(session, told) as act:
        with open_collector(settings, cache_bytes=CACHE_BYTES) as collector:
            reports = collect_from_x(
                collector,
                asked,
                session.environ,
                only=kinds,
                clock=system_clock,
                told=lambda account, kind: show(
                    f"of {account.handle or account.id} {kind.kind}", kind.resources
                ),
            )
        clear_progress(session)
        act.end(**collected_of(reports))
    code = report_collected(session, reports)
    if not accounts and not kinds:  # else of the rest nothing is known
        note_by_hand(settings, "collect", started_ms, system_clock(), code, collect_problems(reports))
    return code


def _print_plan(session: Session, planned: Plan) -> None:
    if session.json:
        _print_plan_json(session, planned)
        return
    if not planned.rows:
        click.echo("Nothing is due: no request would be made.")
    else:
        _print_table(planned.rows)
    for account, spent in planned.spent.items():
        name = _name_of(planned, account)
        click.echo(f"{name}: {format_usd(spent)} spent in {planned.month}; {_ceiling(planned, account)}")
        if planned.stops_early(account):
            click.echo(
                "  What is due may cost more than is left: the run stops there and goes on next month."
            )
    click.echo(f"Prices of {planned.prices_as_of}, as in the settings. Nothing was asked.")
    if planned.with_includes:
        click.echo(
            "What X sends along is taken as billed:"
            f" up to {planned.with_includes} more for each thing returned."
        )


def _name_of(planned: Plan, account: str) -> str:
    handles = (row.account.handle for row in planned.rows if row.account.id == account)
    handle = next(handles, None)
    return account if handle is None else f"@{handle}"


def _ceiling(planned: Plan, account: str) -> str:
    settings = next((row.account for row in planned.rows if row.account.id == account), None)
    if settings is None or settings.api is None:
        return "nothing is due"
    return f"the ceiling is {format_usd(settings.api.max_spend_micro_usd)} a month"


def _print_table(rows: tuple[Planned, ...]) -> None:
    table: list[tuple[str, ...]] = [("account", "kind", "why", "requests", "returned", "cost", "at most")]
    table += [_cells(row) for row in rows if row.expected != 0 or row.requests]
    total = format_usd(sum(row.micro_usd for row in rows))
    unknown = any(row.expected is None for row in rows)
    requests = f"{sum(row.requests for row in rows):,}"
    table.append(("", "total", "", requests, "", f"{total} and ?" if unknown else total, ""))
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        cells = [
            cell.rjust(width) if column > 2 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())
    if unknown:
        click.echo("? is not known before the first time. Each 1,000 of these cost at most:")
        names = {row.kind: row for row in rows if row.expected is None}
        click.echo("  " + ", ".join(f"{kind} {format_usd(row.price * 1000)}" for kind, row in names.items()))


def _cells(row: Planned) -> tuple[str, ...]:
    return (
        f"@{row.account.handle}" if row.account.handle else row.account.id,
        row.kind,
        row.why,
        f"{row.requests:,}" if row.expected is not None else "?",
        "?" if row.expected is None else f"{row.expected:,}",
        "?" if row.expected is None else format_usd(row.micro_usd),
        "the ceiling" if row.most_micro_usd is None else format_usd(row.most_micro_usd),
    )


def _print_plan_json(session: Session, planned: Plan) -> None:
    for row in planned.rows:
        session.print_json(
            "planned",
            account=row.account.id,
            handle=row.account.handle,
            kind=row.kind,
            why=row.why,
            requests=row.requests,
            returned=row.expected,
            usd=None if row.expected is None else row.micro_usd / 1_000_000,
            at_most_usd=None if row.most_micro_usd is None else row.most_micro_usd / 1_000_000,
        )
    session.print_json(
        "summary",
        requests=sum(row.requests for row in planned.rows),
        usd=sum(row.micro_usd for row in planned.rows) / 1_000_000,
        month=planned.month,
        spent_usd={account: spent / 1_000_000 for account, spent in planned.spent.items()},
        prices_as_of=planned.prices_as_of,
    )
