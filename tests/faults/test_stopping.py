"""`systemctl stop`, a shutdown, a closed terminal, Ctrl-C, in every phase of a run, also where a server
hangs: within ten seconds it has ended, what was captured is kept, nothing is half, the next run goes on."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from archiver.disk import Lock
from archiver.inbox.exports import import_exports
from archiver.jobs.run import run_due
from archiver.times import system_clock
from archiver.wiring.collector import open_collector
from tests.cli.runner import PROGRAM, Runner
from tests.collected import Asked, XHome, add_force, fake_x, make_x_home
from tests.fakes.x_api import FakeX
from tests.fakes.x_faults import Slow, rate_limited
from tests.fakes.x_world import User
from tests.faults.folders import (
    check_nothing_half,
    copy_folder,
    make_folder,
    open_spool,
    read_contents,
    same_but_once,
    sample,
)
from tests.homes import Home, make_home
from tests.programs import PROJECT
from tests.unit.jobs.runs import open_journal

LONGEST_SECONDS = 10.0


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


class Started:
    """`archiver run` in a session of its own, so that whatever it leaves running is found."""

    def __init__(self, home: Path, *, ignoring: signal.Signals | None = None) -> None:
        self.log = home / "run.jsonl"
        words = ["--config", str(home), "run", "--log", str(self.log)]
        self.process = subprocess.Popen(
            [*PROGRAM, *words],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=None if ignoring is None else lambda: signal.signal(ignoring, signal.SIG_IGN),
        )

    def events(self) -> list[tuple[str, object]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        parsed = [json.loads(line) for line in lines]
        return [(line["event"], line["facts"].get("job") or line["facts"].get("code")) for line in parsed]

    def wait_for(self, is_there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not is_there():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def wait_for_job(self, job: str) -> None:
        self.wait_for(lambda: ("job.begin", job) in self.events())

    def stop(self, number: signal.Signals = signal.SIGTERM, *, group: bool = False) -> tuple[int, str, float]:
        """Send the signal, to the process or to all of its session's; exit code, what it said, seconds."""
        began = time.monotonic()
        (os.killpg if group else os.kill)(self.process.pid, number)
        _, errors = self.process.communicate(timeout=30)
        seconds = time.monotonic() - began
        self._check_alone()
        return self.process.returncode, errors, seconds

    def _check_alone(self) -> None:
        """Its children have ended; the last may still be being reaped."""
        deadline = time.monotonic() + 2
        while left := _of_session(self.process.pid):
            assert time.monotonic() < deadline, left
            time.sleep(0.02)


def _of_session(session: int) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append((path.parent / "cmdline").read_text())
        except OSError:
            continue
    return found


def check_stopped(home: Home, job: str) -> None:
    """The lock is free, and the journal says that the job was cut off."""
    with Lock(home.settings.lock):
        pass
    with open_journal(home) as journal:
        assert journal.job(job).started_ms is not None
        assert journal.job(job).code is None
        assert journal.job("run").code is None


# Collecting


@pytest.fixture
def x() -> Iterator[FakeX]:
    with fake_x() as running:
        yield running


@pytest.fixture
def force(x: FakeX) -> User:
    return add_force(x, posts=250)


@pytest.fixture
def home(x: FakeX, force: User, tmp_path: Path) -> XHome:
    return make_x_home(tmp_path / "home", x, Asked(force, kinds=("posts",)))


def _pages(home: Home) -> int:
    with open_spool(home.folder) as spool:
        return len(spool.pages())


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_while_x_hangs(
    run: Runner, x: FakeX, force: User, home: XHome, number: signal.Signals, code: int
) -> None:
    x.faults.add(f"/2/users/{force.id}/tweets", Slow(40), after=1)
    started = Started(home.folder)
    started.wait_for(lambda: sum("tweets" in one.path for one in x.requests) >= 1 and _pages(home) >= 1)
    time.sleep(0.3)  # it has asked for the second page by now
    ended, errors, seconds = started.stop(number)
    assert (ended, seconds < LONGEST_SECONDS) == (code, True), errors
    assert "Traceback" not in errors
    assert errors.startswith("\narchiver: interrupted")
    assert started.events()[-1] == ("end", code)
    check_stopped(home, "collect")
    kept = _pages(home)
    assert kept >= 1
    x.faults.clear()
    asked = len(x.requests)
    assert run("--config", home.folder, "run").code == 0
    assert 0 < len(x.requests) - asked < 5, "it goes on where it was cut off"
    assert len(home.texts()) == 250
    same_but_once(read_contents(home.folder))


def test_while_it_waits_for_xs_limit_it_ends_at_once(x: FakeX, force: User, home: XHome) -> None:
    home.configure(x, Asked(force, kinds=("posts",)), x_api="max_wait_seconds = 900\n")
    x.faults.add(
        f"/2/users/{force.id}/tweets", rate_limited(reset=int(time.time()) + 600), times=None, after=1
    )
    started = Started(home.folder)
    started.wait_for(lambda: sum("tweets" in one.path for one in x.requests) >= 2)
    ended, errors, seconds = started.stop()
    assert (ended, errors) == (143, "\narchiver: interrupted\n")
    assert seconds < 4
    check_stopped(home, "collect")


def test_what_it_was_started_to_ignore_is_ignored_as_under_nohup(x: FakeX, force: User, home: XHome) -> None:
    x.faults.add(f"/2/users/{force.id}/tweets", Slow(1), after=1)
    started = Started(home.folder, ignoring=signal.SIGHUP)
    started.wait_for_job("collect")
    os.kill(started.process.pid, signal.SIGHUP)
    output, errors = started.process.communicate(timeout=60)
    assert started.process.returncode == 0
    assert "interrupted" not in errors
    assert "seal: archive" in output


def test_a_second_signal_changes_nothing(x: FakeX, force: User, home: XHome) -> None:
    x.faults.add(f"/2/users/{force.id}/tweets", Slow(40), after=1)
    started = Started(home.folder)
    started.wait_for(lambda: sum("tweets" in one.path for one in x.requests) >= 1 and _pages(home) >= 1)
    time.sleep(0.3)
    for _ in range(3):
        os.kill(started.process.pid, signal.SIGTERM)
        time.sleep(0.05)
    ended, errors, seconds = started.stop(signal.SIGINT)
    assert (ended, seconds < LONGEST_SECONDS) == (143, True)
    assert "Traceback" not in errors
    check_stopped(home, "collect")


def test_nobody_reads_what_it_says_in_the_end(x: FakeX, force: User, home: XHome) -> None:
    """Standard error is a pipe that is full: the log's last line goes there."""
    x.faults.add(f"/2/users/{force.id}/tweets", Slow(40), after=1)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    process = subprocess.Popen(
        [*PROGRAM, "--config", str(home.folder), "run"], cwd=PROJECT, stderr=writing, stdout=writing
    )
    deadline = time.monotonic() + 60
    while not (home.settings.spool / "spool.sqlite").exists() or not _pages(home):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.3)
    process.terminate()
    assert process.wait(timeout=LONGEST_SECONDS) == 143
    os.close(reading)
    os.close(writing)


# Sealing


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A folder whose spool makes several segments."""
    folder = tmp_path_factory.mktemp("full")
    home = Home(make_folder(folder / "home"))
    with open_collector(home.settings) as collector:
        export = sample(folder / "export.zip", months=24)
        (one,) = import_exports(collector, [export], may_add_account=True, clock=system_clock)
        assert one.error is None
    return home


@pytest.mark.parametrize("group", [False, True], ids=["the process", "all of them"])
@pytest.mark.parametrize("after_seconds", [0.0, 0.15, 0.4, 0.8])
def test_while_it_seals(full: Home, tmp_path: Path, after_seconds: float, group: bool) -> None:
    home = Home(copy_folder(full.folder, tmp_path / "home"))
    started = Started(home.folder)
    started.wait_for_job("seal")
    time.sleep(after_seconds)
    ended, errors, seconds = started.stop(group=group)
    assert seconds < LONGEST_SECONDS
    assert "Traceback" not in errors
    if ended not in (0, 3):  # else it was done before the signal came
        assert ended == 143, errors
        with open_spool(home.folder) as spool, home.open_state() as state:
            assert not spool.is_empty() or state.head() is not None
    report = run_due(home.settings, {}, system_clock, told=lambda name, facts: None, only=("seal", "sync"))
    assert report.code == 0
    assert len(home.archives) == 1
    check_nothing_half(home.folder)
    same_but_once(read_contents(home.folder))


# Syncing


@contextmanager
def hanging_server() -> Iterator[tuple[int, list[socket.socket]]]:
    """Takes every connection and never answers."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    taken.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], taken
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for one in taken:
                one.close()
            thread.join(timeout=5)


def test_while_a_server_hangs_that_it_syncs_to(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with hanging_server() as (port, taken):
        for name in ("key", "secret"):
            path = home.folder / name
            path.write_text("x" * 20)
            path.chmod(0o600)
        with (home.folder / "archiver.toml").open("a") as file:
            file.write(
                '\n[[store]]\nname = "far"\nkind = "s3"\nrequired = false\nbucket = "vault"\n'
                f'endpoint = "http://127.0.0.1:{port}"\nregion = "us-east-1"\naddressing = "path"\n'
                f'access_key_id = "file:key"\nsecret_access_key = "file:secret"\n'
            )
        started = Started(home.folder)
        started.wait_for_job("sync")
        started.wait_for(lambda: bool(taken))
        ended, errors, seconds = started.stop()
    assert (ended, seconds < LONGEST_SECONDS) == (143, True), errors
    assert "Traceback" not in errors
    check_stopped(home, "sync")
    check_nothing_half(home.folder)
