"""A snapshot as numbers for Prometheus: the text that its node exporter takes from a file.

Prometheus, "Exposition formats", text-based format 0.0.4; "Metric and label naming": base units, moments in
seconds since 1970. Nothing personal: labels hold the body's own accounts, stores, jobs and kinds.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from archiver import __version__
from archiver.health.snapshot import AccountHealth, JobHealth, Snapshot, StoreHealth
from archiver.schedule.report import RunReport
from archiver.settings.api import MICRO_USD

Number = float | int | bool | None
"""None where nothing is known: then no line is written, which is not the same as 0."""
Sample = tuple[Mapping[str, str], Number]
_FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True)
class Metric:
    """One name, what it means, and its samples. All are gauges: each run says how it is now."""

    name: str
    help: str
    samples: tuple[Sample, ...]

    def lines(self) -> Iterator[str]:
        """Its lines; none where nothing is known."""
        known = [(labels, number) for labels, number in self.samples if number is not None]
        if not known:
            return
        name = f"archiver_{self.name}"
        yield f"# HELP {name} {self.help}"
        yield f"# TYPE {name} gauge"
        for labels, number in known:
            yield f"{name}{_labels(labels)} {_number(number)}"


def metrics_of(snapshot: Snapshot, report: RunReport | None = None) -> str:
    """The text, for a file that ends in `.prom`. `report`: of the run that has just ended, if one has."""
    metrics = [
        *_of_all(snapshot),
        *_of_accounts(snapshot.accounts),
        *_of_kinds(snapshot.accounts),
        *_of_stores(snapshot.stores),
        *_of_jobs(snapshot.jobs),
        *([] if report is None else _of_run(report)),
        _of_facts(snapshot.more),
    ]
    return "".join(f"{line}\n" for metric in metrics for line in metric.lines())


def _one(name: str, words: str, number: Number, **labels: str) -> Metric:
    return Metric(name, words, ((labels, number),))


def _of_all(snapshot: Snapshot) -> Iterator[Metric]:
    last, head = snapshot.last_archive, snapshot.head
    yield _one("info", "The program that wrote this.", 1, version=__version__)
    yield _one("snapshot_timestamp_seconds", "When all of this was so.", _seconds(snapshot.at_ms))
    yield _one("healthy", "1 where all is well, else 0.", snapshot.healthy)
    yield _one("problems", "Things that are not well.", len(snapshot.problems))
    yield _one("status_exit_code", "What archiver status ends in.", snapshot.code)
    yield _one("archives", "Sealed archives.", snapshot.archives)
    if last is not None:
        yield _one(
            "last_archive_sealed_timestamp_seconds", "When the newest was sealed.", _seconds(last.sealed_ms)
        )
        yield _one("last_archive_records", "Records in the newest archive.", last.records)
        yield _one("last_archive_bytes", "Size of the newest archive.", last.bytes)
    if head is not None:
        yield _one("chain_sequence", "Number of the archive at the chain's end.", head.sequence)
    yield _one("keyholders", "Who can read the vault.", len(snapshot.keyholders))
    if snapshot.is_collector:
        yield from _of_spool(snapshot)


def _of_spool(snapshot: Snapshot) -> Iterator[Metric]:
    since = _seconds(snapshot.spool_since_ms)
    yield _one("spool_records", "Records that wait to be sealed.", snapshot.spool_records)
    yield _one("spool_bytes", "Size of what waits to be sealed.", snapshot.spool_bytes)
    yield _one("spool_oldest_timestamp_seconds", "When the oldest of it was captured.", since)
    yield _one("spool_free_bytes", "What can still be written where the spool is.", snapshot.spool_free_bytes)
    yield _one("inbox_files", "Exports that wait in the inbox.", snapshot.inbox_files)
    yield _one("moderation_pending", "Moderation acts that are not done.", snapshot.moderation_pending)


@dataclass(frozen=True)
class _Family:
    """Metrics that have one sample each of the same things: accounts, kinds, stores or jobs."""

    prefix: str
    labels: Sequence[Mapping[str, str]]

    def metric(self, name: str, words: str, numbers: Iterable[Number]) -> Metric:
        return Metric(f"{self.prefix}_{name}", words, tuple(zip(self.labels, numbers, strict=True)))


def _of_accounts(accounts: Sequence[AccountHealth]) -> Iterator[Metric]:
    metric = _Family("account", [_account(one) for one in accounts]).metric
    exports = (_seconds(one.export_ms) for one in accounts)
    dues = (_seconds(one.export_due_ms) for one in accounts)
    newest = (_seconds(one.newest_ms) for one in accounts)
    spent = (_usd(one.spent_micro_usd) for one in accounts)
    yield metric("export_timestamp_seconds", "When its newest export was made.", exports)
    yield metric("export_due_timestamp_seconds", "When its next export is due; 0 for at once.", dues)
    yield metric("export_stale", "1 where that is late.", (one.export_stale for one in accounts))
    yield metric("newest_record_timestamp_seconds", "When its newest record was posted.", newest)
    yield metric("gaps", "Gaps that were ever noticed.", (len(one.gaps) for one in accounts))
    yield metric("unsealed_gaps", "Gaps that no archive names yet.", (one.gaps_unsealed for one in accounts))
    yield metric("spend_usd", "Spent this month, as counted here.", spent)
    yield metric("spend_limit_usd", "The month's ceiling.", (_usd(one.most_micro_usd) for one in accounts))


def _of_kinds(accounts: Sequence[AccountHealth]) -> Iterator[Metric]:
    found = [(account, kind) for account in accounts for kind in account.kinds]
    kinds = [kind for _, kind in found]
    metric = _Family("kind", [{**_account(account), "kind": kind.kind} for account, kind in found]).metric
    good = (_seconds(one.good_ms) for one in kinds)
    dues = (_seconds(one.due_ms) for one in kinds)
    yield metric("collected_timestamp_seconds", "When it was last collected to its end.", good)
    yield metric("due_timestamp_seconds", "When it is to be collected again; 0 for at once.", dues)
    yield metric("stale", "1 where that is late.", (one.stale for one in kinds))


def _of_stores(stores: Sequence[StoreHealth]) -> Iterator[Metric]:
    metric = _Family("store", [{"store": one.name} for one in stores]).metric
    verified = (_seconds(one.verified_ms) for one in stores)
    read = (_seconds(one.read_ms) for one in stores)
    problem = (one.problem is not None for one in stores)
    yield metric("verified_timestamp_seconds", "When it was last found whole.", verified)
    yield metric("read_again_timestamp_seconds", "Since when every byte has been read again.", read)
    yield metric("archives", "Archives that it has.", (one.archives for one in stores))
    yield metric("free_bytes", "What can still be written to it.", (one.free_bytes for one in stores))
    yield metric("problem", "1 where something is wrong with it.", problem)


def _of_jobs(jobs: Sequence[JobHealth]) -> Iterator[Metric]:
    metric = _Family("job", [{"job": one.job} for one in jobs]).metric
    finished = (_seconds(one.finished_ms) for one in jobs)
    good = (_seconds(one.good_ms) for one in jobs)
    yield metric("finished_timestamp_seconds", "When it last ended.", finished)
    yield metric("success_timestamp_seconds", "When it last ended well.", good)
    yield metric("exit_code", "What it last ended in.", (one.code for one in jobs))
    yield metric("stale", "1 where it is late.", (one.stale for one in jobs))


def _of_run(report: RunReport) -> Iterator[Metric]:
    seconds = (report.finished_ms - report.started_ms) / 1000
    yield _one("run_finished_timestamp_seconds", "When archiver run ended.", _seconds(report.finished_ms))
    yield _one("run_duration_seconds", "How long it took.", max(0.0, seconds))
    yield _one("run_exit_code", "What it ended in.", report.code)
    yield _one("run_jobs", "Jobs that were due in it.", len(report.jobs))


def _of_facts(more: Mapping[str, object]) -> Metric:
    """What parts add to the snapshot, where it is a number."""
    samples: list[Sample] = [
        ({"name": name}, value)
        for name, value in more.items()
        if isinstance(value, int | float) and _FACT_NAME.fullmatch(name)
    ]
    return Metric("fact", "Single facts, by name.", tuple(samples))


# The text


def _account(account: AccountHealth) -> dict[str, str]:
    return {"platform": account.platform, "account": account.id, "handle": account.handle or ""}


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _usd(micro_usd: int | None) -> float | None:
    return None if micro_usd is None else micro_usd / MICRO_USD


def _number(number: float) -> str:
    """Whole ones without a fraction; Go's ParseFloat reads both."""
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    """Backslash, quote and line feed, as the format wants; what is no Unicode is written out."""
    plain = value.encode("utf-8", "backslashreplace").decode("utf-8")
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
