"""Something done within a bounded time, whatever hangs in it: a share that is away, a server that drips, a
program that waits for ever.

It is done in a process of its own, which is killed with all that it has started once the time is over. A
thread could not be.
"""

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress

_READ_BYTES = 65_536
_REAP_SECONDS = 1.0
"""A process that the kernel holds, as in a share that is away, cannot be waited for: it ends when it can."""


class TooLateError(Exception):
    """It did not end in time."""


def bounded(act: Callable[[], bytes], seconds: float) -> bytes:
    """What `act` returns, which it must not raise from. Raise TooLateError where it takes longer."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        _do(act, reading, writing)
    os.close(writing)
    try:
        return _read_all(reading, time.monotonic() + seconds)
    finally:
        os.close(reading)
        _end(process)


def _do(act: Callable[[], bytes], reading: int, writing: int) -> None:
    """The other process: it never returns, so that nothing of ours is done twice."""
    code = 1
    try:
        os.setsid()  # no terminal to ask on, and a group to be killed by
        os.close(reading)
        data = act()
        while data:
            data = data[os.write(writing, data) :]
        code = 0
    finally:
        os._exit(code)


def _read_all(reading: int, until: float) -> bytes:
    data = b""
    while True:
        left = until - time.monotonic()
        if left <= 0 or not select.select([reading], [], [], left)[0]:
            raise TooLateError
        piece = os.read(reading, _READ_BYTES)
        if not piece:
            return data
        data += piece


def _end(process: int) -> None:
    """Kill what is left of it, and let the kernel forget it."""
    for kill in (os.killpg, os.kill):  # of the two the second where it had no group yet
        with suppress(ProcessLookupError, PermissionError):
            kill(process, signal.SIGKILL)
    until = time.monotonic() + _REAP_SECONDS
    with suppress(ChildProcessError):
        while os.waitpid(process, os.WNOHANG)[0] == 0 and time.monotonic() < until:
            time.sleep(0.005)
