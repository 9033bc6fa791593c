"""The X25519 recipient type (the specification's section of that name)."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from archiver.formats.age.bech32 import decode_bech32, encode_bech32
from archiver.formats.age.errors import HeaderError, KeyFormatError
from archiver.formats.age.header import Stanza, check_body_length, parse_argument
from archiver.formats.age.hkdf import hkdf_sha256
from archiver.formats.age.raw_base64 import encode_base64

KIND = b"X25519"
IDENTITY_PREFIX = "AGE-SECRET-KEY-"
RECIPIENT_PREFIX = "age"
KEY_BYTES = 32
_INFO = b"age-encryption.org/v1/X25519"
_NONCE = bytes(12)


@dataclass(frozen=True)
class X25519Recipient:
    """A public key, 32 bytes."""

    key: bytes

    labels = frozenset[str]()

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise KeyFormatError("an X25519 recipient is 32 bytes long")

    @classmethod
    def parse(cls, text: str) -> "X25519Recipient":
        """Read `age1…`; raise KeyFormatError."""
        prefix, key = decode_bech32(text)
        if prefix != RECIPIENT_PREFIX:
            raise KeyFormatError("this is not an X25519 recipient (age1…)")
        return cls(key)

    def encode(self) -> str:
        """The recipient as `age1…`."""
        return encode_bech32(RECIPIENT_PREFIX, self.key)

    def __repr__(self) -> str:
        return f"X25519Recipient({self.encode()})"

    def wrap(self, file_key: bytes) -> Stanza:
        """Encrypt the file key under a fresh ephemeral key; raise KeyFormatError on a low-order recipient."""
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        try:
            shared_secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(self.key))
        except ValueError as error:
            raise KeyFormatError("this X25519 recipient is no usable public key") from error
        wrap_key = hkdf_sha256(shared_secret, salt=share + self.key, info=_INFO)
        body = ChaCha20Poly1305(wrap_key).encrypt(_NONCE, file_key, None)
        return Stanza((KIND, encode_base64(share)), body)


class X25519Identity:
    """A private key, 32 bytes; its text is a secret."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise KeyFormatError("an X25519 identity is 32 bytes long")
        self._secret = secret
        self._private_key = X25519PrivateKey.from_private_bytes(secret)
        self._public_key = self._private_key.public_key().public_bytes_raw()

    @classmethod
    def generate(cls) -> "X25519Identity":
        """A new identity from the system's random numbers."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> "X25519Identity":
        """Read `AGE-SECRET-KEY-1…`; raise KeyFormatError."""
        prefix, secret = decode_bech32(text)
        if prefix != IDENTITY_PREFIX:
            raise KeyFormatError("this is not an X25519 identity (AGE-SECRET-KEY-1…)")
        return cls(secret)

    def encode(self) -> str:
        """The identity as `AGE-SECRET-KEY-1…`: a secret."""
        return encode_bech32(IDENTITY_PREFIX.lower(), self._secret).upper()

    def recipient(self) -> X25519Recipient:
        return X25519Recipient(self._public_key)

    def __repr__(self) -> str:
        return f"X25519Identity(of {self.recipient().encode()})"

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key, or None; raise HeaderError on a malformed X25519 stanza."""
        for stanza in stanzas:
            if stanza.kind == KIND:
                file_key = self._unwrap_one(stanza)
                if file_key is not None:
                    return file_key
        return None

    def _unwrap_one(self, stanza: Stanza) -> bytes | None:
        check_body_length(stanza, arguments=2)
        share = parse_argument(stanza, 1, KEY_BYTES)
        try:
            shared_secret = self._private_key.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError as error:  # the shared secret is all zero: a low-order share
            raise HeaderError("an X25519 stanza has a low-order share") from error
        wrap_key = hkdf_sha256(shared_secret, salt=share + self._public_key, info=_INFO)
        try:
            return ChaCha20Poly1305(wrap_key).decrypt(_NONCE, stanza.body, None)
        except InvalidTag:
            return None
