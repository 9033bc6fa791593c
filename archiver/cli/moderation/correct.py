"""`archiver moderation correct`: a record put right by a new entry; the old one stays."""

from typing import Any

import click

from archiver.audit.entry import Asked
from archiver.cli._group import Session, examples, pass_session
from archiver.cli.moderation._options import (
    CLEARED_BY,
    TIME,
    by_option,
    correction_options,
    read_facts,
    read_time,
    screenshot_option,
    who,
)
from archiver.cli.moderation._results import open_register, row_fields
from archiver.errors import UsageError
from archiver.moderation.attachments import take_screenshots
from archiver.moderation.decision import require_line, require_text
from archiver.moderation.item import PLATFORM, parse_item_name, parse_number
from archiver.moderation.screenshots import check_screenshot
from archiver.register import Registered
from archiver.times import system_clock


@click.command(
    "correct",
    epilog=examples(
        "archiver moderation correct 3f2a6c11 --why 'wrong code picked' --reason threatening",
        "archiver moderation correct 3f2a6c11 --why 'reference known since' --escalate crime:REFERENCE",
        "archiver moderation correct 3f2a6c11 --why 'complaint closed' --clear hold",
    ),
)
@click.argument("record", metavar="RECORD|ITEM")
@click.option("--why", metavar="TEXT", required=True, help="Why it is put right.")
@correction_options
@click.option("--text", metavar="TEXT", help="What the item says, where it was written down wrongly.")
@click.option("--author", metavar="HANDLE", help="Who wrote it.")
@click.option("--author-name", metavar="NAME", help="The author's name as shown.")
@click.option("--author-id", metavar="ID", help="The author's number.")
@click.option("--posted-at", metavar=TIME, help="When it was posted.")
@click.option("--done-at", metavar=TIME, help="When the action was done.")
@screenshot_option
@click.option(
    "--clear",
    multiple=True,
    type=click.Choice(list(CLEARED_BY)),
    metavar="OPTION",
    help=f"Take back what was said: {', '.join(CLEARED_BY)}; may be repeated.",
)
@by_option
@pass_session
def command(session: Session, /, record: str, why: str, **said: Any) -> int:
    """Put a record right, or add what was not known. What is given counts from now on; the record goes on
    showing what stood there before, and who changed it when.

    --reason replaces all reasons. An action is not corrected but reversed: archiver moderation reverse."""
    now_ms = system_clock()
    why = require_text(why, "--why") or ""
    fields: dict[str, Any] = read_facts(said, session.settings.moderation, now_ms).said
    content = {
        "text": require_text(said["text"], "--text"),
        "author_handle": require_line(said["author"], "--author"),
        "author_name": require_line(said["author_name"], "--author-name"),
        "author_id": require_line(said["author_id"], "--author-id"),
        "posted_ms": read_time(said["posted_at"], "--posted-at", now_ms),
        "action_ms": read_time(said["done_at"], "--done-at", now_ms),
    }
    if content["text"] is not None:
        fields["content"] = "given"
    fields |= {name: value for name, value in content.items() if value is not None}
    cleared = tuple(name for option in dict.fromkeys(said["clear"]) for name in CLEARED_BY[option])
    if twice := [name for name in cleared if name in fields]:
        raise UsageError(f"{twice[0].replace('_', ' ')} is given and cleared", "one of the two")
    if cleared:
        fields["cleared"] = cleared
    most = session.settings.moderation.screenshot_bytes
    screenshots = [check_screenshot(one, most) for one in said["screenshots"]]
    if not fields and not screenshots:
        raise UsageError("nothing is put right", "say what: --reason, --note, --text … (--help lists all)")
    asked = Asked("alter", "moderation correct", ids=[record], case=said["case"], reason=why)
    with open_register(session, who(said["by"], session.environ), asked) as (writer, _, _):
        row = writer.find(record)
        _check_author(row, fields)
        with writer.spool.appending():
            if screenshots:
                files = take_screenshots(writer.spool, row.account, writer.make_id(), screenshots)
                fields["attachments"] = tuple(files)
            row = writer.add(row, "correction", why, **fields)
    if session.json:
        session.print_json("moderated", **row_fields(row), corrected=sorted(fields))
    else:
        names = ", ".join(name.removesuffix("_ms").replace("_", " ") for name in sorted(fields))
        click.echo(f"Recorded in {row.record_id}: {names}. What stood there before stays on record.")
    return 0


def _check_author(row: Registered, fields: dict[str, Any]) -> None:
    """On X a handle and a number have a form of their own; raise UsageError for another."""
    if row.platform != PLATFORM:
        return
    if "author_handle" in fields:
        handle = fields["author_handle"].removeprefix("@")
        fields["author_handle"] = parse_item_name(f"@{handle}").handle
    if "author_id" in fields:
        parse_number(fields["author_id"], "--author-id")
