"""Facts that other parts add to a snapshot, each under names of its own, with what is not well about them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from archiver.errors import ArchiverError
from archiver.health.vaults import Trouble
from archiver.settings import Settings
from archiver.vault import Archive, Vault


@dataclass(frozen=True)
class Seen:
    """What a teller is given. `vault`, `archives`: of the store that was read, and all that it has; None and
    none where no store was."""

    settings: Settings
    vault: Vault | None
    archives: tuple[Archive, ...]
    now_ms: int
    environ: Mapping[str, str] = field(repr=False)


Teller = Callable[[Seen], tuple[Mapping[str, object], list[Trouble]]]
"""Facts that JSON can hold, as `holds` or `disposal_due`, and what is not well. Asks no server, takes
milliseconds, and raises ArchiverError where it cannot tell."""


def add_more(seen: Seen, more: dict[str, object], tellers: Iterable[Teller]) -> list[Trouble]:
    """Put what every part has to tell into `more`; return what is not well. One that fails is itself a
    trouble, and stops no other."""
    found: list[Trouble] = []
    for tell in tellers:
        try:
            facts, troubles = tell(seen)
        except ArchiverError as error:
            found.append(Trouble.of(error))
        else:
            more.update(facts)
            found += troubles
    return found
