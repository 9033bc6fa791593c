"""A run that stands still at a moment that a test chooses, so that another meets it there each time."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.runner import start_process

WAIT_SECONDS = 30


@contextmanager
def standing_still(
    folder: Path, when: Callable[[], bool], *words: str | Path
) -> "Iterator[subprocess.Popen[str]]":
    """A run that is stopped (SIGSTOP) as soon as `when` holds, and goes on at the end; whoever uses it waits
    for it."""
    process = start_process("--config", folder, *words)
    deadline = time.monotonic() + WAIT_SECONDS
    while not when():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGSTOP)
    try:
        assert process.poll() is None
        yield process
    finally:
        os.kill(process.pid, signal.SIGCONT)


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for its end: its exit code and what it said on stderr."""
    _, errors = process.communicate(timeout=WAIT_SECONDS)
    return process.returncode, errors


def is_sealing(folder: Path) -> bool:
    return any((folder / "vault" / "archives").glob("*/*"))
