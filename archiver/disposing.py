"""Disposing of an archive, once that is decided: the certificate into every store, then its key destroyed in
each, then a look whether anything opens it still.

A kill between any two steps is made good by the same again: a certificate that any store has is taken as it
is. A store that is away, or keeps the key under a lock, is one in which it is not done yet.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from archiver.audit.names import custody_chain, signers_line
from archiver.copying import put_small
from archiver.disposal import (
    Certificate,
    Disposal,
    certificate_name,
    custody_signers_name,
    load_certificate,
    sign_disposal,
    signature_name,
)
from archiver.errors import ArchiverError, IntegrityError, StoreError
from archiver.formats.ssh_signature import SigningKey
from archiver.keys import MAXIMUM_KEY_BYTES, archive_key_name
from archiver.stores.base import ExistsInStoreError, Store, outcome
from archiver.stores.named import OpenedStore
from archiver.vault import Archive, place_of


@dataclass(frozen=True)
class StoreDisposal:
    """What became of one store. `had_key`: whether its key was there to be destroyed; `error`: why it is not
    done there yet; `has_archive`: whether the archive is there at all."""

    store: str
    required: bool
    had_key: bool = False
    has_archive: bool = True
    error: ArchiverError | None = None


def make_certificate(disposal: Disposal, key: SigningKey) -> Certificate:
    """A new certificate, signed by the keyholder whom it names."""
    data, signature = sign_disposal(disposal, key)
    signers = signers_line(custody_chain(disposal.keyholder), key.public_line())
    return Certificate(data, signature, disposal, signers)


def find_certificate(stores: Sequence[OpenedStore], archive: Archive) -> Certificate | None:
    """The certificate of an archive in the first store at hand that has a right one. Raise IntegrityError
    where a store has one that is not right."""
    for one in stores:
        if one.error is None:
            found = load_certificate(one.store, place_of(archive))
            if found is not None:
                return found
    return None


def dispose_everywhere(
    stores: Sequence[OpenedStore], archive: Archive, certificate: Certificate
) -> list[StoreDisposal]:
    """Put the certificate into every store at hand, and then destroy the archive's key in each. Raise
    IntegrityError, before any key is destroyed, where a store has another certificate; what else fails is in
    the answer."""
    certified = [_certify(one, archive, certificate) for one in stores]
    return [
        _destroy(one, archive, done) if done.error is None and done.has_archive else done
        for one, done in zip(stores, certified, strict=True)
    ]


def _certify(one: OpenedStore, archive: Archive, certificate: Certificate) -> StoreDisposal:
    if one.error is not None:
        return StoreDisposal(one.name, one.required, error=one.error)
    try:
        if not one.store.exists(f"archives/{archive.name}/manifest.json"):
            return StoreDisposal(one.name, one.required, has_archive=False)
        with suppress(ExistsInStoreError):
            one.store.append(custody_signers_name(certificate.disposal.keyholder), certificate.signers)
        put_small(one.store, signature_name(archive.name), certificate.signature)
        put_small(one.store, certificate_name(archive.name), certificate.data)
    except IntegrityError:
        raise
    except ArchiverError as error:
        return StoreDisposal(one.name, one.required, error=error)
    return StoreDisposal(one.name, one.required)


def _destroy(one: OpenedStore, archive: Archive, done: StoreDisposal) -> StoreDisposal:
    name = archive_key_name(archive.name)
    try:
        had_key = one.store.exists(name)
        one.store.destroy_key(name)
        require_no_key(one.store, archive.name)
    except ArchiverError as error:
        return StoreDisposal(one.name, one.required, error=error)
    return StoreDisposal(one.name, one.required, had_key)


def require_no_key(store: Store, archive: str) -> None:
    """Raise StoreError where a store still gives any version of an archive's key."""
    name = archive_key_name(archive)
    read = outcome(partial(store.read_versions, name, MAXIMUM_KEY_BYTES))
    if store.look(name, MAXIMUM_KEY_BYTES) is not None or not isinstance(read, ArchiverError):
        raise StoreError(
            f"{name} was destroyed in {store.location} and is still there",
            "somebody puts it back, or the store keeps what is deleted: see who can write to it",
        )
