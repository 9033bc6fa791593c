"""How an archive's files must be: its manifest, found right in one of the stores that hold the vault.

A manifest counts where it is signed by an allowed signer and agrees with its neighbours in the chain,
whichever stores these lie in. So an archive whose manifest is damaged in one store, and its neighbour's in
another, is still told right from wrong.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archiver.archive.manifest import MAX_BYTES, NAMESPACE
from archiver.chain import Head, document_sha256
from archiver.errors import ArchiverError, IntegrityError, StoreError, UsageError
from archiver.formats.ssh_signature import SignatureError, verify
from archiver.stores.base import Store
from archiver.vault import Archive, Vault

MAXIMUM_SIGNATURE_BYTES = 1 << 20


@dataclass(frozen=True)
class OpenStore:
    """A store by its name in the settings, opened."""

    name: str
    required: bool
    store: Store


@dataclass(frozen=True)
class Reference:
    """An archive's manifest and signature as they must be, and the store they were read from."""

    store: str
    archive: Archive
    data: bytes
    signature: bytes


@dataclass(frozen=True)
class Reach:
    """Which stores can be worked with; which are out of reach, by name, and why; and what is wrong with
    stores as a whole: no vault's description, no list of signers."""

    stores: list[OpenStore]
    away: list[tuple[str, ArchiverError]]
    problems: list[ArchiverError]


def find_reference(
    stores: Sequence[OpenStore], archive: str, known_head: Head | None
) -> tuple[Reference, Reach]:
    """The right manifest of an archive, from the first store that has it.

    `known_head` is the chain's end as remembered elsewhere. Raise UsageError where no store has a file of
    such an archive, IntegrityError where none has a manifest that is right, StoreError where none can be
    reached."""
    signed: list[tuple[OpenStore, Archive]] = []
    reach = Reach([], [], [])
    for one in stores:
        try:
            signed += [(one, found) for found in Vault(one.store).list_archives().archives]
        except StoreError as error:
            reach.away.append((one.name, error))
            continue
        except ArchiverError as error:
            reach.problems.append(_unusable(one, error))
        reach.stores.append(one)
    if not reach.stores:
        raise reach.away[0][1]
    chain = _Chain((found for _, found in signed), known_head)
    right = [(one, found) for one, found in signed if found.name == archive and chain.agrees(found)]
    _require_one(right)
    for one, found in right:
        if reference := _read(one, found):
            return reference, reach
    raise _none_right(stores, archive)


def refused_by(one: OpenStore, reference: Reference) -> ArchiverError | None:
    """Why nothing of an archive may be put into a store where no head vouches for it: the store's own list
    does not name who signed it. Another store's list, and what that vouches for, may be somebody else's.
    None where all is well, or the store has no list that can be read."""
    try:
        allowed = Vault(one.store).allowed_signers()
    except ArchiverError:
        return None
    try:
        verify(reference.signature, reference.data, NAMESPACE, allowed)
    except SignatureError as error:
        return IntegrityError(
            f"store {one.name}: archive {reference.archive.name}, as store {reference.store} has it, is not"
            f" signed by whom allowed_signers names here: {error}",
            "nothing was put there; compare the stores' allowed_signers, and put the right one there",
        )
    return None


def _require_one(right: Sequence[tuple[OpenStore, Archive]]) -> None:
    """Raise IntegrityError where stores have different manifests of an archive, and nothing tells which is
    right: who may write to a store can exchange its list of signers too."""
    for one, found in right[1:]:
        if found.head != right[0][1].head:
            raise IntegrityError(
                f"store {right[0][0].name} and store {one.name} do not have the same archive {found.name},"
                " and each is rightly signed by its store's own list",
                "nothing was changed; the head from a notice tells which is right: --head NUMBER:SHA256",
            )


class _Chain:
    """Every manifest that is rightly signed, from all stores, by its number in the chain."""

    def __init__(self, archives: Iterable[Archive], known_head: Head | None) -> None:
        self._by_number: dict[int, dict[str, Archive]] = defaultdict(dict)
        self._known_head = known_head
        for one in archives:
            self._by_number[one.head.sequence][one.head.sha256] = one

    def agrees(self, archive: Archive) -> bool:
        """Whether nothing that is signed contradicts it: those before it, those after it up to the known
        head. Where a neighbour is missing everywhere, nothing beyond it can be asked."""
        return self._agrees_before(archive) and self._agrees_after(archive)

    def _agrees_before(self, archive: Archive) -> bool:
        while archive.head.sequence > 1:
            before = self._by_number.get(archive.head.sequence - 1)
            if not before:
                return True
            named = before.get(archive.manifest.previous or "")
            if named is None:
                return False
            archive = named
        return archive.manifest.previous is None

    def _agrees_after(self, archive: Archive) -> bool:
        known = self._known_head
        while True:
            if known is not None and known.sequence == archive.head.sequence:
                return known.sha256 == archive.head.sha256
            after = self._by_number.get(archive.head.sequence + 1)
            if not after:
                return True
            naming = [one for one in after.values() if one.manifest.previous == archive.head.sha256]
            if not naming:
                return False
            archive = naming[0]


def _read(one: OpenStore, archive: Archive) -> Reference | None:
    """The manifest and its signature; None where they are not any more what was just listed."""
    name = f"archives/{archive.name}/manifest.json"
    found = one.store.read_many({name: MAX_BYTES, f"{name}.sig": MAXIMUM_SIGNATURE_BYTES})
    data, signature = found[name], found[f"{name}.sig"]
    if isinstance(data, ArchiverError) or isinstance(signature, ArchiverError):
        return None
    if document_sha256(data) != archive.head.sha256:
        return None
    return Reference(one.name, archive, data, signature)


def _unusable(one: OpenStore, error: ArchiverError) -> ArchiverError:
    """A store that cannot say what is in its vault: what to do about that is not this archive's matter."""
    return type(error)(f"store {one.name}: {error.message}", "put back what it lacks first: archiver sync")


def _none_right(stores: Sequence[OpenStore], archive: str) -> ArchiverError:
    names = _names(stores)
    if not any(_has_files(one.store, archive) for one in stores):
        return UsageError(f"there is no archive {archive} in {names}", "see which there are: archiver status")
    return IntegrityError(
        f"archives/{archive}/manifest.json is missing or altered in {names}", no_good_copy_hint(stores)
    )


def _has_files(store: Store, archive: str) -> bool:
    try:
        return next(store.list(f"archives/{archive}/"), None) is not None
    except ArchiverError:
        return False


def _names(stores: Iterable[OpenStore]) -> str:
    return ", ".join(one.name for one in stores)


def no_good_copy_hint(stores: Sequence[OpenStore]) -> str:
    """What can be done where none of these stores has the right bytes."""
    if len(stores) == 1:
        return (
            "there is no other store to take it from: name a copy of the vault in the settings,"
            " as a [[store]] with its path, and run the same command again"
        )
    return "if there is one more copy of the vault, name it in the settings as a [[store]] with its path"
