"""Could the archives be restored today? They are, into memory and never onto a disk, and compared with what
was captured.

The key is opened as by a stranger who has nothing but the identity; each segment is decrypted, decompressed
and opened; SQLite checks it; every record is derived again from its capture; every picture and video has its
SHA-256; and the public programs of docs/recovery.md, where they are installed, give the same for one file.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence

from archiver.archive.manifest import File
from archiver.drill.pack import prove_pack
from archiver.drill.proof import Drilled
from archiver.drill.segment import prove_segment, restore_segment
from archiver.drill.tools import Tools, ToolsError, cannot_open, digest_by_tools
from archiver.errors import IntegrityError
from archiver.keys import MAXIMUM_KEY_BYTES, Identity, archive_key_name
from archiver.vault import Archive, Vault

Choose = Callable[[int], int]
"""Draws a number below another."""
Progress = Callable[[str, int, int], None]
__all__ = ["Choose", "Drilled", "Progress", "choose_archives", "drill_archive"]


def choose_archives(archives: Sequence[Archive], choose: Choose = secrets.randbelow) -> list[Archive]:
    """The newest archive and one of the others by chance; as many as there are."""
    if len(archives) < 2:
        return list(archives)
    return [archives[-1], archives[choose(len(archives) - 1)]]


def drill_archive(
    vault: Vault,
    archive: Archive,
    identities: Sequence[Identity],
    tools: Tools | str,
    progress: Progress = lambda phase, done, total: None,
) -> Drilled:
    """Restore one archive into memory, a segment at a time, and prove all that can be. `tools`: the public
    programs, or why they cannot be asked.

    What is wrong is in the answer. Raise NoKeyError where none of the identities opens the archive, and
    StoreError where the store is lost."""
    drilled = Drilled(archive.name)
    # Not by way of a vault that has opened it before: what lies there now is what a stranger would have.
    identity = Vault(vault.store).open_key(archive, identities)
    files = archive.manifest.files
    ordered = [*archive.manifest.segments, *(one for one in files if one.kind != "records")]
    judged = min(archive.manifest.segments, key=lambda one: one.size, default=None)
    for number, file in enumerate(ordered):
        progress(f"{archive.name}/{file.name}", number, len(ordered))
        try:
            if file.kind == "records":
                plain = restore_segment(vault.store, archive.name, file, identity)
                prove_segment(plain, archive.name, file, drilled)
                if file is judged:
                    _judge(vault, archive, file, identities, tools, plain, drilled)
                del plain  # before the next one is there
            else:
                prove_pack(vault.store, archive.name, file, identity, drilled)
        except IntegrityError as error:
            drilled.add(error)
            if file.kind == "records":
                drilled.lacks_rows = True
            else:
                _forget(drilled, file)
        else:
            drilled.files += 1
            drilled.bytes += file.size
    drilled.finish()
    return drilled


def _forget(drilled: Drilled, file: File) -> None:
    """Of a pack that cannot be read it is said once, not for each of its files."""
    for place in [place for place in drilled.expected if place[0] == file.name]:
        del drilled.expected[place]


def _judge(
    vault: Vault,
    archive: Archive,
    file: File,
    identities: Sequence[Identity],
    tools: Tools | str,
    plain: bytearray,
    drilled: Drilled,
) -> None:
    """Ask the public programs for the same file; where they say something else, one of the two is wrong."""
    if not isinstance(tools, Tools):
        drilled.tools = f"not asked: {tools}"
        return
    why = cannot_open(tools, identities, archive.manifest.recipient)
    if why is not None:
        drilled.tools = f"not asked: {why}"
        return
    name = archive.path(file)
    key = vault.store.read(archive_key_name(archive.name), MAXIMUM_KEY_BYTES)
    try:
        with vault.store.open_random(name) as stored:
            said = digest_by_tools(tools, identities, key, stored)
    except ToolsError as error:
        drilled.tools = f"could not open {name}: {error.message}"
        drilled.add(IntegrityError(f"{name}: this program opens it, and {error.message}"))
        return
    drilled.tools_agree = said == hashlib.sha256(plain).hexdigest()
    drilled.tools = f"give {'the same' if drilled.tools_agree else 'something else'} for {file.name}"
    if not drilled.tools_agree:
        drilled.add(
            IntegrityError(f"{name}: age, zstd and sha256sum give another database than this program")
        )
