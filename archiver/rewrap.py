"""Archives' keys, and the custody register's, encrypted anew when keyholders change: once for each, the same
bytes into every store."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from archiver.audit.names import CUSTODY_KEY
from archiver.chain import document_sha256
from archiver.custody.key import open_register_key
from archiver.disposal import CERTIFICATE, Place, load_certificate
from archiver.errors import (
    ArchiverError,
    IntegrityError,
    NewerVersionError,
    NoKeyError,
    UsageError,
    error_of,
    parts_of,
    repair_hint,
)
from archiver.keyholders import Keyholders, Recipient
from archiver.keys import (
    MAXIMUM_KEY_BYTES,
    Identity,
    archive_key_name,
    open_archive_key,
    seal_archive_key,
)
from archiver.store_names import check_name
from archiver.stores.base import Store, outcome
from archiver.stores.checks import find_vault_id
from archiver.stores.named import NamedStore, open_all

_MAXIMUM_MANIFEST_BYTES = 1 << 24
WHEN_BACK = "when it is back: archiver keys rewrap"


@dataclass(frozen=True)
class AwayStore:
    """A store whose keys could not be changed, and why."""

    name: str
    required: bool
    error: ArchiverError


@dataclass(frozen=True)
class KeyStore:
    """An open store; the archives it has a key of, and those it has a manifest of; whether it has the custody
    register's key; the archives that it has a certificate of, right or not, that they were disposed of."""

    named: NamedStore
    store: Store
    with_key: frozenset[str]
    sealed: frozenset[str]
    has_register: bool = False
    certified: frozenset[str] = frozenset()


@dataclass
class KeyStores:
    """The stores that can be reached, in order, and those that cannot. One that is lost on the way moves
    from the ones to the others."""

    reached: list[KeyStore] = field(default_factory=list)
    away: list[AwayStore] = field(default_factory=list)

    def archives(self) -> list[str]:
        """The names of all archives that a store has a key of, those being sealed included."""
        return sorted(frozenset().union(*(one.with_key for one in self.reached)))

    @property
    def need_identity(self) -> bool:
        """Whether there is anything that only a keyholder's identity encrypts anew."""
        return bool(self.archives()) or any(one.has_register for one in self.reached)

    def lose(self, named: NamedStore, error: ArchiverError) -> None:
        """Go on without this store."""
        self.reached = [one for one in self.reached if one.named is not named]
        kind, message, _ = parts_of(error)
        said = error_of((kind, f"store {named.name}: {message}", WHEN_BACK))
        self.away.append(AwayStore(named.name, named.required, said))


def reach_stores(stores: Iterable[NamedStore]) -> KeyStores:
    """Open every store and see which archives it has. Raise the first one's error where none can be
    reached."""
    found = KeyStores()
    stores = list(stores)
    for named, opened in zip(stores, open_all(stores), strict=True):
        try:
            store = opened.store
            _refuse_newer(store)
            # A name that no store takes is somebody else's file: it stops nothing.
            names = [
                name.split("/")
                for name in store.list("archives/")
                if not isinstance(outcome(partial(check_name, name)), ArchiverError)
            ]
            with_key, sealed, certified = (
                frozenset(parts[1] for parts in names if parts[2:] == [file_name])
                for file_name in ("key.age", "manifest.json", CERTIFICATE)
            )
            register = store.exists(CUSTODY_KEY)
            found.reached.append(KeyStore(named, store, with_key, sealed, register, certified))
        except NewerVersionError:
            raise
        except ArchiverError as error:
            found.lose(named, error)
    if not found.reached and found.away:
        raise found.away[0].error
    return found


def _refuse_newer(store: Store) -> None:
    """Raise NewerVersionError where a later version made the vault that a store holds, whose keys may be
    others. What else may be wrong with its description matters to no key."""
    vault = outcome(partial(find_vault_id, store))
    if isinstance(vault, NewerVersionError):
        raise vault


def apply_keyholders(
    stores: KeyStores, path: Path, keyholders: Keyholders, identities: Sequence[Identity]
) -> int:
    """Make this the list of keyholders: of all archives sealed from now on, and of those there are.
    Return how many archives' keys were encrypted again.

    The list is saved first; a kill after that leaves archives' keys to `archiver keys rewrap`. Raise
    UsageError before anything is changed where none of the identities is a keyholder's on the new list,
    who could not finish what was begun, and as `rewrap_archive_keys`."""
    recipients = keyholders.recipients()
    if stores.need_identity and not any(identity.recipient() in recipients for identity in identities):
        raise UsageError(
            "the identity that is used here would be shut out before the work is done",
            "let another keyholder do it, with their own identity",
        )
    if not path.exists() or path.read_bytes() != keyholders.encode():
        keyholders.save(path)
    return rewrap_archive_keys(stores, identities, recipients)


def rewrap_archive_keys(
    stores: KeyStores, identities: Sequence[Identity], recipients: Sequence[Recipient]
) -> int:
    """Encrypt every archive's key again, to exactly these recipients, and put the same bytes into every
    store that has the archive; return how many.

    A key is read from the first store in which one of the identities opens it, and each is replaced
    atomically, so after a kill at any point the same call completes it. What cannot be opened is left as
    it is and the rest is done; then raise IntegrityError for keys that are altered or another archive's,
    NoKeyError for keys that none of the identities opens, naming all of them. A store that fails is among
    those away afterwards."""
    failures: dict[str, list[ArchiverError]] = {}
    archives = stores.archives()
    for archive in archives:
        if _is_disposed(stores, archive):
            continue
        errors = _rewrap(stores, archive, identities, recipients)
        if errors:
            failures[archive] = errors
    errors = _rewrap_register(stores, identities, recipients)
    if errors and not failures:
        raise errors[0]
    if failures:
        raise _failed(failures, len(archives))
    return len(archives)


def _is_disposed(stores: KeyStores, archive: str) -> bool:
    """Whether a store has a right certificate that the archive was disposed of: the key of one that was away
    then is let into by nobody new, and goes with the next sync."""
    name = f"archives/{archive}/manifest.json"
    for one in stores.reached:
        try:
            if archive not in one.certified:
                continue
            data = one.store.read(name, _MAXIMUM_MANIFEST_BYTES)
            manifest = json.loads(data)
            place = Place(
                str(manifest["vault"]), archive, document_sha256(data), manifest.get("disposal_sha256")
            )
            if load_certificate(one.store, place) is not None:
                return True
        except (ArchiverError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue  # verifying says what is wrong with it
    return False


def _rewrap_register(
    stores: KeyStores, identities: Sequence[Identity], recipients: Sequence[Recipient]
) -> list[ArchiverError]:
    """The custody register's key in all stores that have it, the right one in place of one that is damaged;
    what is wrong with it."""
    having = [each for each in stores.reached if each.has_register]
    found = [(one, outcome(partial(open_register_key, one.store, identities))) for one in having]
    key = next((key for _, key in found if not isinstance(key, ArchiverError)), None)
    if key is None:
        return [error for _, error in found if isinstance(error, ArchiverError)][:1]
    data = seal_archive_key(key, recipients)
    errors: list[ArchiverError] = []
    for one, own in found:
        try:
            if isinstance(own, ArchiverError) and not isinstance(own, IntegrityError):
                raise own
            if not isinstance(own, ArchiverError) and own.encode() != key.encode():
                raise IntegrityError(
                    f"{CUSTODY_KEY} in {one.store.location} is another one than in the stores before it",
                    "nothing was written to it; find out which one is in use",
                )
            _put(one.store, CUSTODY_KEY, data)
        except (NoKeyError, IntegrityError) as error:
            errors.append(error)
        except ArchiverError as error:
            stores.lose(one.named, error)
    return errors


def _rewrap(
    stores: KeyStores, archive: str, identities: Sequence[Identity], recipients: Sequence[Recipient]
) -> list[ArchiverError]:
    """One archive's key in all stores; what is wrong with it."""
    identity, errors = _find_identity(stores, archive, identities)
    if identity is None:
        return errors
    data = seal_archive_key(identity, recipients)
    wrong: list[ArchiverError] = []
    for one in list(stores.reached):
        if archive not in one.with_key | one.sealed:
            continue
        try:
            _require_its_key(one.store, archive, identity)
            _put(one.store, archive_key_name(archive), data)
        except IntegrityError as error:
            wrong.append(error)
        except ArchiverError as error:
            stores.lose(one.named, error)
    return wrong


def _find_identity(
    stores: KeyStores, archive: str, identities: Sequence[Identity]
) -> tuple[Identity | None, list[ArchiverError]]:
    """The archive's own identity from the first store where it opens; else what was wrong in each."""
    errors: list[ArchiverError] = []
    elsewhere = _known_recipient(stores, archive)
    for one in list(stores.reached):
        if archive not in one.with_key:
            continue
        try:
            recipient = _manifest_recipient(one.store, archive) or elsewhere
            return open_archive_key(one.store, archive, identities, recipient), []
        except (NoKeyError, IntegrityError) as error:
            errors.append(error)
        except ArchiverError as error:
            stores.lose(one.named, error)
    return None, errors


def _known_recipient(stores: KeyStores, archive: str) -> str | None:
    """The archive's recipient as the first manifest says that can be read: for a store that has a key and no
    manifest, which anybody may have put there."""
    for one in stores.reached:
        found = outcome(partial(_manifest_recipient, one.store, archive))
        if isinstance(found, str):
            return found
    return None


def _require_its_key(store: Store, archive: str, identity: Identity) -> None:
    """Raise where this store's manifest names another recipient: it is another vault's archive."""
    if _manifest_recipient(store, archive) not in (None, identity.recipient().encode()):
        raise IntegrityError(
            f"archive {archive} in {store.location} is another one than in the stores before it",
            "nothing was written to it; see what is wrong: archiver sync",
        )


def _put(store: Store, name: str, data: bytes) -> None:
    """Replace a key, or put one where there is none, and read it back."""
    if store.exists(name):
        store.replace_key(name, data)
    else:
        store.put_new(name, data)
    if store.read(name, MAXIMUM_KEY_BYTES) != data:
        raise IntegrityError(
            f"{name} in {store.location} did not read back as it was written", "check the disk"
        )


def _failed(failures: Mapping[str, Sequence[ArchiverError]], archives: int) -> ArchiverError:
    """One error for all that was not done."""
    errors = [error for some in failures.values() for error in some]
    kind = IntegrityError if any(isinstance(error, IntegrityError) for error in errors) else NoKeyError
    return kind(
        f"{archives - len(failures)} of {archives} archives' keys were encrypted again, but not "
        + "; ".join(error.message for error in errors),
        errors[0].hint if len(errors) == 1 else "each needs one that opens it; then: archiver keys rewrap",
    )


def _manifest_recipient(store: Store, archive: str) -> str | None:
    """What an archive's manifest says its recipient is; None where a run is still sealing it."""
    name = f"archives/{archive}/manifest.json"
    if not store.exists(name):
        return None
    try:
        recipient = json.loads(store.read(name, _MAXIMUM_MANIFEST_BYTES))["recipient"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(f"{name} names no recipient", repair_hint(archive)) from error
    return str(recipient)
