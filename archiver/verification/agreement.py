"""Does every store hold the whole vault, and all of them the same? What `archiver verify` checks where a
vault lies in several stores: each by itself, then held against the others.

A store that lacks what another has is behind. Where it need not have everything, that is no damage: it is
filled by `archiver sync`, and until then named.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from archiver.chain import Head
from archiver.errors import (
    ArchiverError,
    IncompleteError,
    IntegrityError,
    NoVaultError,
    UsageError,
    excused,
    repair_hint,
)
from archiver.keys import MAXIMUM_KEY_BYTES, archive_key_name, is_age_file
from archiver.stores.base import outcome
from archiver.stores.checks import MEND_HINT
from archiver.stores.named import NamedStore, OpenedStore, open_all
from archiver.vault import Archive, ArchiveList, Vault, archive_order
from archiver.verification import Depth, Like, Progress, Verification, verify_listed

SYNC_HINT = "fill it: archiver sync"
BUSY_HINT = "another run is at work and may be filling it: look again when that is over"
REWRAP_HINT = (
    "encrypt all of them anew, to the keyholders there are, with an identity of one: archiver keys rewrap"
)
AS_IT_LIES = Depth()


@dataclass(frozen=True)
class StoreVerification:
    """What was found in one store. `away`: it could not be opened, and nothing in it was looked at."""

    store: str
    required: bool
    away: bool
    result: Verification


@dataclass(frozen=True)
class _Listed:
    """A store that could be opened, and its archives by themselves."""

    named: NamedStore
    vault: Vault
    archives: ArchiveList
    whole: frozenset[str]
    """Names of all that have a manifest, whatever it says."""


def verify_stores(
    stores: Sequence[NamedStore],
    *,
    known_head: Head | None,
    only: Sequence[str] = (),
    unfinished: str | None = None,
    depth: Depth = AS_IT_LIES,
    is_busy: Callable[[], bool] = lambda: False,
    progress: Progress = lambda phase, done, total: None,
) -> list[StoreVerification]:
    """Check each store, and that they agree; what is found is said of the store that has it. `is_busy`:
    whether another run is at work, which may be filling a store that lacks something; asked where one does.

    Raise UsageError where none has an archive of those named in `only`."""
    opened = _open_all(stores)
    listed = [one for one in opened.values() if isinstance(one, _Listed)]
    comparison = _Comparison(listed, known_head, only, unfinished, is_busy)
    comparison.require_known(only)
    results = []
    for one in stores:
        found = opened[one.name]
        if isinstance(found, ArchiverError):
            busy = isinstance(found, NoVaultError) and is_busy()
            problem = _being_filled(found) if busy else excused(found, required=one.required)
            result = Verification([], problems=[problem])
        else:
            result = _or_lost(one, outcome(partial(comparison.verify, found, depth, progress)))
        results.append(StoreVerification(one.name, one.required, isinstance(found, ArchiverError), result))
    return results


def _or_lost(one: NamedStore, result: Verification | ArchiverError) -> Verification:
    """What was found in a store, or that it was lost on the way: the others are looked at all the same."""
    if isinstance(result, ArchiverError):
        return Verification([], read=False, problems=[excused(result, required=one.required)])
    return result


def _open_all(stores: Sequence[NamedStore]) -> dict[str, "_Listed | ArchiverError"]:
    """Each store opened, or why it is not; one that holds another vault than the first is none of them."""
    opened: dict[str, _Listed | ArchiverError] = {}
    first: _Listed | None = None
    for one, reached in zip(stores, open_all(stores), strict=True):
        found = outcome(partial(_open, one, reached))
        if isinstance(found, _Listed):
            first = first or found
            if found.vault.id != first.vault.id:
                found = IntegrityError(
                    f"it holds another vault ({found.vault.id}) than store {first.named.name}"
                    f" ({first.vault.id})",
                    "correct its place in the settings",
                )
        opened[one.name] = found
    return opened


def _open(one: NamedStore, reached: OpenedStore) -> _Listed:
    store = reached.store
    try:
        vault = Vault(store)
    except NoVaultError as error:  # the store is there: it waits to be filled
        raise NoVaultError(error.message, SYNC_HINT) from error
    except IntegrityError as error:
        raise IntegrityError(error.message, MEND_HINT) from error
    try:
        return _Listed(one, vault, vault.list_archives(), frozenset(vault.archive_names()[0]))
    except IntegrityError as error:  # of the list of signers: what is wrong with an archive is in the answer
        _, garbled, reason = error.message.partition("allowed_signers: ")
        message = f"allowed_signers is no list of signers: {reason}" if garbled else error.message
        raise IntegrityError(message, MEND_HINT) from error


def _being_filled(error: ArchiverError) -> ArchiverError:
    return IncompleteError(error.message, BUSY_HINT)


class _Comparison:
    """All stores that could be opened, side by side."""

    def __init__(
        self,
        stores: Sequence[_Listed],
        known_head: Head | None,
        only: Sequence[str],
        unfinished: str | None,
        is_busy: Callable[[], bool],
    ) -> None:
        self._stores = stores
        self._known_head = known_head
        self._only = only
        self._is_busy = is_busy
        self._unfinished = {unfinished} if unfinished else set()
        self._known: dict[str, tuple[str, Archive]] = {}
        for one in stores:
            for archive in one.archives.archives:
                self._known.setdefault(archive.name, (one.named.name, archive))
        self._disposed = {archive.name: one.named.name for one in stores for archive in one.archives.disposed}
        self._keys = self._read_keys()
        self._signers = self._read_signers()

    def require_known(self, only: Sequence[str]) -> None:
        """Raise UsageError for an archive that none has, unless a damaged one may be it."""
        unknown = sorted(set(only) - set(self._known))
        if unknown and self._stores and not any(one.archives.problems for one in self._stores):
            raise UsageError(f"there is no archive {unknown[0]}", "see which there are: archiver status")

    def verify(self, one: _Listed, depth: Depth, progress: Progress) -> Verification:
        """One store by itself, then against the others."""
        lacking = [name for name in sorted(self._known, key=archive_order) if name not in one.whole]
        listed = self._judged(one, lacking)
        wanted = [name for name in lacking if not self._only or name in self._only]
        result = Verification([])
        if not self._only or {archive.name for archive in listed.archives} & set(self._only):
            result = verify_listed(
                one.vault,
                listed,
                only=self._only,
                unfinished={*self._unfinished, *lacking},
                depth=depth,
                progress=lambda phase, done, total: progress(f"{one.named.name}: {phase}", done, total),
                like=self._near_store(one),
            )
        elif not wanted:
            result.problems += listed.problems
        result.known_head = self._known_head
        if wanted:
            result.problems.insert(0, self._behind(one, wanted))
        result.problems += [*self._other_manifests(one), *self._other_keys(one), *self._other_signers(one)]
        result.problems += self._not_disposed_here(one)
        return result

    def _near_store(self, one: _Listed) -> Like | None:
        """The first near store beside this one."""
        for other in self._stores:
            if other is not one and other.vault.store.is_near:
                heads = {archive.name: archive.head for archive in other.archives.archives}
                return Like(other.named.name, other.vault.store, heads)
        return None

    def _judged(self, one: _Listed, lacking: Sequence[str]) -> ArchiveList:
        """The store's archives, and what is wrong with their chain beyond what it lacks."""
        heads = {archive.head for archive in one.archives.archives}
        known = self._known_head
        if lacking and self._is_part_of_known(one):
            if known is None or any(archive.head == known for _, archive in self._known.values()):
                return replace(one.archives, problems=())
            return one.archives
        if known is None or one.archives.problems or known in heads:
            return one.archives
        last = one.archives.archives[-1].head.sequence if heads else 0
        if not one.named.required and last < known.sequence:
            text = f"its last archive is number {last}, and number {known.sequence} was noted as written"
            return replace(one.archives, problems=(IncompleteError(text, SYNC_HINT),))
        return one.vault.list_archives(known)

    def _is_part_of_known(self, one: _Listed) -> bool:
        """Whether all that a store has is rightly signed and what the others have: it only lacks some."""
        return one.whole == {archive.name for archive in one.archives.archives} and all(
            self._known[archive.name][1].head == archive.head for archive in one.archives.archives
        )

    def _behind(self, one: _Listed, lacking: Sequence[str]) -> ArchiverError:
        others = sorted({self._known[name][0] for name in lacking})
        text = f"lacks {', '.join(lacking)}, which {' and '.join(others)} has"
        if self._is_busy():
            return IncompleteError(text, BUSY_HINT)
        return IntegrityError(text, SYNC_HINT) if one.named.required else IncompleteError(text, SYNC_HINT)

    def _other_manifests(self, one: _Listed) -> list[ArchiverError]:
        return [
            IntegrityError(
                f"archives/{archive.name}/manifest.json is not the one in store {store}",
                repair_hint(archive.name),
            )
            for archive in one.archives.archives
            for store, known in [self._known[archive.name]]
            if self._counts(archive.name) and archive.head != known.head
        ]

    def _counts(self, name: str) -> bool:
        return not self._only or name in self._only

    # Keys: no manifest names their bytes

    def _read_keys(self) -> Mapping[str, Mapping[str, bytes]]:
        """Every store's keys by the archive's name; nothing where there is only one store."""
        if len(self._stores) < 2:
            return {}
        keys: dict[str, Mapping[str, bytes]] = {}
        for one in self._stores:
            limits = {
                archive_key_name(archive.name): MAXIMUM_KEY_BYTES
                for archive in one.archives.archives
                if self._counts(archive.name)
            }
            found = outcome(partial(one.vault.store.read_many, limits))
            read = {} if isinstance(found, ArchiverError) else found  # it is lost, which its own checks say
            keys[one.named.name] = {name: data for name, data in read.items() if isinstance(data, bytes)}
        return keys

    def _other_keys(self, one: _Listed) -> list[ArchiverError]:
        problems: list[ArchiverError] = []
        for name, data in self._keys.get(one.named.name, {}).items():
            if not is_age_file(data):
                continue  # as the store's own checks say
            store = next(
                each
                for each, keys in self._keys.items()
                if name in keys and (each == one.named.name or is_age_file(keys[name]))
            )
            if self._keys[store][name] != data:
                kind = IntegrityError if one.named.required else IncompleteError
                problems.append(kind(f"{name} is not the one in store {store}", REWRAP_HINT))
        return problems

    def _not_disposed_here(self, one: _Listed) -> list[ArchiverError]:
        """Archives that another store says were disposed of, and this one does not: it was away then."""
        return [
            IncompleteError(
                f"archive {archive.name} was disposed of, says store {store}, and this store does not say so",
                "have it so everywhere: archiver sync",
            )
            for archive in one.archives.archives
            for store in [self._disposed.get(archive.name)]
            if store is not None and archive.disposed is None and self._counts(archive.name)
        ]

    # Who may sign: a name more on one of the lists is how somebody else's archives would pass there

    def _read_signers(self) -> Mapping[str, bytes]:
        found = {one.named.name: outcome(partial(self._signers_of, one)) for one in self._stores}
        return {name: data for name, data in found.items() if isinstance(data, bytes)}

    def _signers_of(self, one: _Listed) -> bytes:
        return one.vault.store.read("allowed_signers", MAXIMUM_KEY_BYTES)

    def _other_signers(self, one: _Listed) -> list[ArchiverError]:
        store, right = next(iter(self._signers.items()), ("", b""))
        if self._signers.get(one.named.name, right) == right:
            return []
        text = f"allowed_signers is not the one in store {store}"
        return [IntegrityError(text, "compare the two, and put the right one there: nothing here changes it")]
