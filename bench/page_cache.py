"""Files taken out of the operating system's page cache, so that what reads them next is cold."""

import ctypes
import mmap
import os
from collections.abc import Iterable
from pathlib import Path

from bench.workplace import BenchError


def drop_from_cache(paths: Iterable[Path]) -> None:
    """Take the files' pages out of the page cache; raise BenchError where some stay."""
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())  # what is not written yet cannot be dropped
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if resident := resident_bytes(path):
            raise BenchError(
                f"{resident:,} bytes of {path.name} stay in the page cache: nothing would be cold"
            )


def resident_bytes(path: Path) -> int:
    """How much of a file is in the page cache, as mincore(2) says."""
    size = path.stat().st_size
    if size == 0:
        return 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
        pages = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
        first = ctypes.c_char.from_buffer(mapped)
        failed = ctypes.CDLL(None, use_errno=True).mincore(
            ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(size), pages
        )
        del first  # or the mapping could not be closed
    if failed:
        raise BenchError(f"mincore: {os.strerror(ctypes.get_errno())}")
    return sum(page & 1 for page in pages) * mmap.PAGESIZE
