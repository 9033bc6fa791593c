"""The notice that something is not well, for a host that watches another."""

import importlib
from collections.abc import Sequence
from contextlib import suppress

from archiver.cli._group import Session
from archiver.cli._session import print_error
from archiver.errors import ConfigurationError, IncompleteError
from archiver.health.snapshot import Snapshot
from archiver.health.words import WIDTH, first_sentence, trouble_lines
from archiver.notify.base import Notice, Notifier, send_all


def configured_ways(session: Session) -> Sequence[Notifier]:
    """Every way of the settings by which a notice goes."""
    with suppress(ModuleNotFoundError):  # it comes with the notices, which are made beside this
        wiring = importlib.import_module("archiver.wiring_notify")
        ways: Sequence[Notifier] = wiring.open_notifiers(session.settings, session.environ)
        return ways
    return ()


def open_ways(session: Session) -> Sequence[Notifier]:
    """As `configured_ways`. Raise ConfigurationError where there is none: who wants to be told must not wait
    in vain."""
    ways = configured_ways(session)
    if not ways:
        raise ConfigurationError(
            f"{session.settings.path} names no way for a notice, so nobody would be told",
            "write a [[notice]] table: see docs/unattended.md",
        )
    return ways


def stale_notice(snapshot: Snapshot) -> Notice:
    """What is not well, and what to do about it."""
    sentence = first_sentence(snapshot)
    return Notice(
        kind="stale",
        subject=f"archiver: {sentence}",
        text="\n".join([sentence, "", *trouble_lines(snapshot, WIDTH), ""]),
        at_ms=snapshot.at_ms,
        code=snapshot.code,
        facts={"problems": list(snapshot.problems), "advice": list(snapshot.advice)},
    )


def send_stale_notice(ways: Sequence[Notifier], snapshot: Snapshot) -> int:
    """Send it by every way. One that fails is said and stops no other; 3 where one did, else 0."""
    failed = send_all(ways, stale_notice(snapshot))
    for error in failed:
        print_error(error)
    return IncompleteError.exit_code if failed else 0
