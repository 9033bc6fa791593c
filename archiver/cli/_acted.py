"""What the log says of a run that changed something: numbers and names, none of the data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archiver.audit.entry import DONE

if TYPE_CHECKING:
    from archiver.collect.report import AccountReport
    from archiver.inbox.exports import Imported
    from archiver.seal import SealResult


def sealed_of(result: "SealResult") -> dict[str, Any]:
    """Of a sealing: its records, and the archive."""
    archive = result.archive
    if archive is None:
        return {"results": 0}
    records = sum(sum(one.records.values()) for one in archive.manifest.segments)
    return {"results": records, "ids": [archive.name]}


def imported_of(results: "Sequence[Imported]") -> dict[str, Any]:
    """Of exports: the records that were new or changed, whose they are, and what was refused for which kind
    of error."""
    reports = [one.report for one in results if one.report is not None]
    records = sum(
        changes.get("new", 0) + changes.get("changed", 0)
        for report in reports
        if not report.repeated
        for changes in report.counts.values()
    )
    refused = sorted({type(one.error).__name__ for one in results if one.error is not None})
    detail: dict[str, object] = {"accounts": sorted({one.account for one in reports})}
    if refused:
        detail["refused"] = refused
    outcome = f"failed: {', '.join(refused)}" if refused and not reports else DONE
    return {"results": records, "outcome": outcome, "detail": detail}


def collected_of(reports: "Sequence[AccountReport]") -> dict[str, Any]:
    """Of an interface: how much it brought."""
    return {"results": sum(kind.resources for report in reports for kind in report.kinds)}
