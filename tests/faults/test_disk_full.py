"""The disk fills up, while importing and while sealing: one sentence, exit 1, nothing half written; with
space again the same command completes, and nothing was lost.

On a small file system of its own where one can be mounted; and, as anybody may, with a limit on the size
of a file (setrlimit(2), RLIMIT_FSIZE), which fails at other places.
"""

import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.disk import PARTIAL_PREFIX
from tests.cli.runner import PROGRAM, Result, Runner
from tests.faults.folders import (
    Contents,
    check_nothing_half,
    copy_folder,
    make_folder,
    open_spool,
    read_contents,
    sample,
)
from tests.programs import NEEDS, PROJECT

MONTHS = 12


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("export") / "export.zip", months=MONTHS)


@pytest.fixture(scope="module")
def spooled(tmp_path_factory: pytest.TempPathFactory, export: Path) -> Path:
    """A folder whose spool holds the export."""
    folder = make_folder(tmp_path_factory.mktemp("spooled") / "v")
    assert run_limited(folder, resource.RLIM_INFINITY, "import", "--add-account", export).code == 0
    return folder


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory, spooled: Path) -> Contents:
    """What an undisturbed run gives."""
    folder = copy_folder(spooled, tmp_path_factory.mktemp("whole") / "v")
    assert run_limited(folder, resource.RLIM_INFINITY, "seal").code == 0
    return read_contents(folder)


def run_limited(folder: Path, file_bytes: int, *arguments: str | Path) -> Result:
    """A run that may make no file larger than that."""
    done = subprocess.run(
        [*PROGRAM, "--config", str(folder), *map(str, arguments)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes)),
        timeout=60,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def check_said(result: Result) -> None:
    """One clear sentence and what to do, nothing else."""
    assert result.code == 1, result
    lines = result.errors.splitlines()
    assert len(lines) == 2, result.errors
    assert lines[0].startswith("archiver: error: the disk is full while writing /"), result.errors
    assert lines[1].startswith("archiver: hint: free some space and run the same command again")


def check_nothing_visible(folder: Path) -> None:
    """No partial file is left, and no archive has come to be."""
    assert list(folder.rglob(f"{PARTIAL_PREFIX}*")) == []
    assert list((folder / "vault").rglob("manifest.json")) == []


@pytest.mark.parametrize("file_bytes", [20_000, 60_000, 150_000, 250_000])
def test_an_import_on_a_disk_that_fills_up_says_so_and_completes_later(
    run: Runner, tmp_path: Path, export: Path, contents: Contents, file_bytes: int
) -> None:
    folder = make_folder(tmp_path / "v")
    check_said(run_limited(folder, file_bytes, "import", "--add-account", export))
    check_nothing_visible(folder)
    assert run("--config", folder, "import", "--add-account", export).code == 0
    assert run("--config", folder, "seal").code == 0
    check_nothing_half(folder)
    assert read_contents(folder) == contents


@pytest.mark.parametrize("file_bytes", [2_000, 30_000, 100_000, 180_000])
def test_a_sealing_on_a_disk_that_fills_up_says_so_and_completes_later(
    run: Runner, tmp_path: Path, spooled: Path, contents: Contents, file_bytes: int
) -> None:
    folder = copy_folder(spooled, tmp_path / "v")
    check_said(run_limited(folder, file_bytes, "seal"))
    check_nothing_visible(folder)
    with open_spool(folder) as spool:
        assert not spool.is_empty()
    assert run("--config", folder, "verify").code == 0
    assert run("--config", folder, "seal").code == 0
    check_nothing_half(folder)
    assert read_contents(folder) == contents


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB; the test is skipped where this process may mount none."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(place)]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip(f"{NEEDS}the right to mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_file_system_without_space_is_told_at_every_stage_and_all_completes_with_space(
    run: Runner, tmp_path: Path, small_disk: Path, export: Path, contents: Contents
) -> None:
    folder, ballast = small_disk / "v", small_disk / "ballast"
    make_folder(folder)
    fill(ballast, leaving_bytes=200_000)
    check_said(run_limited(folder, resource.RLIM_INFINITY, "import", "--add-account", export))
    check_nothing_visible(folder)
    ballast.unlink()
    assert run("--config", folder, "import", "--add-account", export).code == 0
    for leaving_bytes in (0, 60_000, 200_000):
        fill(ballast, leaving_bytes=leaving_bytes)
        check_said(run_limited(folder, resource.RLIM_INFINITY, "seal"))
        check_nothing_visible(folder)
        ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert run("--config", folder, "seal").code == 0
    check_nothing_half(folder)
    assert read_contents(folder) == contents


def fill(path: Path, *, leaving_bytes: int) -> None:
    """Take all space but so much."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(0, file.tell() - leaving_bytes))
