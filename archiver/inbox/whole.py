"""Whether a file is whole, as far as can be told from outside: its ZIP directory is at its end, and nobody
has it open for writing."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from archiver.inbox.files import InboxFile

_END_BYTES = 22
_COMMENT_BYTES = 0xFFFF
_PROCESSES = Path("/proc")


def ends_as_zip(path: Path) -> bool:
    """Whether the end record of a ZIP's directory is where a whole one has it: at the end, with a comment of
    the stated length after it (APPNOTE.TXT 6.3.10, section 4.3.16), and the directory that it states lies
    before it. A file that cannot be read is not whole. Reads at most 64 KiB, and never waits on a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        size = os.fstat(descriptor).st_size
        start = max(0, size - _END_BYTES - _COMMENT_BYTES)
        tail = os.pread(descriptor, _END_BYTES + _COMMENT_BYTES, start)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return len(tail) == size - start and _has_end_record(tail, size)


def _has_end_record(tail: bytes, size: int) -> bool:
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        rest = len(tail) - at - _END_BYTES
        if rest >= 0 and int.from_bytes(tail[at + 20 : at + 22], "little") == rest:
            directory_bytes = int.from_bytes(tail[at + 12 : at + 16], "little")
            # 0xFFFFFFFF: the number is in ZIP64's own record, which lies before this one.
            return directory_bytes == 0xFFFF_FFFF or directory_bytes + len(tail) - at <= size
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return False


def find_writers(files: Sequence[InboxFile]) -> dict[str, int]:
    """Of these files, by key, those that a process has open for writing, and one such process's id. Only
    processes that may be looked at count: all for root, one's own otherwise. None where there is no /proc.

    Looking at 300 processes takes 10 ms."""
    wanted = {os.fsencode(one.path.name): one for one in files}
    found: dict[str, int] = {}
    if not wanted:
        return found
    for process, descriptor, name in _open_files():
        one = wanted.get(name)
        if one is not None and _writes(process, descriptor, one):
            found[one.key] = process
    return found


def _open_files() -> Iterator[tuple[int, str, bytes]]:
    """Process, descriptor and the last part of the file's name, of every open file that can be seen."""
    own = os.getpid()
    with suppress(OSError):
        for entry in os.scandir(_PROCESSES):
            if not entry.name.isdigit() or int(entry.name) == own:
                continue
            with suppress(OSError):  # it has ended, or is somebody else's
                for descriptor in os.listdir(f"{entry.path}/fd"):
                    with suppress(OSError):
                        target = os.readlink(os.fsencode(f"{entry.path}/fd/{descriptor}"))
                        yield int(entry.name), descriptor, target.rpartition(b"/")[2]


def _writes(process: int, descriptor: str, file: InboxFile) -> bool:
    """Whether a descriptor is of this very file, and open for writing (proc(5), `fdinfo`)."""
    place = f"{_PROCESSES}/{process}"
    with suppress(OSError, ValueError, IndexError):
        if os.stat(f"{place}/fd/{descriptor}").st_ino != file.inode:
            return False
        lines = Path(f"{place}/fdinfo/{descriptor}").read_text(encoding="ascii").splitlines()
        flags = next(int(line.split()[1], 8) for line in lines if line.startswith("flags:"))
        return bool(flags & (os.O_WRONLY | os.O_RDWR))
    return False
