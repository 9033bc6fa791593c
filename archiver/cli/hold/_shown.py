"""Holds as JSON."""

from archiver.custody.entry import CustodyEntry
from archiver.retention.holding import BY_CASE


def hold_fields(hold: CustodyEntry) -> dict[str, object]:
    """What a program is told of a hold."""
    scope = hold.scope
    by = "query" if scope.query is not None else str(hold.detail.get("by") or "")
    return {
        "id": hold.id,
        "at": hold.at,
        "by": hold.by,
        "reason": hold.reason,
        "case": hold.case,
        "scope": by if by in ("query", BY_CASE) else "everything" if scope.everything else "archives",
        "everything": scope.everything,
        "query": scope.query,
        "archives": list(scope.archives),
    }
