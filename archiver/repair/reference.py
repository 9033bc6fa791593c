"""How an archive's files must be: its manifest, found right in one of the stores that hold the vault.

A manifest counts where it is signed by an allowed signer and agrees with its neighbours in the chain,
whichever stores these lie in. So an archive whose manifest is damaged in one store, and its neighbour's in
another, is still told right from wrong.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from archiver.archive.manifest import MAX_BYTES, NAMESPACE
from archiver.chain import Head, document_sha256
from archiver.errors import (
    ArchiverError,
    IntegrityError,
    NewerVersionError,
    NoVaultError,
    UsageError,
    error_of,
    parts_of,
)
from archiver.formats import FormatError
from archiver.formats.ssh_signature import AllowedSigners, SignatureError, verify
from archiver.stores.base import Store, outcome
from archiver.stores.checks import find_vault_id
from archiver.stores.named import OpenedStore, sync_command
from archiver.vault import Archive, Vault

MAXIMUM_SIGNATURE_BYTES = 1 << 20
DESCRIPTION = "vault.json"
SIGNERS = "allowed_signers"


@dataclass(frozen=True)
class Reference:
    """An archive's manifest and signature as they must be, and the store they were read from."""

    store: str
    archive: Archive
    data: bytes
    signature: bytes


@dataclass(frozen=True)
class Reach:
    """Which stores can be worked with, all of one `vault`; which cannot, by name, and why: they are out of
    reach, or hold no vault yet."""

    vault: str
    stores: list[OpenedStore]
    away: list[tuple[str, ArchiverError]]

    def require(self, name: str) -> None:
        """Raise why the store of this name cannot be worked with, if it cannot."""
        for away, error in self.away:
            if away == name:
                raise error


def reach_vaults(stores: Sequence[OpenedStore]) -> Reach:
    """Ask each store which vault it holds. One whose description is damaged is worked with, to have it put
    back. Raise IntegrityError where two hold different vaults, and the first error where none holds one."""
    found: list[OpenedStore] = []
    away: list[tuple[str, ArchiverError]] = []
    known: dict[str, OpenedStore] = {}
    damaged: list[ArchiverError] = []
    for one in stores:
        vault = outcome(partial(_vault_of, one))
        if isinstance(vault, NewerVersionError):
            raise vault
        if isinstance(vault, IntegrityError):
            damaged.append(vault)
        elif isinstance(vault, ArchiverError):
            away.append((one.name, vault))
            continue
        else:
            known.setdefault(vault, one)
        found.append(one)
    if not known:
        raise next(iter([*damaged, *(error for _, error in away)]))
    if len(known) > 1:
        raise _two_vaults(known)
    return Reach(next(iter(known)), found, away)


def _vault_of(one: OpenedStore) -> str:
    vault = find_vault_id(one.store)
    if vault is None:
        raise NoVaultError(
            f"there is no vault in {one.store.location} yet",
            f"fill it, which proves it first: {sync_command(one.name)}",
        )
    return vault


def _two_vaults(known: Mapping[str, OpenedStore]) -> IntegrityError:
    (first, one), (second, other) = list(known.items())[:2]
    return IntegrityError(
        f"store {other.name} ({other.store.location}) holds another vault, {second}, than store {one.name}"
        f" ({one.store.location}), {first}",
        "nothing was written; name another place for one of them in the settings",
    )


def find_reference(
    stores: Sequence[OpenedStore], archive: str, known_head: Head | None
) -> tuple[Reference, list[ArchiverError]]:
    """The right manifest of an archive, from the first store that has it; and what is wrong with stores as a
    whole, of which nothing could be read.

    `known_head` is the chain's end as remembered elsewhere. Raise UsageError where no store has a file of
    such an archive, IntegrityError where none has a manifest that is right, NewerVersionError where a later
    version sealed one."""
    signed: list[tuple[OpenedStore, Archive]] = []
    problems: list[ArchiverError] = []
    for one in stores:
        try:
            signed += [(one, found) for found in Vault(one.store).list_archives().archives]
        except NewerVersionError:
            raise  # an older copy must not be put over it
        except ArchiverError as error:
            problems.append(_unusable(one, error))
    chain = _Chain((found for _, found in signed), known_head)
    right = [(one, found) for one, found in signed if found.name == archive and chain.agrees(found)]
    _require_one(right)
    for one, found in right:
        if reference := _read(one, found):
            return reference, problems
    raise _none_right(stores, archive)


def find_unsigned(one: OpenedStore, stores: Sequence[OpenedStore]) -> str | None:
    """Of a store without a list of signers that can be read: an archive there whose signer the list that it
    would be given does not name. None where there is none, and where it needs no list."""
    if read_signers(one) is not None:
        return None
    allowed = next((found for other in stores if (found := read_signers(other)) is not None), None)
    if allowed is None:
        return None
    names = [name for name in one.store.list("archives/") if name.endswith("/manifest.json")]
    limits = dict.fromkeys(names, MAX_BYTES) | {f"{name}.sig": MAXIMUM_SIGNATURE_BYTES for name in names}
    read = one.store.read_many(limits)
    return next((name.split("/")[1] for name in names if _is_strangers(read, name, allowed)), None)


def _is_strangers(read: Mapping[str, bytes | ArchiverError], name: str, allowed: AllowedSigners) -> bool:
    """Whether a manifest that can be read is signed by somebody else."""
    data, signature = read[name], read[f"{name}.sig"]
    if isinstance(data, ArchiverError) or isinstance(signature, ArchiverError):
        return False
    try:
        verify(signature, data, NAMESPACE, allowed)
    except SignatureError:
        return True
    return False


def read_signers(one: OpenedStore) -> AllowedSigners | None:
    """A store's own list; None where there is none that can be read, or it names nobody."""
    data = one.store.read_many({SIGNERS: MAXIMUM_SIGNATURE_BYTES})[SIGNERS]
    return None if isinstance(data, ArchiverError) else parse_signers(data)


def parse_signers(data: bytes) -> AllowedSigners | None:
    """A list that names somebody; None for anything else."""
    try:
        allowed = AllowedSigners.parse(data.decode("utf-8", "replace"))
    except FormatError:
        return None
    return allowed if any(line.strip() and not line.startswith(b"#") for line in data.splitlines()) else None


def refused_by(one: OpenedStore, reference: Reference) -> ArchiverError | None:
    """Why nothing of an archive may be put into a store where no head vouches for it: the store's own list
    does not name who signed it. Another store's list, and what that vouches for, may be somebody else's.
    None where all is well, or the store has no list that can be read."""
    allowed = read_signers(one)
    if allowed is None:
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


def _require_one(right: Sequence[tuple[OpenedStore, Archive]]) -> None:
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


def _read(one: OpenedStore, archive: Archive) -> Reference | None:
    """The manifest and its signature; None where they are not any more what was just listed."""
    name = f"archives/{archive.name}/manifest.json"
    found = one.store.read_many({name: MAX_BYTES, f"{name}.sig": MAXIMUM_SIGNATURE_BYTES})
    data, signature = found[name], found[f"{name}.sig"]
    if isinstance(data, ArchiverError) or isinstance(signature, ArchiverError):
        return None
    if document_sha256(data) != archive.head.sha256:
        return None
    return Reference(one.name, archive, data, signature)


def _unusable(one: OpenedStore, error: ArchiverError) -> ArchiverError:
    """A store that cannot say what is in its vault, named."""
    kind, message, hint = parts_of(error)
    return error_of((kind, f"store {one.name}: {message}", hint))


def _none_right(stores: Sequence[OpenedStore], archive: str) -> ArchiverError:
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


def _names(stores: Iterable[OpenedStore]) -> str:
    return ", ".join(one.name for one in stores)


def no_good_copy_hint(stores: Sequence[OpenedStore]) -> str:
    """What can be done where none of these stores has the right bytes."""
    if len(stores) == 1:
        return (
            "there is no other store to take it from: name a copy of the vault in the settings,"
            " as a [[store]] with its path, and run the same command again"
        )
    return "if there is one more copy of the vault, name it in the settings as a [[store]] with its path"
