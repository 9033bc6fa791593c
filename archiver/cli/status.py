"""`archiver status`: what there is, and what waits."""

import click

from archiver.backup import find_in_inbox
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._report import byte_size
from archiver.times import format_date, format_time
from archiver.vault import Archive
from archiver.wiring import Waiting, open_vault, open_waiting


@click.command("status", epilog=examples("archiver --config police-archive status"))
@pass_session
def command(session: Session) -> int:
    """List accounts with their last export, archives, and what waits in inbox and spool. Needs no key."""
    settings = session.settings
    waiting = open_waiting(settings)
    inbox = [path.name for path in find_in_inbox(settings.inbox)] if settings.inbox.is_dir() else []
    listed = open_vault(settings).list_archives(waiting.head)
    if session.json:
        _print_json(session, listed.archives, inbox, waiting)
    else:
        _print_lines(session, listed.archives, inbox, waiting)
    if listed.problems:
        raise listed.problems[0]
    return 0


def _print_json(session: Session, archives: tuple[Archive, ...], inbox: list[str], waiting: Waiting) -> None:
    for account in session.settings.accounts:
        last = waiting.exports.get(account.id)
        session.print_json(
            "account",
            platform=account.platform,
            id=account.id,
            handle=account.handle,
            last_export=None if last is None else format_time(last),
        )
    for archive in archives:
        manifest = archive.manifest
        session.print_json(
            "archive",
            archive=archive.name,
            sequence=manifest.sequence,
            sealed_at=manifest.sealed_at,
            covers_from=manifest.covers_from,
            covers_to=manifest.covers_to,
            records=_records(archive),
            bytes=_size(archive),
            sha256=archive.head.sha256,
        )
    session.print_json("waiting", inbox=inbox, spool_records=waiting.records, spool_bytes=waiting.bytes)


def _print_lines(session: Session, archives: tuple[Archive, ...], inbox: list[str], waiting: Waiting) -> None:
    click.echo(f"Vault {session.settings.vault}")
    for account in session.settings.accounts:
        last = waiting.exports.get(account.id)
        said = f"last export made {format_date(last)}" if last is not None else "no export taken here yet"
        click.echo(f"  account {account.platform} @{account.handle or '?'} ({account.id}): {said}")
    for archive in archives:
        manifest = archive.manifest
        covers = f"{(manifest.covers_from or '?')[:10]} to {(manifest.covers_to or '?')[:10]}"
        size = byte_size(_size(archive))
        click.echo(f"  archive {archive.name}: {_records(archive):,} records, {size}, posted {covers}")
    if not archives:
        click.echo("  no archive yet")
    click.echo(f"  inbox: {', '.join(inbox) or 'empty'}")
    click.echo(f"  spool: {waiting.records:,} records wait to be sealed ({byte_size(waiting.bytes)})")


def _records(archive: Archive) -> int:
    return sum(sum(file.records.values()) for file in archive.manifest.files)


def _size(archive: Archive) -> int:
    return sum(file.size for file in archive.manifest.files)
