"""The spool into the vault, logged first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archiver.audit.entry import Asked
from archiver.errors import IncompleteError, excused, sentence_of, worse_code
from archiver.jobs.base import JobContext
from archiver.seal import SealOptions, SealResult, seal
from archiver.spool import NOT_WANTED
from archiver.sync import Filled
from archiver.sync.stamping import Stamping
from archiver.vault import Archive, Vault
from archiver.wiring.claims import hold_vault
from archiver.wiring.log import LogProblem, collector_act, log_code, put_log
from archiver.wiring.seal import open_first, other_stores, seal_options

INCOMPLETE = IncompleteError.exit_code
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SpoolSealed:
    """What sealing did, in the vault that it sealed into; what kept this host's log out of that."""

    result: SealResult
    vault: Vault
    unlogged: tuple[LogProblem, ...] = ()

    def with_log(self, problems: Iterable[LogProblem]) -> "SpoolSealed":
        """The same, with more that kept the log out of a store."""
        return replace(self, unlogged=(*self.unlogged, *problems))


def seal_spool(
    context: JobContext,
    command: str,
    *,
    options: SealOptions | None = None,
    progress: Progress = lambda phase, done, total: None,
) -> SpoolSealed:
    """Seal all that waits into every store. `command`: who does, for the log. Raise as `archiver.seal.seal`,
    and NoVaultError or StoreError where the first store cannot be written to: the spool keeps all."""
    settings = context.settings
    options = options or seal_options(settings)
    vault = open_first(settings)
    with collector_act(settings, context.environ, Asked("seal", command), context.clock) as act:
        hold_vault(settings, context.collector.spool, context.collector.state, vault, context.clock)
        unlogged = put_log(settings, vault.store)  # so that the manifest names it
        result = seal(
            context.collector.spool,
            context.collector.state,
            vault,
            options,
            context.clock,
            progress,
            other_stores(settings),
        )
        act.end(**sealed_of(result))
    return SpoolSealed(result, vault, tuple(unlogged))


def seal_code(sealed: SpoolSealed) -> int:
    """0, 3 where the archive or a store lacks something, or the code of what failed."""
    result = sealed.result
    short = result.problems or shortage_of(result.archive) or result.stamping.lacking
    code = worse_code(copies_code(result.copies), log_code(sealed.unlogged))
    return worse_code(code, INCOMPLETE if short else 0)


def copies_code(copies: Sequence[Filled]) -> int:
    """Of the stores beside the first: the failed one's code where it is required, 3 where not."""
    failed = [one for one in copies if one.all_problems or one.lacking]
    required = [problem.exit_code for one in failed if one.required for problem in one.all_problems]
    return max(required, default=INCOMPLETE if failed else 0)


def seal_excused(sealed: SpoolSealed) -> list[str]:
    """Those of the problems that nobody has to do anything about: what the archive names as missing is named
    in it for good, and of a store that may be away the checks tell when that is too long."""
    return _shortages(sealed.result.archive) + away_sentences(sealed.result.copies)


def away_sentences(stores: Iterable[Filled]) -> list[str]:
    """What is said of stores that need not have everything, and are away."""
    return [
        sentence_of(problem)
        for one in stores
        if not one.reached and not one.required
        for problem in one.all_problems
        if isinstance(excused(problem, required=False), IncompleteError)
    ]


def _shortages(archive: Archive | None) -> list[str]:
    short = shortage_of(archive)
    return [f"archive {archive.name} names what is missing: {short}"] if archive is not None and short else []


def stamping_problems(stamping: Stamping) -> list[str]:
    """What kept archives from their time stamps."""
    problems = [sentence_of(problem) for problem in stamping.problems]
    if stamping.lacking:
        problems.append(f"without a time stamp: {', '.join(stamping.lacking)}")
    return problems


def shortage_of(archive: Archive | None) -> str:
    """What an archive just sealed is known to lack, whichever run found that; empty where nothing."""
    if archive is None:
        return ""
    manifest = archive.manifest
    media = sum(
        number
        for count in manifest.counts
        for reason, number in count.missing.items()
        if reason != NOT_WANTED
    )
    problems = sum(number for reason, number in manifest.problems.items() if reason != "context")
    parts = (
        (len(manifest.gaps), "gap", "gaps"),
        (media, "picture or video missing", "pictures and videos missing"),
        (problems, "problem", "problems"),
    )
    return ", ".join(f"{number:,} {one if number == 1 else many}" for number, one, many in parts if number)


def sealed_of(result: SealResult) -> dict[str, Any]:
    """What the log says of a sealing: its records, and the archive."""
    if result.archive is None:
        return {"results": 0}
    return {"results": result.archive.manifest.record_count, "ids": [result.archive.name]}


def seal_facts(sealed: SpoolSealed) -> Mapping[str, object]:
    """For the run's report: the archive, and the chain's end with it."""
    archive = sealed.result.archive
    if archive is None:
        return {"archive": None}
    return {
        "archive": archive.name,
        "sequence": archive.head.sequence,
        "manifest_sha256": archive.head.sha256,
        "records": archive.manifest.record_count,
        "bytes": archive.manifest.file_bytes,
        "copied": [one.name for one in sealed.result.copies if archive.name not in one.lacking],
    }


def seal_summary(sealed: SpoolSealed) -> str:
    """For a person: the archive, and the chain's end, which is to be kept elsewhere."""
    archive = sealed.result.archive
    if archive is None:
        return "nothing new to seal"
    head = f"{archive.head.sequence}:{archive.head.sha256}"
    return f"archive {archive.name}, {archive.manifest.record_count:,} records; chain head {head}"


def seal_problems(sealed: SpoolSealed) -> list[str]:
    """For the run's report: what is missing, and what failed in which store."""
    result, problems = sealed.result, []
    name = "" if result.archive is None else result.archive.name
    if result.problems:
        problems.append(f"archive {name}: {len(result.problems):,} records are kept, but not understood")
    problems += _shortages(result.archive)
    problems += [sentence_of(problem) for one in result.copies for problem in one.all_problems]
    problems += [f"{one.about}: {sentence_of(one.error)}" for one in sealed.unlogged]
    return problems + stamping_problems(result.stamping)
