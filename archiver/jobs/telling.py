"""Who is told what at the begin and end of a run. No failure here changes what the run ends in: it is
returned, for the caller to say, and noted in the journal.

Where the settings cannot be read nobody can be told, as they name whom: the command says it on standard
error, which cron mails, and the service that watches for pings hears nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from archiver.errors import ArchiverError, LockedError, sentence_of
from archiver.health.notices import (
    Origin,
    done_notice,
    failed_notice,
    finish_notice,
    incomplete_notice,
    reminder_notice,
    stale_notice,
    stale_sentences,
)
from archiver.jobs.missing import judge_missing
from archiver.jobs.outbox import Outbox
from archiver.jobs.stamp import Stamp, drop_stamp, load_stamp, save_stamp, stamp_path
from archiver.jobs.told import (
    LOOK_MS,
    NOTE,
    Told,
    failed_parts,
    is_month_due,
    is_time,
    judge_failures,
)
from archiver.notify.base import Notice, NoticeError, Notifier
from archiver.schedule.checks import DAILY_MS
from archiver.schedule.journal import Journal
from archiver.schedule.report import RunReport
from archiver.settings import Settings
from archiver.settings.notices import TextfileSettings
from archiver.times import Clock
from archiver.wiring.notify import open_notifiers

if TYPE_CHECKING:
    from archiver.health.snapshot import Snapshot

CUT_OFF = (129, 130, 143)
"""A run that was told to end says nothing: it has seconds, and the next one goes on."""


@dataclass(frozen=True, repr=False)
class Telling:
    """What it takes. `snapshot`: looks at how all stands; `metrics`: that for Prometheus. Without the first
    nothing late is told, and no month; without the second no file of metrics is written."""

    settings: Settings
    notifiers: Sequence[Notifier]
    clock: Clock
    snapshot: "Callable[[], Snapshot] | None" = None
    metrics: "Callable[[Snapshot, RunReport], str] | None" = None

    @property
    def origin(self) -> Origin:
        return Origin.of(self.settings)

    def begin(self) -> list[NoticeError]:
        """Tell the services that watch for silence that a run begins. Return what failed."""
        if not any(one.every_run for one in self.notifiers):
            return []
        with self._at(self.clock()) as ended:
            ended.outbox.begin()
        return ended.errors

    def end(self, report: RunReport) -> list[NoticeError]:
        """Tell whoever is to know what became of a run. Return what failed."""
        return self._end(report, None)

    def error(self, started_ms: int, error: ArchiverError) -> list[NoticeError]:
        """The same of a run that ended in an error before it had done anything. That another run is at work
        is no failure; only if something is late for it, that is told. Return what failed."""
        now_ms = self.clock()
        if isinstance(error, LockedError):
            return self._end(RunReport(started_ms, now_ms, (), 0), None, finished=False)
        report = RunReport(started_ms, now_ms, (), error.exit_code)
        return self._end(report, sentence_of(error))

    def _end(self, report: RunReport, error: str | None, *, finished: bool = True) -> list[NoticeError]:
        if not self.notifiers or report.code in CUT_OFF:
            return []
        with self._at(self.clock()) as ended:
            ended.tell(report, error, finished=finished)
        return ended.errors

    @contextmanager
    def _at(self, now_ms: int) -> "Iterator[_Ended]":
        """With the journal, where it can be opened; without, what there is to tell is told all the same."""
        failed: list[ArchiverError] = []
        journal: Journal | None = None
        try:
            journal = Journal(self.settings.journal)
            ended = _Ended(self, journal, now_ms, failed)
        except ArchiverError as error:
            failed.append(error)
            ended = _Ended(self, None, now_ms, failed)
        try:
            yield ended
            ended.save()
        except ArchiverError as error:
            failed.append(error)
        finally:
            if journal is not None:
                journal.close()


class _Ended:
    """One begin or end of a run, and what is told of it. `failed`: what kept it from being noted or told."""

    def __init__(
        self, telling: Telling, journal: Journal | None, now_ms: int, failed: list[ArchiverError]
    ) -> None:
        self.outbox = Outbox(telling.notifiers, journal, telling.origin, now_ms)
        self._telling = telling
        self._journal = journal
        self._now_ms = now_ms
        self._failed = failed
        self._noted = None if journal is None else journal.note(NOTE, Told) or Told()
        self._stamp = load_stamp(self._stamp_path)
        self._before = (self._noted or Told()) if self._stamp is None else self._stamp.over(self._noted)
        self._told = self._before

    @property
    def errors(self) -> list[NoticeError]:
        return [
            *self.outbox.errors,
            *(NoticeError(f"notices: {one.message}", one.hint) for one in self._failed),
        ]

    @property
    def _stamp_path(self) -> Path:
        return stamp_path(self._telling.settings.journal)

    def save(self) -> None:
        """Note what was told, where anything was: beside the journal where that takes it not. Raise
        ArchiverError."""
        if self._journal is None:
            self._save_stamp()
            return
        try:
            if self._told != self._noted:
                self._journal.set_note(NOTE, self._told)
            self.outbox.save()
        except ArchiverError:
            self._save_stamp()
            raise
        if self._stamp is not None:
            drop_stamp(self._stamp_path)

    def _save_stamp(self) -> None:
        """What reached nobody is not told: no journal keeps it, so that the next run is to say it."""
        if self._told != self._before and not self.outbox.reaches_nobody:
            known = self._stamp is not None and self._stamp.is_whole
            is_whole = known or self._noted is not None
            save_stamp(self._stamp_path, Stamp(told=self._told, is_whole=is_whole))

    def tell(self, report: RunReport, error: str | None, *, finished: bool) -> None:
        """All that is to be told now: first the machines, as they wait for it."""
        snapshot = self._look(report)
        if finished:
            self.outbox.finish(self._finish_notice(report, snapshot))
        self.outbox.retry()
        if finished:
            self._tell_failures(report, error)
            self._tell_missing(report)
            self._tell_reminders(report)
        if snapshot is not None and self._journal is not None:  # without it they would come with every run
            self._tell_late(snapshot)
            self._tell_month(snapshot)
        self.outbox.tell_troubles()

    def _look(self, report: RunReport) -> "Snapshot | None":
        """How all stands: after a run that did something, and a few times a day; each time for metrics."""
        telling = self._telling
        if telling.snapshot is None:
            return None
        always = any(isinstance(one, TextfileSettings) for one in telling.settings.notices)
        if report.is_idle and not always and not is_time(self._told.looked_ms, LOOK_MS, self._now_ms):
            return None
        self._told = replace(self._told, looked_ms=self._now_ms)
        try:
            return telling.snapshot()
        except ArchiverError as error:
            self._failed.append(error)
            return None

    def _finish_notice(self, report: RunReport, snapshot: "Snapshot | None") -> Notice:
        telling = self._telling
        metrics = ""
        if snapshot is not None and telling.metrics is not None:
            metrics = telling.metrics(snapshot, report)
        return finish_notice(telling.origin, report, self._now_ms, metrics)

    def _tell_failures(self, report: RunReport, error: str | None) -> None:
        failed = failed_parts(report, error)
        judged = judge_failures(self._told.failing, report, failed, self._now_ms)
        self._told = replace(self._told, failing=judged.now)
        origin = self._telling.origin
        if judged.tell:
            said = {name: one.said for name, one in judged.tell.items()}
            since_ms = min(one.since_ms for one in judged.tell.values())
            self.outbox.send(failed_notice(origin, report, said, since_ms, self._now_ms))
        if judged.recovered or (report.jobs and report.code == 0):
            self.outbox.send(done_notice(origin, report, judged.recovered, self._now_ms))

    def _tell_missing(self, report: RunReport) -> None:
        judged = judge_missing(self._told.lacking, report, self._now_ms)
        self._told = replace(self._told, lacking=judged.now)
        if judged.new or judged.still:
            origin = self._telling.origin
            self.outbox.send(incomplete_notice(origin, report, judged.new, self._now_ms, judged.still))

    def _tell_reminders(self, report: RunReport) -> None:
        """The job itself sees to it that none comes too often. Why it cannot tell of something is a failure,
        and keeps nobody from being reminded of the rest."""
        for job in report.jobs:
            if job.job == "remind" and job.news:
                self.outbox.send(reminder_notice(self._telling.origin, job, self._now_ms))

    def _tell_late(self, snapshot: "Snapshot") -> None:
        if not stale_sentences(snapshot):
            if self._told.stale_ms is not None:
                self._told = replace(self._told, stale_ms=None)
        elif is_time(self._told.stale_ms, DAILY_MS, self._now_ms):
            self._told = replace(self._told, stale_ms=self._now_ms)
            self.outbox.send(stale_notice(self._telling.origin, snapshot))

    def _tell_month(self, snapshot: "Snapshot") -> None:
        """Once a month, when its archive is sealed; by the third day also without one. What reads manifests
        is imported then: it takes a quarter of a second."""
        settings, last = self._telling.settings, snapshot.last_archive
        sealed_ms = None if last is None else last.sealed_ms
        zone = settings.schedule.time_zone
        if not is_month_due(zone, self._told.monthly_ms, sealed_ms, self._now_ms):
            return
        from archiver.health.month import gather_month
        from archiver.health.monthly import monthly_notice

        since = self._told.monthly_sequence or None
        month = gather_month(settings, since, self._now_ms)
        self._told = replace(self._told, monthly_ms=self._now_ms, monthly_sequence=month.last_sequence)
        self.outbox.send(monthly_notice(self._telling.origin, settings, snapshot, month))


def open_telling(settings: Settings, environ: Mapping[str, str], clock: Clock) -> Telling:
    """The ways that the settings name, with nothing sent and no secret read."""
    return Telling(
        settings,
        open_notifiers(settings, environ),
        clock,
        snapshot=partial(_look, settings, environ, clock),
        metrics=_metrics_of,
    )


def _look(settings: Settings, environ: Mapping[str, str], clock: Clock) -> "Snapshot":
    """Imported when it is needed: most runs do nothing, and need it not."""
    from archiver.health.gather import take_snapshot

    return take_snapshot(settings, clock(), environ)


def _metrics_of(snapshot: "Snapshot", report: RunReport) -> str:
    from archiver.health.metrics import metrics_of

    return metrics_of(snapshot, report)
