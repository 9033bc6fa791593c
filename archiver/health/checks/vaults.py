"""The vault in a store at hand, for checks that need one."""

from functools import partial
from pathlib import Path

from archiver.errors import ArchiverError
from archiver.settings import Settings
from archiver.settings.stores import LocalStoreSettings
from archiver.stores.base import outcome
from archiver.stores.local import LocalStore
from archiver.vault import Vault


def near_vault(settings: Settings) -> Vault | None:
    """The vault in the first folder that holds one; None where none does. What is wrong with the stores
    themselves is told by their own check."""
    for store in settings.stores:
        if isinstance(store, LocalStoreSettings):
            vault = outcome(partial(_vault_in, store.path))
            if not isinstance(vault, ArchiverError):
                return vault
    return None


def _vault_in(folder: Path) -> Vault:
    return Vault(LocalStore(folder))
