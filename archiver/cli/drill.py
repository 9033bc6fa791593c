"""`archiver drill`: could the archives be restored today?"""

import os
from collections.abc import Sequence
from contextlib import closing

import click

from archiver.cli._acts import host_act, reader_options
from archiver.cli._drilled import print_drill, print_line
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, step_progress
from archiver.drill.stores import NothingLeftError, StoreDrill, has_restored, plan_drill
from archiver.errors import ConfigurationError, UsageError
from archiver.jobs.drilling_work import asked_of, code_of, drill_on_record, note_result, records_of
from archiver.schedule.drills import DrillLine, note_drill, note_nothing, parse_line
from archiver.schedule.journal import Journal
from archiver.settings import Settings
from archiver.times import format_date, system_clock
from archiver.wiring.stores import find_store, named_stores, open_vault


@click.command(
    "drill",
    epilog=examples(
        "archiver drill",
        "archiver drill 2026-11-01 --store offsite",
        "archiver drill --noted drill/2026-11-26T12:00:00.000Z/VAULT/3:SHA256/1986",
    ),
)
@click.argument("archive", required=False)
@click.option("--store", metavar="NAME", help="Only this store; without it every one in the settings.")
@click.option("--noted", metavar="LINE", help="Note a drill done elsewhere: the line that it ended with.")
@reader_options
@pass_session
def command(
    session: Session,
    archive: str | None,
    store: str | None,
    noted: str | None,
    reason: str | None,
    case: str | None,
) -> int:
    """Restore archives into memory with a keyholder's key, never onto a disk, and compare them with what was
    captured: the newest of each store and one by chance, or the one named.

    Every file is decrypted and opened, SQLite checks each database, every record is derived again from its
    capture, every picture and video has its SHA-256; age, zstd and sha256sum, where they are installed, must
    give the same for one file. It is in the log first. Exit 20 where anything differs."""
    if noted is not None:
        if archive is not None or store is not None:
            raise UsageError("--noted stands alone", "archiver drill --noted LINE, on the host that collects")
        return _note(session, noted)
    session.require_reason(reason)
    identities = session.identities()
    settings = session.settings
    stores = named_stores(settings) if store is None else (find_store(settings, store),)
    vault = session.open_vault(store)  # whose log says it
    session.list_archives(vault)
    try:
        plan = plan_drill(stores, archive)
    except NothingLeftError as error:
        _note_nothing(settings, error)
        raise
    act = session.act(asked_of(plan, reason, case))
    drill_on_record(
        plan, identities, act, search_path=session.environ.get("PATH"), progress=step_progress(session)
    )
    clear_progress(session)
    code = code_of(plan)
    noted_here = _note_here(settings, plan)
    print_drill(session, plan, code)
    if code in (0, 3) and has_restored(plan) and not noted_here:
        print_line(session, _line_of(plan, vault.id))
    return code


def _collects(settings: Settings) -> bool:
    """Whether this host has a journal that it may write."""
    return settings.spool_identity.exists() and os.access(settings.state.parent, os.W_OK)


def _note_here(settings: Settings, plan: Sequence[StoreDrill]) -> bool:
    """Note it in the journal of a host that collects: then nobody is reminded of it."""
    if not _collects(settings):
        return False
    with closing(Journal(settings.journal)) as journal:
        note_result(journal, plan, system_clock())
    return True


def _note_nothing(settings: Settings, error: NothingLeftError) -> None:
    """Note that no archive is left: nobody is reminded then."""
    if _collects(settings):
        with closing(Journal(settings.journal)) as journal:
            note_nothing(journal, system_clock(), error.head)


def _line_of(plan: Sequence[StoreDrill], vault: str) -> DrillLine | None:
    """What to bring to the host that collects; None where no archive was restored."""
    heads = [one.head for store in plan for one in store.archives]
    if not heads:
        return None
    newest = max(heads, key=lambda head: head.sequence)
    records = records_of(plan)
    head = f"{newest.sequence}:{newest.sha256}"
    return DrillLine(at_ms=system_clock(), vault=vault, head=head, records=records)


def _note(session: Session, text: str) -> int:
    """Note a drill that was done on another host, of an archive that this vault has."""
    settings = session.settings
    line = parse_line(text, system_clock())
    if not _collects(settings):
        raise ConfigurationError(
            f"{settings.path} names no spool on this host, so there is nothing to note it in",
            "run this on the host that collects: it reminds of the next",
        )
    vault = open_vault(settings)
    heads = {f"{one.head.sequence}:{one.head.sha256}" for one in vault.list_archives().archives}
    if line.vault != vault.id or line.head not in heads:
        raise UsageError(
            "this line is of another vault", "take the line that the drill of this vault printed"
        )
    with (
        host_act(session, asked_of((), "done on another host", None), must=False),
        closing(Journal(settings.journal)) as journal,
    ):
        note_drill(journal, line.at_ms, 0, records=line.records)
    date = format_date(line.at_ms)
    if session.json:
        session.print_json("noted", drill=date, records=line.records)
    else:
        click.echo(f"Noted: a drill of {date}, which compared {line.records:,} records.")
    return 0
