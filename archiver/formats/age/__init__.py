"""age v1 (C2SP, age.md): files encrypted to recipients, opened by identities, readable anywhere.

Encrypt with `encrypt_stream` or `encrypt`; decrypt from front to back with `DecryptReader` or `decrypt`,
or anywhere with `SeekReader`. Every failure of bytes or keys is an `AgeError`.
"""

from archiver.formats.age.errors import (
    AgeError,
    ArmorError,
    HeaderError,
    HmacError,
    KeyFormatError,
    MixedRecipientsError,
    NoMatchError,
    PayloadError,
)
from archiver.formats.age.file_key import FileKeyIdentity
from archiver.formats.age.header import Identity
from archiver.formats.age.keys import (
    Recipient,
    parse_identities,
    parse_identity,
    parse_recipient,
    parse_recipients,
)
from archiver.formats.age.reader import DecryptReader, decrypt
from archiver.formats.age.seek import SeekReader
from archiver.formats.age.sources import BytesSource, FileSource, RandomSource
from archiver.formats.age.stanzas.hybrid import HybridIdentity, HybridRecipient
from archiver.formats.age.stanzas.scrypt import ScryptIdentity, ScryptRecipient
from archiver.formats.age.stanzas.x25519 import X25519Identity, X25519Recipient
from archiver.formats.age.writer import Writer, encrypt, encrypt_stream

__all__ = [
    "AgeError",
    "ArmorError",
    "BytesSource",
    "DecryptReader",
    "FileKeyIdentity",
    "FileSource",
    "HeaderError",
    "HmacError",
    "HybridIdentity",
    "HybridRecipient",
    "Identity",
    "KeyFormatError",
    "MixedRecipientsError",
    "NoMatchError",
    "PayloadError",
    "RandomSource",
    "Recipient",
    "ScryptIdentity",
    "ScryptRecipient",
    "SeekReader",
    "Writer",
    "X25519Identity",
    "X25519Recipient",
    "decrypt",
    "encrypt",
    "encrypt_stream",
    "parse_identities",
    "parse_identity",
    "parse_recipient",
    "parse_recipients",
]
