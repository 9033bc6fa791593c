"""Reading a store again, its share of a day: every byte against the manifest's SHA-256, and inside where an
identity is at hand. Of a store far away that is not to be read, what it says of its files, and parts of those
that it keeps no SHA-256 of, compared with a near copy."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from archiver.archive.manifest import File
from archiver.archive.verify import verify_bytes, verify_file, verify_said
from archiver.copying import inspect_one
from archiver.errors import ArchiverError, IntegrityError, NoKeyError
from archiver.jobs.base import JobContext
from archiver.jobs.near import stat_of_file
from archiver.keys import Identity, archive_key_name
from archiver.schedule.checks import (
    Damaged,
    Problem,
    ReadNote,
    StoreNote,
    daily_due_ms,
    load_read_note,
    save_read_note,
)
from archiver.settings.stores import LocalStoreSettings, StoreSettings
from archiver.stores.local import LocalStore
from archiver.vault import Archive, Vault
from archiver.verification import verify_parts
from archiver.verification.rotation import next_to_read, note_read, read_to_ms
from archiver.wiring.stores import open_store

SAVE_EACH_MS = 5_000
"""How often it is noted what was read: a kill costs so much reading."""
MOST_CHANGED_BYTES = 1 << 30
"""Of files that were changed, read at once."""


@dataclass
class ReadAgain:
    """What was read of one store: `opened` of the files were looked into. `damaged`: all that is known to be
    wrong. `rationed`: the share of the day was due, and was read. `lost`: why the rest could not be."""

    files: int = 0
    bytes: int = 0
    opened: int = 0
    read_to_ms: int | None = None
    damaged: dict[str, Damaged] = field(default_factory=dict)
    rationed: bool = False
    lost: ArchiverError | None = None

    def note(self, known: StoreNote, now_ms: int) -> StoreNote:
        """What is to be noted of the store, at which was looked before."""
        return msgspec.structs.replace(
            known,
            rationed_ms=now_ms if self.rationed else known.rationed_ms,
            read_to_ms=self.read_to_ms,
            damaged=self.damaged,
        )


class Reading:
    """What is to be read of a store, found before any of it is: the share of the day, and what was found
    wrong, where something was done to it or a day is over. `near`: another store, whose copies are compared
    with what is not read. Raise ArchiverError where the store cannot be opened."""

    def __init__(
        self,
        context: JobContext,
        settings: StoreSettings,
        known: StoreNote,
        near: LocalStoreSettings | None,
    ) -> None:
        self._store = open_store(settings, context.settings.cache)
        self._vault = Vault(self._store)
        archives = self._vault.list_archives().archives
        self._identities: Sequence[Identity] = ()
        self._context = context
        self._settings = settings
        self._files = {
            archive.path(file): (archive, file) for archive in archives for file in archive.manifest.files
        }
        self._known = known
        self._whole = isinstance(settings, LocalStoreSettings) or context.settings.checks.read_far
        self._near = None if self._whole or near is None else near
        self._near_heads = self._heads_of_near()
        now_ms = context.clock()
        read = load_read_note(context.journal, settings.name) if known.rationed_ms is not None else None
        self._note = read or ReadNote(since_ms=now_ms)
        self._saved_ms = now_ms
        self._keys = {archive_key_name(one.name): one for one in archives if one.disposed is None}
        self.result = ReadAgain(
            damaged={n: one for n, one in known.damaged.items() if n in self._files or n in self._keys}
        )
        self._names = list(dict.fromkeys([*self._suspects(), *self._share()]))

    @property
    def name(self) -> str:
        """The store's."""
        return self._settings.name

    @property
    def wants_identity(self) -> bool:
        """Whether anything is to be read whose inside can be looked at."""
        return self._whole and bool(self._names)

    def run(self, identities: Sequence[Identity]) -> ReadAgain:
        """Read it; with identities inside, too. First what is known to be wrong: it may be mended."""
        self._identities = identities
        try:
            for name in self._names:
                if not self._read(name):
                    break
        finally:  # also where the run is ended in the middle
            save_read_note(self._context.journal, self._settings.name, self._note)
        self.result.read_to_ms = read_to_ms(self._note) if self._whole else None
        self._context.told(
            "check.read",
            {
                "store": self._settings.name,
                "files": self.result.files,
                "bytes": self.result.bytes,
                "opened": self.result.opened,
                "damaged": len(self.result.damaged),
            },
        )
        return self.result

    def _suspects(self) -> list[str]:
        now_ms = self._context.clock()
        damaged = [
            name
            for name, one in self.result.damaged.items()
            if one.stat != self._stat(name) or daily_due_ms(one.read_ms, now_ms) <= now_ms
        ]
        return damaged + self._changed()

    def _changed(self) -> list[str]:
        """Files that something was done to since they were seen. Where they are many, as in a vault that was
        copied, those that are left take their turn before all others."""
        changed, size = [], 0
        for name, (_, file) in self._files.items():
            known = self._note.stats.get(name)
            if known is None or name in self.result.damaged or known == self._stat(name):
                continue
            if size < MOST_CHANGED_BYTES:
                changed.append(name)
                size += file.size
            else:
                self._note.files[name] = self._note.since_ms - 1
        return changed

    def _share(self) -> list[str]:
        now_ms = self._context.clock()
        stats = {name: self._note.stats.get(name) or self._stat(name) for name in self._files}
        self._note.stats = {name: stat for name, stat in stats.items() if stat is not None}
        if daily_due_ms(self._known.rationed_ms, now_ms) > now_ms:
            return []
        self.result.rationed = True
        sizes = {
            name: file.size for name, (_, file) in self._files.items() if name not in self.result.damaged
        }
        return next_to_read(self._note, sizes, self._context.settings.checks.read_all_months, now_ms)

    def _read(self, name: str) -> bool:
        """Read one file and note what came of it; False where the store was lost, and nothing can be said."""
        stat = self._stat(name)  # before: what happens meanwhile is seen at the next run
        now_ms = self._context.clock()
        try:
            if name in self._keys:
                self._open_key(self._keys[name])
            else:
                self._verify(*self._files[name])
        except ArchiverError as error:
            if not isinstance(error, IntegrityError) and not self._store.is_near:
                self.result.lost, self.result.rationed = error, False
                return False
            self.result.damaged[name] = Damaged(Problem.of(error), now_ms, stat)
            return True
        self.result.damaged.pop(name, None)
        if name in self._files:
            self._note_read(name, stat, now_ms)
        return True

    def _note_read(self, name: str, stat: str | None, now_ms: int) -> None:
        size = self._files[name][1].size
        self.result.files += 1
        self.result.bytes += size if self._whole else 0
        note_read(self._note, name, now_ms)
        if stat is not None:
            self._note.stats[name] = stat
        if now_ms - self._saved_ms >= SAVE_EACH_MS:
            save_read_note(self._context.journal, self._settings.name, self._note)
            self._saved_ms = now_ms

    def _verify(self, archive: Archive, file: File) -> None:
        if not self._whole:
            self._verify_unread(archive, file)
            return
        identity = self._key_of(archive)
        if identity is None:
            verify_bytes(self._store, archive.name, file)
        else:
            verify_file(self._store, archive.name, file, identity)
            self.result.opened += 1

    def _key_of(self, archive: Archive) -> Identity | None:
        """The archive's own key, where it can be had. One that is altered is damage of its own; one of an
        archive that was disposed of is not there, and rightly so."""
        name = archive_key_name(archive.name)
        if name not in self._keys:
            return None
        stat = self._stat(name)
        try:
            return self._open_key(archive)
        except IntegrityError as error:
            self.result.damaged[name] = Damaged(Problem.of(error), self._context.clock(), stat)
            return None

    def _open_key(self, archive: Archive) -> Identity | None:
        """The key; None without an identity, and where it is sealed for others: its bytes can be read all
        the same."""
        try:
            return self._vault.open_key(archive, self._identities) if self._identities else None
        except NoKeyError:
            return None

    def _verify_unread(self, archive: Archive, file: File) -> None:
        said = inspect_one(self._store, archive.path(file))
        verify_said(archive.name, file, said)
        if (
            said.sha256 is None
            and self._near is not None
            and self._near_heads.get(archive.name) == archive.head
        ):
            verify_parts(self._store, archive, file, LocalStore(self._near.path))

    def _heads_of_near(self) -> dict[str, object]:
        if self._near is None:
            return {}
        try:
            archives = Vault(LocalStore(self._near.path)).list_archives().archives
        except ArchiverError:  # its own checks say so
            return {}
        return {archive.name: archive.head for archive in archives}

    def _stat(self, name: str) -> str | None:
        if isinstance(self._settings, LocalStoreSettings):
            return stat_of_file(self._settings.path / name)
        return None
