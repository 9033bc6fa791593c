"""How everything stands now: what this host's files and the stores at hand tell, in one piece.

Without the collector's lock, without a key, changing nothing; servers are asked only where that is wanted.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from archiver.chain import Head
from archiver.errors import ArchiverError
from archiver.health.accounts import account_healths
from archiver.health.judging import Found, troubles
from archiver.health.local import LocalFacts, read_local
from archiver.health.more import Seen, Teller, add_more
from archiver.health.snapshot import Snapshot
from archiver.health.told_of_archives import (
    tell_of_holder,
    tell_of_retention,
    tell_of_unfinished_disposals,
    tell_of_unfinished_erasures,
)
from archiver.health.vaults import Trouble, VaultFacts, last_archive, look_at_vaults
from archiver.health.work import job_healths
from archiver.inbox.files import find_in_inbox, names_of
from archiver.keyholders import Keyholders
from archiver.settings import Settings
from archiver.vault import Archive

TELLERS: tuple[Teller, ...] = (
    tell_of_retention,
    tell_of_unfinished_disposals,
    tell_of_unfinished_erasures,
    tell_of_holder,
)
"""Who adds facts to a snapshot, in the order in which what they find is told."""


@dataclass(frozen=True)
class Gathered:
    """The snapshot, and every archive as the store has them that was read. `inbox`: the exports that wait
    there, by name; `inbox_error`: why it cannot be read."""

    snapshot: Snapshot
    archives: tuple[Archive, ...]
    inbox: tuple[str, ...] = ()
    inbox_error: ArchiverError | None = None


def take_snapshot(settings: Settings, now_ms: int, environ: Mapping[str, str]) -> Snapshot:
    """How everything stands. Asks no server and runs no program, so that it takes no longer than folders
    do. Raise nothing: what cannot be read is a problem of the snapshot."""
    return gather(settings, now_ms, environ).snapshot


def gather(
    settings: Settings,
    now_ms: int,
    environ: Mapping[str, str],
    *,
    ask: bool = False,
    store: str | None = None,
) -> Gathered:
    """As `take_snapshot`. `ask`: stores far away are asked too. `store`: only this one is, wherever it is;
    raise UsageError where there is none of this name."""
    facts = read_local(settings, now_ms)
    vaults = look_at_vaults(settings, facts, ask=ask, store=store)
    accounts = account_healths(settings, facts, now_ms)
    last = last_archive(vaults.archives)
    inbox, inbox_error = _waiting_in_inbox(settings, must=facts.is_collector)
    keyholders, problems = _keyholders(settings)
    found = Found(
        settings=settings,
        facts=facts,
        accounts=accounts,
        vaults=vaults,
        last=last,
        jobs=job_healths(settings, facts, accounts, last, len(inbox), now_ms),
        keyholders=keyholders,
        spool_free_bytes=_free_bytes(settings.spool) if facts.is_collector else None,
        now_ms=now_ms,
        inbox_error=inbox_error,
    )
    more: dict[str, object] = {"reminders": facts.journal.reminders} if facts.journal.reminders else {}
    seen = Seen(settings, vaults.vault, vaults.archives, now_ms, environ)
    problems += troubles(found) + add_more(seen, more, TELLERS)
    snapshot = _snapshot(found, problems, more, len(inbox) if facts.is_collector else 0)
    return Gathered(snapshot, vaults.archives, inbox, inbox_error)


def _snapshot(
    found: Found, problems: list[Trouble], more: Mapping[str, object], inbox_files: int
) -> Snapshot:
    facts, vaults = found.facts, found.vaults
    head = _head(facts, vaults)
    return Snapshot(
        at_ms=found.now_ms,
        accounts=found.accounts,
        stores=vaults.stores,
        jobs=found.jobs,
        archives=len(vaults.archives) if vaults.read is not None else 0 if head is None else head.sequence,
        last_archive=found.last,
        head=head,
        spool_records=facts.spool.records,
        spool_bytes=facts.spool.bytes,
        inbox_files=inbox_files,
        moderation_pending=facts.spool.pending,
        keyholders=found.keyholders,
        problems=tuple(one.what for one in problems),
        advice=tuple(one.advice for one in problems),
        is_collector=facts.is_collector,
        spool_since_ms=facts.spool.since_ms,
        spool_free_bytes=found.spool_free_bytes,
        error=vaults.error or next(iter(facts.errors), None),
        more=more,
    )


def _head(facts: LocalFacts, vaults: VaultFacts) -> Head | None:
    """The chain's end as the store says, else as this host remembers it."""
    return vaults.archives[-1].head if vaults.archives else facts.state.head


def _waiting_in_inbox(settings: Settings, *, must: bool) -> tuple[tuple[str, ...], ArchiverError | None]:
    """The exports that wait in the inbox, by name, and why it cannot be read, where it `must` be."""
    try:
        return tuple(names_of([path]) for path in find_in_inbox(settings.inbox)), None
    except ArchiverError as error:
        return (), error if must else None


def _keyholders(settings: Settings) -> tuple[tuple[str, ...], list[Trouble]]:
    try:
        entries = Keyholders.load(settings.recipients).entries
    except ArchiverError as error:
        return (), [Trouble.of(error)]
    return tuple(one.name for one in entries), []


def _free_bytes(folder: Path) -> int | None:
    """Of the file system that a folder is on, or will be."""
    for path in (folder, *folder.parents):
        with suppress(OSError):
            status = os.statvfs(path)
            return status.f_bavail * status.f_frsize
    return None
