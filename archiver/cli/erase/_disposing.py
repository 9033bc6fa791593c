"""The archives that others replace: certified, and their keys destroyed in every store."""

from collections.abc import Sequence
from dataclasses import dataclass

from archiver.cli._custody import Opened, load_register
from archiver.cli._session import Session
from archiver.custody.register import Custody
from archiver.disposal import FORMAT, Certificate, Disposal, proof_of
from archiver.disposing import dispose_everywhere, find_certificate, make_certificate
from archiver.errors import ArchiverError, IntegrityError
from archiver.keys import archive_key_name, load_keyholder_signing_key
from archiver.reseal.sealing import Resealer
from archiver.stores.named import OpenedStore
from archiver.vault import Archive
from archiver.wiring.custody import vault_stores


@dataclass(frozen=True)
class Disposed:
    """An archive that another has replaced; `unfinished`: stores in which its key still is, and why."""

    archive: str
    successor: str
    unfinished: tuple[tuple[str, ArchiverError], ...]


def dispose_replaced(session: Session, resealer: Resealer) -> list[Disposed]:
    """Dispose of every archive that another replaces and that is not yet disposed of everywhere; what became
    of each. The new one is in every required store before anything of the old one is destroyed. Raise as that
    does."""
    listed = resealer.vault.list_archives()
    archives = listed.require_sound()
    by_name = {one.name: one for one in archives}
    stores: list[OpenedStore] = vault_stores(session.settings, resealer.vault.id)
    done = []
    for new in archives:
        old = by_name.get(new.manifest.replaces or "")
        if old is None or not _is_unfinished(stores, old):
            continue
        if new.disposed is None:
            resealer.require_everywhere(new)
        with resealer.state.transaction():
            resealer.state.rename_media(old.name, new.name)
        certificate = find_certificate(stores, old)
        if certificate is None:
            custody = load_register(session, Opened(resealer.vault, listed), to_dispose=True)
            certificate = _certify(session, resealer, custody, old, new)
        results = dispose_everywhere(stores, old, certificate)
        unfinished = tuple((one.store, one.error) for one in results if one.error is not None)
        done.append(Disposed(old.name, new.name, unfinished))
    return done


def _is_unfinished(stores: Sequence[OpenedStore], old: Archive) -> bool:
    if old.disposed is None:
        return True
    return any(one.error is not None or one.store.exists(archive_key_name(old.name)) for one in stores)


def _certify(
    session: Session, resealer: Resealer, custody: Custody, old: Archive, new: Archive
) -> Certificate:
    entry = next((one for one in reversed(custody.erasures) if old.name in one.scope.archives), None)
    if entry is None:
        raise IntegrityError(
            f"archive {new.name} says that it replaces {old.name}, and nobody has decided that",
            "see who can write to the store and sign; nothing was destroyed",
        )
    keyholder = session.settings.keyholder
    assert keyholder is not None  # noqa: S101 - whose identities are at hand
    if entry.by != keyholder.name:
        raise ArchiverError(
            f"{entry.by} has begun to erase records of archive {old.name}, and was cut off",
            f"let {entry.by} finish it, with the same command",
        )
    identity = resealer.vault.open_key(old, session.identities())
    disposal = Disposal(
        format=FORMAT,
        vault=resealer.vault.id,
        archive=old.name,
        manifest_sha256=old.head.sha256,
        reason="erased",
        successor=new.name,
        keyholder=keyholder.name,
        at=entry.at,
        decision=entry.id,
        proof=proof_of(identity),
    )
    return make_certificate(disposal, load_keyholder_signing_key(keyholder, session.identities()))
