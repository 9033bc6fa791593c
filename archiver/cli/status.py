"""`archiver status`: what there is, and what waits."""

import click

from archiver.backup import find_in_inbox
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._report import byte_size
from archiver.times import format_date, format_time
from archiver.wiring import open_vault, open_waiting


@click.command("status", epilog=examples("archiver --config police-archive status"))
@pass_session
def command(session: Session) -> int:
    """List accounts with their last export, archives, and what waits in inbox and spool. Needs no key."""
    settings = session.settings
    waiting = open_waiting(settings)
    inbox = [path.name for path in find_in_inbox(settings.inbox)] if settings.inbox.is_dir() else []
    listed = open_vault(settings).list_archives(waiting.head)
    if session.json:
        for account in settings.accounts:
            session.print_json(
                "account", platform=account.platform, id=account.id, handle=account.handle,
                last_export=_last_export(waiting.exports.get(account.id)),
            )  # fmt: skip
        for archive in listed.archives:
            manifest = archive.manifest
            session.print_json(
                "archive", archive=archive.name, sequence=manifest.sequence, sealed_at=manifest.sealed_at,
                covers_from=manifest.covers_from, covers_to=manifest.covers_to,
                records=sum(sum(file.records.values()) for file in manifest.files),
                bytes=sum(file.size for file in manifest.files), sha256=archive.head.sha256,
            )  # fmt: skip
        session.print_json("waiting", inbox=inbox, spool_records=waiting.records, spool_bytes=waiting.bytes)
    else:
        click.echo(f"Vault {settings.vault}")
        for account in settings.accounts:
            last = waiting.exports.get(account.id)
            said = f"last export made {format_date(last)}" if last is not None else "no export taken here yet"
            click.echo(f"  account {account.platform} @{account.handle or '?'} ({account.id}): {said}")
        for archive in listed.archives:
            manifest = archive.manifest
            records = sum(sum(file.records.values()) for file in manifest.files)
            size = byte_size(sum(file.size for file in manifest.files))
            covers = f"{(manifest.covers_from or '?')[:10]} to {(manifest.covers_to or '?')[:10]}"
            click.echo(f"  archive {archive.name}: {records:,} records, {size}, posted {covers}")
        if not listed.archives:
            click.echo("  no archive yet")
        click.echo(f"  inbox: {', '.join(inbox) or 'empty'}")
        click.echo(f"  spool: {waiting.records:,} records wait to be sealed ({byte_size(waiting.bytes)})")
    if listed.problems:
        raise listed.problems[0]
    return 0


def _last_export(generated_ms: int | None) -> str | None:
    return None if generated_ms is None else format_time(generated_ms)
