"""The collector's own databases: durable, private, and their errors in our words."""

import os
import re
import stat
from pathlib import Path

import apsw
import pytest

from archiver.errors import ArchiverError, IntegrityError
from archiver.local_database import LocalDatabase
from archiver.spool.reading import SnapshotDatabase

SCHEMA = "CREATE TABLE IF NOT EXISTS word (text TEXT NOT NULL UNIQUE)"


def opened(path: Path) -> LocalDatabase:
    return LocalDatabase(path, SCHEMA, damaged_hint="do this")


def test_a_new_database_is_private_and_made_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "below" / "words.sqlite"
    opened(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_every_commit_is_synced_and_nothing_is_cached_on_disk(tmp_path: Path) -> None:
    database = opened(tmp_path / "words.sqlite")
    settings = {
        name: database.connection.execute(f"PRAGMA {name}").fetchall()[0][0]
        for name in ("journal_mode", "synchronous", "temp_store")
    }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "temp_store": 2}
    database.close()


def test_a_transaction_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    database = opened(tmp_path / "words.sqlite")
    with database.transaction() as connection:
        connection.execute("INSERT INTO word VALUES ('kept')")
    with pytest.raises(ArchiverError, match="UNIQUE"), database.transaction() as connection:
        connection.executemany("INSERT INTO word VALUES (?)", [("lost",), ("kept",)])
    database.close()
    again = opened(tmp_path / "words.sqlite")
    assert again.connection.execute("SELECT * FROM word").fetchall() == [("kept",)]
    again.close()


@pytest.mark.parametrize("garbage", [b"no database " * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "words.sqlite"
    path.write_bytes(garbage)
    with pytest.raises(IntegrityError, match=f"^{path} is damaged: ") as caught:
        opened(path)
    assert caught.value.hint == "do this"
    assert path.read_bytes() == garbage


def test_damage_within_is_found_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "words.sqlite"
    database = opened(path)
    with database.transaction() as connection:
        connection.executemany("INSERT INTO word VALUES (?)", [(f"word {n} " * 50,) for n in range(500)])
    database.close()
    data = path.read_bytes()
    path.write_bytes(data[:8192] + b"\xff" * (len(data) - 8192))
    database = opened(path)
    with pytest.raises(IntegrityError, match="is damaged"), database.translated():
        database.connection.execute("SELECT sum(length(upper(text))) FROM word").fetchall()
    database.close()


def test_what_is_no_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ArchiverError, match="is a directory while creating"):
        opened(tmp_path / "folder")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArchiverError, match="while creating"):
        opened(tmp_path / "file" / "below.sqlite")


@pytest.mark.parametrize("kind", [LocalDatabase, SnapshotDatabase])
def test_a_pipe_in_its_place_is_refused_and_not_waited_for(tmp_path: Path, kind: type[LocalDatabase]) -> None:
    path = tmp_path / "words.sqlite"
    os.mkfifo(path)
    with pytest.raises(ArchiverError, match=r"words\.sqlite is no file"):
        kind(path, SCHEMA, damaged_hint="do this")


def test_an_error_of_the_disk_is_no_damage(tmp_path: Path) -> None:
    database = opened(tmp_path / "words.sqlite")
    with pytest.raises(ArchiverError) as caught, database.translated():
        raise apsw.IOError("disk I/O error")
    assert not isinstance(caught.value, IntegrityError)
    assert caught.value.hint == "check the disk and its mount"
    with pytest.raises(ArchiverError, match="the disk is full while writing"), database.translated():
        raise apsw.FullError("full")
    with pytest.raises(ArchiverError, match="locked"), database.translated():
        raise apsw.BusyError("database is locked")
    database.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"a file")
    path = tmp_path / "taken" / "words.sqlite"
    with pytest.raises(ArchiverError, match=f"^{re.escape(str(path))}: .* while creating it$"):
        opened(path)
