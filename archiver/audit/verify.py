"""Is the log whole? Every chain in a store followed from its first entry to its last, and held against every
end of it that was noted anywhere else. Needs no private key.

Found are: an entry that is missing, altered, moved, signed by somebody else or put in by somebody else; and a
chain whose end was cut off, where a manifest, another chain, this host or a person has noted a later one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archiver.audit.bundle import MAXIMUM_BYTES
from archiver.audit.ends import look_at
from archiver.audit.following import Follower, Unpacked, parse_signers, unpack_entry
from archiver.audit.names import (
    COLLECTOR,
    CUSTODY_KEY,
    FOLDER,
    custody_keyholder,
    damaged_custody_key,
    entry_name,
    is_custody,
    parse_entry_name,
    signers_name,
)
from archiver.audit.signers import MAXIMUM_SIGNERS_BYTES, require_keyholders_key
from archiver.chain import Head
from archiver.errors import ArchiverError, IntegrityError, NewerVersionError
from archiver.formats.ssh_signature import AllowedSigners
from archiver.keys import MAXIMUM_KEY_BYTES, is_age_file
from archiver.stores.base import Store

Progress = Callable[[str, int, int], None]
AT_ONCE = 256
"""Entries read together: of a store far away each is a request."""
_GONE_HINT = "what was between was removed: archiver sync, if another store has it"


class CutOffError(IntegrityError):
    """A chain's end that something has noted is not in a store."""

    def __init__(self, chain: str, last: int, noted: int, where: str) -> None:
        super().__init__(
            f"the log of {chain} ends at entry {last}, and {where} has noted entry {noted}: its end was cut"
            " off",
            "another store may have what was cut off: archiver sync",
        )
        self.chain = chain
        self.noted = noted


class LostArchiveError(IntegrityError):
    """An archive that the log has noted is not in a store."""

    def __init__(self, number: int, how: str, where: str) -> None:
        super().__init__(
            f"archive number {number} {how}, which {where} has noted",
            "see archiver verify; another store may have it: archiver sync",
        )
        self.number = number


@dataclass(frozen=True)
class Noted:
    """An end of a chain as something says it, and what that is, in words."""

    chain: str
    head: Head
    where: str


@dataclass(frozen=True)
class Against:
    """What a store's log is held against: the vault's id; who may sign the vault's manifests; the archives by
    their numbers, None where they were not listed; ends of chains noted elsewhere."""

    vault: str
    signers: AllowedSigners | None = None
    archives: Mapping[int, str] | None = None
    noted: Sequence[Noted] = ()


@dataclass
class LogVerification:
    """The end of each chain that was found, how many entries, and every problem."""

    heads: dict[str, Head] = field(default_factory=dict)
    entries: int = 0
    problems: list[ArchiverError] = field(default_factory=list)


def verify_log(
    store: Store,
    against: Against,
    *,
    waiting: Iterable[Unpacked] = (),
    progress: Progress = lambda what, done, total: None,
) -> LogVerification:
    """Check all that a store has of the log. `waiting`: entries that this host has made and not put there
    yet, which go on with its chain. Raise StoreError where the store cannot be listed."""
    result = LogVerification()
    chains: dict[str, list[int]] = {}
    listed = list(store.list(FOLDER))
    for name in listed:
        place = parse_entry_name(name)
        if place is not None:
            chains.setdefault(place[0], []).append(place[1])
        elif name != CUSTODY_KEY and not _is_signers(name):
            result.problems.append(IntegrityError(f"{name} is not of the log", "somebody put it there"))
    result.problems += _custody_key_problems(
        store, is_there=CUSTODY_KEY in listed, is_needed=any(is_custody(chain) for chain in chains)
    )
    waits: dict[str, list[Unpacked]] = {}
    for one in waiting:
        waits.setdefault(one.link.chain, []).append(one)
    claims = _Claims(store, against)
    for chain in sorted({*chains, *waits}):
        numbers = sorted(chains.get(chain, []))
        checker = _Checker(store, chain, against, result, claims)
        checker.check(numbers, waits.get(chain, []), progress, len(listed))
    result.problems += claims.unmet()
    return result


def _custody_key_problems(store: Store, *, is_there: bool, is_needed: bool) -> Iterator[ArchiverError]:
    """What is wrong with the file that holds the custody register's key. Nothing says what its bytes should
    be, as with an archive's key; only that they are an age file."""
    if not is_there:
        if is_needed:
            yield IntegrityError(f"{CUSTODY_KEY} is missing", "another store may have it: archiver sync")
        return
    try:
        data = store.read(CUSTODY_KEY, MAXIMUM_KEY_BYTES)
    except ArchiverError as error:
        yield error
        return
    if not is_age_file(data):
        yield damaged_custody_key()


def _is_signers(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 3 and signers_name(parts[1]) == name


class _Claims:
    """Ends of chains that something says there are, and which of them were met."""

    def __init__(self, store: Store, against: Against) -> None:
        self._store = store
        self._against = against
        self._claimed: dict[str, dict[int, dict[str, str]]] = {}
        self._hashes: dict[str, dict[int, str]] = {}
        self._archives: dict[int, tuple[str, str]] = {}
        for one in against.noted:
            self._add(one.chain, one.head, one.where)

    def _add(self, chain: str, head: Head, where: str) -> None:
        self._claimed.setdefault(chain, {}).setdefault(head.sequence, {}).setdefault(head.sha256, where)

    def take(self, entry: Unpacked) -> None:
        """What an entry is, and what it says of others."""
        self._hashes.setdefault(entry.link.chain, {})[entry.head.sequence] = entry.head.sha256
        for chain, head in entry.link.logs.items():
            self._add(chain, head, entry.name)
        archives = entry.link.archives
        if archives is not None:
            self._archives.setdefault(archives.sequence, (archives.sha256, entry.name))

    def unmet(self) -> Iterator[ArchiverError]:
        """A problem for each chain that has not what was noted of it: of those that are missing the
        highest."""
        for chain, numbers in sorted(self._claimed.items()):
            hashes = self._hashes.get(chain, {})
            last = max(hashes, default=0)
            for number, claims in sorted(numbers.items(), reverse=True):
                where = next((text for sha256, text in claims.items() if hashes.get(number) != sha256), None)
                if where is None:
                    continue
                if number > last:
                    if self._came_since(chain, number, claims):
                        continue
                    yield CutOffError(chain, last, number, where)
                elif number in hashes:
                    yield IntegrityError(
                        f"{entry_name(chain, number)} is not the one that {where} has noted",
                        "the log was written anew since",
                    )
                else:
                    continue  # that it is missing was said
                break
        yield from self._unmet_archives()

    def _came_since(self, chain: str, number: int, claims: Mapping[str, str]) -> bool:
        """Whether the entry was written while the log was read."""
        try:
            found = look_at(self._store, chain, number)
        except ArchiverError:
            return False
        return found is not None and found.head.sha256 in claims

    def _unmet_archives(self) -> Iterator[ArchiverError]:
        known = self._against.archives
        for number, (sha256, where) in sorted(self._archives.items()):
            if known is not None and known.get(number) != sha256:
                how = "is missing" if number not in known else "is another one"
                yield LostArchiveError(number, how, where)


class _Checker:
    """Checks one chain of one store."""

    def __init__(
        self, store: Store, chain: str, against: Against, result: LogVerification, claims: _Claims
    ) -> None:
        self._store = store
        self._chain = chain
        self._against = against
        self._result = result
        self._claims = claims

    def check(
        self, numbers: Sequence[int], waiting: Sequence[Unpacked], progress: Progress, total: int
    ) -> None:
        try:
            allowed = self._allowed() if numbers else None
        except ArchiverError as error:
            self._result.problems.append(error)
            allowed = None
        follower = Follower(self._chain, allowed or AllowedSigners(()), vault=self._against.vault)
        unsigned = allowed is None  # which was said: not of each entry again
        due = 1
        for start in range(0, len(numbers), AT_ONCE):
            progress(f"log of {self._chain}", self._result.entries, total)
            for entry, number in self._read(numbers[start : start + AT_ONCE]):
                if number > due:
                    self._missing(due, number)
                due = number + 1
                if entry is not None:
                    self._follow(follower, entry, unsigned=unsigned)
        for entry in waiting if allowed is not None else ():
            if entry.head.sequence >= due:  # one that was put there and not let go of yet is there
                self._follow(follower, entry, unsigned=False)
        if follower.head is not None:
            self._result.heads[self._chain] = follower.head

    def _allowed(self) -> AllowedSigners:
        """Who may sign. The collecting host's key is one that may sign the vault's manifests."""
        name = signers_name(self._chain)
        data = self._store.look(name, MAXIMUM_SIGNERS_BYTES)
        if data is None:
            raise IntegrityError(f"{name} is missing", "another store may have it: archiver sync")
        allowed = parse_signers(data, self._chain)
        vault = self._against.signers
        if vault is not None and self._chain.startswith(COLLECTOR):
            known = {one.key_blob for one in vault.entries}
            if not any(one.key_blob in known for one in allowed.entries):
                raise IntegrityError(
                    f"{name} names a key that may not sign this vault's manifests",
                    "the log of the host that collects is signed with its key: somebody wrote it anew",
                )
        if is_custody(self._chain):
            keyholder = custody_keyholder(self._chain)
            if keyholder is None:
                raise IntegrityError(f"{name} is of no keyholder's register", "somebody put it there")
            require_keyholders_key(self._store, self._chain, keyholder, allowed)
        return allowed

    def _read(self, numbers: Sequence[int]) -> Iterator[tuple[Unpacked | None, int]]:
        names = {entry_name(self._chain, number): number for number in numbers}
        found = self._store.read_many(dict.fromkeys(names, MAXIMUM_BYTES))
        for name, number in names.items():
            data = found[name]
            try:
                if isinstance(data, ArchiverError):
                    raise data
                yield unpack_entry(data, name), number
            except NewerVersionError:
                raise
            except ArchiverError as error:
                self._result.problems.append(error)
                yield None, number

    def _missing(self, first: int, there: int) -> None:
        names = entry_name(self._chain, first)
        if there - first > 1:
            names += f" to {there - 1:08d}"
        self._result.problems.append(IntegrityError(f"{names} of the log is missing", _GONE_HINT))

    def _follow(self, follower: Follower, entry: Unpacked, *, unsigned: bool) -> None:
        self._result.entries += 1
        before = None if follower.head is None else follower.head.sequence
        is_next = before == entry.head.sequence - 1 or (before is None and entry.head.sequence == 1)
        try:
            if unsigned:
                pass
            elif is_next:
                follower.follow(entry)
            else:  # what is before it is missing or damaged, which was said
                follower.follow_alone(entry)
        except IntegrityError as error:
            self._result.problems.append(error)
        follower.restart(entry)
        self._claims.take(entry)
