"""The archives of a store that is at hand, for what is told by their manifests alone."""

from collections.abc import Iterator

from archiver.errors import ArchiverError
from archiver.jobs.base import JobContext
from archiver.settings.stores import LocalStoreSettings
from archiver.vault import Archive, ArchiveList, Vault
from archiver.wiring.stores import named_stores


def near_archives(context: JobContext) -> tuple[Archive, ...]:
    """Those that can still be read, oldest first, as the first folder has them that can be looked at; none
    where no store is one, or none has any. What is wrong with a store the checks tell."""
    return next((one.readable for one in _listed(context) if one.readable), ())


def is_nothing_left(context: JobContext) -> bool:
    """Whether such a folder has archives, and none has any that was not disposed of."""
    listed = list(_listed(context))
    return any(one.archives for one in listed) and not any(one.readable for one in listed)


def _listed(context: JobContext) -> Iterator[ArchiveList]:
    near = {one.name for one in context.settings.stores if isinstance(one, LocalStoreSettings)}
    for store in named_stores(context.settings):
        if store.name not in near:
            continue
        try:
            yield Vault(store.open()).list_archives()
        except ArchiverError:
            continue
