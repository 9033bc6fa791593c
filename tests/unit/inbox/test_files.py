"""What counts as an export in the inbox, by its name and kind alone."""

import os
import socket
from pathlib import Path

import pytest

from archiver.errors import ArchiverError
from archiver.inbox.files import find_in_inbox, key_of, list_inbox, names_of


def test_the_inbox_is_searched_for_exports_by_name(tmp_path: Path) -> None:
    for name in ("b.zip", "a.ZIP", ".hidden.zip", "notes.txt", "c.zip.part", "d.zip.crdownload", "e.tmp"):
        (tmp_path / name).write_bytes(b"")
    for folder in ("done", "failed", "taken"):
        (tmp_path / folder).mkdir()
    assert find_in_inbox(tmp_path) == [tmp_path / "a.ZIP", tmp_path / "b.zip"]
    assert list_inbox(tmp_path).odd == ()


def test_an_inbox_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArchiverError, match="while reading it"):
        find_in_inbox(tmp_path / "absent")


def test_what_is_no_file_is_not_taken_and_named_with_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "link.zip").symlink_to(tmp_path / "elsewhere.zip")
    os.mkfifo(tmp_path / "pipe.zip")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.zip"))
        listing = list_inbox(tmp_path)
    assert listing.files == ()
    told = {one.path.name: one.what for one in listing.odd}
    assert sorted(told) == ["folder.zip", "link.zip", "pipe.zip", "socket.zip", "unpacked"]
    assert (
        told["unpacked"] == told["folder.zip"] == "a folder, where the ZIP file is wanted as X delivered it"
    )
    assert told["link.zip"].startswith("a symbolic link, which is not followed")
    assert told["pipe.zip"] == told["socket.zip"] == "no file"


@pytest.mark.skipif(os.geteuid() == 0, reason="needs an account that may not read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.zip").touch(mode=0o000)
    (odd,) = list_inbox(tmp_path).odd
    assert odd.what == "not readable for this program: chmod, chown"


def test_an_empty_file_beside_what_a_browser_has_so_far_comes_still(tmp_path: Path) -> None:
    for name in ("a.zip", "a.zip.part", "b.zip"):
        (tmp_path / name).touch()
    assert [(one.path.name, one.comes_still) for one in list_inbox(tmp_path).files] == [
        ("a.zip", True),
        ("b.zip", False),
    ]


@pytest.mark.parametrize(
    "name", [b"two\nlines.zip", b"\xff\xfe.zip", b"-rf.zip", b"caf\xc3\xa9.zip", b"a'b\".zip"]
)
def test_any_name_that_a_file_can_have_is_found_and_known_by_a_key_of_its_own(
    tmp_path: Path, name: bytes
) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(b"")
    (found,) = list_inbox(tmp_path).files
    assert found.path == path
    assert found.key.encode("latin-1") == name == key_of(path).encode("latin-1")
    shown = names_of([path])
    assert shown.encode("utf-8").isascii() or "é" in shown
    assert "\n" not in shown
