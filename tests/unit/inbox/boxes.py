"""An inbox with a clock that tests set, and runs that look at it as `archiver run` and `backup` do."""

import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from archiver.errors import ArchiverError
from archiver.jobs.base import JobContext
from archiver.jobs.importing import JOB
from archiver.jobs.work.imported import InboxReport, import_inbox, put_away
from archiver.sample import SAMPLE_ACCOUNT_ID
from archiver.schedule.journal import Journal
from archiver.schedule.report import JobReport
from archiver.seal import seal
from archiver.wiring.collector import open_collector
from archiver.wiring.seal import seal_options
from tests.faults.folders import make_folder, rewrite
from tests.homes import Home

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
START_MS = 1_900_000_000_000
"""In 2030, so that every file is older than a minute when it is first seen."""


class Box:
    """A collector's folder and its inbox. `now_ms` is the time that every run sees."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(make_folder(folder))
        self.now_ms = START_MS

    @property
    def inbox(self) -> Path:
        return self.home.settings.inbox

    @contextmanager
    def context(self) -> Iterator[JobContext]:
        settings = self.home.settings
        with open_collector(settings) as collector, closing(Journal(settings.journal)) as journal:
            yield JobContext(settings, collector, journal, {}, lambda: self.now_ms)

    def run(self, *, after_ms: int = 0) -> JobReport:
        """One run of the job, whether it is due or not."""
        self.now_ms += after_ms
        with self.context() as context:
            return JOB.work(context)

    def due_ms(self) -> int | None:
        with self.context() as context:
            return JOB.due_ms(context)

    def by_hand(self, *, may_add_account: bool = False) -> InboxReport:
        """As `archiver backup` takes in what is there, without the sealing."""
        with self.context() as context:
            return import_inbox(context, "backup", may_add_account=may_add_account)

    def seal(self) -> None:
        """A sealing that is killed right after."""
        with open_collector(self.home.settings) as collector:
            options = seal_options(self.home.settings)
            seal(collector.spool, collector.state, self.home.vault, options, lambda: self.now_ms)

    def put_away(self) -> "list[ArchiverError]":
        with self.context() as context:
            return list(put_away(context))

    def know_the_account(self) -> None:
        """Take the sample's account into the settings."""
        with (self.home.folder / "archiver.toml").open("a", encoding="utf-8") as file:
            file.write(f'\n[[account]]\nplatform = "x"\nid = "{SAMPLE_ACCOUNT_ID}"\n')

    def names(self, folder: str = "") -> list[str]:
        """What lies in the inbox, or in a folder of it, by name; the program's own folders are left out."""
        place = self.inbox / folder
        own = ("done", "failed")
        return sorted(one.name for one in place.iterdir() if one.name not in own) if place.is_dir() else []


def split(export: Path, first: Path, second: Path, member: str = "data/like.js") -> None:
    """An export in two ZIP files: the second holds a file that the first one's manifest lists."""
    with zipfile.ZipFile(export) as archive:
        later = archive.read(member)
    rewrite(export, first, {member: None})
    with zipfile.ZipFile(second, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, later)
