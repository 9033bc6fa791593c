"""Reads the official age test vectors: header lines, an empty line, then the age file (CCTV, age)."""

import zlib
from dataclasses import dataclass, field

from archiver.formats.age import Identity, ScryptIdentity, parse_identity

KNOWN_KEYS = {
    "expect",
    "payload",
    "file key",
    "identity",
    "passphrase",
    "armored",
    "compressed",
    "comment",
}
EXPECTATIONS = {
    "success",
    "no match",
    "HMAC failure",
    "header failure",
    "armor failure",
    "payload failure",
}


@dataclass
class Vector:
    """One vector: what to expect, the identities to try, and the file."""

    expect: str = ""
    payload_sha256: str | None = None
    file_key: bytes | None = None
    identities: list[Identity] = field(default_factory=list)
    armored: bool = False
    file: bytes = b""


def parse_vector(content: bytes) -> Vector:
    """Read a vector; an unknown key or value fails, so that none goes unheeded."""
    header, separator, body = content.partition(b"\n\n")
    assert separator
    vector = Vector(file=body)
    for line in header.decode("utf-8").split("\n"):
        key, separator, value = line.partition(": ")
        assert separator
        assert key in KNOWN_KEYS, f"unknown key in the vector: {key}"
        match key:
            case "expect":
                assert value in EXPECTATIONS
                vector.expect = value
            case "payload":
                vector.payload_sha256 = value
            case "file key":
                vector.file_key = bytes.fromhex(value)
            case "identity":
                vector.identities.append(parse_identity(value))
            case "passphrase":
                vector.identities.append(ScryptIdentity(value))
            case "armored":
                assert value == "yes"
                vector.armored = True
            case "compressed":
                assert value == "zlib"
                vector.file = zlib.decompress(body)
    assert vector.expect
    return vector
