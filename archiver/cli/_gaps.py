"""A gap, for a person and as JSON."""

from archiver.progress import Gap
from archiver.times import format_time


def gap_in_words(gap: Gap) -> str:
    """`posts: what was posted between … (id) and … (id) is out of reach: why`."""
    before = _bound(gap.before_ms, gap.before_id)
    if gap.after_id is None:
        return f"{gap.kind}: what is older than {before} is out of reach: {gap.reason}"
    after = _bound(gap.after_ms, gap.after_id)
    return f"{gap.kind}: what lies between {after} and {before} is out of reach: {gap.reason}"


def _bound(milliseconds: int | None, platform_id: str | None) -> str:
    return (
        f"{'?' if milliseconds is None else format_time(milliseconds)[:19] + 'Z'} (id {platform_id or '?'})"
    )


def gap_fields(gap: Gap) -> dict[str, object]:
    return {
        "kind": gap.kind,
        "after_id": gap.after_id,
        "after": None if gap.after_ms is None else format_time(gap.after_ms),
        "before_id": gap.before_id,
        "before": None if gap.before_ms is None else format_time(gap.before_ms),
        "noticed": format_time(gap.noticed_ms),
        "reason": gap.reason,
    }
