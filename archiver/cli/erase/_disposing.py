"""The archives that others replace: certified, and their keys destroyed in every store."""

from collections.abc import Sequence
from dataclasses import dataclass

from archiver.cli._custody import Opened, load_register, open_writer
from archiver.cli._session import Session
from archiver.cli.erase._deciding import require_free
from archiver.custody.entry import Draft, Scope
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


def dispose_replaced(session: Session, resealer: Resealer, done: list[Disposed]) -> None:
    """Dispose of every archive that another replaces and that is not yet disposed of everywhere; `done` is
    told what became of each, also where the next is refused. The new one is in every required store before
    anything of the old one is destroyed. Raise as that does, and KeptError where a hold covers it by now."""
    listed = resealer.vault.list_archives()
    archives = listed.require_sound()
    by_name = {one.name: one for one in archives}
    stores: list[OpenedStore] = vault_stores(session.settings, resealer.vault.id)
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
            opened = Opened(resealer.vault, listed)
            require_free(session, opened, old, new)
            certificate = _certify(session, resealer, opened, old, new)
        results = dispose_everywhere(stores, old, certificate)
        unfinished = tuple((one.store, one.error) for one in results if one.error is not None)
        done.append(Disposed(old.name, new.name, unfinished))


def _is_unfinished(stores: Sequence[OpenedStore], old: Archive) -> bool:
    if old.disposed is None:
        return True
    return any(one.error is not None or one.store.exists(archive_key_name(old.name)) for one in stores)


def _certify(session: Session, resealer: Resealer, opened: Opened, old: Archive, new: Archive) -> Certificate:
    """By whoever is here: a keyholder who did not decide it puts on record that they finish it."""
    custody = load_register(session, opened, to_dispose=True)
    entry = next((one for one in reversed(custody.erasures) if old.name in one.scope.archives), None)
    if entry is None:
        raise IntegrityError(
            f"archive {new.name} says that it replaces {old.name}, and nobody has decided that",
            "see who can write to the store and sign; nothing was destroyed",
        )
    keyholder = session.settings.keyholder
    assert keyholder is not None  # noqa: S101 - whose identities are at hand
    if entry.by != keyholder.name:
        reason = f"finishes what {entry.by} decided and was cut off at: {entry.id}"
        entry = open_writer(session).add(
            Draft(
                kind="erase", reason=reason, case=entry.case, reviewer=entry.reviewer, of=(entry.id,),
                scope=Scope(archives=(old.name,)), detail=entry.detail,
            )
        )  # fmt: skip
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
