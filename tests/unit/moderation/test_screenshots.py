"""A screenshot is a whole picture of a bearable size, whatever it is called."""

import struct
import zlib
from pathlib import Path

import pytest

from archiver.errors import ArchiverError, UsageError
from archiver.moderation.screenshots import check_screenshot, open_screenshot

MOST = 20 * 1024 * 1024


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\0"))
    + _chunk(b"IEND", b"")
)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0" + b"\0" * 40 + b"\xff\xd9"
GIF = b"GIF89a" + bytes.fromhex("01000100800000ffffff0000002c00000000010001000002024401003b")
WEBP = b"RIFF" + struct.pack("<I", 18) + b"WEBPVP8L" + b"\0" * 10
PICTURES = {"png": PNG, "jpeg": JPEG, "gif": GIF, "webp": WEBP}


def _write(folder: Path, data: bytes, name: str = "picture") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize("kind", PICTURES)
def test_each_kind_of_picture_is_known_by_its_bytes(tmp_path: Path, kind: str) -> None:
    found = check_screenshot(_write(tmp_path, PICTURES[kind], "evidence.txt"), MOST)
    assert found.media_type == f"image/{kind}"
    assert found.size == len(PICTURES[kind])
    with open_screenshot(found) as file:
        assert file.read() == PICTURES[kind]


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_that_breaks_off_is_refused(tmp_path: Path, kind: str) -> None:
    path = _write(tmp_path, PICTURES[kind][:-6])
    with pytest.raises(UsageError, match="breaks off"):
        check_screenshot(path, MOST)


@pytest.mark.parametrize("data", [b"<html>", b"%PDF-1.7", b"MZ\x90", b"\x00" * 100, b"RIFF1234WAVE", b"PNG"])
def test_an_image_that_is_not_one_is_refused(tmp_path: Path, data: bytes) -> None:
    path = _write(tmp_path, data, "picture.png")
    with pytest.raises(UsageError, match="is not a picture"):
        check_screenshot(path, MOST)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is empty"):
        check_screenshot(_write(tmp_path, b""), MOST)


def test_fifty_megabytes_are_too_many_unless_the_settings_say_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.write(PNG[:-12])
        file.truncate(50_000_000 - 12)
        file.seek(0, 2)
        file.write(PNG[-12:])
    with pytest.raises(UsageError) as raised:
        check_screenshot(path, MOST)
    assert "50,000,000 bytes" in raised.value.message
    assert "moderation.screenshot_mebibytes" in (raised.value.hint or "")
    assert check_screenshot(path, 64 * 1024 * 1024).size == 50_000_000


def test_a_folder_a_pipe_and_nothing_are_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a file"):
        check_screenshot(tmp_path, MOST)
    with pytest.raises(UsageError, match="is not a file"):
        check_screenshot(Path("/dev/zero"), MOST)
    with pytest.raises(ArchiverError, match="no such file"):
        check_screenshot(tmp_path / "missing.png", MOST)


def test_a_file_that_changes_between_look_and_use_is_refused(tmp_path: Path) -> None:
    found = check_screenshot(_write(tmp_path, PNG), MOST)
    found.path.write_bytes(PNG + b"more")
    with pytest.raises(UsageError, match="was changed meanwhile"):
        open_screenshot(found)
