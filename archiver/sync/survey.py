"""What each store holds of the vault, told from its list of names and its manifests; and the one chain that
all of them agree on. Needs no private key."""

from collections.abc import Iterable, Sequence

from archiver.archive.manifest import MAX_BYTES, NAMESPACE, parse_manifest
from archiver.chain import follow_chain
from archiver.disposal import certificate_name, load_certificate
from archiver.errors import ArchiverError, IntegrityError, NoVaultError, StoreError, repair_hint
from archiver.formats import FormatError
from archiver.formats.ssh_signature import AllowedSigners, SignatureError, verify
from archiver.stores.checks import MEND_HINT
from archiver.sync.holding import MAXIMUM_SMALL_FILE, SIGNERS, Holding, Sealed, about_store


def first_of(holdings: Iterable[Holding]) -> Holding | None:
    """The first store: of those that must have everything, the one that the settings name first."""
    return next((one for one in holdings if one.named.required), None)


def speaker(holdings: Sequence[Holding]) -> Holding | None:
    """The store that says which vault it is and who may sign: the first store, else the first of the others
    that has both; where none has, the first that has a vault."""
    first = first_of(holdings)
    order = sorted(holdings, key=lambda one: one is not first)
    vaults = [one for one in order if one.usable and one.vault is not None]
    return next((one for one in vaults if one.signers is not None), vaults[0] if vaults else None)


def survey(holdings: Sequence[Holding]) -> None:
    """Find what each store has of which archives; `speaker` says who may sign. Raise NoVaultError where none
    has a vault."""
    first = speaker(holdings)
    if first is None:
        raise next(
            (one.error for one in holdings if one.error is not None),
            NoVaultError(
                "no store has a vault yet",
                "archiver init makes one in a folder: name that as a store too, and the others begin with it",
            ),
        )
    allowed = allowed_by(first)
    for holding in holdings:
        if not holding.usable:
            continue
        try:
            _list(holding, allowed, str(first.vault_id()))
        except ArchiverError as error:
            holding.error = about_store(holding.named, error)


def allowed_by(holding: Holding) -> AllowedSigners:
    """Whom a store's own list names; raise IntegrityError where it is none."""
    try:
        return AllowedSigners.parse((holding.signers or b"").decode("utf-8", "replace"))
    except FormatError as error:
        raise IntegrityError(
            f"{SIGNERS} in {holding.store.location} is no list of signers: {error}", MEND_HINT
        ) from error


def _list(holding: Holding, allowed: AllowedSigners, vault: str) -> None:
    if holding.vault_id() not in (None, vault):
        return  # as `agree` says once, and not of each archive there
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
        except StoreError:
            raise
        except ArchiverError as error:
            problem = about_store(holding.named, error)
            holding.problems.append(problem)
            data = read[name]
            if isinstance(data, bytes) and f"{name}.sig" not in holding.names:
                holding.unsigned[archive] = data, problem
        else:
            holding.sealed[archive] = sealed
    _take_certificates(holding)


def _take_certificates(holding: Holding) -> None:
    for sealed in holding.sealed.values():
        if certificate_name(sealed.archive) in holding.names:
            try:
                found = load_certificate(holding.store, sealed.place)
            except IntegrityError as error:
                holding.problems.append(about_store(holding.named, error))
            else:
                if found is not None:
                    holding.disposed[sealed.archive] = found


def _sealed(
    archive: str, name: str, data: bytes | ArchiverError, signature: bytes | ArchiverError, vault: str
) -> Sealed:
    data, signature = _read(data), _read(signature)
    manifest = parse_manifest(data, name)
    if manifest.archive != archive or manifest.vault != vault:
        raise IntegrityError(
            f"{name} belongs to the archive {manifest.archive!r} of the vault {manifest.vault!r}",
            f"it was moved here; {repair_hint(archive)}",
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
    first = speaker(holdings)
    signers = allowed_by(first) if first is not None else AllowedSigners(())
    documents = ((sealed.path("manifest.json"), sealed.data, sealed.signature) for sealed in chain)
    try:
        for _ in follow_chain(documents, signers, NAMESPACE):
            pass
    except IntegrityError:
        for holding in holdings:
            if holding.problems:  # rather why it is missing
                raise holding.problems[0] from None
        raise
