"""`kill -9` at any instant of import, seal and backup: nothing captured is lost, nothing half is left, and
the same command again completes the work.

Steps on the disk are counted (`killed_run.py`), and each round kills before another one, the places drawn
from a fixed seed over the whole run. Then real time: the whole process group, or only the leader, is killed
after a drawn delay. ARCHIVER_SOAK=1 runs many more rounds.
"""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from archiver.cli import main
from archiver.disk import PARTIAL_PREFIX
from tests.faults.folders import (
    SOAK,
    Contents,
    check_nothing_half,
    copy_folder,
    make_folder,
    open_spool,
    open_whole_vault,
    read_contents,
    same_but_once,
    sample,
)
from tests.programs import NEEDS, PROJECT

MONTHS = 12
ROUNDS = 60 if SOAK else 5
"""Of each kind."""
LIMIT_SECONDS = 60
TRIES_TO_SEE = 10


class Ground:
    """An export, a folder as new, one with the export spooled, and what an undisturbed run gives."""

    def __init__(self, base: Path) -> None:
        self.export = sample(base / "export.zip", months=MONTHS)
        self.fresh = make_folder(base / "fresh")
        self.spooled = copy_folder(self.fresh, base / "spooled")
        code, self.import_steps = run_to_the_end(self.spooled, *self.import_command())
        assert code == 0
        whole = copy_folder(self.spooled, base / "whole")
        code, self.seal_steps = run_to_the_end(whole, "seal")
        assert code == 0
        self.contents: Contents = read_contents(whole)
        same_but_once(self.contents)
        assert sum(row[0] == "post" for row in self.contents) > 900
        assert all(row[2] <= 1 for row in self.contents)  # versions
        assert any(row[0] == "media" and row[4] is not None for row in self.contents)
        _, archives = open_whole_vault(whole)
        assert len(archives[0].manifest.segments) > 1, "one segment would use no worker process"

    def import_command(self) -> tuple[str, ...]:
        return ("import", "--add-account", str(self.export))


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(tmp_path_factory.mktemp("ground"))


def command(folder: Path, step: int, arguments: Sequence[str]) -> list[str]:
    return [
        sys.executable,
        *("-m", "tests.faults.killed_run", str(folder), str(step), "--config", str(folder)),
        *arguments,
    ]


def start(
    folder: Path, step: int, *arguments: str, kill_workers: bool = False, read_apart: bool = False
) -> "subprocess.Popen[str]":
    """A run in a process group of its own."""
    return subprocess.Popen(
        command(folder, step, arguments),
        cwd=PROJECT,
        env={
            **os.environ,
            "KILL_WORKERS": "1" if kill_workers else "0",
            "READ_APART": "1" if read_apart else "0",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run_to_the_end(folder: Path, *arguments: str) -> tuple[int, int]:
    """The exit code, and how many steps there were."""
    process = start(folder, 0, *arguments)
    _, errors = process.communicate(timeout=LIMIT_SECONDS)
    return process.returncode, int(errors.rpartition("steps ")[2] or 0)


def run_killed(folder: Path, step: int, *arguments: str) -> bool:
    """Whether the run was killed; one with fewer steps ends well by itself."""
    process = start(folder, step, *arguments)
    _, errors = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode in (0, -signal.SIGKILL), errors
    wait_for_workers(folder)
    return process.returncode != 0


def processes_of(folder: Path) -> list[int]:
    """Live processes with an open file in the folder, as workers of a sealing have."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            names = [os.readlink(link) for link in (entry / "fd").iterdir()]
        except OSError:  # it has ended, or is not ours
            continue
        if any(name.startswith(f"{folder}/") for name in names):
            found.append(int(entry.name))
    return found


def wait_for_workers(folder: Path, seconds: float = 5) -> None:
    """Workers whose parent was killed end by themselves, soon. Those that do not are ended here."""
    deadline = time.monotonic() + seconds
    while left := processes_of(folder):
        if time.monotonic() > deadline:
            for process in left:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            pytest.fail(f"processes {left} still worked in {folder}")
        time.sleep(0.02)


def complete(folder: Path, ground: Ground) -> None:
    """Import and seal until done, as a person would, and compare with the undisturbed run."""
    assert main(["--config", str(folder), *ground.import_command()]) == 0
    with open_spool(folder) as spool:
        waiting = not spool.is_empty()
    assert main(["--config", str(folder), "seal"]) == 0
    check_nothing_half(folder)
    assert read_contents(folder) == ground.contents
    assert waiting or len(open_whole_vault(folder)[1]) > 0


def places(name: str, steps: int, rounds: int = ROUNDS) -> list[int]:
    """Steps to kill before: one drawn from each of `rounds` equal stretches of the run."""
    draw = random.Random(name)  # noqa: S311  # repeatable, not secret
    if rounds >= steps:
        return list(range(1, steps + 1))
    edges = [1 + steps * number // rounds for number in range(rounds + 1)]
    return [draw.randrange(first, max(last, first + 1)) for first, last in itertools.pairwise(edges)]


def test_an_import_killed_before_any_step_completes_when_run_again(ground: Ground, tmp_path: Path) -> None:
    # The last steps come after what is gone was noted: the same export must not bring it back.
    for step in {*places("import", ground.import_steps), ground.import_steps - 1, ground.import_steps}:
        folder = copy_folder(ground.fresh, tmp_path / str(step))
        assert run_killed(folder, step, *ground.import_command())
        complete(folder, ground)


def test_what_a_kill_left_of_rewritten_settings_and_keyholders_is_removed_by_the_next_run(
    ground: Ground, tmp_path: Path
) -> None:
    folder = copy_folder(ground.fresh, tmp_path / "v")
    for place in (folder, folder / "keys"):
        (place / f"{PARTIAL_PREFIX}4711-0123456789ab").write_bytes(b"half of it")
    (folder / "inbox" / f"{PARTIAL_PREFIX}of-somebody-else").write_bytes(b"an upload under way")
    assert main(["--config", str(folder), *ground.import_command()]) == 0
    assert [path.parent.name for path in folder.rglob(f"{PARTIAL_PREFIX}*")] == ["inbox"]


def test_what_a_killed_import_left_can_be_sealed_before_it_is_run_again(
    ground: Ground, tmp_path: Path
) -> None:
    for step in places("half", ground.import_steps, ROUNDS // 2):
        folder = copy_folder(ground.fresh, tmp_path / str(step))
        assert run_killed(folder, step, *ground.import_command())
        assert main(["--config", str(folder), "seal"]) == 0
        complete(folder, ground)


def test_a_sealing_killed_before_any_step_completes_when_run_again(ground: Ground, tmp_path: Path) -> None:
    # The last steps make the archive exist and empty the spool: each of them is tried.
    last = range(ground.seal_steps - 12, ground.seal_steps + 1)
    for step in {*places("seal", ground.seal_steps), *(last if SOAK else last[::3])}:
        folder = copy_folder(ground.spooled, tmp_path / str(step))
        assert run_killed(folder, step, "seal")
        complete(folder, ground)
        assert len(open_whole_vault(folder)[1]) == 1


def test_a_sealing_killed_again_and_again_completes_at_last(ground: Ground, tmp_path: Path) -> None:
    draw = random.Random("again")  # noqa: S311  # repeatable, not secret
    for number in range(ROUNDS // 3):
        folder = copy_folder(ground.fresh, tmp_path / str(number))
        for _ in range(2):
            run_killed(folder, draw.randrange(1, ground.import_steps), *ground.import_command())
            run_killed(folder, draw.randrange(1, ground.seal_steps), "seal")
        complete(folder, ground)


def test_a_killed_worker_is_told_in_a_sentence_and_the_sealing_completes_when_run_again(
    ground: Ground, tmp_path: Path
) -> None:
    for step in places("worker", 6, 6 if SOAK else 2):
        folder = copy_folder(ground.spooled, tmp_path / str(step))
        process = start(folder, step, "seal", kill_workers=True)
        _, errors = process.communicate(timeout=LIMIT_SECONDS)
        assert process.returncode == 1, errors
        assert "archiver: error: a sealing process ended before its time\n" in errors
        assert "Traceback" not in errors
        wait_for_workers(folder)
        complete(folder, ground)


def test_workers_end_soon_after_the_run_that_started_them_was_killed(ground: Ground, tmp_path: Path) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip(f"{NEEDS}two cores, for a sealing to use worker processes")
    draw = random.Random("orphans")  # noqa: S311  # repeatable, not secret
    for number in range(ROUNDS // 2):
        folder, process = start_and_see_workers(ground, tmp_path / str(number))
        time.sleep(draw.random() * 0.15)
        process.kill()
        process.wait()
        wait_for_workers(folder)
        process.communicate()
        complete(folder, ground)


def start_and_see_workers(ground: Ground, place: Path) -> "tuple[Path, subprocess.Popen[str]]":
    """A sealing at the moment when two workers have their files open. On a busy machine one may be over
    before anybody has looked: then another is started."""
    for number in range(TRIES_TO_SEE):
        folder = copy_folder(ground.spooled, place / str(number))
        process = start(folder, 0, "seal")
        while process.poll() is None:
            if len(processes_of(folder)) >= 3:  # it and two workers
                return folder, process
        process.communicate()
    raise AssertionError(f"no workers were seen in {TRIES_TO_SEE} sealings")


def test_a_killed_reader_of_a_large_export_is_told_and_the_import_completes_when_run_again(
    ground: Ground, tmp_path: Path
) -> None:
    draw = random.Random("reader")  # noqa: S311  # repeatable, not secret
    for number in range(ROUNDS // 2):
        folder = copy_folder(ground.fresh, tmp_path / str(number))
        process = start(folder, 0, *ground.import_command(), read_apart=True)
        reader = wait_for_child(process)
        time.sleep(draw.random() * 0.3)
        with suppress(ProcessLookupError):  # it was quicker
            os.kill(reader, signal.SIGKILL)
        _, errors = process.communicate(timeout=LIMIT_SECONDS)
        assert process.returncode in (0, 1), errors
        if process.returncode:
            assert "archiver: error: the process that read the export ended before its time\n" in errors
            assert "Traceback" not in errors
        complete(folder, ground)


def wait_for_child(process: "subprocess.Popen[str]") -> int:
    """The process that another one has spawned to work for it."""
    while process.poll() is None:
        for entry in Path("/proc").iterdir():
            with suppress(OSError, IndexError):
                if entry.name.isdigit() and b"spawn_main" in (entry / "cmdline").read_bytes():
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    if parent == process.pid:
                        return int(entry.name)
    pytest.fail("no process of its own read the export")


@pytest.mark.parametrize("whole_group", [True, False], ids=["the whole group", "only its leader"])
def test_a_backup_killed_at_any_time_completes_when_run_again(
    ground: Ground, tmp_path: Path, whole_group: bool
) -> None:
    began = time.monotonic()
    folder = copy_folder(ground.fresh, tmp_path / "measured")
    os.link(ground.export, folder / "inbox" / "export.zip")
    assert run_to_the_end(folder, "backup", "--add-account")[0] == 0
    usual_seconds = time.monotonic() - began
    draw = random.Random(str(whole_group))  # noqa: S311  # repeatable, not secret
    for number in range(ROUNDS // 2 + 1):
        folder = copy_folder(ground.fresh, tmp_path / str(number))
        os.link(ground.export, folder / "inbox" / "export.zip")
        process = start(folder, 0, "backup", "--add-account", read_apart=number % 2 == 1)
        try:
            process.wait((number + draw.random()) * usual_seconds / (ROUNDS // 2 + 1))
        except subprocess.TimeoutExpired:
            kill = os.killpg if whole_group else os.kill
            kill(process.pid, signal.SIGKILL)
            process.wait()
        wait_for_workers(folder)
        process.communicate()
        assert main(["--config", str(folder), "backup", "--add-account"]) == 0
        assert list((folder / "inbox").glob("*.zip")) == []
        check_nothing_half(folder)
        assert read_contents(folder) == ground.contents
