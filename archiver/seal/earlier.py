"""A sealing that was cut off: finished where its archive exists, else dropped; and what must hold before the
spool is emptied."""

from collections.abc import Sequence

from archiver.archive.verify import check_whole
from archiver.copying import verify_copy
from archiver.errors import ArchiverError, StoreError
from archiver.seal.copies import Copies, require_copies
from archiver.spool import Spool
from archiver.state import Sealing, State
from archiver.stores.base import Store
from archiver.sync.filling import Filled
from archiver.times import parse_time
from archiver.vault import Archive

_WRITTEN = "sealing_written"
"""The state's note of the last sealing whose manifest was written, by its mark."""


def finish_earlier(
    spool: Spool, state: State, copies: Copies, archives: Sequence[Archive]
) -> tuple[Archive | None, tuple[Filled, ...] | None]:
    """After a kill: copy an archive that is sealed already and empty the spool of what it holds; or drop an
    unfinished archive. The archive, and what became of the other stores, where there was one.

    Nobody knows how long ago the kill was: all is read back again. Raise StoreError where the archive was
    sealed into a store that is away: made once more, it would begin a second chain."""
    sealing = state.sealing()
    if sealing is None:
        return None, None
    for archive in archives:
        if archive.manifest.mark == sealing.mark:
            require_files(copies.vault.store, archive)
            for file in archive.manifest.files:
                verify_copy(copies.vault.store, archive.name, file, noted=[])  # of a lock `verify` speaks
            filled = copies.fill(thorough=True)
            require_copies(archive.name, filled)
            empty_spool(spool, state, sealing, archive)
            return archive, filled
    if was_written(state, sealing):
        _require_nowhere_else(copies, sealing)
    if sealing.archive not in {archive.name for archive in archives}:  # else another collector took the name
        copies.discard_unfinished(sealing.archive)
    with state.transaction():
        state.set_sealing(None)
    return None, None


def note_written(state: State, sealing: Sealing) -> None:
    """From now on the archive exists in the first store, whatever becomes of that."""
    with state.transaction():
        state.set_note(_WRITTEN, sealing.mark)


def was_written(state: State, sealing: Sealing) -> bool:
    """Whether this sealing's archive existed once."""
    return state.note(_WRITTEN) == sealing.mark


def _require_nowhere_else(copies: Copies, sealing: Sealing) -> None:
    for holding in copies.holdings:
        if holding.error is not None:
            raise StoreError(
                f"archive {sealing.archive} was sealed into a store that is not the first any more, or was"
                f" emptied since, and may be in one that cannot be read: {holding.error.message}",
                "bring that store back and run archiver sync; if it is gone for good, take its table out of"
                " the settings; the spool is kept",
            )


def require_still_last(archives: Sequence[Archive], names: Sequence[str]) -> None:
    """Raise StoreError where somebody else sealed into the store meanwhile: two archives of one number would
    end the chain."""
    more = set(names) - {archive.name for archive in archives}
    if more:
        raise StoreError(
            f"archive {sorted(more)[0]} was sealed meanwhile by somebody else into the same store",
            "one collector at a time: nothing of this one was made to exist, the spool is kept; run it again",
        )


def require_files(store: Store, archive: Archive) -> None:
    """Raise IntegrityError unless the store says that it has every file in its size: once the manifest is
    there nobody removes one, but until then another collector's run may have taken it for left over."""
    said = store.inspect([archive.path(file) for file in archive.manifest.files])
    for file in archive.manifest.files:
        name = archive.path(file)
        found = said[name]
        if isinstance(found, ArchiverError):
            raise found
        check_whole(name, archive.name, file, found.size, found.sha256 or file.sha256)


def empty_spool(spool: Spool, state: State, sealing: Sealing, archive: Archive) -> None:
    """The archive is in every required store: forget what it holds."""
    with state.transaction():
        state.set_head(archive.head)
        if archive.manifest.replaces is None:  # one sealed anew is not what the period waits for
            state.set_sealed_ms(parse_time(archive.manifest.sealed_at))
    spool.empty(sealing.last_page, sealing.last_media, sealing.last_problem, sealing.last_gap)
    with state.transaction():
        state.set_sealing(None)
