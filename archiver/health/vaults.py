"""How the stores stand, and which archives the first of them has that can be read.

Folders are asked, as that takes no time; stores far away only where somebody wants that.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from archiver.errors import ArchiverError, IntegrityError
from archiver.health.local import LocalFacts
from archiver.health.snapshot import ArchiveHealth, StoreHealth
from archiver.schedule.checks import StoreNote
from archiver.settings import Settings
from archiver.settings.stores import LocalStoreSettings, StoreSettings
from archiver.stores.base import outcome
from archiver.stores.named import OpenedStore, open_all
from archiver.times import parse_time
from archiver.vault import Archive, Vault
from archiver.wiring.stores import find_store, named_stores

_NOTHING_NOTED = StoreNote(place="")


@dataclass(frozen=True)
class Trouble:
    """Something wrong, in a sentence, and what to do about it."""

    what: str
    advice: str

    @classmethod
    def of(cls, error: ArchiverError, about: str = "") -> "Trouble":
        """An error as one, of what `about` names."""
        return cls(f"{about}{error.message}", error.hint or "see what is wrong: archiver doctor")


@dataclass(frozen=True)
class VaultFacts:
    """Every store, in the settings' order; the archives as the store `read` has them, None where none was
    asked or could be. `error`: what is damaged in it, or why there is none; `more_errors`: what else is."""

    stores: tuple[StoreHealth, ...]
    archives: tuple[Archive, ...] = ()
    read: str | None = None
    error: ArchiverError | None = None
    more_errors: tuple[ArchiverError, ...] = ()
    vault: Vault | None = None


def look_at_vaults(
    settings: Settings, facts: LocalFacts, *, ask: bool = False, store: str | None = None
) -> VaultFacts:
    """Open the stores that may be asked and read which archives there are. `ask`: those far away too;
    `store`: this one alone, wherever it is. Raise UsageError for a name that is no store's, else nothing."""
    asked = {find_store(settings, store).name} if store is not None else _asked(settings, ask=ask)
    opened = open_all(one for one in named_stores(settings, cached=True) if one.name in asked)
    read = _Read(settings, facts)
    for one in opened:
        read.look(one)
    stores = tuple(read.health(one) for one in settings.stores)
    error = read.errors[0] if read.errors else None
    if read.name is None and error is None and opened and len(opened) == len(settings.stores):
        error = next(iter(read.failed.values()))
    elif read.name is None and store is not None:
        error = read.failed[store]
    return VaultFacts(stores, read.archives, read.name, error, tuple(read.errors[1:]), read.vault)


def _asked(settings: Settings, *, ask: bool) -> set[str]:
    return {one.name for one in settings.stores if ask or isinstance(one, LocalStoreSettings)}


class _Read:
    """What the stores said, one after the other; the first that holds a vault is believed."""

    def __init__(self, settings: Settings, facts: LocalFacts) -> None:
        self.settings = settings
        self.facts = facts
        self.name: str | None = None
        self.vault: Vault | None = None
        self.archives: tuple[Archive, ...] = ()
        self.errors: list[ArchiverError] = []
        self.failed: dict[str, ArchiverError] = {}
        self.names: dict[str, list[str]] = {}

    def look(self, one: OpenedStore) -> None:
        """Read which archives a store has; note why it cannot be read."""
        vault = outcome(lambda: Vault(one.store))
        if isinstance(vault, ArchiverError):
            self.failed[one.name] = vault
        elif self.vault is None:
            self._read(one, vault)
        elif vault.id != self.vault.id:
            self.failed[one.name] = IntegrityError(
                f"it holds another vault than store {self.name}", "name another place for it in the settings"
            )
        else:
            names = outcome(lambda: vault.archive_names()[0])
            if isinstance(names, ArchiverError):
                self.failed[one.name] = names
            else:
                self.names[one.name] = names

    def _read(self, one: OpenedStore, vault: Vault) -> None:
        # A store that need not have everything is no altered one where it lacks the newest.
        head = self.facts.state.head if one.required else None
        listed = outcome(lambda: vault.list_archives(head))
        self.name, self.vault = one.name, vault
        if isinstance(listed, ArchiverError):
            self.errors.append(listed)
            return
        self.archives = listed.archives
        self.errors += listed.problems
        self.names[one.name] = [archive.name for archive in listed.archives]

    def health(self, store: StoreSettings) -> StoreHealth:
        """How one store stands."""
        noted = self.facts.journal.stores.get(store.name, _NOTHING_NOTED)
        if noted.place != store.place:  # it moved: what was noted is of another place
            noted = _NOTHING_NOTED
        wrong = next(iter(noted.errors()), None)
        names = self.names.get(store.name)
        error = self.failed.get(store.name)
        if error is None and store.name == self.name and self.errors:
            error = self.errors[0]
        problem = None if error is None else error.message
        if problem is None and names is not None:
            problem = self._lacking(names)
        return StoreHealth(
            name=store.name,
            required=store.required,
            location=store.place,
            verified_ms=noted.whole_ms,
            read_ms=noted.read_to_ms,
            problem=problem or (None if wrong is None else wrong.message),
            archives=None if names is None else len(names),
            free_bytes=free_bytes(store),
            is_read=store.name == self.name,
            away_ms=noted.away_ms,
        )

    def _lacking(self, names: Sequence[str]) -> str | None:
        """What a store has not. One that is being sealed comes into the others when it is whole: of those
        this host counts only what it has done with."""
        head = self.facts.state.head
        done = [one.name for one in self.archives if head is None or one.head.sequence <= head.sequence]
        missing = sorted(set(done) - set(names))
        if not missing:
            return None
        return f"it lacks {missing[0]}" + (f" and {len(missing) - 1:,} more" if missing[1:] else "")


def free_bytes(store: StoreSettings) -> int | None:
    """How much can still be written to a folder; None where that is not known."""
    if isinstance(store, LocalStoreSettings):
        with suppress(OSError):
            status = os.statvfs(store.path)
            return status.f_bavail * status.f_frsize
    return None


def last_archive(archives: Sequence[Archive]) -> ArchiveHealth | None:
    """The newest of them, in numbers."""
    if not archives:
        return None
    manifest = archives[-1].manifest
    try:
        sealed_ms = parse_time(manifest.sealed_at)
    except ValueError:  # a signed manifest that another program wrote
        sealed_ms = 0
    return ArchiveHealth(
        name=archives[-1].name,
        sealed_ms=sealed_ms,
        records=manifest.record_count,
        bytes=manifest.file_bytes,
    )
