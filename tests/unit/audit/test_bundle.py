"""An entry's tar: any program reads it, and only what we write is read."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.audit.bundle import MAXIMUM_BYTES, Bundle, pack, unpack
from archiver.errors import IntegrityError
from tests.programs import require_program

BUNDLE = Bundle(b"{}\n", b"signature", b"sealed" * 200)
PACKED = pack(BUNDLE, "00000007", 1_793_500_000)
NAME = "audit/records/00000007.tar"


def made_by_tarfile(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.USTAR_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for info, data in members:
            info.size = len(data) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def refused(data: bytes) -> str:
    with pytest.raises(IntegrityError) as caught:
        unpack(data, "00000007", NAME)
    assert NAME in caught.value.message
    return caught.value.message


def test_what_is_packed_is_unpacked() -> None:
    assert unpack(PACKED, "00000007", NAME) == BUNDLE


def test_tar_and_python_extract_three_files_by_their_names(tmp_path: Path) -> None:
    tar = require_program("tar")
    (tmp_path / "entry.tar").write_bytes(PACKED)
    subprocess.run([tar, "-xf", "entry.tar"], cwd=tmp_path, check=True)
    names = ["00000007.json", "00000007.json.sig", "00000007.json.age"]
    assert [(tmp_path / name).read_bytes() for name in names] == list(BUNDLE)
    with tarfile.open(fileobj=io.BytesIO(PACKED)) as opened:
        assert opened.getnames() == names
        assert {one.mtime for one in opened.getmembers()} == {1_793_500_000}


@pytest.mark.parametrize("place", range(0, len(PACKED), 37))
def test_a_byte_that_is_changed_outside_the_three_files_is_refused(place: int) -> None:
    changed = bytearray(PACKED)
    changed[place] ^= 1
    inside = (512 <= place < 515) or (1536 <= place < 1545) or (2560 <= place < 3760)
    if inside:
        assert unpack(bytes(changed), "00000007", NAME) != BUNDLE
    else:
        refused(bytes(changed))


def test_another_number_a_link_a_member_more_and_huge_sizes_are_refused() -> None:
    with pytest.raises(IntegrityError):
        unpack(PACKED, "00000008", NAME)
    files = [(tarfile.TarInfo(f"00000007{end}"), b"x") for end in (".json", ".json.sig", ".json.age")]
    assert refused(made_by_tarfile(*files))  # another program's modes and padding
    link = tarfile.TarInfo("00000007.json.sig")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    assert refused(made_by_tarfile(files[0], (link, b""), files[2]))
    climbing = tarfile.TarInfo("../../00000007.json")
    assert refused(made_by_tarfile((climbing, b"x"), files[1], files[2]))
    more = pack(BUNDLE, "00000007", 1_793_500_000)[:-1024] + PACKED
    assert refused(more)
    huge = bytearray(PACKED)
    huge[124:135] = b"77777777777"
    assert refused(bytes(huge))
    assert refused(PACKED[:-512])
    assert refused(PACKED + bytes(512))
    assert refused(bytes(MAXIMUM_BYTES + 512))


@given(st.binary(max_size=5000))
def test_any_bytes_are_refused_by_name(data: bytes) -> None:
    refused(data)
