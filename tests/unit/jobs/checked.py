"""Runs the job `check` as `archiver run` does, at any time."""

from contextlib import closing
from dataclasses import dataclass, field

from archiver.jobs.base import JobContext
from archiver.jobs.checking import JOB
from archiver.schedule.checks import ReadNote, StoreNote, load_read_note, load_store_notes
from archiver.schedule.journal import Journal
from archiver.schedule.report import JobReport
from archiver.wiring.collector import open_collector
from tests.homes import NOW_MS, Home

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass
class Checked:
    """A folder whose checks run at the times that the test says, in hours after it was sealed."""

    home: Home
    environ: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def run(self, hours: float = 0) -> JobReport | None:
        """Do what is due; None where nothing is."""
        now_ms = NOW_MS + int(hours * HOUR_MS)
        settings = self.home.settings
        self.told.clear()
        with open_collector(settings) as collector, closing(Journal(settings.journal)) as journal:
            context = JobContext(
                settings, collector, journal, self.environ, lambda: now_ms,
                lambda name, facts: self.told.append((name, dict(facts))),
            )  # fmt: skip
            due_ms = JOB.due_ms(context)
            return JOB.work(context) if due_ms is not None and due_ms <= now_ms else None

    def must_run(self, hours: float = 0) -> JobReport:
        """The same, where something is due."""
        report = self.run(hours)
        assert report is not None
        return report

    def note(self, store: str = "vault") -> StoreNote:
        with closing(Journal(self.home.settings.journal)) as journal:
            return load_store_notes(journal)[store]

    def read_note(self, store: str = "vault") -> ReadNote:
        with closing(Journal(self.home.settings.journal)) as journal:
            note = load_read_note(journal, store)
        assert note is not None
        return note
