"""The last entries that this host wrote, kept when a store has them: so that another store is given them
while that one is away, or it itself where it was lost. They are sealed as in the store, and may be
deleted."""

import os
from contextlib import suppress
from pathlib import Path

from archiver import disk
from archiver.audit.bundle import MAXIMUM_BYTES
from archiver.audit.ends import look_at
from archiver.audit.following import unpack_entry
from archiver.audit.names import entry_name, stem_of
from archiver.chain import Head
from archiver.errors import ArchiverError
from archiver.stores.base import ExistsInStoreError, Store

MOST_KEPT = 500


class KeptEntries:
    """The entries of one chain in a folder of its own."""

    def __init__(self, folder: Path, chain: str) -> None:
        self._folder = folder
        self._chain = chain

    def keep(self, sequence: int, data: bytes) -> None:
        """Keep an entry that a store has, and let go of one long ago. Not synced: it is a copy. What the disk
        does not take is not kept."""
        with suppress(OSError, ArchiverError):
            disk.make_directories(self._folder, 0o700)
            descriptor = os.open(self._path(sequence), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            self._path(sequence - MOST_KEPT).unlink(missing_ok=True)

    def fill(self, store: Store, head: Head) -> int:
        """Give a store the entries up to `head` that it lacks, oldest first, as far back as they are kept in
        one row; none where they do not reach to what it has. Return how many."""
        waiting: list[bytes] = []
        sequence, sha256 = head.sequence, head.sha256
        while sequence and look_at(store, self._chain, sequence) is None:
            data = self._read(sequence)
            if data is None:
                return 0
            entry = unpack_entry(data, entry_name(self._chain, sequence))
            if entry.head.sha256 != sha256:
                return 0
            waiting.append(data)
            sequence, sha256 = sequence - 1, entry.link.previous or ""
        for number, data in enumerate(reversed(waiting), start=sequence + 1):
            with suppress(ExistsInStoreError):
                store.append(entry_name(self._chain, number), data)
        return len(waiting)

    def _read(self, sequence: int) -> bytes | None:
        try:
            with self._path(sequence).open("rb") as file:
                return file.read(MAXIMUM_BYTES + 1)
        except OSError:
            return None

    def _path(self, sequence: int) -> Path:
        return self._folder / f"{stem_of(max(sequence, 0))}.tar"
