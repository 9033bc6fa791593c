"""Sending again what failed for a passing reason. It is done here alone: botocore's own retries, which are
off, wait a second in all, and a server that restarts is away for ten."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from archiver.stores.s3.refusals import FOREIGN, is_passing

Result = TypeVar("Result")
MOST_WAIT_SECONDS = 20.0


def wait_lengths(first_seconds: float, draw: Callable[[], float]) -> Iterator[float]:
    """How many seconds to wait before each further attempt: twice as long each time, 20 at most, and of that
    at random between half and whole, so that clients which failed together do not come back together.
    `draw` gives a number from 0 to 1."""
    whole = first_seconds
    while True:
        yield whole * (0.5 + draw() / 2)
        whole = min(2 * whole, MOST_WAIT_SECONDS)


def retried(
    act: Callable[[], Result], tries: int, waits: Iterator[float], wait: Callable[[float], bool]
) -> Result:
    """What an act returns, tried so often in all. `wait` lets seconds go by, and says whether to give up.
    Raise what the act raised last."""
    for _ in range(tries - 1):
        try:
            return act()
        except FOREIGN as error:
            if not is_passing(error) or wait(next(waits)):
                raise
    return act()
