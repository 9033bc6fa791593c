"""`archiver moderation done`, also `archiver moderate done`: a person did it on the platform."""

import click

from archiver.audit.entry import Asked
from archiver.cli._group import Session, examples, pass_session
from archiver.cli.moderation._options import TIME, by_option, read_time, who
from archiver.cli.moderation._results import open_register, report_acted
from archiver.moderation.decision import require_text
from archiver.times import system_clock


@click.command("done", epilog=examples("archiver moderate done 3f2a6c11 --by 'duty officer'"))
@click.argument("record", metavar="RECORD|ITEM")
@by_option
@click.option("--at", metavar=TIME, help="When it was done; else now.")
@click.option("--note", metavar="TEXT", help="More about it, as the number of a report to X.")
@pass_session
def command(session: Session, record: str, by: str | None, at: str | None, note: str | None) -> int:
    """Say that a person did on the platform what a record plans.

    RECORD is its id or the beginning of it; ITEM the post's number or address."""
    now_ms = system_clock()
    done_ms = read_time(at, "--at", now_ms)
    note = require_text(note, "--note")
    asked = Asked("alter", "moderation done", ids=[record], reason=note)
    with open_register(session, who(by, session.environ), asked) as (writer, _, acting):
        acted = acting.confirm(
            writer.find(record, lambda row: row.is_pending), now_ms if done_ms is None else done_ms, note
        )
    if not session.json:
        click.echo(f"Recorded in {acted.row.record_id}:")
    return report_acted(session, acted)
