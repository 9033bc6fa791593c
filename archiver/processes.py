"""Which process holds what it has put its number into: the number alone is given to another one day, and in
containers the same is given again and again."""

import os
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_BOOT = _PROC / "sys" / "kernel" / "random" / "boot_id"
_START = 19
"""Of the words behind the name in /proc/PID/stat: when it was started, in ticks since the boot (proc(5))."""
MOST_BYTES = 128
"""Of what `own_mark` makes."""


def own_mark() -> str:
    """This process, as it is put into a file: its number, and on a line of its own what no other with that
    number has. Two reads from /proc: 50 microseconds."""
    return f"{os.getpid()}\n{_told_apart_by(os.getpid())}\n"


def holder_in(path: Path) -> int | None:
    """The process that has put its mark into a file, if it is still there. Of a mark that is no more than a
    number, as earlier versions wrote it, any process of that number is it."""
    with suppress(OSError, ValueError):
        number, *rest = path.read_bytes()[:MOST_BYTES].split()
        holder = int(number)
        if not (_PROC / str(holder)).is_dir():
            return None
        known = _told_apart_by(holder)
        noted = rest[0].decode("ascii", "replace") if rest else ""
        return holder if known in ("", noted) or not noted else None
    return None


def _told_apart_by(number: int) -> str:
    """The boot and when the process was started in it, by no clock that anybody sets; empty where that
    cannot be read."""
    with suppress(OSError, IndexError):
        boot = _BOOT.read_text("ascii", "replace").strip()
        words = (_PROC / str(number) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return f"{boot}.{words[_START]}"
    return ""
