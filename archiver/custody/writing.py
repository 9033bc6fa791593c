"""A keyholder's decisions put on record, each durable in a store before anything follows from it."""

import secrets
from uuid import UUID

from archiver.audit.entry import Actor
from archiver.audit.keyholder import KeyholderLog
from archiver.audit.names import custody_keyholder
from archiver.audit.writing import RandomBytes, new_nonce
from archiver.custody.entry import CustodyEntry, Draft, log_entry, make_custody
from archiver.keys import Identity
from archiver.times import Clock, format_time


class CustodyWriter:
    """Adds to one keyholder's chain. `log`: a chain of the name `_custody.KEYHOLDER`, sealed to the
    register's key (`archiver.wiring.custody.open_custody_writer` makes it)."""

    def __init__(
        self,
        log: KeyholderLog,
        key: Identity,
        actor: Actor,
        clock: Clock,
        random_bytes: RandomBytes = secrets.token_bytes,
    ) -> None:
        self._log = log
        self._key = key
        self._actor = actor
        self._clock = clock
        self._random_bytes = random_bytes

    @property
    def keyholder(self) -> str:
        return custody_keyholder(self._log.chain) or ""

    def add(self, draft: Draft) -> CustodyEntry:
        """Put a decision on record. Raise UsageError where it says too much or gives no reason; as
        `KeyholderLog.write` where it cannot be kept: then nothing may follow from it."""
        entry = make_custody(draft, entry_id=self._new_id(), at=format_time(self._clock()), by=self.keyholder)
        nonce = new_nonce(self._random_bytes)
        self._log.write(log_entry(entry, self._log.chain, self._key, self._actor, nonce=nonce))
        return entry

    def _new_id(self) -> str:
        return str(UUID(bytes=self._random_bytes(16), version=4))
