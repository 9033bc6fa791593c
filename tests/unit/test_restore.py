"""Restoring an archive: the very databases and pictures that were sealed, and nothing outside the folder."""

import io
import stat
import tarfile
import zipfile
from hashlib import sha256
from pathlib import Path

import apsw
import pytest

from archiver.archive.manifest import File
from archiver.errors import ArchiverError, IntegrityError, NoKeyError, UsageError
from archiver.formats import age
from archiver.keys import archive_key_name, seal_archive_key
from archiver.restore import restore_archive
from tests.homes import Home, make_home
from tests.made_vaults import VaultMaker, post

PACK = "media-000.tar.age"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("restore"))


def test_databases_and_media_are_restored_byte_for_byte(home: Home, tmp_path: Path) -> None:
    (archive,) = home.archives
    written = restore_archive(home.vault, archive, home.identities, tmp_path / "out")
    folder = tmp_path / "out" / archive.name
    assert sorted(written) == sorted(path for path in folder.rglob("*") if path.is_file())
    for file in archive.manifest.segments:
        data = (folder / file.name.removesuffix(".zst.age")).read_bytes()
        assert len(data) == file.plain_size
        with home.vault.open_segment(archive, file, home.identities) as segment:
            assert data == segment.frames.read_at(0, segment.frames.size)
        database = apsw.Connection(
            str(folder / file.name.removesuffix(".zst.age")), flags=apsw.SQLITE_OPEN_READONLY
        )
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        database.close()
    with zipfile.ZipFile(home.folder.parent / "sample.zip") as export:
        delivered = {sha256(export.read(name)).hexdigest() for name in export.namelist() if "_media/" in name}
    restored = [path for path in (folder / "media").rglob("*") if path.is_file()]
    assert {sha256(path.read_bytes()).hexdigest() for path in restored} == delivered
    assert len(restored) > 3
    for name in ("manifest.json", "manifest.json.sig"):
        assert (folder / name).read_bytes() == (
            home.folder / "vault/archives" / archive.name / name
        ).read_bytes()


def test_what_is_restored_is_private(home: Home, tmp_path: Path) -> None:
    (archive,) = home.archives
    restore_archive(home.vault, archive, home.identities, tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")} == {0o600, 0o700}


def test_progress_names_every_file(home: Home, tmp_path: Path) -> None:
    (archive,) = home.archives
    steps: list[tuple[str, int, int]] = []
    restore_archive(home.vault, archive, home.identities, tmp_path, lambda *step: steps.append(step))
    names = [file.name for file in archive.manifest.files]
    assert steps == [(name, number, len(names)) for number, name in enumerate(names)]


def test_an_existing_folder_is_refused_and_left_alone(home: Home, tmp_path: Path) -> None:
    (archive,) = home.archives
    (tmp_path / archive.name).mkdir()
    (tmp_path / archive.name / "ours").write_bytes(b"")
    with pytest.raises(UsageError, match="is there already"):
        restore_archive(home.vault, archive, home.identities, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == [archive.name, "ours"]


def test_without_the_key_not_even_a_folder_is_made(home: Home, tmp_path: Path) -> None:
    (archive,) = home.archives
    with pytest.raises(NoKeyError):
        restore_archive(home.vault, archive, [age.X25519Identity.generate()], tmp_path / "out")
    assert not (tmp_path / "out").exists()


# Archives that somebody made to do harm, or that were altered


def archive_of(tmp_path: Path, sealed: dict[str, bytes], identity: age.X25519Identity) -> VaultMaker:
    """A vault whose one archive holds these files, rightly signed."""
    maker = VaultMaker(tmp_path / "vault")
    name = "2026-01-01"
    files = []
    for file_name, data in sealed.items():
        maker.store.put_new(f"archives/{name}/{file_name}", data)
        kind = "media" if file_name.endswith(".tar.age") else "records"
        files.append(
            File(name=file_name, kind=kind, size=len(data), sha256=sha256(data).hexdigest(), plain_size=0)
        )
    maker.store.put_new(archive_key_name(name), seal_archive_key(identity, [maker.holder.recipient()]))
    maker.sign(name, maker.manifest(name, files, identity))
    return maker


def restore(maker: VaultMaker, target: Path) -> list[Path]:
    vault = maker.vault()
    return restore_archive(vault, vault.list_archives().archives[0], [maker.holder], target)


def pack_of(identity: age.X25519Identity, *members: tarfile.TarInfo) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size) if member.isreg() else None)
    return age.encrypt([identity.recipient()], plain.getvalue())


def member(
    name: str, kind: bytes = tarfile.REGTYPE, size: int = 5, target: str = "", pax_path: str | None = None
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    if pax_path is not None:
        info.pax_headers = {"path": pax_path}
    info.type, info.linkname = kind, target
    info.size = size if kind == tarfile.REGTYPE else 0
    return info


@pytest.mark.parametrize(
    "hostile",
    [
        member("../outside"),
        member("1001/../../outside"),
        member("/tmp/outside"),
        member("a", pax_path="a\0b"),
        member("."),
        member("1001/.."),
        member("link", tarfile.SYMTYPE, target="/etc/passwd"),
        member("link", tarfile.LNKTYPE, target="1001/first.png"),
        member("pipe", tarfile.FIFOTYPE),
        member("device", tarfile.CHRTYPE),
        member("folder", tarfile.DIRTYPE),
    ],
    ids=lambda one: f"{one.type!r} {one.name!r}",
)
def test_a_hostile_name_in_a_pack_is_refused_and_nothing_is_written_outside(
    tmp_path: Path, hostile: tarfile.TarInfo
) -> None:
    identity = age.X25519Identity.generate()
    sealed = pack_of(identity, member("1001/first.png"), hostile)
    maker = archive_of(tmp_path, {PACK: sealed}, identity)
    with pytest.raises(IntegrityError, match=rf"^archives/2026-01-01/{PACK} holds .* no plain file's name"):
        restore(maker, tmp_path / "out")
    written = [path for path in tmp_path.rglob("*") if path.is_file() and maker.folder not in path.parents]
    assert written == [tmp_path / "out/2026-01-01/media/1001/first.png"]


def test_a_name_twice_in_a_pack_overwrites_nothing(tmp_path: Path) -> None:
    identity = age.X25519Identity.generate()
    sealed = pack_of(identity, member("a.png", size=3), member("a.png", size=9))
    with pytest.raises(ArchiverError, match=r"a\.png is there already"):
        restore(archive_of(tmp_path, {PACK: sealed}, identity), tmp_path / "out")
    assert (tmp_path / "out/2026-01-01/media/a.png").read_bytes() == b"xxx"


def test_a_name_too_long_for_the_disk_is_an_error_that_names_it(tmp_path: Path) -> None:
    identity = age.X25519Identity.generate()
    sealed = pack_of(identity, member("a" * 300))
    with pytest.raises(ArchiverError, match="name too long"):
        restore(archive_of(tmp_path, {PACK: sealed}, identity), tmp_path / "out")


@pytest.mark.parametrize("name", [PACK, "records-000.sqlite.zst.age"])
@pytest.mark.parametrize("place", [0, 250, -1])
def test_altered_bytes_are_told_by_name_and_no_half_database_is_left(
    tmp_path: Path, name: str, place: int
) -> None:
    maker = VaultMaker(tmp_path / "vault")
    maker.add("2026-01-01", [post("1", "word")])
    identity = maker.vault().open_key(maker.vault().list_archives().archives[0], [maker.holder])
    segment = (maker.folder / "archives/2026-01-01/records-000.sqlite.zst.age").read_bytes()
    files = {"records-000.sqlite.zst.age": segment, PACK: pack_of(identity, member("a.png"))}
    other = archive_of(tmp_path / "other", files, identity)
    path = other.folder / "archives/2026-01-01" / name
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(ArchiverError, match=name):
        restore(other, tmp_path / "out")
    left = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert [path.name for path in left] in ([], ["records-000.sqlite"], ["records-000.sqlite", "a.png"])
    if name != PACK:
        assert left == []


def test_a_segment_altered_but_rightly_encrypted_is_not_left_behind(tmp_path: Path) -> None:
    identity = age.X25519Identity.generate()
    sealed = age.encrypt([identity.recipient()], b"these are no frames")
    maker = archive_of(tmp_path, {"records-000.sqlite.zst.age": sealed}, identity)
    with pytest.raises(IntegrityError, match=r"^archives/2026-01-01/records-000"):
        restore(maker, tmp_path / "out")
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []
