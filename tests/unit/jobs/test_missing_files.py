"""What runs say of an inbox, and how often somebody is told: two folders there are called alike, as notices
name none."""

import os
from pathlib import Path

from archiver.inbox.exports import import_exports
from archiver.jobs.missing import Lacking, judge_missing
from archiver.schedule.due import DAY_MS
from archiver.wiring.collector import open_collector
from tests.faults.folders import make_folder, sample
from tests.homes import Home
from tests.unit.jobs.runs import at, job_of, run_at

BEGUN_MS = at("2026-11-02 03:00")


class Told:
    """The days on which the job that imports is told of, and what of it."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.days: dict[int, list[str]] = {}
        self._known: dict[str, dict[str, Lacking]] = {}

    def run(self, day: int) -> None:
        now_ms = BEGUN_MS + day * DAY_MS
        judged = judge_missing(self._known, run_at(self.home, now_ms, only=["import"]), now_ms)
        self._known = judged.now
        if said := [*judged.new, *judged.still]:
            self.days[day] = said


def test_a_folder_in_the_inbox_is_told_of_once_a_week_and_so_is_another(tmp_path: Path) -> None:
    told = Told(Home(make_folder(tmp_path / "home")))
    inbox = told.home.settings.inbox
    for day in range(30):
        if day == 2:
            os.mkdir(inbox / "october")
        if day == 10:
            os.rmdir(inbox / "october")
            os.mkdir(inbox / "november")
        told.run(day)
    assert list(told.days) == [2, 9, 10, 17, 24]
    assert {len(said) for said in told.days.values()} == {1}


def test_an_export_that_is_refused_beside_one_that_is_taken_is_told_of_each_time(tmp_path: Path) -> None:
    told = Told(Home(make_folder(tmp_path / "home")))
    inbox = told.home.settings.inbox
    with open_collector(told.home.settings) as collector:
        export = sample(tmp_path / "export.zip")
        import_exports(collector, [export], may_add_account=True, clock=lambda: BEGUN_MS - DAY_MS)
    refused = "import: 1 export was refused: see failed/ in the inbox, where the reason lies beside each"
    for day in range(4):  # a file is taken by the second run that sees it
        if day in (0, 2):
            (inbox / f"{day}.zip").write_bytes(b"PK\5\6" + bytes(18))
            sample(inbox / f"sample-{day}.zip")
        told.run(day)
    assert list(told.days) == [1, 3]
    assert all(refused in said for said in told.days.values())


def test_what_is_told_as_news_is_a_part_of_what_is_wrong(tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    os.mkdir(home.settings.inbox / "october")
    job = job_of(run_at(home, BEGUN_MS, only=["import"]), "import")
    assert job.news == job.problems
    assert len(job.news) == 1
