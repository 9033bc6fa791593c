"""`archiver evidence list`: every exhibit that was ever produced."""

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import reason_option
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._session import one_line, print_error
from archiver.cli.moderation._lines import number_of
from archiver.evidence.register import Listed, list_exhibits


@click.command("list", epilog=examples("archiver evidence list", "archiver evidence list --case CO/17/26"))
@click.option("--case", metavar="REF", help="Of this case only.")
@click.option("--exhibit", metavar="ABC", help="Of these initials only.")
@reason_option
@store_option
@pass_session
def command(
    session: Session, case: str | None, exhibit: str | None, reason: str | None, store: str | None
) -> int:
    """List the register of exhibits: each number, whose it is, for which case, when, how many records, and
    the SHA-512 of the list that was signed. A number that was taken and whose pack was never finished is
    listed too; it is not used again."""
    session.require_reason(reason)
    identities = session.identities()
    vault = session.open_vault(store)
    session.list_archives(vault)
    with session.act(Asked("show", "evidence list", case=case, reason=reason)) as act:
        listed = list_exhibits(vault.store, identities, vault.id)
        wanted = [one for one in listed if _is_wanted(one, case, exhibit)]
        act.end(results=len(wanted))
    for one in wanted:
        _print(session, one)
    problems = [problem for one in wanted for problem in one.problems]
    for problem in problems:
        print_error(problem)
    if not session.json:
        session.note(number_of(len(wanted), "exhibit"))
    return max((problem.exit_code for problem in problems), default=0) or session.worst(0)


def _is_wanted(one: Listed, case: str | None, initials: str | None) -> bool:
    of_case = case is None or (one.taken is not None and one.taken.case == case)
    return of_case and initials in (None, one.reference.initials)


def _print(session: Session, one: Listed) -> None:
    taken, finished = one.taken, one.finished
    if session.json:
        session.print_json(
            "exhibit",
            exhibit=one.reference.written,
            case=None if taken is None else taken.case,
            produced_by=None if taken is None else taken.produced_by,
            keyholder=None if taken is None else taken.keyholder,
            made_at=None if taken is None else taken.made_at,
            finished=one.is_finished,
            finished_at=None if finished is None else finished.finished_at,
            records=None if finished is None else finished.records,
            redacted=None if finished is None else finished.redacted,
            recipient=None if finished is None else finished.recipient,
            tagmanifest_sha512=None if finished is None else finished.sha512,
        )
        return
    who = "cannot be opened" if taken is None else f"{taken.produced_by}, case {taken.case}, {taken.made_at}"
    click.echo(one_line(f"{one.reference.written}  {who}"))
    if finished is not None:
        redacted = ", redacted" if finished.redacted else ""
        to = f", for {finished.recipient}" if finished.recipient else ""
        click.echo(one_line(f"  {number_of(finished.records, 'record')}{redacted}{to}; by {_by(one)}"))
        click.echo(f"  SHA-512 {finished.sha512}")
    elif not one.is_finished:
        click.echo("  its pack was never finished")


def _by(one: Listed) -> str:
    return "unknown" if one.taken is None else f"keyholder {one.taken.keyholder}"
