"""Moderation records for a person to read, a few short lines each, and as JSON."""

from collections.abc import Iterator, Sequence

from archiver.cli._session import one_line
from archiver.records import Moderation
from archiver.register import ModerationRecord, Registered
from archiver.times import format_time

_STATES = {"planned": "PENDING", "done": "done", "failed": "FAILED"}
SEALED = "sealed: text and reasons are in the archives"


def second(milliseconds: int) -> str:
    """As `2026-11-25 14:05:09 UTC`."""
    return format_time(milliseconds)[:19].replace("T", " ") + " UTC"


def minute(milliseconds: int) -> str:
    """As `2026-11-25 14:05Z`, where there is little room."""
    return format_time(milliseconds)[:16].replace("T", " ") + "Z"


def author_of(now: Moderation) -> str:
    """Who wrote the item: `@handle`, else the id."""
    return f"@{now.author_handle}" if now.author_handle else now.author_id or "somebody unknown"


def action_in_words(action: str | None, state: str | None) -> str:
    """What was decided and how that stands now: `hidden, done`, `blocked, PENDING`."""
    if action is None:
        return "no action named"
    if action == "none":
        return "no action"
    return action if state is None else f"{action}, {_STATES.get(state, state)}"


def acts_in_words(record: ModerationRecord) -> str:
    """What was decided, what was decided to undo it, and how that stands: `hidden, then unhidden, done`,
    `blocked: called off`, `warned, done; taken back`."""
    reversals = [one.action for one in record.entries if one.entry == "reversal"]
    undone = [action for action in reversals if action is not None]
    words = _in_words(record.decided, undone, record.now.state)
    return words if len(undone) == len(reversals) else f"{words}; taken back"


def _in_words(decided: str | None, undone: Sequence[str], state: str | None) -> str:
    """One act after the other; the last may be that the one before it was called off."""
    acts = [action for action in (decided, *undone) if action is not None]
    if undone and undone[-1] == "none":
        return ", then ".join(acts[:-1]) + ": called off" if acts[1:] else "called off"
    last = action_in_words(acts[-1] if acts else None, state)
    return ", then ".join([*acts[:-1], last])


def row_in_words(row: Registered) -> str:
    """As `acts_in_words`, as far as the register knows it."""
    if row.decided is None or row.decided == row.action:
        return action_in_words(row.action, row.state)
    if row.action == "none" and row.entries > 2:  # the action, or its undoing
        return f"{row.decided}, then called off"
    return _in_words(row.decided, [row.action] if row.action is not None else [], row.state)


def place_in_words(archive: str | None, *, in_spool: bool) -> str:
    """Where a record lies."""
    places = [archive] if archive is not None else []
    return " and ".join([*places, "the spool"] if in_spool or not places else places)


def headline(record: ModerationRecord) -> str:
    """When, what was done, to whom, and the record's id."""
    now = record.now
    return one_line("  ".join((minute(now.entered_ms), acts_in_words(record), author_of(now), record.id)))


def details(
    record: ModerationRecord, archive: str | None, *, in_spool: bool, superseded: bool = False
) -> list[str]:
    """What stands below: why, by whom and where it lies; what it is about; whether it is found only by what
    was put right since."""
    now = record.now
    reasons = ", ".join(now.reason_codes) or "no reason"
    place = place_in_words(archive, in_spool=in_spool)
    item = (now.item_type or "item").replace("_", " ")
    lines = [f"moderation: {reasons}; by {now.entered_by}; in {place}"]
    if now.item_url or now.item_id:
        lines.append(f"{item} {now.item_url or now.item_id}")
    if superseded:
        lines.append("[only what was corrected since matches]")
    return [one_line(line) for line in lines]


def words_of(record: ModerationRecord) -> Iterator[str]:
    """The item's text as it stood, or why there is none; the reason in words; why later entries were made."""
    yield from standing_words(record.now)
    for entry in record.entries:
        if entry.entry_note:
            yield f"{entry.entry}: {entry.entry_note}"


def standing_words(now: Moderation) -> Iterator[str]:
    """The first two of these."""
    if now.text:
        yield now.text
    elif now.unseen:
        yield f"[not seen: {now.unseen}]"
    if now.reason_text:
        yield f"note: {now.reason_text}"


def record_fields(
    record: ModerationRecord, archive: str | None, *, in_spool: bool, superseded: bool = False
) -> dict[str, object]:
    """A record as JSON. `archive` is the one that holds its last sealed entry, null where only the spool has
    any; `in_spool`: an entry of it is in no archive yet. `reversals`: the actions of the entries that undo
    the one decided on, `none` where it was called off, null where it was taken back and stays."""
    now = record.now
    return {
        "platform": now.platform,
        "id": record.id,
        "record": record.id,
        "account": now.account,
        "author": now.author_handle,
        "author_id": now.author_id,
        "posted_at": time_or_none(now.posted_ms),
        "recorded_at": format_time(now.entered_ms),
        "recorded_by": now.entered_by,
        "reasons": list(now.reason_codes),
        "decided": record.decided,
        "action": now.action,
        "state": now.state,
        "reversals": [one.action for one in record.entries if one.entry == "reversal"],
        "item_type": now.item_type,
        "item_id": now.item_id,
        "item_url": now.item_url,
        "text": now.text,
        "note": now.reason_text,
        "archive": archive,
        "in_spool": in_spool,
        "versions": len(record.entries),
        "superseded": superseded,
        "pending": record.is_pending,
    }


def row_fields(row: Registered, *, in_spool: bool) -> dict[str, object]:
    """As `record_fields`, of a record of which this host knows no more than its row of the register, but for
    what of it is not sealed."""
    known = {
        "platform": row.platform,
        "id": row.record_id,
        "record": row.record_id,
        "account": row.account,
        "author_id": row.author_id,
        "recorded_at": format_time(row.entered_ms),
        "decided": row.decided,
        "action": row.action,
        "state": row.state,
        "item_type": row.item_type,
        "item_id": row.item_id,
        "in_spool": in_spool,
        "versions": row.entries,
        "superseded": False,
        "pending": row.is_pending,
    }
    return {name: known.get(name) for name in _FIELDS}


_FIELDS = (
    "platform", "id", "record", "account", "author", "author_id", "posted_at", "recorded_at", "recorded_by",
    "reasons", "decided", "action", "state", "reversals", "item_type", "item_id", "item_url", "text", "note",
    "archive", "in_spool", "versions", "superseded", "pending",
)  # fmt: skip


def row_headline(row: Registered) -> str:
    """As `headline`, of such a record; SEALED says what else of it there is."""
    parts = (minute(row.entered_ms), row_in_words(row), f"account {row.account}", row.record_id)
    return one_line("  ".join(parts))


def time_or_none(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else format_time(milliseconds)


def number_of(number: int, what: str) -> str:
    """`1 record`, `12 records`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
