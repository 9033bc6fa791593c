"""Settings to the stores that hold the vault, and to the one of them that is read."""

import os
from dataclasses import dataclass
from functools import partial

from archiver.errors import (
    ArchiverError,
    ConfigurationError,
    IntegrityError,
    NewerVersionError,
    NoVaultError,
    UsageError,
)
from archiver.secrets import resolve_secret
from archiver.settings import Settings
from archiver.settings.stores import CacheSettings, LocalStoreSettings, S3StoreSettings, StoreSettings
from archiver.stores.base import Store, outcome
from archiver.stores.local import LocalStore
from archiver.stores.named import NamedStore, sync_command
from archiver.times import system_clock
from archiver.vault import Vault

KEY_NAMES = ("access_key_id", "secret_access_key", "session_token")


@dataclass(frozen=True)
class OpenedVault:
    """The vault as one store holds it. Of a store that is not `required` newer archives may be missing.
    `passed_over`: the stores before it in the settings, by name, and why each was not read."""

    vault: Vault
    store: str
    required: bool
    passed_over: tuple[tuple[str, ArchiverError], ...] = ()


def named_stores(settings: Settings, *, cached: bool = False) -> tuple[NamedStore, ...]:
    """Every store in the settings' order. Nothing is opened, and no secret asked for, before `open` is
    called. `cached`: whether what is read of those far away is kept at hand; never for what is written."""
    return tuple(
        NamedStore(one.name, one.required, partial(open_store, one, settings.cache, cached=cached))
        for one in settings.stores
    )


def find_store(settings: Settings, name: str, *, cached: bool = False) -> NamedStore:
    """The store of this name. Raise UsageError where there is none, naming those that there are."""
    stores = named_stores(settings, cached=cached)
    found = next((one for one in stores if one.name == name), None)
    if found is None:
        names = ", ".join(one.name for one in stores)
        raise UsageError(f"there is no store {name} in {settings.path}", f"one of: {names}")
    return found


def first_store(settings: Settings) -> Store:
    """The first required store, which sealing writes to before all others, and reads without a cache."""
    for one in named_stores(settings):
        if one.required:
            return one.open()
    raise ConfigurationError(
        f"no store in {settings.path} is required, so there is none to seal into", "write: required = true"
    )


def open_vault(settings: Settings, store: str | None = None, *, cached: bool = True) -> Vault:
    """The vault to read, as `open_vault_to_read` finds it."""
    return open_vault_to_read(settings, store, cached=cached).vault


def open_vault_to_read(settings: Settings, store: str | None = None, *, cached: bool = True) -> OpenedVault:
    """The vault in the store named, else in the first that can be opened and holds it. Those after it are
    not asked for anything: one that is down costs a search in a near one no time.

    Raise the first store's error where none can be read, UsageError for a name that is no store's, and
    IntegrityError where the store holds another vault than a folder before it."""
    if store is not None:
        named = find_store(settings, store, cached=cached)
        opened = OpenedVault(_open(settings, named), named.name, named.required)
    else:
        opened = _open_first(settings, named_stores(settings, cached=cached))
    _check_same_vault(settings, opened)
    return opened


def _open_first(settings: Settings, stores: tuple[NamedStore, ...]) -> OpenedVault:
    passed_over: list[tuple[str, ArchiverError]] = []
    for one in stores:
        try:
            return OpenedVault(_open(settings, one), one.name, one.required, tuple(passed_over))
        except NewerVersionError:
            raise  # an older copy would be searched in its place, and say nothing of it
        except ArchiverError as error:
            passed_over.append((one.name, error))
    raise passed_over[0][1]


def _open(settings: Settings, one: NamedStore) -> Vault:
    """Raise NoVaultError with a hint for whoever has settings: a vault was there, most likely, and is not
    mounted. `archiver init` would begin another."""
    try:
        return Vault(one.open())
    except NoVaultError as error:
        hint = "mount what belongs there, or bring the vault back from a copy of it"
        if len(settings.stores) > 1:
            hint = f"mount it; where another store has the vault: mkdir it, then: {sync_command(one.name)}"
        raise NoVaultError(error.message, f"{hint}; only for a new vault: archiver init") from error


def _check_same_vault(settings: Settings, opened: OpenedVault) -> None:
    """Compare with the first folder before it that holds a vault. Buckets are not asked: that one was not
    chosen may be because it does not answer."""
    for one in settings.stores:
        if one.name == opened.store:
            return
        if not isinstance(one, LocalStoreSettings):
            continue
        other = outcome(partial(_open_folder, one))
        if isinstance(other, ArchiverError):
            continue
        if other.id != opened.vault.id:
            raise IntegrityError(
                f"{opened.vault.store.location} holds another vault ({opened.vault.id}) than"
                f" {other.store.location} ({other.id})",
                f"correct the place of the store {opened.store} in {settings.path}",
            )
        return


def _open_folder(store: LocalStoreSettings) -> Vault:
    return Vault(LocalStore(store.path))


# One store


def open_store(store: StoreSettings, cache: CacheSettings, *, cached: bool = False) -> Store:
    """Open it, to be read through the cache or past it. Raise NoVaultError where a folder is not there,
    ConfigurationError where a secret is not to be had, StoreError where a bucket cannot be reached."""
    if isinstance(store, LocalStoreSettings):
        return LocalStore(store.path)
    return _open_s3(store, cache, cached=cached)


def _open_s3(store: S3StoreSettings, cache: CacheSettings, *, cached: bool) -> Store:
    """Imported here: boto3 costs a quarter of a second, and most searches are in a folder."""
    from archiver.stores.cache import StoreCache, WritersCache
    from archiver.stores.s3 import S3Store
    from archiver.stores.s3.options import S3Options

    keys = resolve_keys(store)
    options = S3Options(
        bucket=store.bucket,
        prefix=store.prefix,
        endpoint=store.endpoint,
        region=store.region,
        addressing=store.addressing,
        profile=store.profile,
        access_key_id=keys.get("access_key_id"),
        secret_access_key=keys.get("secret_access_key"),
        session_token=keys.get("session_token"),
        object_lock=store.object_lock,
        lock_days=store.lock_days,
        legal_hold=store.legal_hold,
        storage_class=store.storage_class,
        encryption=store.encryption,
        encryption_key=store.encryption_key,
        ca_file=store.ca_file,
        connect_timeout_seconds=store.connect_timeout_seconds,
        read_timeout_seconds=store.read_timeout_seconds,
        tries=store.tries,
    )
    kept = StoreCache(cache.folder, cache.bytes, cache.fresh_seconds, system_clock)
    return S3Store(options, clock=system_clock, cache=kept if cached else WritersCache(kept))


def resolve_keys(store: S3StoreSettings) -> dict[str, str]:
    """The keys that the settings refer to, by their names there. Raise ConfigurationError for the first
    that is not to be had, which names the store and the setting and never the key."""
    keys: dict[str, str] = {}
    for name in KEY_NAMES:
        reference: str | None = getattr(store, name)
        if reference is None:
            continue
        try:
            keys[name] = resolve_secret(reference, os.environ)
        except ConfigurationError as error:
            raise ConfigurationError(f"store {store.name}: {name}: {error.message}", error.hint) from error
    return keys
