"""What each store holds of the vault, told from its list of names and its manifests; and the one chain that
all of them agree on. Needs no private key."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from archiver.archive.manifest import MAX_BYTES, NAMESPACE, Manifest, parse_manifest
from archiver.chain import Head, follow_chain
from archiver.errors import ArchiverError, IntegrityError, NoVaultError, error_of, parts_of, repair_hint
from archiver.formats import FormatError
from archiver.formats.ssh_signature import AllowedSigners, SignatureError, verify
from archiver.stores.base import NotInStoreError, Store
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
    """Open every store and read what makes it a vault; one that is away says so in its `error`."""
    return [_open(named) for named in stores]


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


def survey(holdings: Sequence[Holding]) -> None:
    """Find what each store has of which archives. The first one with a vault says who may sign. Raise
    NoVaultError where none has one."""
    first = next((one for one in holdings if one.usable and one.vault is not None), None)
    if first is None:
        raise next(
            (one.error for one in holdings if one.error is not None),
            NoVaultError(
                "no store has a vault yet",
                "archiver init makes one in a folder: name that as a store too, and the others begin with it",
            ),
        )
    allowed = _allowed(first)
    for holding in holdings:
        if not holding.usable:
            continue
        try:
            _list(holding, allowed, str(first.vault_id()))
        except ArchiverError as error:
            holding.error = about_store(holding.named, error)


def _allowed(holding: Holding) -> AllowedSigners:
    try:
        return AllowedSigners.parse((holding.signers or b"").decode("utf-8", "replace"))
    except FormatError as error:
        raise IntegrityError(
            f"{SIGNERS} in {holding.store.location}: {error}", "restore it from another store"
        ) from error


def _list(holding: Holding, allowed: AllowedSigners, vault: str) -> None:
    holding.names = set(holding.store.list("archives/"))
    archives = sorted(
        name.split("/")[1]
        for name in holding.names
        if name.count("/") == 2 and name.endswith("/manifest.json")
    )
    limits = {f"archives/{archive}/manifest.json": MAX_BYTES for archive in archives}
    signatures = {f"{name}.sig": MAXIMUM_SMALL_FILE for name in limits}
    read = holding.store.read_many({**limits, **signatures})
    for archive in archives:
        name = f"archives/{archive}/manifest.json"
        try:
            sealed = _sealed(archive, name, read[name], read[f"{name}.sig"], vault)
            verify(sealed.signature, sealed.data, NAMESPACE, allowed)
        except SignatureError as error:
            holding.problems.append(
                IntegrityError(f"{name} in {holding.store.location}: {error}", repair_hint(archive))
            )
        except IntegrityError as error:
            problem = about_store(holding.named, error)
            holding.problems.append(problem)
            data = read[name]
            if isinstance(data, bytes) and f"{name}.sig" not in holding.names:
                holding.unsigned[archive] = data, problem
        else:
            holding.sealed[archive] = sealed


def _sealed(
    archive: str, name: str, data: bytes | ArchiverError, signature: bytes | ArchiverError, vault: str
) -> Sealed:
    data, signature = _read(data), _read(signature)
    manifest = parse_manifest(data, name)
    if manifest.archive != archive or manifest.vault != vault:
        raise IntegrityError(
            f"{name} belongs to the archive {manifest.archive!r} of the vault {manifest.vault!r}",
            "it was moved here: restore the right one from another store",
        )
    return Sealed(archive, data, signature, manifest)


def _read(outcome: bytes | ArchiverError) -> bytes:
    if isinstance(outcome, ArchiverError):
        raise outcome
    return outcome


def agree(holdings: Sequence[Holding]) -> list[Sealed]:
    """The chain of all archives that any of these stores has, oldest first. Raise IntegrityError, naming
    both stores, where two hold different vaults or different archives in one place; and where an archive
    is missing in all of them."""
    usable = [one for one in holdings if one.usable]
    _require_one_vault(usable)
    by_place: dict[int, tuple[Holding, Sealed]] = {}
    by_name: dict[str, tuple[Holding, Sealed]] = {}
    for holding in usable:
        for sealed in holding.sealed.values():
            place = by_place.setdefault(sealed.manifest.sequence, (holding, sealed))
            named = by_name.setdefault(sealed.archive, (holding, sealed))
            for other, known in (place, named):
                if known.data != sealed.data:
                    raise _disagreement(other, known, holding, sealed)
    chain = [by_place[number][1] for number in sorted(by_place)]
    _require_chain(usable, chain)
    return chain


def _require_one_vault(holdings: Sequence[Holding]) -> None:
    ids = [(one, one.vault_id()) for one in holdings]
    known = [(one, vault) for one, vault in ids if vault is not None]
    for holding, vault in known[1:]:
        first, right = known[0]
        if vault != right:
            raise IntegrityError(
                f"store {holding.named.name} ({holding.store.location}) holds another vault, {vault},"
                f" than store {first.named.name} ({first.store.location}), {right}",
                "nothing was written; name another place for one of them in the settings",
            )


def _disagreement(one: Holding, known: Sealed, other: Holding, sealed: Sealed) -> IntegrityError:
    what = (
        f"archive {known.archive}"
        if known.archive == sealed.archive
        else f"number {known.manifest.sequence}: archive {known.archive} and archive {sealed.archive}"
    )
    return IntegrityError(
        f"store {one.named.name} ({one.store.location}) and store {other.named.name}"
        f" ({other.store.location}) do not have the same {what}",
        "both are rightly signed: two runs sealed apart from each other; keep both stores as they are,"
        " and name only one of them in the settings",
    )


def _require_chain(holdings: Sequence[Holding], chain: Sequence[Sealed]) -> None:
    """Raise where a link is missing or does not fit. Signatures were checked before."""
    signers = _allowed(next(one for one in holdings if one.vault is not None))
    documents = ((sealed.path("manifest.json"), sealed.data, sealed.signature) for sealed in chain)
    try:
        for _ in follow_chain(documents, signers, NAMESPACE):
            pass
    except IntegrityError:
        for holding in holdings:
            if holding.problems:  # rather why it is missing
                raise holding.problems[0] from None
        raise


def check_head(chain: Sequence[Sealed], known: Head | None) -> ArchiverError | None:
    """What is wrong where the chain does not hold the head that is remembered elsewhere."""
    if known is None or len(chain) >= known.sequence:
        return None
    return IntegrityError(
        f"number {known.sequence} was noted as written, but no store that can be reached has more than"
        f" {len(chain)}",
        "bring back a store that has the last ones, then: archiver sync",
    )
