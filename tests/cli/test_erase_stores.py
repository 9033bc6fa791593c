"""`archiver erase` with several stores: the old archive goes from none before the new one is in each that
must have it, and a store that cannot lose a key is named until it can."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.cli.stores import add_bucket, add_store
from tests.faults.folders import copy_folder
from tests.homes import Home
from tests.seaweed import Seaweed, seaweed
from tests.unit.reseal.erased import OTHER_ID, make_mixed_home

__all__ = ["seaweed"]

WHY = ("--reason", "a request", "--reviewer", "A Person", "--yes")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_mixed_home(tmp_path_factory.mktemp("stores"))


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(made.folder, tmp_path / "home"))


def key(home: Home, store: str, archive: str) -> Path:
    return home.folder / store / "archives" / archive / "key.age"


def add_filled(run: Runner, home: Home, name: str, *, required: bool) -> None:
    (home.folder / name).mkdir()
    add_store(home, name, required=required)
    assert run("--config", home.folder, "sync").code == 0


def test_every_store_has_the_new_archive_and_no_key_of_the_old_one(run: Runner, home: Home) -> None:
    add_filled(run, home, "second", required=True)
    (old,) = home.archives
    result = run("--config", home.folder, "erase", OTHER_ID, *WHY)
    assert result.code == 0, result
    new = home.archives[-1]
    for store in ("vault", "second"):
        assert key(home, store, new.name).exists()
        assert not key(home, store, old.name).exists()
        assert (key(home, store, old.name).parent / "disposed.json").exists()
    assert run("--config", home.folder, "verify").code == 0
    assert run("--config", home.folder, "sync").code == 0
    assert not key(home, "second", old.name).exists()


def test_while_a_required_store_is_away_nothing_is_done(run: Runner, home: Home) -> None:
    add_filled(run, home, "second", required=True)
    (old,) = home.archives
    (home.folder / "second").rename(home.folder / "away")
    result = run("--config", home.folder, "erase", OTHER_ID, *WHY)
    assert result.code not in (0, 3), result
    assert key(home, "vault", old.name).exists()
    assert home.archives == [old]
    (home.folder / "away").rename(home.folder / "second")
    assert run("--config", home.folder, "erase", OTHER_ID, *WHY).code == 0
    assert not key(home, "second", old.name).exists()


def test_a_store_that_need_not_have_everything_loses_its_key_when_it_is_back(run: Runner, home: Home) -> None:
    add_filled(run, home, "second", required=False)
    (old,) = home.archives
    (home.folder / "second").rename(home.folder / "away")
    result = run("--config", home.folder, "erase", OTHER_ID, *WHY)
    assert result.code == 3, result
    assert "store second: the key of archive" in result.errors
    assert not key(home, "vault", old.name).exists()
    (home.folder / "away").rename(home.folder / "second")
    assert key(home, "second", old.name).exists()
    again = run("--config", home.folder, "erase", OTHER_ID, *WHY)
    assert again.code == 0, again
    assert not key(home, "second", old.name).exists()
    assert run("--config", home.folder, "verify").code == 0


def test_a_key_that_cannot_be_destroyed_is_said_until_it_is(run: Runner, home: Home) -> None:
    """As of a bucket under a lock: the folder takes a new file and gives none away."""
    add_filled(run, home, "second", required=True)
    (old,) = home.archives
    path = key(home, "second", old.name)
    path.unlink()
    (path / "kept").mkdir(parents=True)  # where a file should be
    result = run("--config", home.folder, "erase", OTHER_ID, *WHY)
    assert result.code == 3, result
    assert "store second: the key of archive" in result.errors
    (path / "kept").rmdir()
    path.rmdir()
    assert run("--config", home.folder, "erase", OTHER_ID, *WHY).code == 0


def test_a_bucket_that_keeps_the_key_under_a_lock_is_said_with_the_day(
    run: Runner, home: Home, seaweed: Seaweed
) -> None:
    bucket = seaweed.make_bucket("locked")
    add_bucket(home, "far", seaweed, bucket, required=False, object_lock="compliance", lock_days=2)
    assert run("--config", home.folder, "sync").code == 0
    for _ in range(2):  # the second time there is nothing else to do
        result = run("--config", home.folder, "erase", OTHER_ID, *WHY)
        assert result.code == 3, result
        day = datetime.now(UTC) + timedelta(days=2)
        assert f"under a lock until {day:%Y-%m-%d}" in result.errors
    old, new = home.archives
    assert old.disposed is not None
    assert new.manifest.replaces == old.name
    assert run("--config", home.folder, "search", "polite", "--ids", "--store", "far").output == ""
