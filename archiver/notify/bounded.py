"""What talks to servers takes so many seconds and no more, and is tried twice."""

from collections.abc import Callable
from threading import Thread
from time import sleep
from typing import Final, TypeVar

from archiver.notify.base import PassingError

Value = TypeVar("Value")
PAUSE_SECONDS: Final = 2.0
"""Before the second try."""


def within(seconds: float, act: Callable[[], Value]) -> Value:
    """What `act` returns or raises; raise TimeoutError when the time is up.

    It works in a thread of its own, which is left to itself then: a server that sends a byte at a time would
    hold a run for hours, each byte within the socket's timeout, and so would a name that is not found."""
    returned: list[Value] = []
    raised: list[BaseException] = []

    def work() -> None:
        try:
            returned.append(act())
        except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
            raised.append(error)

    thread = Thread(target=work, name="notice", daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if returned:
        return returned[0]
    raise TimeoutError


def tried_twice(act: Callable[[], None], pause_seconds: float) -> None:
    """Do it, and once more after a moment where that may help. Raise as `act` does the second time."""
    try:
        return act()
    except PassingError:
        pass  # what the second try raises is not raised while this is handled: it would lose its own context
    sleep(pause_seconds)
    return act()
