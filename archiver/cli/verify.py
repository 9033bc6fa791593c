"""`archiver verify`: is everything still there, and as it was sealed?"""

import re
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import click

from archiver.audit.entry import Asked
from archiver.chain import Head
from archiver.cli._acts import host_act
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._session import print_error
from archiver.cli._verification import report_stores_verification, report_verification, worst_code
from archiver.disk import Lock
from archiver.errors import ArchiverError, LockedError, UsageError, worse_code
from archiver.keys import Identity
from archiver.log_checks import check_logs
from archiver.stores.base import outcome
from archiver.stores.named import NamedStore, OpenedStore, open_all
from archiver.vault import Vault
from archiver.verification import Depth, verify_vault
from archiver.verification.agreement import verify_stores
from archiver.verification.decisions import register_problems
from archiver.wiring.spool import remembered_head
from archiver.wiring.stores import find_store, named_stores


@click.command(
    "verify",
    epilog=examples(
        "archiver --config police-archive verify",
        "archiver --config police-archive verify --contents 2026-11-01",
        "archiver --config police-archive verify --store offsite --deep",
    ),
)
@click.argument("archives", nargs=-1, metavar="[ARCHIVE…]")
@click.option("--contents", is_flag=True, help="Decrypt and check every byte inside too; needs an identity.")
@click.option(
    "--head", metavar="NUMBER:SHA256", help="The chain's head from a notice: it must be in the chain."
)
@click.option("--store", metavar="NAME", help="Only this store; without it every one in the settings.")
@click.option("--deep", is_flag=True, help="Read every byte, of stores that are far away too.")
@pass_session
def command(
    session: Session,
    archives: tuple[str, ...],
    contents: bool,
    head: str | None,
    store: str | None,
    deep: bool,
) -> int:
    """Check every archive, or those named: signatures, the chain of manifests and its end, sizes, SHA-256.

    Needs no private key. A missing, altered or reordered archive shows; one cut off at the end shows
    against the head that the collector remembers, or that --head gives. A time stamp must be over its
    manifest, and by an authority of the settings. Every store is checked, and held against the others. Of
    a store that is far away the bytes are read only with --deep or --contents. The log is checked along with
    all archives, as by archiver log verify."""
    settings = session.settings
    identities = session.identities() if contents else None
    stores = named_stores(settings) if store is None else (find_store(settings, store),)
    known, unfinished = remembered_head(settings)
    if head is not None:
        known = parse_head(head)
    asked = Asked("verify", "verify", ids=archives, detail={"contents": True} if contents else {})
    with host_act(session, asked, must=False):
        depth = Depth(identities, deep, authorities=settings.timestamps)
        code = _verify(session, stores, archives, (known, unfinished), depth)
        if identities is not None:
            code = worse_code(code, _verify_register(session, stores, identities))
        return code if archives else worse_code(code, _verify_logs(session, store, deep=deep))


def _verify_register(session: Session, stores: Sequence[NamedStore], identities: Sequence[Identity]) -> int:
    """Name what is wrong with the custody register, opened, and each certificate of disposal that it knows
    nothing of; the exit code. Of a store that cannot be opened was told."""
    vaults = [Vault(one.store) for one in open_all(stores) if _holds_a_vault(one)]
    problems = list(register_problems(vaults, identities))
    for problem in problems:
        print_error(problem)
    return worst_code(problems)


def _verify_logs(session: Session, store: str | None, *, deep: bool) -> int:
    """Name what is wrong with the log, of near stores and, where every byte is to be read, of all; the exit
    code. Of a store that cannot be opened was told."""
    checked = check_logs(
        session.settings,
        store,
        [],
        progress=step_progress(session),
        only=lambda one: _holds_a_vault(one) and (deep or one.store.is_near),
        archives=len(session.settings.stores) == 1,  # else the stores were held against each other
    )
    clear_progress(session)
    problems = [(one.store, problem) for one in checked for problem in one.result.problems]
    for name, problem in problems:
        print_error(problem, None if len(session.settings.stores) == 1 else f"store {name}")
    return worst_code([problem for _, problem in problems])


def _holds_a_vault(one: OpenedStore) -> bool:
    return one.error is None and not isinstance(outcome(partial(Vault, one.store)), ArchiverError)


def _verify(
    session: Session,
    stores: Sequence[NamedStore],
    archives: tuple[str, ...],
    remembered: tuple[Head | None, str | None],
    depth: Depth,
) -> int:
    settings = session.settings
    if len(settings.stores) == 1:
        return _verify_one(session, stores[0], archives, remembered, depth)
    results = verify_stores(
        stores,
        known_head=remembered[0],
        only=archives,
        unfinished=remembered[1],
        depth=depth,
        is_busy=lambda: _is_locked(settings.lock),
        progress=step_progress(session),
    )
    clear_progress(session)
    return report_stores_verification(session, results)


def _verify_one(
    session: Session,
    store: NamedStore,
    archives: tuple[str, ...],
    remembered: tuple[Head | None, str | None],
    depth: Depth,
) -> int:
    """A vault that lies in one store alone."""
    result = verify_vault(
        Vault(store.open()),
        known_head=remembered[0],
        only=archives,
        identities=depth.identities,
        unfinished=remembered[1],
        deep=depth.deep,
        authorities=depth.authorities,
        progress=step_progress(session),
    )
    clear_progress(session)
    return report_verification(session, result)


def _is_locked(path: Path) -> bool:
    """Whether another run is at work here. It is asked by taking the lock for an instant."""
    try:
        with Lock(path, shared=True) if path.exists() else nullcontext():
            return False
    except LockedError:
        return True


def parse_head(text: str) -> Head:
    """`12:` and 64 hexadecimal digits; raise UsageError for anything else."""
    number, _, sha256 = text.partition(":")
    if not (number.isascii() and number.isdigit() and re.fullmatch(r"[0-9a-fA-F]{64}", sha256)):
        raise UsageError(f"{text[:80]!r} is no chain head", "as a notice gives it: NUMBER:SHA256")
    return Head(int(number), sha256.lower())
