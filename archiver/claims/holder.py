"""Whether this host holds the vault: what is looked at before anything is collected or sealed, and how the
vault is claimed."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from archiver import __version__
from archiver.chain import Head
from archiver.claims.claim import (
    FOLDER,
    MAXIMUM_BYTES,
    SignedClaim,
    claim_name,
    follow_claims,
    next_claim,
    parse_claim_name,
    sign_claim,
    unpack_claim,
)
from archiver.errors import ArchiverError, ConfigurationError, IntegrityError, LockedError
from archiver.formats import FormatError
from archiver.formats.ssh_signature import AllowedSigners, SigningKey
from archiver.state import HeldClaim
from archiver.stores.base import ExistsInStoreError, Store
from archiver.stores.checks import MEND_HINT, find_vault_id
from archiver.times import Clock

_SIGNERS = "allowed_signers"
_MAXIMUM_SIGNERS_BYTES = 1 << 20
TAKE_OVER = "archiver schedule take-over --reason TEXT"
_TRIES = 3
"""How often the next number is tried for, where others take one meanwhile."""


@dataclass(frozen=True)
class Claimant:
    """Who would hold the vault: this host by its name, with its signing key."""

    host: str
    key: SigningKey = field(repr=False)

    def holds(self, claim: SignedClaim) -> bool:
        return (claim.claim.host, claim.claim.key) == (self.host, self.key.fingerprint())

    def remembered(self, held: HeldClaim | None) -> Head | None:
        """Of a claim that is remembered here its head, where it is this host's."""
        is_own = held is not None and (held.host, held.key) == (self.host, self.key.fingerprint())
        return held.head if held is not None and is_own else None

    def to_remember(self, head: Head) -> HeldClaim:
        return HeldClaim(head, self.host, self.key.fingerprint())


def load_claims(store: Store, vault: str, allowed: AllowedSigners) -> list[SignedClaim]:
    """Every claim in a store, each found right, in order. Raise IntegrityError at the first that is not.
    Asks a store far away for a list and, together, for what is in it."""
    numbers = sorted(number for name in store.list(FOLDER) if (number := parse_claim_name(name)))
    names = [claim_name(number) for number in numbers]
    found = store.read_many(dict.fromkeys(names, MAXIMUM_BYTES))
    return list(follow_claims((_unpacked(name, found[name]) for name in names), allowed, vault))


def _unpacked(name: str, data: bytes | ArchiverError) -> SignedClaim:
    if isinstance(data, ArchiverError):
        raise data
    return unpack_claim(data, name)


def load_signers(store: Store) -> AllowedSigners:
    """Who may sign in the vault that a store holds. Raise IntegrityError where the list is none."""
    try:
        return AllowedSigners.parse(store.read(_SIGNERS, _MAXIMUM_SIGNERS_BYTES).decode("utf-8", "replace"))
    except FormatError as error:
        raise IntegrityError(f"{_SIGNERS}: {error}", MEND_HINT) from error


def look_for_holder(store: Store, claimant: Claimant, known: Head | None) -> Head | None:
    """Raise LockedError where another host has claimed the vault in a store; else the head of this host's
    claim, None where nobody has made one. `known`: the head of this host's last claim, as it remembers it;
    with it a store is asked for one file, and otherwise for three or more."""
    if known is not None and store.look(claim_name(known.sequence + 1), MAXIMUM_BYTES) is None:
        return known
    vault = find_vault_id(store)
    if vault is None:
        return known
    return require_holder(store, vault, load_signers(store), claimant, None)


def require_holder(
    store: Store, vault: str, allowed: AllowedSigners, claimant: Claimant, known: Head | None
) -> Head | None:
    """As `look_for_holder`, with every claim read. Raise IntegrityError, too, where the claim that this host
    remembers is not there."""
    claims = load_claims(store, vault, allowed)
    if known is not None and known not in (one.head for one in claims):
        raise IntegrityError(
            f"{claim_name(known.sequence)}, by which this host held the vault, is not in {store.location}",
            f"bring it from another store: archiver sync; if none has it: {TAKE_OVER}",
        )
    if not claims:
        return None
    if not claimant.holds(claims[-1]):
        raise held_by(claims[-1], claimant, store)
    return claims[-1].head


def held_by(claim: SignedClaim, claimant: Claimant, store: Store) -> LockedError:
    """The error for a vault that another host holds, or this one with another key."""
    said = claim.claim
    if said.host == claimant.host:
        return LockedError(
            f"the vault in {store.location} is kept by {said.host} with the signing key {said.key} since"
            f" {said.at}; the key here is {claimant.key.fingerprint()}",
            f"bring that key back, or, if it was exchanged for this one: {TAKE_OVER}",
        )
    return LockedError(
        f"the vault in {store.location} is kept by the host {said.host} since {said.at}, and this is"
        f" {claimant.host}",
        "one host collects into a vault; if that one is to stop, seal there, stop it, and type here:"
        f" {TAKE_OVER}. If this is that host under another name: collector.host in the settings",
    )


def claim_vault(
    store: Store,
    vault: str,
    allowed: AllowedSigners,
    claimant: Claimant,
    clock: Clock,
    *,
    reason: str | None = None,
) -> Head:
    """Make this host the holder, after whoever was: without a `reason` only where nobody was. Of two that do
    so at once one wins, and the other meets LockedError. Raise ConfigurationError, making nothing, where this
    host's key may not sign here."""
    for _ in range(_TRIES):
        claims = load_claims(store, vault, allowed)
        if claims and claimant.holds(claims[-1]):
            return claims[-1].head
        if claims and reason is None:
            raise held_by(claims[-1], claimant, store)
        _append(store, vault, allowed, claimant, clock(), claims, reason)
    raise LockedError(
        f"others claim the vault in {store.location} all the time", "see who that is, then again"
    )


def _append(
    store: Store,
    vault: str,
    allowed: AllowedSigners,
    claimant: Claimant,
    now_ms: int,
    before: Sequence[SignedClaim],
    reason: str | None,
) -> None:
    """Put the next claim into a store, unless another takes its number first."""
    claim = next_claim(
        before[-1] if before else None,
        vault=vault,
        host=claimant.host,
        key=claimant.key.fingerprint(),
        now_ms=now_ms,
        reason=reason,
        tool=f"archiver {__version__}",
    )
    name, data = claim_name(claim.sequence), sign_claim(claim, claimant.key)
    try:
        list(follow_claims([*before, unpack_claim(data, name)], allowed, vault))
    except IntegrityError as error:
        raise ConfigurationError(
            f"the key here, {claimant.key.fingerprint()}, may not sign in this vault: {error.message}",
            f"bring the key of the host before, or add this one to {_SIGNERS} in every store",
        ) from error
    with suppress(ExistsInStoreError):
        store.append(name, data)
