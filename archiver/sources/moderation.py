"""The moderation register's own form: one entry as a line of JSON, and back.

No platform sends it. The entry is what somebody here decided, and it is kept like a capture: its bytes are
what counts, the row in an archive is derived from them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from archiver.errors import SourceError
from archiver.records import Moderation
from archiver.sources.base import Capture
from archiver.times import format_time, parse_time

SOURCE = "moderation"
KIND = "moderation"
"""The kind of item, in pages and in the state."""
LAYOUT = "moderation-1"
SCHEMA_VERSION = 1
REQUEST = "moderation register"
_MOST = 2**63 - 1
"""What a column of SQLite holds."""
_EARLIEST_MS, _LATEST_MS = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 to 9999, which a text can hold."""


def encode_entry(entry: Moderation) -> bytes:
    """One line of JSON in UTF-8 with every field that says something; times as ISO 8601 in UTC."""
    fields = {name: value for name, value in msgspec.structs.asdict(entry).items() if value not in (None, ())}
    shown = {
        f"{name.removesuffix('_ms')}_at" if name.endswith("_ms") else name: format_time(value)
        if name.endswith("_ms")
        else value
        for name, value in fields.items()
    }
    return msgspec.json.encode(shown)


def decode_entry(data: bytes) -> Moderation:
    """The entry of one line; raise SourceError for bytes that are none."""
    try:
        found: Mapping[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
        if any(name.endswith("_ms") for name in found):
            raise ValueError("a time that is no text")
        fields = {
            f"{name.removesuffix('_at')}_ms" if name.endswith("_at") else name: _moment(value)
            if name.endswith("_at")
            else value
            for name, value in found.items()
        }
        entry = msgspec.convert(fields, Moderation)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise SourceError(f"not an entry of the moderation register: {error}") from error
    numbers = (entry.number, entry.schema_version, entry.imported.line if entry.imported else 1)
    if not all(0 <= number <= _MOST for number in numbers):
        raise SourceError("not an entry of the moderation register: a number out of range")
    if entry.schema_version > SCHEMA_VERSION:
        raise SourceError(
            f"an entry of the moderation register has the schema {entry.schema_version}",
            "use a newer version of archiver",
        )
    return entry


def _moment(value: Any) -> int:
    moment = parse_time(value)
    if not _EARLIEST_MS <= moment <= _LATEST_MS:
        raise ValueError(f"{value} is out of range")
    return moment


def register_capture(platform: str, account: str, handle: str | None, entered_ms: int) -> Capture:
    """How a page of entries was got: it was written here."""
    return Capture(
        key=0,
        source=SOURCE,
        route="manual",
        platform=platform,
        account=account,
        handle=handle,
        name=None,
        request=REQUEST,
        body_kind=KIND,
        layout=LAYOUT,
        fetched_ms=entered_ms,
    )


def parse_register(capture: Capture, kind: str, slices: Sequence[bytes]) -> Moderation:
    """One entry as a record; raise SourceError unless it is one."""
    if not slices:
        raise SourceError(f"{capture.request}: an entry without bytes")
    return decode_entry(slices[0])
