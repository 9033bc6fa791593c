"""Chains of the log, made up, in stores in memory."""

import json
from collections.abc import Iterable
from pathlib import Path

from archiver.audit.acts import Act
from archiver.audit.entry import Actor, Asked
from archiver.audit.keyholder import KeyholderLog, LogSetting
from archiver.audit.verify import Against, Noted, verify_log
from archiver.audit.writing import ChainWriter
from archiver.chain import Head
from archiver.formats.ssh_signature import SigningKey
from archiver.keys import new_identity
from archiver.stores.base import Store
from archiver.stores.named import NamedStore
from tests.memory_store import MemoryStore

NOW = 1_793_500_000_000
VAULT = "6a1f0e0a-0000-4000-8000-000000000001"
AUDITOR = new_identity(classic=True)
STRANGER = new_identity(classic=True)
KEY = SigningKey.generate("records")
OTHER_KEY = SigningKey.generate("records")
ACTOR = Actor("records", "clerk", "desk", "archiver 0", "digest")


def make_store(*, is_near: bool = True) -> MemoryStore:
    store = MemoryStore(is_near=is_near)
    store.put_new("vault.json", json.dumps({"vault": VAULT}).encode())
    return store


def writer(chain: str = "records", key: SigningKey = KEY) -> ChainWriter:
    return ChainWriter(chain, VAULT, key, [AUDITOR.recipient()])


def log_of(
    stores: Iterable[tuple[str, Store]],
    folder: Path,
    *,
    chain: str = "records",
    key: SigningKey = KEY,
    others: tuple[str, ...] = (),
    archives: Head | None = None,
) -> KeyholderLog:
    def named(name: str, store: Store) -> NamedStore:
        return NamedStore(name, True, lambda: store)

    setting = LogSetting(
        writer(chain, key),
        [named(*one) for one in stores],
        folder / f"{chain}.log-head",
        archives=lambda: archives,
        others=others,
    )
    return KeyholderLog(setting)


def act(log: KeyholderLog, number: int = 1, **about: str) -> list[Act]:
    """So many acts, begun and ended."""
    acts = []
    for count in range(number):
        one = Act(log, ACTOR, Asked("search", "search", query=f"query {count}", **about), lambda: NOW)  # type: ignore[arg-type]
        one.end(results=count)
        acts.append(one)
    return acts


def problems(store: Store, *noted: Noted) -> list[str]:
    """What verifying says of a store's log."""
    return [one.message for one in verify_log(store, Against(VAULT, noted=noted)).problems]
