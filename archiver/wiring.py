"""Settings to the parts that work together: the one place that knows all of them."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from archiver.chain import Head
from archiver.cycles import look_for_cycles_rarely
from archiver.disk import Lock, delete_partial_files, make_directories
from archiver.formats import age
from archiver.keyholders import Keyholders
from archiver.keys import load_identity, load_signing_key
from archiver.progress import Cursor, Gap
from archiver.seal import SealOptions
from archiver.settings import Settings
from archiver.spool import Spool
from archiver.state import CACHE_BYTES, KeyedHash, State
from archiver.stores.local import LocalStore
from archiver.vault import Vault


@dataclass(frozen=True, repr=False)
class Collector:
    """What a run that changes things works with; made by `open_collector`."""

    settings: Settings
    spool: Spool
    state: State
    key: KeyedHash


@contextmanager
def open_collector(settings: Settings, *, cache_bytes: int = CACHE_BYTES) -> Iterator[Collector]:
    """Lock, spool and state, the state brought up to the spool. `cache_bytes`: how much of the state to hold
    in memory. Raise LockedError where another run has the lock."""
    look_for_cycles_rarely()
    make_directories(settings.state.parent)
    with Lock(settings.lock):
        for folder in {settings.home, settings.recipients.parent}:  # rewritten when accounts or keys change
            delete_partial_files(folder, below=False)
        identity = load_identity(settings.spool_identity)
        with (
            closing(Spool(settings.spool, identity)) as spool,
            closing(State(settings.state, cache_bytes=cache_bytes)) as state,
        ):
            state.recover(spool)
            key = KeyedHash(hashlib.sha256(identity.encode().encode()).digest())
            yield Collector(settings, spool, state, key)


def available_cores() -> int:
    """How many processes can work side by side here."""
    return len(os.sched_getaffinity(0))


def open_vault(settings: Settings) -> Vault:
    """The vault; raise NoVaultError where there is none."""
    return Vault(LocalStore(settings.vault))


def seal_options(settings: Settings) -> SealOptions:
    """How to seal: today's keyholders, the collector's signing key, a process for each core."""
    recipients = Keyholders.load(settings.recipients).recipients()
    return SealOptions(
        recipients=recipients,
        signing_key=load_signing_key(settings.signing_key),
        classic=all(isinstance(one, age.X25519Recipient) for one in recipients),
        segment_bytes=settings.segment_bytes,
        language=settings.language,
        configuration=settings.digest,
        workers=min(4, available_cores()),
    )


def remembered_head(settings: Settings) -> tuple[Head | None, str | None]:
    """The chain's end as the collector left it, and an archive it has not finished; on another host, where
    there is no state, neither."""
    if not settings.state.exists():
        return None, None
    with closing(State(settings.state)) as state:
        sealing = state.sealing()
        return state.head(), None if sealing is None else sealing.archive


@dataclass(frozen=True)
class Waiting:
    """What the collector knows without the lock: spooled records and bytes, when each account's newest
    export was made, how far each kind of each account was collected through an interface, what is out of
    its reach, what it cost this month, the chain's end."""

    records: int = 0
    bytes: int = 0
    exports: Mapping[str, int] = field(default_factory=dict)
    cursors: Mapping[tuple[str, str, str], Cursor] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    spent: Mapping[str, int] = field(default_factory=dict)
    """Millionths of a dollar by account."""
    head: Head | None = None


def open_waiting(settings: Settings, month: str) -> Waiting:
    """Look at the spool and the state, changing nothing; empty where this host does not collect."""
    if not settings.state.exists() or not settings.spool_identity.exists():
        return Waiting()
    identity = load_identity(settings.spool_identity)
    with closing(Spool(settings.spool, identity)) as spool, closing(State(settings.state)) as state:
        pages = spool.pages()
        exports: dict[str, int] = {}
        for run in state.imports():
            exports[run.account] = max(run.generated_ms, exports.get(run.account, 0))
        spent: dict[str, int] = {}
        for one in spool.progress.spent(month):
            spent[one.account] = spent.get(one.account, 0) + one.micro_usd
        return Waiting(
            sum(page.records for page in pages),
            sum(page.plain_bytes for page in pages),
            exports,
            spool.progress.cursors(),
            tuple(gap for _, gap in spool.progress.gaps()),
            spent,
            state.head(),
        )
