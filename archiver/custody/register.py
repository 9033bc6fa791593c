"""What the register says, taken together: which holds stand, what is restricted, what was decided of an
archive.

No answer depends on the order of entries of several keyholders: what takes something back names it by its id.
Of reviews the latest counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from archiver.custody.entry import CustodyEntry, Kind, RecordId
from archiver.errors import IntegrityError, UsageError

LEAST_ID_CHARACTERS = 4


@dataclass(frozen=True)
class Custody:
    """All decisions, in the order of their times."""

    entries: tuple[CustodyEntry, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[CustodyEntry]) -> "Custody":
        """Raise IntegrityError where two different decisions have one id."""
        known: dict[str, CustodyEntry] = {}
        for one in entries:
            if known.setdefault(one.id, one) != one:
                raise IntegrityError(
                    f"two decisions of the custody register have the id {one.id[:40]}",
                    "one of them was made to pass for the other: see archiver log verify",
                )
        return cls(tuple(sorted(known.values(), key=lambda one: (one.at, one.id))))

    def of_kind(self, *kinds: Kind) -> list[CustodyEntry]:
        return [one for one in self.entries if one.kind in kinds]

    def holds(self) -> list[CustodyEntry]:
        """Those that stand: no release names them."""
        released = {entry_id for one in self.of_kind("release") for entry_id in one.of}
        return [one for one in self.of_kind("hold") if one.id not in released]

    def restricted(self) -> frozenset[RecordId]:
        """Every record that is kept and not shown."""
        return self._restricted

    @cached_property
    def _restricted(self) -> frozenset[RecordId]:
        return frozenset().union(*(records for _, records in self.restrictions()))

    def restrictions(self) -> list[tuple[CustodyEntry, frozenset[RecordId]]]:
        """Each `restrict` that still restricts something, and what: its records but for those that an
        `unrestrict` names which names it in `of`."""
        lifted: dict[str, set[RecordId]] = {}
        for one in self.of_kind("unrestrict"):
            for entry_id in one.of:
                lifted.setdefault(entry_id, set()).update(one.records)
        left = [(one, one.records - lifted.get(one.id, set())) for one in self.of_kind("restrict")]
        return [(one, records) for one, records in left if records]

    @property
    def reviews(self) -> list[CustodyEntry]:
        return self.of_kind("review")

    @property
    def disposals(self) -> list[CustodyEntry]:
        return self.of_kind("dispose")

    @property
    def erasures(self) -> list[CustodyEntry]:
        return self.of_kind("erase")

    def review_of(self, archive: str) -> CustodyEntry | None:
        """The latest review of an archive; None where there is none."""
        return next((one for one in reversed(self.reviews) if archive in one.scope.archives), None)

    def find(self, beginning: str, *, kinds: Sequence[Kind]) -> CustodyEntry:
        """The entry of one of these kinds whose id begins so. Raise UsageError for none, or several."""
        wanted = beginning.strip().lower()
        named = " or ".join(kinds)
        found = [one for one in self.of_kind(*kinds) if one.id.startswith(wanted)]
        if len(wanted) < LEAST_ID_CHARACTERS or not found:
            raise UsageError(
                f"there is no {named} {beginning[:80]!r}", "the first 4 characters of its id are enough"
            )
        if len(found) > 1:
            raise UsageError(
                f"{len(found)} of kind {named} begin with {beginning[:80]!r}", "type more of the id"
            )
        return found[0]
