"""From settings to stores: which is opened, which is read, and what is said of those that are not."""

import shutil
from dataclasses import fields, replace
from pathlib import Path

import pytest

from archiver.errors import ConfigurationError, IntegrityError, NoVaultError, UsageError
from archiver.settings import Settings, load_settings
from archiver.settings.stores import CacheSettings, S3StoreSettings
from archiver.stores.cache import StoreCache, WritersCache
from archiver.stores.local import LocalStore
from archiver.stores.s3 import S3Options, S3Store
from archiver.times import system_clock
from archiver.wiring.stores import (
    find_store,
    first_store,
    named_stores,
    open_store,
    open_vault,
    open_vault_to_read,
    resolve_keys,
)
from tests.faults.folders import make_folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("stores") / "home")


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "home"))


def with_stores(home: Path, *names: str, optional: tuple[str, ...] = ()) -> Settings:
    """The settings with a folder for each name, in this order, in place of `vault`."""
    path = home / "archiver.toml"
    text = path.read_text().replace('\nvault = "vault"\n', "\n")
    for name in names:
        required = "false" if name in optional else "true"
        text += f'[[store]]\nname = "{name}"\nkind = "local"\npath = "{name}"\nrequired = {required}\n'
    path.write_text(text)
    return load_settings(path)


def copy_vault(home: Path, name: str) -> None:
    shutil.copytree(home / "vault", home / name)


def test_stores_are_named_in_order_and_none_is_opened_before_it_is_asked_for(home: Path) -> None:
    settings = with_stores(home, "away", "vault", optional=("away",))
    stores = named_stores(settings)
    assert [(one.name, one.required) for one in stores] == [("away", False), ("vault", True)]
    with pytest.raises(NoVaultError, match=f"there is no folder {home}/away"):
        stores[0].open()
    assert stores[1].open().location == str(home / "vault")
    assert find_store(settings, "vault").open().exists("vault.json")
    with pytest.raises(UsageError, match="there is no store tape in ") as caught:
        find_store(settings, "tape")
    assert caught.value.hint == "one of: away, vault"


def test_the_first_store_is_the_first_required_one(home: Path) -> None:
    copy_vault(home, "a")
    copy_vault(home, "b")
    store = first_store(with_stores(home, "a", "b", "vault", optional=("a",)))
    assert isinstance(store, LocalStore)
    assert store.root == home / "b"


def test_the_first_that_holds_the_vault_is_read_and_those_before_it_are_kept_with_their_reasons(
    home: Path,
) -> None:
    (home / "empty").mkdir()
    copy_vault(home, "damaged")
    (home / "damaged" / "vault.json").chmod(0o644)
    (home / "damaged" / "vault.json").write_bytes(b"{}")
    settings = with_stores(home, "away", "empty", "damaged", "vault", "after", optional=("vault",))
    opened = open_vault_to_read(settings)
    assert opened.vault.store.location == str(home / "vault")
    assert (opened.store, opened.required) == ("vault", False)
    assert [(name, type(error), error.message) for name, error in opened.passed_over] == [
        ("away", NoVaultError, f"there is no folder {home}/away"),
        ("empty", NoVaultError, f"there is no vault in {home}/empty"),
        ("damaged", IntegrityError, f"vault.json in {home}/damaged is not a vault's description"),
    ]


def test_a_named_store_is_read_and_no_other(home: Path) -> None:
    copy_vault(home, "copy")
    settings = with_stores(home, "vault", "copy", "away")
    opened = open_vault_to_read(settings, "copy")
    assert (opened.store, opened.required, opened.passed_over) == ("copy", True, ())
    assert opened.vault.store.location == str(home / "copy")
    with pytest.raises(NoVaultError, match="there is no folder"):
        open_vault(settings, "away")
    with pytest.raises(UsageError, match="there is no store other"):
        open_vault(settings, "other")


def test_where_none_can_be_read_the_first_stores_error_is_raised(home: Path) -> None:
    settings = with_stores(home, "first", "second")
    (home / "second").mkdir()
    with pytest.raises(NoVaultError, match=f"there is no folder {home}/first"):
        open_vault(settings)


def test_where_there_is_no_vault_the_hint_is_to_mount_or_to_fill_before_any_init(home: Path) -> None:
    shutil.rmtree(home / "vault")
    for make, what in ((False, "there is no folder"), (True, "there is no vault in")):
        if make:
            (home / "vault").mkdir()
        with pytest.raises(NoVaultError, match=what) as caught:
            open_vault(load_settings(home / "archiver.toml"))
        assert caught.value.hint == (
            "mount what belongs there, or bring the vault back from a copy of it;"
            " only for a new vault: archiver init"
        )
    (home / "vault").rmdir()
    with pytest.raises(NoVaultError) as caught:
        open_vault(with_stores(home, "first", "second"), "second")
    assert caught.value.hint == (
        "mount it; where another store has the vault: mkdir it, then: archiver sync --store second;"
        " only for a new vault: archiver init"
    )


def test_a_store_that_holds_another_vault_is_not_read(home: Path, tmp_path: Path) -> None:
    other = make_folder(tmp_path / "other")
    shutil.copytree(other / "vault", home / "copy")
    settings = with_stores(home, "vault", "copy")
    assert open_vault(settings).store.location == str(home / "vault")
    with pytest.raises(IntegrityError, match=f"{home}/copy holds another vault .* than {home}/vault"):
        open_vault(settings, "copy")


def test_stores_after_the_one_that_is_read_are_not_asked(home: Path) -> None:
    """A folder that cannot be listed, a bucket whose key is not there: neither is looked at."""
    path = home / "archiver.toml"
    keys = 'access_key_id = "env:ABSENT_1"\nsecret_access_key = "env:ABSENT_2"\n'
    path.write_text(
        path.read_text() + f'[[store]]\nname = "far"\nkind = "s3"\nbucket = "archive"\n{keys}'
        '[[store]]\nname = "away"\nkind = "local"\npath = "away"\n'
    )
    opened = open_vault_to_read(load_settings(path))
    assert (opened.store, opened.passed_over) == ("vault", ())


@pytest.fixture
def bucket(tmp_path: Path) -> S3StoreSettings:
    (tmp_path / "secret").touch(0o600)
    (tmp_path / "secret").write_text("hunter2\n")
    return S3StoreSettings(
        "far", True, "archive", access_key_id="env:ARCHIVER_TEST_KEY_ID",
        secret_access_key=f"file:{tmp_path}/secret",
    )  # fmt: skip


def test_keys_come_from_where_the_settings_say(
    bucket: S3StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVER_TEST_KEY_ID", "key-1")
    assert resolve_keys(bucket) == {"access_key_id": "key-1", "secret_access_key": "hunter2"}
    assert resolve_keys(S3StoreSettings("far", True, "archive")) == {}


def test_a_key_that_is_not_to_be_had_is_named_with_its_store(
    bucket: S3StoreSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARCHIVER_TEST_KEY_ID", raising=False)
    with pytest.raises(ConfigurationError) as caught:
        resolve_keys(bucket)
    assert caught.value.message == (
        "store far: access_key_id: the environment has no variable ARCHIVER_TEST_KEY_ID"
    )
    monkeypatch.setenv("ARCHIVER_TEST_KEY_ID", "key-1")
    (tmp_path / "secret").chmod(0o640)
    with pytest.raises(ConfigurationError, match=r"store far: secret_access_key: .* can be read by others"):
        resolve_keys(bucket)


def test_all_that_the_settings_say_of_a_bucket_reaches_its_store(
    bucket: S3StoreSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVER_TEST_KEY_ID", "key-1")
    (tmp_path / "aws").write_text("[profile p]\nregion = eu-west-2\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws"))
    said = replace(
        bucket, prefix="p/", endpoint="http://127.0.0.1:9", region="eu-west-2", addressing="path",
        session_token="env:ARCHIVER_TEST_KEY_ID", object_lock="governance", lock_days=3, legal_hold=True,
        storage_class="STANDARD_IA", encryption="aws:kms", encryption_key="k",
        connect_timeout_seconds=1, read_timeout_seconds=2, tries=3,
    )  # fmt: skip
    keys = {"access_key_id": "key-1", "secret_access_key": "hunter2", "session_token": "key-1"}
    for one in (
        said,
        replace(bucket, session_token=None),
        S3StoreSettings("b", False, "bucket", profile="p"),
    ):
        store = open_store(one, CacheSettings(tmp_path / "cache"))
        assert isinstance(store, S3Store)
        for field in fields(S3Options):
            if field.name == "first_wait_seconds":  # no setting: `tries` says how long in all
                continue
            value = getattr(one, field.name)
            expected = keys[field.name] if field.name in keys and value is not None else value
            assert getattr(store.options, field.name) == expected, field.name
        assert store.location == one.place
        assert "hunter2" not in repr(store)


def test_what_is_written_to_passes_by_the_cache_and_has_it_forget_its_listing(home: Path) -> None:
    path = home / "archiver.toml"
    text = path.read_text().replace('\nvault = "vault"\n', "\n")
    path.write_text(
        f'{text}\n[[store]]\nname = "far"\nkind = "s3"\nbucket = "archive"\nregion = "eu-west-2"\n'
    )
    settings = load_settings(path)
    for store, cached in (
        (first_store(settings), False),
        (named_stores(settings)[0].open(), False),
        (find_store(settings, "far").open(), False),
        (named_stores(settings, cached=True)[0].open(), True),
    ):
        assert isinstance(store, S3Store)
        _, _, cache = store.__reduce__()[1]  # type: ignore[misc]  # what another process would be given
        assert isinstance(cache, StoreCache if cached else WritersCache)


def test_a_writers_cache_gives_and_keeps_nothing_and_drops_what_others_listed(tmp_path: Path) -> None:
    cache = StoreCache(tmp_path / "cache", 1 << 20, 60, system_clock)
    writers = WritersCache(cache)
    cache.put_listing("names", b"[]")
    writers.put_listing("other", b"[]")
    assert (writers.listing("names"), writers.file("x")) == (None, None)
    assert (cache.listing("names"), cache.listing("other")) == (b"[]", None)
    writers.drop_listing("names")
    assert cache.listing("names") is None
