"""records.jsonl: a line of JSON a record, with everything that the pack says of it.

Each line is an object in UTF-8 with always the same keys: the fields of `archiver.evidence.model.Exhibit`,
and below them those of the structs that these hold. What is not known is null, or an empty list. It differs
from the model in this:
- Times are text in UTC, as `2026-11-01T03:00:00.000Z`, and their names end in `_at` instead of `_ms`
  (`captured` is a list of times). A time past the year 9999 is its number and `ms`.
- `exhibit` is the number of the whole pack, `reference` the record's own.
- A version names its `capture`; what that was stands once under `captures`, by its name.
- `facts` are objects with `name` and `value`, as they may have the same name twice.
- Entries of moderation records have every field of the register's own form; one that an entry says nothing
  of is null.
- NUL and halves of characters, which other programs stumble over, are U+FFFD. Exact to the byte are the
  files that `originals` names.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from archiver.evidence.model import (
    Capture,
    Exhibit,
    GoneNotice,
    ModerationNote,
    Production,
    ShownVersion,
    ThreadLine,
)
from archiver.evidence.tables.cells import plain, refuse_public, utc
from archiver.records import Moderation

Fields = dict[str, Any]
_NUL_IN_JSON: Final = b"\\u0000"


def json_records(production: Production, exhibits: Iterable[Exhibit]) -> Iterator[bytes]:
    """The file, a line a piece. Raise UsageError of a pack for the public."""
    refuse_public(production, "records.jsonl")
    encode = msgspec.json.Encoder(enc_hook=str).encode
    for exhibit in exhibits:
        yield _line(encode, _record(production, exhibit))


def _line(encode: Callable[[Any], bytes], record: Fields) -> bytes:
    try:
        line = encode(record)
    except UnicodeEncodeError:
        line = b""
    if not line or _NUL_IN_JSON in line:
        line = encode(_readable(msgspec.to_builtins(record, enc_hook=str)))
    return line + b"\n"


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {_readable(key): _readable(one) for key, one in value.items()}
    return [_readable(one) for one in value] if isinstance(value, list | tuple) else value


def _record(production: Production, exhibit: Exhibit) -> Fields:
    captures: dict[str, Fields] = {}
    fields = _with_times(Exhibit, exhibit)
    fields["captured"] = [utc(one) for one in exhibit.captured]
    fields["versions"] = [_version(one, captures) for one in exhibit.versions]
    fields["gone"] = [_with_times(GoneNotice, one) for one in exhibit.gone]
    fields["thread"] = [_with_times(ThreadLine, one) for one in exhibit.thread]
    fields["moderation"] = [_note(one) for one in exhibit.moderation]
    return {"exhibit": production.exhibit, **fields, "captures": captures}


def _version(version: ShownVersion, captures: dict[str, Fields]) -> Fields:
    capture = version.capture
    if capture.name not in captures:
        captures[capture.name] = _with_times(Capture, capture)
    fields = _with_times(ShownVersion, version)
    fields["capture"] = capture.name
    fields["facts"] = [{"name": name, "value": value} for name, value in version.facts]
    fields["changed_text"] = [one._asdict() for one in version.changed_text]
    fields["changes"] = [one._asdict() for one in version.changes]
    return fields


def _note(note: ModerationNote) -> Fields:
    return {
        "record_id": note.record_id,
        "entries": [_with_times(Moderation, entry) for entry in note.entries],
        "archives": note.archives,
        "media": note.media,
        "originals": note.originals,
    }


def _names(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, bool], ...]:
    """Of each field its name, its key, and whether it is a time."""
    names = [field.name for field in msgspec.structs.fields(kind)]
    return tuple(
        (name, f"{name.removesuffix('_ms')}_at", True) if name.endswith("_ms") else (name, name, False)
        for name in names
    )


_NAMES: Final[dict[type[msgspec.Struct], tuple[tuple[str, str, bool], ...]]] = {
    kind: _names(kind) for kind in (Capture, Exhibit, GoneNotice, Moderation, ShownVersion, ThreadLine)
}


def _with_times(kind: type[msgspec.Struct], value: msgspec.Struct) -> Fields:
    """A struct's fields; structs among them stay as they are."""
    fields: Fields = {}
    for name, key, is_time in _NAMES[kind]:
        found = getattr(value, name)
        fields[key] = utc(found) if is_time and found is not None else found
    return fields
