"""Memory: whether a sealing has what it takes."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from archiver.health.checkup import Check, Finding, Subject, ok, warning
from archiver.sizes import byte_size

NEEDED_BYTES = 500 * 1000 * 1000
"""At most, of a sealing with segments as large as they are by default (bench/RESULTS.md)."""
_AVAILABLE = re.compile(r"(?m)^MemAvailable: +([0-9]+) kB$")
_CGROUP = Path("/sys/fs/cgroup")


def checks(subject: Subject) -> list[Check]:
    return [Check("memory", _memory)]


def _memory() -> Iterator[Finding]:
    found = available_bytes(Path("/proc/meminfo"), _CGROUP)
    if found is None:
        yield ok("memory", "this system does not say how much there is")
    elif found < NEEDED_BYTES:
        said = f"{byte_size(found)} available; sealing takes up to {byte_size(NEEDED_BYTES)}"
        yield warning("memory", said, "give it more, or set a smaller seal.segment_mebibytes")
    else:
        yield ok("memory", f"{byte_size(found)} available")


def available_bytes(meminfo: Path, cgroup: Path) -> int | None:
    """What the kernel says (proc(5), `MemAvailable`), or what the group that this runs in has left (cgroup
    v2, `memory.max`, `memory.current`), whichever is less; None where neither is known."""
    found: list[int] = []
    with suppress(OSError, ValueError):
        match = _AVAILABLE.search(meminfo.read_text())
        found += [] if match is None else [int(match[1]) * 1024]
    with suppress(OSError, ValueError):  # "max" is no number: there is no limit
        limit = int((cgroup / "memory.max").read_text())
        found.append(max(0, limit - int((cgroup / "memory.current").read_text())))
    return min(found, default=None)
