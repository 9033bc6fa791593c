"""The log when things go wrong at the worst instant: a kill, a full disk, a folder that nobody may write, two
runs at once. What was shown is on record, and the chain is whole.

Steps on the disk are counted by `killed_run.py`, and each round kills, or fails, before another one."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from archiver.audit.reading import LoggedAct, Reading, acts_of, chains_of, newest_first
from archiver.audit.verify import Against, verify_log
from tests.cli.runner import PROGRAM, Runner
from tests.faults.folders import SOAK, copy_folder
from tests.homes import Home, make_home
from tests.programs import PROJECT, require_program

LIMIT_SECONDS = 120
QUERY = "the"
SEARCH = ("search", "--limit", "2", "--reason", "a test", QUERY)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("made"))


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(made.folder, tmp_path / "home"))


def start(
    home: Home, step: int, arguments: Sequence[str], **environ: str
) -> "subprocess.CompletedProcess[str]":
    folder = str(home.folder)
    command = [sys.executable, "-m", "tests.faults.killed_run", folder, str(step), "--config", folder]
    return subprocess.run(
        [*command, *arguments], cwd=PROJECT, env={**os.environ, **environ}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=LIMIT_SECONDS,
    )  # fmt: skip


def steps_of(home: Home, arguments: Sequence[str]) -> int:
    done = start(home, 0, arguments)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.split("steps ")[1])


def some(steps: int) -> range:
    """Which steps to fail before: all, or where there is little time every third."""
    return range(1, steps + 1) if SOAK else range(1, steps + 1, max(1, steps // 8))


def acts(home: Home, chain: str) -> list[LoggedAct]:
    store = home.vault.store
    numbers = chains_of(store).get(chain, [])
    return list(acts_of(newest_first(store, chain, numbers, home.identities, Reading())))


def require_whole(home: Home) -> None:
    result = verify_log(home.vault.store, Against(home.vault.id))
    assert [one.message for one in result.problems] == []


def fresh(home: Home, folder: Path) -> Home:
    shutil.rmtree(folder, ignore_errors=True)
    return Home(copy_folder(home.folder, folder))


def test_a_search_that_is_killed_at_any_instant_is_on_record_if_it_showed_anything(
    home: Home, run: Runner, tmp_path: Path
) -> None:
    steps = steps_of(fresh(home, tmp_path / "whole"), SEARCH)
    assert steps > 5
    open_ends = 0
    for step in some(steps):
        one = fresh(home, tmp_path / "killed")
        done = start(one, step, SEARCH)
        assert done.returncode == -9, (step, done.stderr)
        logged = acts(one, "records")
        if done.stdout:
            assert logged[0].end is not None
        open_ends += sum(act.end is None for act in logged)
        require_whole(one)
        again = run("--config", one.folder, *SEARCH)
        assert again.code == 0, (step, again.errors)
        assert len(acts(one, "records")) == len(logged) + 1
        require_whole(one)
    assert open_ends, "at least one was killed between its beginning and its end"


def test_a_search_whose_disk_is_full_at_any_instant_shows_nothing_that_is_not_on_record(
    home: Home, run: Runner, tmp_path: Path
) -> None:
    steps = steps_of(fresh(home, tmp_path / "whole"), SEARCH)
    failed = 0
    for step in some(steps):
        one = fresh(home, tmp_path / "full")
        done = start(one, step, SEARCH, FAIL_INSTEAD="1")
        if "apsw." in done.stderr:  # a commit in memory, which no disk fails at
            assert done.stdout == ""
            continue
        assert "Traceback" not in done.stderr, done.stderr[-3000:]
        if done.returncode:
            failed += 1
            assert (done.returncode, done.stdout) == (1, "")
        else:
            (logged,) = acts(one, "records")
            assert logged.end is not None
            assert logged.end.entry.results == 2
        require_whole(one)
        assert run("--config", one.folder, *SEARCH).code == 0
        require_whole(one)
    assert failed


def test_a_run_of_the_collecting_host_that_is_killed_at_any_instant_leaves_a_whole_chain(
    home: Home, run: Runner, tmp_path: Path
) -> None:
    command = ("seal",)
    steps = steps_of(fresh(home, tmp_path / "whole"), command)
    for step in some(steps):
        one = fresh(home, tmp_path / "killed")
        assert start(one, step, command).returncode == -9
        for _ in range(2):
            again = run("--config", one.folder, *command)
            assert again.code == 0, (step, again.errors)
        require_whole(one)
        assert run("--config", one.folder, "log", "verify").code == 0


@pytest.mark.parametrize("command", [SEARCH, ("verify",)])
def test_two_runs_at_once_write_different_entries(home: Home, command: tuple[str, ...]) -> None:
    """Twenty each, in two processes."""
    rounds = 20
    code = (
        "import sys\nfrom archiver.cli import main\n"
        f"sys.exit(max(main(['--config', {str(home.folder)!r}, *{command!r}]) for _ in range({rounds})))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=PROJECT, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    ended = [(one.communicate(timeout=LIMIT_SECONDS)[1], one.returncode) for one in processes]
    assert [code for _, code in ended] == [0, 0], ended
    settings = home.settings
    if command == ("verify",):
        from archiver.wiring.log import flush_log

        assert flush_log(settings, home.vault.store) == 4 * rounds
    chain = "_collector" if command == ("verify",) else "records"
    logged = [act for act in acts(home, chain) if act.first.entry.verb != "key"]
    assert len(logged) == 2 * rounds
    assert all(act.end is not None for act in logged)
    require_whole(home)


def test_where_the_log_is_a_file_a_search_prints_nothing(home: Home, run: Runner) -> None:
    shutil.rmtree(home.folder / "vault/audit")
    (home.folder / "vault/audit").write_text("in its place")
    told = run.fails(1, "--config", home.folder, *SEARCH)
    assert "the log cannot be written, so nothing is done" in told
    for command in (("show", "1"), ("rebuild",), ("log", "show")):
        run.fails(1, "--config", home.folder, *command)


AS_NOBODY = """
import os, sys
from pathlib import Path
from archiver.cli import main
home, arguments = Path(sys.argv[1]), sys.argv[2:]
main(["--config", str(home), *arguments])  # whatever is imported is imported while that may be read
for path in (home, *home.rglob("*")):
    os.chown(path, 65534, 65534)
for path in (home / "vault/audit", *(home / "vault/audit").rglob("*"), home / "spool/log"):
    os.chown(path, 0, 0)
(home / "spool/log").chmod(0o755)
sys.stdout.flush()
os.ftruncate(1, 0), os.ftruncate(2, 0)
os.setgid(65534), os.setuid(65534)
sys.exit(main(["--config", str(home), *arguments]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody who may not write")
@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (SEARCH, 1, "the log cannot be written, so nothing is done"),
        (("verify",), 0, "This is not in the log, which cannot be written"),
    ],
)
def test_where_the_log_may_not_be_written_a_search_prints_nothing_and_verify_goes_on(
    made: Home, command: tuple[str, ...], code: int, said: str
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        home = copy_folder(made.folder, Path(folder) / "home")
        results, errors = Path(folder) / "results", Path(folder) / "errors"
        with results.open("a") as output, errors.open("a") as told:
            done = subprocess.run(
                [sys.executable, "-c", AS_NOBODY, str(home), *command], cwd=PROJECT,
                stdin=subprocess.DEVNULL, stdout=output, stderr=told, timeout=LIMIT_SECONDS,
            )  # fmt: skip
        assert done.returncode == code, errors.read_text()
        assert said in errors.read_text()
        assert (results.read_text() == "") == bool(code)


def test_the_beginning_is_on_the_disk_before_a_segment_is_opened(home: Home, tmp_path: Path) -> None:
    """Seen from outside: the entry was synced and has its name before any segment is opened; and the end has
    before anything is written to standard output."""
    strace = require_program("strace")
    trace = tmp_path / "trace"
    ran = subprocess.run(
        [
            strace, "-f", "-y", "-s", "300", "-e", "trace=openat,linkat,link,fsync,write", "-o", trace,
            *PROGRAM, "--config", str(home.folder), *SEARCH,
        ],
        cwd=PROJECT, capture_output=True, text=True, timeout=LIMIT_SECONDS,
    )  # fmt: skip
    if "ptrace" in ran.stderr.lower():
        pytest.skip("this host lets nobody trace a process")
    assert ran.returncode == 0, ran.stderr
    lines = trace.read_text(errors="replace").splitlines()

    def first(*words: str) -> int:
        return next(number for number, line in enumerate(lines) if all(word in line for word in words))

    begun, ended = first("link", "00000001.tar"), first("link", "00000002.tar")
    assert any("fsync" in line and "vault/audit/records" in line for line in lines[:begun]), "it is synced"
    assert begun < first("openat", "records-000.sqlite.zst.age")
    assert ended < first("write(1<")


def test_an_entry_is_made_within_fifteen_milliseconds(home: Home) -> None:
    """The median, with its syncs, where the disk is not slow by itself; the figure is in docs/format.md."""
    import statistics
    import time

    from archiver.audit.acts import Act
    from archiver.audit.entry import Asked
    from archiver.cli._session import Session
    from archiver.times import system_clock

    session = Session({}, home.folder)
    session.list_archives(session.open_vault())
    with session.act(Asked("search", "search")):
        pass
    assert session._log is not None
    took, synced = [], []
    for number in range(60):
        began = time.perf_counter()
        Act(session._log.log, session._log.actor, Asked("search", "search", query="x"), system_clock)
        took.append(time.perf_counter() - began)
        began = time.perf_counter()
        for count in range(2):
            with (home.folder / f"probe-{number}-{count}").open("wb") as file:
                file.write(bytes(6000))
                os.fsync(file.fileno())
        synced.append(time.perf_counter() - began)
    disk = statistics.median(synced)
    assert statistics.median(took) < max(0.015, 4 * disk), (statistics.median(took), disk)
