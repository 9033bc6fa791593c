"""Inflate one member in a second thread and hash it in a third, while the first decodes what came before.

Inflating and hashing release the interpreter's lock, but each call has to get it back at its end, which
takes up to 5 ms (`sys.getswitchinterval`) while another thread computes. So no thread makes more than two
calls for a block. Larger blocks than 1 MiB were slower: they fall out of the processor's cache.
"""

import hashlib
import queue
import threading
import zlib
from collections.abc import Callable, Generator
from typing import Final

from archiver.errors import ArchiverError
from archiver.sources.x_export.limits import MEBIBYTE
from archiver.sources.x_export.zip_file import Member, ZipArchive, check_crc

BLOCK_BYTES: Final = MEBIBYTE
WORTH_THREADS_BYTES: Final = 2 * BLOCK_BYTES
_Blocks = queue.Queue[bytes | ArchiverError | None]


class MemberBody:
    """The inflated bytes of one member, to be iterated once; afterwards their SHA-256 and size.

    At most five blocks of 1 MiB exist at a time. Raises as `ZipArchive.blocks` does."""

    def __init__(self, archive: ZipArchive, member: Member) -> None:
        self.size = 0
        self._member = member
        self._digest = hashlib.sha256()
        self._crc = 0
        self._source = archive.unchecked_blocks(member, BLOCK_BYTES)

    @property
    def sha256(self) -> str:
        """Of what was read so far; of the whole body after the last block."""
        return self._digest.hexdigest()

    def __iter__(self) -> Generator[bytes, None, None]:
        return self._read_ahead() if self._member.size > WORTH_THREADS_BYTES else self._read_here()

    def _read_here(self) -> Generator[bytes, None, None]:
        for block in self._source:
            self._hash(block)
            self.size += len(block)
            yield block
        check_crc(self._member, self._crc)

    def _read_ahead(self) -> Generator[bytes, None, None]:
        inflated: _Blocks = queue.Queue(1)
        to_hash: _Blocks = queue.Queue(1)
        stopped = threading.Event()
        inflating = _start(lambda: self._inflate(inflated, stopped))
        hashing = _start(lambda: self._hash_all(to_hash))
        try:
            while (block := inflated.get()) is not None:
                if isinstance(block, ArchiverError):
                    raise block
                to_hash.put(block)
                self.size += len(block)
                yield block
        finally:
            stopped.set()
            while inflating.is_alive():
                _drain(inflated)
                inflating.join(timeout=0.01)
            to_hash.put(None)
            hashing.join()
        check_crc(self._member, self._crc)

    def _inflate(self, inflated: _Blocks, stopped: threading.Event) -> None:
        end: ArchiverError | None = None
        try:
            for block in self._source:
                inflated.put(block)
                if stopped.is_set():
                    return
        except ArchiverError as error:
            end = error
        inflated.put(end)

    def _hash_all(self, to_hash: _Blocks) -> None:
        while isinstance(block := to_hash.get(), bytes):
            self._hash(block)

    def _hash(self, block: bytes) -> None:
        self._digest.update(block)
        self._crc = zlib.crc32(block, self._crc)


def _start(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, name="export", daemon=True)
    thread.start()
    return thread


def _drain(blocks: _Blocks) -> None:
    try:
        while True:
            blocks.get_nowait()
    except queue.Empty:
        return
