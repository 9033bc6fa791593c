"""Every store with every archive, and with the log."""

from collections.abc import Callable, Mapping
from typing import Any

from archiver.chain import Head
from archiver.errors import sentence_of
from archiver.jobs.work.sealed import away_sentences, stamping_problems
from archiver.settings import Settings
from archiver.stores.checks import check_store
from archiver.sync import Synced, sync_stores
from archiver.wiring.stores import named_stores

Progress = Callable[[str, int, int], None]


def fill_stores(
    settings: Settings,
    known_head: Head | None,
    *,
    only: str | None = None,
    clean: bool = False,
    progress: Progress = lambda what, done, total: None,
) -> Synced:
    """Give every store, or `only` one, what another has. Raise as `archiver.sync.sync_stores`."""
    return sync_stores(
        named_stores(settings),
        check_store,
        only=only,
        known_head=known_head,
        clean=clean,
        authorities=settings.timestamps,
        progress=progress,
    )


def synced_of(result: Synced) -> dict[str, Any]:
    """What the log says of it: the archives that a store was given."""
    given = {name for filled in result.stores for name in filled.archives}
    return {"results": len(given), "ids": sorted(given)}


def sync_facts(result: Synced) -> Mapping[str, object]:
    """For the run's report: how many archives there are, and which store was given how many."""
    return {
        "archives": result.archives,
        "given": {filled.name: len(filled.archives) for filled in result.stores},
        "bytes": sum(filled.bytes for filled in result.stores),
        "unreached": [filled.name for filled in result.stores if not filled.reached],
        "lacking": [filled.name for filled in result.stores if filled.lacking],
    }


def sync_summary(result: Synced) -> str:
    """For a person: whether every store has everything."""
    given = [f"{one.name} was given {len(one.archives):,}" for one in result.stores if one.archives]
    lacking = [f"{one.name} is not complete" for one in result.stores if one.lacking or one.all_problems]
    whole = [] if lacking else ["every store has all"]
    archives = f"{result.archives:,} archive{'' if result.archives == 1 else 's'}"
    return f"{archives}: {', '.join([*given, *lacking, *whole])}"


def sync_excused(result: Synced) -> list[str]:
    """Those of the problems that nobody has to do anything about."""
    return away_sentences(result.stores)


def sync_problems(result: Synced) -> list[str]:
    """For the run's report: what kept a store from having all."""
    problems = [sentence_of(problem) for filled in result.stores for problem in filled.all_problems]
    problems += [sentence_of(problem) for problem in result.problems]
    return problems + stamping_problems(result.stamping)
