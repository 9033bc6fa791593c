"""`archiver log verify`: is the log whole? Needs no private key."""

import click

from archiver.audit.entry import Asked
from archiver.audit.names import is_chain
from archiver.audit.verify import Noted
from archiver.chain import Head
from archiver.cli._acts import host_act
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._session import one_line, print_error
from archiver.cli._verification import worst_code
from archiver.cli.log._acts_shown import entries_in_words
from archiver.cli.moderation._lines import number_of
from archiver.cli.verify import parse_head
from archiver.errors import UsageError
from archiver.log_checks import StoreLog, check_logs


@click.command(
    "verify",
    epilog=examples(
        "archiver log verify",
        "archiver log verify --store offsite",
        "archiver log verify --head records:1201:SHA256",
    ),
)
@click.option(
    "--head", "heads", multiple=True, metavar="CHAIN:NUMBER:SHA256",
    help="A chain's end as it was noted: it must be there; may be repeated.",
)  # fmt: skip
@click.option("--store", metavar="NAME", help="Only this store; without it every one in the settings.")
@pass_session
def command(session: Session, heads: tuple[str, ...], store: str | None) -> int:
    """Check every entry of every chain in every store: its signature, its place, what it is sealed with. A
    missing, altered, moved or foreign entry shows; one cut off at the end shows against what manifests, other
    chains and this host have noted of it, or --head gives.

    Prints the end of each chain. Note them elsewhere: then nobody can cut the log off unseen. Exit 20 where
    something is wrong."""
    noted = [_parse_noted(one) for one in heads]
    with host_act(session, Asked("verify", "log verify"), must=False) as act:
        checked = check_logs(session.settings, store, noted, progress=step_progress(session))
        clear_progress(session)
        act.end(results=sum(one.result.entries for one in checked))
    for one in checked:
        _report(session, one, is_only=len(checked) == 1)
    return worst_code([problem for one in checked for problem in one.result.problems])


def _parse_noted(text: str) -> Noted:
    chain, _, head = text.partition(":")
    if not is_chain(chain):
        raise UsageError(
            f"{text[:80]!r} is no end of a chain", "as this command prints it: CHAIN:NUMBER:SHA256"
        )
    return Noted(chain, parse_head(head), "--head")


def _report(session: Session, one: StoreLog, *, is_only: bool) -> None:
    result = one.result
    if session.json:
        session.print_json(
            "log",
            store=one.store,
            entries=result.entries,
            heads={chain: _fields(head) for chain, head in result.heads.items()},
            problems=[{"error": each.message, "hint": each.hint} for each in result.problems],
        )
    elif not one.away:
        where = "" if is_only else f"{one.store}: "
        good = "Nothing is missing or altered." if not result.problems else "NOT WHOLE."
        chains = number_of(len(result.heads), "chain")
        click.echo(one_line(f"{where}{entries_in_words(result.entries)} in {chains}: {good}"))
        for chain, head in sorted(result.heads.items()):
            click.echo(one_line(f"  {chain}:{head.sequence}:{head.sha256}"))
    for problem in result.problems:
        print_error(problem, None if is_only else f"store {one.store}")


def _fields(head: Head) -> dict[str, object]:
    return {"sequence": head.sequence, "sha256": head.sha256}
