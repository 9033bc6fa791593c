"""What a store should have of an archive, and of the two files that make it a vault."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from archiver.archive.manifest import token_name
from archiver.claims.holder import load_claims
from archiver.disposal import Certificate, certificate_name, load_certificate, signature_name
from archiver.errors import ArchiverError, StoreError
from archiver.keyholders import Recipient
from archiver.keys import MAXIMUM_KEY_BYTES, Identity
from archiver.repair.key import judge_keys
from archiver.repair.reference import DESCRIPTION, SIGNERS, Reference, parse_signers
from archiver.settings.timestamps import AuthoritySettings
from archiver.stores.base import NotInStoreError, outcome
from archiver.stores.checks import parse_vault_id
from archiver.stores.named import OpenedStore
from archiver.timestamps import find_right
from archiver.vault import place_of

MOVE_HINT = "move it out of the store by hand, and archiver sync brings another, of a later time"
_WHO_CLAIMED = "find out which host claimed the vault: archiver verify names it for each store"
REWRAP_HINT = "encrypt it anew, to the keyholders there are, with an identity of one: archiver keys rewrap"


@dataclass(frozen=True)
class Wanted:
    """A file that every store should have: its name there, and what it may hold: SHA-256 (hexadecimal) and
    size in bytes. Of a key there may be several that are right, or none that can be told to be: `doubt`
    says why."""

    name: str
    accepted: Mapping[str, int]
    doubt: str = ""
    refusal: str = ""
    """Why none is put where it lacks, though some are right: which is, is not for this program to say."""
    hint: str | None = None
    """What to do where it cannot be put back, if something else than usual."""
    data: bytes | None = None
    """The right bytes, where no store gives them when it is asked for the file."""
    may_lack: bool = False
    """Whether it is no fault that a store has none, where none has it right."""


def wanted_of_archive(
    stores: Sequence[OpenedStore],
    reference: Reference,
    identities: Sequence[Identity],
    recipients: Sequence[Recipient],
    authorities: Sequence[AuthoritySettings] = (),
) -> list[Wanted]:
    """All files of an archive; the manifest, which makes it exist, is the last."""
    name = f"archives/{reference.archive.name}/manifest.json"
    certificate = _certificate(stores, reference)
    return [
        *(
            Wanted(reference.archive.path(one), {one.sha256: one.size})
            for one in reference.archive.manifest.files
        ),
        *(
            [_key(stores, reference, identities, recipients)]
            if certificate is None
            else _of_disposed(reference.archive.name, certificate)
        ),
        *_timestamp(stores, reference, authorities),
        _exactly(f"{name}.sig", [reference.signature]),
        _exactly(name, [reference.data]),
    ]


def _key(
    stores: Sequence[OpenedStore],
    reference: Reference,
    identities: Sequence[Identity],
    recipients: Sequence[Recipient],
) -> Wanted:
    key = judge_keys(stores, reference, identities, recipients)
    # Several are right and not the same: the older one would let a removed keyholder in again.
    refusal = "those of other stores are right, but not the same" if len(key.right) > 1 else ""
    hint = REWRAP_HINT if refusal else key.hint
    return Wanted(key.name, _hashed(key.right), key.doubt, refusal, hint, key.data)


def _certificate(stores: Sequence[OpenedStore], reference: Reference) -> Certificate | None:
    """The first right certificate that the archive was disposed of: its key is put back nowhere then."""
    for one in stores:
        found = outcome(partial(load_certificate, one.store, place_of(reference.archive)))
        if isinstance(found, Certificate):
            return found
    return None


def _of_disposed(archive: str, certificate: Certificate) -> list[Wanted]:
    return [
        _exactly(signature_name(archive), [certificate.signature]),
        _exactly(certificate_name(archive), [certificate.data]),
    ]


def _timestamp(
    stores: Sequence[OpenedStore], reference: Reference, authorities: Sequence[AuthoritySettings]
) -> Iterator[Wanted]:
    """The token beside the manifest, where any store has one. Those are right that an authority of the
    settings signed; where there is none such, those over this manifest, whoever signed them. Where stores
    have different ones each keeps its own."""
    name = token_name(reference.archive.name)
    found = [one.store.read_many({name: MAXIMUM_KEY_BYTES})[name] for one in stores]
    if all(isinstance(data, NotInStoreError | StoreError) for data in found):
        return
    right = find_right([data for data in found if isinstance(data, bytes)], reference.data, authorities)
    doubt = "is no time stamp of this manifest"
    yield Wanted(name, _hashed(right), doubt=doubt, hint=None if right else MOVE_HINT, may_lack=True)


def wanted_of_vault(stores: Sequence[OpenedStore], vault: str) -> list[Wanted]:
    """The description, the list of signers, and the claims of hosts. What a store has of them that can be
    none is put back; where two lists can be one and differ, a person has to say which is right."""
    limits = {DESCRIPTION: MAXIMUM_KEY_BYTES, SIGNERS: MAXIMUM_KEY_BYTES}
    read = [one.store.read_many(limits) for one in stores]
    described = [data for each in read if _describes(data := each[DESCRIPTION], vault)]
    lists = [data for each in read if isinstance(data := each[SIGNERS], bytes) and parse_signers(data)]
    wanted = _exactly(SIGNERS, lists)
    if len(wanted.accepted) > 1:
        refusal = "those of other stores are not the same"
        wanted = Wanted(
            SIGNERS, wanted.accepted, refusal=refusal, hint="compare them, and put the right one there"
        )
    return [_exactly(DESCRIPTION, described), wanted, *_claims(stores, vault, lists)]


def _claims(stores: Sequence[OpenedStore], vault: str, lists: Sequence[bytes]) -> Iterator[Wanted]:
    """The claims of hosts that are right in any store, by the first list of signers."""
    allowed = parse_signers(lists[0]) if lists else None
    if allowed is None:
        return
    found: dict[str, list[bytes]] = {}
    for one in stores:
        listed = outcome(partial(load_claims, one.store, vault, allowed))
        for claim in () if isinstance(listed, ArchiverError) else listed:
            found.setdefault(claim.name, []).append(claim.file)
    for name, right in sorted(found.items()):
        differing = "those of other stores are not the same" if len(set(right)) > 1 else ""
        yield Wanted(name, _hashed(right), refusal=differing, hint=_WHO_CLAIMED if differing else None)


def _describes(data: bytes | ArchiverError, vault: str) -> bool:
    return isinstance(data, bytes) and outcome(partial(parse_vault_id, data, "")) == vault


def _exactly(name: str, right: Sequence[bytes | ArchiverError]) -> Wanted:
    return Wanted(name, _hashed([data for data in right if isinstance(data, bytes)]))


def _hashed(right: Sequence[bytes]) -> dict[str, int]:
    return {hashlib.sha256(data).hexdigest(): len(data) for data in right}
