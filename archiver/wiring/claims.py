"""Settings to the claims by which one host keeps a vault."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from archiver.claims.claim import MOST_REASON, SignedClaim
from archiver.claims.holder import Claimant, claim_vault, load_claims, load_signers, look_for_holder
from archiver.errors import ArchiverError, NoVaultError, StoreError, UsageError
from archiver.formats.ssh_signature import SigningKey
from archiver.keys import load_signing_key
from archiver.seal.keeping import Keeper
from archiver.settings import Settings
from archiver.spool import Spool
from archiver.state import HeldClaim, State
from archiver.stores.base import Store
from archiver.stores.checks import find_vault_id
from archiver.sync.additions import CLAIMS, copy_additions
from archiver.sync.filling import Filled
from archiver.sync.holding import open_holdings
from archiver.times import Clock
from archiver.vault import Vault
from archiver.wiring.stores import first_store, named_stores


@dataclass(frozen=True)
class TakenOver:
    """The claim that counts now; the one before it, if any; whether it was made just now, and not held
    already; what was in the way of bringing it to the other stores."""

    claim: SignedClaim
    before: SignedClaim | None
    is_new: bool
    problems: Sequence[ArchiverError] = ()


def claimant_of(settings: Settings, key: SigningKey | None = None) -> Claimant:
    """Who would hold the vault from here. Raise ConfigurationError where the signing key cannot be read."""
    return Claimant(settings.host_name, load_signing_key(settings.signing_key) if key is None else key)


def require_holder(settings: Settings) -> None:
    """To be called before anything is collected or imported, and before the log says so: the log of a host
    that is refused must not grow beside the holder's. Raise LockedError where another host keeps the vault;
    IntegrityError where its claims are damaged. A store that cannot be reached is no reason not to collect:
    sealing looks again. Asks a store far away for one file, where this host has held the vault before. Needs
    no lock and writes nothing."""
    if not settings.spool_identity.exists():
        return  # no host that collects
    claimant = claimant_of(settings)
    try:
        look_for_holder(first_store(settings), claimant, claimant.remembered(_remembered(settings)))
    except (StoreError, NoVaultError):
        return


def _remembered(settings: Settings) -> HeldClaim | None:
    if not settings.state.exists():
        return None
    with closing(State(settings.state)) as state:
        return state.claim()


def hold_vault(settings: Settings, spool: Spool, state: State, vault: Vault, clock: Clock) -> None:
    """Before sealing, and before this host's log is put into the store, where it would stand beside that of
    the host that holds the vault: claim it where nobody has and there is anything to seal. Raise as
    `archiver.seal.keeping.Keeper`. Sealing looks once more."""
    keeper = Keeper(vault, state, claimant_of(settings))
    keeper.require()
    if keeper.head is None and not spool.is_empty():
        keeper.claim(open_holdings(named_stores(settings)), clock)


def take_over(settings: Settings, state: State, reason: str, clock: Clock) -> TakenOver:
    """Make this host the one that keeps the vault, in the first store and then in the others. Raise
    UsageError for a reason that is too long, and what stands in the way in the first store."""
    if len(reason) > MOST_REASON:
        raise UsageError(f"the reason has {len(reason)} letters", f"{MOST_REASON} at most")
    store = first_store(settings)
    vault = _require_vault(store)
    allowed, claimant = load_signers(store), claimant_of(settings)
    before = load_claims(store, vault, allowed)
    head = claim_vault(store, vault, allowed, claimant, clock, reason=reason)
    with state.transaction():
        state.set_claim(claimant.to_remember(head))
    now = load_claims(store, vault, allowed)
    claim = next(one for one in now if one.head == head)
    is_new = claim.head not in [one.head for one in before]
    return TakenOver(claim, before[-1] if before else None, is_new, _share(settings))


def _require_vault(store: Store) -> str:
    vault = find_vault_id(store)
    if vault is None:
        raise NoVaultError(f"there is no vault in {store.location}", "mount what belongs there")
    return vault


def _share(settings: Settings) -> Sequence[ArchiverError]:
    """Give the claims to every other store; what was in the way."""
    holdings = open_holdings(named_stores(settings))
    if len(holdings) < 2:
        return ()
    targets = [(one, Filled(one.named.name, one.named.required, error=one.error)) for one in holdings]
    problems = copy_additions(holdings, targets, (CLAIMS,))
    return [*(problem for _, filled in targets for problem in filled.all_problems), *problems]
