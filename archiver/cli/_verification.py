"""What verifying says to a person, and the same as JSON: of a vault in one store, and of several."""

import click

from archiver.cli._report import byte_size
from archiver.cli._session import Session, print_error
from archiver.cli._stamps import note_stamps, stamp_fields
from archiver.disposal import disposed_in_words
from archiver.errors import ArchiverError, IncompleteError
from archiver.verification import Verification
from archiver.verification.agreement import StoreVerification


def report_verification(session: Session, result: Verification) -> int:
    """Say what was checked; the exit code of the worst problem."""
    if session.json:
        session.print_json("verified", **_fields(result))
    elif not result.problems:
        _say(result)
    note_stamps(session, result.stamps)
    for problem in result.problems:
        print_error(problem)
    return worst_code(result.problems)


def report_stores_verification(session: Session, results: list[StoreVerification]) -> int:
    """The same of each store by its name. A store that is away or behind ends in 3 where it need not have
    everything; what is worse anywhere counts before that."""
    for one in results:
        if session.json:
            session.print_json(
                "verified", store=one.store, required=one.required, read=one.result.read and not one.away,
                **_fields(one.result),
            )  # fmt: skip
        elif not one.result.problems:
            click.echo(f"{one.store}: ", nl=False)
            _say(one.result)
        note_stamps(session, one.result.stamps, f"store {one.store}: ")
        for problem in one.result.problems:
            print_error(problem, f"store {one.store}")
    return worst_code([problem for one in results for problem in one.result.problems])


def worst_code(problems: list[ArchiverError]) -> int:
    """The exit code: that nothing but completeness is wanting is the least of all that can be wrong."""
    codes = {problem.exit_code for problem in problems}
    return max(codes - {IncompleteError.exit_code}, default=max(codes, default=0))


def _fields(result: Verification) -> dict[str, object]:
    head = result.head
    return {
        "archives": [archive.name for archive in result.archives],
        "disposed": result.disposed,
        "files": result.files,
        "bytes": result.bytes,
        "contents": result.contents,
        "summed": result.summed,
        "sampled": result.sampled,
        "time_stamps": stamp_fields(result.stamps),
        "head": None if head is None else {"sequence": head.sequence, "sha256": head.sha256},
        "problems": [{"error": one.message, "hint": one.hint} for one in result.problems],
    }


def _say(result: Verification) -> None:
    if not result.archives:
        click.echo("The vault has no archive yet.")
        return
    archives = f"{len(result.archives)} archive{'' if len(result.archives) == 1 else 's'}"
    files = f"{result.files:,} file{'' if result.files == 1 else 's'}"
    click.echo(
        f"Verified {archives}, {files}, {byte_size(result.bytes)}: {_depth(result)}."
        f" No archive is missing{' or altered' if result.read else ''}."
    )
    for archive in result.archives:
        if archive.disposed is not None:
            click.echo(f"  archive {archive.name} was {disposed_in_words(archive.disposed)}")
    if result.stamps.right:
        click.echo(f"  time stamps of {result.stamps.right:,} of them are right")
    if result.head is not None:
        click.echo(f"  chain head {result.head.sequence}:{result.head.sha256}")


def _depth(result: Verification) -> str:
    if not result.read:
        parts = f"sizes of all {result.files:,} files" if result.files != 1 else "the file's size"
        parts += f", the server's own SHA-256 of {result.summed:,} of them"
        if result.sampled:
            parts += f", parts of {result.sampled:,} compared with {result.sampled_like}"
        return f"signatures, chain, {parts}; --deep reads every byte"
    return "signatures, chain, sizes, SHA-256" + (" and every byte inside" if result.contents else "")
