"""Moderation records for a person to read, a line or a few each, and as JSON."""

from collections.abc import Iterator

from archiver.cli._session import printable
from archiver.records import Moderation
from archiver.register import ModerationRecord, Registered
from archiver.times import format_time

_STATES = {"planned": "PENDING", "done": "done", "failed": "FAILED"}
SEALED = "sealed: text and reasons are in the archives"


def minute(milliseconds: int) -> str:
    """As `2026-11-25 14:05:09 UTC`."""
    return format_time(milliseconds)[:19].replace("T", " ") + " UTC"


def author_of(now: Moderation) -> str:
    """Who wrote the item: `@handle`, else the id."""
    return f"@{now.author_handle}" if now.author_handle else now.author_id or "somebody unknown"


def action_in_words(action: str | None, state: str | None) -> str:
    """What was decided and how that stands: `hidden, done`, `blocked, PENDING`."""
    if action is None:
        return "no action named"
    if action == "none":
        return "no action"
    return action if state is None else f"{action}, {_STATES.get(state, state)}"


def place_in_words(archive: str | None, *, in_spool: bool) -> str:
    """Where a record lies."""
    places = [archive] if archive is not None else []
    return " and ".join([*places, "the spool"] if in_spool or not places else places)


def headline(
    record: ModerationRecord, archive: str | None, *, in_spool: bool, superseded: bool = False
) -> str:
    """One line of all that matters but the item's text."""
    now = record.now
    parts = [
        minute(now.entered_ms),
        "moderation",
        author_of(now),
        record.id,
        ", ".join(now.reason_codes) or "no reason",
        action_in_words(now.action, now.state),
        f"by {now.entered_by}",
        now.item_url or now.item_id or "",
        f"in {place_in_words(archive, in_spool=in_spool)}",
    ]
    if superseded:
        parts.append("[only what was corrected since matches]")
    return printable("  ".join(part for part in parts if part)).replace("\n", "\\n")


def words_of(record: ModerationRecord) -> Iterator[str]:
    """The item's text as it stood, or why there is none; the reason in words; why later entries were made."""
    now = record.now
    if now.text:
        yield now.text
    elif now.unseen:
        yield f"[not seen: {now.unseen}]"
    if now.reason_text:
        yield f"note: {now.reason_text}"
    for entry in record.entries:
        if entry.entry_note:
            yield f"{entry.entry}: {entry.entry_note}"


def record_fields(
    record: ModerationRecord, archive: str | None, *, in_spool: bool, superseded: bool = False
) -> dict[str, object]:
    """A record as JSON. `archive` is the one that holds its last sealed entry, null where only the spool has
    any; `in_spool`: an entry of it is in no archive yet."""
    now = record.now
    return {
        "platform": now.platform,
        "id": record.id,
        "account": now.account,
        "author": now.author_handle,
        "author_id": now.author_id,
        "posted_at": time_or_none(now.posted_ms),
        "recorded_at": format_time(now.entered_ms),
        "recorded_by": now.entered_by,
        "reasons": list(now.reason_codes),
        "action": now.action,
        "state": now.state,
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
        "account": row.account,
        "author_id": row.author_id,
        "recorded_at": format_time(row.entered_ms),
        "action": row.action,
        "state": row.state,
        "item_type": row.item_type,
        "item_id": row.item_id,
        "in_spool": in_spool,
        "versions": row.entries,
        "superseded": False,
        "pending": row_is_pending(row),
    }
    return {name: known.get(name) for name in _FIELDS}


_FIELDS = (
    "platform", "id", "account", "author", "author_id", "posted_at", "recorded_at", "recorded_by", "reasons",
    "action", "state", "item_type", "item_id", "item_url", "text", "note", "archive", "in_spool", "versions",
    "superseded", "pending",
)  # fmt: skip


def row_line(row: Registered) -> str:
    """As `headline`, of such a record."""
    parts = (
        minute(row.entered_ms),
        "moderation",
        row.record_id,
        f"account {row.account}",
        action_in_words(row.action, row.state),
        f"[{SEALED}]",
    )
    return printable("  ".join(parts))


def row_is_pending(row: Registered) -> bool:
    return row.state == "planned" or (row.state == "failed" and row.way is not None)


def time_or_none(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else format_time(milliseconds)


def number_of(number: int, what: str) -> str:
    """`1 record`, `12 records`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
