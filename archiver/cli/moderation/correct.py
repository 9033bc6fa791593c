"""`archiver moderation correct`: a record put right by a new entry; the old one stays."""

from typing import Any

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli.moderation._options import TIME, by_option, facts_options, read_facts, read_time, who
from archiver.cli.moderation._results import open_register, row_fields
from archiver.errors import UsageError
from archiver.moderation.decision import require_text
from archiver.moderation.item import parse_item_name
from archiver.times import system_clock


@click.command(
    "correct",
    epilog=examples(
        "archiver moderation correct 3f2a6c11 --why 'wrong code picked' --reason threatening",
        "archiver moderation correct 3f2a6c11 --why 'reference known since' --escalate crime:REFERENCE",
    ),
)
@click.argument("record", metavar="RECORD|ITEM")
@click.option("--why", metavar="TEXT", required=True, help="Why it is put right.")
@facts_options
@click.option("--text", metavar="TEXT", help="What the item says, where it was written down wrongly.")
@click.option("--author", metavar="HANDLE", help="Who wrote it.")
@click.option("--author-name", metavar="NAME", help="The author's name as shown.")
@click.option("--author-id", metavar="ID", help="The author's number.")
@click.option("--posted-at", metavar=TIME, help="When it was posted.")
@by_option
@pass_session
def command(session: Session, /, record: str, why: str, **said: Any) -> int:
    """Put a record right, or add what was not known. What is given counts from now on; the record goes on
    showing what stood there before, and who changed it when.

    --reason replaces all reasons. An action is not corrected but reversed: archiver moderation reverse."""
    now_ms = system_clock()
    fields = read_facts(said, session.settings.moderation, now_ms).said
    author_id, author = said["author_id"], said["author"]
    content = {
        "text": require_text(said["text"], "--text"),
        "author_handle": None if author is None else parse_item_name(f"@{author.removeprefix('@')}").handle,
        "author_name": require_text(said["author_name"], "--author-name"),
        "author_id": None if author_id is None else parse_item_name(author_id).id,
        "posted_ms": read_time(said["posted_at"], "--posted-at", now_ms),
    }
    fields |= {name: value for name, value in content.items() if value is not None}
    if not fields:
        raise UsageError("nothing is put right", "say what: --reason, --note, --text … (--help lists all)")
    with open_register(session, who(said["by"], session.environ)) as (register, _, _):
        row = register.add(register.find(record), "correction", require_text(why, "--why"), **fields)
    if session.json:
        session.print_json("moderated", **row_fields(row), corrected=sorted(fields))
    else:
        names = ", ".join(name.removesuffix("_ms").replace("_", " ") for name in sorted(fields))
        click.echo(
            f"Recorded in {row.record_id}: {names} put right. What stood there before stays on record."
        )
    return 0
