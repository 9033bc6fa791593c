"""Writes a pack and kills the process, as `kill -9` does, just before its n-th step on the disk.

    python -m tests.faults.pack_writer PATH N [RECIPIENT]

A step is a file or folder opened for writing, made, linked, renamed or removed, or a piece written to a
file. N is 0 for a run to the end, which says how many steps there were."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from archiver import disk
from archiver.evidence.sink import new_pack
from archiver.formats.age import parse_recipient

MADE_MS = 1_793_500_000_000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_EVENTS = {"os.link", "os.rename", "os.mkdir", "os.remove", "os.rmdir"}
_steps = 0


def count() -> None:
    global _steps
    _steps += 1
    if _steps == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)


def audit(event: str, arguments: tuple[Any, ...]) -> None:
    """See "Audit events table" in Python's library reference."""
    if event in _EVENTS or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING):
        count()


class CountedFile(disk._NewFile):
    def write(self, data: Any, /) -> int:
        count()
        return super().write(data)


def main() -> None:
    disk._NewFile = CountedFile  # type: ignore[misc]  # to stop between two pieces of one file
    recipients = [parse_recipient(each) for each in sys.argv[3:]]
    sys.addaudithook(audit)
    with new_pack(Path(sys.argv[1]), MADE_MS, recipients) as sink:
        page = sink.open("data/report.html")
        for number in range(4):
            page.write(b"x" * 100_000)
            with sink.open(f"data/records/{number}.json") as file:
                file.write(b"{}")
            with sink.open(f"data/media/{number}.mp4", size=400_000) as file:
                file.write(os.urandom(200_000))
                file.write(bytes(200_000))
        page.close()
    print(_steps)


if __name__ == "__main__":
    main()
