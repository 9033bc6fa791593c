"""A moderation record as the page shows it: how it stands, and each entry with all that it says."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from archiver.evidence.model import ModerationNote
from archiver.evidence.page.facts import Facts
from archiver.evidence.page.html import Html, joined
from archiver.evidence.page.listing import Fact, listing
from archiver.evidence.page.moments import moment
from archiver.evidence.page.texts import Texts
from archiver.records import Attachment, LogRow, Moderation
from archiver.register import ModerationRecord, compose

_APART: Final = frozenset(
    {"record_id", "number", "entry", "entered_ms", "entered_by", "schema_version", "text", "language"}
)
"""Fields that have a place of their own."""
_LABELS: Final = {
    "id": "Entry’s id", "corrects": "Follows entry", "entry_note": "Why", "cleared": "Takes back",
    "action_ms": "Acted at", "action_by": "Acted by", "until_ms": "Until", "reason_codes": "Reasons",
    "reason_text": "Note", "unseen": "Not seen, because", "context_sha256": "SHA-256 of context",
    "context_missing": "Missing of the context", "item_id": "Item’s id", "item_url": "Item’s address",
    "way": "Way of acting", "content": "Its text was", "imported": "Imported from",
}  # fmt: skip
"""What some fields are called for a person; the others by their names."""
_HANDLES: Final = frozenset({"author_handle", "account_handle"})
_PUBLIC: Final = (
    "platform", "account_handle", "item_type", "content", "unseen", "posted_ms", "detected_ms", "detection",
    "house_rule", "house_rule_version", "reason_codes", "reason_text", "legal_ground", "action", "state",
    "way", "action_ms", "until_ms", "notified_ms", "notified_how", "not_notified", "appeal_received_ms",
    "appeal_decided_ms", "appeal_outcome", "entry_note", "cleared",
)  # fmt: skip
"""All that is published of an entry: nobody's name or number, no other case, no log."""


class ShownEntry(NamedTuple):
    """One entry. `text`: the item's text as this entry gives it."""

    number: int
    kind: str
    entered: Markup
    by: str | None
    archive: str | None
    text: str | None
    language: str | None
    facts: Markup


class ShownModeration(NamedTuple):
    """A record. `missing`: how many entries were made before the first that is here."""

    id: str | None
    standing: Markup
    entries: list[ShownEntry]
    missing: int


class ModerationFacts:
    """Moderation records of one page."""

    def __init__(self, facts: Facts, texts: Texts, *, public: bool) -> None:
        self._facts, self._words, self._public = facts, texts.words, public

    def show(self, note: ModerationNote) -> ShownModeration:
        """The record that these entries make."""
        places = dict(zip((one.id for one in note.entries), note.archives, strict=False))
        standing = listing(self._standing(compose(note.entries))) if note.entries else Markup("")
        return ShownModeration(
            None if self._public else note.record_id,
            standing,
            [self._entry(one, places.get(one.id)) for one in note.entries],
            note.entries[0].number - 1 if note.entries else 0,
        )

    def _standing(self, record: ModerationRecord) -> Iterator[Fact]:
        """What was decided, what became of it, and why, as all entries say together."""
        now = record.now
        reversals = [one.action or "taken back" for one in record.entries if one.entry == "reversal"]
        acts = [record.decided or "none named", *reversals]
        yield "Action", self._words(", then ".join(acts) + (f": {now.state}" if now.state else ""))
        yield (
            "Reasons",
            joined(map(self._words, now.reason_codes)) if now.reason_codes else Html("none named"),
        )
        yield "First entered", moment(now.entered_ms).both

    def _entry(self, entry: Moderation, archive: str | None) -> ShownEntry:
        return ShownEntry(
            entry.number,
            entry.entry,
            Markup(moment(entry.entered_ms).both),
            None if self._public else entry.entered_by,
            None if self._public else archive or "no archive yet: it waits to be sealed",
            entry.text,
            entry.language,
            listing(self._said(entry)),
        )

    def _said(self, entry: Moderation) -> Iterator[Fact]:
        """Every field that says something, in the order they are defined in."""
        for name in _PUBLIC if self._public else entry.__struct_fields__:
            value = getattr(entry, name)
            if name not in _APART and value not in (None, ()):
                yield _label(name), self._value(name, value)

    def _value(self, name: str, value: Any) -> Html:
        if name.endswith("_ms"):
            return moment(value).both
        if name == "item_url":
            return self._facts.address(value)
        if name in _HANDLES:
            return self._facts.handle(value)
        if isinstance(value, LogRow):
            return self._log_row(value)
        if name == "attachments":
            return joined(map(self._attachment, value), "; ")
        if name == "cleared":
            return joined(self._words(_label(one).lower()) for one in value)
        return joined(map(self._words, value)) if isinstance(value, tuple) else self._words(str(value))

    def _attachment(self, one: Attachment) -> Html:
        """A file as the entry names it; the file itself is shown below the entries."""
        parts = [self._words(one.role), self._words(one.file_name), self._words(one.media_type)]
        if one.sha256 is not None:
            parts.append(Html(f"SHA-256 {self._facts.digest(one.sha256)}"))
        if one.url:
            parts.append(self._facts.address(one.url))
        if one.alt_text:
            parts.append(Html(f"described as: {self._words(one.alt_text)}"))
        if one.missing is not None:
            parts.append(Html(f"missing: {self._words(one.missing)}"))
        return joined(parts)

    def _log_row(self, row: LogRow) -> Html:
        """Where it was imported from, and its cells as they stood."""
        head = f"{self._words(row.file)}, line {row.line}, SHA-256 {self._facts.digest(row.sha256)}"
        cells = [f"{self._words(name)}: {self._words(cell)}" for name, cell in row.cells.items()]
        return Html("; ".join([head, *cells]))


def _label(name: str) -> str:
    words = name.removesuffix("_ms").replace("_", " ")
    return _LABELS.get(name) or words[:1].upper() + words[1:] + (" at" if name.endswith("_ms") else "")
