"""Archives that were disposed of: no store is given a key that was destroyed, and one that was away when that
happened loses its own.

That is done by the certificate alone, without anybody's identity, so it must prove more than that somebody
could write to one store: that whoever made it could open the archive. Certificates of archives whose manifest
does not let that be told are passed on, and the keys stay for a keyholder to destroy.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from archiver.copying import put_small
from archiver.disposal import (
    Certificate,
    certificate_name,
    custody_signers_name,
    finish_hint,
    signature_name,
)
from archiver.errors import IncompleteError, StoreError
from archiver.stores.base import ExistsInStoreError
from archiver.sync.holding import Holding, Sealed


def disposed_in(holdings: Sequence[Holding]) -> Mapping[str, Certificate]:
    """The first right certificate of each archive that has one in any store."""
    found: dict[str, Certificate] = {}
    for holding in holdings:
        if holding.usable:
            for archive, certificate in holding.disposed.items():
                found.setdefault(archive, certificate)
    return found


def dispose_in(target: Holding, sealed: Sealed, certificate: Certificate) -> bool:
    """Have a store say that an archive was disposed of, and destroy its key there; whether anything was to be
    done. Raise IncompleteError where the key must stay: under a lock, or for want of proof."""
    changed = sealed.archive not in target.disposed
    if changed:
        with suppress(ExistsInStoreError):
            target.store.append(custody_signers_name(certificate.disposal.keyholder), certificate.signers)
        put_small(target.store, signature_name(sealed.archive), certificate.signature)
        put_small(target.store, certificate_name(sealed.archive), certificate.data)
        target.disposed[sealed.archive] = certificate
    key = sealed.path("key.age")
    if key not in target.names:
        return changed
    if not certificate.disposal.is_proven:
        raise IncompleteError(
            f"archive {sealed.archive} was disposed of, and {key} is still in {target.store.location}",
            finish_hint(sealed.archive),
        )
    try:
        target.store.destroy_key(key)
    except StoreError as error:
        raise IncompleteError(error.message, error.hint) from error
    target.names.discard(key)
    return True
