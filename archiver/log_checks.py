"""The log of every store checked and held against the others, for `archiver log verify`, `archiver verify`
and the checks of `archiver run`."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from archiver.audit.following import Unpacked
from archiver.audit.remembered import load_heads
from archiver.audit.verify import (
    Against,
    CutOffError,
    LogVerification,
    LostArchiveError,
    Noted,
    verify_log,
)
from archiver.errors import ArchiverError, IncompleteError, IntegrityError
from archiver.settings import Settings
from archiver.stores.base import outcome
from archiver.stores.named import OpenedStore, open_all
from archiver.vault import Vault
from archiver.wiring.log import collector_queue, has_collector_key
from archiver.wiring.stores import find_store, named_stores

Progress = Callable[[str, int, int], None]


class BehindError(IncompleteError):
    """A store lacks the end of a log that another has: it comes with the next `archiver sync`."""


@dataclass(frozen=True)
class StoreLog:
    """What was found in one store. `away`: it could not be looked at."""

    store: str
    required: bool
    away: bool
    result: LogVerification


def check_logs(
    settings: Settings,
    store: str | None,
    noted: Sequence[Noted],
    *,
    progress: Progress,
    only: Callable[[OpenedStore], bool] = lambda one: True,
    archives: bool = True,
) -> list[StoreLog]:
    """The log of each store, or of the one named; `only`: of those that are to be looked at. What another
    store has is only behind in this one."""
    named = named_stores(settings) if store is None else (find_store(settings, store),)
    waiting = outcome(partial(_waiting, settings))
    waits = [] if isinstance(waiting, ArchiverError) else waiting
    checked = [
        StoreLog(
            one.name,
            one.required,
            one.error is not None,
            _check(settings, one, noted, waits, progress, archives=archives),
        )
        for one in open_all(named)
        if only(one)
    ]
    if isinstance(waiting, ArchiverError) and checked:
        checked[0].result.problems.append(waiting)
    for one in checked:
        one.result.problems[:] = [_excused(problem, one, checked) for problem in one.result.problems]
    return checked


def _check(
    settings: Settings,
    one: OpenedStore,
    noted: Sequence[Noted],
    waiting: Sequence[Unpacked],
    progress: Progress,
    *,
    archives: bool,
) -> LogVerification:
    if one.error is not None:
        error = one.error if one.required else IncompleteError(one.error.message, one.error.hint)
        return LogVerification(problems=[error])
    try:
        vault = Vault(one.store)
        against, problems = _against(settings, one, vault, noted, archives=archives)
        result = verify_log(one.store, against, waiting=waiting, progress=progress)
    except ArchiverError as error:
        return LogVerification(problems=[error])
    result.problems += problems
    return result


def _against(
    settings: Settings, one: OpenedStore, vault: Vault, noted: Sequence[Noted], *, archives: bool
) -> tuple[Against, list[ArchiverError]]:
    """What the log of a store is held against: its manifests, what this host remembers, what was given."""
    listed = vault.list_archives()
    known = list(noted)
    for archive in listed.archives:
        where = f"archives/{archive.name}/manifest.json"
        known += [Noted(chain, head, where) for chain, head in archive.manifest.logs.items()]
    problems: list[ArchiverError] = []
    try:
        known += _remembered(settings, one, vault.id)
    except ArchiverError as error:
        problems.append(error)
    is_told = archives and not listed.problems  # else `archiver verify` says what is wrong with them
    there = {each.head.sequence: each.head.sha256 for each in listed.archives} if is_told else None
    signers = None
    with suppress(ArchiverError):
        signers = vault.allowed_signers()
    return Against(vault.id, signers, there, known), problems


def _remembered(settings: Settings, one: OpenedStore, vault: str) -> list[Noted]:
    """The ends that this host remembers: its keyholder's, and the collector's where it was put."""
    found: list[Noted] = []
    keyholder = settings.keyholder
    if keyholder is not None:
        for path in (keyholder.log_head, keyholder.custody_head):
            remembered = load_heads(path).get(vault)
            if remembered is not None:
                found.append(Noted(remembered.chain, remembered.head, str(path)))
    if has_collector_key(settings) and settings.log_queue.is_dir():
        queue = collector_queue(settings)
        if (end := queue.end()) is not None:
            found.append(Noted(end[0], end[1], str(settings.log_queue)))
    return found


def _waiting(settings: Settings) -> list[Unpacked]:
    if not has_collector_key(settings) or not settings.log_queue.is_dir():
        return []
    return collector_queue(settings).waiting()


def _excused(problem: ArchiverError, one: StoreLog, checked: Sequence[StoreLog]) -> ArchiverError:
    """A store that lacks the end, or an archive, which another has is behind, not cut off."""
    if isinstance(problem, LostArchiveError):
        others = [other for other in checked if other is not one and not other.away]
        if any(not _lacks(other, problem.number) for other in others):
            return IncompleteError(problem.message, problem.hint)
    if not isinstance(problem, CutOffError):
        return problem
    for other in checked:
        head = other.result.heads.get(problem.chain)
        whole = not any(isinstance(each, IntegrityError) for each in other.result.problems)
        if other is not one and head is not None and head.sequence >= problem.noted and whole:
            return BehindError(
                f"the log of {problem.chain} is behind: store {other.store} has entry {head.sequence}",
                "fill it: archiver sync",
            )
    return problem


def _lacks(other: StoreLog, number: int) -> bool:
    return any(isinstance(each, LostArchiveError) and each.number == number for each in other.result.problems)
