"""Time stamps by an authority (RFC 3161): a signed statement that some bytes were there at some time.

`fetch_token` asks for one, `verify_token` judges one with nothing but the certificates in the settings, on a
machine without any network. What is asked for is a stamp of the data's SHA-256; the data goes nowhere. What
is kept is the authority's answer to the byte, a TimeStampResp, as `openssl ts -verify -in` takes it.

Of certificates that have expired since: a token counts that its authority signed while they were valid, by
the token's own time. That holds as long as the authority's key was not stolen afterwards.
"""

from archiver.timestamps.asking import NoStampError, fetch_token
from archiver.timestamps.tokens import (
    MAXIMUM_TOKEN_BYTES,
    Stamped,
    UnknownAuthorityError,
    certificates_pem,
    choose_token,
    find_right,
    verify_sha256,
    verify_token,
)

__all__ = [
    "MAXIMUM_TOKEN_BYTES",
    "NoStampError",
    "Stamped",
    "UnknownAuthorityError",
    "certificates_pem",
    "choose_token",
    "fetch_token",
    "find_right",
    "verify_sha256",
    "verify_token",
]
