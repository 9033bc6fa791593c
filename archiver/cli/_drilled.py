"""What a drill says to a person, and the same as JSON."""

from collections.abc import Iterator, Sequence

import click

from archiver.cli._session import Session, one_line, print_error
from archiver.drill import Drilled
from archiver.drill.stores import StoreDrill
from archiver.jobs.drilling_work import archives_of
from archiver.schedule.drills import DrillLine
from archiver.sizes import byte_size


def print_drill(session: Session, plan: Sequence[StoreDrill], code: int) -> None:
    """What was proven of each archive, then everything that is wrong."""
    several = len(session.settings.stores) > 1
    for one in plan:
        for drilled in one.drilled:
            if session.json:
                session.print_json("drilled", store=one.store, **_fields(drilled))
            elif not drilled.problems:
                where = f"store {one.store}, " if several else ""
                click.echo(f"{where}archive {drilled.archive}: restored in memory, all as it was captured.")
                for line in _lines(drilled):
                    click.echo(f"  {line}")
            for what in drilled.named:
                session.note(one_line(f"differs: {what}"))
        for problem in one.all_problems():
            print_error(problem, f"store {one.store}" if several else None)
        more = sum(drilled.more_problems for drilled in one.drilled)
        if more:
            session.note(f"{more:,} more things are wrong in store {one.store}: archiver verify --contents")
    if session.json:
        session.print_json("summary", archives=archives_of(plan), code=code)


def print_line(session: Session, line: DrillLine | None) -> None:
    """What to keep, on a host without a journal."""
    if line is None:
        return
    if session.json:
        session.print_json("line", line=line.text())
    else:
        click.echo(
            "Keep this line, or have it noted on the host that collects, which then reminds of the next:"
        )
        click.echo(f"archiver drill --noted {line.text()}")


def _lines(drilled: Drilled) -> Iterator[str]:
    files = f"{drilled.files:,} file{'' if drilled.files == 1 else 's'}"
    sizes = f"{byte_size(drilled.bytes)} sealed, {byte_size(drilled.plain_bytes)} inside"
    yield f"{files}, {sizes}; SQLite's check passes"
    yield f"{drilled.records:,} records derived again from their captures: all equal"
    if drilled.answers:
        yield f"{drilled.answers:,} answers of X have the SHA-256 noted when they came"
    if drilled.media or drilled.elsewhere:
        elsewhere = f"; {len(drilled.elsewhere):,} more lie in other archives" if drilled.elsewhere else ""
        yield f"{drilled.media:,} pictures and videos have the SHA-256 of their records{elsewhere}"
    if drilled.tools is not None:
        yield f"age, zstd and sha256sum: {drilled.tools}"


def _fields(drilled: Drilled) -> dict[str, object]:
    return {
        "archive": drilled.archive,
        "files": drilled.files,
        "bytes": drilled.bytes,
        "plain_bytes": drilled.plain_bytes,
        "records": drilled.records,
        "different": drilled.different,
        "answers": drilled.answers,
        "media": drilled.media,
        "media_elsewhere": len(drilled.elsewhere),
        "tools_agree": drilled.tools_agree,
        "tools": drilled.tools,
        "named": drilled.named,
        "problems": [{"error": one.message, "hint": one.hint} for one in drilled.problems],
    }
