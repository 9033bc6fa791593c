"""What a command does by hand is done: `status` and the next run know of it."""

from pathlib import Path

import pytest

from archiver.schedule.journal import JobTimes
from archiver.schedule.report import JobName
from archiver.times import system_clock
from tests.cli.runner import Runner
from tests.collected import Asked, XHome, add_force, fake_x, make_x_home, wait_quickly
from tests.faults.folders import make_folder, sample
from tests.homes import Home
from tests.unit.jobs.runs import open_journal

PROBLEM = "what kept it from its work"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(make_folder(tmp_path / "home"))


def fail(home: Home | XHome, *names: JobName) -> None:
    """As `archiver run` notes it."""
    now_ms = system_clock()
    with open_journal(Home(home.folder)) as journal:
        for name in ("run", *names):
            journal.end(name, now_ms - 1, 1, (PROBLEM,), started_ms=now_ms - 2)


def noted(home: Home | XHome, name: JobName) -> JobTimes:
    with open_journal(Home(home.folder)) as journal:
        return journal.job(name)


def test_import_seal_and_sync_that_end_well_are_done(run: Runner, home: Home) -> None:
    fail(home, "import", "seal", "sync")
    sample(home.folder / "export.zip")
    for name, words in (
        ("import", ("import", "--add-account", home.folder / "export.zip")),
        ("seal", ("seal",)),
        ("sync", ("sync",)),
    ):
        assert noted(home, name).problems == (PROBLEM,)  # type: ignore[arg-type]  # one of three
        assert run("--config", home.folder, *words).code == 0
        done = noted(home, name)  # type: ignore[arg-type]  # one of three
        assert (done.code, done.problems, done.good_ms) == (0, (), done.finished_ms)


def test_one_that_fails_is_no_news(run: Runner, home: Home) -> None:
    fail(home, "seal", "import")
    (home.folder / "vault").rename(home.folder / "elsewhere")
    assert run("--config", home.folder, "seal").code == 10
    (home.folder / "bad.zip").write_bytes(b"no zip")
    assert run("--config", home.folder, "import", home.folder / "bad.zip").code != 0
    assert noted(home, "seal").problems == noted(home, "import").problems == (PROBLEM,)


def test_an_export_taken_by_hand_clears_nothing_while_a_refused_one_lies_there(
    run: Runner, home: Home
) -> None:
    fail(home, "import")
    (home.settings.inbox / "failed").mkdir(exist_ok=True)
    (home.settings.inbox / "failed" / "bad.zip").write_bytes(b"no zip")
    sample(home.folder / "export.zip")
    assert run("--config", home.folder, "import", "--add-account", home.folder / "export.zip").code == 0
    assert noted(home, "import").problems == (PROBLEM,)


def test_one_store_filled_is_not_every_store(run: Runner, home: Home) -> None:
    fail(home, "sync")
    assert run("--config", home.folder, "sync", "--store", "vault").code == 0
    assert noted(home, "sync").problems == (PROBLEM,)


def test_where_archiver_run_is_not_at_home_nothing_is_noted(run: Runner, home: Home) -> None:
    """A journal would make `sync` late in some days, which nobody there has asked for."""
    assert run("--config", home.folder, "sync").code == 0
    assert not home.settings.journal.exists()
    assert run("--config", home.folder, "backup").code == 0
    assert run("--config", home.folder, "sync").code == 0
    assert noted(home, "sync") == JobTimes()


def test_collecting_all_that_is_due_is_done_and_a_part_of_it_is_not(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_quickly(monkeypatch)
    with fake_x() as x:
        home = make_x_home(tmp_path / "x", x, Asked(add_force(x, posts=3), ("posts",)))
        fail(home, "collect")
        assert run("--config", home.folder, "collect", "--kind", "posts").code == 0
        assert noted(home, "collect").problems == (PROBLEM,)
        assert run("--config", home.folder, "collect").code == 0
        assert (noted(home, "collect").code, noted(home, "collect").problems) == (0, ())


def test_backup_notes_what_was_wrong(run: Runner, home: Home) -> None:
    (home.settings.inbox / "bad.zip").write_bytes(b"no zip")
    assert run("--config", home.folder, "backup").code != 0
    (problem,) = noted(home, "import").problems
    assert problem.startswith("1 export was refused")
