"""A store as the settings name it."""

from collections.abc import Callable
from dataclasses import dataclass

from archiver.stores.base import Store


@dataclass(frozen=True)
class NamedStore:
    """One of the stores that hold the vault, not opened yet: `open` raises NoVaultError or StoreError where
    it cannot be reached. A `required` one must have an archive before the spool is emptied."""

    name: str
    required: bool
    open: Callable[[], Store]
