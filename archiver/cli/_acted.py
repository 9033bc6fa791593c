"""What the log says of a run that changed something: numbers and names, none of the data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archiver.collect.report import AccountReport
    from archiver.seal import SealResult


def sealed_of(result: "SealResult") -> dict[str, Any]:
    """Of a sealing: its records, and the archive."""
    archive = result.archive
    if archive is None:
        return {"results": 0}
    records = sum(sum(one.records.values()) for one in archive.manifest.segments)
    return {"results": records, "ids": [archive.name]}


def collected_of(reports: "Sequence[AccountReport]") -> dict[str, Any]:
    """Of an interface: how much it brought."""
    return {"results": sum(kind.resources for report in reports for kind in report.kinds)}
