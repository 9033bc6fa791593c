"""Answers of a search as one flat CSV file (RFC 4180), for spreadsheets.

Only the columns named here are written. Cells that a spreadsheet would run are guarded as in exports of the
moderation register: `archiver/csv_guard.py`.
"""

import sys
from collections.abc import Iterable, Sequence

from archiver.cli.moderation._lines import record_fields
from archiver.csv_guard import csv_line, with_guard
from archiver.search.hit import Hit
from archiver.times import format_time
from archiver.uk_time import format_uk_time

_OF_POSTS = (
    "platform", "kind", "id", "account", "author", "author_id", "posted_at", "posted_at_uk", "text",
    "alt_text", "archive", "versions", "superseded", "gone_at", "gone_how",
)  # fmt: skip
_OF_MODERATION = (
    "recorded_at", "recorded_by", "reasons", "decided", "action", "state", "reversals", "item_type",
    "item_id", "item_url", "note", "in_spool", "pending",
)  # fmt: skip
COLUMNS = (*_OF_POSTS, *_OF_MODERATION)


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """To standard output, header first, UTF-8 whatever the terminal's own encoding is."""
    sys.stdout.flush()
    out = sys.stdout.buffer
    out.write(csv_line(columns))
    for row in rows:
        out.write(csv_line([with_guard(_cell(value)) for value in row]))
    out.flush()


def hit_rows(hits: Iterable[Hit]) -> Iterable[list[object]]:
    """A row for each hit; of posts the columns of moderation records are empty."""
    for hit in hits:
        fields = _fields(hit)
        yield [fields.get(name) for name in COLUMNS]


def _fields(hit: Hit) -> dict[str, object]:
    known: dict[str, object] = {"kind": hit.kind, "archive": hit.sealed_in or hit.archive}
    if hit.moderation is not None:
        place = {"in_spool": hit.in_spool, "superseded": hit.superseded}
        fields = record_fields(hit.moderation, hit.sealed_in, **place)
        posted_ms = hit.moderation.now.posted_ms
        return {**fields, **known, "posted_at_uk": None if posted_ms is None else _uk_time(posted_ms)}
    return {
        **known,
        **{name: getattr(hit, name) for name in _OF_POSTS if hasattr(hit, name) and name not in known},
        "posted_at": format_time(hit.posted_ms),
        "posted_at_uk": _uk_time(hit.posted_ms),
        "gone_at": None if hit.gone is None else format_time(hit.gone[0]),
        "gone_how": None if hit.gone is None else hit.gone[1],
    }


def _uk_time(milliseconds: int) -> str | None:
    try:
        return format_uk_time(milliseconds)
    except OverflowError:
        return None


def _cell(value: object) -> str:
    """Half a character and NUL are no text, and readers of CSV stumble over them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
