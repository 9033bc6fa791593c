"""Whether a file is whole: its end, and who has it open."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from archiver.inbox.files import list_inbox
from archiver.inbox.whole import ends_as_zip, find_writers


def make_zip(path: Path, comment: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.txt", b"x" * 70_000)
        archive.comment = comment
    return path


@pytest.mark.parametrize("comment", [b"", b"a comment", b"PK\x05\x06", b"y" * 65_535])
def test_a_whole_zip_file_is_known_by_its_end(tmp_path: Path, comment: bytes) -> None:
    assert ends_as_zip(make_zip(tmp_path / "a.zip", comment))


def test_a_zip_file_is_not_whole_before_its_last_byte(tmp_path: Path) -> None:
    data = make_zip(tmp_path / "whole.zip", b"comment").read_bytes()
    cut = tmp_path / "cut.zip"
    for length in (0, 1, 22, 1_000, len(data) - 40, len(data) - 8, len(data) - 1):
        cut.write_bytes(data[:length])
        assert not ends_as_zip(cut), length
    cut.write_bytes(data + b"more")
    assert not ends_as_zip(cut)
    cut.write_bytes(bytes(len(data)))  # the space is there already, the bytes are not
    assert not ends_as_zip(cut)


def test_an_end_whose_directory_cannot_be_there_is_none(tmp_path: Path) -> None:
    data = make_zip(tmp_path / "whole.zip").read_bytes()
    (tmp_path / "end.zip").write_bytes(data[-22:])
    assert not ends_as_zip(tmp_path / "end.zip")


def test_an_empty_zip_file_and_one_with_zip64_records_are_whole(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert ends_as_zip(tmp_path / "empty.zip")
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(65_536):  # one more than the old end record can count
            archive.writestr(zipfile.ZipInfo(f"{number}"), b"")
    assert ends_as_zip(tmp_path / "many.zip")


def test_what_cannot_be_read_or_is_a_link_is_not_whole(tmp_path: Path) -> None:
    whole = make_zip(tmp_path / "whole.zip")
    (tmp_path / "link.zip").symlink_to(whole)
    assert not ends_as_zip(tmp_path / "link.zip")
    assert not ends_as_zip(tmp_path / "absent.zip")
    assert not ends_as_zip(tmp_path)


def test_a_file_that_another_process_writes_is_seen_and_one_that_it_reads_is_not(tmp_path: Path) -> None:
    for name in ("written.zip", "read.zip", "appended\n.zip", "nobody.zip"):
        (tmp_path / name).write_bytes(b"x")
    script = (
        "import sys; at = sys.argv[1]; files = [open(at + '/written.zip', 'r+b'),"
        " open(at + '/read.zip', 'rb'), open(at + '/appended\\n.zip', 'ab')];"
        " print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        found = find_writers(list_inbox(tmp_path).files)
        assert found == {"written.zip": process.pid, "appended\n.zip": process.pid}
        process.communicate("")
    assert find_writers(list_inbox(tmp_path).files) == {}
