"""Settings to what a run that changes things works with: the lock, the spool and the state. Apart from the
rest of the wiring, as `archiver run` loads no more than this where nothing is due.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from archiver.cycles import look_for_cycles_rarely
from archiver.disk import Lock, delete_partial_files, make_directories
from archiver.keys import load_identity
from archiver.settings import Settings
from archiver.spool import Spool
from archiver.state import CACHE_BYTES, KeyedHash, State


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
        # Rewritten when accounts or keys change; and where entries of the log are made.
        for folder in {settings.home, settings.recipients.parent, settings.log_queue}:
            if folder.is_dir():
                delete_partial_files(folder, below=False)
        identity = load_identity(settings.spool_identity)
        with (
            closing(Spool(settings.spool, identity)) as spool,
            closing(State(settings.state, cache_bytes=cache_bytes)) as state,
        ):
            state.recover(spool)
            key = KeyedHash.of(identity)
            yield Collector(settings, spool, state, key)
