"""`archiver status` for a person: a short page that begins with whether all is well."""

from collections.abc import Iterator, Sequence

from archiver.cli._gaps import gap_in_words
from archiver.cli._stores import store_in_words
from archiver.cli.moderation._lines import number_of
from archiver.disposal import disposed_in_words
from archiver.health.gather import Gathered
from archiver.health.snapshot import AccountHealth, JobHealth, KindHealth, Snapshot, StoreHealth
from archiver.health.words import day, first_sentence, moment, trouble_lines
from archiver.schedule.due import NOW
from archiver.settings import Settings
from archiver.settings.api import format_usd
from archiver.sizes import byte_size
from archiver.vault import Archive

ARCHIVES_SHOWN = 12
"""A year of them; --json has all."""


def status_lines(settings: Settings, gathered: Gathered) -> Iterator[str]:
    """All lines, as they are to be made printable."""
    snapshot = gathered.snapshot
    yield first_sentence(snapshot)
    yield from trouble_lines(snapshot)
    yield "Accounts"
    for account in snapshot.accounts:
        yield from _account(snapshot, account)
    if not snapshot.accounts:
        yield "  no account yet"
    yield "Vault"
    yield from _vault(settings, gathered)
    yield "Waiting"
    yield from _waiting(gathered)
    if snapshot.is_collector:
        yield "Runs"
        yield from _jobs(snapshot)


def _day(milliseconds: int | None, never: str = "never") -> str:
    return never if milliseconds is None else day(milliseconds)


# Accounts


def _account(snapshot: Snapshot, account: AccountHealth) -> Iterator[str]:
    said = [_export(account)] if snapshot.is_collector else []
    if account.newest_ms is not None:
        said.append(f"newest post or message {_day(account.newest_ms)}")
    yield f"  account {account.name}" + (f": {'; '.join(said)}" if said else "")
    yield from _kinds(account.kinds)
    if snapshot.is_collector and account.spent_micro_usd is not None and account.most_micro_usd is not None:
        spent, most = format_usd(account.spent_micro_usd), format_usd(account.most_micro_usd)
        yield f"    spent this month: {spent} of {most}"
    for gap in account.gaps:
        yield f"    GAP {gap_in_words(gap)}"


def _export(account: AccountHealth) -> str:
    made = (
        "no export taken here yet"
        if account.export_ms is None
        else f"last export made {_day(account.export_ms)}"
    )
    if account.export_ms is None or account.export_due_ms is None:
        return made
    due = "now" if account.export_due_ms == NOW else _day(account.export_due_ms)
    return f"{made}, next due {due}"


def _kinds(kinds: Sequence[KindHealth]) -> Iterator[str]:
    """Kinds that were collected on the same day on one line."""
    by_day: dict[str, list[str]] = {}
    for kind in kinds:
        marks = [*(["not to its end"] if kind.unfinished else []), *(["late"] if kind.stale else [])]
        name = kind.kind + (f" ({', '.join(marks)})" if marks else "")
        by_day.setdefault("not yet" if kind.good_ms is None else _day(kind.good_ms), []).append(name)
    for when, names in sorted(by_day.items(), reverse=True):
        yield f"    from X {when}: {', '.join(names)}"


# Stores and archives


def _vault(settings: Settings, gathered: Gathered) -> Iterator[str]:
    snapshot = gathered.snapshot
    for store, health in zip(settings.stores, snapshot.stores, strict=True):
        yield f"  store {store_in_words(store)}{_store(health, len(snapshot.stores))}"
    yield from _archives(snapshot, gathered.archives)
    if snapshot.head is not None:
        yield f"  chain head {snapshot.head.sequence}:{snapshot.head.sha256}"
    yield f"  keyholders: {', '.join(snapshot.keyholders) or 'none known'}"


def _store(health: StoreHealth, stores: int) -> str:
    said = []
    if health.is_read and stores > 1:
        said.append("read here")
    if health.verified_ms is not None:
        said.append(f"checked {_day(health.verified_ms)}")
    if health.read_ms is not None:
        said.append(f"all read again by {_day(health.read_ms)}")
    if health.problem is not None:
        said.append(health.problem)
    return "".join(f"; {one}" for one in said)


def _archives(snapshot: Snapshot, archives: Sequence[Archive]) -> Iterator[str]:
    hidden = len(archives) - ARCHIVES_SHOWN
    if hidden > 0:
        yield f"  {number_of(hidden, 'archive')} before these: archiver status --json"
    for archive in archives[-ARCHIVES_SHOWN:]:
        manifest = archive.manifest
        covers = f"{(manifest.covers_from or '?')[:10]} to {(manifest.covers_to or '?')[:10]}"
        gone = "" if archive.disposed is None else f"; {disposed_in_words(archive.disposed)}"
        holds = f"{manifest.record_count:,} records, {byte_size(manifest.file_bytes)}"
        yield f"  archive {archive.name}: {holds}, posted {covers}{gone}"
    if not archives:
        yield f"  {_no_archive(snapshot)}"


def _no_archive(snapshot: Snapshot) -> str:
    if any(store.is_read for store in snapshot.stores):
        return "no archive yet"
    known = f"{number_of(snapshot.archives, 'archive')}, as far as is known here"
    return f"{known}; no store was read: archiver status --ask"


# What waits, and the runs


def _waiting(gathered: Gathered) -> Iterator[str]:
    snapshot = gathered.snapshot
    unread = "empty" if gathered.inbox_error is None else "CANNOT BE READ"
    yield f"  inbox: {', '.join(gathered.inbox) or unread}"
    waits = f"{snapshot.spool_records:,} records wait to be sealed ({byte_size(snapshot.spool_bytes)})"
    since = (
        "" if snapshot.spool_since_ms is None else f", the oldest captured {_day(snapshot.spool_since_ms)}"
    )
    yield f"  spool: {waits}{since}"
    if snapshot.moderation_pending:
        acts = number_of(snapshot.moderation_pending, "act")
        yield f"  moderation: {acts} pending; finish them: archiver moderation pending"


def _jobs(snapshot: Snapshot) -> Iterator[str]:
    if not snapshot.jobs:
        yield "  archiver run was never started here; from cron: archiver schedule cron"
    for job in snapshot.jobs:
        yield f"  {job.job}: {_job(job, snapshot.at_ms)}"
        if job.job == "remind":
            yield from (f"    {problem}" for problem in job.problems)


def _job(job: JobHealth, now_ms: int) -> str:
    if job.is_at_work:
        return "at work now"
    if job.finished_ms is None:
        said = "never done"
    else:
        how = {0: "done", 3: "incomplete"}.get(job.code or 0, f"failed with exit code {job.code}")
        said = f"{how} {moment(job.finished_ms)}"
    if job.due_ms is None:
        return said
    return f"{said}, due {'now' if job.due_ms <= now_ms else moment(job.due_ms)}"
