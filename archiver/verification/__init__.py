"""Is everything still there, and as it was sealed? Numbered checks, none of which stops the others.

Without a key: the chain of manifests and its head, every signature, every file's size and SHA-256, no
file too many, every key an age file, every time stamp over its manifest and by an authority of the
settings. With one: every byte inside. Of a store that is far away the bytes are read where that is asked
for; else what the store itself says of them is held against the manifests.
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from archiver.archive.manifest import TOKEN, File
from archiver.archive.verify import verify_bytes, verify_file, verify_said
from archiver.chain import Head
from archiver.claims.claim import SignedClaim
from archiver.claims.verify import verify_claims
from archiver.copying import verify_sample
from archiver.disposal import CERTIFICATE, SIGNATURE, finish_hint
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, UsageError, repair_hint
from archiver.keys import MAXIMUM_KEY_BYTES, Identity, archive_key_name, is_age_file
from archiver.settings.timestamps import AuthoritySettings
from archiver.stores.base import Inspection, NotInStoreError, Store, outcome
from archiver.vault import Archive, ArchiveList, Vault
from archiver.verification.stamps import StampCounts, verify_stamps

Progress = Callable[[str, int, int], None]
DESCRIPTION, SIGNERS = "vault.json", "allowed_signers"
MOST_COMPARED = 64
"""Files of which parts are compared with a near copy: some 500 requests."""
BESIDE = ("key.age", "manifest.json", "manifest.json.sig", TOKEN, CERTIFICATE, SIGNATURE)
"""What lies in an archive's folder that its manifest does not name."""


@dataclass
class Verification:
    """What was checked, and every problem found. `read`: whether every byte was, not only what the store
    says of it; `contents`: also inside. Of files that were not read: how many the server keeps a whole
    SHA-256 of (`summed`), and of how many parts were compared with the store `sampled_like`."""

    archives: list[Archive]
    files: int = 0
    bytes: int = 0
    contents: bool = False
    read: bool = True
    summed: int = 0
    sampled: int = 0
    sampled_like: str | None = None
    stamps: StampCounts = field(default_factory=StampCounts)
    holder: SignedClaim | None = None
    """Which host keeps the vault, where one has claimed it and all archives were checked."""
    head: Head | None = None
    known_head: Head | None = None
    problems: list[ArchiverError] = field(default_factory=list)

    @property
    def disposed(self) -> list[str]:
        """The names of archives that were disposed of, by a certificate that was found right."""
        return [one.name for one in self.archives if one.disposed is not None]

    def raise_first(self) -> None:
        """Raise the first problem, if there is one."""
        if self.problems:
            raise self.problems[0]


@dataclass(frozen=True)
class Depth:
    """How closely to look: with identities inside every file; `deep`: at every byte, far away too; `sizes`:
    at no file's bytes, of near stores neither; at time stamps by the certificates of `authorities`."""

    identities: Sequence[Identity] | None = None
    deep: bool = False
    sizes: bool = False
    authorities: Sequence[AuthoritySettings] = ()


@dataclass(frozen=True)
class Like:
    """A near store that has archives too: those whose manifests it has the same, by name."""

    name: str
    store: Store
    heads: Mapping[str, Head]


def verify_vault(
    vault: Vault,
    *,
    known_head: Head | None,
    only: Sequence[str] = (),
    identities: Sequence[Identity] | None = None,
    unfinished: str | None = None,
    deep: bool = False,
    sizes: bool = False,
    authorities: Sequence[AuthoritySettings] = (),
    progress: Progress = lambda phase, done, total: None,
) -> Verification:
    """Check the vault, or only some archives of it; with identities also what is inside every file.

    `known_head` is the chain's end as remembered elsewhere; `unfinished` an archive being sealed; the rest is
    as in `Depth`."""
    listed = vault.list_archives(known_head)
    missing = set(only) - {one.name for one in listed.archives}
    if missing and not listed.problems:
        raise UsageError(f"there is no archive {sorted(missing)[0]}", "see which there are: archiver status")
    expected = {unfinished} if unfinished else set()
    depth = Depth(identities, deep, sizes, authorities)
    result = verify_listed(vault, listed, only=only, unfinished=expected, depth=depth, progress=progress)
    result.known_head = known_head
    return result


def verify_listed(
    vault: Vault,
    listed: ArchiveList,
    *,
    only: Collection[str],
    unfinished: Collection[str],
    depth: Depth,
    progress: Progress,
    like: Like | None = None,
) -> Verification:
    """Check the archives that were listed, or only some of them. `unfinished`: those that may be there
    without a manifest; `like`: a near store to compare parts of files with that are not read."""
    archives = [one for one in listed.archives if not only or one.name in only]
    read = not depth.sizes and (depth.deep or depth.identities is not None or vault.store.is_near)
    result = Verification(archives, contents=depth.identities is not None, read=read)
    result.head = listed.archives[-1].head if listed.archives else None
    result.problems += listed.problems
    if not only:
        result.problems += _folders_without_manifest(vault, unfinished)
        result.problems += _check_claims(vault, result)
    said = {} if vault.store.is_near and read else _ask_store(vault, archives)
    _verify_files(vault, result, said, depth, progress)
    if like is not None and not result.read and not depth.sizes:
        _compare(vault, result, said, like)
    result.problems += _said_of(said)
    names = _files_of(vault, archives)
    result.problems += _odd_files(names, archives)
    result.problems += _odd_keys(vault, archives)
    stamped = [one for one in archives if TOKEN in names[one.name]]
    result.stamps, wrong = verify_stamps(vault.store, stamped, depth.authorities)
    result.stamps.lacking = len(archives) - len(stamped)
    result.problems += wrong
    return result


def _check_claims(vault: Vault, result: Verification) -> list[ArchiverError]:
    """Note who keeps the vault; what is wrong with the claims."""
    noted = {
        f"archives/{one.name}/manifest.json": one.manifest.claim
        for one in result.archives
        if one.manifest.claim is not None
    }
    try:
        claims, problems = verify_claims(vault.store, vault.id, vault.allowed_signers(), noted)
    except ArchiverError as error:
        return [error]
    result.holder = claims[-1] if claims else None
    return problems


def _verify_files(
    vault: Vault,
    result: Verification,
    said: dict[str, Inspection | ArchiverError],
    depth: Depth,
    progress: Progress,
) -> None:
    files = [(archive, file) for archive in result.archives for file in archive.manifest.files]
    for number, (archive, file) in enumerate(files):
        progress(f"{archive.name}/{file.name}", number, len(files))
        try:
            if depth.identities is not None and archive.disposed is None:
                verify_file(vault.store, archive.name, file, vault.open_key(archive, depth.identities))
            elif result.read or depth.identities is not None:
                verify_bytes(vault.store, archive.name, file)
            else:
                verify_said(archive.name, file, _required(said[archive.path(file)]))
        except ArchiverError as error:
            result.problems.append(error)
        else:
            result.files += 1
            result.bytes += file.size
            told = said.get(archive.path(file))
            result.summed += isinstance(told, Inspection) and told.sha256 is not None


def _compare(
    vault: Vault, result: Verification, said: dict[str, Inspection | ArchiverError], like: Like
) -> None:
    """Compare parts of files, of which the server has no whole SHA-256, with a near copy: at most
    `MOST_COMPARED` of them, drawn at random, each with some eight requests at once."""
    files = [
        (archive, file)
        for archive in result.archives
        for file in archive.manifest.files
        if like.heads.get(archive.name) == archive.head and _has_no_sum(said.get(archive.path(file)), file)
    ]
    for archive, file in sorted(files, key=lambda one: secrets.randbits(64))[:MOST_COMPARED]:
        try:
            result.sampled += verify_parts(vault.store, archive, file, like.store)
        except ArchiverError as error:
            result.problems.append(error)
    result.sampled_like = like.name if result.sampled else None


def verify_parts(store: Store, archive: Archive, file: File, like: Store) -> bool:
    """Compare parts of a file with a near copy of it. Where they differ, the near copy is read whole: raise
    what was found if that is right, else return False, as the near store's own checks say what is wrong."""
    try:
        verify_sample(store, archive.name, archive.path(file), like)
    except ArchiverError:
        if isinstance(outcome(partial(verify_bytes, like, archive.name, file)), ArchiverError):
            return False
        raise
    return True


def _has_no_sum(said: Inspection | ArchiverError | None, file: File) -> bool:
    return isinstance(said, Inspection) and said.sha256 is None and said.size == file.size


def _ask_store(vault: Vault, archives: Sequence[Archive]) -> dict[str, Inspection | ArchiverError]:
    """What a store far away says of every file of these archives, its key and manifest too."""
    names = [archive.path(file) for archive in archives for file in archive.manifest.files]
    names += [f"archives/{archive.name}/{name}" for archive in archives for name in BESIDE[:3]]
    names += [DESCRIPTION, SIGNERS]
    return vault.store.inspect(names)


def _required(said: Inspection | ArchiverError) -> Inspection:
    if isinstance(said, ArchiverError):
        raise said
    return said


def _said_of(said: dict[str, Inspection | ArchiverError]) -> Iterator[ArchiverError]:
    """What is not as it was asked to be though the bytes that are read are right: a marker over a file,
    versions that somebody else put there, a lock that is not in force. It is no damage."""
    for name, one in said.items():
        if isinstance(one, Inspection):
            command = " ".join(["archiver repair", *name.split("/")[1:2]])
            unharmed = "" if name.endswith("/key.age") else "what is read is unharmed; "
            for problem in one.problems:
                yield IncompleteError(f"{name}: {problem}", f"{unharmed}mend it: {command}")


def _folders_without_manifest(vault: Vault, unfinished: Collection[str]) -> list[ArchiverError]:
    return [
        IntegrityError(f"archives/{name} has no manifest.json", repair_hint(name))
        for name in vault.archive_names()[1]
        if name not in unfinished
    ]


def _odd_files(names: Mapping[str, set[str]], archives: Sequence[Archive]) -> Iterator[ArchiverError]:
    """Files beside those the manifests name, and keys that are not there."""
    for archive in archives:
        prefix = f"archives/{archive.name}/"
        expected = {file.name for file in archive.manifest.files}
        has_key = "key.age" in names[archive.name]
        if archive.disposed is not None and has_key:
            yield IncompleteError(
                f"archive {archive.name} is disposed of, and {prefix}key.age is still there",
                finish_hint(archive.name),
            )
        elif archive.disposed is None and not has_key:
            yield IntegrityError(f"{prefix}key.age is missing", repair_hint(archive.name))
        elif SIGNATURE in names[archive.name] and CERTIFICATE not in names[archive.name]:
            yield IncompleteError(f"archive {archive.name} is half disposed of", finish_hint(archive.name))
        for name in sorted(names[archive.name] - expected - set(BESIDE)):
            yield IntegrityError(
                f"{prefix}{name} is not in the manifest", "it was put there by something else"
            )


def _files_of(vault: Vault, archives: Sequence[Archive]) -> dict[str, set[str]]:
    """What lies in each archive's folder, all listed at once: of a store far away, a request a thousand."""
    names: dict[str, set[str]] = defaultdict(set)
    prefix = f"archives/{archives[0].name}/" if len(archives) == 1 else "archives/"
    for path in vault.store.list(prefix) if archives else ():
        _, archive, *name = path.split("/", 2)
        names[archive].update(name)  # none of a file that lies beside the folders
    return names


def _odd_keys(vault: Vault, archives: Sequence[Archive]) -> Iterator[ArchiverError]:
    """Keys that can open nothing, or cannot be read; of one that is not there was spoken before. No manifest
    names a key's bytes."""
    limits = {archive_key_name(archive.name): MAXIMUM_KEY_BYTES for archive in archives}
    for name, data in vault.store.read_many(limits).items():
        if isinstance(data, ArchiverError):
            if not isinstance(data, NotInStoreError):
                yield data
        elif not is_age_file(data):
            yield IntegrityError(f"{name} is not an age file", repair_hint(name.split("/")[1]))
