"""What every job of a run is given, and what it must be able to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from archiver.schedule.journal import Journal
from archiver.schedule.report import JobName, JobReport
from archiver.settings import Settings
from archiver.times import Clock
from archiver.wiring.collector import Collector

Told = Callable[[str, Mapping[str, object]], None]
"""Told of something while it happens: its name, as `collect.kind`, and facts that JSON can hold."""


@dataclass(frozen=True, repr=False)
class JobContext:
    """`collector`: the spool and the state, with the collector's lock held. `environ`: for secrets."""

    settings: Settings
    collector: Collector
    journal: Journal
    environ: Mapping[str, str]
    clock: Clock
    told: Told = lambda name, facts: None


class Job(Protocol):
    """One job. Neither method prints. What of the work fails is in its report, beside what was done; of an
    ArchiverError that `work` raises a report is made, with nothing beside it. Only an error that `ends_run`
    stops the jobs after it."""

    @property
    def name(self) -> JobName: ...

    def due_ms(self, context: JobContext) -> int | None:
        """When it is due, in milliseconds; in the past, or NOW, where it is; None where there is nothing to
        wait for. Asks no server, reads no archive, and takes a few milliseconds."""
        ...

    def work(self, context: JobContext) -> JobReport:
        """Do all that is due."""
        ...
