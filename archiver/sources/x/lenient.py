"""Decoding what the quick decoder refuses: lone surrogates, bytes that are no UTF-8, a number where text
belongs.

Slow, and only for single elements. A field that cannot be understood is left at its default and named.
"""

import json
import re
import types
import typing
from typing import Any, Final, TypeVar

import msgspec

from archiver.errors import SourceError

S = TypeVar("S", bound=msgspec.Struct)
REPLACEMENT: Final = "\ufffd"
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&"))


def clean_text(text: str) -> str:
    """Undo X's escaping once, as it escapes only these; NUL, which SQLite's functions stop at, becomes
    U+FFFD."""
    if "&" in text:
        for escaped, plain in _ESCAPES:
            text = text.replace(escaped, plain)
    return text.replace("\0", REPLACEMENT) if "\0" in text else text


def decode_leniently(piece: bytes, kind: type[S]) -> tuple[S, list[str]]:
    """Given one JSON object, return it as `kind` and what was wrong with it, in words.

    Raise SourceError where it is no JSON object at all."""
    remarks: list[str] = []
    text = piece.decode("utf-8", "replace")
    if REPLACEMENT in text and REPLACEMENT.encode() not in piece:
        remarks.append("bytes that are no UTF-8")
    try:
        value = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as cause:
        raise SourceError(f"a record that is no JSON: {cause}") from cause
    if not isinstance(value, dict):
        raise SourceError("a record that is no JSON object")
    try:
        scrubbed = _scrub(value)
        if scrubbed != value:
            remarks.append("half a character (a lone surrogate)")
        return _convert(scrubbed, kind, remarks), remarks
    except RecursionError as cause:
        raise SourceError("a record nested too deep") from cause


def _scrub(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_scrub(each) for each in value]
    if isinstance(value, dict):
        return {_scrub(key): _scrub(each) for key, each in value.items()}
    return value


def _convert(value: dict[str, Any], kind: type[S], remarks: list[str]) -> S:
    known: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.encode_name not in value:
            continue
        part = value[field.encode_name]
        try:
            known[field.name] = msgspec.convert(part, field.type, strict=False)
        except (msgspec.ValidationError, RecursionError):
            inner = _struct_in(field.type)
            if inner is not None and isinstance(part, dict):
                known[field.name] = _convert(part, inner, remarks)
            else:
                remarks.append(f"a {field.encode_name} that is not understood")
    return kind(**known)


def _struct_in(annotation: Any) -> type[msgspec.Struct] | None:
    """The struct in `X` or `X | None`."""
    options = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    for option in options:
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            return option
    return None
