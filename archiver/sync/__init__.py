"""Every store with every archive and all that is added beside them: what one of them lacks is copied from
another. Needs no private key."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from archiver.chain import Head
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, UsageError
from archiver.settings.timestamps import AuthoritySettings
from archiver.stores.named import NamedStore
from archiver.sync.additions import KINDS, copy_additions
from archiver.sync.differing_keys import find_differing_keys
from archiver.sync.filling import CheckStore, Filled, Filler, Progress
from archiver.sync.holding import SIGNERS, Holding, Sealed, about_store, open_holdings
from archiver.sync.stamping import Stamper, Stamping, bring_tokens
from archiver.sync.survey import agree, survey

__all__ = ["Filled", "Stamping", "Synced", "sync_stores"]


@dataclass
class Synced:
    """What became of each store; how many archives there are; what is not the same in all of them."""

    stores: list[Filled]
    archives: int
    problems: list[ArchiverError] = field(default_factory=list)
    stamping: Stamping = field(default_factory=Stamping)

    @property
    def exit_code(self) -> int:
        """0 where every store has all; the worst error's where a required one could not be filled; 3 where
        an optional one could not, where a time stamp was not to be had, or where nothing worse is left."""
        required = [filled for filled in self.stores if filled.required]
        errors = [*self.problems, *(problem for filled in required for problem in filled.all_problems)]
        codes = {problem.exit_code for problem in errors}
        if self.stamping.lacking or any(filled.all_problems or filled.lacking for filled in self.stores):
            codes.add(IncompleteError.exit_code)
        return max(codes - {IncompleteError.exit_code}, default=max(codes, default=0))


def sync_stores(
    stores: Sequence[NamedStore],
    check_store: CheckStore,
    *,
    only: str | None = None,
    known_head: Head | None = None,
    clean: bool = False,
    authorities: Sequence[AuthoritySettings] = (),
    progress: Progress = lambda what, done, total: None,
) -> Synced:
    """Give every store, or `only` the one of that name, each archive that any of them has, and each file that
    is added beside the archives; and each archive that has no time stamp one by these `authorities`.

    Raise IntegrityError before anything is written where two hold different vaults or chains, or where
    an archive is missing in all of them; NoVaultError where none has a vault, UsageError where none has
    this name. What fails later is in the answer. `clean`: remove what killed writers left, which the
    caller's lock makes safe."""
    _require_named(stores, only)
    holdings = open_holdings(stores)
    survey(holdings)
    chain = agree(holdings)
    targets = [one for one in holdings if only in (None, one.named.name)]
    if clean:
        _delete_partial(targets)
    stamper = Stamper(authorities)
    bring_tokens(stamper, chain, holdings, targets)
    filler = Filler(holdings, chain, check_store, thorough=True, authorities=authorities, progress=progress)
    synced = Synced(filler.fill_all(targets), len(chain), stamping=stamper.result)
    filled = list(zip(targets, synced.stores, strict=True))
    synced.problems += copy_additions(holdings, filled, KINDS, compare=True)
    synced.problems += find_differing_keys(holdings, chain)
    synced.problems += _differing_signers(holdings)
    synced.problems += _cut_off(chain, known_head)
    return synced


def _require_named(stores: Sequence[NamedStore], only: str | None) -> None:
    names = [named.name for named in stores]
    if only is not None and only not in names:
        raise UsageError(f"there is no store {only}", f"the settings name: {', '.join(names)}")


def _delete_partial(targets: Sequence[Holding]) -> None:
    """Remove what killed writers left. A store that is lost by this is one that could not be filled."""
    for target in targets:
        if target.usable:
            try:
                target.store.delete_partial()
            except ArchiverError as error:
                target.failed = about_store(target.named, error)


def _differing_signers(holdings: Sequence[Holding]) -> list[ArchiverError]:
    known = [one for one in holdings if one.usable and one.signers is not None]
    return [
        IncompleteError(
            f"{SIGNERS} in store {one.named.name} is not that of store {known[0].named.name}",
            "sync never changes who may sign: compare the two, and put the right one there",
        )
        for one in known[1:]
        if one.signers != known[0].signers
    ]


def _cut_off(chain: Sequence[Sealed], known: Head | None) -> list[ArchiverError]:
    """What is wrong where the chain does not hold the head that is remembered elsewhere."""
    if known is None or len(chain) >= known.sequence:
        return []
    text = (
        f"number {known.sequence} was noted as written, but no store that can be reached has more than"
        f" {len(chain)}"
    )
    return [IntegrityError(text, "bring back a store that has the last ones, then: archiver sync")]
