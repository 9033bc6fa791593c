"""Who signed a pack, and when it existed at the latest."""

from collections.abc import Sequence

from archiver.errors import IntegrityError
from archiver.evidence.checking.files import Files
from archiver.evidence.tag_files import AUTHORITIES, SIGNATURE, SIGNATURE_NAMESPACE, SIGNED, TOKEN
from archiver.formats.ssh_signature import AllowedSigners, SignatureError, verify, written_alike
from archiver.settings.timestamps import AuthoritySettings
from archiver.times import format_time
from archiver.timestamps import UnknownAuthorityError, verify_token

MAY_BE_MISSING = "authorities are named: none answered when the pack was made, or it was taken away since"


def read_signers(files: Files, path: str) -> AllowedSigners:
    try:
        return AllowedSigners.parse(files.read(path).decode("utf-8"))
    except (SignatureError, UnicodeDecodeError) as error:
        raise IntegrityError(f"{path} is no list of signers: {error}") from error


def check_signature(files: Files, signer: str | None) -> list[str]:
    """Who signed it. Raise IntegrityError where nobody did, or somebody else than `signer`."""
    allowed = read_signers(files, "allowed_signers")
    try:
        signature = files.read(SIGNATURE)
        found = verify(signature, files.read(SIGNED), SIGNATURE_NAMESPACE, allowed)
        if written_alike(signature) != signature:
            raise IntegrityError(f"{SIGNATURE} is altered: it is not written as it was made")
    except SignatureError as error:
        raise IntegrityError(f"{SIGNATURE}: {error}") from error
    if signer is not None and signer != found.fingerprint:
        raise IntegrityError(f"it is signed by another key than {signer[:80]}: {found.fingerprint}")
    lines = [f"by {found.principal}, {found.fingerprint}"]
    if signer is None:
        lines.append(
            "that this is their key is the pack's own word: compare the fingerprint, or give --signer"
        )
    return lines


def check_token(files: Files, authorities: Sequence[AuthoritySettings]) -> list[str] | None:
    """When; None where there is no time stamp, and none was asked for."""
    if not files.has(TOKEN):
        return [MAY_BE_MISSING] if files.has(AUTHORITIES) else None
    token, signed = files.read(TOKEN), files.read(SIGNED)
    try:
        return _token_lines(files, token, signed, authorities)
    except IntegrityError as error:
        raise IntegrityError(f"{TOKEN}: {error.message}") from error


def _token_lines(
    files: Files, token: bytes, signed: bytes, authorities: Sequence[AuthoritySettings]
) -> list[str]:
    try:
        if authorities:
            stamped = verify_token(token, signed, authorities)
            return [f"{format_time(stamped.time_ms)} by {stamped.authority}"]
    except UnknownAuthorityError:
        pass
    stamped = verify_token(token, signed, [_own_authority(files)])
    return [
        f"{format_time(stamped.time_ms)}",
        f"by whom is the pack's own word: its certificate is in {AUTHORITIES}",
    ]


def _own_authority(files: Files) -> AuthoritySettings:
    """The authorities whose certificates the pack has, as one."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_pem_x509_certificates

    try:
        found = load_pem_x509_certificates(files.read(AUTHORITIES))
        roots = tuple(one.public_bytes(Encoding.DER) for one in found if one.issuer == one.subject)
        every = tuple(one.public_bytes(Encoding.DER) for one in found)
    except ValueError as error:
        raise IntegrityError(f"{AUTHORITIES} holds no certificates: {error}") from error
    return AuthoritySettings("the pack's own", "", every, roots or every)
