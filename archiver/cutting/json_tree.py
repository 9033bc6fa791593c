"""A JSON document with the place of each of its values, so that one can be cut out and every other byte stays
as it was sent (RFC 8259)."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from archiver.cutting.edits import Edit

DEEPEST: Final = 200
"""What is nested deeper is no answer of a platform, and not worth a stack."""
_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_STRING: Final = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\.)*"', re.DOTALL)
_PLAIN: Final = re.compile(rb"-?[0-9][0-9.eE+-]*|true|false|null")


class NotJsonError(Exception):
    """The bytes are no JSON document."""


class Node(Struct, gc=False):
    """One value and the bytes from `start` up to `end` in which it stands. `text`: what a string says, or the
    characters of a number; None for an object and a list, whose values are `parts`, in their order. `begin`:
    of an object's value, where its name begins; else as `start`."""

    start: int
    end: int
    begin: int
    name: str | None = None
    text: str | None = None
    is_string: bool = False
    parts: list["Node"] = []

    def field(self, name: str) -> str | None:
        """What an object's string or number of this name says."""
        return next((part.text for part in self.parts if part.name == name), None)


def parse_tree(data: bytes) -> Node:
    """The document of these bytes. Raise NotJsonError where they are none."""
    try:
        node, end = _value(data, _skip(data, 0), 0)
    except ValueError as error:
        raise NotJsonError from error
    if _skip(data, end) != len(data):
        raise NotJsonError
    return node


def walk(node: Node) -> Iterator[Node]:
    """A value and all below it."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += one.parts


def cut_parts(node: Node, doomed: Iterable[int]) -> Iterator[Edit]:
    """What takes some values out of an object or a list, by their numbers: with a comma each, so that what
    stays is JSON."""
    gone, kept_before = set(doomed), False
    for number, part in enumerate(node.parts):
        if number not in gone:
            kept_before = True
        elif kept_before:
            yield Edit(node.parts[number - 1].end, part.end)
        elif number + 1 < len(node.parts):
            yield Edit(part.begin, node.parts[number + 1].begin)
        else:
            yield Edit(part.begin, part.end)


def _skip(data: bytes, at: int) -> int:
    found = _SPACE.match(data, at)
    return at if found is None else found.end()


def _value(data: bytes, at: int, depth: int) -> tuple[Node, int]:
    if depth > DEEPEST:
        raise ValueError("nested too deep")
    sign = data[at : at + 1]
    if sign in (b"{", b"["):
        return _container(data, at, depth)
    if sign == b'"':
        text, end = _string(data, at)
        return Node(at, end, at, text=text, is_string=True), end
    found = _PLAIN.match(data, at)
    if found is None:
        raise ValueError("no value")
    return Node(at, found.end(), at, text=found[0].decode()), found.end()


def _string(data: bytes, at: int) -> tuple[str, int]:
    found = _STRING.match(data, at)
    if found is None:
        raise ValueError("no string")
    # X sends halves of characters at times, and bytes that are none: the place counts, not the letter.
    return str(json.loads(found[0].decode("utf-8", "replace"))), found.end()


def _container(data: bytes, start: int, depth: int) -> tuple[Node, int]:
    is_object = data[start : start + 1] == b"{"
    close = b"}" if is_object else b"]"
    node = Node(start, start, start, parts=[])
    at = _skip(data, start + 1)
    while data[at : at + 1] != close:
        begin, name = at, None
        if is_object:
            name, at = _string(data, at)
            at = _skip(data, at)
            if data[at : at + 1] != b":":
                raise ValueError("no colon")
            at = _skip(data, at + 1)
        part, at = _value(data, at, depth + 1)
        part.begin, part.name = begin, name
        node.parts.append(part)
        at = _skip(data, at)
        if data[at : at + 1] == b",":
            at = _skip(data, at + 1)
            if data[at : at + 1] == close:
                raise ValueError("a comma too many")
        elif data[at : at + 1] != close:
            raise ValueError("no comma")
    node.end = at + 1
    return node, node.end
