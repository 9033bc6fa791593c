"""The post-quantum recipient type mlkem768x25519, on HPKE (the specification's section of that name).

`cryptography`'s HPKE is imported on first use: whoever has only classic keys does not pay for it.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from archiver.formats.age.bech32 import decode_bech32, encode_bech32
from archiver.formats.age.errors import HeaderError, KeyFormatError
from archiver.formats.age.header import Stanza, check_body_length, parse_argument
from archiver.formats.age.raw_base64 import encode_base64

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hpke import (
        MLKEM768X25519PrivateKey,
        MLKEM768X25519PublicKey,
        Suite,
    )

KIND = b"mlkem768x25519"
IDENTITY_PREFIX = "AGE-SECRET-KEY-PQ-"
RECIPIENT_PREFIX = "age1pq"
SEED_BYTES = 32
_MLKEM_SEED_BYTES = 64
_MLKEM_KEY_BYTES = 1184
_MLKEM_SHARE_BYTES = 1088
_X25519_BYTES = 32
_INFO = b"age-encryption.org/mlkem768x25519"


@cache
def _suite() -> "Suite":
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True)
class HybridRecipient:
    """A public key: 1184 bytes of ML-KEM-768, then 32 of X25519."""

    key: bytes

    labels = frozenset({"postquantum"})

    def __post_init__(self) -> None:
        if len(self.key) != _MLKEM_KEY_BYTES + _X25519_BYTES:
            raise KeyFormatError("a post-quantum recipient is 1216 bytes long")

    @classmethod
    def parse(cls, text: str) -> "HybridRecipient":
        """Read `age1pq1…`; raise KeyFormatError."""
        prefix, key = decode_bech32(text)
        if prefix != RECIPIENT_PREFIX:
            raise KeyFormatError("this is not a post-quantum recipient (age1pq1…)")
        recipient = cls(key)
        recipient._public_key()
        return recipient

    def encode(self) -> str:
        """The recipient as `age1pq1…`, 1,959 characters."""
        return encode_bech32(RECIPIENT_PREFIX, self.key)

    def __repr__(self) -> str:
        text = self.encode()
        return f"HybridRecipient({text[:20]}…{text[-8:]})"

    def _public_key(self) -> "MLKEM768X25519PublicKey":
        from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
        from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey

        try:
            mlkem_key = MLKEM768PublicKey.from_public_bytes(self.key[:_MLKEM_KEY_BYTES])
            x25519_key = X25519PublicKey.from_public_bytes(self.key[_MLKEM_KEY_BYTES:])
        except ValueError as error:
            raise KeyFormatError("this post-quantum recipient is no usable public key") from error
        return MLKEM768X25519PublicKey(mlkem_key, x25519_key)

    def wrap(self, file_key: bytes) -> Stanza:
        """Encrypt the file key with HPKE; raise KeyFormatError on a recipient that is no public key."""
        try:
            sealed = _suite().encrypt(file_key, self._public_key(), _INFO)
        except ValueError as error:
            raise KeyFormatError("this post-quantum recipient is no usable public key") from error
        share_length = _MLKEM_SHARE_BYTES + _X25519_BYTES
        return Stanza((KIND, encode_base64(sealed[:share_length])), sealed[share_length:])


class HybridIdentity:
    """A private key as its 32-byte seed; its text is a secret."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise KeyFormatError("a post-quantum identity is 32 bytes long")
        self._seed = seed

    @classmethod
    def generate(cls) -> "HybridIdentity":
        """A new identity from the system's random numbers."""
        return cls(os.urandom(SEED_BYTES))

    @classmethod
    def parse(cls, text: str) -> "HybridIdentity":
        """Read `AGE-SECRET-KEY-PQ-1…`; raise KeyFormatError."""
        prefix, seed = decode_bech32(text)
        if prefix != IDENTITY_PREFIX:
            raise KeyFormatError("this is not a post-quantum identity (AGE-SECRET-KEY-PQ-1…)")
        return cls(seed)

    def encode(self) -> str:
        """The identity as `AGE-SECRET-KEY-PQ-1…`: a secret."""
        return encode_bech32(IDENTITY_PREFIX.lower(), self._seed).upper()

    def recipient(self) -> HybridRecipient:
        mlkem_key, x25519_key, _ = self._keys
        return HybridRecipient(mlkem_key + x25519_key.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"HybridIdentity(of {self.recipient()!r})"

    @cached_property
    def _keys(self) -> tuple[bytes, X25519PrivateKey, "MLKEM768X25519PrivateKey"]:
        """ML-KEM's public key, the X25519 private key, and both private keys as HPKE takes them.

        X-Wing expands the seed with SHAKE-256 into ML-KEM's 64 bytes and X25519's 32."""
        from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
        from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

        expanded = hashlib.shake_256(self._seed).digest(_MLKEM_SEED_BYTES + _X25519_BYTES)
        mlkem_key = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_BYTES])
        x25519_key = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_BYTES:])
        public_key = mlkem_key.public_key().public_bytes_raw()
        return public_key, x25519_key, MLKEM768X25519PrivateKey(mlkem_key, x25519_key)

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key, or None; raise HeaderError on a malformed mlkem768x25519 stanza."""
        for stanza in stanzas:
            if stanza.kind == KIND:
                file_key = self._unwrap_one(stanza)
                if file_key is not None:
                    return file_key
        return None

    def _unwrap_one(self, stanza: Stanza) -> bytes | None:
        check_body_length(stanza, arguments=2)
        share = parse_argument(stanza, 1, _MLKEM_SHARE_BYTES + _X25519_BYTES)
        _, x25519_key, private_key = self._keys
        try:
            return _suite().decrypt(share + stanza.body, private_key, _INFO)
        except InvalidTag:
            _refuse_low_order(x25519_key, share[_MLKEM_SHARE_BYTES:])
            return None


def _refuse_low_order(private_key: X25519PrivateKey, share: bytes) -> None:
    """Raise HeaderError if the share yields an all-zero secret.

    HPKE refuses such a share with the same InvalidTag as a stanza meant for somebody else, so the two are
    told apart here, after the failure, and opening one's own file costs nothing more."""
    try:
        private_key.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError as error:
        raise HeaderError("an mlkem768x25519 stanza has a low-order share") from error
