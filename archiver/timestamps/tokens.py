"""Is a token right? Judged offline, against pinned certificates alone.

`rfc3161-client` checks the signature, the chain up to the roots given at the token's own time, that the
signer's certificate is for time stamps, and nonce and policy; releases before 1.0.9 had holes in that. What
a token brings along in certificates is trusted for nothing.
"""

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from archiver.errors import ArchiverError, IntegrityError
from archiver.settings.timestamps import AuthoritySettings

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

MAXIMUM_TOKEN_BYTES: Final = 64 * 1024
"""One with three certificates has 5 to 7 kB."""
SHA256_OID: Final = "2.16.840.1.101.3.4.2.1"
GRANTED: Final = 0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_REASON_CHARACTERS: Final = 120


@dataclass(frozen=True)
class Stamped:
    """A token found right: the answer's bytes, the authority's name in the settings, the time it states, in
    milliseconds since 1970 UTC, and its serial number there. `passed_over`: of a token just fetched, why each
    authority before gave none."""

    token: bytes
    authority: str
    time_ms: int
    serial: int
    passed_over: tuple[str, ...] = ()


class UnknownAuthorityError(ArchiverError):
    """A token of the right bytes, by somebody whose certificate is not in the settings (any more): it was
    not checked, which says nothing against it."""

    def __init__(self) -> None:
        super().__init__(
            "not checked: no certificate of the authority that signed it is in the settings",
            "add it to the file `certificate` of a [[timestamp]]",
        )


def verify_token(token: bytes, data: bytes, authorities: Sequence[AuthoritySettings]) -> Stamped:
    """Judge a token of some data. Raise IntegrityError where it is wrong: of other bytes, altered, not by
    whom it says; UnknownAuthorityError where nobody in the settings is who it says."""
    return verify_sha256(token, hashlib.sha256(data).digest(), authorities)


def verify_sha256(
    token: bytes, sha256: bytes, authorities: Sequence[AuthoritySettings], *, nonce: int | None = None
) -> Stamped:
    """The same of data whose SHA-256 is known; with the nonce of the question where it was just asked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is odd in a certificate that somebody else made
        try:
            return _verify(token, sha256, authorities, nonce)
        except ArchiverError:
            raise
        except Exception as error:  # the parser's ValueError, KeyError and others
            raise IntegrityError(f"the time stamp is none that can be read: {_reason(error)}") from error


def _verify(
    token: bytes, sha256: bytes, authorities: Sequence[AuthoritySettings], nonce: int | None
) -> Stamped:
    response = _parse(token, sha256)
    signers = [(one.issuer, one.serial_number) for one in response.signed_data.signer_infos]
    if len(signers) != 1:
        raise IntegrityError(f"the time stamp has {len(signers)} signers")
    pinned = list(_pinned(authorities, *signers[0]))
    if not pinned:
        raise UnknownAuthorityError
    wrong: ArchiverError | None = None
    for authority, certificate in pinned:
        try:
            time_ms, serial = _verify_by(response, sha256, authority, certificate, nonce)
        except IntegrityError as error:
            wrong = wrong or error
        else:
            return Stamped(token, authority.name, time_ms, serial)
    assert wrong is not None  # noqa: S101  # each of them raised
    raise wrong


def _parse(token: bytes, sha256: bytes) -> "TimeStampResponse":
    """Raise IntegrityError for what is no token of this hash."""
    import rfc3161_client

    if len(token) > MAXIMUM_TOKEN_BYTES:
        raise IntegrityError(f"the time stamp is larger than {MAXIMUM_TOKEN_BYTES:,} bytes")
    response = rfc3161_client.decode_timestamp_response(token)
    if response.status != GRANTED:
        said = " ".join(response.status_string)[:_REASON_CHARACTERS]
        raise IntegrityError(f"the authority refused, with status {response.status}" + (said and f": {said}"))
    imprint = response.tst_info.message_imprint
    if imprint.hash_algorithm.dotted_string != SHA256_OID:
        raise IntegrityError("the time stamp is not over a SHA-256")
    if imprint.message != sha256:
        raise IntegrityError("the time stamp is of other bytes")
    return response


def _pinned(
    authorities: Sequence[AuthoritySettings], issuer: object, serial: int
) -> "Iterator[tuple[AuthoritySettings, Certificate]]":
    """The certificates in the settings that go by this issuer and number."""
    from cryptography.x509 import load_der_x509_certificate

    for authority in authorities:
        for data in authority.certificates:
            certificate = load_der_x509_certificate(data)
            if (certificate.issuer, certificate.serial_number) == (issuer, serial):
                yield authority, certificate


def _verify_by(
    response: "TimeStampResponse",
    sha256: bytes,
    authority: AuthoritySettings,
    certificate: "Certificate",
    nonce: int | None,
) -> tuple[int, int]:
    """The time and the serial number; raise IntegrityError."""
    import rfc3161_client
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import ObjectIdentifier, load_der_x509_certificate

    if certificate.public_bytes(Encoding.DER) not in response.signed_data.certificates:
        raise IntegrityError(f"the time stamp is not signed by the certificate pinned for {authority.name}")
    verifier = rfc3161_client.VerifierBuilder(
        policy_id=None if authority.policy is None else ObjectIdentifier(authority.policy),
        tsa_certificate=certificate,
        roots=[load_der_x509_certificate(data) for data in authority.roots],
        nonce=nonce,
    ).build()
    try:
        verifier.verify(response, sha256)
    except rfc3161_client.VerificationError as error:
        raise IntegrityError(f"the time stamp is not right: {_reason(error)}") from error
    info = response.tst_info
    time_ms = (info.gen_time.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
    return time_ms, info.serial_number


def _reason(error: Exception) -> str:
    """What a library says, short: of OpenSSL's errors the sentence in them."""
    text = str(error)
    _, found, data = text.partition('data: "')
    return (data.partition('"')[0] if found else text)[:_REASON_CHARACTERS] or type(error).__name__


def find_right(tokens: Iterable[bytes], data: bytes, authorities: Sequence[AuthoritySettings]) -> list[bytes]:
    """Of several stores' tokens over the same data those that are right; where none is, those that are not
    known to be wrong, as nobody in the settings made them."""
    right: list[bytes] = []
    unchecked: list[bytes] = []
    for token in tokens:
        try:
            verify_token(token, data, authorities)
        except UnknownAuthorityError:
            unchecked.append(token)
        except IntegrityError:
            continue
        else:
            right.append(token)
    return right or unchecked


def choose_token(
    tokens: Iterable[bytes], data: bytes, authorities: Sequence[AuthoritySettings]
) -> bytes | None:
    """The first of those that `find_right` finds; None where there is none."""
    return next(iter(find_right(tokens, data, authorities)), None)


def certificates_pem(authority: AuthoritySettings) -> bytes:
    """Roots and own certificates of an authority in PEM, to be kept beside its tokens: what
    `openssl ts -verify -CAfile` takes."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_der_x509_certificate

    every = dict.fromkeys([*authority.roots, *authority.certificates])
    return b"".join(load_der_x509_certificate(data).public_bytes(Encoding.PEM) for data in every)
