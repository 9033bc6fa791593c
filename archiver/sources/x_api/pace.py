"""X's rate limits, shared by all accounts that ask with one token, and how long one kind may wait.

X API v2, "Rate limits": so many requests in a window of 15 minutes for each path, told by the headers
`x-rate-limit-remaining` and `x-rate-limit-reset`, the latter in seconds by X's clock.
"""

import threading
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

from archiver.sources.x_api.errors import LateError
from archiver.times import Clock

Sleep = Callable[[float], None]
"""Waits for so many seconds."""
Stopped = Callable[[], bool]
Random = Callable[[], float]
"""A number from 0 up to 1."""
FIRST_BACKOFF_SECONDS = 2.0
LONGEST_BACKOFF_SECONDS = 120.0
NEXT_RUN = "the next run goes on from there; x_api.max_wait_seconds says how long a run may wait"


class Patience:
    """How long one kind of one account may wait in all."""

    def __init__(
        self, most_seconds: float, sleep: Sleep, random: Random, stopped: Stopped = lambda: False
    ) -> None:
        """`stopped`: whether the run is to end, so that nobody waits who is no longer waited for."""
        self._left = most_seconds
        self._sleep = sleep
        self._random = random
        self._stopped = stopped

    def wait(self, seconds: float, why: str) -> None:
        """Wait, or raise LateError where that is longer than is left."""
        if seconds <= 0:
            return
        if seconds > self._left:
            raise LateError(
                f"{why}, for {seconds:,.0f} seconds, which is longer than a run may wait", NEXT_RUN
            )
        self._left -= seconds
        self._sleep(seconds)
        if self._stopped():
            raise LateError("the run was stopped while it waited", NEXT_RUN)

    def back_off(self, attempt: int, why: str) -> None:
        """Wait longer each time, by chance between half of it and all, so that many do not come back at
        once. `attempt` counts from 0."""
        most = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**attempt)
        self.wait(most * (0.5 + self._random() / 2), why)


class _Window:
    """One path's limit as last told."""

    remaining = 1
    reset_ms = 0


class Pace:
    """The limits of one token. Used by several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}
        self.skew_ms: int | None = None
        """X's clock less ours, by the header `date`, which has whole seconds."""

    def before(self, path: str, patience: Patience) -> None:
        """Wait until the path's limit leaves room for one more request, and take it."""
        while True:
            with self._lock:
                window = self._windows.setdefault(path, _Window())
                wait_ms = window.reset_ms - self._now_there()
                if window.remaining > 0 or wait_ms <= 0:
                    window.remaining -= 1
                    return
            patience.wait(wait_ms / 1000 + 1, "X's rate limit is reached")

    def after(self, path: str, headers: Mapping[str, str]) -> None:
        """Note what an answer's headers say."""
        reset, remaining = (
            _number(headers.get("x-rate-limit-reset")),
            _number(headers.get("x-rate-limit-remaining")),
        )
        with self._lock:
            self._note_clock(headers.get("date"))
            window = self._windows.setdefault(path, _Window())
            if reset is None or remaining is None:
                window.remaining, window.reset_ms = 1, 0
            elif reset * 1000 > window.reset_ms:
                window.remaining, window.reset_ms = remaining, reset * 1000
            else:  # other requests under way may have been counted since
                window.remaining = min(window.remaining, remaining)

    def refused(self, path: str, headers: Mapping[str, str]) -> int | None:
        """Note a 429; how many seconds until the limit ends, None where X does not say."""
        reset = _number(headers.get("x-rate-limit-reset"))
        with self._lock:
            self._note_clock(headers.get("date"))
            window = self._windows.setdefault(path, _Window())
            if reset is None:
                return None
            window.remaining, window.reset_ms = 0, reset * 1000
            return max(0, window.reset_ms - self._now_there()) // 1000

    def note_clock(self, headers: Mapping[str, str]) -> None:
        """Compare X's clock with ours, by any answer."""
        with self._lock:
            self._note_clock(headers.get("date"))

    def _now_there(self) -> int:
        return self._clock() + (self.skew_ms or 0)

    def _note_clock(self, date: str | None) -> None:
        try:
            there = parsedate_to_datetime(date or "").timestamp() * 1000
        except (ValueError, TypeError, OverflowError):
            return
        self.skew_ms = round(there) - self._clock()


def _number(text: str | None) -> int | None:
    """A header's whole number; a time past the year 2100 is none."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 10:
        return None
    number = int(text)
    return number if number < 4_102_444_800 else None
