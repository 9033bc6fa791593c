"""`archiver repair`: what is damaged or missing, put back from a store that has it right."""

from collections.abc import Sequence

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import host_act
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._session import print_error
from archiver.cli._verification import worst_code
from archiver.cli.verify import parse_head
from archiver.disk import Lock, make_directories
from archiver.errors import ArchiverError, IncompleteError, NoKeyError
from archiver.keys import Identity, Keyholders
from archiver.repair import FileOutcome, Repair, repair_archive
from archiver.stores.named import NamedStore, open_all
from archiver.wiring.spool import remembered_head
from archiver.wiring.stores import find_store, named_stores


@click.command(
    "repair",
    epilog=examples(
        "archiver --config police-archive repair 2026-11-01 --dry-run",
        "archiver --config police-archive repair 2026-11-01 --store offsite",
        "archiver --config police-archive repair",
    ),
)
@click.argument("archive", required=False)
@click.option("--store", metavar="NAME", help="Repair only this store; all others may be taken from.")
@click.option("--dry-run", is_flag=True, help="Look and say what would be done; change nothing.")
@click.option(
    "--head", metavar="NUMBER:SHA256", help="The chain's head from a notice: the manifest must lead to it."
)
@pass_session
def command(session: Session, archive: str | None, store: str | None, dry_run: bool, head: str | None) -> int:
    """Read every file of an archive in every store, and put back what is damaged or missing from a store
    that has it as the signed manifest says; and vault.json and allowed_signers, these alone without ARCHIVE.

    What lay in its place is set aside, not lost; what somebody put over a file in a bucket is taken away,
    where the server lets it be. Where a keyholder's identity is at hand, the archive's key is opened to see
    that it is the right one. Exit 0 means that all is right now, in every store; 3 that something lies over
    a file which is read unharmed, or an optional store is away; 20 that something is good in no store."""
    settings = session.settings
    named = named_stores(settings)
    if store is not None:
        find_store(settings, store)
    known = remembered_head(settings)[0] if head is None else parse_head(head)
    identities = _identities(session)
    make_directories(settings.lock.parent)
    asked = Asked("verify" if dry_run else "alter", "repair", ids=[] if archive is None else [archive])
    with host_act(session, asked, must=not dry_run) as act:
        with Lock(settings.lock):
            result = repair_archive(
                open_all(named),
                archive,
                known_head=known,
                only=store,
                identities=identities,
                recipients=Keyholders.load(settings.recipients).recipients() if identities else (),
                authorities=settings.timestamps,
                dry_run=dry_run,
                progress=step_progress(session),
            )
        clear_progress(session)
        act.end(results=result.count("put back"))
    return _report(session, result, [] if store else _excused(named, result.away))


def _identities(session: Session) -> list[Identity]:
    """The keyholder's, where there is one here; a host that only collects repairs without, and so does a
    run that nobody is there to give a passphrase to."""
    keyholder = session.settings.keyholder
    if keyholder is None or not keyholder.identity.is_file():
        return []
    try:
        return session.identities()
    except NoKeyError as error:
        session.note(f"without the keyholder's identity, as {error.message}")
        return []


def _excused(
    named: Sequence[NamedStore], away: list[tuple[str, ArchiverError]]
) -> list[tuple[str, ArchiverError]]:
    """What could not be opened; a store that need not be there is only not complete."""
    required = {one.name for one in named if one.required}
    return [
        (name, error if name in required else IncompleteError(error.message, error.hint))
        for name, error in away
    ]


def _report(session: Session, result: Repair, away: list[tuple[str, ArchiverError]]) -> int:
    """Say of each file what was not right and what became of it; the exit code."""
    for one in result.files:
        if session.json:
            session.print_json("repair", archive=result.archive, **_fields(one))
        elif one.state != "good":
            click.echo(f"{one.name}\n  {_line(one)}")
    if session.json:
        session.print_json("repaired", archive=result.archive, dry_run=result.dry_run, **_counts(result))
    else:
        click.echo(_summary(result))
    for name, error in away:
        print_error(error, f"store {name}")
    for error in result.errors:
        print_error(error)
    return worst_code([*result.errors, *(error for _, error in away)])


def _fields(one: FileOutcome) -> dict[str, object]:
    return {
        "store": one.store,
        "file": one.name,
        "state": one.state,
        "found": one.found or None,
        "source": one.source,
        "error": None if one.error is None else one.error.message,
        "hint": None if one.error is None else one.error.hint,
    }


def _counts(result: Repair) -> dict[str, int]:
    return {
        "files": len(result.files),
        "good": result.count("good"),
        "put_back": result.count("put back"),
        "to_put_back": result.count("to be put back"),
        "not_repaired": result.count("not repaired"),
    }


def _line(one: FileOutcome) -> str:
    if one.error is not None:
        return f"{one.store}: {one.found}; NOT REPAIRED"
    if one.source == one.store:
        return f"{one.store}: {one.found}; {'set right' if one.state == 'put back' else 'to be set right'}"
    return f"{one.store}: {one.found}; {one.state} from {one.source}"


def _summary(result: Repair) -> str:
    stores = len({one.store for one in result.files})
    counted = (
        (result.count("put back"), "put back"),
        (result.count("to be put back"), "would be put back"),
        (result.count("not repaired"), "not repaired"),
    )
    parts = [f"{number} {word}" for number, word in counted if number]
    looked = f"{len(result.files)} files in {stores} store{'' if stores == 1 else 's'}"
    what = "The vault's own files" if result.archive is None else f"Archive {result.archive}"
    return f"{what}: {looked}, {', '.join(parts) or 'all good'}."
