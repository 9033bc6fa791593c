"""Inflate and hash one member in a second thread while the first decodes what came before."""

import hashlib
import queue
import threading
from collections.abc import Generator
from typing import Final

from archiver.errors import ArchiverError
from archiver.sources.x_export.zip_file import BLOCK_BYTES, Member, ZipArchive

WAITING_BLOCKS: Final = 4
"""Blocks of at most 1 MiB inflated ahead of the reader."""


class MemberBody:
    """The inflated bytes of one member, to be iterated once; afterwards their SHA-256 and size.

    Inflating and hashing release the interpreter's lock, so they run beside the decoding."""

    def __init__(self, archive: ZipArchive, member: Member) -> None:
        self.size = 0
        self._digest = hashlib.sha256()
        self._source = archive.blocks(member)
        self._worth_a_thread = member.size > 2 * BLOCK_BYTES

    @property
    def sha256(self) -> str:
        """Of what was read so far; of the whole body after the last block."""
        return self._digest.hexdigest()

    def __iter__(self) -> Generator[bytes, None, None]:
        return self._read_ahead() if self._worth_a_thread else self._read_here()

    def _read_here(self) -> Generator[bytes, None, None]:
        for block in self._source:
            self._digest.update(block)
            self.size += len(block)
            yield block

    def _read_ahead(self) -> Generator[bytes, None, None]:
        waiting: queue.Queue[bytes | ArchiverError | None] = queue.Queue(WAITING_BLOCKS)
        stopped = threading.Event()
        thread = threading.Thread(target=self._fill, args=(waiting, stopped), name="inflate", daemon=True)
        thread.start()
        try:
            while (block := waiting.get()) is not None:
                if isinstance(block, ArchiverError):
                    raise block
                yield block
        finally:
            stopped.set()
            while thread.is_alive():
                _drain(waiting)
                thread.join(timeout=0.01)

    def _fill(self, waiting: "queue.Queue[bytes | ArchiverError | None]", stopped: threading.Event) -> None:
        end: ArchiverError | None = None
        try:
            for block in self._source:
                self._digest.update(block)
                self.size += len(block)
                waiting.put(block)
                if stopped.is_set():
                    return
        except ArchiverError as error:
            end = error
        waiting.put(end)


def _drain(waiting: "queue.Queue[bytes | ArchiverError | None]") -> None:
    try:
        while True:
            waiting.get_nowait()
    except queue.Empty:
        return
