"""What the job `check` does once it is due: the look at every store, and the daily share of reading."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

import msgspec

from archiver.audit.entry import Asked
from archiver.errors import ArchiverError, IncompleteError, excused
from archiver.jobs.base import JobContext
from archiver.jobs.checking import may_be_away as is_excused
from archiver.jobs.checking_reading import ReadAgain, Reading
from archiver.jobs.near import stat_of_store
from archiver.jobs.syncing import JOB as SYNC
from archiver.keys import Identity, ask_nobody, load_identities, opens_unattended
from archiver.log_checks import BehindError, check_logs
from archiver.schedule.checks import StoreNote, daily_due_ms, due_again_ms, problems_of
from archiver.settings.stores import LocalStoreSettings, StoreSettings
from archiver.stores.base import Store, outcome
from archiver.stores.named import NamedStore
from archiver.vault import Vault
from archiver.verification import Depth, Verification, verify_vault
from archiver.verification.agreement import StoreVerification, verify_stores
from archiver.wiring.log import collector_act
from archiver.wiring.stores import named_stores

LOG_DAYS = 7
"""How often the log of a near store is checked: each of its entries is read, and it only grows."""
Said = tuple[str | None, ArchiverError]
"""A problem and the store that has it, if it is one store's."""


@dataclass
class Checking:
    """One time that the job is done. `notes`: what is known of each store, brought up as it goes."""

    context: JobContext
    notes: dict[str, StoreNote]
    looked: list[str] = field(default_factory=list)
    read: dict[str, ReadAgain] = field(default_factory=dict)

    def run(self) -> list[Said]:
        """Do what is due; problems that are not noted with a store, as they are met anew each time."""
        others: list[Said] = []
        stores = self._stores_to_look_at()
        if stores:
            self._look(stores)
        readings = [*self._readings(others)]
        with self._identities(any(one.wants_identity for one in readings), others) as identities:
            for reading in readings:
                others += self._read(reading, identities)
        now_ms = self.context.clock()
        for name in {*self.looked, *self.read}:
            if self.notes[name].is_whole:
                self.notes[name] = msgspec.structs.replace(self.notes[name], whole_ms=now_ms)
        return others

    def facts(self) -> dict[str, object]:
        """For the log of the run and the notices: what was done, in numbers."""
        return {
            "stores": self.looked,
            "read_files": sum(one.files for one in self.read.values()),
            "read_bytes": sum(one.bytes for one in self.read.values()),
            "opened_files": self._opened(),
            "damaged_files": sum(len(one.damaged) for one in self.notes.values()),
        }

    # What is due

    def _note(self, one: StoreSettings) -> StoreNote:
        return self.notes.get(one.name) or StoreNote(place=one.place)

    def _is_daily(self, noted_ms: int | None) -> bool:
        now_ms = self.context.clock()
        return daily_due_ms(noted_ms, now_ms) <= now_ms

    def _stores_to_look_at(self) -> list[NamedStore]:
        """All of them where one far away is due or anything is wrong, as they are held against each other;
        else, where anything happened, those that are near."""
        settings = self.context.settings.stores
        near = [one for one in settings if isinstance(one, LocalStoreSettings)]
        far = [one for one in settings if not isinstance(one, LocalStoreSettings)]
        notes = [self._note(one) for one in settings]
        is_wrong = any(note.problems and not is_excused(self.context, note) for note in notes)
        named = named_stores(self.context.settings)
        if is_wrong or any(self._is_daily(self._note(one).looked_ms) for one in far):
            return list(named)
        names = {one.name for one in near}
        return [one for one in named if one.name in names] if any(map(self._is_changed, near)) else []

    def _is_changed(self, one: LocalStoreSettings) -> bool:
        note = self._note(one)
        return self._is_daily(note.looked_ms) or note.stat != stat_of_store(one.path)

    def _is_to_be_read(self, one: StoreSettings) -> bool:
        note = self._note(one)
        is_changed = one.name in self.looked and isinstance(one, LocalStoreSettings)
        return is_changed or self._is_daily(note.rationed_ms)

    @contextmanager
    def _identities(self, are_wanted: bool, others: list[Said]) -> Iterator[list[Identity]]:
        """A keyholder's identities, where nobody has to be asked for them, between two entries of the log, as
        archives are opened with them; none where there are none, or the log cannot be written: then bytes are
        read, and nothing is opened. Reading sealed bytes alone is nothing that anybody answers for."""
        context, keyholder = self.context, self.context.settings.keyholder
        if not are_wanted or keyholder is None or not opens_unattended(keyholder):
            yield []
            return
        asked = Asked("verify", "run", detail={"job": "check", "contents": True})
        act = collector_act(context.settings, context.environ, asked, context.clock)
        with ExitStack() as stack:
            identities: list[Identity] = []
            try:
                loaded = load_identities(keyholder, context.environ, ask_nobody)
                begun = stack.enter_context(act)
                identities = loaded
            except ArchiverError as error:
                others.append((None, error))
            yield identities
            if identities:
                ended = outcome(partial(begun.end, results=self._opened(), detail=self.facts()))
                if isinstance(ended, ArchiverError):
                    others.append((None, ended))
                    stack.pop_all()  # it is not tried again

    def _opened(self) -> int:
        return sum(one.opened for one in self.read.values())

    # Looking

    def _look(self, stores: Sequence[NamedStore]) -> None:
        """Manifests, signatures, the chain, sizes, what each store says of its files; each week the log."""
        places = {one.name: one for one in self.context.settings.stores}
        stats = {  # before: what happens meanwhile is seen at the next run
            name: stat_of_store(one.path)
            for name, one in places.items()
            if isinstance(one, LocalStoreSettings)
        }
        logs = self._logs(stores)
        for found in self._verify(stores):
            log = logs.get(found.store)
            self._note_look(places[found.store], found, log, stats.get(found.store))

    def _note_look(
        self, one: StoreSettings, found: StoreVerification, log: list[ArchiverError] | None, stat: str | None
    ) -> None:
        known, now_ms = self._note(one), self.context.clock()
        errors = [*found.result.problems, *(log or ())]
        may_be_away = found.away and not one.required
        is_away = may_be_away and all(isinstance(each, IncompleteError) for each in errors)
        self.notes[one.name] = msgspec.structs.replace(
            known,
            looked_ms=now_ms,
            log_ms=known.log_ms if log is None else now_ms,
            stat=stat,
            problems=problems_of(errors, f"archiver verify --store {one.name}"),
            away_ms=(known.away_ms or known.whole_ms or now_ms) if is_away else None,
        )
        self.looked.append(one.name)
        self.context.told(
            "check.store",
            {
                "store": one.name,
                "archives": len(found.result.archives),
                "files": found.result.files,
                "problems": len(errors),
            },
        )

    def _verify(self, stores: Sequence[NamedStore]) -> list[StoreVerification]:
        """As `archiver verify`, but that no bytes are read."""
        context = self.context
        sealing = context.collector.state.sealing()
        unfinished = None if sealing is None else sealing.archive
        head = context.collector.state.head()
        authorities = context.settings.timestamps
        if len(context.settings.stores) > 1:
            depth = Depth(sizes=True, authorities=authorities)
            return verify_stores(stores, known_head=head, unfinished=unfinished, depth=depth)
        (one,) = stores
        found = outcome(
            lambda: verify_vault(
                Vault(one.open()), known_head=head, unfinished=unfinished, sizes=True, authorities=authorities
            )
        )
        away = isinstance(found, ArchiverError)
        result = Verification([], problems=[found]) if isinstance(found, ArchiverError) else found
        return [StoreVerification(one.name, one.required, away, result)]

    def _logs(self, stores: Sequence[NamedStore]) -> dict[str, list[ArchiverError]]:
        """What is wrong with the log of each near store whose turn it is, or where something is wrong. One
        that cannot be opened is told of by the look at its archives."""
        due = {one.name for one in self.context.settings.stores if self._is_log_due(one)}
        due &= {one.name for one in stores}
        if not due:
            return {}
        checked = check_logs(
            self.context.settings,
            None,
            [],
            progress=lambda phase, done, total: None,
            only=lambda one: one.name in due and one.error is None and _holds_a_vault(one.store),
            archives=len(self.context.settings.stores) == 1,
        )
        synced = not self._is_sync_due()
        return {
            one.store: [
                each for each in one.result.problems if not (synced and isinstance(each, BehindError))
            ]
            for one in checked
        }

    def _is_sync_due(self) -> bool:
        """Whether a store that is behind with the log should not be. What was logged since the last sync may
        be in the first store alone until the next, and is no reason to alarm anybody."""
        due_ms = SYNC.due_ms(self.context)
        return due_ms is None or due_ms <= self.context.clock()

    def _is_log_due(self, one: StoreSettings) -> bool:
        if not isinstance(one, LocalStoreSettings):
            return False
        note, now_ms = self._note(one), self.context.clock()
        return bool(note.problems) or due_again_ms(note.log_ms, LOG_DAYS, now_ms) <= now_ms

    # Reading

    def _readings(self, others: list[Said]) -> Iterator[Reading]:
        """What is to be read of each store. Of one that cannot be opened the look has told, unless it was
        lost since."""
        for one in self.context.settings.stores:
            if self._is_to_be_read(one):
                note = self._note(one)
                found = outcome(partial(Reading, self.context, one, note, self._near_beside(one)))
                if isinstance(found, Reading):
                    yield found
                elif not note.problems:
                    others.append((one.name, excused(found, required=one.required)))

    def _read(self, reading: Reading, identities: Sequence[Identity]) -> list[Said]:
        one = next(each for each in self.context.settings.stores if each.name == reading.name)
        found = reading.run(identities)
        self.read[one.name] = found
        self.notes[one.name] = found.note(self._note(one), self.context.clock())
        return [] if found.lost is None else [(one.name, excused(found.lost, required=one.required))]

    def _near_beside(self, one: StoreSettings) -> LocalStoreSettings | None:
        """The first near store that is another."""
        for other in self.context.settings.stores:
            if other.name != one.name and isinstance(other, LocalStoreSettings):
                return other
        return None


def _holds_a_vault(store: Store) -> bool:
    return not isinstance(outcome(partial(Vault, store)), ArchiverError)
