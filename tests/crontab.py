"""A user's crontab for one test at a time, put back as it was afterwards."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archiver.disk import Lock
from tests.programs import require_program

WAIT_SECONDS = 300


class Crontab:
    """The crontab of whoever runs the tests."""

    def __init__(self, program: str) -> None:
        self.program = program

    def read(self) -> bytes | None:
        """What it says; None where there is none."""
        done = subprocess.run([self.program, "-l"], capture_output=True, check=False)
        return None if done.returncode else done.stdout

    def write(self, data: bytes | None) -> None:
        if data is not None:
            subprocess.run([self.program, "-"], input=data, check=True)
        elif self.read() is not None:
            subprocess.run([self.program, "-r"], check=True)


@contextmanager
def own_crontab() -> Iterator[Crontab]:
    """Skip where there is no cron. Other tests, and other checkouts, wait until it is put back."""
    crontab = Crontab(require_program("crontab"))
    with Lock(Path(tempfile.gettempdir(), "archiver-tests-crontab.lock"), wait_seconds=WAIT_SECONDS):
        before = crontab.read()
        try:
            yield crontab
        finally:
            crontab.write(before)
