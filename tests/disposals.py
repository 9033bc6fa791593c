"""Archives of made-up vaults disposed of, in stores that are folders."""

from collections.abc import Iterable
from pathlib import Path

from archiver.disposal import FORMAT, Certificate, Disposal, proof_of
from archiver.disposing import StoreDisposal, dispose_everywhere, make_certificate
from archiver.formats.ssh_signature import SigningKey
from archiver.keys import open_archive_key
from archiver.stores.local import LocalStore
from archiver.stores.named import OpenedStore
from archiver.vault import Archive, Vault
from tests.homes import Home
from tests.made_vaults import VAULT_ID, VaultMaker

KEEPER = "records"
KEEPERS_KEY = SigningKey.generate(KEEPER)
AT = "2033-11-01T03:00:00.000Z"


def archive_of(maker: VaultMaker, name: str) -> Archive:
    return next(one for one in Vault(maker.store).list_archives().archives if one.name == name)


def certificate_of(
    maker: VaultMaker, name: str, *, key: SigningKey = KEEPERS_KEY, **said: object
) -> Certificate:
    """A right one, unless it says something else."""
    archive = archive_of(maker, name)
    identity = open_archive_key(maker.store, name, [maker.holder])
    fields: dict[str, object] = {
        "format": FORMAT, "vault": VAULT_ID, "archive": name, "manifest_sha256": archive.head.sha256,
        "reason": "retention", "rule": "seven years", "keyholder": KEEPER, "at": AT,
        "decision": "49360435-1174-44e0-af32-73e3483ce5e7", "proof": proof_of(identity),
    }  # fmt: skip
    return make_certificate(Disposal(**{**fields, **said}), key)  # type: ignore[arg-type]


def dispose_at_home(home: Home, name: str) -> None:
    """Dispose of an archive of a folder's only store."""
    folder = home.folder / "vault"
    archive = next(one for one in home.archives if one.name == name)
    disposal = Disposal(
        format=FORMAT, vault=home.vault.id, archive=name, manifest_sha256=archive.head.sha256,
        reason="retention", rule="seven years", keyholder=KEEPER, at=AT, decision="1",
        proof=proof_of(open_archive_key(LocalStore(folder), name, home.identities)),
    )  # fmt: skip
    (done,) = dispose_everywhere(opened(folder), archive, make_certificate(disposal, KEEPERS_KEY))
    assert done.error is None, done


def opened(*folders: Path) -> list[OpenedStore]:
    return [OpenedStore(one.name, True, LocalStore(one)) for one in folders]


def dispose_of(maker: VaultMaker, name: str, folders: Iterable[Path]) -> list[StoreDisposal]:
    """Dispose of an archive in stores in these folders."""
    return dispose_everywhere(opened(*folders), archive_of(maker, name), certificate_of(maker, name))
