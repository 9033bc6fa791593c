"""The folder sink: modes, and what killed runs left."""

import fcntl
import os
import stat
from pathlib import Path

import pytest

from archiver.disk import TakenError
from archiver.evidence.sink import FolderSink
from tests.unit.evidence.sink.packs import write_all


def test_only_the_owner_can_read_a_pack(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with FolderSink(tmp_path / "p") as sink:
            write_all(sink)
    finally:
        os.umask(old)
    for path in [tmp_path / "p", *(tmp_path / "p").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    abandoned = tmp_path / ".partial-77-0123456789ab"
    live = tmp_path / ".partial-78-0123456789ab"
    mine = tmp_path / ".partial-mine"
    file = tmp_path / ".partial-79-0123456789ab"
    for folder in (abandoned, live, mine):
        (folder / "data").mkdir(parents=True)
        (folder / "data" / "x").write_bytes(b"x")
    file.write_bytes(b"x")
    (tmp_path / ".partial-80-0123456789ab").symlink_to(mine)
    descriptor = os.open(live, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with FolderSink(tmp_path / "p") as sink:
            sink.open("x").close()
    finally:
        os.close(descriptor)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(
        [live.name, mine.name, file.name, ".partial-80-0123456789ab", "p"]
    )
    assert (mine / "data" / "x").exists()


def test_a_pack_being_made_is_left_alone_by_another_one(tmp_path: Path) -> None:
    with FolderSink(tmp_path / "p") as sink:
        sink.open("x").close()
        with FolderSink(tmp_path / "q") as other:
            other.open("y").close()
    assert sorted(each.relative_to(tmp_path).as_posix() for each in tmp_path.rglob("*")) == [
        "p", "p/x", "q", "q/y",
    ]  # fmt: skip


def test_an_empty_folder_that_somebody_made_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    def write() -> None:
        with FolderSink(tmp_path / "p") as sink:
            sink.open("x").close()
            (tmp_path / "p").mkdir()

    with pytest.raises(TakenError):
        write()
    assert list(tmp_path.rglob("*")) == [tmp_path / "p"]
