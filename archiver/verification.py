"""Is everything still there, and as it was sealed? Numbered checks, none of which stops the others.

Without a key: the chain of manifests and its head, every signature, every file's size and SHA-256, no
file too many. With one: every byte inside.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from archiver.archive.verify import verify_bytes, verify_file
from archiver.chain import Head
from archiver.errors import ArchiverError, IntegrityError, UsageError, repair_hint
from archiver.keys import Identity
from archiver.vault import Archive, Vault

Progress = Callable[[str, int, int], None]


@dataclass
class Verification:
    """What was checked, and every problem found."""

    archives: list[Archive]
    files: int = 0
    bytes: int = 0
    contents: bool = False
    head: Head | None = None
    known_head: Head | None = None
    problems: list[ArchiverError] = field(default_factory=list)

    def raise_first(self) -> None:
        """Raise the first problem, if there is one."""
        if self.problems:
            raise self.problems[0]


def verify_vault(
    vault: Vault,
    *,
    known_head: Head | None,
    only: Sequence[str] = (),
    identities: Sequence[Identity] | None = None,
    unfinished: str | None = None,
    progress: Progress = lambda phase, done, total: None,
) -> Verification:
    """Check the vault, or only some archives of it; with identities also what is inside every file.

    `known_head` is the chain's end as remembered elsewhere; `unfinished` an archive being sealed."""
    listed = vault.list_archives(known_head)
    archives = [one for one in listed.archives if not only or one.name in only]
    missing = set(only) - {one.name for one in listed.archives}
    if missing and not listed.problems:
        raise UsageError(f"there is no archive {sorted(missing)[0]}", "see which there are: archiver status")
    result = Verification(archives, contents=identities is not None, known_head=known_head)
    result.head = listed.archives[-1].head if listed.archives else None
    result.problems += listed.problems
    if not only:
        result.problems += _folders_without_manifest(vault, unfinished)
    files = [(archive, file) for archive in archives for file in archive.manifest.files]
    for number, (archive, file) in enumerate(files):
        progress(f"{archive.name}/{file.name}", number, len(files))
        try:
            if identities is None:
                verify_bytes(vault.store, archive.name, file)
            else:
                verify_file(vault.store, archive.name, file, vault.open_key(archive, identities))
        except ArchiverError as error:
            result.problems.append(error)
        else:
            result.files += 1
            result.bytes += file.size
    for archive in archives:
        result.problems += _odd_files(vault, archive)
    return result


def _folders_without_manifest(vault: Vault, unfinished: str | None) -> list[ArchiverError]:
    return [
        IntegrityError(f"archives/{name} has no manifest.json", repair_hint(name))
        for name in vault.archive_names()[1]
        if name != unfinished
    ]


def _odd_files(vault: Vault, archive: Archive) -> list[ArchiverError]:
    """Files beside those the manifest names, and a key that is not there."""
    prefix = f"archives/{archive.name}/"
    names = {path.removeprefix(prefix) for path in vault.store.list(prefix)}
    expected = {file.name for file in archive.manifest.files}
    problems: list[ArchiverError] = []
    if "key.age" not in names:
        problems.append(IntegrityError(f"{prefix}key.age is missing", repair_hint(archive.name)))
    problems += [
        IntegrityError(f"{prefix}{name} is not in the manifest", "it was put there by something else")
        for name in sorted(
            names - expected - {"key.age", "manifest.json", "manifest.json.sig", "manifest.json.tsr"}
        )
    ]
    return problems
