"""The collecting host's chain: its entries are durable beside the spool at once, and put into a store when
one is at hand. So collecting, and hiding abuse, goes on while a store is away, and is logged before it
happens.

A folder: entries that no store has yet, as they will lie there; `head.json`, where the chain was left; a lock
for making one, and one for putting them.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from archiver import disk
from archiver.audit.beginning import Start
from archiver.audit.bundle import MAXIMUM_BYTES
from archiver.audit.ends import advance, find_last, look_at
from archiver.audit.entry import Entry
from archiver.audit.following import Unpacked, parse_signers, unpack_entry
from archiver.audit.kept import KeptEntries
from archiver.audit.names import NAMESPACE, entry_name, is_chain, signers_name, stem_of
from archiver.audit.signers import MAXIMUM_SIGNERS_BYTES, require_signer, with_later_keys
from archiver.audit.writing import ChainWriter, Known, Made, make_next
from archiver.chain import Head, encode_document, parse_document, require_known_format
from archiver.errors import ArchiverError, ConfigurationError, IntegrityError
from archiver.formats.ssh_signature import AllowedSigners, SignatureError, SigningKey, verify
from archiver.keyholders import Recipient
from archiver.stores.base import ExistsInStoreError, Store
from archiver.stores.checks import find_vault_id

FORMAT = "archiver-log-queue-1"
WAIT_SECONDS = 60.0
"""For another process that makes an entry just now, which takes some milliseconds."""
_MAXIMUM_SMALL_FILE = 1 << 20
_ANEW = "keep a copy of {folder} and move it away: the log goes on from what the store has"


class _State(Struct, frozen=True, kw_only=True):
    format: str
    chain: str
    vault: str | None
    head: Head | None
    logs: dict[str, Head] = {}
    signer: str | None = None
    """The key's fingerprint; None of a version that did not note it."""


class Queue:
    """The entries that wait, in a folder. `start` is asked once, where the folder is new."""

    def __init__(
        self,
        folder: Path,
        key: SigningKey,
        recipients: Callable[[], list[Recipient]],
        start: Callable[[], Start],
        archives: Callable[[], Head | None] = lambda: None,
    ) -> None:
        self.folder = folder
        self._key = key
        self._recipients = recipients
        self._start = start
        self._archives = archives

    def write(self, entry: Entry) -> Made:
        """Make the next entry of the chain, durable here. Raise ArchiverError where the disk does not take
        it: then nothing may happen that it was to tell of."""
        try:
            disk.make_directories(self.folder, 0o700)
            with self._lock():
                state = self._load()
                self._require_same_key(state)
                last = self._last(state)
                writer = ChainWriter(state.chain, state.vault, self._key, self._recipients())
                made = make_next(writer, last, entry, Known(self._archives(), state.logs))
                disk.create_exclusively(self._path(made.head.sequence), made.data)
                return made
        except ArchiverError as error:
            error.add_note("while writing the log")
            raise

    def waiting(self) -> list[Unpacked]:
        """The entries that no store has yet, oldest first. Raise IntegrityError for one that is none."""
        chain = self._load_state()
        return [] if chain is None else [self._read(chain.chain, one) for one in self._numbers()]

    def end(self) -> tuple[str, Head] | None:
        """The chain, and the last entry of it that a store has; None where none has any."""
        state = self._load_state()
        return None if state is None or state.head is None else (state.chain, state.head)

    def flush(self, store: Store, others: Iterable[str] = (), *, mend: bool = False) -> int:
        """Put what waits into a store, in order; return how many. Raise IntegrityError where the store has
        not what comes before, or has other entries in their place; StoreError where it takes none: then they
        wait on. `others`: chains whose ends are looked for there, to be named by what comes next. `mend`:
        first give the store what it had, or never got, of those before, as far as they are kept here."""
        if self._load_state() is None:
            return 0
        with disk.Lock(self.folder / "flush.lock", wait_seconds=WAIT_SECONDS):
            state = self._load()
            if mend and state.head is not None:
                require_signer(store, state.chain, self._key)
                self._kept(state).fill(store, state.head)
            numbers = self._numbers()
            if state.vault is None:  # what is made from now on names it
                state = msgspec.structs.replace(state, vault=find_vault_id(store))
            put = self._put_all(store, state, numbers)
            logs = advance(store, others, state.logs) if store.is_near else state.logs
            with self._lock():
                self._let_go(state, put, logs)
            return len(put)

    def catch_up(self, store: Store) -> None:
        """Where this folder is an older copy, as of a backup: go on behind what a store has had of the chain
        since; and where the key was exchanged, begin another chain, once the store has all of this one. Does
        nothing where entries wait here that it does not take, or where its chain does not go on from here."""
        state = self._load_state()
        if state is None:
            return
        if state.signer not in (None, self._key.fingerprint()):
            self.flush(store)
            with self._lock():
                if not self._numbers():
                    self._save(self._begun())
        with disk.Lock(self.folder / "flush.lock", wait_seconds=WAIT_SECONDS), self._lock():
            state = self._load()
            if self._numbers() or state.head is None:
                return
            last = find_last(store, state.chain)
            if last is None or last.head.sequence <= state.head.sequence:
                return
            known = look_at(store, state.chain, state.head.sequence)
            if known is not None and known.head == state.head:
                self._save(msgspec.structs.replace(state, head=last.head))

    def _signers(self, store: Store, chain: str, entry: Unpacked) -> AllowedSigners:
        """Who may sign the chain, whoever signed this entry among them: the key here may be another since.
        Where there is no list yet one with the key here is put there."""
        listed = store.look(signers_name(chain), MAXIMUM_SIGNERS_BYTES)
        allowed = None if listed is None else parse_signers(listed, chain)
        if allowed is None:
            allowed = require_signer(store, chain, self._key)
        if not _is_signed_by(allowed, entry):
            allowed = with_later_keys(store, chain, allowed)
        return allowed

    def _require_signed(self, allowed: AllowedSigners, store: Store, entry: Unpacked) -> None:
        if not _is_signed_by(allowed, entry):
            raise ConfigurationError(
                f"{entry.name} waits here, signed with a key that does not sign this chain in"
                f" {store.location}",
                _ANEW.format(folder=self.folder),
            )

    def _require_same_key(self, state: _State) -> None:
        """Raise ConfigurationError where the key here is not the one that the chain was begun with: what it
        signs could never be put into a store."""
        if state.signer not in (None, self._key.fingerprint()):
            raise ConfigurationError(
                f"the signing key here, {self._key.fingerprint()}, is not the one that signs this host's part"
                f" of the log, {state.signer}",
                "bring that key back, or, if it was exchanged for this one: archiver schedule take-over"
                " --reason TEXT",
            )

    def _put_all(self, store: Store, state: _State, numbers: list[int]) -> list[Head]:
        if not numbers:
            return []
        first = self._read(state.chain, numbers[0])
        allowed = self._signers(store, state.chain, first)
        self._require_signed(allowed, store, first)
        self._require_before(store, state.chain, first)
        return [self._put(store, state, one, allowed) for one in numbers]

    def _put(self, store: Store, state: _State, number: int, allowed: AllowedSigners) -> Head:
        entry = self._read(state.chain, number)
        self._require_signed(allowed, store, entry)
        data = self._bytes(number)
        try:
            store.append(entry.name, data)
        except ExistsInStoreError:
            if store.look(entry.name, MAXIMUM_BYTES) != data:
                raise IntegrityError(
                    f"{entry.name} is in {store.location} already, and is not the one that was written here:"
                    " another host writes this chain, or the spool is an older copy",
                    _ANEW.format(folder=self.folder),
                ) from None
        return entry.head

    def _require_before(self, store: Store, chain: str, entry: Unpacked) -> None:
        if entry.head.sequence == 1:
            return
        before = look_at(store, chain, entry.head.sequence - 1)
        if before is None or before.head.sha256 != entry.link.previous:
            raise IntegrityError(
                f"{entry_name(chain, entry.head.sequence - 1)} in {store.location} is"
                f" {'missing' if before is None else 'not the one that was written here'}:"
                " the log was cut off or written anew there",
                "see archiver log verify; from a store that has it: archiver sync",
            )

    def _let_go(self, state: _State, put: list[Head], logs: Mapping[str, Head]) -> None:
        """Remember the end of the chain, then remove what a store has: a kill between leaves what is put
        once more, and found there."""
        end = put[-1] if put else state.head
        signer = state.signer or (self._read(state.chain, end.sequence).link.signer if put and end else None)
        new = msgspec.structs.replace(state, head=end, logs=dict(logs), signer=signer)
        if new != self._load_state():
            self._save(new)
        for one in put:
            self._kept(state).keep(one.sequence, self._bytes(one.sequence))
            with disk.os_errors_reported("removing", self._path(one.sequence)):
                self._path(one.sequence).unlink(missing_ok=True)

    def _kept(self, state: _State) -> KeptEntries:
        return KeptEntries(self.folder / "kept", state.chain)

    # What lies in the folder

    def _lock(self) -> disk.Lock:
        return disk.Lock(self.folder / "lock", wait_seconds=WAIT_SECONDS)

    def _load(self) -> _State:
        """Where the chain was left; in a new folder, where it begins, noted before the first entry."""
        state = self._load_state()
        if state is None:
            state = self._begun()
            self._save(state)
        return state

    def _begun(self) -> _State:
        start = self._start()
        return _State(
            format=FORMAT,
            chain=start.chain,
            vault=start.vault,
            head=start.head,
            signer=self._key.fingerprint(),
        )

    def _load_state(self) -> _State | None:
        path = self.folder / "head.json"
        try:
            with path.open("rb") as file:
                data = file.read(_MAXIMUM_SMALL_FILE)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise disk.translate_os_error(error, "reading", path) from error
        require_known_format(data, str(path), FORMAT)
        try:
            state = msgspec.convert(parse_document(data, str(path)), _State)
        except (msgspec.ValidationError, IntegrityError) as error:
            raise IntegrityError(
                f"{path} does not say where the log was left: it is damaged", _ANEW.format(folder=self.folder)
            ) from error
        if not is_chain(state.chain):
            raise IntegrityError(f"{path} names no chain", _ANEW.format(folder=self.folder))
        return state

    def _save(self, state: _State) -> None:
        fields: dict[str, Any] = msgspec.to_builtins(state)
        disk.write_atomically(self.folder / "head.json", encode_document(fields))

    def _last(self, state: _State) -> Head | None:
        numbers = self._numbers()
        return self._read(state.chain, numbers[-1]).head if numbers else state.head

    def _numbers(self) -> list[int]:
        with disk.os_errors_reported("reading", self.folder):
            names = [one.removesuffix(".tar") for one in os.listdir(self.folder) if one.endswith(".tar")]
        return sorted(int(one) for one in names if one.isascii() and one.isdigit())

    def _path(self, sequence: int) -> Path:
        return self.folder / f"{stem_of(sequence)}.tar"

    def _bytes(self, sequence: int) -> bytes:
        with (
            disk.os_errors_reported("reading", self._path(sequence)),
            self._path(sequence).open("rb") as file,
        ):
            return file.read(MAXIMUM_BYTES + 1)

    def _read(self, chain: str, sequence: int) -> Unpacked:
        return unpack_entry(self._bytes(sequence), entry_name(chain, sequence))


def _is_signed_by(allowed: AllowedSigners, entry: Unpacked) -> bool:
    try:
        verify(entry.signature, entry.link_data, NAMESPACE, allowed)
    except SignatureError:
        return False
    return True
