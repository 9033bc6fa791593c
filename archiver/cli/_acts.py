"""Acts of the host that collects, and the options and the log's way into the stores that commands share."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import click

from archiver.audit.acts import Act, acting
from archiver.audit.entry import Asked
from archiver.audit.exchange import exchange_logs
from archiver.cli._session import Session, one_line, print_error
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, worse_code
from archiver.stores.base import Store, outcome
from archiver.stores.checks import find_vault_id
from archiver.stores.named import OpenedStore, open_all
from archiver.times import system_clock
from archiver.wiring import named_stores
from archiver.wiring_log import actor_of, collector_queue, flush_log, has_collector_key

Command = TypeVar("Command", bound=Callable[..., Any])

reason_option = click.option("--reason", metavar="TEXT", help="Why it is read, for the log.")
case_option = click.option("--case", metavar="REF", help="The case it is read for, for the log.")


def reader_options(command: Command) -> Command:
    """`--reason` and `--case`, for commands that read the vault with a keyholder's identity."""
    return reason_option(case_option(command))


class Unlogged:
    """Stands for an act where nobody can sign for it."""

    def end(self, **_: object) -> None:
        """Nothing is on record."""


@contextmanager
def host_act(
    session: Session, asked: Asked, *, unlock: bool = False, must: bool = True
) -> "Iterator[Act | Unlogged]":
    """Do something that this host is answerable for, between two entries of its chain. On a host that does
    not collect they go to the keyholder's, where the identity is unlocked already, or may be asked for
    (`unlock`); else a line says that it is not logged.

    Raise ArchiverError, before anything is done, where the entries cannot be kept; unless it need not be
    logged (`must`): then a line says that, too."""
    settings = session.settings
    if has_collector_key(settings):
        actor = actor_of(settings, session.environ)
        with _begun(
            session, lambda: acting(collector_queue(settings), actor, asked, system_clock), must
        ) as act:
            yield act
    elif session.is_unlocked or (unlock and settings.keyholder is not None):
        with _begun(session, lambda: session.act(asked), must) as act:
            yield act
    else:
        session.note("This is not in the log: neither the collector's signing key is here nor an identity.")
        yield Unlogged()


@contextmanager
def _begun(session: Session, begin: Callable[[], Any], must: bool) -> "Iterator[Act | Unlogged]":
    """The act; where it cannot be begun and need not be, what stands for it."""
    manager = begin()
    try:
        act: Act | Unlogged = manager.__enter__()
    except ArchiverError as error:
        if must:
            raise
        session.note(one_line(f"This is not in the log, which cannot be written: {error.message}"))
        yield Unlogged()
        return
    try:
        yield act
    except BaseException as error:
        manager.__exit__(type(error), error, error.__traceback__)
        raise
    try:
        manager.__exit__(None, None, None)
    except ArchiverError as error:
        if must:
            raise
        session.note(one_line(f"The log does not say that this has ended: {error.message}"))


def put_log(session: Session, store: Store) -> int:
    """Put what waits of this host's log into a store. What is in the way stops nothing else: it is said, and
    is the exit code."""
    return _put(session, store, mend=False)[1]


def _put(session: Session, store: Store, *, mend: bool) -> tuple[int, int]:
    """How many entries were put, and the exit code."""
    try:
        return flush_log(session.settings, store, mend=mend), 0
    except ArchiverError as error:
        print_error(error, "log")
        return 0, error.exit_code


def share_log(session: Session, *, only: str | None = None, mend: bool = False) -> int:
    """Give every store that can be reached, or `only` the one of this name, what another has of the log; and
    put what waits of this host's into the first. `mend`: give that also what was put there before and is not
    there. The exit code: of a store that need not have everything 3 at the most. Of one that is away nothing
    is said here: whoever calls this has told of it."""
    opened = [one for one in open_all(named_stores(session.settings)) if one.error is None]
    ids = {one.name: outcome(partial(find_vault_id, one.store)) for one in opened}
    vault = next((one for one in ids.values() if isinstance(one, str)), None)
    if vault is None:
        return 0
    holding = [one for one in opened if ids[one.name] == vault]
    code = _exchange(session, holding, vault, only)  # first: a store that was emptied has what comes before
    first = next((one for one in holding if one.required), holding[0])
    put, failed = _put(session, first.store, mend=mend)
    return worse_code(code, worse_code(failed, _exchange(session, holding, vault, only) if put else 0))


def _exchange(session: Session, holding: Sequence[OpenedStore], vault: str, only: str | None) -> int:
    if len(holding) < 2:
        return 0
    code = 0
    required = {one.name for one in holding if one.required}
    for holder in exchange_logs([(one.name, one.store) for one in holding], vault=vault, only=only):
        for problem in holder.problems:
            print_error(problem, f"store {holder.name}: log")
            excused = holder.name not in required and not isinstance(problem, IntegrityError)
            code = worse_code(code, IncompleteError.exit_code if excused else problem.exit_code)
    return code
