"""A drill of every store: what is drilled is drawn before anything is opened, so that the log can say it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from archiver.chain import Head
from archiver.drill import Choose, Drilled, Progress, choose_archives, drill_archive
from archiver.drill.tools import Tools
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, UsageError, excused
from archiver.keys import Identity
from archiver.stores.named import NamedStore, OpenedStore, open_all, sync_command
from archiver.vault import Archive, Vault, require_not_disposed


class NothingLeftError(IncompleteError):
    """Every archive was disposed of. `head`: of the last one."""

    def __init__(self, head: Head) -> None:
        super().__init__(
            "every archive was disposed of, so there is nothing left to restore",
            "see which there were: archiver status",
        )
        self.head = head


@dataclass
class StoreDrill:
    """One store: the archives drawn, what was proven of each, and what is wrong that is no one archive's.
    `head`: of its last archive, whether or not that was disposed of."""

    store: str
    required: bool
    vault: Vault | None = None
    archives: list[Archive] = field(default_factory=list)
    drilled: list[Drilled] = field(default_factory=list)
    problems: list[ArchiverError] = field(default_factory=list)
    head: Head | None = None

    @property
    def is_away(self) -> bool:
        """Whether it need not be there, and is not."""
        away = self.vault is None and not self.required
        return away and all(isinstance(one, IncompleteError) for one in self.problems)

    def all_problems(self) -> list[ArchiverError]:
        """Those of the archives too."""
        return [*self.problems, *(problem for one in self.drilled for problem in one.problems)]


def plan_drill(
    stores: Sequence[NamedStore],
    archive: str | None = None,
    choose: Choose = secrets.randbelow,
    *,
    known_head: Head | None = None,
) -> list[StoreDrill]:
    """Which archives of each store: the one named, else the newest and one by chance. No key is needed.
    `known_head`: the chain's end as remembered elsewhere.

    Raise UsageError where no store has the one named, ArchiverError where it was disposed of, IncompleteError
    where there is no archive at all, IntegrityError where there was one, NothingLeftError where every one was
    disposed of."""
    plan = [_plan(one, archive, choose) for one in open_all(stores)]
    drawn = any(one.archives for one in plan)
    without = [one for one in plan if not one.archives and not one.problems]
    if not drawn:
        _require_any(plan, without, archive, known_head)
    for one in without:
        if archive is not None:
            text = f"it has no archive {archive}" + (", which another store has" if drawn else "")
        else:
            text = "nothing in it can be restored" + (", and another store has archives" if drawn else "")
        one.problems.append(IncompleteError(text, f"fill it: {sync_command(one.store)}"))
    return plan


def _require_any(
    plan: Sequence[StoreDrill], without: Sequence[StoreDrill], archive: str | None, known_head: Head | None
) -> None:
    """Where nothing was drawn: raise, unless a store is away or damaged and might have something. One that
    has the certificates of all says so for the others."""
    last = max((one.head for one in without if one.head is not None), default=None, key=_sequence)
    if archive is None and last is not None and all(one.head == last for one in without):
        raise NothingLeftError(last)
    if any(one.problems for one in plan):
        return
    if archive is not None:
        raise UsageError(f"there is no archive {archive}", "see which there are: archiver status")
    if known_head is not None:
        raise IntegrityError(
            f"no store has an archive, and number {known_head.sequence} was noted as written",
            "bring back a store that has them, then: archiver sync",
        )
    raise IncompleteError("the vault has no archive yet, so there is nothing to restore", "archiver seal")


def _sequence(head: Head) -> int:
    return head.sequence


def has_restored(plan: Sequence[StoreDrill]) -> bool:
    """Whether at least one archive was restored of every store that was reached, and one was."""
    reached = [one for one in plan if one.vault is not None]
    return bool(reached) and all(one.drilled for one in reached)


def _plan(one: OpenedStore, archive: str | None, choose: Choose) -> StoreDrill:
    planned = StoreDrill(one.name, one.required)
    try:
        planned.vault = Vault(one.store)
        listed = planned.vault.list_archives()
    except ArchiverError as error:
        planned.problems.append(excused(error, required=one.required))
        return planned
    planned.problems += listed.problems
    planned.head = listed.archives[-1].head if listed.archives else None
    if archive is None:
        planned.archives = choose_archives(listed.readable, choose)
    else:
        planned.archives = [each for each in listed.archives if each.name == archive]
        for each in planned.archives:
            require_not_disposed(each)
    return planned


def run_drill(
    plan: Sequence[StoreDrill],
    identities: Sequence[Identity],
    tools: Tools | str,
    progress: Progress = lambda phase, done, total: None,
) -> None:
    """Restore all that was drawn, into memory; what is found goes into the plan. One that fails stops none of
    the others."""
    for one in plan:
        for archive in one.archives:
            try:
                assert one.vault is not None  # noqa: S101  # it has archives
                one.drilled.append(drill_archive(one.vault, archive, identities, tools, progress))
            except ArchiverError as error:
                one.problems.append(excused(error, required=one.required))
