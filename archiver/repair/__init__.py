"""What `archiver repair` does: every file of an archive, in every store, held against the signed manifest;
what is damaged or missing put back from a store that has it right, and read again.

Nothing is lost by it: what lay in a file's place is set aside by the store (`Store.put_back`).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from archiver.archive.verify import HashingReader
from archiver.chain import Head
from archiver.copying import UnusableCopyError, is_timestamp, put_back_from
from archiver.errors import ArchiverError, IntegrityError, StoreError
from archiver.keys import MAXIMUM_KEY_BYTES, Identity
from archiver.repair.key import judge_keys
from archiver.repair.reference import (
    OpenStore,
    Reference,
    find_reference,
    no_good_copy_hint,
    refused_by,
)
from archiver.stores.base import NotInStoreError

Progress = Callable[[str, int, int], None]
State = Literal["good", "put back", "to be put back", "not repaired"]


@dataclass(frozen=True)
class Wanted:
    """A file that every store should have: its name there, and what it may hold: SHA-256 (hexadecimal) and
    size in bytes. Of a key there may be several that are right, or none that can be told to be: `doubt`
    says why."""

    name: str
    accepted: dict[str, int]
    doubt: str = ""
    undecided: bool = False
    """Several are right and not the same, and none may be put where it lacks: of keys, the older one would
    let a removed keyholder in again."""


@dataclass(frozen=True)
class FileOutcome:
    """What was found of a file in a store, and what became of it: `found` is empty where it was right;
    `source` is the store it was taken from, or would be."""

    store: str
    name: str
    state: State
    found: str = ""
    source: str | None = None
    error: ArchiverError | None = None


@dataclass
class Repair:
    """What came of one archive's repair; `problems` concern stores as a whole."""

    archive: str
    reference: str
    """The store whose manifest was found right first."""
    dry_run: bool
    files: list[FileOutcome] = field(default_factory=list)
    problems: list[ArchiverError] = field(default_factory=list)
    away: list[tuple[str, ArchiverError]] = field(default_factory=list)
    """Stores that could not be reached, so that nothing is known of their files."""

    def count(self, state: State) -> int:
        """How many files ended so."""
        return sum(one.state == state for one in self.files)

    @property
    def errors(self) -> list[ArchiverError]:
        """Everything that is not well now in the stores that could be reached."""
        return [*self.problems, *(one.error for one in self.files if one.error is not None)]


def repair_archive(
    stores: Sequence[OpenStore],
    archive: str,
    *,
    known_head: Head | None,
    only: str | None = None,
    identities: Sequence[Identity] = (),
    dry_run: bool = False,
    progress: Progress = lambda name, done, total: None,
) -> Repair:
    """Check every file of an archive in every store, or in the one named, and put back what is not right.

    With `identities` an archive's key is opened to see that it is the right one. Raise UsageError where
    there is no such archive, IntegrityError where no store has its manifest right, StoreError where the one
    named cannot be reached. What cannot be repaired is an error of its file's outcome and stops nothing
    else."""
    reference, reach = find_reference(stores, archive, known_head)
    for name, error in reach.away:
        if name == only:
            raise error
    stores = reach.stores
    result = Repair(archive, reference.store, dry_run, problems=reach.problems, away=reach.away)
    wanted = [*_wanted_before(reference), *_wanted_key(stores, reference, identities)]
    wanted += [*_wanted_timestamp(stores, reference), *_wanted_last(reference)]
    for target in stores:
        if only is not None and target.name != only:
            continue
        if known_head is None and (refusal := refused_by(target, reference)):
            result.problems.append(refusal)
            continue
        notes = _notes(target, [each.name for each in wanted])
        for number, each in enumerate(wanted):
            progress(f"{target.name}: {each.name}", number, len(wanted))
            result.files.append(_Repairing(stores, target, each, dry_run).repair(notes.get(each.name, ())))
    return result


def _wanted_before(reference: Reference) -> Iterator[Wanted]:
    """What the manifest names."""
    for file in reference.archive.manifest.files:
        yield Wanted(reference.archive.path(file), {file.sha256: file.size})


def _wanted_key(
    stores: Sequence[OpenStore], reference: Reference, identities: Sequence[Identity]
) -> Iterator[Wanted]:
    key = judge_keys(stores, reference, identities)
    accepted = {_sha256(data): len(data) for data in key.right}
    yield Wanted(key.name, accepted, key.doubt, undecided=len(accepted) > 1)


def _wanted_timestamp(stores: Sequence[OpenStore], reference: Reference) -> Iterator[Wanted]:
    """The token beside the manifest, where any store has one. Nothing here tells a right one from a wrong
    one: where stores differ each keeps its own, and none that lacks it stays without."""
    name = f"archives/{reference.archive.name}/manifest.json.tsr"
    found = [one.store.read_many({name: MAXIMUM_KEY_BYTES})[name] for one in stores]
    accepted = {_sha256(data): len(data) for data in found if isinstance(data, bytes) and is_timestamp(data)}
    if accepted:
        yield Wanted(name, accepted)


def _wanted_last(reference: Reference) -> Iterator[Wanted]:
    """The manifest last: it is what makes an archive exist."""
    name = f"archives/{reference.archive.name}/manifest.json"
    yield Wanted(f"{name}.sig", {_sha256(reference.signature): len(reference.signature)})
    yield Wanted(name, {_sha256(reference.data): len(reference.data)})


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class _Look:
    """What is wrong with a file's bytes in a store, empty if nothing; the SHA-256 that was read."""

    wrong: str
    sha256: str = ""


class _Repairing:
    """One file in one store, and what the others have of it."""

    def __init__(self, stores: Sequence[OpenStore], target: OpenStore, wanted: Wanted, dry_run: bool) -> None:
        self._stores = stores
        self._target = target
        self._wanted = wanted
        self._dry_run = dry_run

    def repair(self, notes: tuple[str, ...]) -> FileOutcome:
        """Look, and put back what is not right. `notes`: what the store says lies over it."""
        try:
            look = _look(self._target, self._wanted)
            if not look.wrong and not notes:
                return self._outcome("good")
            return self._put_back(look, notes)
        except StoreError as error:
            return self._outcome("not repaired", "out of reach", error=error)

    def _put_back(self, look: _Look, notes: tuple[str, ...]) -> FileOutcome:
        """From the first store that has it right: the target itself where only something lies over it."""
        found = look.wrong or notes[0]
        if look.wrong and self._wanted.undecided:
            return self._outcome("not repaired", found, error=self._undecided(found))
        others = [one for one in self._stores if one is not self._target]
        refused: list[str] = []
        for source in others if look.wrong else [self._target]:
            try:
                sha256 = look.sha256 if source is self._target else self._right_in(source)
                if self._dry_run:
                    return self._outcome("to be put back", found, source)
                self._copy(source, sha256)
            except UnusableCopyError as error:
                refused.append(f"in {source.name}: {error.message}")
            except ArchiverError as error:
                return self._outcome("not repaired", found, source, error)
            else:
                return self._done(found, source)
        return self._outcome("not repaired", found, error=self._nowhere(found, refused))

    def _done(self, found: str, source: OpenStore) -> FileOutcome:
        """The bytes are right; whether the store still has something to say of them."""
        left = _notes(self._target, [self._wanted.name]).get(self._wanted.name, ())
        if not left:
            return self._outcome("put back", found, source)
        error = IntegrityError(
            f"{self._wanted.name} in store {self._target.name} has the right bytes, but {left[0]}",
            "change that by the server's own means: archiver puts bytes back, and can change nothing else",
        )
        return self._outcome("not repaired", found, source, error)

    def _right_in(self, source: OpenStore) -> str:
        """The SHA-256 of what another store has, where it is right; raise UnusableCopyError. A file that can
        be right in one way only is not read for it: copying checks it on the way."""
        if len(self._wanted.accepted) == 1 and not self._dry_run:
            return next(iter(self._wanted.accepted))
        try:
            look = _look(source, self._wanted)
        except StoreError as error:
            raise UnusableCopyError(error) from error
        if look.wrong:
            raise UnusableCopyError(IntegrityError(f"it {look.wrong}"))
        return look.sha256

    def _copy(self, source: OpenStore, sha256: str) -> None:
        """Put it back and read it again. Raise where it then is not right."""
        name, size = self._wanted.name, self._wanted.accepted[sha256]
        put_back_from(source.store, self._target.store, name, size=size, sha256=sha256)
        still = _look(self._target, self._wanted).wrong
        if still:
            raise IntegrityError(
                f"{name} was put back in store {self._target.name}, and read again it {still}",
                "check the disk below it, or what else writes there",
            )

    def _undecided(self, found: str) -> IntegrityError:
        return IntegrityError(
            f"{self._wanted.name} in store {self._target.name} {found}, and those of other stores"
            " are right, but not the same",
            "encrypt it anew, to the keyholders there are, with an identity of one: archiver keys rewrap",
        )

    def _nowhere(self, found: str, refused: Sequence[str]) -> IntegrityError:
        tried = f" ({'; '.join(refused)})" if refused else ""
        where = f"store {self._target.name} {found}"
        others = (
            f"no other store has a good copy{tried}" if len(self._stores) > 1 else "there is no other store"
        )
        return IntegrityError(
            f"{self._wanted.name} in {where}, and {others}",
            no_good_copy_hint(self._stores),
        )

    def _outcome(
        self,
        state: State,
        found: str = "",
        source: OpenStore | None = None,
        error: ArchiverError | None = None,
    ) -> FileOutcome:
        taken = None if source is None else source.name
        return FileOutcome(self._target.name, self._wanted.name, state, found, taken, error)


def _look(one: OpenStore, wanted: Wanted) -> _Look:
    """Read a store's copy to its last byte. Raise StoreError where the store is out of reach."""
    try:
        with one.store.open_random(wanted.name) as stored:
            if wanted.accepted and stored.size not in wanted.accepted.values():
                return _Look(f"has {stored.size:,} bytes where {max(wanted.accepted.values()):,} are right")
            sha256 = HashingReader(stored).finish()[1]
    except NotInStoreError:
        return _Look("is missing")
    except StoreError:
        raise
    except ArchiverError as error:
        return _Look(f"cannot be read ({error.message})")
    return _Look("" if sha256 in wanted.accepted else wanted.doubt or "was altered", sha256)


def _notes(one: OpenStore, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What a store far away says of files beside their bytes: a marker over one, versions of somebody
    else's. One that says nothing is found out of reach when the file is read."""
    if one.store.is_near:
        return {}
    try:
        found = one.store.inspect(names)
    except StoreError:
        return {}
    return {name: said.problems for name, said in found.items() if not isinstance(said, ArchiverError)}
