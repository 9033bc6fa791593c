import hashlib
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.errors import SourceError
from archiver.sources.x_export.ahead import BLOCK_BYTES, MemberBody
from archiver.sources.x_export.limits import Limits
from archiver.sources.x_export.media import open_member
from archiver.sources.x_export.zip_file import BrokenMemberError, ZipArchive
from tests.unit.sources.x_export.builder import write_zip

BODY = b"".join(b"line %d of a long file\n" % number for number in range(800_000))
"""About 20 MB, so that it takes several blocks and threads."""


def opened(path: Path, limits: Limits | None = None) -> ZipArchive:
    return ZipArchive.open(path, limits or Limits())


def refusal(path: Path, limits: Limits | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        opened(path, limits)
    assert caught.value.message.startswith(path.name)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_comes_out_as_it_went_in(tmp_path: Path, method: int) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("data/a.js", BODY)
        archive.writestr("data/empty.js", b"")
    with opened(path) as found:
        for name, whole in (("data/a.js", BODY), ("data/empty.js", b"")):
            member = found.members[name]
            assert b"".join(found.blocks(member)) == whole
            body = MemberBody(found, member)
            assert b"".join(body) == whole
            assert (body.sha256, body.size) == (hashlib.sha256(whole).hexdigest(), len(whole))
        assert found.digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_blocks_are_bounded(tmp_path: Path) -> None:
    with opened(write_zip(tmp_path / "x.zip", {"a": BODY})) as found:
        assert max(map(len, MemberBody(found, found.members["a"]))) <= BLOCK_BYTES


def test_a_body_that_is_left_unread_leaves_no_thread(tmp_path: Path) -> None:
    import threading

    with opened(write_zip(tmp_path / "x.zip", {"a": BODY})) as found:
        blocks = iter(MemberBody(found, found.members["a"]))
        next(blocks)
        assert any(thread.name == "export" for thread in threading.enumerate())
        blocks.close()
        assert not any(thread.name == "export" for thread in threading.enumerate())


def test_a_media_stream_reads_in_pieces_and_to_its_end(tmp_path: Path) -> None:
    with opened(write_zip(tmp_path / "x.zip", {"a": BODY})) as found:
        stream = open_member(found, found.members["a"])
        assert stream.read(10) == BODY[:10]
        assert stream.read() == BODY[10:]
        assert stream.read(1) == b""


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    for body in (b"", b"PK", b"a picture", b"PK\x05\x06"):
        path.write_bytes(body)
        assert "not a ZIP file" in refusal(path).message


def test_a_zip_cut_off_is_refused_as_such(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"a": BODY})
    path.write_bytes(path.read_bytes()[:-40])
    assert "cut off" in refusal(path).message


def test_a_folder_and_an_absent_file_are_refused(tmp_path: Path) -> None:
    assert "a folder" in refusal(tmp_path).message
    with pytest.raises(SourceError, match="cannot be opened"):
        opened(tmp_path / "none.zip")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("/etc/passwd", "absolute"),
        ("C:/data/a.js", "absolute"),
        ("data/../../a", "leads out"),
        ("..", "leads out"),
        ("data\\a.js", "backslash"),
        ("data/a\x00.js", "control character"),
        ("data/a\n.js", "control character"),
        ("data//a.js", "empty part"),
        ("data/./a.js", "empty part"),
    ],
)
def test_a_name_no_honest_export_has_is_refused(tmp_path: Path, name: str, what: str) -> None:
    path = tmp_path / "x.zip"
    stand_in = "N" * len(name)
    write_zip(path, {stand_in: b"x"})
    path.write_bytes(path.read_bytes().replace(stand_in.encode(), name.encode()))
    assert what in refusal(path).message


def test_a_symbolic_link_and_a_device_are_refused(tmp_path: Path) -> None:
    for mode, what in ((0o120777, "symbolic link"), (0o020666, "neither a file nor a folder")):
        info = zipfile.ZipInfo("data/a.js")
        info.external_attr = mode << 16
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            archive.writestr(info, "target")
        assert what in refusal(tmp_path / "x.zip").message


def directory_entry(path: Path, change: Callable[[bytearray, int], None]) -> None:
    """Change the first entry of the ZIP's directory in place."""
    body = bytearray(path.read_bytes())
    change(body, body.index(b"PK\x01\x02"))
    path.write_bytes(bytes(body))


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"data/a.js": b"x"})

    def encrypt(body: bytearray, at: int) -> None:
        body[at + 8] |= 1

    directory_entry(path, encrypt)
    assert "is encrypted" in refusal(path).message


def test_a_method_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("data/a.js", "x")
    assert "compressed with method 14" in refusal(tmp_path / "x.zip").message


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_in_it_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("data/a.js", "x")
        archive.writestr("data/a.js", "y")
    assert "twice" in refusal(tmp_path / "x.zip").message


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"data/a.js": b"x" * 500, "data/b.js": b"x" * 500})
    body = bytearray(path.read_bytes())
    second = body.rindex(b"PK\x01\x02")
    body[second + 42 : second + 46] = struct.pack("<I", 10)
    path.write_bytes(bytes(body))
    assert "shares its bytes" in refusal(path).message


def test_sizes_ratios_and_numbers_past_a_limit_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"data/a.js": b"\0" * 1_000_000, "data/b.js": b"x"})
    assert "limit is 999,999" in refusal(path, Limits(member_bytes=999_999)).message
    assert "limit is 1,000,000" in refusal(path, Limits(total_bytes=1_000_000)).message
    assert "more than 100 times" in refusal(path, Limits(ratio=100, ratio_from_bytes=1000)).message
    assert "names 2 members" in refusal(path, Limits(members=1)).message
    assert "bytes, more than the limit" in refusal(path, Limits(directory_bytes=10)).message
    opened(path, Limits(members=2, member_bytes=1_000_000, total_bytes=1_000_001)).close()


@pytest.mark.parametrize("whole", [1_000_000, 20_000_000])
def test_a_member_that_inflates_past_what_it_states_is_refused_while_inflating(
    tmp_path: Path, whole: int
) -> None:
    path = write_zip(tmp_path / "x.zip", {"data/a.js": b"\0" * whole})

    def understate(body: bytearray, at: int) -> None:
        body[at + 24 : at + 28] = struct.pack("<I", 500_000)

    directory_entry(path, understate)
    with opened(path) as found:
        member = found.members["data/a.js"]
        for blocks in (found.blocks(member), iter(MemberBody(found, member))):
            with pytest.raises(SourceError, match="inflates past the 500,000 bytes it states") as caught:
                for _ in blocks:
                    pass
            assert not isinstance(caught.value, BrokenMemberError)


def flip_in_data(path: Path, name: str) -> None:
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(name)
    body = bytearray(path.read_bytes())
    body[info.header_offset + 30 + len(name) + info.compress_size // 2] ^= 0x55
    path.write_bytes(bytes(body))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("lines", [1_000, 800_000])
def test_a_damaged_member_is_told(tmp_path: Path, method: int, lines: int) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a", BODY[: lines * 20])
    flip_in_data(path, "a")
    with opened(path) as found:
        for blocks in (found.blocks(found.members["a"]), iter(MemberBody(found, found.members["a"]))):
            with pytest.raises(BrokenMemberError):
                for _ in blocks:
                    pass


def test_deflated_data_that_ends_early_or_goes_on_is_told(tmp_path: Path) -> None:
    whole = zlib.compress(BODY[:100_000], 6)[2:-4]
    for packed, what in ((whole[:-10], "cut off"), (whole + b"more", "bytes follow")):
        path = write_zip(tmp_path / "x.zip", {"a": BODY[:100_000]})
        name = b"a"
        local = struct.pack(
            "<4s5H3I2H",
            b"PK\x03\x04",
            20,
            0,
            8,
            0,
            33,
            zlib.crc32(BODY[:100_000]),
            len(packed),
            100_000,
            1,
            0,
        )
        central = struct.pack(
            "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 8, 0, 33,
            zlib.crc32(BODY[:100_000]), len(packed), 100_000, 1, 0, 0, 0, 0, 0, 0,
        )  # fmt: skip
        start = len(local) + 1 + len(packed)
        end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(central) + 1, start, 0)
        path.write_bytes(local + name + packed + central + name + end)
        with opened(path) as found, pytest.raises(BrokenMemberError, match=what):
            b"".join(found.blocks(found.members["a"]))


def test_a_local_header_that_is_none_is_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"a": b"x"})
    path.write_bytes(path.read_bytes().replace(b"PK\x03\x04", b"XX\x03\x04"))
    with opened(path) as found, pytest.raises(BrokenMemberError, match="own header is missing"):
        b"".join(found.blocks(found.members["a"]))


def test_a_zip64_export_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a", "w", force_zip64=True) as member,
    ):
        member.write(BODY)
    with opened(path) as found:
        assert b"".join(found.blocks(found.members["a"])) == BODY
