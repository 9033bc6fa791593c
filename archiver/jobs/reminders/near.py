"""The archives as the first folder has them: stores far away are not asked for a reminder."""

from archiver.errors import ArchiverError
from archiver.settings import Settings
from archiver.settings_stores import LocalStoreSettings
from archiver.vault import Archive, Vault
from archiver.wiring_stores import named_stores


def near_archives(settings: Settings) -> tuple[Archive, ...]:
    """Oldest first; none where no store is at hand or has any. What is wrong with one the checks tell."""
    near = {one.name for one in settings.stores if isinstance(one, LocalStoreSettings)}
    for store in named_stores(settings):
        if store.name not in near:
            continue
        try:
            archives = Vault(store.open()).list_archives().archives
        except ArchiverError:
            continue
        if archives:
            return archives
    return ()
