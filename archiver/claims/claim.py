"""One claim: a signed document, in a tar with its signature, under its number in the chain."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from archiver.chain import BEGINNING, Head, check_link, document_sha256, parse_document, sign_document
from archiver.errors import IntegrityError, format_error
from archiver.formats.ssh_signature import AllowedSigners, SigningKey
from archiver.strict_tar import pack_tar, unpack_tar
from archiver.times import format_time, parse_time

FORMAT: Final = "archiver-collector-1"
NAMESPACE: Final = "archiver-collector"
"""Of the SSH signature over a claim (PROTOCOL.sshsig). The vault's list of signers names another, for its
manifests: whoever may sign those may claim, so the names of uses in that list do not count here."""
FOLDER: Final = "collectors/"
MAXIMUM_BYTES: Final = 64 * 1024
"""Of a whole claim: a reason of 1,000 letters takes 12 KB at most as JSON."""
MOST_REASON = 1_000
_NAME: Final = re.compile(r"collectors/([0-9]{8})\.tar")


class Claim(Struct, frozen=True, kw_only=True):
    """Who collects from `at` (ISO 8601, UTC) on: `host` with the signing key of fingerprint `key`. `reason`:
    why it was taken over from the claim before; None in the first."""

    format: str
    vault: str
    sequence: int
    previous: str | None
    host: Annotated[str, Meta(min_length=1, max_length=255)]
    key: Annotated[str, Meta(max_length=100)]
    at: str
    reason: Annotated[str, Meta(max_length=MOST_REASON)] | None
    tool: str

    @property
    def at_ms(self) -> int:
        return parse_time(self.at)


@dataclass(frozen=True)
class SignedClaim:
    """A claim as it lies in a store under `name`; whether it is rightly signed was not looked at."""

    name: str
    claim: Claim
    data: bytes
    signature: bytes
    file: bytes
    """Both, as they lie there."""

    @property
    def head(self) -> Head:
        return Head(self.claim.sequence, document_sha256(self.data))


def claim_name(sequence: int) -> str:
    """Where a claim lies in a store."""
    return f"{FOLDER}{sequence:08d}.tar"


def parse_claim_name(name: str) -> int | None:
    """The number of a claim by its name in a store; None for any other name."""
    match = _NAME.fullmatch(name)
    return int(match[1]) or None if match else None


def sign_claim(claim: Claim, key: SigningKey) -> bytes:
    """The file that holds it: a tar of the document and its signature."""
    fields: dict[str, Any] = msgspec.to_builtins(claim)
    data, signature = sign_document(fields, key, NAMESPACE)
    members = list(zip(_members(claim.sequence), (data, signature), strict=True))
    return pack_tar(members, claim.at_ms // 1000)


def unpack_claim(data: bytes, name: str) -> SignedClaim:
    """What lies under a claim's name. Raise IntegrityError, naming it, for what `sign_claim` does not write;
    NewerVersionError for a claim of a later format."""
    sequence = parse_claim_name(name)
    if sequence is None:
        raise IntegrityError(f"{name} is no name of a claim", "it was put there by something else")
    document, signature = unpack_tar(data, _members(sequence), name, "claim of a host", MAXIMUM_BYTES)
    fields = parse_document(document, name)
    found = fields.get("format")
    if isinstance(found, str) and found != FORMAT:
        raise format_error(name, found, FORMAT)
    try:
        claim = msgspec.convert(fields, Claim)
        parse_time(claim.at)
    except (msgspec.ValidationError, ValueError) as error:
        raise IntegrityError(f"{name} is no claim of a host: {error}") from error
    if claim.sequence != sequence:
        raise IntegrityError(f"{name} is claim number {claim.sequence}", "it was moved here")
    return SignedClaim(name, claim, document, signature, data)


def is_claim(name: str, data: bytes) -> bool:
    """Whether something of this name with these bytes can be a claim at all."""
    try:
        unpack_claim(data, name)
    except IntegrityError:
        return False
    return True


def follow_claims(
    claims: Iterable[SignedClaim], allowed: AllowedSigners, vault: str
) -> Iterator[SignedClaim]:
    """Yield each that is right. Raise IntegrityError at the first that is signed by another key than it
    names, or by one that may not sign this vault's manifests; that is out of order; or of another vault."""
    head: Head | None = None
    before = BEGINNING
    signers = AllowedSigners(tuple(replace(one, namespaces=None) for one in allowed.entries))
    for one in claims:
        link = check_link(one.name, one.data, one.signature, signers, NAMESPACE, head, before)
        if link.fingerprint != one.claim.key:
            raise IntegrityError(f"{one.name} is signed by {link.fingerprint}, and says otherwise")
        if one.claim.vault != vault:
            raise IntegrityError(f"{one.name} belongs to the vault {one.claim.vault!r}", "it was moved here")
        head, before = link.head, one.name
        yield one


def next_claim(
    before: SignedClaim | None, *, vault: str, host: str, key: str, now_ms: int, reason: str | None, tool: str
) -> Claim:
    """The claim after another, or the first."""
    return Claim(
        format=FORMAT,
        vault=vault,
        sequence=1 if before is None else before.claim.sequence + 1,
        previous=None if before is None else before.head.sha256,
        host=host,
        key=key,
        at=format_time(now_ms),
        reason=reason,
        tool=tool,
    )


def _members(sequence: int) -> tuple[str, str]:
    return f"{sequence:08d}.json", f"{sequence:08d}.json.sig"
