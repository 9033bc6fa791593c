"""A pack is killed at every step, or the disk is full: nothing half-written has the pack's name, and what a
killed run left goes with the next one."""

import hashlib
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.disk import PARTIAL_PREFIX
from archiver.errors import ArchiverError
from archiver.evidence.sink import Sink, new_pack
from archiver.formats.age import X25519Identity
from tests.faults.pack_writer import MADE_MS
from tests.faults.test_disk_full import fill, small_disk
from tests.programs import PROJECT

__all__ = ["small_disk"]
KINDS = ["ABC_1", "ABC_1.zip", "ABC_1.zip.age"]
RECIPIENT = X25519Identity.generate().recipient()


def run_writer(path: Path, step: int) -> "subprocess.CompletedProcess[str]":
    recipients = [RECIPIENT.encode()] if path.suffix == ".age" else []
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.pack_writer", str(path), str(step), *recipients],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def check_whole(path: Path) -> None:
    if path.is_dir():
        assert len([each for each in path.rglob("*") if each.is_file()]) == 9
        assert (path / "data" / "report.html").stat().st_size == 400_000
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert len(archive.namelist()) == 9
    else:
        assert path.stat().st_size > 1_600_000


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_any_step_leaves_the_whole_pack_or_none_under_its_name(tmp_path: Path, kind: str) -> None:
    (tmp_path / "whole").mkdir()
    done = run_writer(tmp_path / "whole" / kind, 0)
    assert done.returncode == 0, done.stderr
    check_whole(tmp_path / "whole" / kind)
    steps = int(done.stdout)
    assert steps >= 5
    for step in range(1, steps + 1):
        place = tmp_path / f"{step}"
        place.mkdir()
        assert run_writer(place / kind, step).returncode == -9
        left = [each.name for each in place.iterdir() if each.name != kind]
        assert all(name.startswith(PARTIAL_PREFIX) for name in left)
        if (place / kind).exists():
            check_whole(place / kind)
            (place / kind).rename(place / "moved")
        with new_pack(place / "again" if kind == "ABC_1" else place / "again.zip", MADE_MS) as sink:
            sink.open("x").close()
        assert not [each.name for each in place.iterdir() if each.name.startswith(PARTIAL_PREFIX)]


def write_large(sink: Sink) -> None:
    """8 MB that do not shrink."""
    page = sink.open("data/report.html")
    for number in range(200):
        data = b"".join(hashlib.sha512(b"%d %d" % (number, each)).digest() for each in range(320))
        page.write(data)
        with sink.open(f"data/records/{number}.json") as file:
            file.write(data)
    page.close()


def make_pack(path: Path) -> None:
    with new_pack(path, MADE_MS, [RECIPIENT] if path.suffix == ".age" else ()) as sink:
        write_large(sink)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("leaving_bytes", [0, 60_000, 1_000_000])
def test_a_full_disk_is_told_and_leaves_nothing(small_disk: Path, kind: str, leaving_bytes: int) -> None:
    fill(small_disk / "ballast", leaving_bytes=leaving_bytes)
    with pytest.raises(ArchiverError, match=f"the disk is full while (writing|creating) .*{kind}"):
        make_pack(small_disk / kind)
    assert [each.name for each in small_disk.iterdir()] == ["ballast"]


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may become larger than 100,000 bytes, as on a disk with a quota."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("small_files")
def test_a_file_that_may_not_grow_is_told_and_leaves_nothing(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ArchiverError, match=f"the disk is full while writing .*{kind}"):
        make_pack(tmp_path / kind)
    assert list(tmp_path.iterdir()) == []
