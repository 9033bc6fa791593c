"""An open segment: its rows, and what is said where its bytes are not what was sealed."""

import hashlib
from pathlib import Path

import apsw
import pytest

from archiver.archive.read import SegmentReader
from archiver.errors import IntegrityError, repair_hint
from archiver.formats import age
from archiver.formats.seekable_zstd import SeekableWriter
from archiver.keys import Identity
from archiver.vault import Archive
from tests.made_vaults import VaultMaker, post

NAME = "archives/2026-01-01/records-000.sqlite.zst.age"
EVERYTHING = "SELECT hex(text) FROM post UNION ALL SELECT hex(body) FROM capture_part"
HINT = repair_hint("2026-01-01")


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    """A segment of several hundred kilobytes, so that its first chunk is not its last."""
    maker = VaultMaker(tmp_path / "vault")
    texts = [hashlib.shake_128(b"%d" % number).hexdigest(600) for number in range(400)]
    maker.add("2026-01-01", [post(str(number), text, number) for number, text in enumerate(texts)])
    return maker


def key(maker: VaultMaker) -> tuple[Archive, Identity]:
    (archive,) = maker.vault().list_archives().require_sound()
    return archive, maker.vault().open_key(archive, [maker.holder])


def alter(maker: VaultMaker, place: int) -> None:
    path = maker.folder / NAME
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def test_rows_are_read_in_place(maker: VaultMaker) -> None:
    archive, identity = key(maker)
    with maker.vault().open_segment(archive, archive.manifest.files[0], [maker.holder]) as segment:
        assert segment.connection.execute("SELECT count(*) FROM post").fetchall() == [(400,)]
        assert segment.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert segment.sealed.chunks_read > 3
    with SegmentReader(maker.store, NAME, identity) as again:
        assert again.connection.execute("SELECT max(key) FROM post").fetchall() == [(400,)]


def test_an_altered_first_chunk_is_told_on_opening(maker: VaultMaker) -> None:
    _, identity = key(maker)
    alter(maker, 5_000)
    with pytest.raises(IntegrityError, match=f"^{NAME}: chunk 0 ") as caught:
        SegmentReader(maker.store, NAME, identity)
    assert caught.value.hint == HINT


def test_an_altered_chunk_is_told_when_it_is_read(maker: VaultMaker) -> None:
    _, identity = key(maker)
    alter(maker, -150_000)
    with SegmentReader(maker.store, NAME, identity) as segment:
        with pytest.raises(apsw.Error) as caught:
            segment.connection.execute(EVERYTHING).fetchall()
        told = segment.translated(caught.value)
    assert isinstance(told, IntegrityError)
    assert told.message.startswith(f"{NAME}: chunk ")
    assert told.hint == HINT


def test_a_store_that_fails_while_reading_is_told_as_such(maker: VaultMaker) -> None:
    _, identity = key(maker)
    with SegmentReader(maker.store, NAME, identity) as segment:
        segment._stored.close()
        with pytest.raises(apsw.Error) as caught:
            segment.connection.execute(EVERYTHING).fetchall()
        told = segment.translated(caught.value)
    assert not isinstance(told, IntegrityError)
    assert "bad file descriptor" in told.message


def test_a_query_that_is_wrong_names_the_segment(maker: VaultMaker) -> None:
    _, identity = key(maker)
    with SegmentReader(maker.store, NAME, identity) as segment:
        with pytest.raises(apsw.Error) as caught:
            segment.connection.execute("SELECT * FROM absent")
        assert segment.translated(caught.value).message == f"{NAME}: no such table: absent"


def test_frames_that_hold_no_database_are_told(maker: VaultMaker) -> None:
    identity = age.X25519Identity.generate()
    name = "archives/2026-01-02/records-000.sqlite.zst.age"
    with (
        maker.store.create(name) as file,
        age.encrypt_stream([identity.recipient()], file) as sealed,
        SeekableWriter(sealed) as frames,
    ):
        frames.write(b"no database at all" * 10_000)
    with pytest.raises(IntegrityError, match=f"^{name}: file is not a database") as caught:
        SegmentReader(maker.store, name, identity)
    assert caught.value.hint == repair_hint("2026-01-02")
