"""`archiver demo`: the whole job once, on a sample, told to a person."""

import datetime as dt
import os
import shlex
import shutil
import sys
from pathlib import Path

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import host_act, put_log, share_log
from archiver.cli._copies import verify_after_sealing
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, progress_bar
from archiver.cli._report import report_copies, report_import, report_seal
from archiver.cli.search import command as search_command
from archiver.errors import UsageError
from archiver.inbox.exports import import_exports
from archiver.initialise import initialise
from archiver.jobs.work.imported import imported_of
from archiver.jobs.work.sealed import sealed_of
from archiver.sample import write_sample_export
from archiver.seal import seal
from archiver.settings import FILE_NAME, load_settings
from archiver.times import system_clock
from archiver.vault import Vault
from archiver.wiring.collector import open_collector
from archiver.wiring.seal import first_name, other_stores, seal_options
from archiver.wiring.stores import first_store

SAMPLE_UNTIL = dt.date(2026, 10, 31)
SAMPLE_NAME = "sample-export.zip"
SAMPLE_HOLDER = "sample-holder"
SAMPLE_QUERY = "burglary since:2026-10 until:2026-10"


@click.command("demo", epilog=examples("archiver demo my-first-archive"))
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@pass_session
def command(session: Session, directory: Path) -> int:
    """Make DIR with keys and a vault, back up the built-in export of a fictional police force, verify it
    and search it. Run again, it backs up again: nothing new, nothing twice."""
    directory = directory.absolute()
    settings_path = directory / FILE_NAME
    if not settings_path.exists():
        initialise(directory, SAMPLE_HOLDER, now_ms=system_clock(), environ=session.environ)
        click.echo(f"Made {_shown(directory)}: settings, keys and an empty vault.")
    keyholder = load_settings(settings_path).keyholder
    if keyholder is None or keyholder.name != SAMPLE_HOLDER:
        raise UsageError(
            f"{directory} is not a demo's folder", "what is sealed stays: choose another folder for the demo"
        )
    session.config = settings_path
    sample = directory / SAMPLE_NAME
    if not sample.exists():
        write_sample_export(sample, until=SAMPLE_UNTIL)
        click.echo(f"Wrote {sample.name}: 24 months of a fictional force, as X would hand them out.")
    code = _back_up(session, sample)
    click.echo(f"\nLast month, searched in the sealed archive: {SAMPLE_QUERY}")
    click.get_current_context().invoke(
        search_command, words=(SAMPLE_QUERY,), order="newest", limit=3, effort=False
    )
    _say_what_next(directory)
    return code


def _back_up(session: Session, sample: Path) -> int:
    settings = load_settings(sample.parent / FILE_NAME)
    with open_collector(settings) as collector:
        vault = Vault(first_store(settings))
        with host_act(session, Asked("import", "demo", ids=[sample.name])) as act:
            results = import_exports(
                collector, [sample], may_add_account=True, clock=system_clock, progress=progress_bar(session)
            )
            clear_progress(session)
            act.end(**imported_of(results))
        imported = report_import(session, results)
        with host_act(session, Asked("seal", "demo")) as act:
            put_log(session, vault.store)  # so that the manifest names it
            sealed = seal(
                collector.spool,
                collector.state,
                vault,
                seal_options(settings),
                system_clock,
                others=other_stores(settings),
            )
            act.end(**sealed_of(sealed))
        report_seal(session, sealed, first_name(settings))
        not_copied = report_copies(session, sealed.copies)
        with host_act(session, Asked("verify", "demo"), must=False):
            verified = verify_after_sealing(session, vault, collector.state.head(), sealed.copies)
    return verified or share_log(session) or not_copied or imported


def _say_what_next(directory: Path) -> None:
    name = "archiver" if shutil.which("archiver") else os.path.relpath(sys.argv[0])
    program = f"{name} --config {_shown(directory)}"
    click.echo(
        f"""
Where it lies   {_shown(directory / "vault")}  (encrypted; copy it anywhere)
The key         {_shown(directory / "keys" / f"{SAMPLE_HOLDER}.identity")}  (nothing else opens it)
Search          {program} search flooding
Show one        {program} show ID
Check           {program} verify
Your own        {name} init DIR --holder NAME
                {name} --config DIR import --add-account EXPORT.zip
                {name} --config DIR backup
                On X the export is under Settings, Your account, Download an archive of your data."""
    )


def _shown(directory: Path) -> str:
    """The folder as one would type it from here."""
    return shlex.quote(os.path.relpath(directory) if directory.is_relative_to(Path.cwd()) else str(directory))
