"""A tree written as a query again: one way to write each, which is read as the same tree."""

from archiver.search.language.tokens import INVISIBLE, QUOTES
from archiver.search.language.tree import And, Filter, Near, Node, Not, Or, Part, Words
from archiver.times import format_time

_SIGNS = frozenset(QUOTES + INVISIBLE + "()*")


def format_query(root: Node) -> str:
    """The query that `parse_query` reads as this tree (but for places, and other words that stand for those
    typed). Times are written in UTC."""
    return _written(root)


def _written(node: Node) -> str:
    if isinstance(node, And):
        return " ".join(_within(part, And) for part in node.parts)
    if isinstance(node, Or):
        return " OR ".join(_within(part, And | Or) for part in node.parts)
    if isinstance(node, Not):
        return "-" + _within(node.part, And | Or)
    if isinstance(node, Near):
        return f" NEAR/{node.distance} ".join(_words(part) for part in node.parts)
    if isinstance(node, Words):
        return _words(node)
    return _part(node) if isinstance(node, Part) else _filter(node)


def _within(node: Node, apart: object) -> str:
    """In parentheses where it would fall apart without."""
    written = _written(node)
    return f"({written})" if isinstance(node, apart) else written  # type: ignore[arg-type]  # a class or a union


def _words(node: Words) -> str:
    text = " ".join(node.tokens)
    if node.exact or len(node.tokens) > 1:
        text = f'"{text}"'
    return text + ("*" if node.prefix else "") + (f"~{node.edits}" if node.edits else "")


def _part(node: Part) -> str:
    return f'*"{node.text}"*' if node.why == "asked" else f'"{node.text}"'


def _filter(node: Filter) -> str:
    if node.field == "since":
        return f"since:{format_time(int(node.value))}"
    if node.field == "until":
        return f"until:{format_time(int(node.value) - 1)}"
    value = str(node.value)
    plain = _SIGNS.isdisjoint(value) and not any(map(str.isspace, value))
    return f"{node.field}:{value}" if plain else f'{node.field}:"{value}"'
