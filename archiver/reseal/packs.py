"""Media packs made anew without some files: every other file stays at its place, as later archives name it.

Where a file was, a member of the same size is, named `erased`, all zeros: an offset is a promise to later
archives, and a tar cannot have a hole."""

import tarfile
from collections.abc import Collection, Iterator
from contextlib import closing
from io import BufferedIOBase
from typing import Final

from archiver.archive.manifest import File
from archiver.archive.verify import HashingReader, check_whole
from archiver.copying import verify_sealed
from archiver.errors import IntegrityError, repair_hint
from archiver.formats import age
from archiver.keys import Identity
from archiver.seal.hashing import MeasuringWriter
from archiver.stores.base import Store

ERASED_MEMBER: Final = "erased"
_BLOCK: Final = tarfile.BLOCKSIZE
_PIECE: Final = 1 << 20
_MOST_EXTRA: Final = 1 << 20
"""Of a pax header, which holds a long name."""


def reseal_pack(
    store: Store,
    old: tuple[str, File, Identity],
    new: tuple[str, Identity],
    doomed: Collection[int],
) -> File:
    """Copy a pack from one archive (name, file, key) to another (name, key), without the files whose first
    bytes are at `doomed`; read back and verified. Raise IntegrityError where the old one was altered, or a
    file is not where it should be."""
    (archive, file, identity), (target, target_identity) = old, new
    name = f"archives/{archive}/{file.name}"
    with store.open_random(name) as stored, store.create(f"archives/{target}/{file.name}") as out:
        reader, measured = HashingReader(stored), MeasuringWriter(out)
        try:
            with (
                closing(age.DecryptReader(reader, [identity])) as plain,
                age.encrypt_stream([target_identity.recipient()], measured) as sealed,
            ):
                for piece in without_members(plain, doomed):
                    sealed.write(piece)
                plain_size = sealed.tell()
        except (age.AgeError, tarfile.TarError) as error:
            raise IntegrityError(f"{name}: {error}", repair_hint(archive)) from error
        check_whole(name, archive, file, *reader.finish())
    packed = File(
        name=file.name, kind="media", size=measured.size, sha256=measured.sha256, plain_size=plain_size
    )
    verify_sealed(store, target, packed, target_identity)
    return packed


def without_members(plain: BufferedIOBase, doomed: Collection[int]) -> Iterator[bytes]:
    """The bytes of a tar, those members blanked whose content begins at one of the offsets. Raise
    IntegrityError where none does."""
    waiting, at = set(doomed), 0
    while True:
        header = _read(plain, _BLOCK)
        if not header.strip(b"\0"):  # the end: zeros from here on
            yield header
            while piece := plain.read(_PIECE):
                yield piece
            break
        extra, member = b"", tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        if member.type == tarfile.XHDTYPE:
            extra = header + _read(plain, _padded(min(member.size, _MOST_EXTRA)))
            header = _read(plain, _BLOCK)
            member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        before, size = len(extra) + _BLOCK, _padded(member.size)
        if at + before in waiting:
            waiting.discard(at + before)
            yield _blank_header(before + size - _BLOCK)
            yield from _zeros(before + size - _BLOCK)
            for _ in _pieces(plain, size):
                pass
        else:
            yield extra + header
            yield from _pieces(plain, size)
        at += before + size
    if waiting:
        raise IntegrityError(f"a media pack has no file at {min(waiting)}", "see archiver verify")


def _blank_header(size: int) -> bytes:
    member = tarfile.TarInfo(ERASED_MEMBER)
    member.size, member.mode = size, 0o444
    return member.tobuf(tarfile.USTAR_FORMAT)


def _zeros(size: int) -> Iterator[bytes]:
    for start in range(0, size, _PIECE):
        yield bytes(min(_PIECE, size - start))


def _pieces(plain: BufferedIOBase, size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = _read(plain, min(_PIECE, left))
        left -= len(piece)
        yield piece


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _read(plain: BufferedIOBase, size: int) -> bytes:
    """Exactly so many bytes. Raise tarfile.TarError where there are fewer."""
    pieces: list[bytes] = []
    left = size
    while left:
        piece = plain.read(left)
        if not piece:
            raise tarfile.ReadError("the tar ends too early")
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
