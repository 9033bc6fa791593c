"""The payload's geometry: 64 KiB chunks at computed offsets ("Payload")."""

from dataclasses import dataclass

from archiver.formats.age.errors import PayloadError

CHUNK_BYTES = 64 * 1024
TAG_BYTES = 16
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES
NONCE_BYTES = 16


def chunk_nonce(chunk: int, *, final: bool) -> bytes:
    """A chunk's 12-byte nonce: its number, big endian, then 1 for the final chunk and 0 for others."""
    return (chunk << 8 | final).to_bytes(12, "big")


@dataclass(frozen=True)
class Layout:
    """Where a payload's chunks lie: `start` is the file's offset of chunk 0, `length` all sealed bytes."""

    start: int
    length: int

    @property
    def chunks(self) -> int:
        return -(-self.length // SEALED_CHUNK_BYTES)

    @property
    def plain_bytes(self) -> int:
        return self.length - self.chunks * TAG_BYTES

    def locate(self, chunk: int) -> tuple[int, int]:
        """A sealed chunk's offset in the file, and its length."""
        offset = chunk * SEALED_CHUNK_BYTES
        return self.start + offset, min(SEALED_CHUNK_BYTES, self.length - offset)

    def check(self) -> None:
        """Raise PayloadError where no payload can have this length."""
        if self.length < TAG_BYTES:
            raise PayloadError(0, "is missing or cut short")
        last = self.chunks - 1
        last_length = self.locate(last)[1]
        if last_length < TAG_BYTES:
            raise PayloadError(last, "is cut short")
        if last_length == TAG_BYTES and last:
            raise PayloadError(last, "is empty, which only the sole chunk of a file may be")
