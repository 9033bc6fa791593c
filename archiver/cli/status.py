"""`archiver status`: what there is, and what waits."""

import click

from archiver.cli._gaps import gap_fields, gap_in_words
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._report import byte_size
from archiver.cli._session import printable
from archiver.cli._stores import store_fields, store_in_words
from archiver.cli.moderation._lines import number_of
from archiver.inbox.files import find_in_inbox
from archiver.progress import Cursor
from archiver.settings import AccountSettings
from archiver.settings_api import COLLECT_KINDS, CURSORS, MICRO_USD, AccountApi, format_usd
from archiver.settings_stores import StoreSettings
from archiver.times import format_date, format_time, system_clock
from archiver.vault import Archive
from archiver.wiring import Waiting, open_waiting


@click.command("status", epilog=examples("archiver --config police-archive status"))
@store_option
@pass_session
def command(session: Session, store: str | None) -> int:
    """List the stores, accounts with their last export and what was collected from X, archives, what waits in
    inbox and spool, and how many moderation acts are pending. Needs no key.

    Archives are listed as one store has them; the other stores are not asked: archiver verify does that."""
    settings = session.settings
    waiting = open_waiting(settings, format_date(system_clock())[:7])
    inbox = [path.name for path in find_in_inbox(settings.inbox)] if settings.inbox.is_dir() else []
    listed = session.list_archives(session.open_vault(store), waiting.head)
    if session.json:
        _print_json(session, listed.archives, inbox, waiting)
    else:
        _print_lines(session, listed.archives, inbox, waiting)
    if listed.problems:
        raise listed.problems[0]
    return session.worst(0)


def _print_json(session: Session, archives: tuple[Archive, ...], inbox: list[str], waiting: Waiting) -> None:
    for account in session.settings.accounts:
        last = waiting.exports.get(account.id)
        session.print_json(
            "account",
            platform=account.platform,
            id=account.id,
            handle=account.handle,
            last_export=None if last is None else format_time(last),
            collected={
                kind: None if cursor.finished_ms is None else format_time(cursor.finished_ms)
                for kind, cursor in _cursors(waiting, account).items()
            },
            unfinished=[kind for kind, cursor in _cursors(waiting, account).items() if cursor.walk],
            gaps=[gap_fields(gap) for gap in waiting.gaps if gap.account == account.id],
            spent_usd=waiting.spent.get(account.id, 0) / MICRO_USD,
        )
    for store in session.settings.stores:
        session.print_json("store", **store_fields(store), read=_is_read(session, store))
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
    session.print_json(
        "waiting",
        inbox=inbox,
        spool_records=waiting.records,
        spool_bytes=waiting.bytes,
        moderation_pending=waiting.moderation_pending,
    )


def _print_lines(session: Session, archives: tuple[Archive, ...], inbox: list[str], waiting: Waiting) -> None:
    click.echo("Vault")
    for store in session.settings.stores:
        read = "; read here" if _is_read(session, store) and len(session.settings.stores) > 1 else ""
        click.echo(printable(f"  store {store_in_words(store)}{read}"))
    for account in session.settings.accounts:
        last = waiting.exports.get(account.id)
        said = f"last export made {format_date(last)}" if last is not None else "no export taken here yet"
        click.echo(f"  account {account.platform} @{account.handle or '?'} ({account.id}): {said}")
        if account.api is not None:
            _print_collected(account, account.api, waiting)
    for archive in archives:
        manifest = archive.manifest
        covers = f"{(manifest.covers_from or '?')[:10]} to {(manifest.covers_to or '?')[:10]}"
        size = byte_size(_size(archive))
        click.echo(f"  archive {archive.name}: {_records(archive):,} records, {size}, posted {covers}")
    if not archives:
        click.echo("  no archive yet")
    click.echo(f"  inbox: {', '.join(inbox) or 'empty'}")
    click.echo(f"  spool: {waiting.records:,} records wait to be sealed ({byte_size(waiting.bytes)})")
    if waiting.moderation_pending:
        acts = number_of(waiting.moderation_pending, "act")
        click.echo(f"  moderation: {acts} pending; finish them: archiver moderation pending")


def _is_read(session: Session, store: StoreSettings) -> bool:
    return session.opened is not None and session.opened.store == store.name


def _cursors(waiting: Waiting, account: AccountSettings) -> dict[str, Cursor]:
    """How far each kind of one account was collected: of its ways the one that is furthest behind."""
    found: dict[str, Cursor] = {}
    for kind in COLLECT_KINDS:
        names = [(account.platform, account.id, name) for name in CURSORS.get(kind, (kind,))]
        cursors = [waiting.cursors.get(name) for name in names]
        known = [cursor for cursor in cursors if cursor is not None]
        if known:
            behind = min(known, key=lambda cursor: (cursor.walk is None, cursor.finished_ms or 0))
            found[kind] = behind if len(known) == len(cursors) else Cursor(walk=behind.walk)
    return found


def _print_collected(account: AccountSettings, api: AccountApi, waiting: Waiting) -> None:
    cursors = _cursors(waiting, account)
    by_day: dict[str, list[str]] = {}
    for kind in api.kinds:
        cursor = cursors.get(kind)
        day = "never" if cursor is None or cursor.finished_ms is None else format_date(cursor.finished_ms)
        by_day.setdefault(day, []).append(f"{kind} (not to its end)" if cursor and cursor.walk else kind)
    for day, kinds in sorted(by_day.items(), reverse=True):
        click.echo(f"    from X {'not yet' if day == 'never' else day}: {', '.join(kinds)}")
    spent, most = waiting.spent.get(account.id, 0), api.max_spend_micro_usd
    click.echo(f"    spent this month: {format_usd(spent)} of {format_usd(most)}")
    for gap in waiting.gaps:
        if gap.account == account.id:
            click.echo(printable(f"    GAP {gap_in_words(gap)}"))


def _records(archive: Archive) -> int:
    return sum(sum(file.records.values()) for file in archive.manifest.files)


def _size(archive: Archive) -> int:
    return sum(file.size for file in archive.manifest.files)
