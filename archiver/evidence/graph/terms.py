"""What nodes are made of: names, ids, times, literals; and how they become bytes."""

import re
from hashlib import sha1
from typing import Any, Final
from uuid import UUID

import msgspec

from archiver.errors import ArchiverError
from archiver.times import format_time

Node = dict[str, Any]
Reference = dict[str, str]

CONTEXT: Final = {
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-marking": "https://ontology.unifiedcyberontology.org/uco/marking/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
NAMESPACE: Final = UUID("4e7c1a0e-55f2-5d0a-9f3b-0d6c2a7b8e41")
"""Of all ids; a pack's own namespace is made in it."""
_HALVES: Final = re.compile("[\ud800-\udfff]")


class Ids:
    """Ids that are the same whenever the same pack is made: UUIDs of version 5 (RFC 9562, 5.5), as URNs."""

    def __init__(self, namespace: UUID) -> None:
        self._start = sha1(namespace.bytes, usedforsecurity=False)

    def make(self, *names: str) -> str:
        """The id of what these names stand for; other names give another id, however they are cut."""
        digest = self._start.copy()
        digest.update(join_names(*names))
        text = digest.hexdigest()
        variant = "89ab"[int(text[16], 16) & 3]
        return f"urn:uuid:{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def join_names(*names: str) -> bytes:
    """Each with its length before it. A lone half of a character has no UTF-8, and gets what it would be."""
    return "".join([f"{len(name)}:{name}" for name in names]).encode("utf-8", "surrogatepass")


def refer(*ids: str) -> list[Reference]:
    return [{"@id": each} for each in ids]


def as_time(milliseconds: int) -> Node:
    """A moment in UTC, which says so. Raise OverflowError outside the years 1 to 9999."""
    return {"@type": "xsd:dateTime", "@value": format_time(milliseconds)}


def as_interval(start_ms: int, end_ms: int | None, what: str) -> Node:
    """Start and end of an action. Raise ArchiverError where it ends before it starts, which CASE's own
    validation lets pass."""
    if end_ms is None:
        return {"uco-action:startTime": as_time(start_ms)}
    if start_ms > end_ms:
        raise ArchiverError(f"{what} would end before it starts, at {start_ms} and {end_ms} milliseconds")
    return {"uco-action:startTime": as_time(start_ms), "uco-action:endTime": as_time(end_ms)}


def as_string(value: object, what: str) -> str:
    """An id or number as text. Raise ArchiverError for anything else: JSON would make a number of it, and
    large ones lose digits in other programs."""
    if not isinstance(value, str):
        raise ArchiverError(f"{what} is {type(value).__name__} and not text, so the graph cannot name it")
    return value


def encode(node: Node) -> bytes:
    """The node as JSON. Texts come as they are; only halves of characters become replacement characters,
    as no UTF-8 file can hold them."""
    try:
        return msgspec.json.encode(node)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_halves(node))


def _without_halves(value: Any) -> Any:
    if isinstance(value, str):
        return _HALVES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: _without_halves(each) for key, each in value.items()}
    return [_without_halves(each) for each in value] if isinstance(value, list) else value
