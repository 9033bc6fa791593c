"""That this host, and no other, seals into the vault: looked at before anything is written, and once more
before the manifest is."""

from collections.abc import Sequence

from archiver.chain import Head
from archiver.claims.claim import FOLDER
from archiver.claims.holder import Claimant, claim_vault, require_holder
from archiver.errors import ArchiverError, IntegrityError
from archiver.state import State
from archiver.sync.holding import Holding
from archiver.times import Clock
from archiver.vault import Vault


class Keeper:
    """This host's claim on a vault. Without a `claimant` nobody claims anything, and `head` stays None."""

    def __init__(self, vault: Vault, state: State, claimant: Claimant | None) -> None:
        self.vault = vault
        self.state = state
        self.claimant = claimant
        self.head: Head | None = None
        self._allowed = vault.allowed_signers()

    def require(self) -> None:
        """Raise LockedError where another host has claimed the vault; IntegrityError where the claims are
        damaged, or that by which this host held it is gone."""
        if self.claimant is None:
            return
        # A host that never finished a sealing may have claimed a store that is gone for good.
        known = self.claimant.remembered(self.state.claim()) if self.state.head() else None
        self.head = require_holder(self.vault.store, self.vault.id, self._allowed, self.claimant, known)
        self._note(self.claimant, known)

    def claim(self, others: Sequence[Holding], clock: Clock) -> None:
        """Claim the vault where nobody has: one of before, or a new one. Raise IntegrityError where another
        store has claims that the first one lacks."""
        if self.claimant is None or self.head is not None:
            return
        for holding in others:
            _require_none(holding)
        store = self.vault.store
        self.head = claim_vault(store, self.vault.id, self._allowed, self.claimant, clock)
        self._note(self.claimant, None)

    def _note(self, claimant: Claimant, known: Head | None) -> None:
        if self.head is not None and self.head != known:
            with self.state.transaction():
                self.state.set_claim(claimant.to_remember(self.head))


def _require_none(holding: Holding) -> None:
    """Of a store that cannot be listed nothing is known; filling it says so."""
    try:
        name = next(iter(holding.store.list(FOLDER)), None)
    except ArchiverError:
        return
    if name is not None:
        raise IntegrityError(
            f"store {holding.named.name} ({holding.store.location}) has {name}, by which a host keeps this"
            " vault, and the first store has none",
            "bring it there first: archiver sync",
        )
