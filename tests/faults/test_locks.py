"""The lock of a run: nobody that is dead holds it, and what lies in its place is never written over."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archiver.disk import Lock
from archiver.errors import ArchiverError
from archiver.processes import own_mark
from tests.cli.runner import Runner, start_process
from tests.faults.folders import check_nothing_half, make_folder, sample
from tests.homes import Home
from tests.programs import PROJECT

WAIT_SECONDS = 30


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.mark.parametrize("command", ["import", "seal"])
def test_a_run_that_was_killed_holds_up_nobody(run: Runner, tmp_path: Path, command: str) -> None:
    """Also where it had processes of its own at work."""
    home = Home(make_folder(tmp_path / "v"))
    export = sample(tmp_path / "e.zip", months=12)
    words: tuple[str | Path, ...] = ("import", "--add-account", export)
    if command == "seal":
        assert run("--config", home.folder, *words).code == 0
        words = ("seal",)
    process = start_process("--config", home.folder, *words)
    begun = home.folder / ("spool/spool.sqlite-wal" if command == "import" else "vault/archives")
    deadline = time.monotonic() + WAIT_SECONDS
    while not begun.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=WAIT_SECONDS)
    lock = home.settings.lock
    assert lock.read_text().splitlines()[0] == str(process.pid)  # left behind, and no matter
    with Lock(lock, wait_seconds=10):  # its workers end with it
        pass
    assert run("--config", home.folder, "import", "--add-account", export).code == 0
    assert run("--config", home.folder, "seal").code == 0
    check_nothing_half(home.folder)


@pytest.mark.parametrize("left", [b"", b"1\n", b"4194304\n", b"\xff" * 100, b"no number\n"])
def test_a_lock_file_that_was_left_behind_is_no_lock(tmp_path: Path, left: bytes) -> None:
    """Whatever it says: also the number of a process that lives, as number 1 does."""
    path = tmp_path / "lock"
    path.write_bytes(left)
    with Lock(path):
        assert path.read_text() == own_mark()


def test_a_link_in_its_place_is_refused_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    target = tmp_path / "somebody's"
    target.write_bytes(b"precious")
    path = tmp_path / "lock"
    path.symlink_to(target)
    with pytest.raises(ArchiverError, match="is a link, a folder or a device"), Lock(path):
        pass
    assert target.read_bytes() == b"precious"
    target.unlink()
    with pytest.raises(ArchiverError, match="is a link, a folder or a device"), Lock(path):
        pass
    assert not target.exists()


def test_a_folder_and_a_pipe_in_its_place_are_refused_and_nobody_waits(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(ArchiverError, match="and a lock is a file") as caught, Lock(tmp_path / name):
            pass
        assert str(caught.value.hint) == "move it away, then again"
        del caught
        assert len(os.listdir("/proc/self/fd")) == before


READ_ONLY = """
import os, sys
from pathlib import Path
from archiver.disk import Lock
from archiver.errors import LockedError
path = Path(sys.argv[1])
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
try:
    with Lock(path):
        print("held", flush=True)
        sys.stdin.read()
except LockedError as error:
    print(error.message)
"""


def test_a_lock_file_that_may_only_be_read_locks_as_well() -> None:
    """Left by somebody else, or by a restore: who may not write there can still hold it, one at a time."""
    path = Path("/tmp") / f"archiver-read-only-{os.getpid()}.lock"
    path.write_text("12\n")
    path.chmod(0o444)
    words = [sys.executable, "-c", READ_ONLY, str(path)]
    pipe = subprocess.PIPE
    try:
        with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, cwd=PROJECT) as first:
            assert first.stdout is not None
            assert first.stdout.readline() == "held\n"
            second = subprocess.run(words, input="", capture_output=True, text=True, cwd=PROJECT, check=True)
            assert "is at work here and holds" in second.stdout
            first.communicate("")
        third = subprocess.run(words, input="", capture_output=True, text=True, cwd=PROJECT, check=True)
        assert third.stdout == "held\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o444
    finally:
        path.unlink()
