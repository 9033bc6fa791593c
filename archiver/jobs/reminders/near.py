"""The archives of a store that is at hand, for what is told by their manifests alone."""

from archiver.errors import ArchiverError
from archiver.jobs.base import JobContext
from archiver.settings.stores import LocalStoreSettings
from archiver.vault import Archive, Vault
from archiver.wiring.stores import named_stores


def near_archives(context: JobContext) -> tuple[Archive, ...]:
    """Those that can still be read, oldest first, as the first folder has them that can be looked at; none
    where no store is one, or none has any. What is wrong with a store the checks tell."""
    near = {one.name for one in context.settings.stores if isinstance(one, LocalStoreSettings)}
    for store in named_stores(context.settings):
        if store.name not in near:
            continue
        try:
            archives = Vault(store.open()).list_archives().readable
        except ArchiverError:
            continue
        if archives:
            return archives
    return ()
