"""What was sealed anew is searched before it counts: every column, every verbatim byte, every file."""

from hashlib import sha256
from pathlib import Path

import apsw
import pytest

from archiver.archive.manifest import File
from archiver.cutting.needles import Needles
from archiver.formats import age
from archiver.formats.seekable_zstd import SeekableWriter
from archiver.reseal.searching import LeftoverError, require_gone, require_gone_from
from tests.made_vaults import VaultMaker, message, post

ID = "1588091220244369409"
TEXT = "the very words that had to go"
NAME = "2026-10-01"


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    return VaultMaker(tmp_path / "vault")


def search(maker: VaultMaker, needles: Needles, file: File | None = None) -> None:
    (archive,) = maker.vault().list_archives().require_sound()
    identity = maker.vault().open_key(archive, [maker.holder])
    require_gone(maker.store, NAME, archive.manifest.files[0] if file is None else file, identity, needles)


def put_beside(maker: VaultMaker, name: str, plain: bytes, *, compressed: bool) -> File:
    """One more file of the archive, sealed to its key."""
    (archive,) = maker.vault().list_archives().require_sound()
    identity = maker.vault().open_key(archive, [maker.holder])
    with (
        maker.store.create(f"archives/{NAME}/{name}") as file,
        age.encrypt_stream([identity.recipient()], file) as sealed,
    ):
        if compressed:
            with SeekableWriter(sealed) as frames:
                frames.write(plain)
        else:
            sealed.write(plain)
    data = (maker.folder / "archives" / NAME / name).read_bytes()
    kind = "records" if compressed else "media"
    return File(name=name, kind=kind, size=len(data), sha256=sha256(data).hexdigest(), plain_size=len(plain))


def test_a_segment_without_anything_of_it_passes(maker: VaultMaker) -> None:
    maker.add(NAME, [post("501", "something else", 1), message("502", "and a message", 2)])
    search(maker, Needles([ID], [TEXT]))
    search(maker, Needles([], []))


@pytest.mark.parametrize(
    "left",
    [
        post("501", f"he said: {TEXT}", 1),
        post("501", "a reply", 1, in_reply_to_id=ID),
        message("501", f"did you see {ID}?", 1),
    ],
)
def test_what_a_row_has_of_it_is_found_and_not_said(maker: VaultMaker, left: object) -> None:
    maker.add(NAME, [post("500", "something else", 0), left])
    with pytest.raises(LeftoverError) as raised:
        search(maker, Needles([ID], [TEXT]))
    said = raised.value.message
    assert f"archives/{NAME}/records-000.sqlite.zst.age: something" in said
    assert TEXT not in said
    assert ID not in said


def test_a_record_that_says_the_same_words_itself_may_stay(maker: VaultMaker) -> None:
    maker.add(NAME, [post("501", TEXT, 1), post("502", "another", 2)])
    search(maker, Needles([ID], [TEXT]))
    with pytest.raises(LeftoverError):
        search(maker, Needles(["501"], [TEXT]))


def database(table: str, value: str | bytes, *, freed: bool = False) -> bytes:
    """A segment as a later program might make it; `freed`: deleted, and not overwritten."""
    connection = apsw.Connection(":memory:")
    connection.pragma("secure_delete", False)
    connection.execute("CREATE TABLE post (text, alt_text)")
    connection.execute("CREATE TABLE message (text)")
    connection.execute(f"CREATE TABLE {table} (id, body)")
    connection.execute(f"INSERT INTO {table} VALUES (1, ?)", (value,))  # noqa: S608  # constants
    if freed:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608  # constants
    return bytes(connection.serialize("main"))


@pytest.mark.parametrize(
    ("plain", "where"),
    [
        (database("other", f"x {TEXT} y"), "the table other"),
        (database("capture_part", TEXT.encode()), "the verbatim bytes"),
        (database("other", TEXT.encode()), "its bytes"),
        (database("other", TEXT, freed=True), "its bytes"),
    ],
)
def test_it_is_found_wherever_in_a_database_it_is(maker: VaultMaker, plain: bytes, where: str) -> None:
    maker.add(NAME, [post("500", "something else", 0)])
    file = put_beside(maker, "records-001.sqlite.zst.age", plain, compressed=True)
    with pytest.raises(LeftoverError, match=where):
        search(maker, Needles([ID], [TEXT]), file)


def test_a_file_is_searched_over_the_border_of_two_pieces(maker: VaultMaker) -> None:
    maker.add(NAME, [post("500", "something else", 0)])
    piece = 1 << 20
    for at in (0, piece - 7, piece, 2 * piece - len(TEXT)):
        plain = bytearray(b"\xff" * 2 * piece)
        clean = put_beside(maker, f"media-{at}.tar.age", bytes(plain), compressed=False)
        search(maker, Needles([ID], [TEXT]), clean)
        plain[at : at + len(TEXT)] = TEXT.encode()
        file = put_beside(maker, f"media-{at}-1.tar.age", bytes(plain), compressed=False)
        with pytest.raises(LeftoverError, match="its bytes"):
            search(maker, Needles([ID], [TEXT]), file)


def test_a_manifest_is_searched_too() -> None:
    require_gone_from("archives/a/manifest.json", b'{"note": "nothing"}', Needles([ID], [TEXT]))
    with pytest.raises(LeftoverError, match=r"archives/a/manifest\.json: .* its fields"):
        require_gone_from("archives/a/manifest.json", f'{{"note": "{ID}"}}'.encode(), Needles([ID], [TEXT]))
