"""The stores as the settings name them, and what became of opening them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from archiver.errors import ArchiverError, IntegrityError, NoVaultError
from archiver.stores.base import Store, outcome
from archiver.stores.checks import is_same_place


@dataclass(frozen=True)
class NamedStore:
    """One of the stores that hold the vault, not opened yet: `open` raises NoVaultError or StoreError where
    it cannot be reached. A `required` one must have an archive before the spool is emptied."""

    name: str
    required: bool
    open: Callable[[], Store]


@dataclass(frozen=True)
class OpenedStore:
    """The same, opened: the store that was `found`, or why it cannot be used."""

    name: str
    required: bool
    found: Store | ArchiverError

    @property
    def error(self) -> ArchiverError | None:
        return self.found if isinstance(self.found, ArchiverError) else None

    @property
    def store(self) -> Store:
        """The open store; raise why it is not."""
        if isinstance(self.found, ArchiverError):
            raise self.found
        return self.found


def open_named(one: NamedStore) -> OpenedStore:
    """Open a store. A folder that is not there is taken for a share that is not mounted."""
    found = outcome(one.open)
    if isinstance(found, NoVaultError):
        hint = f"mount it; where it is a new place for the vault: mkdir it, then: {sync_command(one.name)}"
        found = NoVaultError(found.message, hint)
    return OpenedStore(one.name, one.required, found)


def open_all(stores: Iterable[NamedStore]) -> list[OpenedStore]:
    """Open every store, in order. One that is the folder of one before it, under another name, is no copy
    and cannot be used."""
    opened: list[OpenedStore] = []
    for named in stores:
        one = open_named(named)
        twin = next((other for other in opened if _is_same(one, other)), None)
        if twin is not None:
            text = f"{one.store.location} is the folder of store {twin.name}: that is no copy"
            error = IntegrityError(text, "name a place of its own in the settings")
            one = OpenedStore(one.name, one.required, error)
        opened.append(one)
    return opened


def _is_same(one: OpenedStore, other: OpenedStore) -> bool:
    return one.error is None and other.error is None and is_same_place(one.store, other.store)


def sync_command(name: str) -> str:
    """What gives this store all that it lacks."""
    return f"archiver sync --store {name}"
