"""What stands in the way of disposing of an archive: holds of the register, and appeals that nobody decided.

A hold by query holds the archives in which the query found anything when it was added, and every archive in
which it finds anything now: so it covers what was sealed since. A hold by case holds what packs of that case
took from, then and now.

An archive goes by its own name and by those of the archives whose place it has taken (`vault.names_of`).
"""

from collections.abc import Callable, Collection, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Final

from archiver.custody.entry import CustodyEntry
from archiver.custody.register import Custody
from archiver.evidence.register import Listed
from archiver.search.moderation import HeldRecord
from archiver.vault import Archive

BY_CASE: Final = "case"
"""In `detail["by"]` of a hold that names a case and nothing else."""
FindArchives = Callable[[str], Collection[str]]
"""In which archives a query finds anything now."""


@dataclass(frozen=True)
class CaseArchives:
    """From which archives packs of a case took records. `is_known`: whether that is known of every pack;
    where it is not, or there is no pack, everything is held."""

    archives: tuple[str, ...]
    is_known: bool


def case_archives(case: str, exhibits: Iterable[Listed]) -> CaseArchives:
    """What the register of exhibits says of a case. A number whose entry cannot be read may be of any."""
    archives: set[str] = set()
    known, packs = True, 0
    for one in exhibits:
        if one.taken is None:
            known = False
        elif one.taken.case == case:
            packs += 1
            if one.finished is None or not one.finished.archives:
                known = False
            else:
                archives.update(one.finished.archives)
    return CaseArchives(tuple(sorted(archives)), known and packs > 0)


def holds_on(
    names: Set[str], custody: Custody, find: FindArchives, exhibits: Sequence[Listed]
) -> list[CustodyEntry]:
    """The holds that stand and cover an archive of these names now."""
    return [one for one in custody.holds() if is_held_by(names, one, find, exhibits)]


def is_held_by(names: Set[str], hold: CustodyEntry, find: FindArchives, exhibits: Sequence[Listed]) -> bool:
    """Whether a hold covers an archive of these names now."""
    scope = hold.scope
    if scope.everything or _is_any(names, scope.archives):
        return True
    if scope.query is not None:
        return _is_any(names, find(scope.query))
    if hold.detail.get("by") == BY_CASE and hold.case is not None:
        of_case = case_archives(hold.case, exhibits)
        return not of_case.is_known or _is_any(names, of_case.archives)
    return False


def _is_any(names: Set[str], some: Iterable[str]) -> bool:
    return any(one in names for one in some)


def took_from(exhibit: Listed, names: Set[str]) -> bool:
    """Whether a pack took from an archive of these names, as far as its entry tells."""
    return exhibit.finished is not None and _is_any(names, exhibit.finished.archives)


def may_be_held_by(names: Set[str], hold: CustodyEntry) -> bool | None:
    """As far as the register alone tells: None where only the query, or the packs of the case, would."""
    scope = hold.scope
    if scope.everything or _is_any(names, scope.archives):
        return True
    return None if scope.query is not None or hold.detail.get("by") == BY_CASE else False


def open_appeals(records: Iterable[HeldRecord], archive: Archive) -> list[str]:
    """The ids of moderation records that have an entry in an archive, and an appeal that was received and not
    decided."""
    return undecided_appeals(
        one for one in records if any(place.archive == archive.name for place in one.held)
    )


def undecided_appeals(records: Iterable[HeldRecord]) -> list[str]:
    """The ids of those that have an appeal which was received and not decided."""
    return [
        one.record.id for one in records if one.record.is_appealed and one.record.now.appeal_outcome is None
    ]


def scope_in_words(hold: CustodyEntry) -> str:
    """What a hold covers."""
    scope = hold.scope
    if scope.everything:
        return "everything"
    names = ", ".join(scope.archives) or "no archive yet"
    if scope.query is not None:
        return f"what {scope.query!r} finds: {names}"
    return f"what packs of its case took: {names}" if hold.detail.get("by") == BY_CASE else names
