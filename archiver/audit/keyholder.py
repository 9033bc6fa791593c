"""A keyholder's chain: entries put straight into a store, create-only, each before what it tells of happens.

The host remembers where it left the chain. A near store is looked at for that entry each time, one far away
once a process; then an entry is one request. Where another host or process of the same keyholder was faster,
its entry is read and followed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from archiver.audit.ends import advance, find_last, look_at
from archiver.audit.entry import Entry
from archiver.audit.following import Follower
from archiver.audit.kept import KeptEntries
from archiver.audit.names import signers_name
from archiver.audit.remembered import Remembered, load_heads, save_head
from archiver.audit.signers import require_signer
from archiver.audit.writing import ChainWriter, Known, Made, make_next
from archiver.chain import Head
from archiver.errors import ArchiverError, ConfigurationError, IntegrityError, NoVaultError
from archiver.formats.ssh_signature import AllowedSigners
from archiver.stores.base import ExistsInStoreError, Store
from archiver.stores.checks import parse_vault_id
from archiver.stores.named import NamedStore

MOST_TRIES = 1_000
"""To find the next free number while others write to the same chain."""
_MAXIMUM_SMALL_FILE = 1 << 20


@dataclass
class _Place:
    """A store that entries go to; who may sign the chain there, once that was read; whether the chain's end
    was looked for."""

    name: str
    store: Store
    allowed: AllowedSigners | None = None
    looked: bool = False


@dataclass(frozen=True, repr=False)
class LogSetting:
    """What a keyholder's chain is written with. `stores`: where entries may go, the first that can be written
    is taken; `opened`: the name of one that is known to hold the vault; `heads`: the file where the chain's
    end is remembered; `archives`: the vault's last archive as far as it is known; `others`: chains whose ends
    are looked for in a near store."""

    writer: ChainWriter
    stores: Sequence[NamedStore]
    heads: Path
    opened: str | None = None
    archives: Callable[[], Head | None] = lambda: None
    others: Sequence[str] = field(default_factory=tuple)


class KeyholderLog:
    """Writes one keyholder's chain."""

    def __init__(self, setting: LogSetting) -> None:
        self._setting = setting
        self._writer = setting.writer
        self._vault = setting.writer.vault or ""
        self._kept = kept_of(setting.heads, self._vault, self.chain)
        self._place: _Place | None = None
        self._made: Made | None = None

    @property
    def chain(self) -> str:
        return self._writer.chain

    def write(self, entry: Entry, *, next_signer: str | None = None) -> Made:
        """Put the next entry of the chain, durably. Raise IntegrityError where the store has not what was
        written before, or the chain is not whole there; ArchiverError where no store takes it: then nothing
        may happen that the entry was to tell of."""
        failed: list[ArchiverError] = []
        for place in self._places(failed):
            try:
                return self._write(place, entry, next_signer)
            except (IntegrityError, ConfigurationError):
                raise
            except ArchiverError as error:
                failed.append(error)
                self._place = None
        first = failed[0] if failed else ArchiverError("the settings name no store")
        hint = "what is read of a vault is logged in it first: let a store of the settings be written to"
        raise ArchiverError(
            f"the log cannot be written, so nothing is done: {first.message}",
            hint if first.hint is None else f"{hint}; {first.hint}",
        ) from first

    # Where to

    def _places(self, failed: list[ArchiverError]) -> Iterator[_Place]:
        """The store that took the last entry, then the others in their order, each that holds the vault."""
        taken = self._place
        if taken is not None:
            yield taken
        for named in self._setting.stores:
            if taken is not None and named.name == taken.name:
                continue
            try:
                self._place = place = self._open(named)
            except ArchiverError as error:
                failed.append(error)
            else:
                yield place

    def _open(self, named: NamedStore) -> _Place:
        store = named.open()
        if named.name != self._setting.opened:
            data = store.look("vault.json", _MAXIMUM_SMALL_FILE)
            if data is None or parse_vault_id(data, store.location) != self._vault:
                raise NoVaultError(f"store {named.name} ({store.location}) does not hold this vault")
        return _Place(named.name, store)

    def _allowed(self, place: _Place) -> AllowedSigners:
        """Who may sign the chain there; the list is put there where there is none."""
        if place.allowed is None:
            place.allowed = require_signer(place.store, self.chain, self._writer.key)
        return place.allowed

    # One entry

    def _write(self, place: _Place, entry: Entry, next_signer: str | None) -> Made:
        remembered = self._remembered()
        if remembered is None or remembered.store != place.name:
            self._allowed(place)
        if remembered is not None and (place.store.is_near or not place.looked):
            self._require(place, remembered)
        head = self._end_in(place) if remembered is None else remembered.head
        place.looked = True
        known = self._known(place, remembered)
        for _ in range(MOST_TRIES):
            made = self._make(head, entry, known, next_signer)
            try:
                place.store.append(made.name, made.data)
            except ExistsInStoreError:
                head = self._follow_another(place, head, made)
                continue
            self._kept.keep(made.head.sequence, made.data)
            self._remember(place, made.head, known)
            return made
        raise ArchiverError(f"the log of {self.chain} is written to by others without end", "try again")

    def _make(self, head: Head | None, entry: Entry, known: Known, next_signer: str | None) -> Made:
        """The entry; or the very same once more where a store may have taken it though it said nothing."""
        before = self._made
        numbered = replace(entry, sequence=1 if head is None else head.sequence + 1)
        previous = None if head is None else head.sha256
        if before is None or before.entry != numbered or before.link.previous != previous:
            self._made = before = make_next(self._writer, head, entry, known, next_signer=next_signer)
        return before

    def _follow_another(self, place: _Place, head: Head | None, made: Made) -> Head:
        """Take what another put under the number that was to be ours, or this host before it was cut off."""
        found = look_at(place.store, self.chain, made.head.sequence)
        if found is None:
            raise ArchiverError(f"{made.name} is taken in {place.store.location}, but cannot be read")
        Follower(self.chain, self._allowed(place), vault=self._vault, head=head).follow(found)
        return found.head

    def _remembered(self) -> Remembered | None:
        found = load_heads(self._setting.heads).get(self._vault)
        return found if found is not None and found.chain == self.chain else None

    def _require(self, place: _Place, remembered: Remembered) -> None:
        """Raise IntegrityError where the store that had the last entry has it no longer, or another; one that
        never had it is given what was kept here, as far as that goes."""
        found = look_at(place.store, self.chain, remembered.sequence)
        if found is None and remembered.store != place.name:
            self._kept.fill(place.store, remembered.head)
            found = look_at(place.store, self.chain, remembered.sequence)
        if found is None:
            raise IntegrityError(
                f"store {place.name} has not entry {remembered.sequence} of the log of {self.chain}, written"
                " from here: it was cut off there, or the store is an older copy",
                "a store that has it gives it to the others: archiver sync",
            )
        if found.head != remembered.head:
            raise IntegrityError(
                f"{found.name} in {place.store.location} is not the entry that was written from here",
                "the log was written anew since: archiver log verify",
            )

    def _end_in(self, place: _Place) -> Head | None:
        """The chain's end, where this host has never written to it: found by listing its names once."""
        last = find_last(place.store, self.chain)
        return None if last is None else last.head

    def _known(self, place: _Place, remembered: Remembered | None) -> Known:
        logs = {} if remembered is None else dict(remembered.logs)
        if place.store.is_near:
            others = [one for one in self._setting.others if one != self.chain]
            logs = advance(place.store, others, logs)
        return Known(self._setting.archives(), logs)

    def _remember(self, place: _Place, head: Head, known: Known) -> None:
        remembered = Remembered(
            chain=self.chain,
            sequence=head.sequence,
            sha256=head.sha256,
            store=place.name,
            logs=dict(known.logs or {}),
        )
        save_head(self._setting.heads, self._vault, remembered)


def kept_of(heads: Path, vault: str, chain: str) -> KeptEntries:
    """Where this host keeps the last entries of a chain of a vault, beside what remembers its end."""
    return KeptEntries(heads.with_suffix(".log") / vault, chain)


def mend(heads: Path, vault: str, store: Store) -> int:
    """Give a store what this host wrote last of a keyholder's chain and what the store lacks, as where it was
    lost and brought back from another; return how many entries. Raise as reading and writing the store
    does."""
    remembered = load_heads(heads).get(vault)
    if remembered is None or store.look(signers_name(remembered.chain), _MAXIMUM_SMALL_FILE) is None:
        return 0
    return kept_of(heads, vault, remembered.chain).fill(store, remembered.head)
