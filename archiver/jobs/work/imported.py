"""The inbox into the spool, logged first."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archiver.audit.entry import DONE, Asked
from archiver.backup import Imported, find_in_inbox, import_exports
from archiver.errors import IncompleteError
from archiver.jobs.base import JobContext
from archiver.jobs.noting import sentence_of
from archiver.wiring_log import collector_act

INCOMPLETE = IncompleteError.exit_code
Progress = Callable[[str, int], None]


def import_inbox(
    context: JobContext,
    command: str,
    *,
    may_add_account: bool = False,
    progress: Progress = lambda phase, records: None,
) -> list[Imported]:
    """Take in what lies in the inbox, if anything. `command`: who does, for the log. Raise ArchiverError
    where the log cannot be written; what is refused is in the answer."""
    exports = find_in_inbox(context.settings.inbox)
    if not exports:
        return []
    asked = Asked("import", command, ids=[one.name for one in exports])
    with collector_act(context.settings, context.environ, asked, context.clock) as act:
        results = import_exports(
            context.collector,
            exports,
            may_add_account=may_add_account,
            clock=context.clock,
            progress=progress,
        )
        act.end(**imported_of(results))
    return results


def import_code(results: Sequence[Imported]) -> int:
    """0, 3 where something is missing, or the code of what failed, where nothing was taken."""
    codes = [_code_of(one) for one in results]
    failed = [code for code in codes if code not in (0, INCOMPLETE)]
    if failed and len(failed) == len(codes):
        return failed[0]
    return INCOMPLETE if any(codes) else 0


def _code_of(result: Imported) -> int:
    if result.error is not None:
        return result.error.exit_code
    return 0 if result.report is None or result.report.complete else INCOMPLETE


def imported_of(results: Sequence[Imported]) -> dict[str, Any]:
    """What the log says of exports: the records that were new or changed, whose they are, and what was
    refused for which kind of error."""
    reports = [one.report for one in results if one.report is not None]
    refused = sorted({type(one.error).__name__ for one in results if one.error is not None})
    detail: dict[str, object] = {"accounts": sorted({one.account for one in reports})}
    if refused:
        detail["refused"] = refused
    outcome = f"failed: {', '.join(refused)}" if refused and not reports else DONE
    return {"results": _changed(results), "outcome": outcome, "detail": detail}


def import_facts(results: Sequence[Imported]) -> Mapping[str, object]:
    """For the run's report: how many exports were taken, which records they brought, what was refused."""
    return {
        "exports": sum(one.report is not None for one in results),
        "refused": sum(one.error is not None for one in results),
        "records": _changed(results),
    }


def import_summary(results: Sequence[Imported]) -> str:
    """For a person: what was taken."""
    taken = sum(one.report is not None for one in results)
    return f"{taken:,} export{'' if taken == 1 else 's'} taken, {_changed(results):,} records new or changed"


def import_problems(results: Sequence[Imported]) -> list[str]:
    """For the run's report: a sentence for each export that was refused or lacks something."""
    problems = []
    for one in results:
        if one.error is not None:
            problems.append(sentence_of(one.error))
        elif one.report is not None and not one.report.complete:
            lacks = f"{one.report.media_missing:,} pictures and videos, {len(one.report.problems):,} problems"
            problems.append(f"{one.name} lacks something: {lacks}")
    return problems


def _changed(results: Sequence[Imported]) -> int:
    return sum(
        changes.get("new", 0) + changes.get("changed", 0)
        for one in results
        if one.report is not None and not one.report.repeated
        for changes in one.report.counts.values()
    )
