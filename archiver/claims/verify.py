"""Are the claims in a store whole? Needs no private key."""

from collections.abc import Iterator, Mapping

from archiver.chain import Head
from archiver.claims.claim import (
    FOLDER,
    MAXIMUM_BYTES,
    SignedClaim,
    claim_name,
    follow_claims,
    parse_claim_name,
    unpack_claim,
)
from archiver.errors import ArchiverError, IntegrityError
from archiver.formats.ssh_signature import AllowedSigners
from archiver.stores.base import Store

_SYNC_HINT = "another store may have it: archiver sync, or archiver repair"


def verify_claims(
    store: Store, vault: str, allowed: AllowedSigners, noted: Mapping[str, Head]
) -> tuple[list[SignedClaim], list[ArchiverError]]:
    """The claims that are right, up to the first that is not, and every problem: that one, files that are no
    claims, and claims that are missing although `noted` by something, which each key names. Raise StoreError
    where the store cannot be listed."""
    names = list(store.list(FOLDER))
    problems: list[ArchiverError] = [
        IntegrityError(f"{name} is no claim of a host", "somebody put it there")
        for name in names
        if parse_claim_name(name) is None
    ]
    listed = [name for name in names if parse_claim_name(name) is not None]
    found = store.read_many(dict.fromkeys(listed, MAXIMUM_BYTES))
    claims: list[SignedClaim] = []
    try:
        for one in follow_claims(_unpacked(listed, found), allowed, vault):
            claims = [*claims, one]
    except ArchiverError as error:
        problems.append(error)
        return claims, problems
    problems += _unmet(claims, noted)
    return claims, problems


def _unpacked(names: list[str], found: Mapping[str, bytes | ArchiverError]) -> Iterator[SignedClaim]:
    for name in names:
        data = found[name]
        if isinstance(data, ArchiverError):
            raise data
        yield unpack_claim(data, name)


def _unmet(claims: list[SignedClaim], noted: Mapping[str, Head]) -> Iterator[ArchiverError]:
    """Of claims that something has noted and that are not there, the last."""
    heads = {one.head for one in claims}
    missing = sorted((head.sequence, where) for where, head in noted.items() if head not in heads)
    if missing:
        number, where = missing[-1]
        how = "is missing" if number > len(claims) else "is another one"
        yield IntegrityError(f"{claim_name(number)} {how}, which {where} has noted", _SYNC_HINT)
