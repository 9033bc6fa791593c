"""What of all that is not well, a sentence each, and what to do about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archiver.errors import ArchiverError, IncompleteError
from archiver.health.local import LocalFacts
from archiver.health.snapshot import AccountHealth, ArchiveHealth, JobHealth, KindHealth
from archiver.health.vaults import Trouble, VaultFacts
from archiver.health.words import day, moment
from archiver.health.work import is_past, seal_due_ms, was_cut_off
from archiver.inbox.files import FAILED
from archiver.schedule.checks import AWAY_DAYS
from archiver.schedule.due import DAY_MS, due_after, trusted
from archiver.schedule.due import seal_due_ms as next_seal_ms
from archiver.schedule.journal import RUN
from archiver.settings import Settings
from archiver.stores.named import sync_command

CLOCK_SLACK_MS = 10 * 60_000
"""By so much a clock may have been put right without anybody being told."""
LEAST_FREE_BYTES = 256 << 20
_PENDING_DAYS = 1
_RUN = "start it: archiver run; see what keeps it from it: archiver doctor"


@dataclass(frozen=True)
class Found:
    """All that is judged."""

    settings: Settings
    facts: LocalFacts
    accounts: tuple[AccountHealth, ...]
    vaults: VaultFacts
    last: ArchiveHealth | None
    jobs: tuple[JobHealth, ...]
    keyholders: tuple[str, ...]
    spool_free_bytes: int | None
    now_ms: int
    inbox_error: ArchiverError | None = None

    @property
    def stale_ms(self) -> int:
        return self.settings.schedule.stale_days * DAY_MS


def troubles(found: Found) -> list[Trouble]:
    """Everything that is not well, what is worst first."""
    return [
        *_of_vault(found),
        *_of_stores(found),
        *_of_clock(found),
        *_of_files(found),
        *_of_inbox(found),
        *_of_run(found),
        *_of_jobs(found),
        *(trouble for account in found.accounts for trouble in _of_account(found, account)),
        *_of_sealing(found),
        *_of_moderation(found),
    ]


# Vault, stores, disks, clock


def _of_vault(found: Found) -> Iterator[Trouble]:
    errors = (found.vaults.error, *found.vaults.more_errors)
    yield from (Trouble.of(error) for error in errors if error is not None)
    if not found.keyholders:
        yield Trouble("no keyholder is known", "see what is wrong: archiver keys list")


def _of_stores(found: Found) -> Iterator[Trouble]:
    said = {error.message for error in (found.vaults.error, *found.vaults.more_errors) if error is not None}
    for store in found.vaults.stores:
        may_be_away = not store.required and store.archives is None
        since = found.now_ms - (store.away_ms or store.verified_ms or found.now_ms)
        is_told = store.problem is not None and store.problem not in said
        if is_told and (not may_be_away or since > AWAY_DAYS * DAY_MS + found.stale_ms):
            yield Trouble(f"store {store.name}: {store.problem}", _store_advice(store.name, store.archives))
        if store.free_bytes is not None and store.free_bytes < LEAST_FREE_BYTES:
            yield _full(f"store {store.name}", store.location, store.free_bytes)
    if found.spool_free_bytes is not None and found.spool_free_bytes < LEAST_FREE_BYTES:
        yield _full("the spool", str(found.settings.spool), found.spool_free_bytes)


def _store_advice(name: str, archives: int | None) -> str:
    if archives is None:
        return (
            f"make it reachable, then: {sync_command(name)}; see what is wrong: archiver stores check {name}"
        )
    return f"{sync_command(name)}, then: archiver verify --store {name}"


def _full(what: str, where: str, free: int) -> Trouble:
    return Trouble(f"{what} has {free >> 20:,} MiB left to write to", f"free some space: df -h {where}")


def _of_clock(found: Found) -> Iterator[Trouble]:
    """What was noted lies ahead: the clock is wrong now, or was then."""
    newest = latest_noted_ms(found.facts, found.last)
    if newest is not None and newest > found.now_ms + CLOCK_SLACK_MS:
        yield Trouble(
            f"the clock shows {moment(found.now_ms)}, but something was noted at {moment(newest)}:"
            " it was set back, or was wrong then",
            "set the clock right, best by NTP: timedatectl; see: archiver doctor",
        )


def latest_noted_ms(facts: LocalFacts, last: ArchiveHealth | None) -> int | None:
    """The latest time that this host has noted of anything it did itself."""
    times = [facts.spool.until_ms, None if last is None else last.sealed_ms]
    for job in (facts.journal.jobs or {}).values():
        times += [job.started_ms, job.finished_ms]
    for cursor in facts.spool.cursors.values():
        times += [cursor.started_ms, cursor.finished_ms]
    return max((one for one in times if one is not None), default=None)


def _of_files(found: Found) -> Iterator[Trouble]:
    yield from (Trouble.of(error) for error in found.facts.errors)


def _of_inbox(found: Found) -> Iterator[Trouble]:
    if found.inbox_error is not None:
        what = f"the inbox cannot be read: {found.inbox_error.message}"
        yield Trouble(what, found.inbox_error.hint or f"see what it is: ls -ld {found.settings.inbox}")


# Jobs


def _of_run(found: Found) -> Iterator[Trouble]:
    """A run that ended in an error before its first job: no job was begun since that would say why."""
    jobs = found.facts.journal.jobs or {}
    run = jobs.get(RUN)
    if run is None or run.code in (None, 0, IncompleteError.exit_code):
        return
    begun = (times.started_ms for name, times in jobs.items() if name != RUN)
    if any(started_ms is not None and started_ms >= (run.started_ms or 0) for started_ms in begun):
        return
    failed = JobHealth(
        RUN, run.finished_ms, run.good_ms, run.code, due_ms=None, stale=False, problems=run.problems
    )
    yield Trouble(
        f"archiver run {_ended(failed)}", "do it by hand and read what it says: archiver run; archiver doctor"
    )


def _of_jobs(found: Found) -> Iterator[Trouble]:
    for job in found.jobs:
        if is_past(found.settings, found.facts, found.last, job):
            continue
        if was_cut_off(found.facts, job):
            yield Trouble(f"{job.job} was cut off when it last ran", f"the next run goes on with it: {_RUN}")
        elif job.job == "remind" and job.code == IncompleteError.exit_code:
            continue  # what it reminds of as late is said here by itself
        elif job.job == "import" and found.inbox_error is not None:
            continue  # said already, with what to do
        elif job.code and not job.is_excused:
            yield Trouble(f"{job.job} {_ended(job)}", _job_advice(job, found.settings))
        elif job.stale:
            said = "never ended well" if job.good_ms is None else f"ended well last on {day(job.good_ms)}"
            yield Trouble(f"{job.job} {said}", _RUN)


def _ended(job: JobHealth) -> str:
    at = "" if job.finished_ms is None else f" on {day(job.finished_ms)}"
    how = f"ended incomplete{at}" if job.code == 3 else f"failed{at} with exit code {job.code}"
    said = job.to_mend or job.problems
    more = f", and {len(said) - 1:,} more" if said[1:] else ""
    return how + (f": {said[0]}{more}" if said else "")


def _job_advice(job: JobHealth, settings: Settings) -> str:
    if job.job == "import":
        return (
            f"read the reasons in {settings.inbox / FAILED}; put what can be mended back into the inbox,"
            " delete the rest there with its reason; then: archiver backup"
        )
    if job.job == "drill":
        return "do it by hand and read what it says: archiver drill"
    return f"do it by hand and read what it says: archiver run --only {job.job}"


# Accounts


def _of_account(found: Found, account: AccountHealth) -> Iterator[Trouble]:
    stale = [kind for kind in account.kinds if kind.stale]
    if stale:
        yield Trouble(f"{account.name}: {_late(stale)}", _collect_advice(account))
    is_ahead = account.export_ms is not None and trusted(account.export_ms, found.now_ms) is None
    if account.export_stale and is_ahead:
        yield Trouble(
            f"{account.name}: its last export is of {day(account.export_ms or 0)}, which has not come yet"
            " by this host's clock",
            "set the clock right; see: archiver doctor",
        )
    elif account.export_stale:
        said = (
            "no export was ever taken in"
            if account.export_ms is None
            else f"its last export is of {day(account.export_ms)}"
        )
        days = next(
            one.export_every_days
            for one in found.settings.accounts
            if (one.platform, one.id) == (account.platform, account.id)
        )
        yield Trouble(
            f"{account.name}: {said}; one is wanted every {days} days",
            f"ask X for one (Settings, Your account, Download an archive of your data) and put it into"
            f" {found.settings.inbox}",
        )
    if account.gaps_unsealed:
        last = account.gaps[-1]
        yield Trouble(
            f"{account.name}: {_gaps(account.gaps_unsealed)} in what was collected; the last in {last.kind}:"
            f" {last.reason}",
            "see it: archiver status; an export of the account has what X's interface no longer shows of it",
        )


def _late(kinds: Sequence[KindHealth]) -> str:
    """`posts, mentions were last collected on 2026-11-01; blocks never`."""
    by_day: dict[str | None, list[str]] = {}
    for kind in kinds:
        by_day.setdefault(None if kind.good_ms is None else day(kind.good_ms), []).append(kind.kind)
    parts = [
        f"{', '.join(names)} not collected since {date}" for date, names in by_day.items() if date is not None
    ]
    if None in by_day:
        parts.append(f"{', '.join(by_day[None])} never collected")
    return "; ".join(parts)


def _collect_advice(account: AccountHealth) -> str:
    spent, most = account.spent_micro_usd, account.most_micro_usd
    if spent is not None and most is not None and spent >= most * 19 // 20:
        return "this month's money is spent: wait for the next, or raise account.api.max_spend_usd"
    return f"archiver collect --account {account.id}, and read what it says"


def _gaps(count: int) -> str:
    return "a gap" if count == 1 else f"{count:,} gaps"


# Sealing, moderation


def _of_sealing(found: Found) -> Iterator[Trouble]:
    if not found.facts.is_collector:
        yield from _of_newest_archive(found)
        return
    due_ms = seal_due_ms(found.settings, found.facts, found.last, found.now_ms)
    if due_ms is not None and due_ms + found.stale_ms <= found.now_ms:
        since = found.facts.spool.since_ms or 0
        yield Trouble(f"what was captured since {day(since)} is not sealed", "archiver seal, or: " + _RUN)
    elif not found.accounts:
        yield Trouble(
            "no account is archived yet", "take an export in: archiver import --add-account EXPORT.zip"
        )


def _of_newest_archive(found: Found) -> Iterator[Trouble]:
    """On a host that only reads the vault its newest archive tells whether the one that collects is well."""
    if found.vaults.read is None or found.vaults.error is not None:
        return
    if found.last is None:
        yield Trouble("there is no archive yet", "see to the host that collects: archiver status")
        return
    schedule = found.settings.schedule
    due_ms = next_seal_ms(schedule.seal, schedule.time_zone, found.last.sealed_ms, found.now_ms)
    if due_ms + found.stale_ms <= found.now_ms:
        yield Trouble(
            f"the newest archive is of {day(found.last.sealed_ms)}, and one is sealed {schedule.seal}",
            "see to the host that collects: archiver status; to other stores: archiver sync",
        )


def _of_moderation(found: Found) -> Iterator[Trouble]:
    since, count = found.facts.spool.pending_since_ms, found.facts.spool.pending
    if since is not None and due_after(since, _PENDING_DAYS, found.now_ms) <= found.now_ms:
        acts = "a moderation act is" if count == 1 else f"{count:,} moderation acts are"
        yield Trouble(f"{acts} pending since {day(since)}", "finish them: archiver moderation pending")
