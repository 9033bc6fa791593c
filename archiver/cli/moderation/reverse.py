"""`archiver moderation reverse`: an action is undone, and both stay on record."""

import click

from archiver.audit.entry import Asked
from archiver.cli._group import Session, examples, pass_session
from archiver.cli.moderation._options import by_option, who
from archiver.cli.moderation._results import open_register, report_acted
from archiver.moderation.acting import can_be_reversed
from archiver.moderation.decision import require_text


@click.command("reverse", epilog=examples("archiver moderation reverse 3f2a6c11 --note 'no rule was broken'"))
@click.argument("record", metavar="RECORD|ITEM")
@click.option("--note", metavar="TEXT", required=True, help="Why.")
@click.option("--authorised-by", metavar="WHO", help="Who allowed it.")
@by_option
@pass_session
def command(session: Session, record: str, note: str, authorised_by: str | None, by: str | None) -> int:
    """Undo an action: show a hidden reply again, unmute, unblock. An action that a person has not done yet is
    called off, and a warning is taken back in the record. The record keeps what was done first, by whom and
    why, and now also this.

    As with any action, the entry is durable before X is asked, and what X lets only people do it says how to
    click."""
    why = require_text(note, "--note") or ""
    allowed = require_text(authorised_by, "--authorised-by")
    asked = Asked("alter", "moderation reverse", ids=[record], reason=why)
    with open_register(session, who(by, session.environ), asked) as (writer, _, acting):
        acted = acting.reverse(writer.find(record, can_be_reversed), why, allowed)
    if not session.json:
        click.echo(f"Recorded in {acted.row.record_id}:")
    return report_acted(session, acted)
