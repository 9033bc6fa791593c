"""A drill of every store: what is drilled is drawn before anything is opened, so that the log can say it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from archiver.drill import Choose, Drilled, Progress, choose_archives, drill_archive
from archiver.drill.tools import Tools
from archiver.errors import ArchiverError, IncompleteError, UsageError, excused
from archiver.keys import Identity
from archiver.stores.named import NamedStore, OpenedStore, open_all, sync_command
from archiver.vault import Archive, Vault, require_not_disposed


@dataclass
class StoreDrill:
    """One store: the archives drawn, what was proven of each, and what is wrong that is no one archive's."""

    store: str
    required: bool
    vault: Vault | None = None
    archives: list[Archive] = field(default_factory=list)
    drilled: list[Drilled] = field(default_factory=list)
    problems: list[ArchiverError] = field(default_factory=list)

    def all_problems(self) -> list[ArchiverError]:
        """Those of the archives too."""
        return [*self.problems, *(problem for one in self.drilled for problem in one.problems)]


def plan_drill(
    stores: Sequence[NamedStore], archive: str | None = None, choose: Choose = secrets.randbelow
) -> list[StoreDrill]:
    """Which archives of each store: the one named, else the newest and one by chance. No key is needed.

    Raise UsageError where no store has the one named, ArchiverError where it was disposed of, IncompleteError
    where there is no archive at all."""
    plan = [_plan(one, archive, choose) for one in open_all(stores)]
    drawn = any(one.archives for one in plan)
    if not drawn and not any(one.problems for one in plan):
        if archive is not None:
            raise UsageError(f"there is no archive {archive}", "see which there are: archiver status")
        raise IncompleteError("the vault has no archive yet, so there is nothing to restore", "archiver seal")
    if archive is not None and drawn:
        for one in plan:
            if not one.archives and not one.problems:
                text = f"it has no archive {archive}, which another store has"
                one.problems.append(IncompleteError(text, f"fill it: {sync_command(one.store)}"))
    return plan


def _plan(one: OpenedStore, archive: str | None, choose: Choose) -> StoreDrill:
    planned = StoreDrill(one.name, one.required)
    try:
        planned.vault = Vault(one.store)
        listed = planned.vault.list_archives()
    except ArchiverError as error:
        planned.problems.append(excused(error, required=one.required))
        return planned
    planned.problems += listed.problems
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
