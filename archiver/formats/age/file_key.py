"""A file key kept from an earlier opening, in an identity's place."""

from collections.abc import Sequence

from archiver.formats.age.errors import KeyFormatError
from archiver.formats.age.header import Stanza
from archiver.formats.age.hkdf import FILE_KEY_BYTES


class FileKeyIdentity:
    """What opens one file alone, without asking its stanzas: the file key itself, a secret.

    As safe as unwrapping it: a reader checks the header's MAC with whatever an identity gives ("Header MAC"),
    so another file's key, or a header that was altered since, is an HmacError, and each chunk of the payload
    is authenticated as ever. For whoever opens the same files again and again, and keeps the keys encrypted
    meanwhile: it spares an asymmetric decryption each."""

    def __init__(self, file_key: bytes) -> None:
        if len(file_key) != FILE_KEY_BYTES:
            raise KeyFormatError("a file key is 16 bytes long")
        self._file_key = file_key

    def __repr__(self) -> str:
        return "FileKeyIdentity()"

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key, whatever the stanzas are."""
        return self._file_key
