"""A part of the catalogue: one SQLite database, and the sealed file that it came from or goes into.

The file is age's, encrypted to the keyholder's own key, and holds the seekable Zstandard format. Every byte
of it is authenticated before anything is believed (3 ms for 7 MB, which are 1M posts); after that a search
reads a few pages. Encrypting to a public key says nothing of who did it, so a proof goes first, which only a
holder of the private key can make.
"""

import hmac
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import apsw

from archiver.archive.vfs import SegmentDatabase
from archiver.formats import FormatError, age
from archiver.formats.age.payload import CHUNK_BYTES
from archiver.formats.seekable_zstd import SeekableReader
from archiver.keys import Identity
from archiver.search.catalogue.gathering import CataloguedSegment, Gathering

VERSION = 3
"""Of a part's shape. Parts of another version are made anew."""
_PROOF_BYTES = 32
_PROOF_HEADER = struct.pack("<II", 0x184D2A50, _PROOF_BYTES)
"""Of a skippable frame (RFC 8878, 3.1.2), so that `zstd -d` still reads what `age -d` gives."""
_CACHE_BYTES = 16 * 1024 * 1024
_SEGMENTS = "SELECT archive, file, sha256, file_key, key_sha256 FROM segment ORDER BY number"


class UnusablePartError(Exception):
    """Bytes that are no part of this keyholder's catalogue of this vault. It is made anew."""


class _Beyond:
    """What of a source lies beyond its first bytes."""

    def __init__(self, source: age.RandomSource, start: int) -> None:
        self._source = source
        self._start = start
        self.size = max(0, source.size - start)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._source.read_at(self._start + offset, length)


class Part:
    """An open part. `first` is the number that the catalogue gives its first segment, whose bit is the lowest
    in the part's own bitmaps; `name` that of its file, None where it has none yet."""

    def __init__(
        self, frames: age.RandomSource, file: age.FileSource | None = None, name: str | None = None
    ) -> None:
        """`frames` are its database's; a file is closed with the part. Raise UnusablePartError where they
        cannot be read."""
        self.name = name
        self.first = 0
        self._frames = frames
        self._file = file
        try:
            plain = SeekableReader(frames, cache_bytes=_CACHE_BYTES)
            self._database = SegmentDatabase.read(plain)
            self.connection = self._database.connection
            self.segments = [CataloguedSegment(*row) for row in self.connection.execute(_SEGMENTS)]
        except (FormatError, apsw.Error) as error:
            raise UnusablePartError(str(error)) from error

    @classmethod
    def of(cls, gathering: Gathering) -> "Part":
        """A part that is in memory alone."""
        return cls(age.BytesSource(gathering.frames()))

    @classmethod
    def load(cls, path: Path, identities: Sequence[Identity], vault_id: str) -> "Part":
        """Open what `seal` made for one of these identities. Raise UnusablePartError for anything else,
        OSError where the file cannot be read."""
        file = age.FileSource(path)
        try:
            sealed = age.SeekReader(file, identities)
            start = len(_PROOF_HEADER) + _PROOF_BYTES
            made = sealed.read_at(0, start)
            if not any(hmac.compare_digest(made, _proof(identity, vault_id)) for identity in identities):
                raise UnusablePartError("somebody else made it, or it is another vault's or version's")
            for offset in range(0, sealed.size, CHUNK_BYTES):
                sealed.read_at(offset, CHUNK_BYTES)
            return cls(_Beyond(sealed, start), file, path.name)
        except age.AgeError as error:
            file.close()
            raise UnusablePartError(str(error)) from error
        except BaseException:
            file.close()
            raise

    def seal(self, identity: Identity, vault_id: str, file: BinaryIO) -> None:
        """Write its file, encrypted to this identity's own recipient."""
        with age.encrypt_stream([identity.recipient()], file) as sealed:
            sealed.write(_proof(identity, vault_id))
            for offset in range(0, self._frames.size, CHUNK_BYTES):
                sealed.write(self._frames.read_at(offset, CHUNK_BYTES))

    def has(self, archive: str, file: str) -> bool:
        """Whether it is of this segment, among others."""
        return any((one.archive, one.file) == (archive, file) for one in self.segments)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        return self.connection.execute(sql, values).fetchall()

    def segments_of(self, blob: bytes) -> int:
        """A bitmap of its own, as the catalogue numbers segments."""
        return int.from_bytes(blob, "little") << self.first

    def close(self) -> None:
        self._database.close()
        if self._file is not None:
            self._file.close()


def _proof(identity: Identity, vault_id: str) -> bytes:
    """What only a holder of this private key can know, for one vault and one version. It is stored encrypted
    to the same key, and says nothing of the key to whoever reads it."""
    message = f"archiver search catalogue {VERSION} of vault {vault_id}".encode()
    return _PROOF_HEADER + hmac.digest(identity.encode().encode(), message, "sha256")
