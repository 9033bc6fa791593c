"""Moderation records about an exhibit: how each stands, then each entry with all that it says."""

from collections.abc import Iterator
from typing import Any

from archiver.evidence.model import Exhibit, ModerationNote
from archiver.evidence.paper.blocks import Block, Field, Writer, in_both_times, section
from archiver.evidence.paper.media import show_medium
from archiver.records import Moderation
from archiver.register import compose

_OF_AN_ENTRY = frozenset({"id", "record_id", "number", "entry", "entered_ms", "entered_by", "schema_version"})
"""These stand in an entry's caption."""
_APART = frozenset({"text", "attachments", "imported"})
_PUBLIC = frozenset(
    {"platform", "account_handle", "item_type", "content", "unseen", "posted_ms", "detected_ms", "detection",
     "house_rule", "house_rule_version", "reason_codes", "reason_text", "legal_ground", "action", "state",
     "way", "action_ms", "until_ms", "notified_ms", "notified_how", "not_notified", "appeal_received_ms",
     "appeal_decided_ms", "appeal_outcome", "entry_note", "cleared"}
)  # fmt: skip
"""All that is published of an entry: nobody's name or number, no other case, no log."""
_LABELS = {
    "action_ms": "Acted", "action_by": "Acted by", "until_ms": "Until", "reason_codes": "Reasons",
    "reason_text": "Note", "unseen": "Not seen", "context_sha256": "Context’s SHA-256",
    "context_missing": "Context missing", "entry_note": "Why", "cleared": "Takes back", "corrects": "Follows",
    "item_url": "Item’s address", "item_id": "Item’s id", "escalated_reference": "Escalated as",
}  # fmt: skip


def moderation(exhibit: Exhibit, writer: Writer) -> list[Block]:
    """Every moderation record about it, or that it is itself."""
    return section("Moderation", *(_record(note, writer) for note in exhibit.moderation))


def _record(note: ModerationNote, writer: Writer) -> Iterator[Block]:
    number = "" if writer.public else f" {note.record_id}"
    yield ["caption", writer.runs(f"Moderation record{number}")]
    if note.entries:
        record = compose(note.entries)
        state = f", {record.now.state}" if record.now.state else ""
        undone = "; undone since" if record.is_reversed else ""
        yield from writer.fields(
            ("As it stands", f"{record.now.action or 'no action named'}{state}{undone}"),
            ("Reasons", ", ".join(record.now.reason_codes) or "none named"),
        )
    for place, entry in enumerate(note.entries):
        archive = note.archives[place] if place < len(note.archives) else None
        yield from _entry(entry, archive, note.entries[-1].number, writer)
    for medium in note.media:
        yield from show_medium(medium, writer)


def _entry(entry: Moderation, archive: str | None, last: int, writer: Writer) -> Iterator[Block]:
    by = "" if writer.public else f" by {entry.entered_by}"
    place = "" if writer.public else f", in archive {archive}" if archive else ", not sealed yet"
    caption = f"Entry {entry.number} of {last}: {entry.entry}, {in_both_times(entry.entered_ms)}{by}{place}"
    yield ["caption", writer.runs(caption)]
    yield from writer.fields(*_said(entry, writer))
    if entry.text:
        yield from writer.text(entry.text, entry.language)
    if entry.imported is not None and not writer.public:
        log = entry.imported
        yield from writer.fields(
            ("Imported from", f"{log.file}, line {log.line}, SHA-256 {log.sha256}"), *log.cells.items()
        )


def _said(entry: Moderation, writer: Writer) -> Iterator[Field]:
    """Every field that says something, in the record's own order."""
    for name in entry.__struct_fields__:
        value = getattr(entry, name)
        left_out = name in _OF_AN_ENTRY or name in _APART or (writer.public and name not in _PUBLIC)
        if not left_out and value not in (None, ()):
            yield _label(name), _shown(name, value)
    for one in () if writer.public else entry.attachments:
        yield one.role.capitalize(), ", ".join(filter(None, (one.file_name, one.sha256, one.missing)))


def _label(name: str) -> str:
    return _LABELS.get(name, name.removesuffix("_ms").replace("_", " ").capitalize())


def _shown(name: str, value: Any) -> str | None:
    if name.endswith("_ms") and isinstance(value, int):
        return in_both_times(value)
    if name == "cleared":
        return ", ".join(map(_label, value))
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
