"""Each store: whether it can be reached, holds this vault and all of it, and has room for what comes."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from archiver.chain import Head
from archiver.errors import NoVaultError
from archiver.health.checks.vaults import near_vault
from archiver.health.checkup import ASK_SECONDS, Check, Finding, Subject, failed, of_error, ok, warning
from archiver.health.local import read_local
from archiver.health.vaults import free_bytes
from archiver.settings import Settings
from archiver.settings.stores import LocalStoreSettings, S3StoreSettings, StoreSettings
from archiver.sizes import byte_size
from archiver.stores.named import NamedStore, open_named, sync_command
from archiver.vault import Archive, Vault
from archiver.wiring.stores import open_store

LEAST_FREE_BYTES = 1 << 30
_LAST = 3
"""So many of the last archives tell how large the next will be."""
_ROOM_FOR = 3


def checks(subject: Subject) -> list[Check]:
    """One for each store, in the settings' order."""
    settings = subject.settings
    return [
        Check(f"store {store.name}", partial(_store, settings, store, subject.clock()))
        for store in settings.stores
    ]


def impatient(store: StoreSettings) -> StoreSettings:
    """The same store, asked once and not for long: whoever waits for a check wants it told apart from those
    that are well."""
    if not isinstance(store, S3StoreSettings):
        return store
    return replace(
        store,
        tries=1,
        connect_timeout_seconds=min(store.connect_timeout_seconds, ASK_SECONDS),
        read_timeout_seconds=min(store.read_timeout_seconds, ASK_SECONDS),
    )


def _store(settings: Settings, store: StoreSettings, now_ms: int) -> Iterator[Finding]:
    what = f"store {store.name}"
    opened = open_named(
        NamedStore(store.name, store.required, partial(open_store, impatient(store), settings.cache))
    )
    if opened.error is not None:
        finding = of_error(what, opened.error)
        is_away = not store.required and isinstance(opened.error, NoVaultError)
        yield warning(what, finding.said, finding.advice) if is_away else finding
        return
    yield from _holds(settings, store, Vault(opened.store), now_ms)
    if isinstance(store, LocalStoreSettings):
        yield from _writable(store)


def _holds(settings: Settings, store: StoreSettings, vault: Vault, now_ms: int) -> Iterator[Finding]:
    """Which vault is there, whether all archives are, whether there is room for the next."""
    what = f"store {store.name}"
    facts = read_local(settings, now_ms)
    first = near_vault(settings)
    if first is not None and first.id != vault.id:
        yield failed(
            what,
            f"it holds another vault than {first.store.location}",
            "name another place for it in the settings",
        )
        return
    listed = vault.list_archives()
    if listed.problems:
        yield from (of_error(what, error) for error in listed.problems)
        return
    lacking = _lacking(listed.archives, facts.state.head, first)
    if lacking:
        yield warning(what, f"it lacks archives: {lacking}", sync_command(store.name))
    else:
        size = byte_size(sum(one.manifest.file_bytes for one in listed.archives))
        count = len(listed.archives)
        archives = "1 archive" if count == 1 else f"{count:,} archives"
        yield ok(what, f"{vault.store.location} can be read and has {archives}, {size}")
    yield from _room(store, listed.archives, facts.spool.bytes)


def _lacking(archives: Sequence[Archive], head: Head | None, first: Vault | None) -> str:
    """What another store has and this one not, or what this host sealed."""
    names = {one.name for one in archives}
    elsewhere = [] if first is None else [one for one in first.archive_names()[0] if one not in names]
    if elsewhere:
        return ", ".join(elsewhere[:_LAST]) + (" and more" if elsewhere[_LAST:] else "")
    if head is not None and head not in [one.head for one in archives]:
        return f"number {head.sequence}, which was sealed here last"
    return ""


def _room(store: StoreSettings, archives: Sequence[Archive], spooled: int) -> Iterator[Finding]:
    free = free_bytes(store)
    if free is None:
        return
    what = f"room in store {store.name}"
    coming = max([spooled, *(one.manifest.file_bytes for one in archives[-_LAST:])])
    said = f"{byte_size(free)} free; the next archive may take {byte_size(coming)}"
    if free < coming:
        yield failed(what, said, f"make room: df -h {store.place}")
    elif free < max(coming * _ROOM_FOR, LEAST_FREE_BYTES):
        yield warning(what, said, f"make room soon: df -h {store.place}")
    else:
        yield ok(what, said)


def _writable(store: LocalStoreSettings) -> Iterator[Finding]:
    """Whether archives and the log can be put there. A bucket tells only by being written to."""
    what = f"writing to store {store.name}"
    folders = [store.path, *(path for name in ("archives", "audit") if (path := store.path / name).is_dir())]
    refused = [path for path in folders if not os.access(path, os.W_OK | os.X_OK)]
    if refused:
        yield warning(
            what,
            f"nothing can be put into {refused[0]} from here",
            f"on a host that only reads that is meant; else: ls -ld {refused[0]}, mount",
        )
    else:
        yield ok(what, f"it can be; all that is asked of it is proven by: archiver stores check {store.name}")
