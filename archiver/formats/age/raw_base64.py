"""Base64 without padding, canonical only (the specification's "Conventions")."""

import binascii


def encode_base64(data: bytes) -> bytes:
    """Encode without padding and line feeds."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=")


def decode_base64(text: bytes) -> bytes | None:
    """Decode unpadded base64; None where the text is not the one canonical encoding of some bytes."""
    try:
        data = binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return None
    # The lenient decoder skips foreign characters and loose trailing bits; encoding again finds both.
    return data if encode_base64(data) == text else None
