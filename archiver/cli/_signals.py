"""What asks a run to end: Ctrl-C, `systemctl stop`, a shutdown, a terminal that is closed.

The first one unwinds the program, as Ctrl-C does in Python: every `with` is left, so that what was captured
is committed, unfinished files go, and the lock is free. What does not come to an end in time, as it waits for
a server, is left as it is: nothing is lost by that, as a kill at any instant loses nothing.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

GRACE_SECONDS = 5.0
"""How long unwinding may take. Whoever stops a program waits at least ten seconds before it kills."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InterruptedRunError(KeyboardInterrupt):
    """Raised in the main thread by the first of these signals. A KeyboardInterrupt, so that what cleans up
    after that cleans up after this."""


class Interruption:
    """What has asked this process to end, if anything has."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.on_give_up: Callable[[int], None] = lambda code: None
        """Called with the exit code, from another thread, where the program is left as it is."""
        self._pipe: tuple[int, int] | None = None

    @property
    def exit_code(self) -> int:
        """As shells count: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP."""
        return 128 + (self.number or signal.SIGINT)

    def install(self) -> None:
        """From now on these signals end this process as described; those that it was started to ignore, as by
        `nohup`, are ignored still. For a program, not for a library: it changes the whole process."""
        if self._pipe is not None:
            return
        self._pipe = os.pipe()
        os.set_blocking(self._pipe[1], False)
        threading.Thread(target=self._watch, args=(self._pipe[0],), daemon=True, name="signals").start()
        # The watcher hears of a signal at once, also while the main thread is in a long call into C, in which
        # Python runs no handler.
        signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        for number in _SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._handle)

    def finish(self) -> None:
        """All is done: a signal that comes while Python closes down must not change the exit code."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """Once: a second signal would unwind what unwinds."""
        if self.number is None:
            self.number = number
            raise InterruptedRunError

    def _watch(self, descriptor: int) -> None:
        numbers = b""
        while not set(numbers) & set(_SIGNALS):
            numbers = os.read(descriptor, 1)
        time.sleep(GRACE_SECONDS)
        self.number = self.number or numbers[0]
        # Nobody may read what is written now.
        threading.Thread(target=_exit_after_a_second, args=(self.exit_code,), daemon=True).start()
        try:
            self.on_give_up(self.exit_code)
            os.write(2, b"\narchiver: interrupted; what was under way is left as it is\n")
        finally:
            os._exit(self.exit_code)


def _exit_after_a_second(code: int) -> None:
    time.sleep(1)
    os._exit(code)


interruption = Interruption()
"""Of this process."""
