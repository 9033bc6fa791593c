"""The words of a query in FTS4's enhanced syntax (SQLite FTS3 and FTS4, "Full-text Index Queries").

Every word stands in quotes and came out of the index's own tokenizer, so nothing that was typed is syntax.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from math import ceil, log2

from msgspec import structs

from archiver.search.language import QueryMistake
from archiver.search.language.tree import And, Near, Node, Not, Or, Words

MOST_PHRASES = 200
"""In one expression. FTS4 takes a tree of at most depth 12, which 4,000 words fill; with so many a search
costs a multiple, and what has more is asked in several."""
_DEEPEST = 10
_MOST_IN_A_ROW = 8
_MOST_NEAR = 256
"""Combinations of forms of words that are to be near each other."""


def is_text(node: Node) -> bool:
    """Whether the full-text index alone can answer it."""
    return _is_positive(node) and depth_of(node) <= _DEEPEST and count_phrases(node) <= MOST_PHRASES


def _is_positive(node: Node) -> bool:
    """Made of nothing but words, of which some must be there: FTS4's NOT needs something before it."""
    if isinstance(node, Words | Near):
        return True
    if isinstance(node, Or):
        return all(_is_positive(part) for part in node.parts)
    if isinstance(node, And):
        rest = [part for part in node.parts if not isinstance(part, Not)]
        excluded = [part.part for part in node.parts if isinstance(part, Not)]
        return bool(rest) and all(_is_positive(part) for part in (*rest, *excluded))
    return False


def depth_of(node: Node) -> int:
    """Of the tree that FTS4 makes of it, having balanced each chain of equal operators."""
    if isinstance(node, And | Or):
        return ceil(log2(len(node.parts))) + 1 + max(depth_of(part) for part in node.parts)
    if isinstance(node, Not):
        return 1 + depth_of(node.part)
    if isinstance(node, Near):  # a row of NEAR is a chain that is not balanced
        return ceil(log2(_combinations(node))) + len(node.parts)
    return ceil(log2(max(1, count_phrases(node)))) + 1


def count_phrases(node: Node) -> int:
    """How many phrases its expression has."""
    if isinstance(node, Words):
        return 1 + len(node.also)
    if isinstance(node, Near):
        return len(node.parts) * _combinations(node)
    if isinstance(node, Not):
        return count_phrases(node.part)
    if isinstance(node, And | Or):
        return sum(count_phrases(part) for part in node.parts)
    return 0


def expression(node: Node) -> str:
    """A tree for which `is_text` holds."""
    return "".join(_pieces(node))


def phrases(node: Node, *, excluded: bool = False) -> list[str]:
    """Its phrases as FTS4's matchinfo numbers them: from left to right, each as often as it stands there.
    Of what follows a NOT it knows nothing; `excluded`: those too."""
    return [piece for piece in _pieces(node, excluded=excluded) if piece.startswith('"')]


def any_of(some: Sequence[str]) -> str:
    """An expression that finds each of these phrases."""
    return " OR ".join(some)


def _pieces(node: Node, *, excluded: bool = True) -> Iterator[str]:
    """`excluded`: with what is to be left out."""
    if isinstance(node, Words):
        yield from _joined([[one] for one in _alternatives(node)], " OR ")
    elif isinstance(node, Near):
        between = f" NEAR/{node.distance} "
        ways = product(*(_alternatives(part) for part in node.parts))
        yield from _joined([list(_between(way, between)) for way in ways], " OR ")
    elif isinstance(node, Or):
        yield from _joined([list(_pieces(part, excluded=excluded)) for part in node.parts], " OR ")
    elif isinstance(node, And):
        wanted = [part for part in node.parts if not isinstance(part, Not)]
        others = [part.part for part in node.parts if isinstance(part, Not)] if excluded else []
        if others:
            yield "("
        yield from _joined([list(_pieces(part, excluded=excluded)) for part in wanted], " AND ")
        if others:
            yield " NOT "
            yield from _joined([list(_pieces(part)) for part in others], " OR ")
            yield ")"


def _joined(some: Sequence[Sequence[str]], between: str) -> Iterator[str]:
    """Groups of pieces with an operator between, in parentheses where there are several."""
    if len(some) > 1:
        yield "("
    for number, pieces in enumerate(some):
        if number:
            yield between
        yield from pieces
    if len(some) > 1:
        yield ")"


def _between(some: Sequence[str], between: str) -> Iterator[str]:
    for number, one in enumerate(some):
        if number:
            yield between
        yield one


def _alternatives(words: Words) -> list[str]:
    star = "*" if words.prefix else ""
    return [f'"{" ".join(words.tokens)}{star}"', *(f'"{one}"' for one in words.also)]


def _combinations(near: Near) -> int:
    number = 1
    for part in near.parts:
        number *= 1 + len(part.also)
    return number


def ways(near: Near) -> list[Near]:
    """One for each combination of its words' forms."""
    forms = [
        (structs.replace(part, also=()), *(Words((one,), part.span, exact=True) for one in part.also))
        for part in near.parts
    ]
    return [Near(way, near.distance, near.span) for way in product(*forms)]


def nears(node: Node) -> Iterator[Near]:
    """All words near each other that it has."""
    if isinstance(node, Near):
        yield node
    elif isinstance(node, And | Or):
        for part in node.parts:
            yield from nears(part)
    elif isinstance(node, Not):
        yield from nears(node.part)


def check_near(near: Near, text: str) -> None:
    """Raise QueryMistake, for the text of a query, where too many words are near each other, or have too many
    forms together."""
    if len(near.parts) > _MOST_IN_A_ROW:
        what = f"more than {_MOST_IN_A_ROW} words stand in one row of NEAR"
        raise QueryMistake(text, near.span, what, "leave some of them out")
    if _combinations(near) > _MOST_NEAR:
        raise QueryMistake(
            text,
            near.span,
            "the words near each other have too many forms together",
            'put words in quotes, which are then searched as they stand: "road" NEAR/5 "closed"',
        )
