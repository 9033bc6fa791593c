import os
import threading
import zipfile
from pathlib import Path

import pytest

from archiver.disk import Lock
from archiver.errors import ArchiverError, LockedError, sentence_of
from archiver.health.gather import take_snapshot
from archiver.inbox.exports import import_exports
from archiver.jobs import sealing, syncing
from archiver.jobs.base import JobContext
from archiver.jobs.registry import load_job, registered
from archiver.schedule.report import JOB_NAMES, JobReport
from archiver.spool import Spool
from archiver.wiring.collector import open_collector
from tests.cli.stores import add_store
from tests.faults.folders import check_nothing_half, copy_folder, make_folder, rewrite, sample
from tests.homes import Home
from tests.unit.jobs.runs import Told, at, done, due_at, job_of, open_journal, run_at

FIRST = at("2026-10-26 03:00")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A folder whose spool holds the short sample, and whose inbox is empty."""
    folder = tmp_path_factory.mktemp("run")
    home = Home(make_folder(folder / "home"))
    with open_collector(home.settings) as collector:
        export = sample(folder / "export.zip")
        import_exports(collector, [export], may_add_account=True, clock=lambda: FIRST - 60_000)
    return home


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(made.folder, tmp_path / "home"))


def test_the_first_run_seals_and_syncs_and_the_next_finds_nothing_due(home: Home) -> None:
    report = run_at(home, FIRST)
    assert done(report) == {"seal": 0, "sync": 0, "check": 0, "drill": 0, "remind": 0}
    assert report.code == 0
    assert [archive.name for archive in home.archives] == ["2026-10-26"]
    assert job_of(report, "seal").facts["archive"] == "2026-10-26"
    assert job_of(report, "seal").facts["manifest_sha256"] == home.archives[0].head.sha256
    assert "chain head 1:" in job_of(report, "seal").summary
    assert run_at(home, FIRST + 3_600_000).is_idle
    assert due_at(home, FIRST + 3_600_000)["sync"].due_ms == FIRST + 86_400_000


def test_status_says_of_each_job_what_a_run_goes_by(home: Home) -> None:
    run_at(home, FIRST + 65_000)
    now_ms = FIRST + 3_600_000
    said = {one.job: one.due_ms for one in take_snapshot(home.settings, now_ms, {}).jobs}
    asked = {name: one.due_ms for name, one in due_at(home, now_ms).items()}
    for name in ("import", "collect", "seal", "sync", "drill"):
        assert said[name] == asked[name], name


def test_what_each_job_ended_in_is_in_the_journal(home: Home) -> None:
    run_at(home, FIRST)
    with open_journal(home) as journal:
        sealed, ran = journal.job("seal"), journal.job("run")
    assert (sealed.started_ms, sealed.good_ms, sealed.code) == (FIRST, FIRST, 0)
    assert (ran.started_ms, ran.finished_ms, ran.code) == (FIRST, FIRST, 0)


def test_what_went_wrong_is_in_the_journal_with_what_to_do(home: Home) -> None:
    add_store(home, "second", required=True)
    run_at(home, FIRST)
    with open_journal(home) as journal:
        synced, ran = journal.job("sync"), journal.job("run")
    assert (synced.code, synced.good_ms, ran.code, ran.good_ms) == (10, None, 10, None)
    assert any("second" in problem and "archiver" in problem for problem in synced.problems)
    assert set(synced.problems) <= set(ran.problems)


def test_everything_is_told_while_it_happens(home: Home) -> None:
    told: Told = []
    add_store(home, "second", required=True)
    run_at(home, FIRST, told=told)
    names = [(name, facts.get("job")) for name, facts in told if name.startswith("job.")]
    jobs = ("seal", "sync", "check", "remind")
    assert names == [(event, job) for job in jobs for event in ("job.begin", "job.end")]
    assert any(name == "problem" and facts["job"] == "sync" for name, facts in told)


def test_only_the_jobs_that_were_asked_for_are_done_and_those_only_if_they_are_due(home: Home) -> None:
    assert done(run_at(home, FIRST, only=("sync",))) == {"sync": 0}
    assert run_at(home, FIRST, only=("sync",)).is_idle
    assert home.archives == []


def test_a_job_that_fails_stops_no_other_and_is_tried_again(home: Home) -> None:
    add_store(home, "second", required=True)  # a share that is not mounted
    first = run_at(home, FIRST)
    assert done(first) == {"seal": 1, "sync": 10, "check": 10, "remind": 0}
    assert first.code == 10
    assert any("second" in problem for problem in job_of(first, "sync").problems)
    (home.folder / "second").mkdir()
    later = run_at(home, FIRST + 3_600_000)
    assert done(later) == {"seal": 0, "sync": 0, "check": 0, "drill": 0}
    assert (home.folder / "second" / "archives" / "2026-10-26" / "manifest.json").is_file()


def test_a_run_that_finds_the_lock_held_does_nothing_and_says_who_has_it(home: Home) -> None:
    with Lock(home.settings.lock), pytest.raises(LockedError) as caught:
        run_at(home, FIRST)
    assert f"process {os.getpid()}" in caught.value.message
    assert not home.settings.journal.exists()
    assert done(run_at(home, FIRST))["seal"] == 0


def test_a_defect_in_one_job_is_named_by_its_place_and_stops_no_other(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(context: JobContext) -> JobReport:
        raise ZeroDivisionError("a secret word")

    monkeypatch.setattr(sealing.JOB, "work", broken)
    report = run_at(home, FIRST)
    assert done(report) == {"seal": 1, "sync": 0, "check": 0, "remind": 0}
    (problem,) = job_of(report, "seal").problems
    assert "ZeroDivisionError at test_run.py:" in problem
    assert "secret word" not in problem


def test_a_job_that_cannot_say_whether_it_is_due_is_reported_and_stops_no_other(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(context: JobContext) -> int | None:
        raise ZeroDivisionError

    monkeypatch.setattr(sealing.JOB, "due_ms", broken)
    assert done(run_at(home, FIRST)) == {"seal": 1, "sync": 0, "check": 0, "remind": 0}
    assert due_at(home, FIRST)["seal"].error is not None


def test_a_job_that_cannot_say_whether_it_is_due_is_in_the_journal_until_it_can(home: Home) -> None:
    """As where the share that the inbox is on is not mounted: each run fails, and `status` must say so."""
    run_at(home, FIRST)
    with open_journal(home) as journal:
        journal.end("import", FIRST, 3, ("1 export was refused",), started_ms=FIRST)
    os.rename(home.settings.inbox, home.folder / "away")
    for hours in (1, 2):
        report = run_at(home, FIRST + hours * 3_600_000)
        assert done(report) == {"import": 1}
    with open_journal(home) as journal:
        failed = journal.job("import")
    assert (failed.started_ms, failed.finished_ms, failed.code) == (FIRST + 7_200_000, FIRST + 7_200_000, 1)
    assert failed.problems == tuple(job_of(report, "import").problems)
    snapshot = take_snapshot(home.settings, FIRST + 7_200_000, {})
    assert (snapshot.healthy, snapshot.code) == (False, 3)
    assert "the inbox cannot be read" in snapshot.problems[0]
    os.rename(home.folder / "away", home.settings.inbox)
    assert run_at(home, FIRST + 10_800_000).is_idle
    with open_journal(home) as journal:
        assert journal.job("import").problems == ("1 export was refused",), "what was noted before stands"


def test_a_run_that_ends_in_an_error_before_its_first_job_is_in_the_journal(home: Home) -> None:
    run_at(home, FIRST)
    home.settings.signing_key.write_text("garbage\n")
    later = FIRST + 26 * 3_600_000
    with pytest.raises(ArchiverError) as caught:
        run_at(home, later)
    with open_journal(home) as journal:
        ran = journal.job("run")
    assert (ran.started_ms, ran.finished_ms, ran.good_ms, ran.code) == (later, later, FIRST, 2)
    assert ran.problems == (sentence_of(caught.value),)
    (problem,) = take_snapshot(home.settings, later, {}).problems
    assert problem.startswith("archiver run failed on 2026-10-27 with exit code 2: ")
    assert "signing_key" in problem


def test_what_an_archive_names_as_missing_is_reported_and_is_nothing_to_wait_for(tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    export = sample(tmp_path / "export.zip")
    with zipfile.ZipFile(export) as opened:
        picture = next(name for name in opened.namelist() if "_media/" in name)
    with open_collector(home.settings) as collector:
        lacking = rewrite(export, tmp_path / "lacking.zip", {picture: None})
        import_exports(collector, [lacking], may_add_account=True, clock=lambda: FIRST - 60_000)
    report = job_of(run_at(home, FIRST), "seal")
    assert (report.code, report.problems) == (3, report.excused)
    assert "names what is missing: 1 picture or video missing" in report.problems[0]
    with open_journal(home) as journal:
        assert journal.job("seal").excused == tuple(report.problems)
        journal.set_note("check.stores", {})
        journal.end("sync", FIRST, 1, ("no answer",), started_ms=FIRST)
    (problem,) = take_snapshot(home.settings, FIRST + 3_600_000, {}).problems
    assert problem.startswith("sync failed"), "of sealing nothing is said"


def test_a_store_that_may_be_away_is_reported_by_each_job_and_is_nothing_to_wait_for(home: Home) -> None:
    add_store(home, "drawer", required=False)
    report = run_at(home, FIRST)
    assert done(report) == {"seal": 3, "sync": 3, "check": 3, "drill": 3, "remind": 0}
    for name in ("seal", "sync", "check", "drill"):
        job = job_of(report, name)
        assert job.excused == job.problems != [], name
        assert "drawer" in str(job.problems), name
    assert run_at(home, FIRST + 3_600_000).is_idle
    snapshot = take_snapshot(home.settings, FIRST + 3_600_000, {})
    assert [one for one in snapshot.problems if "export" not in one] == []
    later = FIRST + 35 * 86_400_000
    run_at(home, later)
    problems = [one for one in take_snapshot(home.settings, later, {}).problems if "drawer" in one]
    assert [one.split(":")[0] for one in problems] == ["store drawer", "check ended incomplete on 2026-11-30"]


def test_a_spool_that_cannot_be_opened_is_in_the_journal_too(home: Home) -> None:
    run_at(home, FIRST)
    home.settings.spool_identity.write_text("garbage\n")
    with pytest.raises(ArchiverError):
        run_at(home, FIRST + 3_600_000)
    with open_journal(home) as journal:
        assert journal.job("run").code not in (None, 0)


def test_another_run_at_work_is_no_failure_of_this_one(home: Home) -> None:
    run_at(home, FIRST)
    with Lock(home.settings.lock), pytest.raises(LockedError):
        run_at(home, FIRST + 3_600_000)
    with open_journal(home) as journal:
        assert (journal.job("run").finished_ms, journal.job("run").code) == (FIRST, 0)


def test_a_full_disk_ends_the_run_and_the_next_does_the_rest(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(context: JobContext) -> JobReport:
        raise OSError(28, os.strerror(28), "/somewhere")

    with monkeypatch.context() as patched:
        patched.setattr(sealing.JOB, "work", full)
        report = run_at(home, FIRST)
    assert done(report) == {"seal": 1}
    assert report.jobs[0].ends_run
    assert "the disk is full" in report.jobs[0].problems[0]
    assert done(run_at(home, FIRST)) == {"seal": 0, "sync": 0, "check": 0, "drill": 0, "remind": 0}


def test_a_damaged_spool_is_an_error_of_the_whole_run(home: Home) -> None:
    run_at(home, FIRST)
    (home.settings.spool / "spool.sqlite").write_bytes(b"no database " * 1000)
    for name in ("spool.sqlite-wal", "spool.sqlite-shm"):
        (home.settings.spool / name).unlink(missing_ok=True)
    with pytest.raises(Exception, match="is damaged") as caught:
        run_at(home, FIRST)
    assert caught.value.exit_code == 20  # type: ignore[attr-defined]  # one of ours
    assert caught.value.ends_run  # type: ignore[attr-defined]


def test_a_run_that_was_cut_off_is_seen_in_the_journal(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(context: JobContext) -> JobReport:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(syncing.JOB, "work", stopped)
        with pytest.raises(KeyboardInterrupt):
            run_at(home, FIRST)
    with open_journal(home) as journal:
        assert (journal.job("sync").started_ms, journal.job("sync").code) == (FIRST, None)
        assert (journal.job("run").started_ms, journal.job("run").code) == (FIRST, None)
        assert journal.job("seal").code == 0
    assert done(run_at(home, FIRST, only=("seal", "sync"))) == {"sync": 0}


def test_a_sealing_that_was_cut_off_after_its_archive_was_there_is_finished_by_the_next_run(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Spool, "empty", killed)
        with pytest.raises(KeyboardInterrupt):
            run_at(home, FIRST)
    assert len(home.archives) == 1
    later = run_at(home, FIRST + 3_600_000)
    assert done(later) == {"seal": 0, "sync": 0, "check": 0, "drill": 0, "remind": 0}
    assert len(home.archives) == 1
    check_nothing_half(home.folder)


def test_two_runs_at_once_are_one_run(home: Home) -> None:
    """Started together, as by cron and by hand: one does the work, the others are refused or find none."""
    ended: list[dict[str, int] | LockedError] = []

    def start() -> None:
        try:
            ended.append(done(run_at(home, FIRST)))
        except LockedError as error:
            ended.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, dict) and "seal" in one for one in ended) == 1
    assert len(home.archives) == 1


def test_every_registered_job_has_its_name_and_asks_without_what_its_work_needs() -> None:
    assert registered() == [name for name in registered() if load_job(name).name == name]
    assert registered() == list(JOB_NAMES)
    assert registered(("sync", "import")) == ["import", "sync"]
