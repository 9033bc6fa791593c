"""Whatever happens to a file of a store shows in what the file system says of it."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.jobs.near import stat_of_file, stat_of_store

FILE = "archives/2026-11-01/records-000.sqlite.zst.age"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("vault.json", "allowed_signers", FILE, "archives/2026-11-01/manifest.json", "audit/a/1.tar"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    time.sleep(0.02)  # a kernel's clock for files ticks every 4 ms, some every 10
    return tmp_path


def rewrite(path: Path) -> None:
    path.write_bytes(path.read_bytes())


def rewrite_and_set_time_back(path: Path) -> None:
    found = path.stat()
    rewrite(path)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def replace_with_a_copy(path: Path) -> None:
    found = path.stat()
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    os.utime(copy, ns=(found.st_atime_ns, found.st_mtime_ns))
    copy.replace(path)


ACTS = [rewrite, rewrite_and_set_time_back, replace_with_a_copy, Path.unlink]


@pytest.mark.parametrize("act", ACTS)
def test_anything_done_to_a_file_shows(root: Path, act: Callable[[Path], object]) -> None:
    before = stat_of_store(root)
    assert stat_of_store(root) == before
    act(root / FILE)
    assert stat_of_store(root) != before


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", ["vault.json", "allowed_signers"])
def test_anything_done_to_what_makes_it_a_vault_shows(
    root: Path, name: str, act: Callable[[Path], object]
) -> None:
    before = stat_of_store(root)
    act(root / name)
    assert stat_of_store(root) != before


def test_a_new_file_and_a_new_folder_show_and_the_log_does_not(root: Path) -> None:
    before = stat_of_store(root)
    (root / "audit" / "a" / "2.tar").write_bytes(b"more")
    assert stat_of_store(root) == before
    (root / "archives" / "2026-11-01" / "more").write_bytes(b"")
    one = stat_of_store(root)
    (root / "archives" / "2026-12-01").mkdir()
    assert len({before, one, stat_of_store(root)}) == 3


def test_a_folder_that_is_not_there_or_is_none_can_be_asked_for(root: Path) -> None:
    found = {stat_of_store(root / "nowhere"), stat_of_store(root / "vault.json"), stat_of_store(root)}
    assert len(found) == 3


def test_the_stat_of_a_file_tells_another_size_and_time(root: Path) -> None:
    path = root / FILE
    before = stat_of_file(path)
    os.utime(path, ns=(1, 1))
    assert stat_of_file(path) != before
    assert stat_of_file(root / "nowhere") == "absent"
