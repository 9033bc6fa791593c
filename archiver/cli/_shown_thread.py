"""What `archiver show` says around a record: its times, its thread, and who names one that is not held."""

from collections.abc import Iterator, Sequence

import click

from archiver.cli._session import one_line
from archiver.cli._shown import place_of
from archiver.cli._shown_lines import columns, field, in_both_times
from archiver.cli.moderation._lines import minute, number_of
from archiver.search.record.sightings import Missing, RecordName, Sightings
from archiver.search.record.thread import Line, Thread
from archiver.times import format_time

AROUND = 25
"""Lines of a thread that are shown before and after the record."""
_FEWEST_CHARACTERS = 16
_MOST_WHO = 14
_MOST_CAPTURED = 20


def time_lines(sightings: Sightings) -> Iterator[str]:
    """Each time in UTC and in UK time."""
    yield "\nTimes"
    if sightings.posted_ms is not None:
        yield field("posted", _time(sightings.posted_ms))
    for number, captured_ms in enumerate(sightings.captured[:_MOST_CAPTURED]):
        yield field("captured again" if number else "first captured", _time(captured_ms))
    if len(sightings.captured) > _MOST_CAPTURED:
        yield field("", f"and {len(sightings.captured) - _MOST_CAPTURED:,} times more")
    seen_ms = sightings.last_seen_ms
    yield field("last seen", "never: it was gone when it was captured" if seen_ms is None else _time(seen_ms))
    if sightings.compared_ms is not None:
        yield field("", "not absent from the whole export of then; unchanged, so not kept again")
    if sightings.missing:
        yield field("first missing", _time(sightings.missing[0].noticed_ms))


def _time(milliseconds: int) -> str:
    return in_both_times(milliseconds) if milliseconds else "unknown"


def gone_lines(missing: Sequence[Missing]) -> Iterator[str]:
    """When and how it was found missing, and whether it was there again."""
    for number, one in enumerate(missing):
        yield from [] if number else [""]
        yield one_line(f"Gone: noticed {format_time(one.noticed_ms)}: {one.how}, in {place_of(one.archive)}")
        yield field("noticed", in_both_times(one.noticed_ms))
        if one.deleted_ms is not None:
            yield field("deleted", in_both_times(one.deleted_ms))
        if one.back_ms is not None:
            yield field("there again", in_both_times(one.back_ms))


def sightings_fields(sightings: Sightings) -> dict[str, object]:
    """The times of a record as JSON."""
    times = {
        "posted": sightings.posted_ms,
        "first_captured": sightings.captured[0],
        "last_captured": sightings.captured[-1],
        "last_seen": sightings.last_seen_ms,
        "first_missing": sightings.missing[0].noticed_ms if sightings.missing else None,
        "back": sightings.missing[-1].back_ms if sightings.missing else None,
    }
    return {f"{name}_at": None if one is None else format_time(one) for name, one in times.items()}


# The thread


def has_more(thread: Thread) -> bool:
    """Whether there is anything beside the record itself."""
    return bool(thread.before or thread.after or thread.missing or thread.is_cut)


def thread_lines(thread: Thread) -> Iterator[str]:
    """The thread in order of time, the record marked."""
    messages = thread.record is not None and thread.record.table == "message"
    yield f"\n{'Conversation' if messages else 'Thread'}, oldest first, times in UTC"
    yield from _more(thread.more_before, "earlier", thread)
    for missing in thread.missing:
        who = f" of @{missing.handle}" if missing.handle else ""
        subject = "" if thread.record is None or missing.by == thread.record.id else f"{missing.by} "
        yield "    " + one_line(f"{subject}{missing.how} {missing.id}{who}, which is not in the vault")
    width = max((len(_who(line)) for line in thread.lines), default=0)
    for line in thread.lines:
        yield _in_a_line(line, min(width, _MOST_WHO), is_marked=line is thread.record)
    yield from _more(thread.more_after, "later", thread)
    if thread.is_cut and not thread.more_before and not thread.more_after:
        yield "    and more: the thread is longer than was followed"


def naming_lines(platform_id: str, lines: Sequence[Line]) -> Iterator[str]:
    """Who names a record that is not held."""
    verb = "names" if len(lines) == 1 else "name"
    yield one_line(f"{platform_id} is not in the vault; {number_of(len(lines), 'post')} {verb} it:")
    width = max((len(_who(line)) for line in lines), default=0)
    for line in lines[:AROUND]:
        yield _in_a_line(line, min(width, _MOST_WHO))
        yield "      " + one_line(naming_of(line, platform_id))
    if len(lines) > AROUND:
        yield f"    and {len(lines) - AROUND:,} more"


def naming_of(line: Line, platform_id: str) -> str:
    """How a post names another: `replies to it`."""
    ways = {
        "replies to": line.in_reply_to_id,
        "quotes": line.quote_of_id,
        "reposts": line.repost_of_id,
        "is in the conversation of": line.conversation_id,
    }
    handle = line.in_reply_to_handle if line.in_reply_to_id == platform_id else None
    who = f"{platform_id} of @{handle}" if handle else platform_id
    said = [way for way, one in ways.items() if one == platform_id]
    return f"{said[0] if said else 'names'} {who}"


def _more(number: int, which: str, thread: Thread) -> Iterator[str]:
    if number:
        least = "at least " if thread.is_cut else ""
        yield f"    and {least}{number:,} more {which}"


def _who(line: Line) -> str:
    return one_line(f"@{line.author}" if line.author else line.author_id or "unknown")


def _in_a_line(line: Line, width: int, *, is_marked: bool = False) -> str:
    """When, who, the first characters, the id."""
    who = _who(line)
    who = who if len(who) <= width else f"{who[: width - 1]}…"
    head = f"{'>>' if is_marked else '  '} {minute(line.posted_ms)}  {who:{width}}  "
    text = one_line(" ".join(line.text.split()))
    room = max(_FEWEST_CHARACTERS, columns() - len(head) - len(line.id) - 2)
    text = text if len(text) <= room else f"{text[: room - 1]}…"
    shown = f"{head}{text:{room}}  {one_line(line.id)}"
    return click.style(shown, bold=True) if is_marked else shown


def thread_fields(thread: Thread) -> dict[str, object]:
    """A thread as JSON. `at_least`: there may be more than `more_before` and `more_after` say."""
    return {
        "lines": [line_fields(line, is_record=line is thread.record) for line in thread.lines],
        "more_before": thread.more_before,
        "more_after": thread.more_after,
        "at_least": thread.is_cut,
        "missing": [one._asdict() for one in thread.missing],
    }


def line_fields(line: Line, *, is_record: bool = False) -> dict[str, object]:
    """One line of a thread as JSON; `text` is cut to 280 characters."""
    names = (
        "platform", "id", "kind", "account", "author_id", "author", "text", "archive", "in_reply_to_id",
        "conversation_id", "quote_of_id", "repost_of_id",
    )  # fmt: skip
    fields: dict[str, object] = {name: getattr(line, name) for name in names}
    return {**fields, "posted_at": format_time(line.posted_ms), "is_record": is_record}


def heading(name: RecordName, number: int, of: int) -> str:
    """Above one of several records that have the same id."""
    platform, account, kind, own = name
    words = kind.replace("_", " ")
    return one_line(f"Record {number} of {of} with this id: {words} {own}, account {account} ({platform})")
