"""One file in one store: looked at to its last byte, and put back where it is not right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from archiver.archive.verify import HashingReader
from archiver.copying import UnusableCopyError, put_back_from
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, StoreError
from archiver.repair.reference import no_good_copy_hint
from archiver.repair.wanted import Wanted
from archiver.stores.base import NotInStoreError
from archiver.stores.named import OpenedStore

State = Literal["good", "put back", "to be put back", "not repaired"]
MISSING = "is missing"
AN_OLDER_VERSION = "an older version of it"


@dataclass(frozen=True)
class FileOutcome:
    """What was found of a file in a store, and what became of it: `found` is empty where it was right;
    `source` is where it was taken from, or would be: a store, or an older version of the file."""

    store: str
    name: str
    state: State
    found: str = ""
    source: str | None = None
    error: ArchiverError | None = None


@dataclass(frozen=True)
class _Look:
    """What is wrong with a file's bytes in a store, empty if nothing; the SHA-256 that was read."""

    wrong: str
    sha256: str = ""


class Repairing:
    """One file in one store, and what the others have of it."""

    def __init__(
        self, stores: Sequence[OpenedStore], target: OpenedStore, wanted: Wanted, dry_run: bool
    ) -> None:
        self._stores = stores
        self._target = target
        self._wanted = wanted
        self._dry_run = dry_run

    def repair(self, notes: tuple[str, ...]) -> FileOutcome:
        """Look, and put back what is not right. `notes`: what the store says lies over it."""
        try:
            look = _look(self._target, self._wanted)
            if not notes and (not look.wrong or self._may_lack(look)):
                return self._outcome("good")
            return self._put_back(look, notes)
        except StoreError as error:
            return self._outcome("not repaired", "out of reach", error=error)

    def _may_lack(self, look: _Look) -> bool:
        return look.wrong == MISSING and self._wanted.may_lack and not self._wanted.accepted

    def _put_back(self, look: _Look, notes: tuple[str, ...]) -> FileOutcome:
        """From the first store that has it right: the target itself where only something lies over it."""
        found = look.wrong or notes[0]
        if look.wrong and self._wanted.refusal:
            return self._outcome("not repaired", found, error=self._refused(found))
        if look.wrong and self._wanted.data is not None:
            return self._put_older(found, self._wanted.data)
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
                failed = f"; mending that failed: {error.message}"
                told = error if look.wrong else self._unharmed(notes, failed, error.hint)
                return self._outcome("not repaired", found, source, told)
            else:
                return self._done(found, source)
        return self._outcome("not repaired", found, error=self._nowhere(found, refused))

    def _put_older(self, found: str, data: bytes) -> FileOutcome:
        """What no store gives any more, and one keeps under it."""
        if self._dry_run:
            return self._outcome("to be put back", found, AN_OLDER_VERSION)
        (sha256,) = self._wanted.accepted
        try:
            self._target.store.put_back(self._wanted.name, data, sha256=sha256)
            self._require_right()
        except ArchiverError as error:
            return self._outcome("not repaired", found, AN_OLDER_VERSION, error)
        return self._done(found, AN_OLDER_VERSION)

    def _done(self, found: str, source: OpenedStore | str) -> FileOutcome:
        """The bytes are right; whether the store still has something to say of them."""
        left = notes_of(self._target, [self._wanted.name]).get(self._wanted.name, ())
        if not left:
            return self._outcome("put back", found, source)
        hint = "the server keeps it so; where a lock ends, run this again then, and find out who put it there"
        return self._outcome("not repaired", found, source, self._unharmed(left, "", hint))

    def _unharmed(self, left: Sequence[str], more: str, hint: str | None) -> IncompleteError:
        """For what lies over right bytes and cannot be taken away."""
        where = f"{self._wanted.name} in store {self._target.name}"
        return IncompleteError(f"{where} is read unharmed, but {'; '.join(left)}{more}", hint)

    def _right_in(self, source: OpenedStore) -> str:
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

    def _copy(self, source: OpenedStore, sha256: str) -> None:
        """Put it back and read it again. Raise where it then is not right."""
        name, size = self._wanted.name, self._wanted.accepted[sha256]
        put_back_from(source.store, self._target.store, name, size=size, sha256=sha256)
        self._require_right()

    def _require_right(self) -> None:
        """Raise IntegrityError where what was put back does not read as it must."""
        name = self._wanted.name
        still = _look(self._target, self._wanted).wrong
        if still:
            raise IntegrityError(
                f"{name} was put back in store {self._target.name}, and read again it {still}",
                "check the disk below it, or what else writes there",
            )

    def _refused(self, found: str) -> IntegrityError:
        return IntegrityError(
            f"{self._wanted.name} in store {self._target.name} {found}, and {self._wanted.refusal}",
            self._wanted.hint,
        )

    def _nowhere(self, found: str, refused: Sequence[str]) -> IntegrityError:
        tried = f" ({'; '.join(refused)})" if refused else ""
        where = f"store {self._target.name} {found}"
        others = (
            f"no other store has a good copy{tried}" if len(self._stores) > 1 else "there is no other store"
        )
        return IntegrityError(
            f"{self._wanted.name} in {where}, and {others}",
            self._wanted.hint or no_good_copy_hint(self._stores),
        )

    def _outcome(
        self,
        state: State,
        found: str = "",
        source: OpenedStore | str | None = None,
        error: ArchiverError | None = None,
    ) -> FileOutcome:
        taken = source.name if isinstance(source, OpenedStore) else source
        return FileOutcome(self._target.name, self._wanted.name, state, found, taken, error)


def _look(one: OpenedStore, wanted: Wanted) -> _Look:
    """Read a store's copy to its last byte. Raise StoreError where the store is out of reach."""
    try:
        with one.store.open_random(wanted.name) as stored:
            if wanted.accepted and stored.size not in wanted.accepted.values():
                return _Look(f"has {stored.size:,} bytes where {max(wanted.accepted.values()):,} are right")
            sha256 = HashingReader(stored).finish()[1]
    except NotInStoreError:
        return _Look(MISSING)
    except StoreError:
        raise
    except ArchiverError as error:
        return _Look(f"cannot be read ({error.message})")
    return _Look("" if sha256 in wanted.accepted else wanted.doubt or "was altered", sha256)


def notes_of(one: OpenedStore, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What a store far away says of files beside their bytes: a marker over one, versions of somebody
    else's. One that says nothing is found out of reach when the file is read."""
    if one.store.is_near:
        return {}
    try:
        found = one.store.inspect(names)
    except StoreError:
        return {}
    return {name: said.problems for name, said in found.items() if not isinstance(said, ArchiverError)}
