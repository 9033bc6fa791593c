"""`kill -9` while exports are moved out of the inbox, or are noted as taken: each is in one place at last, as
it was, and the next run goes on."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from archiver.disk import PARTIAL_PREFIX
from tests.faults.folders import SOAK, copy_folder, sample
from tests.faults.test_kill import LIMIT_SECONDS, places
from tests.programs import PROJECT
from tests.unit.inbox.boxes import Box

ROUNDS = 1_000 if SOAK else 5


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export that is sealed and not moved, and one that is refused."""
    base = tmp_path_factory.mktemp("ground")
    box = Box(base / "v")
    box.know_the_account()
    shutil.copy(sample(base / "old.zip"), box.inbox / "old.zip")
    box.by_hand()
    box.seal()
    (box.inbox / "refused.zip").write_bytes(b"no zip")
    then = 1_700_000_000
    os.utime(box.inbox / "refused.zip", (then, then))
    return base / "v"


def command(folder: Path, step: int) -> list[str]:
    """A `backup` of which the steps in the inbox are counted, commits, and files removed anywhere."""
    places = (str(folder / "inbox"), str(step), "--config", str(folder), "backup")
    return [sys.executable, "-m", "tests.faults.killed_run", *places]


def run(folder: Path, step: int) -> tuple[int, int]:
    """The exit code of a `backup` that is killed before a step, and how many steps there were."""
    done = subprocess.run(
        command(folder, step), cwd=PROJECT, capture_output=True, text=True, timeout=LIMIT_SECONDS
    )
    return done.returncode, 0 if done.returncode < 0 else int(done.stderr.rpartition("steps ")[2])


def check_in_one_place(folder: Path, old: bytes) -> None:
    inbox = folder / "inbox"
    found = [path for path in inbox.rglob("*.zip") if path.is_file()]
    assert sorted(path.name for path in found) == ["old.zip", "refused.zip"], found
    assert next(path for path in found if path.name == "old.zip").read_bytes() == old
    assert list(inbox.rglob(f"{PARTIAL_PREFIX}*")) == []


def test_a_run_killed_at_any_step_of_moving_leaves_each_export_in_one_place_at_last(
    ground: Path, tmp_path: Path
) -> None:
    old = (ground / "inbox" / "old.zip").read_bytes()
    code, steps = run(copy_folder(ground, tmp_path / "whole"), 0)
    assert code in (1, 3)
    for step in places("moving", steps, ROUNDS):
        folder = copy_folder(ground, tmp_path / str(step))
        code, _ = run(folder, step)
        assert code == -signal.SIGKILL
        for _ in range(2):
            done = subprocess.run(command(folder, 0), cwd=PROJECT, capture_output=True, timeout=LIMIT_SECONDS)
            assert done.returncode in (0, 1, 3), done.stderr
        check_in_one_place(folder, old)
        assert (folder / "inbox" / "done" / "old.zip").is_file()


def test_a_disk_that_is_full_at_any_step_of_moving_costs_nothing(ground: Path, tmp_path: Path) -> None:
    old = (ground / "inbox" / "old.zip").read_bytes()
    _, steps = run(copy_folder(ground, tmp_path / "whole"), 0)
    for step in places("full", steps, ROUNDS):
        folder = copy_folder(ground, tmp_path / str(step))
        failed = subprocess.run(
            command(folder, step), cwd=PROJECT, capture_output=True, timeout=LIMIT_SECONDS,
            env={**os.environ, "FAIL_INSTEAD": "1"}, text=True,
        )  # fmt: skip
        assert failed.returncode in (1, 3), failed.stderr
        assert "Traceback" not in failed.stderr
        assert run(folder, 0)[0] in (0, 1, 3)
        check_in_one_place(folder, old)
        assert (folder / "inbox" / "done" / "old.zip").is_file()
