"""`archiver moderation appeal`: somebody objects, and what came of it."""

from typing import Any

import click

from archiver.audit.entry import Asked
from archiver.cli._group import Session, examples, pass_session
from archiver.cli.moderation._options import TIME, by_option, read_appeal_outcome, read_time, who
from archiver.cli.moderation._results import open_register, row_fields
from archiver.errors import UsageError
from archiver.moderation.acting import can_be_reversed
from archiver.moderation.decision import require_text
from archiver.times import system_clock


@click.command(
    "appeal",
    epilog=examples(
        "archiver moderation appeal 3f2a6c11 --received 2026-11-26T09:00Z --note 'by e-mail'",
        "archiver moderation appeal 3f2a6c11 --outcome overturned --decided-by 'head of communications'",
    ),
)
@click.argument("record", metavar="RECORD|ITEM")
@click.option("--received", metavar=TIME, help="When it came.")
@click.option("--outcome", metavar="OUTCOME", help="upheld, overturned or partly.")
@click.option("--decided-by", metavar="WHO", help="Who decided on it; else who says so.")
@click.option("--decided-at", metavar=TIME, help="When; else now.")
@click.option("--note", metavar="TEXT", help="What it says, or why it was decided so.")
@by_option
@pass_session
def command(
    session: Session,
    record: str,
    received: str | None,
    outcome: str | None,
    decided_by: str | None,
    decided_at: str | None,
    note: str | None,
    by: str | None,
) -> int:
    """Note that somebody objects to a decision, what was decided on that, or both. It undoes nothing by
    itself: archiver moderation reverse."""
    now_ms = system_clock()
    if received is None and outcome is None:
        raise UsageError("neither --received nor --outcome is given", "say when it came, or what came of it")
    if outcome is None and (decided_by is not None or decided_at is not None):
        raise UsageError("a decision needs its --outcome", "upheld, overturned or partly")
    person = who(by, session.environ)
    fields: dict[str, Any] = {
        "appeal_received_ms": read_time(received, "--received", now_ms),
        "appeal_outcome": read_appeal_outcome(outcome),
    }
    if outcome is not None:
        fields["appeal_decided_by"] = require_text(decided_by, "--decided-by") or person
        fields["appeal_decided_ms"] = read_time(decided_at, "--decided-at", now_ms) or now_ms
    asked = Asked("alter", "moderation appeal", ids=[record], reason=note)
    with open_register(session, person, asked) as (writer, _, _):
        row = writer.add(writer.find(record), "appeal", require_text(note, "--note"), **fields)
    if session.json:
        session.print_json("moderated", **row_fields(row))
        return 0
    click.echo(f"Recorded in {row.record_id}: an appeal" + (f", {outcome}" if outcome else "") + ".")
    if outcome in ("overturned", "partly") and can_be_reversed(row):
        click.echo(f"  to undo what was done: archiver moderation reverse {row.record_id[:8]} --note …")
    return 0
