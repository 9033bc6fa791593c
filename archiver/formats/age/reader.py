"""Decrypting from front to back, from any source, a pipe too."""

from collections.abc import Sequence
from io import BufferedIOBase, BytesIO
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from archiver.formats.age.armor import DETECTION_BYTES, ArmorReader, Source, is_armored
from archiver.formats.age.errors import AgeError, HeaderError, PayloadError
from archiver.formats.age.header import Identity, is_header_complete, parse_header
from archiver.formats.age.hkdf import payload_key
from archiver.formats.age.payload import (
    CHUNK_BYTES,
    NONCE_BYTES,
    SEALED_CHUNK_BYTES,
    TAG_BYTES,
    chunk_nonce,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEAD_BYTES = 4096  # one read; a classic header takes 200 bytes, a post-quantum one 1,700
_BATCH_CHUNKS = 4


def decrypt(identities: Sequence[Identity], sealed: bytes) -> bytes:
    """Decrypt bytes in memory, armored or not; raise AgeError."""
    return DecryptReader(BytesIO(sealed), identities).read()


class DecryptReader(BufferedIOBase):
    """Reads the plaintext of `source`; armor is detected. No byte is released unauthenticated.

    Opening raises HeaderError, NoMatchError, HmacError or ArmorError. `read` and `readinto` either give all
    that was asked for (less only at the authenticated end) or raise PayloadError or ArmorError; `read1`
    gives what there is, so that all that precedes a damage can be had. The source stays open."""

    def __init__(self, source: Source, identities: Sequence[Identity]) -> None:
        self._source = source
        self._unread = b""
        self._detect_armor()
        file_key, nonce = self._open(identities)
        self._cipher = ChaCha20Poly1305(payload_key(file_key, nonce))
        self._chunk = 0
        self._ended = False
        self._failure: AgeError | None = None
        self._batch = self._read_full(_BATCH_CHUNKS * SEALED_CHUNK_BYTES)
        self._plain = memoryview(bytearray(min(_BATCH_CHUNKS * CHUNK_BYTES, len(self._batch))))
        self._plain_start = self._plain_end = 0

    def readable(self) -> bool:
        return True

    def read(self, length: int | None = -1, /) -> bytes:
        """Return exactly `length` bytes, or fewer at the authenticated end; raise on any damage before."""
        wanted = None if length is None or length < 0 else length
        parts: list[bytes] = []
        while wanted is None or wanted:
            part = self.read1(-1 if wanted is None else wanted)
            if not part:
                break
            parts.append(part)
            if wanted is not None:
                wanted -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read1(self, length: int = -1, /) -> bytes:
        """Return up to `length` bytes of what is decrypted, b"" only at the authenticated end."""
        if length == 0:
            return b""
        while self._plain_start == self._plain_end:
            if self._failure is not None:
                raise self._failure
            if self._ended:
                return b""
            self._decrypt_batch()
        end = self._plain_end if length < 0 else min(self._plain_end, self._plain_start + length)
        part = bytes(self._plain[self._plain_start : end])
        self._plain_start = end
        return part

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _detect_armor(self) -> None:
        while len(self._unread) < DETECTION_BYTES:
            more = self._source.read(HEAD_BYTES)
            if not more:
                break
            self._unread += more
        if is_armored(self._unread):
            self._source = ArmorReader(self._source, self._unread)
            self._unread = b""

    def _open(self, identities: Sequence[Identity]) -> tuple[bytes, bytes]:
        """Consume the header and the nonce; return the file key and the nonce."""
        start = b""
        while not start or not is_header_complete(start):
            more = self._read_full(max(HEAD_BYTES, len(start)))
            if not more:
                raise HeaderError("the header is cut short" if start else "the file is empty")
            start += more
        header = parse_header(start)
        file_key = header.unwrap(identities)
        self._unread = start[header.length :]
        nonce = self._read_full(NONCE_BYTES)
        if len(nonce) < NONCE_BYTES:
            raise HeaderError("the payload's nonce is cut short")
        return file_key, nonce

    def _read_full(self, length: int) -> bytes:
        """Return exactly `length` sealed bytes, fewer only at the source's end."""
        if self._unread:
            parts, self._unread = [self._unread[:length]], self._unread[length:]
        else:
            parts = []
        missing = length - sum(map(len, parts))
        while missing:
            part = self._source.read(missing)
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _decrypt_batch(self) -> None:
        """Decrypt the batch at hand, having read the next one to know whether this is the last."""
        batch, following = self._batch, b""
        if len(batch) == _BATCH_CHUNKS * SEALED_CHUNK_BYTES:
            following = self._read_full(_BATCH_CHUNKS * SEALED_CHUNK_BYTES)
        self._batch = following
        self._plain_start = self._plain_end = 0
        try:
            self._decrypt_chunks(memoryview(batch), last_batch=not following)
        except PayloadError as error:
            self._failure = error
        self._ended = not following

    def _decrypt_chunks(self, batch: memoryview, *, last_batch: bool) -> None:
        if not batch:
            raise PayloadError(self._chunk, "is missing")
        for at in range(0, len(batch), SEALED_CHUNK_BYTES):
            sealed = batch[at : at + SEALED_CHUNK_BYTES]
            final = last_batch and at + SEALED_CHUNK_BYTES >= len(batch)
            if not self._decrypt_chunk(sealed, final=final):
                self._explain_failure(sealed, final=final)
            self._chunk += 1

    def _decrypt_chunk(self, sealed: memoryview, *, final: bool) -> bool:
        """Decrypt one chunk behind what is decrypted; False if it is not authentic."""
        length = len(sealed) - TAG_BYTES
        if length < 0:
            raise PayloadError(self._chunk, "is cut short")
        if not length and self._chunk:
            raise PayloadError(self._chunk, "is empty, which only the sole chunk of a file may be")
        plain = self._plain[self._plain_end : self._plain_end + length]
        try:
            self._cipher.decrypt_into(chunk_nonce(self._chunk, final=final), sealed, None, plain)
        except InvalidTag:
            return False  # what was decrypted lies behind the end, where nothing reads it
        self._plain_end += length
        return True

    def _explain_failure(self, sealed: memoryview, *, final: bool) -> None:
        """Raise PayloadError; a chunk authentic but for its place at the end is released and told apart."""
        if len(sealed) == SEALED_CHUNK_BYTES and self._decrypt_chunk(sealed, final=not final):
            if final:
                raise PayloadError(self._chunk + 1, "is missing: the file is cut short")
            raise PayloadError(self._chunk + 1, "follows the final chunk: something was appended")
        raise PayloadError(self._chunk, "failed authentication")
