"""A drill from its beginning to its end, logged and noted, for the job and for `archiver drill`."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from archiver.audit.acts import Act, acting
from archiver.audit.entry import Asked
from archiver.drill import Progress
from archiver.drill.stores import StoreDrill, has_restored, plan_drill, run_drill
from archiver.drill.tools import find_tools
from archiver.errors import NoKeyError, worse_code
from archiver.jobs.base import JobContext
from archiver.keys import Identity, ask_nobody, load_identities
from archiver.schedule.drills import note_drill
from archiver.schedule.journal import Journal
from archiver.wiring.log import open_keyholder_log
from archiver.wiring.stores import named_stores, open_vault_to_read


def drill_unattended(context: JobContext, reason: str) -> list[StoreDrill]:
    """Of every store, with the keyholder's identity that opens here. Raise NoKeyError where it does not,
    ArchiverError where the keyholder's log cannot be written: then nothing is opened; and as `plan_drill`."""
    settings, keyholder = context.settings, context.settings.keyholder
    if keyholder is None:
        raise NoKeyError(f"{settings.path} names no keyholder, so nothing here opens an archive")
    identities = load_identities(keyholder, context.environ, ask_nobody)
    opened = open_vault_to_read(settings, cached=False)
    head = context.collector.state.head()
    log = open_keyholder_log(
        settings, context.environ, identities, opened, lambda: head,
        lambda text: context.told("drill.note", {"text": text}),
    )  # fmt: skip
    plan = plan_drill(named_stores(settings), known_head=head)
    act = acting(log.log, log.actor, asked_of(plan, reason, None), context.clock)
    drill_on_record(plan, identities, act, search_path=context.environ.get("PATH"))
    note_result(context.journal, plan, context.clock())
    return plan


def asked_of(plan: Sequence[StoreDrill], reason: str | None, case: str | None) -> Asked:
    """What the log says of a drill: what is restored, of which stores, and that nothing is kept of it."""
    names = sorted({archive.name for one in plan for archive in one.archives})
    stores = [one.store for one in plan if one.archives]
    return Asked(
        "restore", "drill", ids=names, reason=reason, case=case, detail={"stores": stores, "memory": True}
    )


def drill_on_record(
    plan: Sequence[StoreDrill],
    identities: Sequence[Identity],
    act: AbstractContextManager[Act],
    *,
    search_path: str | None,
    progress: Progress = lambda phase, done, total: None,
) -> None:
    """Drill between the two entries of the log. `search_path`: where the public programs are looked for."""
    with act as begun:
        run_drill(plan, identities, find_tools(search_path), progress)
        wrong = sum(len(one.all_problems()) for one in plan)
        begun.end(results=records_of(plan), outcome="done" if not wrong else f"failed: {wrong} problems")


def code_of(plan: Sequence[StoreDrill], *, away: bool = True) -> int:
    """The exit code: that of the worst problem; without `away` also of no store that may be away."""
    code = 0
    for one in plan:
        if one.is_away and not away:
            continue
        for problem in one.all_problems():
            code = worse_code(code, problem.exit_code)
    return code


def archives_of(plan: Sequence[StoreDrill]) -> tuple[str, ...]:
    """What was restored, as STORE/ARCHIVE."""
    return tuple(f"{one.store}/{each.archive}" for one in plan for each in one.drilled)


def records_of(plan: Sequence[StoreDrill]) -> int:
    """How many records were compared."""
    return sum(each.records for one in plan for each in one.drilled)


def note_result(journal: Journal, plan: Sequence[StoreDrill], at_ms: int) -> None:
    """Note in the journal what came of it. That a store is away which may be is no matter: the checks tell
    of it when that is too long."""
    code, restored = code_of(plan, away=False), has_restored(plan)
    note_drill(journal, at_ms, code, archives_of(plan), records_of(plan), restored=restored)
