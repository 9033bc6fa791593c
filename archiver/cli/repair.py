"""`archiver repair`: what is damaged or missing, put back from a store that has it right."""

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._report import clear_progress, step_progress
from archiver.cli._session import print_error
from archiver.cli._verification import worst_code
from archiver.cli.verify import parse_head
from archiver.disk import Lock, make_directories
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, NoKeyError
from archiver.keys import Identity
from archiver.repair import FileOutcome, Repair, repair_archive
from archiver.repair.reference import OpenStore
from archiver.stores.base import outcome
from archiver.stores.named import NamedStore
from archiver.wiring import named_stores, remembered_head
from archiver.wiring_stores import find_store


@click.command(
    "repair",
    epilog=examples(
        "archiver --config police-archive repair 2026-11-01 --dry-run",
        "archiver --config police-archive repair 2026-11-01 --store offsite",
    ),
)
@click.argument("archive")
@click.option("--store", metavar="NAME", help="Repair only this store; all others may be taken from.")
@click.option("--dry-run", is_flag=True, help="Look and say what would be done; change nothing.")
@click.option(
    "--head", metavar="NUMBER:SHA256", help="The chain's head from a notice: the manifest must lead to it."
)
@pass_session
def command(session: Session, archive: str, store: str | None, dry_run: bool, head: str | None) -> int:
    """Read every file of an archive in every store, and put back what is damaged or missing from a store
    that has it as the signed manifest says.

    What lay in its place is set aside, not lost. Where a keyholder's identity is at hand, the archive's key
    is opened to see that it is the right one. Exit 0 means that all is right now, in every store; 20 that
    something is not, and in no store good."""
    settings = session.settings
    named = named_stores(settings)
    if store is not None:
        find_store(settings, store)
    known = remembered_head(settings)[0] if head is None else parse_head(head)
    identities = _identities(session)
    make_directories(settings.lock.parent)
    with Lock(settings.lock):
        opened, away = _open(named)
        if store in {name for name, _ in away} or not opened:
            raise next(error for name, error in away if store in (None, name))
        result = repair_archive(
            opened,
            archive,
            known_head=known,
            only=store,
            identities=identities,
            dry_run=dry_run,
            progress=step_progress(session),
        )
    clear_progress(session)
    return _report(session, result, [] if store else _excused(named, [*away, *result.away]))


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


def _open(named: tuple[NamedStore, ...]) -> tuple[list[OpenStore], list[tuple[str, ArchiverError]]]:
    """Every store that can be opened, and why others cannot."""
    opened: list[OpenStore] = []
    away: list[tuple[str, ArchiverError]] = []
    for one in named:
        store = outcome(one.open)
        if isinstance(store, ArchiverError):
            away.append((one.name, store))
        else:
            opened.append(OpenStore(one.name, one.required, store))
    return opened, away


def _excused(
    named: tuple[NamedStore, ...], away: list[tuple[str, ArchiverError]]
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
    if result.errors:
        return IntegrityError.exit_code
    return worst_code([error for _, error in away])


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
    source = "" if one.source == one.store else f" from {one.source}"
    return f"{one.store}: {one.found}; {one.state}{source}"


def _summary(result: Repair) -> str:
    stores = len({one.store for one in result.files})
    counted = (
        (result.count("put back"), "put back"),
        (result.count("to be put back"), "would be put back"),
        (result.count("not repaired"), "not repaired"),
    )
    parts = [f"{number} {word}" for number, word in counted if number]
    looked = f"{len(result.files)} files in {stores} store{'' if stores == 1 else 's'}"
    return f"Archive {result.archive}: {looked}, {', '.join(parts) or 'all good'}."
