"""Notices: whether anybody is told, and by which ways; and whether one gets there, if that is to be tried."""

from collections.abc import Iterator, Sequence
from functools import partial

from archiver.errors import ArchiverError
from archiver.health.checkup import Check, Finding, of_error, ok, warning
from archiver.notify.base import Notice, Notifier


def checks(ways: Sequence[Notifier], test: Notice | None = None) -> list[Check]:
    """`ways`: those of the settings. `test`: to be sent by each of them."""
    if not ways:
        return [Check("notices", _none)]
    if test is None:
        return [Check("notices", partial(_untried, ways))]
    return [Check(f"notice {way.name}", partial(_sent, way, test)) for way in ways]


def _none() -> Iterator[Finding]:
    yield warning(
        "notices",
        "nobody is told when a run fails or none comes",
        "name a way in the settings: [[notice]]; see docs/unattended.md",
    )


def _untried(ways: Sequence[Notifier]) -> Iterator[Finding]:
    names = ", ".join(way.name for way in ways)
    yield ok("notices", f"{len(ways)}: {names}; to see whether they arrive: archiver doctor --send-test")


def _sent(way: Notifier, test: Notice) -> Iterator[Finding]:
    what = f"notice {way.name}"
    try:
        way.send(test)
    except ArchiverError as error:
        yield of_error(what, error)
    else:
        yield ok(what, "it was taken; see whether it arrived")
