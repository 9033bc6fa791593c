"""All checks of `archiver doctor`, in the order in which they are told."""

from collections.abc import Sequence

from archiver.health.checks import (
    authorities,
    clock,
    disks,
    files,
    keys,
    memory,
    notices,
    runs,
    stores,
    tokens,
    versions,
)
from archiver.health.checkup import Check, Subject
from archiver.notify.base import Notice, Notifier


def all_checks(subject: Subject, ways: Sequence[Notifier], test: Notice | None) -> list[Check]:
    """What there is to look at on this host. `ways`, `test`: as `archiver.health.checks.notices.checks`."""
    return [
        *versions.checks(subject),
        *memory.checks(subject),
        *disks.checks(subject),
        *files.checks(subject),
        *keys.checks(subject),
        *clock.checks(subject),
        *stores.checks(subject),
        *tokens.client_secret(subject),
        *tokens.checks(subject),
        *authorities.checks(subject),
        *runs.checks(subject),
        *notices.checks(ways, test),
    ]


def checks_without_settings() -> list[Check]:
    """What there is where the settings cannot be read."""
    return versions.of_program()
