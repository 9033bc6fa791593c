"""`archiver status --json`: one object a line, each with its type."""

from collections.abc import Iterator

from archiver.cli._gaps import gap_fields
from archiver.cli._stores import store_fields
from archiver.health.gather import Gathered
from archiver.health.snapshot import AccountHealth, JobHealth, KindHealth, Snapshot
from archiver.settings import Settings
from archiver.settings.api import MICRO_USD
from archiver.times import format_time
from archiver.vault import Archive

Line = tuple[str, dict[str, object]]
"""Its type, and its other fields."""


def status_objects(settings: Settings, gathered: Gathered) -> Iterator[Line]:
    """Every line, the summary last."""
    snapshot = gathered.snapshot
    for account in snapshot.accounts:
        yield "account", _account(account)
        for kind in account.kinds:
            yield "kind", _kind(account, kind, snapshot.at_ms)
        sealed = len(account.gaps) - account.gaps_unsealed
        for number, gap in enumerate(account.gaps):
            fields = gap_fields(gap)
            yield (
                "gap",
                {"platform": gap.platform, "account": gap.account, **fields, "sealed": number < sealed},
            )
    for store, health in zip(settings.stores, snapshot.stores, strict=True):
        yield (
            "store",
            {
                **store_fields(store),
                "read": health.is_read,
                "verified_at": time_or_null(health.verified_ms),
                "read_again_at": time_or_null(health.read_ms),
                "archives": health.archives,
                "free_bytes": health.free_bytes,
                "problem": health.problem,
            },
        )
    for archive in gathered.archives:
        yield "archive", _archive(archive)
    for job in snapshot.jobs:
        yield "job", _job(job, snapshot.at_ms)
    yield "waiting", _waiting(gathered)
    for name in snapshot.keyholders:
        yield "keyholder", {"name": name}
    yield "summary", _summary(snapshot)


def time_or_null(milliseconds: int | None) -> str | None:
    """A time as JSON has it; null for never, and for what a damaged file says."""
    try:
        return None if milliseconds is None else format_time(milliseconds)
    except OverflowError:
        return None


def _due_at(due_ms: int | None, now_ms: int) -> str | None:
    """When a thing is due: now, where it is due already whatever time it is."""
    return time_or_null(due_ms or now_ms) if due_ms is not None else None


def _account(account: AccountHealth) -> dict[str, object]:
    most = account.most_micro_usd
    return {
        "platform": account.platform,
        "id": account.id,
        "handle": account.handle,
        "last_export": time_or_null(account.export_ms),
        "collected": {
            kind.kind: time_or_null(kind.good_ms)
            for kind in account.kinds
            if kind.good_ms is not None or kind.unfinished
        },
        "unfinished": [kind.kind for kind in account.kinds if kind.unfinished],
        "gaps": [gap_fields(gap) for gap in account.gaps],
        "spent_usd": (account.spent_micro_usd or 0) / MICRO_USD,
        "most_usd": None if most is None else most / MICRO_USD,
        "newest": time_or_null(account.newest_ms),
        "export_due": time_or_null(account.export_due_ms or None),
        "export_stale": account.export_stale,
    }


def _kind(account: AccountHealth, kind: KindHealth, now_ms: int) -> dict[str, object]:
    return {
        "platform": account.platform,
        "account": account.id,
        "kind": kind.kind,
        "collected": time_or_null(kind.good_ms),
        "newest": time_or_null(kind.newest_ms),
        "due_at": _due_at(kind.due_ms, now_ms),
        "stale": kind.stale,
        "unfinished": kind.unfinished,
    }


def _archive(archive: Archive) -> dict[str, object]:
    manifest = archive.manifest
    return {
        "archive": archive.name,
        "sequence": manifest.sequence,
        "sealed_at": manifest.sealed_at,
        "covers_from": manifest.covers_from,
        "covers_to": manifest.covers_to,
        "records": manifest.record_count,
        "bytes": manifest.file_bytes,
        "sha256": archive.head.sha256,
    }


def _job(job: JobHealth, now_ms: int) -> dict[str, object]:
    return {
        "job": job.job,
        "finished_at": time_or_null(job.finished_ms),
        "good_at": time_or_null(job.good_ms),
        "code": job.code,
        "due_at": _due_at(job.due_ms, now_ms),
        "stale": job.stale,
        "at_work": job.is_at_work,
        "problems": list(job.problems),
    }


def _waiting(gathered: Gathered) -> dict[str, object]:
    snapshot = gathered.snapshot
    return {
        "inbox": None if gathered.inbox_error is not None else list(gathered.inbox),
        "spool_records": snapshot.spool_records,
        "spool_bytes": snapshot.spool_bytes,
        "spool_since": time_or_null(snapshot.spool_since_ms),
        "spool_free_bytes": snapshot.spool_free_bytes,
        "moderation_pending": snapshot.moderation_pending,
    }


def _summary(snapshot: Snapshot) -> dict[str, object]:
    head = snapshot.head
    return {
        "healthy": snapshot.healthy,
        "code": snapshot.code,
        "problems": list(snapshot.problems),
        "advice": list(snapshot.advice),
        "at": time_or_null(snapshot.at_ms),
        "collects": snapshot.is_collector,
        "archives": snapshot.archives,
        "head": None if head is None else {"sequence": head.sequence, "sha256": head.sha256},
        "more": dict(snapshot.more),
    }
