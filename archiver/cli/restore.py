"""`archiver restore`: an archive written out decrypted."""

from pathlib import Path

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import reader_options
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._progress import clear_progress, step_progress
from archiver.errors import UsageError
from archiver.restore import restore_archive
from archiver.vault import require_not_disposed


@click.command("restore", epilog=examples("archiver restore 2026-11-01 --to /srv/restored"))
@click.argument("archive")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), metavar="DIR")
@store_option
@reader_options
@pass_session
def command(
    session: Session, archive: str, target: Path, store: str | None, reason: str | None, case: str | None
) -> int:
    """Write an archive's databases, pictures and videos to DIR/ARCHIVE, decrypted: protect that folder."""
    session.require_reason(reason)
    identities = session.identities()
    vault = session.open_vault(store)
    archives = session.list_archives(vault).require_sound()
    found = next((one for one in archives if one.name == archive), None)
    if found is None:
        raise UsageError(f"there is no archive {archive}", "see which there are: archiver status")
    require_not_disposed(found)
    asked = Asked(
        "restore", "restore", ids=[archive], case=case, reason=reason, detail={"folder": str(target)}
    )
    with session.act(asked) as act:
        written = restore_archive(vault, found, identities, target, step_progress(session))
        clear_progress(session)
        act.end(results=len(written))
    if session.json:
        session.print_json("restored", archive=archive, files=[str(path) for path in written])
    else:
        click.echo(f"Restored {archive}: {len(written)} files in {target / archive}, not encrypted any more.")
    return session.worst(0, named=True)
