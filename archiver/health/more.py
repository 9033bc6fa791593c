"""Facts that other parts add to a snapshot, each under names of its own, with what is not well about them."""

from collections.abc import Callable, Mapping

from archiver.errors import ArchiverError
from archiver.health.vaults import Trouble
from archiver.settings import Settings
from archiver.vault import Vault

Teller = Callable[
    [Settings, Vault | None, int, Mapping[str, str]], tuple[Mapping[str, object], list[Trouble]]
]
"""Given the settings, the vault of a store at hand (None where none was read), the time now and the
environment: facts that JSON can hold, as `holds` or `disposal_due`, and what is not well. Asks no server,
takes milliseconds, and raises ArchiverError where it cannot tell."""

TELLERS: tuple[Teller, ...] = ()
"""In the order in which what they find is told."""


def add_more(
    settings: Settings,
    vault: Vault | None,
    now_ms: int,
    environ: Mapping[str, str],
    more: dict[str, object],
) -> list[Trouble]:
    """Put what every part has to tell into `more`; return what is not well. One that fails is itself a
    trouble, and stops no other."""
    found: list[Trouble] = []
    for tell in TELLERS:
        try:
            facts, troubles = tell(settings, vault, now_ms, environ)
        except ArchiverError as error:
            found.append(Trouble.of(error))
        else:
            more.update(facts)
            found += troubles
    return found
