"""What collecting through X's interface brought, for a person and as JSON."""

from collections.abc import Sequence

import click

from archiver.cli._gaps import gap_fields, gap_in_words
from archiver.cli._report import NAMED, count_of
from archiver.cli._session import Session, print_error, printable
from archiver.collect.report import AccountReport, KindReport
from archiver.jobs.work.collected import collect_code
from archiver.settings.api import format_usd

NAMED_FILES = 3
_CHANGES = (
    ("new", "new"),
    ("changed", "changed"),
    ("back", "there again"),
    ("again", "known from an export"),
    ("gone", "gone"),
    ("unchanged", "unchanged"),
)


def report_collected(session: Session, reports: Sequence[AccountReport]) -> int:
    """Say what each account brought: 0, 3 where anything is missing, or the code of what failed, where
    nothing was collected at all."""
    told: set[int] = set()
    for report in reports:
        if session.json:
            _print_json(session, report)
        else:
            _print_account(report)
        _print_errors(report, told)
    return collect_code(reports)


def _print_errors(report: AccountReport, told: set[int]) -> None:
    """`told`: those said already, as one that ended the run for all accounts is the same for each."""
    for error in (*(kind.error for kind in report.kinds), report.error):
        if error is not None and id(error) not in told:
            told.add(id(error))
            print_error(error, about=who(report))


def who(report: AccountReport) -> str:
    handle = report.current_handle or report.handle
    return f"@{handle}" if handle else report.account


def _print_account(report: AccountReport) -> None:
    if not report.due:
        if report.error is None:
            click.echo(printable(f"{who(report)}: nothing is due"))
        return
    spent, most = format_usd(report.month_micro_usd), format_usd(report.ceiling_micro_usd)
    click.echo(
        printable(
            f"{who(report)}: asked X, for {format_usd(report.micro_usd)} ({spent} of {most} this month)"
        )
    )
    if report.renamed:
        click.echo(
            printable(
                f"  NOTE X calls the account {report.account} @{report.current_handle} now, the settings"
                f" @{report.handle}: put the new handle there"
            )
        )
    for kind in report.kinds:
        _print_kind(kind)
    if report.not_asked:
        click.echo(f"  not asked for: {', '.join(report.not_asked)}")
    for problem in report.problems:
        click.echo(printable(f"  PROBLEM {problem.what}: {problem.detail}"))
    if not report.complete:
        click.echo("  Incomplete: what is missing is listed here, and in the archive.")


def _print_kind(kind: KindReport) -> None:
    counts = [f"{kind.counts[change]:,} {word}" for change, word in _CHANGES if kind.counts[change]]
    asked = f"{kind.requests:,} request{'' if kind.requests == 1 else 's'}, {kind.resources:,} returned"
    click.echo(
        f"  {kind.kind}: {asked}: {', '.join(counts) or 'nothing'}"
        if kind.requests
        else f"  {kind.kind}: nothing asked"
    )
    if kind.media:
        click.echo(f"    {count_of(kind.media, 'media')}")
    if kind.context:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in sorted(kind.context.items()))
        click.echo(printable(f"    not shown around them: {reasons}"))
    for gap in kind.gaps:
        click.echo(printable(f"    GAP {gap_in_words(gap)}"))
    _print_missing(kind)
    for problem in kind.problems[:NAMED]:
        click.echo(printable(f"    PROBLEM {problem.what}: {problem.reason}: {problem.detail}"))
    if len(kind.problems) > NAMED:
        click.echo(f"    PROBLEM and {len(kind.problems) - NAMED} more")


def _print_missing(kind: KindReport) -> None:
    """Pictures and videos that could not be had, by the reason; a few of each by name."""
    by_reason: dict[str, list[str]] = {}
    for missing in kind.media_missing_names:
        name, _, reason = missing.partition(" (")
        by_reason.setdefault(reason.removesuffix(")"), []).append(name)
    for reason, names in by_reason.items():
        more = f" and {len(names) - NAMED_FILES:,} more" if len(names) > NAMED_FILES else ""
        shown = ", ".join(names[:NAMED_FILES])
        click.echo(printable(f"    MISSING {count_of(len(names), 'media')}: {reason}: {shown}{more}"))
    if kind.media_missing > len(kind.media_missing_names):
        click.echo(f"    MISSING {kind.media_missing:,} pictures and videos in all")


def _print_json(session: Session, report: AccountReport) -> None:
    for kind in report.kinds:
        session.print_json(
            "collected",
            platform=report.platform,
            account=report.account,
            handle=report.current_handle or report.handle,
            kind=kind.kind,
            requests=kind.requests,
            returned=kind.resources,
            usd=kind.micro_usd / 1_000_000,
            counts=dict(kind.counts),
            media=kind.media,
            media_missing=kind.media_missing,
            media_missing_names=kind.media_missing_names,
            context=dict(kind.context),
            gaps=[gap_fields(gap) for gap in kind.gaps],
            problems=[
                {"what": one.what, "reason": one.reason, "detail": one.detail} for one in kind.problems
            ],
            error=None if kind.error is None else kind.error.message,
            complete=kind.complete,
        )
    session.print_json(
        "account",
        platform=report.platform,
        account=report.account,
        handle=report.handle,
        current_handle=report.current_handle,
        usd=report.micro_usd / 1_000_000,
        month_usd=report.month_micro_usd / 1_000_000,
        ceiling_usd=report.ceiling_micro_usd / 1_000_000,
        not_asked=report.not_asked,
        problems=[{"what": one.what, "reason": one.reason, "detail": one.detail} for one in report.problems],
        error=None if report.error is None else report.error.message,
        complete=report.complete,
    )
