"""A keyholder's last entries, kept on the host that wrote them: so that a store which had not got them yet is
given them when the one that has is away. They are sealed as in the store, and may be deleted at any time."""

from contextlib import suppress
from pathlib import Path

from archiver import disk
from archiver.audit.bundle import MAXIMUM_BYTES
from archiver.audit.ends import look_at
from archiver.audit.following import unpack_entry
from archiver.audit.names import entry_name
from archiver.audit.writing import ChainWriter, Made
from archiver.chain import Head
from archiver.errors import ArchiverError
from archiver.stores.base import ExistsInStoreError, Store

MOST_KEPT = 500


class KeptEntries:
    """The entries of one chain in a folder, each vault's in one of its own."""

    def __init__(self, folder: Path, writer: ChainWriter) -> None:
        self._folder = folder / (writer.vault or "unknown")
        self._chain = writer.chain

    def keep(self, made: Made) -> None:
        """Keep an entry that a store has, and let go of one long ago. Not synced: it is a copy. What the disk
        does not take is not kept."""
        with suppress(OSError, ArchiverError):
            disk.make_directories(self._folder, 0o700)
            self._path(made.head.sequence).write_bytes(made.data)
            self._path(made.head.sequence - MOST_KEPT).unlink(missing_ok=True)

    def fill(self, store: Store, head: Head) -> None:
        """Give a store the entries up to `head` that it lacks, oldest first, as far back as they are kept in
        one row; nothing where they do not reach to what it has."""
        waiting: list[bytes] = []
        sequence, sha256 = head.sequence, head.sha256
        while sequence:
            if look_at(store, self._chain, sequence) is not None:
                break
            data = self._read(sequence)
            if data is None:
                return
            entry = unpack_entry(data, entry_name(self._chain, sequence))
            if entry.head.sha256 != sha256:
                return
            waiting.append(data)
            sequence, sha256 = sequence - 1, entry.link.previous or ""
        for number, data in enumerate(reversed(waiting), start=sequence + 1):
            with suppress(ExistsInStoreError):
                store.append(entry_name(self._chain, number), data)

    def _read(self, sequence: int) -> bytes | None:
        try:
            with self._path(sequence).open("rb") as file:
                return file.read(MAXIMUM_BYTES + 1)
        except OSError:
            return None

    def _path(self, sequence: int) -> Path:
        return self._folder / f"{sequence:08d}.tar"
