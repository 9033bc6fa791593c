"""Writing an archive out decrypted, by name: the one other way plaintext reaches a disk."""

import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from archiver.archive.manifest import TOKEN, File, token_name
from archiver.archive.verify import HashingReader, check_whole
from archiver.disk import create_exclusively, make_directories, new_file
from archiver.errors import IntegrityError, UsageError, repair_hint
from archiver.formats import age
from archiver.keys import Identity
from archiver.vault import Archive, Vault

_BLOCK = 1024 * 1024
Progress = Callable[[str, int, int], None]


def restore_archive(
    vault: Vault,
    archive: Archive,
    identities: list[Identity],
    target: Path,
    progress: Progress = lambda phase, done, total: None,
) -> list[Path]:
    """Write every segment as a SQLite file and every picture and video below `target/ARCHIVE/`.

    Each file is whole or absent. Raise UsageError where the folder is there already, IntegrityError for
    altered bytes: what was written before that is sound and stays."""
    folder = target / archive.name
    if folder.exists():
        raise UsageError(f"{folder} is there already", "nothing was written; choose another folder")
    identity = vault.open_key(archive, identities)
    make_directories(folder, 0o700)
    written = []
    for number, file in enumerate(archive.manifest.files):
        progress(file.name, number, len(archive.manifest.files))
        written += _restore_file(vault, archive, file, identity, folder)
    return written + _restore_manifest(vault, archive, folder)


def _restore_manifest(vault: Vault, archive: Archive, folder: Path) -> list[Path]:
    """The manifest, its signature, and the time stamp over it where there is one."""
    names = ["manifest.json", "manifest.json.sig"]
    if vault.store.exists(token_name(archive.name)):
        names.append(TOKEN)
    for name in names:
        create_exclusively(folder / name, vault.store.read(f"archives/{archive.name}/{name}", 16 * _BLOCK))
    return [folder / name for name in names]


def _restore_file(vault: Vault, archive: Archive, file: File, identity: Identity, folder: Path) -> list[Path]:
    name = archive.path(file)
    with vault.store.open_random(name) as stored:
        reader = HashingReader(stored)
        try:
            with closing(age.DecryptReader(reader, [identity])) as plain:
                if file.kind == "records":
                    path = folder / file.name.removesuffix(".zst.age")
                    with new_file(path) as target:
                        _copy_frames(plain, target)
                        check_whole(name, archive.name, file, *reader.finish())
                    return [path]
                written = _extract_pack(name, plain, folder / "media")
        except (age.AgeError, zstandard.ZstdError, tarfile.TarError) as error:
            raise IntegrityError(f"{name}: {error}", repair_hint(archive.name)) from error
        check_whole(name, archive.name, file, *reader.finish())
    return written


def _copy_frames(plain: age.DecryptReader, target: BinaryIO) -> None:
    decompressor = zstandard.ZstdDecompressor()
    source = cast(BinaryIO, plain)
    with decompressor.stream_reader(source, read_size=_BLOCK, read_across_frames=True) as frames:
        while block := frames.read(_BLOCK):
            target.write(block)


def _extract_pack(name: str, plain: age.DecryptReader, folder: Path) -> list[Path]:
    """Write a pack's files. Names in a pack are harmless by construction, and are checked all the same."""
    written = []
    with tarfile.open(fileobj=plain, mode="r|") as tar:
        for member in tar:
            if not member.isreg() or not _is_harmless(member.name):
                raise IntegrityError(f"{name} holds {member.name[:80]!r}, which is no plain file's name")
            path = folder / member.name
            content = tar.extractfile(member)
            if content is None:
                continue
            make_directories(path.parent, 0o700)
            with new_file(path) as target:
                while block := content.read(_BLOCK):
                    target.write(block)
            written.append(path)
    while plain.read(_BLOCK):
        pass
    return written


def _is_harmless(name: str) -> bool:
    """Whether a name stays below the folder and can be a file's."""
    path = Path(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in name
