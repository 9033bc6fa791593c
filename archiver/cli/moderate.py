"""`archiver moderate`: record an item of X, then do what was decided about it."""

import sys
from typing import Any

import click

from archiver.audit.entry import Asked
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import one_line, printable
from archiver.cli.login import find_account
from archiver.cli.moderation._options import (
    TIME,
    by_option,
    decision_options,
    read_facts,
    read_time,
    screenshot_option,
    who,
)
from archiver.cli.moderation._results import INCOMPLETE, open_register, report_acted
from archiver.errors import ArchiverError, ConfigurationError, UsageError
from archiver.moderation.capture import NotCapturedError
from archiver.moderation.decision import Given, parse_action, parse_moment, require_line, require_text
from archiver.moderation.item import ItemName, parse_item_name, parse_number
from archiver.moderation.known import Decision, Recorded
from archiver.moderation.moderating import Moderator
from archiver.moderation.screenshots import check_screenshot
from archiver.records import MODERATION_VERBS, Moderation
from archiver.settings import AccountSettings, Settings
from archiver.times import format_time, system_clock

_SHOWN_CHARACTERS = 280
_MOST_INPUT_BYTES = 1024 * 1024


@click.command(
    "moderate",
    epilog=examples(
        "archiver moderate https://x.com/HANDLE/status/1588091220244369409 --reason abusive --action hide",
        "archiver moderate 1588091220244369409 --reason own_error --action remove --note 'wrong street'",
        "archiver moderate @HANDLE --reason impersonation --action report",
        "archiver moderate done 3f2a6c11",
    ),
)
@click.argument("item", metavar="URL|ID|@HANDLE")
@click.option("--action", metavar="ACTION", required=True, help=f"{', '.join(MODERATION_VERBS)}.")
@decision_options
@by_option
@click.option("--account", metavar="ID|HANDLE", help="Which of our accounts; needed where there are several.")
@click.option("--message", is_flag=True, help="The ID is a direct message's; its content is given by hand.")
@click.option("--text", metavar="TEXT", help="By hand: what it says. - reads it from standard input.")
@click.option("--author", metavar="HANDLE", help="By hand: who wrote it.")
@click.option("--author-name", metavar="NAME", help="By hand: the author's name as shown.")
@click.option("--author-id", metavar="ID", help="By hand: the author's number.")
@click.option("--posted-at", metavar=TIME, help="By hand: when it was posted.")
@screenshot_option
@click.option("--done-at", metavar=TIME, help="You did it on X already, at this time.")
@click.option("--again", is_flag=True, help="Make another record although the same is recorded already.")
@pass_session
def command(session: Session, /, item: str, action: str, **said: Any) -> int:
    """Record a post, a reply or an account that breaks the rules, and only then act.

    The item, its author's profile, the posts it answers and the thread around it are asked of X and kept as
    X sent them; the record says what was said, by whom and when, which rule it breaks, and who decided.
    Only when all that is durable is the action taken: hide a reply, remove an own post, mute, as far as the
    settings allow (acts in [account.api]). For everything else it says what to click, and waits for:
    archiver moderate done. A record that was cut off is finished by the same command.

    Where X does not show the item nothing is done, unless --text, --author and --posted-at give it by hand.
    Times carry their zone: 2026-11-25T14:05Z.

    Exit 0: recorded and done. 3: recorded, but the action is still to be done, or something around the item
    could not be had. 1: failed; the message says whether it is recorded."""
    settings, now_ms = session.settings, system_clock()
    name = parse_item_name(item, is_message=said["message"])
    if not said["reasons"]:
        known = ", ".join(settings.moderation.reason_codes)
        raise UsageError("there is no reason", f"--reason with one of: {known}")
    facts = read_facts(said, settings.moderation, now_ms)
    if facts.until_ms is not None and facts.until_ms < now_ms and said["done_at"] is None:
        raise UsageError("--until lies in the past, so there would be nothing to do", "look at the year")
    decision = Decision(
        name=name,
        account=_account_of(settings, said["account"], name),
        action=parse_action(action),
        facts=facts,
        given=_read_given(said, now_ms),
        screenshots=[
            check_screenshot(one, settings.moderation.screenshot_bytes) for one in said["screenshots"]
        ],
        done_ms=read_time(said["done_at"], "--done-at", now_ms),
        anew=said["again"],
    )
    recorded: list[Recorded] = []

    def on_recorded(one: Recorded) -> None:
        recorded.append(one)
        _say_recorded(session, one)

    try:
        asked = Asked(
            "alter", "moderate", ids=[item], case=facts.case, reason=", ".join(facts.reason_codes),
            detail={"action": decision.action},
        )  # fmt: skip
        with open_register(session, who(said["by"], session.environ), asked) as (writer, connections, _):
            acted = Moderator(settings, writer, connections).moderate(decision, on_recorded)
    except KeyboardInterrupt:
        if not recorded:
            session.note("\nnothing was recorded, and nothing was done")
        raise
    except ArchiverError as error:
        if not recorded and not isinstance(error, UsageError | ConfigurationError | NotCapturedError):
            nothing = "nothing was recorded, and nothing was done"
            error.hint = nothing if error.hint is None else f"{error.hint}; {nothing}"
        raise
    one = recorded[0]
    code = report_acted(session, acted, known=one.known, added=one.added, notes=list(one.notes))
    return code or (INCOMPLETE if one.short else 0)


def _account_of(settings: Settings, named: str | None, name: ItemName) -> AccountSettings:
    """Ours that the item is about: the one named, the only one, or the one that the address names."""
    accounts = [one for one in settings.accounts if one.platform == "x"]
    own = [one for one in accounts if one.handle and one.handle.lower() == (name.handle or "").lower()]
    if named is None and len(accounts) > 1 and len(own) == 1:
        return own[0]
    return find_account(settings, named)


def _read_given(said: dict[str, Any], now_ms: int) -> Given | None:
    """The content given by hand, whole or not at all."""
    needed = {"--text": said["text"], "--author": said["author"], "--posted-at": said["posted_at"]}
    further = [
        f"--{name}" for name in ("author-name", "author-id") if said[name.replace("-", "_")] is not None
    ]
    if not any(value is not None for value in needed.values()) and not further:
        return None
    missing = [option for option, value in needed.items() if value is None]
    if missing:
        raise UsageError(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing",
            "an item by hand needs its text, its author and when it was posted",
        )
    text = _read_input() if said["text"] == "-" else said["text"]
    handle = parse_item_name(f"@{said['author'].strip().removeprefix('@')}").handle
    author_id = said["author_id"]
    return Given(
        text=require_text(text, "--text") or "",
        author_handle=handle or "",
        posted_ms=parse_moment(said["posted_at"], "--posted-at", now_ms),
        author_id=None if author_id is None else parse_number(author_id, "--author-id"),
        author_name=require_line(said["author_name"], "--author-name"),
    )


def _read_input() -> str:
    """Standard input to its end, without the line end that an editor adds. Raise UsageError where that is too
    much: what is cut would be lost."""
    data = sys.stdin.buffer.read(_MOST_INPUT_BYTES + 1)
    if len(data) > _MOST_INPUT_BYTES:
        raise UsageError(
            f"--text - takes {_MOST_INPUT_BYTES:,} bytes at most, and there are more",
            "give the part that counts, and the whole as --screenshot",
        )
    return data.decode("utf-8", "surrogateescape").removesuffix("\n")


def _say_recorded(session: Session, recorded: Recorded) -> None:
    """What is on record, before anything is done about it."""
    if not session.json:
        words = "Recorded already as" if recorded.known else "Recorded as"
        added = ", and what was said now is added" if recorded.added else ""
        click.echo(f"{words} {recorded.row.record_id}{added}.")
        if recorded.entry is not None:
            _say_entry(recorded.entry)
    for note in recorded.notes:
        session.note(printable(note))


def _say_entry(entry: Moderation) -> None:
    """What was said, by whom and when, as the record has it."""
    by = f"@{entry.author_handle}" if entry.author_handle else entry.author_id or "an author not known"
    when = "" if entry.posted_ms is None else f", {format_time(entry.posted_ms)[:19].replace('T', ' ')} UTC"
    click.echo(one_line(f"  {entry.item_type or 'post'} by {by}{when}"))
    text = f"not seen: {entry.unseen}" if entry.text is None else entry.text
    shown = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
    click.echo("  | " + printable(shown).replace("\n", "\n  | "))
    answers = len(entry.context_sha256)
    kept = [f"{answers} answer{'' if answers == 1 else 's'} of X"] if answers else []
    kept += [f"{one.role} {one.file_name}" for one in entry.attachments if one.missing is None]
    if kept:
        click.echo(one_line(f"  kept with it: {', '.join(kept)}"))
