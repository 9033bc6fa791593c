"""A sealed file from one store to another, and whether a store has it as it was sealed. Needs no key.

Shared by sealing, `sync` and `repair`. What a copy is held against is the manifest: size and SHA-256.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO, cast

from archiver.archive.manifest import File
from archiver.archive.verify import HashingReader, verify_file
from archiver.errors import ArchiverError, IntegrityError, repair_hint
from archiver.formats import age
from archiver.formats.age.payload import CHUNK_BYTES, SEALED_CHUNK_BYTES
from archiver.formats.age.reader import HEAD_BYTES
from archiver.stores.base import ExistsInStoreError, Inspection, Range, Store, StoredFile

PIECE_BYTES = 8 * 1024 * 1024
"""What a copy holds in memory at a time: of a store far away each piece is a request."""
SAMPLE_BYTES = 64 * 1024
SAMPLES = 6
"""Places of a far file that are read back, beside its first and its last."""

Choose = Callable[[int], int]
"""A number below the one given, at random."""
Copied = Callable[[int], None]
"""Told how many more bytes were copied."""


class UnusableCopyError(IntegrityError):
    """A store's copy of a file that cannot be copied from: altered, missing, or out of reach. It has the
    exit code of what was the matter."""

    def __init__(self, cause: ArchiverError) -> None:
        super().__init__(cause.message, cause.hint)
        self.exit_code = cause.exit_code


def copy_file(
    source: Store,
    target: Store,
    name: str,
    *,
    size: int,
    sha256: str,
    copied: Copied = lambda count: None,
) -> None:
    """Copy one file, 8 MiB in memory at a time, its size and SHA-256 (hexadecimal) checked on the way.

    Raise UnusableCopyError where the source's copy is not what it must be or cannot be read,
    ExistsInStoreError where the target has the name; then, as with any error of the target's, nothing
    was put there."""
    with _open_source(source, name, size) as stored, target.create(name, sha256=sha256) as writer:
        for piece in _checked_pieces(stored, source, name, sha256):
            writer.write(piece)
            copied(len(piece))


def put_back_from(source: Store, target: Store, name: str, *, size: int, sha256: str) -> None:
    """As `copy_file`, for repair: over whatever lies there, by the target's `put_back`."""
    with _open_source(source, name, size) as stored:
        pieces = _PieceReader(_checked_pieces(stored, source, name, sha256))
        target.put_back(name, cast(BinaryIO, pieces), sha256=sha256)


def verify_copy(
    store: Store,
    archive: str,
    file: File,
    *,
    identity: age.Identity | None = None,
    like: Store | None = None,
    choose: Choose = secrets.randbelow,
    noted: list[ArchiverError] | None = None,
) -> None:
    """Check what a store has of a sealed file; raise IntegrityError where it is not what was sealed.

    A near store's is read whole. Of one far away: what the store itself says, its size and its checksum;
    and the first, the last and some parts between, which `choose` draws, are read back: decrypted where
    the archive's own `identity` is at hand, else compared with the same parts in the store `like`. What is
    not as asked though the bytes are right, as a lock, is raised too, or `noted` where that is given."""
    name = f"archives/{archive}/{file.name}"
    if store.is_near:
        with store.open_random(name) as stored:
            _check(store, name, file, *HashingReader(stored).finish())
        return
    inspection = inspect_one(store, name)
    _check(store, name, file, inspection.size, inspection.sha256 or file.sha256)
    problems = [
        IntegrityError(f"{name} in {store.location}: {one}", repair_hint(archive))
        for one in inspection.problems
    ]
    if problems and noted is None:
        raise problems[0]
    if noted is not None:
        noted += problems
    if identity is not None:
        _decrypt_sample(store, archive, name, identity, choose)
    elif like is not None:
        verify_sample(store, archive, name, like, choose)


def verify_sealed(store: Store, archive: str, file: File, identity: age.Identity) -> None:
    """Read back what was just sealed: to its last byte inside where the store is near; else `verify_copy`."""
    if store.is_near:
        verify_file(store, archive, file, identity)
    else:
        verify_copy(store, archive, file, identity=identity)


def inspect_one(store: Store, name: str) -> Inspection:
    """What a store itself says of one file; raise what it says instead."""
    found = store.inspect([name])[name]
    if isinstance(found, ArchiverError):
        raise found
    return found


def other_bytes(store: Store, name: str) -> IntegrityError:
    """The error for a name under which a store holds something else; nothing is replaced."""
    parts = name.split("/")
    return IntegrityError(
        f"{name} is in {store.location} with other bytes than were sealed",
        repair_hint(parts[1]) if parts[0] == "archives" and len(parts) > 1 else "nothing was replaced",
    )


def put_small(store: Store, name: str, data: bytes) -> None:
    """Put a small file and read it back. Raise IntegrityError where the name is taken by other bytes."""
    with suppress(ExistsInStoreError):
        store.put_new(name, data, sha256=hashlib.sha256(data).hexdigest())
    try:
        found = store.read(name, len(data))
    except IntegrityError as error:  # it is larger
        raise other_bytes(store, name) from error
    if found != data:
        raise other_bytes(store, name)


def _check(store: Store, name: str, file: File, size: int, sha256: str) -> None:
    archive = name.split("/")[1]
    if size != file.size:
        raise IntegrityError(
            f"{name} in {store.location} has {size:,} bytes, its manifest says {file.size:,}",
            repair_hint(archive),
        )
    if sha256 != file.sha256:
        raise IntegrityError(
            f"{name} in {store.location} was altered: its SHA-256 is not the manifest's", repair_hint(archive)
        )


def _open_source(source: Store, name: str, size: int) -> StoredFile:
    try:
        stored = source.open_random(name)
    except ArchiverError as error:
        raise UnusableCopyError(error) from error
    if stored.size != size:
        stored.close()
        raise UnusableCopyError(
            IntegrityError(
                f"{name} in {source.location} has {stored.size:,} bytes, it was sealed with {size:,}",
                repair_hint(name.split("/")[1]),
            )
        )
    return stored


def _checked_pieces(stored: StoredFile, source: Store, name: str, sha256: str) -> Iterator[bytes]:
    """The file's bytes; raise UnusableCopyError at their end unless they were the right ones."""
    digest = hashlib.sha256()
    offset = 0
    while offset < stored.size:
        try:
            piece = stored.read_at(offset, PIECE_BYTES)
        except ArchiverError as error:
            raise UnusableCopyError(error) from error
        if not piece:
            break
        offset += len(piece)
        digest.update(piece)
        yield piece
    if digest.hexdigest() != sha256:
        raise UnusableCopyError(
            IntegrityError(
                f"{name} in {source.location} was altered: its SHA-256 is not the one it was sealed with",
                repair_hint(name.split("/")[1]),
            )
        )


class _PieceReader:
    """Pieces as something to `read`: each call gives some bytes, none at the end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        piece, self._left = self._left[:size], self._left[size:]
        return bytes(piece)


def _sample(size: int, choose: Choose) -> list[Range]:
    """Parts of a file: the first, the last, and some between."""
    last = max(0, size - SAMPLE_BYTES)
    offsets = {0, last, *(choose(last + 1) for _ in range(SAMPLES))}
    return [(offset, min(SAMPLE_BYTES, size - offset)) for offset in sorted(offsets)]


def verify_sample(
    store: Store, archive: str, name: str, like: Store, choose: Choose = secrets.randbelow
) -> None:
    """Compare the first, the last and some parts between, which `choose` draws, of a store's file with those
    of another; raise IntegrityError where they differ."""
    with store.open_random(name) as stored, like.open_random(name) as right:
        parts = _sample(right.size, choose)
        stored.prefetch(parts)
        right.prefetch(parts)
        for offset, length in parts:
            if stored.read_at(offset, length) != right.read_at(offset, length):
                raise IntegrityError(
                    f"{name} in {store.location} differs at byte {offset} from that in {like.location}",
                    repair_hint(archive),
                )


def _decrypt_sample(store: Store, archive: str, name: str, identity: age.Identity, choose: Choose) -> None:
    with store.open_random(name) as stored:
        chunks = max(1, -(-stored.size // SEALED_CHUNK_BYTES))
        chosen = sorted({0, *(choose(chunks) for _ in range(SAMPLES))})
        stored.prefetch(_sealed_parts(chosen, stored.size))
        try:
            reader = age.SeekReader(stored, [identity])  # authenticates the last chunk, so the length too
            for chunk in chosen:
                reader.read_at(chunk * CHUNK_BYTES, 1)
        except age.AgeError as error:
            raise IntegrityError(f"{name} in {store.location}: {error}", repair_hint(archive)) from error


def _sealed_parts(chunks: Sequence[int], size: int) -> list[Range]:
    """Where these chunks lie, wherever the header ends (with one recipient, within 2 KiB); and the last."""
    parts = [(chunk * SEALED_CHUNK_BYTES, SEALED_CHUNK_BYTES + HEAD_BYTES) for chunk in chunks]
    return [*parts, (max(0, size - SEALED_CHUNK_BYTES), SEALED_CHUNK_BYTES)]
