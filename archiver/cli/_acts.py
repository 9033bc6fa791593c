"""Acts of the host that collects, and the options and the log's way into the stores that commands share."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from archiver.audit.acts import Act, acting
from archiver.audit.entry import Asked
from archiver.cli._session import Session, one_line, print_error
from archiver.errors import ArchiverError
from archiver.stores.base import Store
from archiver.times import system_clock
from archiver.wiring import log
from archiver.wiring.log import LogProblem, actor_of, collector_queue, has_collector_key, log_code

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
    return report_log(log.put_log(session.settings, store))


def share_log(session: Session, *, only: str | None = None, mend: bool = False) -> int:
    """As `archiver.wiring.log.share_log`; what failed is said, and is the exit code."""
    return report_log(log.share_log(session.settings, only=only, mend=mend))


def report_log(problems: Sequence[LogProblem]) -> int:
    """Say what kept the log out of a store; the exit code."""
    for problem in problems:
        print_error(problem.error, problem.about)
    return log_code(problems)
