"""Files moved out of the inbox: over no other file, to another file system too, the reason beside them."""

import errno
import os
from pathlib import Path

import pytest

from archiver.errors import ArchiverError, SourceError
from archiver.inbox import moving
from archiver.inbox.moving import REASON_SUFFIX, move_to_done, move_to_failed
from tests.programs import NEEDS

WHEN_MS = 1_793_000_000_000
CUT = SourceError("a.zip: cut off", "Download it again.")


def put(inbox: Path, name: str = "a.zip", data: bytes = b"one") -> Path:
    (inbox / name).write_bytes(data)
    return inbox / name


def test_a_file_goes_to_done_and_over_no_other(tmp_path: Path) -> None:
    for data, name in ((b"one", "a.zip"), (b"two", "a.2.zip"), (b"three", "a.3.zip")):
        assert move_to_done(tmp_path, put(tmp_path, data=data)) == tmp_path / "done" / name
        assert (tmp_path / "done" / name).read_bytes() == data
    assert [path.name for path in tmp_path.iterdir()] == ["done"]


def test_a_refused_file_lies_in_failed_with_the_reason_beside_it(tmp_path: Path) -> None:
    moved = move_to_failed(tmp_path, put(tmp_path), CUT, WHEN_MS)
    assert moved == tmp_path / "failed" / "a.zip"
    reason = moved.with_name("a.zip.reason.txt")
    assert reason.read_text() == (
        "This export was not taken: a.zip: cut off.\n"
        "What to do: Download it again.\n"
        "When: 2026-10-26T07:33:20.000Z.\n"
        "It is tried again once it is put back into the inbox, the folder above this one.\n"
    )
    assert reason.stat().st_mode & 0o077 == 0
    again = move_to_failed(tmp_path, put(tmp_path, data=b"two"), SourceError("other"), WHEN_MS)
    assert again.name == "a.2.zip"
    assert again.with_name("a.2.zip.reason.txt").read_text().startswith("This export was not taken: other.\n")
    assert "cut off" in reason.read_text()


def test_the_reason_of_an_earlier_refusal_goes_once_the_file_is_done(tmp_path: Path) -> None:
    failed = move_to_failed(tmp_path, put(tmp_path), CUT, WHEN_MS)
    failed.rename(tmp_path / "a.zip")
    move_to_done(tmp_path, tmp_path / "a.zip")
    assert list((tmp_path / "failed").iterdir()) == []
    failed = move_to_failed(tmp_path, put(tmp_path), CUT, WHEN_MS)
    move_to_done(tmp_path, put(tmp_path))
    assert len(list((tmp_path / "failed").iterdir())) == 2, "its file is there still"


@pytest.mark.parametrize(
    "name", [b"x" * 251 + b".zip", b"\xff\n\xc3.zip", "ü".encode() * 125 + b".zip", b"-a b.zip"]
)
def test_any_name_is_moved_also_where_it_cannot_grow(tmp_path: Path, name: bytes) -> None:
    for data in (b"one", b"two"):
        path = tmp_path / os.fsdecode(name)
        path.write_bytes(data)
        moved = move_to_failed(tmp_path, path, SourceError(f"bad {os.fsdecode(name)!r}\n"), WHEN_MS)
        assert moved.read_bytes() == data
        assert not path.exists()
    (tmp_path / os.fsdecode(name)).write_bytes(b"three")
    move_to_done(tmp_path, tmp_path / os.fsdecode(name))
    failed = [os.fsencode(path.name) for path in (tmp_path / "failed").iterdir()]
    reasons = [one for one in failed if one.endswith(REASON_SUFFIX.encode())]
    assert len(failed) == 4
    assert len(reasons) == 2


def test_a_file_that_a_kill_left_with_both_names_keeps_the_new_one(tmp_path: Path) -> None:
    path = put(tmp_path)
    (tmp_path / "done").mkdir()
    os.link(path, tmp_path / "done" / "a.zip")
    assert move_to_done(tmp_path, path) == tmp_path / "done" / "a.zip"
    assert not path.exists()
    assert [one.name for one in (tmp_path / "done").iterdir()] == ["a.zip"]


def test_a_file_of_somebody_else_that_comes_in_between_stays(tmp_path: Path) -> None:
    (tmp_path / "done").mkdir()
    put(tmp_path / "done", data=b"of somebody else")
    assert moving._move(put(tmp_path), tmp_path / "done", tmp_path / "done" / "a.zip").name == "a.2.zip"
    assert (tmp_path / "done" / "a.zip").read_bytes() == b"of somebody else"


def test_to_another_file_system_a_file_is_copied_and_compared_before_it_goes(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip(f"{NEEDS}a second file system in /dev/shm")
    elsewhere = memory / f"archiver-{os.getpid()}-{tmp_path.name}"
    elsewhere.mkdir()
    try:
        (tmp_path / "done").symlink_to(elsewhere)
        data = os.urandom(3_000_000)
        moved = move_to_done(tmp_path, put(tmp_path, data=data))
        assert (elsewhere / "a.zip").read_bytes() == data
        assert moved == tmp_path / "done" / "a.zip"
        assert not (tmp_path / "a.zip").exists()
        assert move_to_done(tmp_path, put(tmp_path)).name == "a.2.zip"
    finally:
        for path in elsewhere.iterdir():
            path.unlink()
        elsewhere.rmdir()


def test_a_file_that_may_not_be_linked_is_renamed_over_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    for name in ("a.zip", "a.2.zip"):
        assert moving._move(put(tmp_path), moving._folder(tmp_path / "done")).name == name
    assert [path.name for path in tmp_path.iterdir()] == ["done"]


def test_what_cannot_be_moved_is_told_and_stays(tmp_path: Path) -> None:
    (tmp_path / "done").write_bytes(b"a file, where the folder should be")
    path = put(tmp_path)
    with pytest.raises(ArchiverError, match="not a directory while moving"):
        move_to_done(tmp_path, path)
    assert path.read_bytes() == b"one"
