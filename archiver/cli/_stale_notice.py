"""The notice that something is not well, for a host that watches another."""

from collections.abc import Sequence

from archiver.cli._group import Session
from archiver.cli._session import print_error
from archiver.errors import ConfigurationError, IncompleteError
from archiver.health.notices import Origin, stale_notice
from archiver.health.snapshot import Snapshot
from archiver.notify.base import Notifier, send_all
from archiver.wiring.notify import open_notifiers


def open_ways(session: Session) -> Sequence[Notifier]:
    """Every way of the settings by which a notice goes. Raise ConfigurationError where there is none: who
    wants to be told must not wait in vain."""
    ways = open_notifiers(session.settings, session.environ)
    if not ways:
        raise ConfigurationError(
            f"{session.settings.path} names no way for a notice, so nobody would be told",
            "write a [[notice]] table: see docs/unattended.md",
        )
    return ways


def send_stale_notice(session: Session, ways: Sequence[Notifier], snapshot: Snapshot) -> int:
    """Send it by every way. One that fails is said and stops no other; 3 where one did, else 0."""
    origin = Origin.of(session.settings)
    failed = send_all(ways, stale_notice(origin, snapshot))
    for error in failed:
        print_error(error)
    return IncompleteError.exit_code if failed else 0
