"""The job `drill`: done where an identity opens without anybody, when it is due."""

from contextlib import closing
from pathlib import Path

import pytest

from archiver.errors import NoKeyError
from archiver.health.gather import take_snapshot
from archiver.jobs.base import JobContext
from archiver.jobs.drilling import JOB
from archiver.schedule.drills import drill_due_ms, load_drill, note_drill
from archiver.schedule.due import DAY_MS, NOW
from archiver.schedule.journal import Journal
from archiver.schedule.report import JobReport
from archiver.wiring.collector import open_collector
from tests.cli.stores import add_store
from tests.disposals import dispose_at_home
from tests.faults.folders import copy_folder, make_folder, sample
from tests.homes import NOW_MS, Home, make_home


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("drilling"))


@pytest.fixture
def home(sealed: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(sealed.folder, tmp_path / "home"))


def run(home: Home, days: float = 0) -> JobReport | None:
    """Do the job if it is due; None where it is not."""
    now_ms = NOW_MS + int(days * DAY_MS)
    settings = home.settings
    with open_collector(settings) as collector, closing(Journal(settings.journal)) as journal:
        context = JobContext(settings, collector, journal, {}, lambda: now_ms)
        due_ms = JOB.due_ms(context)
        return JOB.work(context) if due_ms is not None and due_ms <= now_ms else None


def test_it_is_done_once_and_again_after_six_months(home: Home) -> None:
    report = run(home)
    assert report is not None
    (archive,) = home.archives
    assert (report.job, report.code, report.problems) == ("drill", 0, [])
    assert report.facts["archives"] == [f"vault/{archive.name}"]
    assert report.facts["records"] == 524
    assert run(home, 1) is None
    assert run(home, 179) is None
    assert run(home, 180) is not None


def test_it_is_in_the_keyholders_log(home: Home) -> None:
    run(home)
    assert len(list((home.folder / "vault" / "audit" / "records").glob("*.tar"))) == 2


def test_one_that_failed_is_tried_again_the_next_day(home: Home) -> None:
    name = home.damage()
    report = run(home)
    assert report is not None
    assert report.code == 20
    assert report.problems[0].endswith(f"(restore it from another store: archiver repair {name})")
    assert run(home, 0.5) is None
    assert run(home, 1) is not None


def test_one_that_could_not_begin_is_tried_again_the_next_day(home: Home) -> None:
    audit = home.folder / "vault" / "audit"
    audit.rename(home.folder / "vault" / "other")
    audit.write_text("no folder")
    with pytest.raises(Exception, match="audit"):
        run(home)
    assert run(home, 0.5) is None


def test_nobody_is_asked_for_a_passphrase(home: Home) -> None:
    (home.folder / "keys" / "records.identity").write_text("-----BEGIN AGE ENCRYPTED FILE-----\n")
    assert run(home) is None
    settings = home.folder / "archiver.toml"
    line = 'identity = "keys/records.identity"'
    settings.write_text(settings.read_text().replace(line, f'{line}\npassphrase = "env:NOT_THERE"'))
    with pytest.raises(Exception, match="NOT_THERE"):
        run(home)


def test_a_file_that_is_no_identity_of_the_archive_opens_nothing(home: Home, tmp_path: Path) -> None:
    other = Home(make_folder(tmp_path / "other"))
    identity = (other.folder / "keys" / "records.identity").read_text()
    (home.folder / "keys" / "records.identity").write_text(identity)
    with pytest.raises(NoKeyError):  # the key that signs its log is not opened by it
        run(home)


def test_none_is_due_where_none_is_wanted_or_nothing_is_sealed(home: Home, tmp_path: Path) -> None:
    assert run(Home(make_folder(tmp_path / "empty"))) is None
    with (home.folder / "archiver.toml").open("a") as file:
        file.write("\n[checks]\ndrill_months = 0\n")
    assert run(home) is None


def test_one_that_restored_nothing_is_tried_again_the_next_day(home: Home) -> None:
    """The store that was reached has lost its archives, and the one that has them is away."""
    add_store(home, "drawer", required=False)
    (home.folder / "vault" / "archives").rename(home.folder / "lost")
    report = run(home)
    assert report is not None
    assert (report.code, report.facts["archives"], report.facts["tools_agree"]) == (3, [], None)
    with closing(Journal(home.settings.journal)) as journal:
        note = load_drill(journal)
    assert (note is not None and note.good_ms) is None
    assert run(home, 0.5) is None
    (home.folder / "lost").rename(home.folder / "vault" / "archives")
    again = run(home, 1)
    assert again is not None
    assert again.facts["archives"]
    assert run(home, 2) is None


def test_where_all_archives_were_disposed_of_none_is_due_before_another_is_sealed(home: Home) -> None:
    (archive,) = home.archives
    dispose_at_home(home, archive.name)
    report = run(home)
    assert report is not None
    assert (report.code, report.problems) == (0, ())
    assert report.summary == "every archive was disposed of, so there is nothing left to restore"
    assert run(home, 1) is None
    assert run(home, 1000) is None
    (job,) = [one for one in take_snapshot(home.settings, NOW_MS + DAY_MS, {}).jobs if one.job == "drill"]
    assert (job.code, job.due_ms) == (0, None)
    home.take(sample(home.folder / "later.zip", seed=3), now_ms=NOW_MS + 40 * DAY_MS)
    later = run(home, 41)
    assert later is not None
    assert later.facts["records"]


def test_when_it_is_due_is_told_to_whoever_reminds(home: Home) -> None:
    settings = home.settings
    with closing(Journal(settings.journal)) as journal:
        assert drill_due_ms(settings, journal, NOW_MS) == NOW
        assert drill_due_ms(settings, journal, NOW_MS, sealed=False) is None
        note_drill(journal, NOW_MS, 3)
        assert drill_due_ms(settings, journal, NOW_MS) == NOW_MS + 180 * DAY_MS
        assert drill_due_ms(settings, journal, NOW_MS - 3650 * DAY_MS) == NOW, "a clock was wrong"
        note = load_drill(journal)
    assert note is not None
    assert note.good_ms == NOW_MS
