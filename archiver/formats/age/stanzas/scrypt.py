"""The passphrase recipient type, scrypt (the specification's section of that name)."""

import os
import re
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from archiver.formats.age.errors import HeaderError, KeyFormatError
from archiver.formats.age.header import Stanza, check_body_length, parse_argument
from archiver.formats.age.raw_base64 import encode_base64

KIND = b"scrypt"
DEFAULT_WORK_FACTOR = 18  # 256 MiB and about a second, as the age program takes
MAX_WORK_FACTOR = 22  # 4 GiB; the specification's vectors ask that 23 is refused
_SALT_BYTES = 16
_SALT_PREFIX = b"age-encryption.org/v1/scrypt"
_NONCE = bytes(12)
_DECIMAL = re.compile(rb"[1-9][0-9]*")


class ScryptRecipient:
    """A passphrase to encrypt to; N is two to the power of `work_factor`, r is 8, p is 1.

    It is the only recipient of its file."""

    labels = frozenset({"scrypt"})

    def __init__(self, passphrase: str, work_factor: int = DEFAULT_WORK_FACTOR) -> None:
        if not 1 <= work_factor <= 30:
            raise ValueError("a work factor is between 1 and 30")
        self._passphrase = _encode_passphrase(passphrase)
        self.work_factor = work_factor

    def __repr__(self) -> str:
        return f"ScryptRecipient(work_factor={self.work_factor})"

    def wrap(self, file_key: bytes) -> Stanza:
        """Encrypt the file key under a freshly salted key."""
        salt = os.urandom(_SALT_BYTES)
        wrap_key = _derive(self._passphrase, salt, self.work_factor)
        body = ChaCha20Poly1305(wrap_key).encrypt(_NONCE, file_key, None)
        return Stanza((KIND, encode_base64(salt), b"%d" % self.work_factor), body)


class ScryptIdentity:
    """A passphrase to decrypt with; files that ask for more than `max_work_factor` are refused."""

    def __init__(self, passphrase: str, max_work_factor: int = MAX_WORK_FACTOR) -> None:
        self._passphrase = _encode_passphrase(passphrase)
        self.max_work_factor = max_work_factor

    def __repr__(self) -> str:
        return f"ScryptIdentity(max_work_factor={self.max_work_factor})"

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key, or None; raise HeaderError on a malformed or too costly scrypt stanza."""
        for stanza in stanzas:
            if stanza.kind == KIND:
                if len(stanzas) != 1:
                    raise HeaderError("a passphrase stanza stands beside another stanza")
                return self._unwrap_one(stanza)
        return None

    def _unwrap_one(self, stanza: Stanza) -> bytes | None:
        check_body_length(stanza, arguments=3)
        salt = parse_argument(stanza, 1, _SALT_BYTES)
        digits = stanza.arguments[2]
        if not _DECIMAL.fullmatch(digits):
            raise HeaderError("an scrypt stanza has a malformed work factor")
        # Two digits are enough for every factor allowed; int() on more would cost a hostile file's length.
        if len(digits) > 2 or int(digits) > self.max_work_factor:
            raise HeaderError(f"an scrypt stanza has a work factor above {self.max_work_factor}")
        try:
            wrap_key = _derive(self._passphrase, salt, int(digits))
        except MemoryError as error:
            raise HeaderError("an scrypt stanza needs more memory than there is") from error
        try:
            return ChaCha20Poly1305(wrap_key).decrypt(_NONCE, stanza.body, None)
        except InvalidTag:
            return None


def _encode_passphrase(passphrase: str) -> bytes:
    try:
        encoded = passphrase.encode("utf-8")
    except UnicodeEncodeError:
        # Its message would quote the passphrase.
        raise KeyFormatError("the passphrase holds characters that cannot be encoded") from None
    if not encoded:
        raise KeyFormatError("the passphrase is empty")
    return encoded


def _derive(passphrase: bytes, salt: bytes, work_factor: int) -> bytes:
    # Imported here: only files with a passphrase need it.
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    # The standard library's scrypt cannot be given the 4 GiB that a factor of 22 needs.
    return Scrypt(salt=_SALT_PREFIX + salt, length=32, n=1 << work_factor, r=8, p=1).derive(passphrase)
