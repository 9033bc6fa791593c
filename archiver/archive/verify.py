"""Reading sealed files back: first their SHA-256, then with the key every byte inside."""

import hashlib
import tarfile
from collections.abc import Iterator
from contextlib import closing
from io import BufferedIOBase, RawIOBase
from typing import IO, cast

import apsw
import zstandard

from archiver.archive.manifest import File
from archiver.archive.read import NOT_ITS_KEY, SegmentReader
from archiver.errors import IntegrityError, repair_hint
from archiver.formats import age
from archiver.formats.seekable_zstd import MAX_FRAME_SIZE
from archiver.stores.base import Inspection, Store, StoredFile

BLOCK = 1024 * 1024


class HashingReader(RawIOBase):
    """A stored file from front to back, hashing what is read."""

    def __init__(self, stored: StoredFile) -> None:
        self._stored = stored
        self._digest = hashlib.sha256()
        self._offset = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        wanted = self._stored.size - self._offset if size < 0 else min(size, self._stored.size - self._offset)
        data = self._stored.read_at(self._offset, wanted) if wanted else b""
        self._offset += len(data)
        self._digest.update(data)
        return data

    def finish(self) -> tuple[int, str]:
        """Bytes and SHA-256 of the whole file."""
        while self.read(BLOCK):
            pass
        return self._offset, self._digest.hexdigest()


def check_whole(name: str, archive: str, expected: File, size: int, sha256: str) -> None:
    """Raise IntegrityError unless a file's size and SHA-256 are its manifest's."""
    if size != expected.size:
        raise IntegrityError(
            f"{name} has {size:,} bytes, its manifest says {expected.size:,}", repair_hint(archive)
        )
    if sha256 != expected.sha256:
        raise IntegrityError(f"{name} was altered: its SHA-256 is not the manifest's", repair_hint(archive))


def verify_bytes(store: Store, archive: str, expected: File) -> None:
    """Check a sealed file's size and SHA-256. Needs no key."""
    name = f"archives/{archive}/{expected.name}"
    with store.open_random(name) as stored:
        size, sha256 = HashingReader(stored).finish()
    check_whole(name, archive, expected, size, sha256)


def verify_said(archive: str, expected: File, said: Inspection) -> None:
    """Check what a store says of a file that it was not asked for: its size, and the SHA-256 that the store
    itself checked when it took the file, where it keeps one of the whole."""
    name = f"archives/{archive}/{expected.name}"
    check_whole(name, archive, expected, said.size, said.sha256 or expected.sha256)


def verify_file(store: Store, archive: str, expected: File, identity: age.Identity) -> None:
    """Check a sealed file to its last byte: SHA-256, every chunk's authentication; a segment's frames and
    row counts, a pack's tar. Raise IntegrityError."""
    name = f"archives/{archive}/{expected.name}"
    with store.open_random(name) as stored:
        reader = HashingReader(stored)
        try:
            with closing(age.DecryptReader(reader, [identity])) as plain:
                size = sum(map(len, plain_blocks(plain))) if expected.kind == "records" else _read_pack(plain)
        except age.NoMatchError as error:
            raise IntegrityError(f"{name}: {NOT_ITS_KEY}", repair_hint(archive)) from error
        except (age.AgeError, zstandard.ZstdError, tarfile.TarError) as error:
            raise IntegrityError(f"{name}: {error}", repair_hint(archive)) from error
        check_whole(name, archive, expected, *reader.finish())
    if size != expected.plain_size:
        raise IntegrityError(
            f"{name} holds {size:,} bytes, its manifest says {expected.plain_size:,}", repair_hint(archive)
        )
    if expected.kind == "records":
        _verify_rows(store, name, expected, identity)


def plain_blocks(plain: BufferedIOBase) -> Iterator[bytes]:
    """A segment decompressed, a block at a time, each frame's checksum checked. Raise ZstdError."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_FRAME_SIZE)
    with decompressor.stream_reader(
        cast(IO[bytes], plain), read_size=BLOCK, read_across_frames=True
    ) as frames:
        while block := frames.read(BLOCK):
            yield block


def _read_pack(plain: age.DecryptReader) -> int:
    """Read a media pack's tar to its end; its size in bytes."""
    counted = CountingReader(plain)
    with tarfile.open(fileobj=counted, mode="r|") as tar:
        for member in tar:
            content = tar.extractfile(member)
            while content is not None and content.read(BLOCK):
                pass
    while counted.read(BLOCK):
        pass
    return counted.size


class CountingReader(RawIOBase):
    """Counts what is read through it."""

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream
        self.size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self.size += len(data)
        return data


def _verify_rows(store: Store, name: str, expected: File, identity: age.Identity) -> None:
    with SegmentReader(store, name, identity) as segment:
        for table, rows in expected.records.items():
            try:
                found = segment.connection.execute(f'SELECT count(*) FROM "{table}"').fetchall()[0][0]  # noqa: S608
            except apsw.Error as error:
                raise segment.translated(error) from error
            if found != rows:
                raise IntegrityError(f"{name} has {found} rows in {table}, its manifest says {rows}")
