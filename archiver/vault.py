"""The vault: every sealed archive, the chain of their manifests, and the way into each.

Listing and verifying the chain needs no private key; opening an archive needs a keyholder's identity.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Lock

from archiver.archive.manifest import MAX_BYTES, NAMESPACE, File, Manifest, parse_manifest
from archiver.archive.read import SegmentReader
from archiver.chain import Head, document_sha256, follow_chain
from archiver.disposal import (
    CERTIFICATE,
    SIGNATURE,
    Disposal,
    Place,
    certificate_name,
    check_disposal,
    custody_signers_name,
    disposed_in_words,
    signature_name,
)
from archiver.errors import ArchiverError, IntegrityError, NewerVersionError, NoVaultError, repair_hint
from archiver.formats import FormatError
from archiver.formats.ssh_signature import AllowedSigners, SignatureError, verify
from archiver.keys import Identity, archive_key_name, open_archive_key
from archiver.stores.base import NotInStoreError, Store
from archiver.stores.checks import MEND_HINT, parse_vault_id

_MAXIMUM_SMALL_FILE = 1024 * 1024
_SMALL_FILES = ("/manifest.json", "/manifest.json.sig", "/key.age", f"/{CERTIFICATE}", f"/{SIGNATURE}")
_KEYS_AHEAD = 8
_NO_VAULT = (
    "if it should be there, mount what holds it, or fill this store from another: archiver sync;"
    " for a new vault alone: archiver init DIR --holder NAME"
)
"""What lies behind it is most often a share that is not mounted, and `init` would hide that."""


@dataclass(frozen=True)
class Archive:
    """One sealed archive, its manifest found rightly signed. `disposed`: the certificate that its key was
    destroyed on purpose, found right; such an archive is not opened any more."""

    name: str
    manifest: Manifest
    head: Head
    signer: str
    disposed: Disposal | None = None

    def path(self, file: File) -> str:
        """A file's name in the store."""
        return f"archives/{self.name}/{file.name}"


def current_names(archives: Iterable[Archive]) -> dict[str, str]:
    """Of each archive that another replaces, the name of the newest one in its place. What names the first,
    as a later archive a picture, means that."""
    current: dict[str, str] = {}
    for archive in archives:
        if archive.manifest.replaces is not None:
            for name, now in current.items():
                if now == archive.manifest.replaces:
                    current[name] = archive.name
            current[archive.manifest.replaces] = archive.name
    return current


def names_of(archive: str, archives: Iterable[Archive]) -> frozenset[str]:
    """An archive's name, and those of the archives whose place it has taken: what was said of one of them, as
    a hold or an exhibit, goes on for what is left of it."""
    return frozenset([archive, *(one for one, now in current_names(archives).items() if now == archive)])


def with_successors(some: Iterable[Archive], archives: Iterable[Archive]) -> list[Archive]:
    """Some of all archives, in the order of all, and those that have taken the place of one of them since:
    they hold what is left of it."""
    names = {one.name for one in some}
    found = []
    for archive in archives:
        if archive.name in names or archive.manifest.replaces in names:
            names.add(archive.name)
            found.append(archive)
    return found


@dataclass(frozen=True)
class ArchiveList:
    """Every archive whose manifest could be read, oldest first, and what is wrong with the chain, if
    anything."""

    archives: tuple[Archive, ...]
    problems: tuple[ArchiverError, ...]

    @property
    def readable(self) -> tuple[Archive, ...]:
        """Those that were not disposed of."""
        return readable(self.archives)

    @property
    def disposed(self) -> tuple[Archive, ...]:
        """Those that were."""
        return tuple(one for one in self.archives if one.disposed is not None)

    def require_sound(self) -> tuple[Archive, ...]:
        """The archives; raise the first problem if there is one."""
        if self.problems:
            raise self.problems[0]
        return self.archives


class Vault:
    """An existing vault in a store. Raise NoVaultError where there is none."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._names_ahead: list[str] | None = None
        self._ahead: dict[str, bytes | ArchiverError] = {}
        if not store.is_near:
            self._names_ahead = list(store.list("archives/"))
            self._ahead = _read_ahead(store, self._names_ahead)
        try:
            self.id = parse_vault_id(self.read("vault.json", _MAXIMUM_SMALL_FILE), store.location)
        except NotInStoreError as error:
            raise NoVaultError(f"there is no vault in {store.location}", _NO_VAULT) from error
        self._keys: dict[str, Identity] = {}
        self._keyed: set[str] = set()
        self._certified: set[str] = set()
        self._signers: dict[str, bytes] = {}
        self._unwrapping: dict[str, Lock] = {}

    def read(self, name: str, max_bytes: int) -> bytes:
        """A small file of the store, as `Store.read`. What was read ahead on opening is used once: whoever
        asks again wants to know how it is now."""
        ahead = self._ahead.pop(name, None)
        if ahead is None or isinstance(ahead, ArchiverError):
            return self.store.read(name, max_bytes)
        return ahead

    def read_versions(self, name: str, max_bytes: int) -> list[bytes]:
        """As `Store.read_versions`."""
        return self.store.read_versions(name, max_bytes)

    def allowed_signers(self) -> AllowedSigners:
        """Who may sign manifests."""
        try:
            text = self.read("allowed_signers", _MAXIMUM_SMALL_FILE).decode("utf-8", "replace")
            return AllowedSigners.parse(text)
        except FormatError as error:
            raise IntegrityError(f"allowed_signers: {error}", MEND_HINT) from error

    def archive_names(self) -> tuple[list[str], list[str]]:
        """Names of archives with a manifest, and of folders that have none."""
        names: dict[str, bool] = {}
        self._keyed.clear()
        self._certified.clear()
        listed, self._names_ahead = self._names_ahead, None
        for path in self.store.list("archives/") if listed is None else listed:
            _, archive, *rest = path.split("/", 2)
            names[archive] = names.get(archive, False) or rest == ["manifest.json"]
            if rest == ["key.age"]:
                self._keyed.add(archive)
            elif rest == [CERTIFICATE]:
                self._certified.add(archive)
        whole = sorted((name for name, complete in names.items() if complete), key=archive_order)
        return whole, sorted(name for name, complete in names.items() if not complete)

    def list_archives(self, known_head: Head | None = None) -> ArchiveList:
        """Every archive, each manifest's signature and place in the chain checked.

        `known_head` is what a collector or a notice remembers of the chain's end. Raise NewerVersionError
        where a later version sealed one of them."""
        problems: list[ArchiverError] = []
        documents: list[tuple[int, str, Manifest, bytes, bytes]] = []
        for name in self.archive_names()[0]:
            try:
                documents.append(self._read_manifest(name))
            except NewerVersionError:
                raise  # nothing that could be said of the others would be worth anything
            except ArchiverError as error:
                problems.append(error)
        documents.sort(key=lambda one: (one[0], archive_order(one[1])))
        allowed = self.allowed_signers()
        archives: list[Archive] = []
        links = follow_chain(
            (
                (f"archives/{name}/manifest.json", data, signature)
                for _, name, _, data, signature in documents
            ),
            allowed,
            NAMESPACE,
            known_head,
        )
        try:
            for (_, name, manifest, _, _), link in zip(documents, links, strict=False):
                archives.append(Archive(name, manifest, link.head, link.principal))
            for _ in links:
                pass
        except IntegrityError as error:
            problems.append(error)
            archives += self._signed_alone(documents[len(archives) :], allowed)
        for number, archive in enumerate(archives if self._certified else ()):
            if archive.name in self._certified:
                try:
                    archives[number] = replace(archive, disposed=self.certificate_of(archive))
                except ArchiverError as error:
                    problems.append(error)
        return ArchiveList(tuple(archives), tuple(problems))

    def certificate_of(self, archive: Archive) -> Disposal:
        """The certificate beside an archive, found right. Raise IntegrityError where it is none, or there is
        none."""
        data = self.read(certificate_name(archive.name), MAX_BYTES)
        try:
            signature = self.read(signature_name(archive.name), _MAXIMUM_SMALL_FILE)
        except NotInStoreError as error:
            raise IntegrityError(f"{certificate_name(archive.name)} has no signature beside it") from error
        return check_disposal(data, signature, place_of(archive), self._custody_signers)

    def _custody_signers(self, keyholder: str) -> bytes | None:
        """Asked for once: the list is written once."""
        if keyholder not in self._signers:
            found = self.store.look(custody_signers_name(keyholder), _MAXIMUM_SMALL_FILE)
            if found is None:
                return None
            self._signers[keyholder] = found
        return self._signers[keyholder]

    def half_disposed(self, archives: Iterable[Archive]) -> list[str]:
        """Of archives that were disposed of, those whose key was there when archives were listed last: it is
        still to be destroyed, by `archiver retention dispose`."""
        return [one.name for one in archives if one.disposed is not None and one.name in self._keyed]

    def _signed_alone(
        self, documents: Iterable[tuple[int, str, Manifest, bytes, bytes]], allowed: AllowedSigners
    ) -> Iterator[Archive]:
        """Of archives after a break in the chain, those that are at least rightly signed."""
        for sequence, name, manifest, data, signature in documents:
            try:
                signer = verify(signature, data, NAMESPACE, allowed)
            except SignatureError:
                continue
            yield Archive(name, manifest, Head(sequence, document_sha256(data)), signer.principal)

    def _read_manifest(self, name: str) -> tuple[int, str, Manifest, bytes, bytes]:
        path = f"archives/{name}/manifest.json"
        data = self.read(path, MAX_BYTES)
        try:
            signature = self.read(f"{path}.sig", _MAXIMUM_SMALL_FILE)
        except NotInStoreError as error:
            raise IntegrityError(f"{path} has no signature beside it", repair_hint(name)) from error
        manifest = parse_manifest(data, path)
        if manifest.archive != name or manifest.vault != self.id:
            raise IntegrityError(
                f"{path} belongs to the archive {manifest.archive!r} of the vault {manifest.vault!r}",
                f"it was moved here: {repair_hint(name)}",
            )
        return manifest.sequence, name, manifest, data, signature

    def require_key(self, archive: Archive) -> None:
        """Raise NotInStoreError, an IntegrityError, where an archive had no `key.age` when archives were
        listed last; asks the store nothing."""
        if self._keyed and archive.name not in self._keyed:
            error = NotInStoreError(archive_key_name(archive.name), self.store.location)
            error.archive = archive.name
            raise error

    def open_key(self, archive: Archive, identities: Sequence[Identity]) -> Identity:
        """The archive's own identity, unwrapped once; raise NoKeyError if none of the identities fits.
        Threads that open segments of several archives fetch their keys side by side, and each key once."""
        with self._unwrapping.setdefault(archive.name, Lock()):
            identity = self._keys.get(archive.name)
            if identity is None:
                identity = open_archive_key(self, archive.name, identities, archive.manifest.recipient)
                self._keys[archive.name] = identity
        return identity

    def open_segment(self, archive: Archive, file: File, identities: Sequence[Identity]) -> SegmentReader:
        """One segment, to be queried in place."""
        return SegmentReader(self.store, archive.path(file), self.open_key(archive, identities))


def readable(archives: Iterable[Archive]) -> tuple[Archive, ...]:
    """Those that were not disposed of; nor are to be, as another has taken their place."""
    some = tuple(archives)
    replaced = {one.manifest.replaces for one in some}
    return tuple(one for one in some if one.disposed is None and one.name not in replaced)


def require_not_disposed(archive: Archive) -> None:
    """Raise ArchiverError for an archive that was: nothing opens it any more."""
    if archive.disposed is not None:
        raise ArchiverError(
            f"archive {archive.name} was {disposed_in_words(archive.disposed)}",
            "its key was destroyed on purpose: nothing opens it any more",
        )


def place_of(archive: Archive) -> Place:
    """What a certificate of disposal of this archive must say."""
    manifest = archive.manifest
    return Place(manifest.vault, archive.name, archive.head.sha256, manifest.disposal_sha256)


def _read_ahead(store: Store, names: Iterable[str]) -> dict[str, bytes | ArchiverError]:
    """Of a store that is far away, all small files that opening the vault reads, in one round of requests.
    Where the vault has more archives than a few, the keys of older ones are left until they are opened."""
    small = [name for name in names if name.endswith(_SMALL_FILES)]
    keys = [name for name in small if name.endswith("/key.age")]
    late = set(sorted(keys, key=lambda name: archive_order(name.split("/")[1]))[:-_KEYS_AHEAD])
    limits = {name: MAX_BYTES for name in small if name not in late}
    return store.read_many(dict.fromkeys(("vault.json", "allowed_signers"), _MAXIMUM_SMALL_FILE) | limits)


def archive_order(name: str) -> tuple[str, int]:
    """Sorts `2026-11-01.10` after `2026-11-01.9`."""
    date, _, number = name.partition(".")
    return date, int(number) if number.isdecimal() else 1
