"""The stores beside the first: what an archive goes to once it is sealed, and what must have it before the
spool is emptied."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from archiver.archive.manifest import MAX_BYTES, Manifest, token_name
from archiver.chain import document_sha256
from archiver.errors import ArchiverError, IntegrityError, StoreError, repair_hint
from archiver.formats import age
from archiver.stores.named import NamedStore
from archiver.sync.additions import KINDS, copy_additions
from archiver.sync.filling import CheckStore, Filled, Filler, Progress
from archiver.sync.holding import Holding, Sealed, about_store, open_holdings
from archiver.sync.stamping import Stamper
from archiver.sync.survey import agree, survey
from archiver.vault import Archive, Vault


@dataclass(frozen=True)
class Others:
    """What the settings call the first store, which is sealed into, and the stores after it; how one that
    holds no vault yet is proven (`archiver.stores.checks`)."""

    first_name: str = "vault"
    stores: Sequence[NamedStore] = ()
    check_store: CheckStore = lambda store: ()


class Copies:
    """The first store and the others during one sealing. One of the others that fails is left out from
    then on; that counts when `fill` says which stores have everything."""

    def __init__(self, vault: Vault, others: Others, progress: Progress, stamper: Stamper) -> None:
        self.vault = vault
        self.others = others
        self.progress = progress
        self.stamper = stamper
        first = NamedStore(others.first_name, True, lambda: vault.store)
        # Alone, the first store needs no second look at its description.
        self.first, *self.holdings = (
            open_holdings([first, *others.stores]) if others.stores else [Holding(first, vault.store)]
        )

    def delete_partial(self) -> None:
        """Remove what killed writers left in all of them."""
        self.vault.store.delete_partial()
        self._each(lambda holding: holding.store.delete_partial())

    def survey(self) -> None:
        """See what the others have. Raise IntegrityError where sealing now would make two chains: where the
        first store lacks an archive that another has, or a required one holds another vault or chain."""
        if not self.holdings:
            return
        survey([self.first, *self.holdings])
        if self.first.error is not None:
            raise self.first.error
        for holding in self.usable:
            try:
                chain = agree([self.first, holding])
            except IntegrityError as error:
                if holding.named.required:
                    raise
                holding.error = error  # which names the store
                continue
            for sealed in chain:
                if sealed.archive not in self.first.sealed:
                    raise IntegrityError(
                        f"store {self.first.named.name} ({self.first.store.location}) lacks archive"
                        f" {sealed.archive}, which store {holding.named.name} has",
                        "bring it back first: archiver sync",
                    )

    def begun_archives(self) -> set[str]:
        """The names that no new archive may have."""
        begun = self.vault.store.begun_archives()
        self._each(lambda holding: begun.update(holding.store.begun_archives()))
        return begun

    def discard_unfinished(self, archive: str) -> None:
        """Remove what a killed sealing left, wherever it was the first store."""
        self.vault.store.discard_unfinished(archive)
        folder = f"archives/{archive}/"

        def discard(holding: Holding) -> None:
            if any(name.startswith(folder) for name in holding.names):
                with suppress(IntegrityError):  # a manifest is there, of somebody else's: the name is taken
                    holding.store.discard_unfinished(archive)
                holding.names = {name for name in holding.names if not name.startswith(folder)}

        self._each(discard)

    def add(self, manifest: Manifest, data: bytes, signature: bytes, token: bytes | None) -> None:
        """The first store has one archive more, perhaps with a time stamp."""
        self.first.note(Sealed(manifest.archive, data, signature, manifest))
        if token is not None:
            self.first.names.add(token_name(manifest.archive))

    def bring_tokens(self, archives: Sequence[Archive]) -> None:
        """A time stamp for each archive of the first store of which no store has one: no authority answered
        when it was sealed, or none was set."""
        if not self.stamper.authorities:
            return
        if not self.holdings:
            self.first.names = set(self.vault.store.list("archives/"))
        known = set(self.first.names).union(*(one.names for one in self.usable))
        waiting = [one for one in archives if token_name(one.name) not in known]
        for number, archive in enumerate(waiting):
            self.progress(f"time stamp of {archive.name}", number, len(waiting))
            if self.stamper.bring(archive.name, self._read_manifest(archive), self.vault.store):
                self.first.names.add(token_name(archive.name))

    def _read_manifest(self, archive: Archive) -> bytes:
        name = f"archives/{archive.name}/manifest.json"
        data = self.vault.store.read(name, MAX_BYTES)
        if document_sha256(data) != archive.head.sha256:
            raise IntegrityError(f"{name} was altered a moment ago", repair_hint(archive.name))
        return data

    def fill(
        self, identities: Mapping[str, age.Identity] | None = None, *, thorough: bool = False
    ) -> tuple[Filled, ...]:
        """Give the others all that they lack, oldest archive first, then what is added beside the archives;
        what became of each. `thorough`: what is there already is looked at, too."""
        chain = sorted(self.first.sealed.values(), key=lambda sealed: sealed.manifest.sequence)
        filler = Filler(
            [self.first, *self.holdings],
            chain,
            self.others.check_store,
            identities=identities,
            thorough=thorough,
            authorities=self.stamper.authorities,
            progress=self.progress,
        )
        filled = filler.fill_all(self.holdings)
        copy_additions([self.first, *self.holdings], list(zip(self.holdings, filled, strict=True)), KINDS)
        return tuple(filled)

    @property
    def usable(self) -> list[Holding]:
        """The others that can be reached and hold the same vault."""
        return [holding for holding in self.holdings if holding.usable]

    def _each(self, act: Callable[[Holding], object]) -> None:
        """Do something in each of the others that can be reached; one that fails counts as away."""
        for holding in self.usable:
            try:
                act(holding)
            except IntegrityError:
                raise
            except ArchiverError as error:
                holding.error = about_store(holding.named, error)


def require_copies(archive: str, filled: Sequence[Filled]) -> None:
    """Raise, before the spool is emptied, where a required store has not got the archive whole:
    IntegrityError where what it holds is in the way, else StoreError."""
    for one in filled:
        if one.required and archive in one.lacking:
            error = one.all_problems[0] if one.all_problems else StoreError(f"store {one.name} lacks it")
            kind = IntegrityError if isinstance(error, IntegrityError) else StoreError
            message = f"archive {archive} is not in every required store: {error.message}"
            raise kind(message, _then(error.hint))


def _then(hint: str | None) -> str:
    kept = "the spool is kept, and the next run completes it"
    return kept if hint is None else f"{hint}; {kept}"
