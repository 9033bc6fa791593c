"""Whose archives a store takes while the first store, which says who may sign, cannot be asked."""

from archiver.archive.manifest import NAMESPACE
from archiver.errors import IntegrityError
from archiver.formats.ssh_signature import SignatureError, verify
from archiver.sync.holding import SIGNERS, Holding, Sealed
from archiver.sync.survey import allowed_by


def require_own_signer(holding: Holding, sealed: Sealed) -> None:
    """Raise IntegrityError where a store's own list does not name who signed an archive. Another store's list
    may be a stranger's, who put it there beside archives of his own: these must not spread."""
    try:
        verify(sealed.signature, sealed.data, NAMESPACE, allowed_by(holding))
    except SignatureError as error:
        raise IntegrityError(
            f"archive {sealed.archive} is not signed by whom {SIGNERS} in {holding.store.location} names:"
            f" {error}",
            "nothing of it was put there; run it again when the first store is back, whose list counts",
        ) from error
