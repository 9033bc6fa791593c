"""The register as a store has it: every chain followed from its beginning, every entry opened, nothing passed
over. A hold that is lost because its bytes are would be no hold."""

from collections.abc import Iterable, Sequence
from itertools import islice

from archiver.audit.bundle import MAXIMUM_BYTES
from archiver.audit.ends import look_at
from archiver.audit.following import SYNC_HINT, Follower, Unpacked, parse_signers, unpack_entry
from archiver.audit.names import (
    CUSTODY,
    CUSTODY_KEY,
    FOLDER,
    custody_keyholder,
    entry_name,
    parse_entry_name,
    signers_name,
)
from archiver.audit.reading import open_entry
from archiver.audit.signers import MAXIMUM_SIGNERS_BYTES, require_keyholders_key
from archiver.audit.verify import CutOffError, Noted
from archiver.chain import Head
from archiver.custody.entry import CustodyEntry, parse_custody
from archiver.custody.key import open_register_key
from archiver.custody.register import Custody
from archiver.errors import ArchiverError, IntegrityError
from archiver.formats.ssh_signature import AllowedSigners
from archiver.keys import Identity
from archiver.stores.base import Store

AT_ONCE = 256
"""Entries read together: of a store far away each is a request, until it is in the cache."""
_TRIES = 3
"""To read a register that others write to meanwhile."""


def load_custody(
    store: Store, identities: Sequence[Identity], *, vault: str | None = None, noted: Iterable[Noted] = ()
) -> Custody:
    """All decisions that a store has. An empty register where nothing was ever decided, without a key.

    `vault`: the id of the vault that they must be of; `noted`: ends of chains that something else names, as
    the manifests do (`noted_in`). Raise NoKeyError where none of the identities opens the register;
    IntegrityError where anything of it is damaged, missing, out of order, signed by somebody else, or cut off
    at its end."""
    return load_custody_of_all([store], identities, vault=vault, noted=noted)


def load_custody_of_all(
    stores: Sequence[Store],
    identities: Sequence[Identity],
    *,
    vault: str | None = None,
    noted: Iterable[Noted] = (),
) -> Custody:
    """All decisions that any of these stores has: one that was away may lack some. Raise as `load_custody`,
    for what is wrong in any of them, and where two do not agree."""
    noted = list(noted)
    for left in range(_TRIES - 1, -1, -1):
        ends = _Ends(noted)
        entries = [entry for store in stores for entry in _read(store, identities, vault, ends)]
        try:
            ends.require_met()
        except CutOffError as error:
            if not left or all(look_at(store, error.chain, error.noted) is None for store in stores):
                raise
        else:
            return Custody.of(entries)
    raise AssertionError  # pragma: no cover - the last try returned or raised


def has_custody(store: Store) -> bool:
    """Whether a store has anything of a register; asks for one list of names."""
    return any(store.list(f"{FOLDER}{CUSTODY}"))


def noted_in(manifests: Iterable[tuple[str, dict[str, Head]]]) -> list[Noted]:
    """What manifests say of the register's chains: the name of each and its `logs`."""
    return [
        Noted(chain, head, f"archives/{archive}/manifest.json")
        for archive, logs in manifests
        for chain, head in logs.items()
        if custody_keyholder(chain) is not None
    ]


def _read(
    store: Store, identities: Sequence[Identity], vault: str | None, ends: "_Ends"
) -> list[CustodyEntry]:
    chains = _chains_of(store.list(f"{FOLDER}{CUSTODY}"))
    if not chains:
        return []
    key = open_register_key(store, identities)
    entries: list[CustodyEntry] = []
    for chain, numbers in sorted(chains.items()):
        entries += _Reader(store, chain, key, vault, ends).read(numbers)
    return entries


def _chains_of(listed: Iterable[str]) -> dict[str, list[int]]:
    """The numbers of each chain. Raise IntegrityError for a file that is not of the register."""
    chains: dict[str, list[int]] = {}
    for name in listed:
        place = parse_entry_name(name)
        if place is not None and custody_keyholder(place[0]) is not None:
            chains.setdefault(place[0], []).append(place[1])
        elif name != CUSTODY_KEY and not _is_signers(name):
            raise IntegrityError(f"{name} is not of the custody register", "somebody put it there")
    return chains


def _is_signers(name: str) -> bool:
    chain = name.removeprefix(FOLDER).partition("/")[0]
    return custody_keyholder(chain) is not None and name == signers_name(chain)


class _Ends:
    """Ends of chains that something names, and those that were met."""

    def __init__(self, noted: Sequence[Noted]) -> None:
        self._claims: dict[tuple[str, int], Noted] = {}
        self._met: dict[str, dict[int, str]] = {}
        for one in noted:
            self._claims.setdefault((one.chain, one.head.sequence), one)

    def take(self, entry: Unpacked) -> None:
        met = self._met.setdefault(entry.link.chain, {})
        if met.setdefault(entry.head.sequence, entry.head.sha256) != entry.head.sha256:
            raise IntegrityError(
                f"{entry.name} is another one in another store", "see which is whole: archiver log verify"
            )
        for chain, head in entry.link.logs.items():
            if custody_keyholder(chain) is not None:
                self._claims.setdefault((chain, head.sequence), Noted(chain, head, entry.name))

    def require_met(self) -> None:
        for (chain, number), one in sorted(self._claims.items(), reverse=True):
            met = self._met.get(chain, {})
            if number not in met:
                raise CutOffError(chain, max(met, default=0), number, one.where)
            if met[number] != one.head.sha256:
                raise IntegrityError(
                    f"{entry_name(chain, number)} is not the one that {one.where} has noted",
                    "the register was written anew since: see archiver log verify",
                )


class _Reader:
    """Reads one chain."""

    def __init__(self, store: Store, chain: str, key: Identity, vault: str | None, ends: _Ends) -> None:
        self._store = store
        self._chain = chain
        self._keyholder = custody_keyholder(chain) or ""
        self._key = key
        self._vault = vault
        self._ends = ends

    def read(self, numbers: Sequence[int]) -> list[CustodyEntry]:
        follower = Follower(self._chain, self._allowed(), vault=self._vault)
        rest = iter(sorted(numbers))
        found: list[CustodyEntry] = []
        while batch := list(islice(rest, AT_ONCE)):
            names = [entry_name(self._chain, number) for number in batch]
            read = self._store.read_many(dict.fromkeys(names, MAXIMUM_BYTES))
            for name in names:
                data = read[name]
                if isinstance(data, ArchiverError):
                    raise data
                found.append(self._open(unpack_entry(data, name), follower))
        return found

    def _allowed(self) -> AllowedSigners:
        name = signers_name(self._chain)
        data = self._store.look(name, MAXIMUM_SIGNERS_BYTES)
        if data is None:
            raise IntegrityError(f"{name} is missing", SYNC_HINT)
        allowed = parse_signers(data, self._chain)
        require_keyholders_key(self._store, self._chain, self._keyholder, allowed)
        return allowed

    def _open(self, sealed: Unpacked, follower: Follower) -> CustodyEntry:
        follower.follow(sealed)
        plain = open_entry(sealed, [self._key])
        if plain is None:
            raise IntegrityError(
                f"{sealed.name} is not sealed to the custody register's key",
                "somebody who can write to the store put it there: see archiver log verify",
            )
        custody = parse_custody(plain.entry, self._chain, self._keyholder, self._key, sealed.name)
        self._ends.take(sealed)
        return custody
