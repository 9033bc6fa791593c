import os
import resource
import subprocess
import time
from pathlib import Path

import pytest

from archiver.disk import Lock
from archiver.inbox.exports import import_exports
from archiver.schedule.report import JOB_NAMES
from archiver.wiring.collector import open_collector
from tests.cli.runner import PROGRAM, Runner
from tests.cli.stores import add_store
from tests.collected import Asked, XHome, add_force, fake_x, make_x_home
from tests.faults.folders import copy_folder, make_folder, read_contents, same_but_once, sample
from tests.homes import Home, make_home
from tests.programs import PROJECT
from tests.receiver import Answer, receiver
from tests.unit.jobs.runs import open_journal

IDLE_SECONDS = 0.3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A folder whose spool holds the short sample."""
    folder = tmp_path_factory.mktemp("run")
    home = Home(make_folder(folder / "home"))
    with open_collector(home.settings) as collector:
        export = sample(folder / "export.zip")
        import_exports(collector, [export], may_add_account=True, clock=lambda: 1_793_000_000_000)
    return home


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(made.folder, tmp_path / "home"))


def test_it_says_a_line_a_job_and_then_that_nothing_is_due(run: Runner, home: Home) -> None:
    first = run("--config", home.folder, "run", "--only", "seal", "--only", "sync")
    assert (first.code, first.errors) == (0, "")
    sealed, synced = first.output.splitlines()
    assert sealed.startswith("seal: archive 20")
    assert sealed.endswith(f"chain head 1:{home.archives[0].head.sha256}")
    assert synced == "sync: 1 archive: every store has all"
    again = run("--config", home.folder, "run", "--only", "seal", "--only", "sync")
    assert (again.code, again.output, again.errors) == (0, "Nothing is due.\n", "")
    quiet = run("--config", home.folder, "run", "--only", "seal", "--only", "sync", "--quiet")
    assert (quiet.code, quiet.output, quiet.errors) == (0, "", "")


def test_quietly_it_says_only_what_somebody_should_read(run: Runner, home: Home) -> None:
    well = run("--config", home.folder, "run", "--only", "seal", "--quiet")
    assert (well.code, well.output, well.errors) == (0, "", ""), (
        "cron would mail it, and nobody read cron's mail"
    )
    assert len(home.archives) == 1
    reminded = run("--config", home.folder, "run", "--only", "sync", "--only", "remind", "--quiet")
    assert reminded.output == "remind: INCOMPLETE\n"
    assert "Only one keyholder" in reminded.errors


def test_as_json_a_line_a_job_and_one_for_the_run(run: Runner, home: Home) -> None:
    result = run("--config", home.folder, "run", "--json", "--only", "seal")
    job, whole = result.json_lines()
    assert (job["type"], job["job"], job["code"], job["problems"]) == ("job", "seal", 0, [])
    assert job["facts"]["archive"] == home.archives[0].name  # type: ignore[index]  # an object
    assert (whole["type"], whole["jobs"], whole["code"]) == ("run", ["seal"], 0)
    assert str(whole["finished"]) >= str(whole["started"])
    (idle,) = run("--config", home.folder, "run", "--json", "--only", "seal").json_lines()
    assert (idle["type"], idle["jobs"]) == ("run", [])


def test_a_dry_run_says_what_is_due_when_and_does_nothing(run: Runner, home: Home) -> None:
    result = run("--config", home.folder, "run", "--dry-run")
    assert result.code == 0
    lines = dict(line.split(": ", 1) for line in result.output.splitlines())
    assert lines["seal"] == lines["sync"] == "due now"
    assert lines["collect"] == "nothing to do"
    assert home.archives == []
    assert run("--config", home.folder, "run", "--only", "seal", "--only", "sync").code == 0
    due = {
        one["job"]: one
        for one in run("--config", home.folder, "run", "--dry-run", "--json").json_lines()
        if one["type"] == "due"
    }
    assert (due["seal"]["due"], due["seal"]["at"]) == (False, None)
    assert (due["sync"]["due"], str(due["sync"]["at"])[13:]) == (False, ":00:00.000Z")


def test_what_is_wrong_goes_to_standard_error_and_the_exit_code_is_the_worst(run: Runner, home: Home) -> None:
    add_store(home, "second", required=True)  # a share that is not mounted
    result = run("--config", home.folder, "run", "--only", "seal", "--only", "sync")
    assert result.code == 10
    assert result.output.startswith("seal: FAILED\nsync: FAILED")
    assert all("second" in line for line in result.errors.splitlines())
    assert {line.split(":")[0] for line in result.errors.splitlines()} == {"  seal", "  sync"}


def test_a_notice_that_cannot_be_sent_makes_3_of_0_and_hides_nothing_worse(run: Runner, home: Home) -> None:
    with receiver() as server:
        server.answer = lambda path: Answer(403)
        with (home.folder / "archiver.toml").open("a") as file:
            file.write(f'[[notice]]\nname = "watch"\nkind = "ping"\nurl = "{server.url}/watch"\n')
        untold = run("--config", home.folder, "run", "--only", "seal")
        assert untold.code == 3
        assert untold.output.startswith("seal: archive 20")
        assert "archiver: error: notice watch: the server answers 403\n" in untold.errors
        add_store(home, "second", required=True)
        failed = run("--config", home.folder, "run", "--only", "sync")
    assert failed.code == 10
    assert "notice watch: the server answers 403" in failed.errors
    assert server.paths == ["/watch/start", "/watch", "/watch/start", "/watch/10"]


def test_while_another_run_is_at_work_it_ends_with_11_and_says_who_it_is(run: Runner, home: Home) -> None:
    with Lock(home.settings.lock):
        said = run.fails(11, "--config", home.folder, "run", "--quiet")
        assert run("--config", home.folder, "run", "--dry-run").code == 11
    assert said.startswith(f"process {os.getpid()} is at work here")
    assert run("--config", home.folder, "run", "--only", "seal").code == 0


def test_an_unknown_job_and_settings_that_cannot_be_read_are_told_in_two_lines(
    run: Runner, home: Home
) -> None:
    said = run.fails(2, "--config", home.folder, "run", "--only", "seals")
    assert all(f"'{name}'" in said for name in JOB_NAMES)
    path = home.folder / "archiver.toml"
    path.write_text(path.read_text() + "\n[schedule]\nseal = 'hourly'\n")
    assert "schedule.seal" in run.fails(2, "--config", home.folder, "run", "--quiet")
    path.unlink()
    assert "there is no settings file" in run.fails(2, "--config", home.folder, "run", "--quiet")


def test_the_settings_are_those_that_the_file_holds_when_it_is_started(run: Runner, home: Home) -> None:
    assert run("--config", home.folder, "run", "--only", "sync").code == 0
    add_store(home, "second", required=True)
    (home.folder / "second").mkdir()
    path = home.folder / "archiver.toml"
    path.write_text(path.read_text() + "\n[schedule]\nsync_every_days = 366\n")
    due = run("--config", home.folder, "run", "--only", "sync", "--dry-run").output
    assert due > "sync: due 2027"
    assert run("--config", home.folder, "run", "--only", "seal").code == 0
    assert (home.folder / "second" / "archives").is_dir()


def test_it_collects_from_x_seals_that_and_has_every_post_once(run: Runner, tmp_path: Path) -> None:
    with fake_x() as x:
        force = add_force(x, posts=3)
        home = make_x_home(tmp_path / "home", x, Asked(force, kinds=("posts",)))
        result = run("--config", home.folder, "run")
        assert result.code == 0, result
        collected, sealed, *others = result.output.splitlines()
        assert collected.startswith(
            "collect: 1 account: 3 records returned, 3 of them new or changed, for 0.0"
        )
        assert sealed.startswith("seal: archive ")
        assert [line.split(":")[0] for line in others] == ["sync", "check", "drill", "remind"]
        asked = len(x.requests)
        assert run("--config", home.folder, "run", "--quiet").output == ""
        assert len(x.requests) == asked
    assert len(home.texts()) == 3
    same_but_once(read_contents(home.folder))
    assert XHome(home.folder).check_rebuilt() == 3


def test_backup_by_hand_leaves_nothing_to_do_for_the_run_after_it(run: Runner, tmp_path: Path) -> None:
    with fake_x() as x:
        force = add_force(x, posts=3)
        home = make_x_home(tmp_path / "home", x, Asked(force, kinds=("posts",)))
        assert run("--config", home.folder, "backup").code == 0
        result = run("--config", home.folder, "run", "--only", "collect", "--only", "seal")
        assert result.output == "Nothing is due.\n"
    with open_journal(home) as journal:
        for name in ("import", "collect", "seal"):
            assert (journal.job(name).code, journal.job(name).good_ms) == (0, journal.job(name).finished_ms)


def _idle_seconds(home: Path) -> tuple[float, float]:
    """Of the whole process, on the clock and of the processor, the best of several: others are at work on
    this machine."""
    best = [9.0, 9.0]
    for _ in range(10):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        ended = subprocess.run(
            [*PROGRAM, "--config", str(home), "run", "--quiet"], cwd=PROJECT, capture_output=True, check=False
        )
        wall = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = [min(best[0], wall), min(best[1], used)]
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
        if best[0] < IDLE_SECONDS:
            break
    return best[0], best[1]


def _run_once(run: Runner, tmp_path: Path) -> Home:
    """A folder in which nothing is due any more."""
    home = make_home(tmp_path)
    with home.settings.path.open("a") as file:  # in the account's table: the sample gets older every day
        file.write("export_every_days = 0\n")
    assert run("--config", home.folder, "run").code == 0
    return home


def test_an_idle_run_takes_less_than_a_third_of_a_second(run: Runner, tmp_path: Path) -> None:
    home = _run_once(run, tmp_path)
    wall, used = _idle_seconds(home.folder)
    assert used < IDLE_SECONDS
    assert wall < 4 * IDLE_SECONDS, "as far as this machine is not busy"


def test_an_idle_run_loads_nothing_that_collects_seals_or_searches(run: Runner, tmp_path: Path) -> None:
    home = _run_once(run, tmp_path)
    script = (
        "import sys; from archiver.cli import main;"
        f"code = main(['--config', {str(home.folder)!r}, 'run']);"
        "print(sorted(sys.modules))"
    )
    output = subprocess.run([PROGRAM[0], "-c", script], cwd=PROJECT, capture_output=True, check=True).stdout
    assert output.startswith(b"Nothing is due.")
    loaded = output.decode()
    for name in ("requests", "tweepy", "boto3", "rich", "archiver.seal", "archiver.search",
                 "archiver.collect", "archiver.sync", "archiver.vault", "archiver.stores.local"):  # fmt: skip
        assert f"'{name}'" not in loaded
