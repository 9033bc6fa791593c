"""`archiver stores check`: can each store do what is asked of it?"""

from collections.abc import Collection, Sequence
from functools import partial

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import host_act
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import print_error, printable
from archiver.cli._stores import store_in_words
from archiver.errors import ArchiverError, IncompleteError
from archiver.stores.base import outcome
from archiver.stores.checks import Check, check_store, failed, find_vault_id
from archiver.stores.named import NamedStore, OpenedStore, open_all
from archiver.wiring.stores import find_store, named_stores

FAILED = 1


@click.group("stores", epilog=examples("archiver stores check", "archiver stores check offsite"))
def command() -> None:
    """The stores that hold the vault."""


@command.command(
    "check",
    epilog=examples(
        "archiver --config police-archive stores check",
        "archiver --config police-archive stores check offsite",
    ),
)
@click.argument("names", nargs=-1, metavar="[NAME…]")
@pass_session
def check(session: Session, names: tuple[str, ...]) -> int:
    """Prove that every store, or those named, can do what is asked of it, by trying it with small probes:
    before anything is trusted to it, and after whatever was changed about it.

    Exit 0 means that no proof failed, and what could not be tried is said; 1 that a store which must have
    everything failed one; 3 that only others did."""
    named = named_stores(session.settings)
    chosen = {find_store(session.settings, name).name for name in names} or {one.name for one in named}
    with host_act(session, Asked("config", "stores check", ids=sorted(chosen)), must=False):
        return _check_all(session, named, chosen)


def _check_all(session: Session, named: Sequence[NamedStore], chosen: Collection[str]) -> int:
    vault: str | None = None
    code = 0
    for one in open_all(named):
        if one.name in chosen:
            checks = check_store(one.store, vault) if one.error is None else [failed("opens", one.error)]
            code = _worse(code, _report(session, one, checks))
        if vault is None and one.error is None:
            found = outcome(partial(find_vault_id, one.store))
            vault = found if isinstance(found, str) else None
    return code


def _verdict(check: Check) -> str:
    if not check.ok:
        return "FAILED"
    return "ok    " if check.proven else "NOT PROVEN"


def _worse(first: int, second: int) -> int:
    return FAILED if FAILED in (first, second) else max(first, second)


def _report(session: Session, one: OpenedStore, checks: list[Check]) -> int:
    """A line a proof; the exit code."""
    place = one.store.location if one.error is None else None
    if session.json:
        for each in checks:
            session.print_json(
                "check", store=one.name, required=one.required, location=place, what=each.what, ok=each.ok,
                proven=each.ok and each.proven, said=each.said, hint=each.hint,
            )  # fmt: skip
    else:
        settings = next(each for each in session.settings.stores if each.name == one.name)
        click.echo(printable(store_in_words(settings)))
        for each in checks:
            click.echo(printable(f"  {_verdict(each)}  {each.what}: {each.said}"))
    bad = [each for each in checks if not each.ok]
    for each in bad:
        print_error(ArchiverError(f"{each.what}: {each.said}", each.hint), f"store {one.name}")
    if not bad:
        return 0
    return FAILED if one.required else IncompleteError.exit_code
