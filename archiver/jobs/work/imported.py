"""The inbox into the spool, logged first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archiver.audit.entry import DONE, Asked
from archiver.collect import CollectReport
from archiver.errors import ArchiverError, IncompleteError, SourceError, sentence_of, worse_code
from archiver.inbox.exports import Imported
from archiver.inbox.files import FAILED, names_of
from archiver.inbox.taking import Inbox, Taken
from archiver.jobs.base import JobContext
from archiver.wiring.log import collector_act

INCOMPLETE = IncompleteError.exit_code
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class InboxReport:
    """What became of the inbox. `problems`: what a person should be told beside that; `failed`: so many files
    were moved to `failed/`, `done`: to `done/`; `waiting`: so many wait, for their end or for other parts;
    `said`: those of the problems that are told of once, and again after a week."""

    imported: Sequence[Imported]
    problems: Sequence[ArchiverError]
    failed: int
    done: int
    waiting: int
    said: Sequence[ArchiverError] = ()

    @property
    def code(self) -> int:
        """0, 3 where something is missing, or the code of what failed, where nothing was taken."""
        code = import_code(self.imported)
        for problem in self.problems:
            code = worse_code(code, problem.exit_code)
        return code


def import_inbox(
    context: JobContext,
    command: str,
    *,
    patient: bool = False,
    may_add_account: bool = False,
    progress: Progress = lambda phase, records: None,
) -> InboxReport:
    """Take in what lies whole in the inbox, if anything, and put away what is sealed. `command`: who does,
    for the log. `patient`: nobody waits for the answer, and what is told of files names none.

    Raise ArchiverError where the inbox cannot be read, or the log or the journal not written; what is
    refused is in the answer."""
    inbox = Inbox(context.settings, context.journal, context.clock, patient=patient)
    spool = context.collector.spool
    done, unmoved = inbox.put_away(spool)
    survey = inbox.look()
    said = inbox.say(survey)
    taken = Taken()
    if survey.ready:
        asked = Asked("import", command, ids=[names_of([one.path]) for one in survey.ready])
        with collector_act(context.settings, context.environ, asked, context.clock) as act:
            taken = inbox.take(survey, context.collector, may_add_account=may_add_account, progress=progress)
            act.end(**imported_of(taken.imported))
        again, still = inbox.put_away(spool)  # what brought nothing new has nothing to wait for
        done, unmoved = done + again, still
    return InboxReport(
        taken.imported,
        [*said, *taken.unmoved, *unmoved],
        taken.failed,
        done,
        len(survey.waiting) + taken.waiting,
        said,
    )


def put_away(context: JobContext) -> Sequence[ArchiverError]:
    """Move exports whose records are sealed to `done/`: to be called after a sealing. What could not be
    moved, which stops nothing: the next run tries again."""
    inbox = Inbox(context.settings, context.journal, context.clock, patient=True)
    return inbox.put_away(context.collector.spool)[1]


def import_code(results: Sequence[Imported]) -> int:
    """0, 3 where something is missing, or the code of what failed, where nothing was taken."""
    codes = [_code_of(one) for one in results]
    failed = [code for code in codes if code not in (0, INCOMPLETE)]
    if failed and len(failed) == len(codes):
        return failed[0]
    return INCOMPLETE if any(codes) else 0


def _code_of(result: Imported) -> int:
    if result.error is not None:
        return result.error.exit_code
    return 0 if result.report is None or result.report.complete else INCOMPLETE


def imported_of(results: Sequence[Imported]) -> dict[str, Any]:
    """What the log says of exports: the records that were new or changed, whose they are, and what was
    refused for which kind of error."""
    reports = [one.report for one in results if one.report is not None]
    refused = sorted({type(one.error).__name__ for one in results if one.error is not None})
    detail: dict[str, object] = {"accounts": sorted({one.account for one in reports})}
    if refused:
        detail["refused"] = refused
    outcome = f"failed: {', '.join(refused)}" if refused and not reports else DONE
    return {"results": _changed(results), "outcome": outcome, "detail": detail}


def import_facts(report: InboxReport) -> Mapping[str, object]:
    """For the run's report: how many exports were taken, which records they brought, what was refused."""
    return {
        "exports": sum(one.report is not None for one in report.imported),
        "records": _changed(report.imported),
        "refused": sum(one.is_refused for one in report.imported),
        "failed": report.failed,
        "done": report.done,
        "waiting": report.waiting,
    }


def import_summary(report: InboxReport) -> str:
    """For a person: what was taken, what waits, where the rest went."""
    taken = sum(one.report is not None for one in report.imported)
    said = []
    if taken:
        records = f"{_changed(report.imported):,} records new or changed"
        said.append(f"{taken:,} export{'' if taken == 1 else 's'} taken, {records}")
    for number, where in (
        (report.waiting, "waiting"),
        (report.done, "to done"),
        (report.failed, "to failed"),
    ):
        if number:
            said.append(f"{number:,} file{'' if number == 1 else 's'} {where}")
    return "; ".join(said) or "nothing new"


def import_problems(report: InboxReport) -> list[str]:
    """For the run's report, which goes out in notices: a sentence for whatever is wrong, without the names of
    files and of other people's accounts, which the reasons in `failed/` give."""
    problems = [sentence_of(one) for one in report.problems] + _refused(report)
    for one in report.imported:
        if one.report is not None and not one.report.complete:
            problems.append(_lacks(one.report))
        elif one.error is not None and not one.is_refused:
            unread = isinstance(one.error, SourceError)
            said = "an export in the inbox cannot be read" if unread else sentence_of(one.error)
            problems.append(f"{said}; it stays in the inbox and is tried again")
    return problems


def import_news(report: InboxReport) -> list[str]:
    """Those of the problems that no later run says of the same export or file, but after a week. What two of
    them have in common is said of each alike, as no name is in it."""
    news = [sentence_of(one) for one in report.said]
    if report.failed and report.code == INCOMPLETE:  # what cannot be moved is refused by every run
        news += _refused(report)
    for one in report.imported:
        if one.report is not None and not one.report.complete:
            news.append(_lacks(one.report))
    return news


def _refused(report: InboxReport) -> list[str]:
    refused = sum(one.is_refused for one in report.imported)
    if not refused:
        return []
    exports = "1 export was refused" if refused == 1 else f"{refused} exports were refused"
    return [f"{exports}: see {FAILED}/ in the inbox, where the reason lies beside each"]


def _lacks(taken: CollectReport) -> str:
    whose = f"@{taken.handle}" if taken.handle else taken.account
    media, others = taken.media_missing, len(taken.problems)
    return (
        f"the export of {whose} lacks something: pictures and videos missing {media:,},"
        f" other problems {others:,}; the archive lists them"
    )


def _changed(results: Sequence[Imported]) -> int:
    return sum(
        changes.get("new", 0) + changes.get("changed", 0)
        for one in results
        if one.report is not None and not one.report.repeated
        for changes in one.report.counts.values()
    )
