"""One store and what it has of the vault."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from archiver.archive.manifest import Manifest
from archiver.errors import ArchiverError, IntegrityError, NoVaultError, StoreError, error_of, parts_of
from archiver.stores.base import NotInStoreError, Store
from archiver.stores.checks import is_same_place
from archiver.stores.named import NamedStore

MAXIMUM_SMALL_FILE = 1024 * 1024
DESCRIPTION = "vault.json"
SIGNERS = "allowed_signers"


@dataclass(frozen=True)
class Sealed:
    """One archive of the chain: its manifest's bytes, their signature, and what they say."""

    archive: str
    data: bytes
    signature: bytes
    manifest: Manifest

    def path(self, name: str) -> str:
        """A file's name in the stores."""
        return f"archives/{self.archive}/{name}"

    @property
    def small_files(self) -> tuple[tuple[str, bytes], ...]:
        """What makes the archive exist, in the order in which it is put: the manifest is last."""
        return ((self.path("manifest.json.sig"), self.signature), (self.path("manifest.json"), self.data))


@dataclass
class Holding:
    """One store and what it has of the vault.

    `error`: why nothing can be put there, as it is away or of another vault; `failed`: why putting something
    there failed. `vault` and `signers` are its description and who may sign, None where they are missing.
    `names` are all names of archives' files; `sealed` the archives whose manifest is there and rightly
    signed; `unsigned` manifests whose signature is missing, and the problem that this is; `problems` what is
    damaged there."""

    named: NamedStore
    opened: Store | None = None
    error: ArchiverError | None = None
    vault: bytes | None = None
    signers: bytes | None = None
    names: set[str] = field(default_factory=set)
    sealed: dict[str, Sealed] = field(default_factory=dict)
    problems: list[ArchiverError] = field(default_factory=list)
    failed: ArchiverError | None = None
    unsigned: dict[str, tuple[bytes, ArchiverError]] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """The open store; raise why it is not."""
        if self.opened is None:
            raise self.error or ArchiverError(f"store {self.named.name} is not open")
        return self.opened

    @property
    def usable(self) -> bool:
        return self.error is None and self.opened is not None

    def note(self, sealed: Sealed) -> None:
        """This archive is there now, whole."""
        if sealed.archive in self.unsigned:
            self.problems.remove(self.unsigned.pop(sealed.archive)[1])
        self.sealed[sealed.archive] = sealed
        self.names |= {sealed.path(file.name) for file in sealed.manifest.files}
        self.names |= {sealed.path("key.age"), *(name for name, _ in sealed.small_files)}

    def vault_id(self) -> str | None:
        """The id of the vault that is there; raise IntegrityError where its description is none."""
        if self.vault is None:
            return None
        try:
            return str(json.loads(self.vault)["vault"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise IntegrityError(
                f"vault.json in {self.store.location} is not a vault's description",
                "restore it from another store",
            ) from error


def about_store(named: NamedStore, error: ArchiverError) -> ArchiverError:
    """The error, saying which store of the settings it is about."""
    kind, message, hint = parts_of(error)
    return error_of((kind, f"store {named.name}: {message}", hint))


def open_all(stores: Iterable[NamedStore]) -> list[Holding]:
    """Open every store and read what makes it a vault; one that is away, or is the folder of one before it,
    says so in its `error`."""
    holdings: list[Holding] = []
    for named in stores:
        one = _open(named)
        for other in holdings:
            if one.usable and other.usable and is_same_place(one.store, other.store):
                text = f"{one.store.location} is the folder of store {other.named.name}: that is no copy"
                one.error = about_store(named, StoreError(text, "name a place of its own in the settings"))
        holdings.append(one)
    return holdings


def _open(named: NamedStore) -> Holding:
    holding = Holding(named)
    try:
        holding.opened = named.open()
        small = holding.opened.read_many({DESCRIPTION: MAXIMUM_SMALL_FILE, SIGNERS: MAXIMUM_SMALL_FILE})
        holding.vault, holding.signers = (_if_there(small[name]) for name in (DESCRIPTION, SIGNERS))
        holding.vault_id()
    except NoVaultError as error:
        hint = f"mount it; where it is a new place for the vault: mkdir it, then: {_fill(named)}"
        holding.error = about_store(named, NoVaultError(error.message, hint))
    except ArchiverError as error:
        holding.error = about_store(named, error)
    return holding


def _fill(named: NamedStore) -> str:
    return f"archiver sync --store {named.name}"


def _if_there(read: bytes | ArchiverError) -> bytes | None:
    if isinstance(read, NotInStoreError):
        return None
    if isinstance(read, ArchiverError):
        raise read
    return read
