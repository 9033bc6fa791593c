"""Settings that cannot be read: exit 2 with one sentence, nothing done; and the next run reads them anew."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.runner import Runner, start_process
from tests.faults.folders import make_folder
from tests.programs import PROJECT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "v")


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)))


def vanished(path: Path) -> None:
    path.unlink()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def half_written(path: Path) -> None:
    path.write_bytes(path.read_bytes().partition(b'signing_key = "')[0] + b'signing_key = "')


def empty_line_cut(path: Path) -> None:
    path.write_bytes(b"[collector")


def huge(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(64 * 1024 * 1024)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (directory, "there is no settings file"),
        (binary, "is not UTF-8 text"),
        (vanished, "there is no settings file"),
        (pipe, "is no file that can be read"),
        (dangling, "is no file that can be read"),
        (half_written, "is not TOML"),
        (empty_line_cut, "is not TOML"),
        (huge, "it holds no settings"),
    ],
)
def test_each_harm_is_told_in_a_sentence_and_nothing_is_done(
    run: Runner, folder: Path, harm: Callable[[Path], None], said: str
) -> None:
    path = folder / "archiver.toml"
    whole = path.read_bytes()
    harm(path)
    for command in (("backup",), ("seal",), ("status",), ("schedule", "cron")):
        error = run.fails(2, "--config", path, *command)
        assert said in error
        assert len(error.splitlines()) <= 2
    assert not (folder / "state.sqlite").exists()
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.write_bytes(whole)
    assert run("--config", path, "backup").code == 0


AS_NOBODY = """
import os, sys
from archiver.cli import main
main(["--config", sys.argv[1], "status"])  # whatever is imported is imported while that may be read
sys.stdout.flush()
os.ftruncate(1, 0), os.ftruncate(2, 0)
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
sys.exit(main(["--config", sys.argv[1], "status"]))
"""


@pytest.mark.parametrize("closed", ["file", "folder"])
def test_settings_that_may_not_be_read_are_told_with_what_to_look_at(closed: str) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as base:
        Path(base).chmod(0o755)
        folder = make_folder(Path(base) / "v")
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        for path in folder.rglob("*signing_key"):
            path.chmod(0o600)
        (folder / "collector" / "spool.identity").chmod(0o600)
        path = folder / "archiver.toml" if closed == "file" else folder
        path.chmod(0)
        results, errors = Path(base) / "results", Path(base) / "errors"
        with results.open("a") as output, errors.open("a") as told:
            done = subprocess.run(
                [sys.executable, "-c", AS_NOBODY, str(folder / "archiver.toml")], cwd=PROJECT,
                stdin=subprocess.DEVNULL, stdout=output, stderr=told, timeout=60,
            )  # fmt: skip
        path.chmod(0o755)
        assert done.returncode == 2, errors.read_text()
        assert "permission denied while reading it" in errors.read_text()
        assert "check who owns it and its mode" in errors.read_text()


REWRITING = """
import sys, time
from pathlib import Path
path = Path(sys.argv[1])
whole = path.read_bytes()
while True:
    with path.open("r+b", buffering=0) as file:
        file.truncate(0)
        for start in range(0, len(whole), 97):
            file.write(whole[start : start + 97])
            time.sleep(0.001)
"""


def test_settings_that_are_written_while_runs_read_them_are_old_or_new_or_refused(
    run: Runner, folder: Path, tmp_path: Path
) -> None:
    """By an editor that writes over the file, without care: a run that meets half of it does nothing."""
    path = folder / "archiver.toml"
    whole = path.read_bytes()
    with subprocess.Popen([sys.executable, "-c", REWRITING, str(path)]) as writer:
        codes = {run("--config", path, "config", "check").code for _ in range(60)}
        for _ in range(3000):  # until it has begun to write, and was met at it
            if 2 in codes:
                break
            codes.add(run("--config", path, "config", "check").code)
        writer.kill()
    path.write_bytes(whole)
    assert codes <= {0, 2}
    assert 2 in codes
    assert run("--config", path, "backup").code == 0


def test_a_run_keeps_to_the_settings_that_it_began_with_when_they_vanish(
    folder: Path, tmp_path: Path
) -> None:
    """They are read once; what a later run reads is what is there then."""
    process = start_process("--config", folder, "backup")
    while not (folder / "state.sqlite").exists():
        assert process.poll() is None, process.communicate()
    shutil.move(folder / "archiver.toml", tmp_path / "kept.toml")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
