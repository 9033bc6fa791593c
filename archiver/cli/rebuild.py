"""`archiver rebuild`: records derived again and compared."""

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import reader_options
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._session import print_error
from archiver.errors import IntegrityError, UsageError
from archiver.rebuild import Rebuilt, rebuild_segment
from archiver.vault import require_not_disposed


@click.command("rebuild", epilog=examples("archiver rebuild", "archiver rebuild 2026-11-01"))
@click.argument("archives", nargs=-1, metavar="[ARCHIVE…]")
@store_option
@reader_options
@pass_session
def command(
    session: Session, archives: tuple[str, ...], store: str | None, reason: str | None, case: str | None
) -> int:
    """Derive every record again from the captured bytes and compare it with what was sealed.

    Nothing is written. Exit 20 where a row differs: it came from somewhere else, or this version reads the
    bytes differently."""
    session.require_reason(reason)
    identities = session.identities()
    vault = session.open_vault(store)
    listed = session.list_archives(vault)
    known = listed.require_sound()
    unknown = set(archives) - {one.name for one in known}
    if unknown:
        raise UsageError(f"there is no archive {sorted(unknown)[0]}", "see which there are: archiver status")
    for one in known if archives else ():
        if one.name in archives:
            require_not_disposed(one)
    if not archives:
        session.note_disposed(listed)
    chosen = [
        (one, file)
        for one in listed.readable
        if not archives or one.name in archives
        for file in one.manifest.segments
    ]
    progress = step_progress(session)
    records = different = 0
    with session.act(Asked("verify", "rebuild", ids=archives, case=case, reason=reason)) as act:
        for number, (archive, file) in enumerate(chosen):
            progress("segments", number, len(chosen))
            result = rebuild_segment(vault, archive, file, identities)
            clear_progress(session)
            records += result.records
            different += result.different
            _report(session, result)
        act.end(results=records, detail={"different": different})
    if different:
        rows = "row differs" if different == 1 else "rows differ"
        print_error(
            IntegrityError(f"{different:,} {rows} from what their captures give", "see the rows named above")
        )
        return IntegrityError.exit_code
    if not session.json:
        click.echo(f"{records:,} records derived again from their captures: all equal.")
    return session.worst(0, named=bool(archives))


def _report(session: Session, result: Rebuilt) -> None:
    if session.json:
        session.print_json(
            "rebuilt",
            archive=result.archive,
            segment=result.name,
            records=result.records,
            different=result.different,
            named=result.named,
        )
    for what in result.named:
        session.note(f"differs: {result.archive}/{result.name}: {what}")
