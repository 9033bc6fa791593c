"""One store is given what it lacks: files first, then the key, the manifest last, nothing replaced.

A kill between any two steps leaves an archive without a manifest, which does not exist there yet; the same
again finds what lies there already, checks it, and goes on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from archiver.archive.manifest import File, token_name
from archiver.copying import UnusableCopyError, copy_file, other_bytes, put_small, verify_copy
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, StoreError, repair_hint
from archiver.formats import age
from archiver.keys import is_age_file
from archiver.settings.timestamps import AuthoritySettings
from archiver.stores.base import ExistsInStoreError, Inspection, Store, outcome
from archiver.stores.checks import Check
from archiver.sync.disposals import dispose_in, disposed_in
from archiver.sync.holding import DESCRIPTION, MAXIMUM_SMALL_FILE, SIGNERS, Holding, Sealed, about_store
from archiver.sync.signers import require_own_signer
from archiver.sync.stamping import put_token
from archiver.sync.survey import first_of, speaker
from archiver.timestamps import choose_token

Progress = Callable[[str, int, int], None]
"""Told what is copied, how many bytes are done, and of how many."""
CheckStore = Callable[[Store], Sequence[Check]]
"""`archiver.stores.checks`: proves that a new store can do what is asked of it."""


@dataclass
class Filled:
    """What became of one store: archives that it has whole only now, the files and bytes copied for that;
    `additions`, how many small files beside the archives it was given (`archiver.sync.additions`); `error`,
    why it could not be filled, and `problems`, what is wrong in it or could not be copied."""

    name: str
    required: bool
    archives: list[str] = field(default_factory=list)
    files: int = 0
    bytes: int = 0
    additions: int = 0
    error: ArchiverError | None = None
    problems: list[ArchiverError] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    """Archives that it still has not whole; where it was not `reached`, all, as nothing is known of it."""
    reached: bool = True

    @property
    def all_problems(self) -> list[ArchiverError]:
        return self.problems if self.error is None else [self.error, *self.problems]


class Filler:
    """Fills stores from each other. `identities`: archives' own, where they are at hand, for reading back.
    `thorough`: look at the size of every file that is there, too, not at its name alone. `authorities`: by
    whose certificates time stamps are judged before they are copied."""

    def __init__(
        self,
        holdings: Sequence[Holding],
        chain: Sequence[Sealed],
        check_store: CheckStore,
        *,
        identities: Mapping[str, age.Identity] | None = None,
        thorough: bool = False,
        authorities: Sequence[AuthoritySettings] = (),
        progress: Progress = lambda what, done, total: None,
    ) -> None:
        self.holdings = holdings
        self.chain = chain
        self.check_store = check_store
        self.identities = identities or {}
        self.thorough = thorough
        self.authorities = authorities
        self.progress = progress
        self.disposed = disposed_in(holdings)
        self._done = 0
        self._total = 0
        self._said: Mapping[str, Inspection | ArchiverError] = {}

    def fill(self, target: Holding) -> Filled:
        """Give a store all that it lacks, as far as that is possible. Raise nothing of ours: what fails is
        in the answer."""
        filled = Filled(target.named.name, target.named.required, error=target.error or target.failed)
        if filled.error is not None:
            filled.lacking = [sealed.archive for sealed in self.chain]
            filled.reached = target.usable
            return filled
        self._done, self._total = 0, sum(file.size for _, file in self._missing(target))
        try:
            self._begin(target)
            self._said = self._ask(target) if self.thorough else {}
            for sealed in self.chain:
                self._fill_archive(target, sealed, filled)
        except ArchiverError as error:
            filled.error = target.failed = about_store(target.named, error)
        filled.lacking += [
            sealed.archive
            for sealed in self.chain
            if sealed.archive not in filled.lacking
            and not _is_whole(target, sealed, has_key=sealed.archive not in self.disposed)
        ]
        return filled

    def fill_all(self, targets: Sequence[Holding]) -> list[Filled]:
        """`fill` each, and name what was found damaged in it, by whichever of them."""
        answers = [self.fill(target) for target in targets]
        for target, filled in zip(targets, answers, strict=True):
            filled.problems += target.problems
        return answers

    def _missing(self, target: Holding) -> Iterator[tuple[Sealed, File]]:
        for sealed in self.chain:
            for file in sealed.manifest.files:
                if sealed.path(file.name) not in target.names:
                    yield sealed, file

    def _begin(self, target: Holding) -> None:
        """What makes a store a vault. Of one that has none yet, first the proof that it can be trusted."""
        first = speaker(self.holdings)
        if first is None:
            raise StoreError("no store can be reached that has a vault")
        if target.vault is None:
            for check in self.check_store(target.store):
                if not check.ok:
                    raise StoreError(f"{target.store.location}: {check.what}: {check.said}", check.hint)
        for name, own, right in (
            (SIGNERS, target.signers, first.signers),
            (DESCRIPTION, target.vault, first.vault),
        ):
            if own is None and right is not None:
                put_small(target.store, name, right)
        target.vault, target.signers = target.vault or first.vault, target.signers or first.signers

    def _fill_archive(self, target: Holding, sealed: Sealed, filled: Filled) -> None:
        """Complete one archive; what is wrong with its bytes is noted and stops no other archive."""
        before = filled.files
        if not _may_complete(target, sealed):
            return  # it has another manifest there, which `survey` noted
        was_there = sealed.archive in target.sealed
        try:
            if not was_there and first_of(self.holdings) is not speaker(self.holdings):
                require_own_signer(target, sealed)
            self._put_files(target, sealed, filled)
            if (certificate := self.disposed.get(sealed.archive)) is not None:
                put_key = dispose_in(target, sealed, certificate)
            else:
                put_key = self._put_key(target, sealed)
            self._put_token(target, sealed)
            for name, data in () if was_there else sealed.small_files:
                put_small(target.store, name, data)
        except (IntegrityError, IncompleteError) as error:
            filled.problems.append(about_store(target.named, error))
            filled.lacking.append(sealed.archive)
            return
        target.note(sealed)
        if not was_there or put_key or filled.files > before:
            filled.archives.append(sealed.archive)

    def _put_files(self, target: Holding, sealed: Sealed, filled: Filled) -> None:
        for file in sealed.manifest.files:
            name = sealed.path(file.name)
            if name not in target.names:
                self._copy(target, sealed, file, filled)
            elif sealed.archive not in target.sealed:  # a run that was cut off, or somebody else, put it
                self._require_same(target, sealed, file)
            elif name in self._said:
                _check_said(target, sealed, file, self._said[name])

    def _ask(self, target: Holding) -> Mapping[str, Inspection | ArchiverError]:
        """What the store itself says of the files of all archives that it has whole, asked at once."""
        names = [
            sealed.path(file.name)
            for sealed in self.chain
            if sealed.archive in target.sealed
            for file in sealed.manifest.files
        ]
        return target.store.inspect([name for name in names if name in target.names])

    def _require_same(self, target: Holding, sealed: Sealed, file: File) -> None:
        """The file is there and no manifest that says it is right: read it back as if it was just put."""
        name = sealed.path(file.name)
        like = next((one.store for one in self._sources(target, name)), None)
        identity = self.identities.get(sealed.archive)
        try:
            noted: list[ArchiverError] = []
            verify_copy(target.store, sealed.archive, file, identity=identity, like=like, noted=noted)
        except IntegrityError as error:
            raise other_bytes(target.store, name) from error
        target.problems += noted

    def _sources(self, target: Holding, name: str) -> Iterator[Holding]:
        return (one for one in self.holdings if one is not target and one.usable and name in one.names)

    def _copy(self, target: Holding, sealed: Sealed, file: File, filled: Filled) -> None:
        """Copy one file from the first store whose copy is good, and read it back."""
        name = sealed.path(file.name)

        def copied(count: int) -> None:
            self._done += count
            self.progress(f"{target.named.name}: {sealed.archive}/{file.name}", self._done, self._total)

        for source in self._sources(target, name):
            before = self._done
            try:
                copy_file(source.store, target.store, name, size=file.size, sha256=file.sha256, copied=copied)
            except UnusableCopyError as error:
                self._done = before
                source.problems.append(error)
                continue
            except ExistsInStoreError:  # put by another run meanwhile
                self._require_same(target, sealed, file)
            identity = self.identities.get(sealed.archive)
            verify_copy(target.store, sealed.archive, file, identity=identity, like=source.store)
            target.names.add(name)
            filled.files += 1
            filled.bytes += file.size
            return
        raise IntegrityError(
            f"no other store that can be reached has a good copy of {name}", repair_hint(sealed.archive)
        )

    def _put_key(self, target: Holding, sealed: Sealed) -> bool:
        """Put the archive's key, from a store that has it, if it can be one at all: in a folder it may be a
        link to any file of this host. Whether it was missing. Raise IntegrityError where it is another one
        than elsewhere, or nowhere."""
        name = sealed.path("key.age")
        missing = name not in target.names
        if sealed.archive in target.sealed and not missing:
            return False
        found = [(source, data) for source, data in self._read_all(target, name) if is_age_file(data)]
        _require_equal(target, found, name)
        if missing and not found:
            raise IntegrityError(
                f"no other store that can be reached has {name}", "without it nobody can open the archive"
            )
        if missing:
            put_small(target.store, name, found[0][1])
            target.names.add(name)
        return missing

    def _put_token(self, target: Holding, sealed: Sealed) -> None:
        """Put the time stamp's token where the store has none and another has one that is not wrong: what was
        put there is never replaced, so that a wrong one would stay. Stores may have different ones."""
        name = token_name(sealed.archive)
        if name in target.names:
            return
        token = choose_token(
            [data for _, data in self._read_all(target, name)], sealed.data, self.authorities
        )
        if token is not None:
            put_token(target.store, sealed.archive, token)
            target.names.add(name)

    def _read_all(self, target: Holding, name: str) -> list[tuple[Holding, bytes]]:
        """What the other stores have under the name of a small file, as far as it can be read."""
        sources = list(self._sources(target, name))
        read = [outcome(partial(one.store.read, name, MAXIMUM_SMALL_FILE)) for one in sources]
        pairs = zip(sources, read, strict=True)
        return [(source, data) for source, data in pairs if isinstance(data, bytes)]


def _check_said(target: Holding, sealed: Sealed, file: File, said: Inspection | ArchiverError) -> None:
    """Raise IntegrityError where a store says that a file is not what was sealed."""
    if isinstance(said, ArchiverError):
        raise said
    name = f"{sealed.path(file.name)} in {target.store.location}"
    if said.size != file.size:
        raise IntegrityError(
            f"{name} has {said.size:,} bytes, its manifest says {file.size:,}", repair_hint(sealed.archive)
        )
    if said.sha256 not in (None, file.sha256):
        raise IntegrityError(
            f"{name} was altered: its SHA-256 is not the manifest's", repair_hint(sealed.archive)
        )


def _is_whole(target: Holding, sealed: Sealed, *, has_key: bool) -> bool:
    """Whether a store has an archive's manifest and a file of every name that belongs to it."""
    names = [*(file.name for file in sealed.manifest.files), *(["key.age"] if has_key else [])]
    return sealed.archive in target.sealed and all(sealed.path(name) in target.names for name in names)


def _require_equal(target: Holding, found: Sequence[tuple[Holding, bytes]], name: str) -> None:
    """Raise IntegrityError where a key is not the same everywhere, as after a change of keyholders while a
    store was away: the older one would let a removed keyholder in again. Or it was put there by somebody."""
    if not found:
        return
    first, right = found[0]
    other = next((source.store.location for source, data in found if data != right), None)
    if name in target.names and target.store.read(name, MAXIMUM_SMALL_FILE) != right:
        other = target.store.location
    if other is not None:
        raise IntegrityError(
            f"{name} in {other} is not that of store {first.named.name}",
            "encrypt the keys anew, with a keyholder's identity, then run this again: archiver keys rewrap",
        )


def _may_complete(target: Holding, sealed: Sealed) -> bool:
    """Whether the store has this very manifest, or none: then what lacks is put beside it."""
    if sealed.archive in target.sealed or sealed.path("manifest.json") not in target.names:
        return True
    return sealed.archive in target.unsigned and target.unsigned[sealed.archive][0] == sealed.data
