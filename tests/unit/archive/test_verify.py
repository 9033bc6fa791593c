"""A sealed file is right to its last byte, or it is said what is wrong with it."""

import io
import tarfile
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from archiver.archive.manifest import File
from archiver.archive.read import SegmentReader
from archiver.archive.verify import HashingReader, verify_bytes, verify_file, verify_said
from archiver.errors import IntegrityError, repair_hint
from archiver.formats import age
from archiver.keys import Identity
from archiver.stores.base import Inspection, NotInStoreError
from archiver.vault import Archive
from tests.made_vaults import VaultMaker, message, post

ARCHIVE = "2026-01-01"
SEGMENT = "records-000.sqlite.zst.age"
HINT = repair_hint(ARCHIVE)


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    maker = VaultMaker(tmp_path / "vault")
    maker.add(ARCHIVE, [post(str(n), f"text {n}", n) for n in range(50)] + [message("1", "word")])
    return maker


def opened(maker: VaultMaker) -> tuple[Archive, File, Identity]:
    vault = maker.vault()
    (archive,) = vault.list_archives().require_sound()
    return archive, archive.manifest.files[0], vault.open_key(archive, [maker.holder])


def replace(maker: VaultMaker, name: str, data: bytes) -> Path:
    path = maker.folder / "archives" / ARCHIVE / name
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    return path


def described(name: str, data: bytes, plain_size: int) -> File:
    return File(
        name=name, kind="media", size=len(data), sha256=sha256(data).hexdigest(), plain_size=plain_size
    )


def test_a_file_as_it_was_sealed_passes_both_checks(maker: VaultMaker) -> None:
    archive, file, identity = opened(maker)
    verify_bytes(maker.store, archive.name, file)
    verify_file(maker.store, archive.name, file, identity)


@pytest.mark.parametrize("place", [0, 10, 199, 220, 300, 5000, -20, -1])
def test_an_altered_byte_anywhere_is_found_with_and_without_the_key(maker: VaultMaker, place: int) -> None:
    archive, file, identity = opened(maker)
    data = bytearray((maker.folder / "archives" / ARCHIVE / SEGMENT).read_bytes())
    data[place] ^= 1
    replace(maker, SEGMENT, bytes(data))
    with pytest.raises(IntegrityError, match=f"^archives/{ARCHIVE}/{SEGMENT}") as caught:
        verify_bytes(maker.store, archive.name, file)
    assert caught.value.hint == HINT
    with pytest.raises(IntegrityError, match=f"^archives/{ARCHIVE}/{SEGMENT}") as caught:
        verify_file(maker.store, archive.name, file, identity)
    assert caught.value.hint == HINT


@pytest.mark.parametrize("cut", [0, 50, 250, 4_000, -1])
def test_a_cut_file_is_found_by_its_size(maker: VaultMaker, cut: int) -> None:
    archive, file, identity = opened(maker)
    data = (maker.folder / "archives" / ARCHIVE / SEGMENT).read_bytes()[:cut]
    replace(maker, SEGMENT, data)
    with pytest.raises(IntegrityError, match=f"has {len(data):,} bytes, its manifest says {file.size:,}"):
        verify_bytes(maker.store, archive.name, file)
    with pytest.raises(IntegrityError):
        verify_file(maker.store, archive.name, file, identity)


def test_a_missing_file_is_named(maker: VaultMaker) -> None:
    archive, file, identity = opened(maker)
    (maker.folder / "archives" / ARCHIVE / SEGMENT).unlink()
    with pytest.raises(NotInStoreError, match=SEGMENT):
        verify_bytes(maker.store, archive.name, file)
    with pytest.raises(NotInStoreError, match=SEGMENT):
        verify_file(maker.store, archive.name, file, identity)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"plain_size": 77}, "its manifest says 77"),
        ({"records": {"post": 51, "message": 1}}, "has 50 rows in post, its manifest says 51"),
        ({"records": {"no_such_table": 1}}, "no such table"),
        ({"sha256": "0" * 64}, "was altered: its SHA-256 is not the manifest's"),
    ],
)
def test_what_the_manifest_says_of_a_segment_must_be_so(
    maker: VaultMaker, fields: dict[str, object], message: str
) -> None:
    archive, file, identity = opened(maker)
    said = msgspec.structs.replace(file, **fields)
    with pytest.raises(IntegrityError, match=message):
        verify_file(maker.store, archive.name, said, identity)


def test_a_file_sealed_to_another_key_is_found(maker: VaultMaker) -> None:
    archive, file, _ = opened(maker)
    with pytest.raises(IntegrityError, match="does not open it"):
        verify_file(maker.store, archive.name, file, age.X25519Identity.generate())
    with pytest.raises(IntegrityError, match="does not open it"):
        SegmentReader(maker.store, archive.path(file), age.X25519Identity.generate())


def test_rightly_encrypted_bytes_that_are_no_segment_are_found(maker: VaultMaker) -> None:
    archive, file, identity = opened(maker)
    data = age.encrypt([identity.recipient()], b"no frames" * 1000)
    replace(maker, SEGMENT, data)
    said = msgspec.structs.replace(file, size=len(data), sha256=sha256(data).hexdigest())
    verify_bytes(maker.store, archive.name, said)
    with pytest.raises(IntegrityError, match=SEGMENT):
        verify_file(maker.store, archive.name, said, identity)
    with pytest.raises(IntegrityError, match=SEGMENT):
        SegmentReader(maker.store, archive.path(said), identity)


def pack(identity: Identity, cut: int | None = None) -> tuple[bytes, int]:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name in ("a.png", "b.png"):
            member = tarfile.TarInfo(name)
            member.size = 3000
            tar.addfile(member, io.BytesIO(b"x" * 3000))
    data = plain.getvalue()[:cut]
    return age.encrypt([identity.recipient()], data), len(data)


def test_a_pack_is_read_to_its_end(maker: VaultMaker) -> None:
    archive, _, identity = opened(maker)
    data, size = pack(identity)
    replace(maker, "media-000.tar.age", data)
    verify_file(maker.store, archive.name, described("media-000.tar.age", data, size), identity)
    with pytest.raises(IntegrityError, match=f"holds {size:,} bytes, its manifest says {size + 1:,}"):
        verify_file(maker.store, archive.name, described("media-000.tar.age", data, size + 1), identity)


def test_a_pack_whose_tar_breaks_off_is_found(maker: VaultMaker) -> None:
    archive, _, identity = opened(maker)
    data, size = pack(identity, cut=2000)
    replace(maker, "media-000.tar.age", data)
    with pytest.raises(IntegrityError, match=r"media-000\.tar\.age"):
        verify_file(maker.store, archive.name, described("media-000.tar.age", data, size), identity)


def test_hashing_covers_the_whole_file_however_it_was_read(maker: VaultMaker) -> None:
    archive, file, _ = opened(maker)
    with maker.store.open_random(archive.path(file)) as stored:
        reader = HashingReader(stored)
        assert reader.readable()
        assert len(reader.read(7)) == 7
        assert len(reader.read()) == file.size - 7
        assert reader.read(5) == b""
        assert reader.finish() == (file.size, file.sha256)


def test_what_a_store_says_of_a_file_is_held_against_the_manifest(maker: VaultMaker) -> None:
    archive, file, _ = opened(maker)
    verify_said(archive.name, file, Inspection(file.size, file.sha256))
    verify_said(archive.name, file, Inspection(file.size))
    with pytest.raises(IntegrityError, match="its SHA-256 is not the manifest's"):
        verify_said(archive.name, file, Inspection(file.size, "0" * 64))
    with pytest.raises(IntegrityError, match=f"has {file.size + 1:,} bytes"):
        verify_said(archive.name, file, Inspection(file.size + 1, file.sha256))
