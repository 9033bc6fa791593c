"""A query as a tree: what the parser makes of what was typed, and everything after it works with.

Nothing here is SQL or the index's own syntax. Words are as the index has them: folded, without a sign.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from msgspec import Struct


class Span(NamedTuple):
    """Where in the query's text something stands: from a character up to, not including, another."""

    start: int
    end: int


class Words(Struct, frozen=True):
    """One word of the index, or several that follow each other (a phrase). `prefix`: the last word is only
    the beginning of one. `exact`: no other forms of the word. `edits`: also words that differ from it in so
    many letters. `also`: the other words that are looked for in its place, once the vocabulary was asked;
    only a single word has any."""

    tokens: tuple[str, ...]
    span: Span
    prefix: bool = False
    exact: bool = False
    edits: int = 0
    also: tuple[str, ...] = ()


class Near(Struct, frozen=True):
    """Words of which each stands within `distance` words of the next, in any order."""

    parts: tuple[Words, ...]
    distance: int
    span: Span


class Part(Struct, frozen=True):
    """Characters anywhere in the text, folded; found by reading all texts. `why`: asked (as in *foo*),
    script (one that puts no spaces between words), symbols (no letter or digit, so in no index)."""

    text: str
    span: Span
    why: str = "asked"


class Filter(Struct, frozen=True):
    """What a field must be. `field`: one of `fields.FIELDS`. `value`: as that field takes it; of since and
    until milliseconds, the first one and the one after the last. `also`: other ids and names that stand for
    the same account, once the catalogue was asked."""

    field: str
    value: str | int
    span: Span
    also: tuple[str, ...] = ()


class Not(Struct, frozen=True):
    part: "Node"
    span: Span


class And(Struct, frozen=True):
    parts: tuple["Node", ...]


class Or(Struct, frozen=True):
    parts: tuple["Node", ...]


Node = Words | Near | Part | Filter | Not | And | Or


def leaves(node: Node) -> Iterator[Words | Near | Part | Filter]:
    """All that is asked for, from left to right, what is excluded too."""
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from leaves(part)
    elif isinstance(node, Not):
        yield from leaves(node.part)
    else:
        yield node


def replaced(node: Node, change: Callable[[Words | Filter], Words | Filter]) -> Node:
    """The tree with its words (those near each other too) and filters changed."""
    if isinstance(node, And):
        return And(tuple(replaced(part, change) for part in node.parts))
    if isinstance(node, Or):
        return Or(tuple(replaced(part, change) for part in node.parts))
    if isinstance(node, Not):
        return Not(replaced(node.part, change), node.span)
    if isinstance(node, Near):
        parts = tuple(part for one in node.parts if isinstance(part := change(one), Words))
        return Near(parts, node.distance, node.span)
    if isinstance(node, Words | Filter):
        return change(node)
    return node
