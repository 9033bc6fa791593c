"""Runs `archiver` and kills the process, as `kill -9` does, just before its n-th step on the disk.

    python -m tests.faults.killed_run FOLDER N COMMAND…

A step is a file of FOLDER opened for writing, linked, renamed or removed, a folder made or removed, or a
commit of SQLite. Between two of them nothing else can be seen from outside but a growing partial file, so
that a kill before each is a kill anywhere. N is 0 for a run to the end, which says how many steps there
were. Pages, commits and packs are made small, so that a short export takes many steps. With
KILL_WORKERS=1 the steps are those of sealing's worker processes instead; with READ_APART=1 a process of
its own reads the export, as it does for a large one. With FAIL_INSTEAD=1 the n-th step fails as on a full
disk, and the process goes on.
"""

import errno
import os
import signal
import sys

import apsw

from archiver.cli import main
from archiver.collect import exports as collect
from archiver.inbox import exports
from archiver.seal import media

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_IN_FOLDER = {"os.link", "os.rename", "os.mkdir"}


class Steps:
    """Counts, and kills at the one it was told."""

    def __init__(self, folder: str, last: int) -> None:
        self.folder = folder
        self.last = last
        self.number = 0

    def count(self) -> None:
        self.number += 1
        if self.number != self.last:
            return
        if os.environ.get("FAIL_INSTEAD") == "1":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, arguments: tuple[object, ...]) -> None:
        """See "Audit events table" in Python's library reference."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING and str(path).startswith(self.folder):
                self.count()
        elif event in _IN_FOLDER:
            if self.folder in str(arguments[0]):
                self.count()
        elif event in ("os.remove", "os.rmdir"):  # in a tree being removed, names are relative
            self.count()

    def commit(self) -> bool:
        """SQLite's commit hook: the true answer makes the commit fail."""
        try:
            self.count()
        except OSError:
            return True
        return False

    def install(self) -> None:
        sys.addaudithook(self.audit)
        apsw.connection_hooks.append(lambda connection: connection.set_commit_hook(self.commit))


def _make_small() -> None:
    collect.PAGE_BYTES = 64 * 1024
    collect.WAITING_BYTES = 256 * 1024
    collect.COMMIT_PAGES = 8
    media.PACK_BYTES = 16 * 1024
    if os.environ.get("READ_APART") == "1":
        exports.APART_BYTES = 0


if __name__ == "__main__":
    steps = Steps(os.path.abspath(sys.argv[1]), int(sys.argv[2]))
    _make_small()
    if os.environ.get("KILL_WORKERS") != "1":
        steps.install()
    code = main(sys.argv[3:])
    print(f"steps {steps.number}", file=sys.stderr)
    sys.exit(code)
elif __name__ == "__mp_main__" and os.environ.get("KILL_WORKERS") == "1":
    Steps(os.path.abspath(sys.argv[1]), int(sys.argv[2])).install()
