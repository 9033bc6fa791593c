"""Moderation records written out: CSV (RFC 4180) for spreadsheets, JSON lines for programs.

Only the columns named here are written, so that nothing comes along unseen. A CSV file's cells are guarded
against being run; JSON lines never are. Either can be taken in again: `archiver.moderation.importing`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from archiver.csv_guard import csv_line, with_guard
from archiver.errors import UsageError
from archiver.records import Moderation
from archiver.register import ModerationRecord
from archiver.sources.moderation import encode_entry
from archiver.times import format_time

_OF_ALL: Final = (
    "platform", "account", "account_handle", "item_type", "item_id", "item_url", "content", "unseen",
    "author_id", "author_handle", "author_name", "posted_ms", "text", "language", "attachments",
    "detected_ms", "detected_by", "detection", "house_rule", "house_rule_version", "reason_codes",
    "reason_text", "legal_ground", "action", "state", "way", "action_ms", "action_by", "authorised_by",
    "until_ms", "outcome", "notified_ms", "notified_how", "not_notified", "escalated",
    "escalated_reference", "appeal_received_ms", "appeal_decided_by", "appeal_decided_ms",
    "appeal_outcome", "exhibit", "case", "retention_rule", "hold", "imported_from",
)  # fmt: skip
_OF_RECORD: Final = ("record_id", "entries", "entered_ms", "entered_by", *_OF_ALL)
_OF_ENTRY: Final = (
    "id", "record_id", "number", "entry", "entered_ms", "entered_by", "corrects", "entry_note", "cleared",
    *_OF_ALL,
)  # fmt: skip


def _column(name: str) -> str:
    """How a field is called outside: times end in `_at`, as in the register's own form."""
    return f"{name.removesuffix('_ms')}_at" if name.endswith("_ms") else name


RECORD_COLUMNS: Final = tuple(map(_column, _OF_RECORD))
ENTRY_COLUMNS: Final = tuple(map(_column, _OF_ENTRY))
COLUMN_NAMES: Final = frozenset(
    {*RECORD_COLUMNS, *ENTRY_COLUMNS, *(_column(field.name) for field in msgspec.structs.fields(Moderation))}
)
"""Every column and key that an export can have."""
_NAMED: Final = 20


@dataclass(frozen=True)
class Selection:
    """Which entries are wanted: of some accounts, each by its platform and id, made from `since_ms` on and
    before `until_ms`."""

    accounts: frozenset[tuple[str, str]] | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def has(self, entry: Moderation) -> bool:
        return (
            (self.accounts is None or (entry.platform, entry.account) in self.accounts)
            and (self.since_ms is None or entry.entered_ms >= self.since_ms)
            and (self.until_ms is None or entry.entered_ms < self.until_ms)
        )


def accounts_called(name: str, known: Iterable[tuple[str, str, str | None]]) -> frozenset[tuple[str, str]]:
    """The accounts with this id or handle, among those known by platform, id and handle: an account may have
    had several handles. Raise UsageError, listing them, where none is called so."""
    known = list(dict.fromkeys(known))
    handle = name.removeprefix("@").casefold()
    found = {
        (platform, account)
        for platform, account, called in known
        if name == account or (called and called.casefold() == handle)
    }
    if not found:
        with_handle = {(platform, account) for platform, account, called in known if called}
        shown = [
            f"@{called} ({account})" if called else account
            for platform, account, called in known
            if called or (platform, account) not in with_handle
        ]
        more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
        there = ", ".join(shown[:_NAMED]) or "none"
        raise UsageError(
            f"{name!r} is no account of the settings or of any record", f"there are: {there}{more}"
        )
    return frozenset(found)


def selected_records(records: Iterable[ModerationRecord], selection: Selection) -> list[ModerationRecord]:
    """The records whose first entry is wanted."""
    return [one for one in records if selection.has(one.now)]


def selected_entries(records: Iterable[ModerationRecord], selection: Selection) -> list[Moderation]:
    """Every entry that is wanted by itself; those of one record stand together."""
    return [entry for one in records for entry in one.entries if selection.has(entry)]


# Rows


def record_row(record: ModerationRecord) -> dict[str, Any]:
    """What a record says as it stands, by its columns: without those that say nothing."""
    return _row(record.now, _OF_RECORD, {"record_id": record.id, "entries": len(record.entries)})


def entry_row(entry: Moderation) -> dict[str, Any]:
    """What one entry says, by its columns."""
    return _row(entry, _OF_ENTRY, {})


def _row(entry: Moderation, names: Sequence[str], more: Mapping[str, Any]) -> dict[str, Any]:
    fields = {**msgspec.structs.asdict(entry), **more}
    fields["attachments"] = [one.file_name for one in entry.attachments]
    fields["cleared"] = [_column(one) for one in entry.cleared]
    row = entry.imported
    fields["imported_from"] = None if row is None else f"{row.file}, line {row.line}"
    return {
        _column(name): format_time(fields[name]) if name.endswith("_ms") else fields[name]
        for name in names
        if fields[name] not in (None, (), [])
    }


# Files


def csv_records(records: Iterable[ModerationRecord]) -> Iterator[bytes]:
    """A CSV file, header first, a record a row."""
    yield from _csv(RECORD_COLUMNS, map(record_row, records))


def csv_entries(entries: Iterable[Moderation]) -> Iterator[bytes]:
    """A CSV file, header first, an entry a row."""
    yield from _csv(ENTRY_COLUMNS, map(entry_row, entries))


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    yield csv_line(columns)
    for row in rows:
        yield csv_line([with_guard(_cell(row.get(name, ""))) for name in columns])


def _cell(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple | list) else str(value)


def json_records(records: Iterable[ModerationRecord]) -> Iterator[bytes]:
    """JSON lines: of each record its columns that say something, every text as it is."""
    for record in records:
        yield msgspec.json.encode(record_row(record)) + b"\n"


def json_entries(entries: Iterable[Moderation]) -> Iterator[bytes]:
    """JSON lines: each entry whole, byte for byte as the register keeps it."""
    for entry in entries:
        yield encode_entry(entry) + b"\n"
