"""Encrypting: a file is finished only by a clean close, so a cut write is never a valid file."""

import os
from collections.abc import Sequence
from io import BytesIO
from types import TracebackType

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from archiver.formats.age.armor import ArmorWriter, Destination, write_all
from archiver.formats.age.errors import AgeError, MixedRecipientsError
from archiver.formats.age.header import MAX_STANZAS, Stanza, format_header
from archiver.formats.age.hkdf import FILE_KEY_BYTES, payload_key
from archiver.formats.age.keys import Recipient
from archiver.formats.age.payload import (
    CHUNK_BYTES,
    NONCE_BYTES,
    SEALED_CHUNK_BYTES,
    TAG_BYTES,
    chunk_nonce,
)


def encrypt_stream(
    recipients: Sequence[Recipient], destination: Destination, *, armor: bool = False
) -> "Writer":
    """Write the header of a new file and return what takes its plaintext.

    The destination stays open; it must be done with the bytes when its `write` returns. Raise
    MixedRecipientsError on recipients that must not share a file, AgeError on none or more than 256."""
    file_key = os.urandom(FILE_KEY_BYTES)
    header = format_header(_wrap(recipients, file_key), file_key)
    armored = ArmorWriter(destination) if armor else None
    nonce = os.urandom(NONCE_BYTES)
    write_all(armored or destination, header + nonce)
    return Writer(file_key, nonce, armored or destination, armored)


def encrypt(recipients: Sequence[Recipient], plaintext: bytes, *, armor: bool = False) -> bytes:
    """Encrypt bytes in memory; raise as `encrypt_stream` does."""
    sealed = BytesIO()
    with encrypt_stream(recipients, sealed, armor=armor) as writer:
        writer.write(plaintext)
    return sealed.getvalue()


def _wrap(recipients: Sequence[Recipient], file_key: bytes) -> list[Stanza]:
    if not recipients:
        raise AgeError("there is no recipient to encrypt to")
    if len(recipients) > MAX_STANZAS:
        raise AgeError(f"a file has at most {MAX_STANZAS} recipients")
    if any(recipient.labels != recipients[0].labels for recipient in recipients):
        raise MixedRecipientsError(
            "these recipients must not share a file: a passphrase stands alone, and a classic recipient "
            "would undo what a post-quantum one protects"
        )
    stanzas = [recipient.wrap(file_key) for recipient in recipients]
    if len(stanzas) > 1 and any(stanza.kind == b"scrypt" for stanza in stanzas):
        raise MixedRecipientsError("a passphrase is the only recipient of its file")
    return stanzas


class Writer:
    """Takes plaintext, writes sealed chunks; made by `encrypt_stream`.

    Not an `io` class on purpose: those close themselves when they are collected as garbage, which would
    finish a file that was given up."""

    def __init__(
        self, file_key: bytes, nonce: bytes, destination: Destination, armor: ArmorWriter | None
    ) -> None:
        self.file_key = file_key
        self.plain_bytes = 0
        self.closed = False
        self._cipher = ChaCha20Poly1305(payload_key(file_key, nonce))
        self._destination = destination
        self._armor = armor
        self._failed = False
        self._chunk = 0
        self._plain = bytearray(CHUNK_BYTES)
        self._plain_length = 0
        self._sealed = memoryview(bytearray(SEALED_CHUNK_BYTES))

    def __repr__(self) -> str:
        return f"Writer(plain_bytes={self.plain_bytes}, closed={self.closed})"

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        """The number of plaintext bytes taken."""
        return self.plain_bytes

    def flush(self) -> None:
        """Do nothing: a chunk that is not full cannot be written before the end."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Take all of the data; raise whatever the destination raises, after which nothing is finished."""
        if self.closed:
            raise ValueError("the writer is closed")
        with memoryview(data) as view, view.cast("B") as octets:
            self._take(octets)
            self.plain_bytes += len(octets)
            return len(octets)

    def close(self) -> None:
        """Write the final chunk; raise AgeError if an earlier write failed. The destination stays open."""
        if self.closed:
            return
        self.closed = True
        if self._failed:
            raise AgeError("an earlier write failed, so the file was not finished")
        self._seal(memoryview(self._plain)[: self._plain_length], final=True)
        if self._armor is not None:
            self._armor.finish()

    def abort(self) -> None:
        """Give the file up: it stays without a final chunk, and every reader refuses it."""
        self.closed = True

    def _take(self, data: memoryview) -> None:
        at = 0
        while at < len(data):
            if self._plain_length == CHUNK_BYTES:  # full, and more follows: not the final chunk
                self._seal(memoryview(self._plain), final=False)
                self._plain_length = 0
            if not self._plain_length:
                # Whole chunks that more data follows go straight from the caller's memory.
                while len(data) - at > CHUNK_BYTES:
                    self._seal(data[at : at + CHUNK_BYTES], final=False)
                    at += CHUNK_BYTES
            taken = min(CHUNK_BYTES - self._plain_length, len(data) - at)
            self._plain[self._plain_length : self._plain_length + taken] = data[at : at + taken]
            self._plain_length += taken
            at += taken

    def _seal(self, plain: memoryview, *, final: bool) -> None:
        self._failed = True  # until all of it has succeeded
        sealed = self._sealed[: len(plain) + TAG_BYTES]
        self._cipher.encrypt_into(chunk_nonce(self._chunk, final=final), plain, None, sealed)
        write_all(self._destination, sealed)
        self._chunk += 1
        self._failed = False
