"""What is due from X into the spool, logged first."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from archiver.audit.entry import Asked
from archiver.collect.connect import Asked as AskedAccount
from archiver.collect.connect import asked_accounts, collect_from_x
from archiver.collect.report import AccountReport, KindReport
from archiver.errors import ArchiverError, ConfigurationError, IncompleteError, SourceError, sentence_of
from archiver.jobs.base import JobContext
from archiver.settings import AccountSettings
from archiver.settings.api import CollectKind, format_usd
from archiver.sources.x_api.errors import AccountError, CeilingError, EverythingError, KindError, LateError
from archiver.wiring.log import collector_act

INCOMPLETE = IncompleteError.exit_code
Seen = Callable[[AccountSettings, KindReport], None]


def collect_due(
    context: JobContext,
    command: str,
    *,
    accounts: Sequence[AskedAccount] = (),
    kinds: Sequence[CollectKind] = (),
    seen: Seen = lambda account, kind: None,
) -> list[AccountReport]:
    """Ask X for what is due of all accounts, or of those given, or for `kinds` whether due or not; a report
    for each account. `seen` is told of each kind. Raise ArchiverError where the log cannot be written."""
    asked = list(accounts) or asked_accounts(context.settings)
    if not asked:
        return []
    detail = {"kinds": list(kinds)} if kinds else {}
    act_asked = Asked("collect", command, ids=[one.id for one, _ in asked], detail=detail)

    def told(account: AccountSettings, kind: KindReport) -> None:
        context.told("collect.kind", kind_facts(account, kind))
        seen(account, kind)

    with collector_act(context.settings, context.environ, act_asked, context.clock) as act:
        reports = collect_from_x(
            context.collector, asked, context.environ, only=kinds, clock=context.clock, told=told
        )
        act.end(**collected_of(reports))
    return reports


def collect_code(reports: Sequence[AccountReport]) -> int:
    """0, 3 where anything is missing, or the code of what failed, where nothing was collected at all."""
    errors = [report.error for report in reports if report.error is not None]
    # A full disk, a damaged spool: no account's own fault.
    broken = [one.exit_code for one in errors if not isinstance(one, SourceError | ConfigurationError)]
    if broken:
        return max(broken)
    failed = [one for one in errors if not isinstance(one, CeilingError | EverythingError)]
    if failed and len(failed) == len(reports) and not any(map(_brought, reports)):
        return failed[0].exit_code
    return 0 if all(report.complete for report in reports) else INCOMPLETE


def _brought(report: AccountReport) -> bool:
    return any(kind.resources for kind in report.kinds)


def collected_of(reports: Sequence[AccountReport]) -> dict[str, Any]:
    """What the log says of an interface: how much it brought."""
    return {"results": sum(kind.resources for report in reports for kind in report.kinds)}


def kind_facts(account: AccountSettings, kind: KindReport) -> dict[str, object]:
    """One kind of one account in numbers."""
    return {
        "account": account.id,
        "kind": kind.kind,
        "requests": kind.requests,
        "returned": kind.resources,
        "usd": kind.micro_usd / 1_000_000,
        **{change: number for change, number in sorted(kind.counts.items()) if number},
        "gaps": len(kind.gaps),
        "media_missing": kind.media_missing,
        "error": None if kind.error is None else type(kind.error).__name__,
        "complete": kind.complete,
    }


def collect_facts(reports: Sequence[AccountReport]) -> Mapping[str, object]:
    """For the run's report: what all accounts brought together."""
    kinds = [kind for report in reports for kind in report.kinds]
    counts: Counter[str] = sum((kind.counts for kind in kinds), Counter())
    return {
        "accounts": len(reports),
        "kinds": len(kinds),
        "requests": sum(kind.requests for kind in kinds),
        "returned": sum(kind.resources for kind in kinds),
        "usd": sum(kind.micro_usd for kind in kinds) / 1_000_000,
        **{change: number for change, number in sorted(counts.items()) if number},
        "gaps": sum(len(kind.gaps) for kind in kinds),
        "media_missing": sum(kind.media_missing for kind in kinds),
        "incomplete": [report.account for report in reports if not report.complete],
    }


def collect_summary(reports: Sequence[AccountReport]) -> str:
    """For a person: how much was asked and returned, and what it cost."""
    asked = [report for report in reports if report.kinds]
    kinds = [kind for report in asked for kind in report.kinds]
    returned = sum(kind.resources for kind in kinds)
    new = sum(kind.counts["new"] + kind.counts["changed"] for kind in kinds)
    usd = format_usd(sum(kind.micro_usd for kind in kinds))
    of = f"{len(asked):,} account{'' if len(asked) == 1 else 's'}"
    return f"{of}: {returned:,} records returned, {new:,} of them new or changed, for {usd}"


def collect_problems(reports: Sequence[AccountReport]) -> list[str]:
    """For the run's report: what went wrong with which account. An error that ended the run for all of them
    is said once; of records there are numbers alone."""
    problems: list[str] = []
    told: set[int] = set()
    for report in reports:
        who = f"@{report.handle}" if report.handle else report.account
        for error in (*(kind.error for kind in report.kinds), report.error):
            if error is not None and id(error) not in told:
                told.add(id(error))
                problems.append(f"{who}: {sentence_of(error)}")
        problems += [f"{who}: {one.what}: {one.reason}" for one in report.problems]
        problems += [f"{who}: {kind.kind}: {lacks}" for kind in report.kinds if (lacks := _lacks(kind))]
    return problems


def _lacks(kind: KindReport) -> str:
    parts = (
        (len(kind.gaps), "gap", "gaps"),
        (kind.media_missing, "picture or video missing", "pictures and videos missing"),
        (len(kind.problems), "problem", "problems"),
    )
    return ", ".join(f"{number:,} {one if number == 1 else many}" for number, one, many in parts if number)


def ending_error(reports: Sequence[AccountReport]) -> ArchiverError | None:
    """What of it ends the whole run: a full disk, a damaged spool."""
    errors = (report.error for report in reports if report.error is not None)
    return next((error for error in errors if error.ends_run), None)


def refused_kinds(reports: Sequence[AccountReport]) -> Collection[tuple[str, str]]:
    """Account and kind of what X, or the month's money, refused, so that asking again at once is no use."""
    refused: set[tuple[str, str]] = set()
    for report in reports:
        ended = isinstance(report.error, AccountError | EverythingError)
        refused |= {(report.account, kind) for kind in report.not_asked if ended}
        for kind in report.kinds:
            error = kind.error or (report.error if kind is report.kinds[-1] else None)
            if isinstance(error, KindError | AccountError | EverythingError) and not isinstance(
                error, LateError
            ):
                refused.add((report.account, kind.kind))
    return refused
