"""SQLite on a sealed file: it reads, and there is no way to write or to open anything else."""

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import apsw
import pytest
import zstandard

from archiver.archive.segment_file import FRAME_BYTES, GrowingFile
from archiver.archive.vfs import SegmentDatabase


class Bytes:
    """A sealed segment's plain database, kept in memory; fails where it is told to."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.fails_from: int | None = None

    @property
    def size(self) -> int:
        return len(self.data)

    def read_at(self, offset: int, length: int, /) -> bytes:
        if self.fails_from is not None and offset >= self.fails_from:
            raise ValueError("altered")
        return self.data[offset : offset + length]


def built(rows: int = 500) -> bytes:
    file = GrowingFile(hot_bytes=FRAME_BYTES, level=1)
    database = SegmentDatabase.create(file, page_bytes=4096, cache_bytes=64 * 1024)
    database.connection.execute("CREATE TABLE text (id INTEGER PRIMARY KEY, body TEXT)")
    with database.connection:
        database.connection.executemany(
            "INSERT INTO text (body) VALUES (?)", [(f"row {n} " * 50,) for n in range(rows)]
        )
    database.close()
    return b"".join(zstandard.ZstdDecompressor().decompress(frame) for frame, _ in file.frames())


@pytest.fixture(scope="module")
def data() -> bytes:
    return built()


@pytest.fixture
def sealed(data: bytes) -> Iterator[SegmentDatabase]:
    with closing(SegmentDatabase.read(Bytes(data))) as database:
        yield database


def test_what_was_built_is_a_whole_database(sealed: SegmentDatabase) -> None:
    assert sealed.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert sealed.connection.execute("SELECT count(*) FROM text").fetchall() == [(500,)]
    assert sealed.error is None


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO text (body) VALUES ('x')",
        "DELETE FROM text",
        "CREATE TABLE other (a)",
        "PRAGMA user_version=5",
        "VACUUM",
        "PRAGMA journal_mode=WAL",
    ],
)
def test_a_sealed_database_is_never_written(sealed: SegmentDatabase, sql: str) -> None:
    with suppress(apsw.Error):
        sealed.connection.execute(sql).fetchall()
    assert sealed.connection.execute("SELECT count(*) FROM text").fetchall() == [(500,)]
    assert sealed.connection.execute("PRAGMA user_version").fetchall() == [(0,)]


@pytest.mark.parametrize(
    "sql", ["INSERT INTO text (body) VALUES ('x')", "DELETE FROM text", "DROP TABLE text"]
)
def test_a_write_is_refused_aloud(sealed: SegmentDatabase, sql: str) -> None:
    with pytest.raises(apsw.ReadOnlyError):
        sealed.connection.execute(sql)


def test_nothing_is_attached_or_copied_to_a_disk(sealed: SegmentDatabase, tmp_path: Path) -> None:
    with pytest.raises(apsw.CantOpenError):
        sealed.connection.execute("ATTACH ? AS other", (str(tmp_path / "other.sqlite"),))
    with pytest.raises(apsw.Error):
        sealed.connection.execute("VACUUM INTO ?", (str(tmp_path / "copy.sqlite"),))
    sealed.connection.execute("ATTACH '' AS empty")
    with pytest.raises(apsw.ReadOnlyError):
        sealed.connection.execute("CREATE TABLE empty.copy AS SELECT * FROM text")
    assert list(tmp_path.iterdir()) == []


def test_sorting_more_than_the_cache_holds_leaves_no_file(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    with closing(SegmentDatabase.read(Bytes(data), cache_bytes=16 * 1024)) as database:
        rows = database.connection.execute(
            "SELECT a.id FROM text AS a, (SELECT * FROM text LIMIT 50) AS b"
            " ORDER BY b.body || a.body DESC LIMIT 5 OFFSET 20000"
        ).fetchall()
    assert len(rows) == 5
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_one_database_opens_no_other(data: bytes) -> None:
    with (
        closing(SegmentDatabase.read(Bytes(data))) as first,
        closing(SegmentDatabase.read(Bytes(built(3)))) as other,
    ):
        assert first.connection.filename != other.connection.filename
        with pytest.raises(apsw.CantOpenError):
            apsw.Connection(first.connection.filename + "x", vfs=first.connection.filename)
        assert other.connection.execute("SELECT count(*) FROM text").fetchall() == [(3,)]


def test_why_a_read_failed_can_be_asked_for(data: bytes) -> None:
    source = Bytes(data)
    with closing(SegmentDatabase.read(source, cache_bytes=0)) as database:
        source.fails_from = 8192
        with pytest.raises(apsw.IOError):
            database.connection.execute("SELECT sum(length(body)) FROM text").fetchall()
        assert isinstance(database.error, ValueError)


def test_a_closed_database_gives_its_name_back(data: bytes) -> None:
    before = set(apsw.vfs_names())
    database = SegmentDatabase.read(Bytes(data))
    assert len(set(apsw.vfs_names()) - before) == 1
    database.close()
    database.close()
    assert set(apsw.vfs_names()) == before


def test_bytes_that_are_no_database_are_found_out() -> None:
    with pytest.raises(apsw.NotADBError):
        SegmentDatabase.read(Bytes(b"no database at all" * 1000))
