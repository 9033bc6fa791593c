"""One store and what it has of the vault."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from archiver.archive.manifest import Manifest
from archiver.chain import document_sha256
from archiver.disposal import Certificate, Place
from archiver.errors import ArchiverError, error_of, parts_of
from archiver.stores.base import NotInStoreError, Store
from archiver.stores.checks import parse_vault_id
from archiver.stores.named import NamedStore, OpenedStore, open_all

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
    def place(self) -> Place:
        """What a certificate of disposal of it must say."""
        sha256 = document_sha256(self.data)
        return Place(self.manifest.vault, self.archive, sha256, self.manifest.disposal_sha256)

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
    signed; `disposed` certificates that are there and right; `unsigned` manifests whose signature is missing,
    and the problem that this is; `problems` what is damaged there."""

    named: NamedStore
    opened: Store | None = None
    error: ArchiverError | None = None
    vault: bytes | None = None
    signers: bytes | None = None
    names: set[str] = field(default_factory=set)
    sealed: dict[str, Sealed] = field(default_factory=dict)
    disposed: dict[str, Certificate] = field(default_factory=dict)
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
        self.names |= {name for name, _ in sealed.small_files}
        if sealed.archive not in self.disposed:
            self.names.add(sealed.path("key.age"))

    def vault_id(self) -> str | None:
        """The id of the vault that is there; raise IntegrityError where its description is none."""
        return None if self.vault is None else parse_vault_id(self.vault, self.store.location)


def about_store(named: NamedStore, error: ArchiverError) -> ArchiverError:
    """The error, saying which store of the settings it is about."""
    kind, message, hint = parts_of(error)
    return error_of((kind, f"store {named.name}: {message}", hint))


def open_holdings(stores: Sequence[NamedStore]) -> list[Holding]:
    """Open every store and read what makes it a vault; one that cannot be used says so in its `error`."""
    return [_hold(named, one) for named, one in zip(stores, open_all(stores), strict=True)]


def _hold(named: NamedStore, one: OpenedStore) -> Holding:
    holding = Holding(named)
    try:
        holding.opened = one.store
        small = one.store.read_many({DESCRIPTION: MAXIMUM_SMALL_FILE, SIGNERS: MAXIMUM_SMALL_FILE})
        holding.vault, holding.signers = (_if_there(small[name]) for name in (DESCRIPTION, SIGNERS))
        holding.vault_id()
    except ArchiverError as error:
        holding.error = about_store(named, error)
    return holding


def _if_there(read: bytes | ArchiverError) -> bytes | None:
    if isinstance(read, NotInStoreError):
        return None
    if isinstance(read, ArchiverError):
        raise read
    return read
