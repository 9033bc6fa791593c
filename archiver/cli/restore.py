"""`archiver restore`: an archive written out decrypted."""

from pathlib import Path

import click

from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._progress import clear_progress, step_progress
from archiver.errors import UsageError
from archiver.restore import restore_archive


@click.command("restore", epilog=examples("archiver restore 2026-11-01 --to /srv/restored"))
@click.argument("archive")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), metavar="DIR")
@store_option
@pass_session
def command(session: Session, archive: str, target: Path, store: str | None) -> int:
    """Write an archive's databases, pictures and videos to DIR/ARCHIVE, decrypted: protect that folder."""
    identities = session.identities()
    vault = session.open_vault(store)
    archives = session.list_archives(vault).require_sound()
    found = next((one for one in archives if one.name == archive), None)
    if found is None:
        raise UsageError(f"there is no archive {archive}", "see which there are: archiver status")
    written = restore_archive(vault, found, identities, target, step_progress(session))
    clear_progress(session)
    if session.json:
        session.print_json("restored", archive=archive, files=[str(path) for path in written])
    else:
        click.echo(f"Restored {archive}: {len(written)} files in {target / archive}, not encrypted any more.")
    return session.worst(0, named=True)
