"""`archiver schedule take-over`: this host keeps the vault from now on, and the one before is refused."""

from collections.abc import Sequence

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import host_act
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import one_line, print_error
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, UsageError, worse_code
from archiver.times import system_clock
from archiver.wiring.claims import TakenOver, take_over
from archiver.wiring.collector import open_collector
from archiver.wiring.log import catch_up_log


@click.command(
    "take-over", epilog=examples("archiver schedule take-over --reason 'the old server is broken'")
)
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the claim and for the log.")
@pass_session
def command(session: Session, reason: str) -> int:
    """Make this host the one that collects into the vault. Every other host is refused from then on.

    First seal what waits on the old host, and stop it, as far as that can be done: what is in its spool and
    not sealed is nowhere else. This host's signing key must be one that the vault's allowed_signers names.
    The reason is in the claim, which can be read without a key. Exit 3 where another store could not
    be given the claim: archiver sync does so later."""
    if not reason.strip():
        raise UsageError("the reason is empty", "say in a few words why this host takes over")
    settings = session.settings
    asked = Asked("config", "schedule take-over", reason=reason, ids=[settings.host_name])
    catch_up_log(settings)  # the folder may be a copy, made some time ago
    with host_act(session, asked) as act:
        with open_collector(settings) as collector:
            taken = take_over(settings, collector.state, reason.strip(), system_clock)
        act.end(ids=[taken.claim.name])
    _say(session, taken)
    return _report(taken.problems)


def _say(session: Session, taken: TakenOver) -> None:
    claim, before = taken.claim.claim, taken.before
    if session.json:
        session.print_json(
            "claim",
            name=taken.claim.name,
            host=claim.host,
            key=claim.key,
            since=claim.at,
            new=taken.is_new,
            before=None if before is None else before.claim.host,
        )
    elif not taken.is_new:
        click.echo(one_line(f"{claim.host} keeps the vault already, since {claim.at}; nothing was changed."))
    else:
        after = "" if before is None else f", after {before.claim.host}"
        click.echo(one_line(f"{claim.host} keeps the vault from now on{after} ({taken.claim.name})."))


def _report(problems: Sequence[ArchiverError]) -> int:
    """Say what kept the claim from another store. It counts all the same."""
    code = 0
    for problem in problems:
        print_error(problem)
        damaged = isinstance(problem, IntegrityError)
        code = worse_code(code, problem.exit_code if damaged else IncompleteError.exit_code)
    return code
