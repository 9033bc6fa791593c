"""A custody register, made up, in stores in memory."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from archiver.audit.acts import Act
from archiver.audit.entry import Actor, Asked
from archiver.audit.keyholder import KeyholderLog, LogSetting
from archiver.audit.names import custody_chain
from archiver.audit.writing import ChainWriter
from archiver.custody.entry import CustodyEntry, Draft, RecordId, Scope
from archiver.custody.key import require_register_key
from archiver.custody.writing import CustodyWriter
from archiver.formats.ssh_signature import SigningKey
from archiver.keys import Identity, new_identity
from archiver.stores.base import Store
from archiver.stores.named import NamedStore, OpenedStore
from tests.memory_store import MemoryStore

NOW = 1_793_500_000_000
VAULT = "6a1f0e0a-0000-4000-8000-000000000001"
ANNE = new_identity(classic=True)
BERT = new_identity(classic=True)
STRANGER = new_identity(classic=True)
KEYS = {name: SigningKey.generate(name) for name in ("records", "complaints")}
FIRST = RecordId("x", "post", "1000000001")
SECOND = RecordId("x", "post", "1000000002")


def make_store(*, is_near: bool = True) -> MemoryStore:
    store = MemoryStore(is_near=is_near)
    store.put_new("vault.json", json.dumps({"vault": VAULT}).encode())
    return store


def opened(*stores: Store) -> list[OpenedStore]:
    return [OpenedStore(f"store{number}", True, store) for number, store in enumerate(stores)]


def _log(
    stores: Iterable[Store], folder: Path, chain: str, key: SigningKey, recipients: Iterable[Identity]
) -> KeyholderLog:
    def named(number: int, store: Store) -> NamedStore:
        return NamedStore(f"store{number}", True, lambda: store)

    writer = ChainWriter(chain, VAULT, key, [one.recipient() for one in recipients])
    others = [custody_chain(name) for name in KEYS]
    setting = LogSetting(
        writer, [named(*one) for one in enumerate(stores)], folder / f"{chain}.log-head", others=others
    )
    return KeyholderLog(setting)


def register_of(
    *stores: Store,
    folder: Path,
    name: str = "records",
    key: SigningKey | None = None,
    clock: Callable[[], int] = lambda: NOW,
) -> CustodyWriter:
    """A keyholder's register, whose log has an act, as the command line's has."""
    signing = key or KEYS[name]
    actor = Actor(name, "clerk", "desk", "archiver 0", "digest")
    log = _log(stores, folder, name, signing, [ANNE])
    Act(log, actor, Asked("hold", "hold add"), clock).end()
    identity = require_register_key(opened(*stores), [ANNE], [ANNE.recipient()])
    return CustodyWriter(
        _log(stores, folder, custody_chain(name), signing, [identity]), identity, actor, clock
    )


def hold(*archives: str, case: str | None = None, reason: str = "a complaint") -> Draft:
    return Draft(kind="hold", reason=reason, scope=Scope(archives=archives), case=case)


def release(entry: CustodyEntry) -> Draft:
    return Draft(kind="release", reason="it was withdrawn", of=(entry.id,))
