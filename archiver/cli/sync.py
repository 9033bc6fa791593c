"""`archiver sync`: every store with every archive."""

from contextlib import AbstractContextManager, nullcontext

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import host_act, share_log
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._report import joined
from archiver.cli._session import print_error
from archiver.cli._stamps import report_stamping
from archiver.disk import Lock, make_directories
from archiver.errors import IntegrityError, worse_code
from archiver.jobs.noting import note_by_hand
from archiver.jobs.work.synced import fill_stores, sync_excused, sync_problems, synced_of
from archiver.sizes import byte_size
from archiver.sync import Filled, Synced
from archiver.times import system_clock
from archiver.wiring.spool import remembered_head


@click.command(
    "sync",
    epilog=examples(
        "archiver --config police-archive sync", "archiver --config police-archive sync --store bucket"
    ),
)
@click.option("--store", "only", metavar="NAME", help="Fill this store alone; the settings name it.")
@pass_session
def command(session: Session, only: str | None) -> int:
    """Give every store each archive that any of them has, and what is added beside the archives, as exhibits:
    one that was away, was emptied, or is new; and each archive the time stamp that it lacks, where the
    settings name an authority.

    Needs no private key. Nothing is replaced: where two stores do not agree, it says so and copies nothing.
    A new store is proven first, as by `archiver stores check`. Exit 0 means that every store has all of it;
    3, that an optional one has not, that a time stamp was not to be had, or that something is left to do."""
    settings, started_ms = session.settings, system_clock()
    collects = settings.spool_identity.exists()
    if collects:
        make_directories(settings.lock.parent)
    lock: AbstractContextManager[object] = Lock(settings.lock) if collects else nullcontext()
    asked = Asked("seal", "sync", detail={} if only is None else {"store": only})
    with host_act(session, asked) as act:
        with lock:
            result = fill_stores(
                settings,
                remembered_head(settings)[0],
                only=only,
                clean=collects,
                progress=step_progress(session, byte_size),
            )
        clear_progress(session)
        act.end(**synced_of(result))
    code = worse_code(_report(session, result), share_log(session, only=only, mend=True))
    if only is None and collects:
        problems, excused = sync_problems(result), sync_excused(result)
        note_by_hand(settings, "sync", started_ms, system_clock(), code, problems, excused)
    return code


def show(what: str, done: int, total: int) -> None:
    click.echo(f"\r{what} {byte_size(done)} of {byte_size(total)} …\x1b[K", err=True, nl=False)


def _report(session: Session, result: Synced) -> int:
    for filled in result.stores:
        if session.json:
            session.print_json("store", **_fields(filled))
        else:
            click.echo(f"{filled.name}: {_line(filled, result.archives)}")
    problems = [problem for filled in result.stores for problem in filled.all_problems] + result.problems
    for problem in problems:
        print_error(problem)
    report_stamping(session, result.stamping)
    if session.json:
        session.print_json(
            "synced",
            archives=result.archives,
            complete=result.exit_code == 0,
            problems=[{"error": one.message, "hint": one.hint} for one in result.problems],
        )
    return result.exit_code


def _fields(filled: Filled) -> dict[str, object]:
    return {
        "name": filled.name,
        "required": filled.required,
        "given": filled.archives,
        "files": filled.files,
        "bytes": filled.bytes,
        "additions": filled.additions,
        "reached": filled.reached,
        "lacking": filled.lacking if filled.reached else None,
        "problems": [{"error": one.message, "hint": one.hint} for one in filled.all_problems],
    }


def _line(filled: Filled, archives: int) -> str:
    """What a person is told of one store."""
    if not filled.reached:
        return "CANNOT BE USED" if isinstance(filled.error, IntegrityError) else "CANNOT BE REACHED"
    given = ""
    if filled.archives:
        files = f"{filled.files:,} file{'' if filled.files == 1 else 's'}"
        given = f"given {joined(filled.archives)} ({files}, {byte_size(filled.bytes)}); "
    if filled.additions:
        given += (
            f"given {filled.additions:,} file{'' if filled.additions == 1 else 's'} beside the archives; "
        )
    if filled.lacking:
        return f"{given}LACKS {joined(filled.lacking)}"
    if filled.error is not None:
        return f"{given}was not filled"
    if not archives:
        return "there is no archive yet"
    return f"{given}has {'the one archive' if archives == 1 else f'all {archives:,} archives'}"
