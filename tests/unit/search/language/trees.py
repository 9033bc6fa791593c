"""Trees to compare with: what was read, apart from where it stood."""

from archiver.search.language import parse_query
from archiver.search.language.tree import And, Filter, Near, Node, Not, Or, Part, Span, Words

NOWHERE = Span(0, 0)


def without_places(node: Node) -> Node:
    """The same tree with all its spans empty."""
    if isinstance(node, And):
        return And(tuple(map(without_places, node.parts)))
    if isinstance(node, Or):
        return Or(tuple(map(without_places, node.parts)))
    if isinstance(node, Not):
        return Not(without_places(node.part), NOWHERE)
    if isinstance(node, Near):
        parts = tuple(Words(p.tokens, NOWHERE, p.prefix, p.exact, p.edits) for p in node.parts)
        return Near(parts, node.distance, NOWHERE)
    if isinstance(node, Words):
        return Words(node.tokens, NOWHERE, node.prefix, node.exact, node.edits)
    if isinstance(node, Part):
        return Part(node.text, NOWHERE, node.why)
    return Filter(node.field, node.value, NOWHERE)


def read(text: str, *, exact: bool = False) -> Node:
    """What a query means."""
    return without_places(parse_query(text, exact=exact).root)


def word(token: str) -> Words:
    return Words((token,), NOWHERE)


def prefix(token: str) -> Words:
    return Words((token,), NOWHERE, prefix=True)


def phrase(*tokens: str, prefix: bool = False) -> Words:
    return Words(tokens, NOWHERE, prefix, exact=True)


def part(text: str, why: str = "asked") -> Part:
    return Part(text, NOWHERE, why)


def field(name: str, value: str | int) -> Filter:
    return Filter(name, value, NOWHERE)


def near(distance: int, *parts: Words) -> Near:
    return Near(parts, distance, NOWHERE)


def no(node: Node) -> Not:
    return Not(node, NOWHERE)


def both(*parts: Node) -> And:
    return And(parts)


def either(*parts: Node) -> Or:
    return Or(parts)
