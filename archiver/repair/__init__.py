"""What `archiver repair` does: every file of an archive, in every store, held against the signed manifest;
what is damaged or missing put back from a store that has it right, and read again. Before that the two files
that make a store a vault.

Nothing is lost by it: what lay in a file's place is set aside by the store (`Store.put_back`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from archiver.chain import Head
from archiver.errors import ArchiverError
from archiver.keyholders import Recipient
from archiver.keys import Identity
from archiver.repair.files import FileOutcome, Repairing, State, notes_of
from archiver.repair.reference import (
    SIGNERS,
    Reach,
    Reference,
    find_reference,
    find_unsigned,
    reach_vaults,
    refused_by,
)
from archiver.repair.wanted import Wanted, wanted_of_archive, wanted_of_vault
from archiver.settings.timestamps import AuthoritySettings
from archiver.stores.named import OpenedStore

__all__ = ["FileOutcome", "Repair", "repair_archive"]

Progress = Callable[[str, int, int], None]


@dataclass
class Repair:
    """What came of one archive's repair, or of the vault's own two files where there is no `archive`;
    `problems` concern stores as a whole."""

    archive: str | None
    dry_run: bool
    reference: str = ""
    """The store whose manifest was found right first."""
    files: list[FileOutcome] = field(default_factory=list)
    problems: list[ArchiverError] = field(default_factory=list)
    away: list[tuple[str, ArchiverError]] = field(default_factory=list)
    """Stores that could not be reached, so that nothing is known of their files."""

    def count(self, state: State) -> int:
        """How many files ended so."""
        return sum(one.state == state for one in self.files)

    @property
    def errors(self) -> list[ArchiverError]:
        """Everything that is not well now in the stores that could be reached."""
        return [*self.problems, *(one.error for one in self.files if one.error is not None)]


def repair_archive(
    stores: Sequence[OpenedStore],
    archive: str | None,
    *,
    known_head: Head | None,
    only: str | None = None,
    identities: Sequence[Identity] = (),
    recipients: Sequence[Recipient] = (),
    authorities: Sequence[AuthoritySettings] = (),
    dry_run: bool = False,
    progress: Progress = lambda name, done, total: None,
) -> Repair:
    """Check every file of an archive in every store, or in the one named, and put back what is not right;
    and the vault's description, list of signers and claims of hosts, these alone where no archive is named.

    By the certificates of `authorities` a time stamp is judged. With `identities` an archive's key is
    opened to see that it is the right one; one that somebody put something over, where nothing but an older
    version of it is left, is encrypted anew to `recipients`, the keyholders there are. Raise UsageError
    where there is no such archive, IntegrityError where no store has its manifest right and where two hold
    different vaults, StoreError where the one named cannot be reached, NoVaultError where it holds no vault
    yet. What cannot be repaired is an error of its file's outcome and stops nothing else."""
    reach = reach_vaults(stores)
    if only is not None:
        reach.require(only)
    run = _Run(reach, only, known_head, Repair(archive, dry_run, away=reach.away), progress)
    run.repair_vault()
    if archive is not None:
        reference = run.find_reference(archive)
        wanted = wanted_of_archive(reach.stores, reference, identities, recipients, authorities)
        run.repair_archive(reference, wanted)
    return run.result


@dataclass(frozen=True)
class _Run:
    """One repair: what can be reached, what it is about, and what came of it so far."""

    reach: Reach
    only: str | None
    known_head: Head | None
    result: Repair
    progress: Progress

    @property
    def _targets(self) -> list[OpenedStore]:
        return [one for one in self.reach.stores if self.only in (None, one.name)]

    def repair_vault(self) -> None:
        """The files that all else rests on."""
        wanted = wanted_of_vault(self.reach.stores, self.reach.vault)
        for target in self._targets:
            done = self._repair(target, self._vouched(target, wanted))
            self.result.files += [one for one in done if self.result.archive is None or one.state != "good"]

    def _vouched(self, target: OpenedStore, wanted: Sequence[Wanted]) -> list[Wanted]:
        """The same, but for a list of signers that does not name who signed what the store has: another
        store's may be a stranger's."""
        unsigned = find_unsigned(target, self.reach.stores)
        if unsigned is None:
            return list(wanted)
        refusal = f"that of other stores does not name who signed archive {unsigned} there"
        hint = "compare the stores' lists, and put the right one there"
        return [
            Wanted(SIGNERS, one.accepted, refusal=refusal, hint=hint) if one.name == SIGNERS else one
            for one in wanted
        ]

    def find_reference(self, archive: str) -> Reference:
        """The right manifest of the archive."""
        reference, problems = find_reference(self.reach.stores, archive, self.known_head)
        self.result.reference = reference.store
        self.result.problems += problems
        return reference

    def repair_archive(self, reference: Reference, wanted: Sequence[Wanted]) -> None:
        """Every file of the archive, in every store that its own list of signers lets have it."""
        for target in self._targets:
            refusal = refused_by(target, reference) if self.known_head is None else None
            if refusal is not None:
                self.result.problems.append(refusal)
            else:
                self.result.files += self._repair(target, wanted)

    def _repair(self, target: OpenedStore, wanted: Sequence[Wanted]) -> list[FileOutcome]:
        notes = notes_of(target, [each.name for each in wanted])
        done = []
        for number, each in enumerate(wanted):
            self.progress(f"{target.name}: {each.name}", number, len(wanted))
            repairing = Repairing(self.reach.stores, target, each, self.result.dry_run)
            done.append(repairing.repair(notes.get(each.name, ())))
        return done
