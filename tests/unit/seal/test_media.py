"""Media packs: names that are harmless anywhere, offsets that lead to the bytes, several packs."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.errors import IntegrityError
from archiver.formats import age
from archiver.seal import media as media_packs
from archiver.seal.hashing import MeasuringWriter
from archiver.seal.media import member_name, seal_media
from archiver.spool import Spool
from archiver.stores.local import LocalStore

IDENTITY = age.X25519Identity.generate()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with closing(Spool(tmp_path / "spool", IDENTITY)) as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "store").mkdir()
    return LocalStore(tmp_path / "store")


def opened(store: LocalStore, pack: str) -> bytes:
    return age.decrypt([IDENTITY], store.read(f"archives/2026-01-01/{pack}", 1 << 30))


@pytest.mark.parametrize("name", ["a.png", "1234-Ab_c.jpg", "-a", "x" * 151])
def test_a_plain_name_is_kept(name: str) -> None:
    assert member_name("1001", name) == f"1001/{name}"


@pytest.mark.parametrize(
    "name", ["../a", "a/b", ".hidden", "", "a b", "ä.png", "a\0", "x" * 152, "\ud800", "a\n"]
)
def test_any_other_name_becomes_a_hash(name: str) -> None:
    folder, _, file = member_name("1001", name).partition("/")
    assert folder == "1001"
    assert len(file) == 64
    assert set(file) <= set("0123456789abcdef")
    assert member_name(name, "a.png").endswith("/a.png")
    assert member_name(name, "a.png").count("/") == 1


def test_every_file_lies_at_its_offset_and_tar_finds_it_too(spool: Spool, store: LocalStore) -> None:
    contents = {"a.png": b"a" * 700, "b.png": b"", "../c": b"c" * 512, "d.png": bytes(range(256)) * 5000}
    for name, content in contents.items():
        spool.add_media("1001", name, io.BytesIO(content))
    (pack,), places = seal_media("2026-01-01", spool.media(), spool, store, IDENTITY)
    plain = opened(store, pack.name)
    assert (pack.name, pack.kind, pack.plain_size) == ("media-000.tar.age", "media", len(plain))
    for name, content in contents.items():
        place = places["1001", name]
        assert plain[place.offset : place.offset + place.size] == content
        assert (place.archive, place.pack, place.missing) == ("2026-01-01", pack.name, None)
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        found = {member.name: tar.extractfile(member).read() for member in tar}
    assert found == {member_name("1001", name): content for name, content in contents.items()}


def test_a_full_pack_is_closed_and_the_next_begun(
    spool: Spool, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_packs, "PACK_BYTES", 1000)
    for number in range(5):
        spool.add_media("1001", f"{number}.png", io.BytesIO(bytes([number]) * 600))
    packs, places = seal_media("2026-01-01", spool.media(), spool, store, IDENTITY)
    assert [pack.name for pack in packs] == [f"media-{number:03d}.tar.age" for number in range(3)]
    for number in range(5):
        place = places["1001", f"{number}.png"]
        assert opened(store, place.pack)[place.offset : place.offset + 600] == bytes([number]) * 600


def test_without_media_there_is_no_pack(spool: Spool, store: LocalStore) -> None:
    assert seal_media("2026-01-01", [], spool, store, IDENTITY) == ([], {})
    assert list(store.list()) == []


def test_a_file_that_is_not_what_was_captured_is_not_sealed(spool: Spool, store: LocalStore) -> None:
    spool.add_media("1001", "a.png", io.BytesIO(b"captured"))
    (path,) = (spool.folder / "media").iterdir()
    path.write_bytes(age.encrypt([IDENTITY.recipient()], b"replaced"))
    with pytest.raises(IntegrityError, match=r"a\.png of the spool is not what was captured"):
        seal_media("2026-01-01", spool.media(), spool, store, IDENTITY)
    assert list(store.list()) == []


def test_writing_is_counted_and_hashed() -> None:
    target = io.BytesIO()
    writer = MeasuringWriter(target)
    assert writer.write(b"ab") == 2
    assert writer.write(memoryview(b"c")) == 1
    assert (target.getvalue(), writer.size) == (b"abc", 3)
    assert writer.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
