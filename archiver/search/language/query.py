"""A query that was read: its tree, and what the whole of it implies."""

from functools import cached_property

from msgspec import Struct

from archiver.search.language.fields import KINDS, MODERATION, POST_KINDS, kinds_of
from archiver.search.language.tree import And, Filter, Near, Node, Not, Or, Span, Words, leaves

_ALL = frozenset(KINDS)
_WRITTEN = frozenset((*POST_KINDS, "message"))
_MODERATED = frozenset((MODERATION,))
MODERATION_FIELDS = ("reason", "action", "by")
"""They narrow moderation records: nothing else has what they ask for."""


class Query(Struct, frozen=True, dict=True):
    """`text` as typed, `root` what it means; spans in the tree are places in the text. `exact`: words were
    asked for without their other forms."""

    text: str
    root: Node
    exact: bool = False

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of record that can be among the hits. Without `kind:` (one that is not excluded) those
        are posts and messages, and moderation records where something is asked that only these have."""
        named = _asked_kinds(self.root)
        found = _possible(self.root, narrow=not named)
        if named:
            return found
        fields = {leaf.field for leaf in leaves(self.root) if isinstance(leaf, Filter)}
        return found & (_WRITTEN | _MODERATED if fields.intersection(MODERATION_FIELDS) else _WRITTEN)

    def wants(self, kind: str) -> bool:
        """Whether records of a kind can be among the hits."""
        return kind in self.kinds

    @cached_property
    def since_ms(self) -> int | None:
        """No hit is of a time before it; None: any can be."""
        return _since(self.root)

    @cached_property
    def until_ms(self) -> int | None:
        """All hits are of times before it; None: any can be."""
        return _until(self.root)

    @cached_property
    def has_words(self) -> bool:
        """Whether hits have words of the index that were asked for, by which they can be ranked."""
        return _has_words(self.root)


def contradiction(root: Node) -> Span:
    """Of a query that no kind of record fits: where the latter of two parts that exclude each other is."""
    return _contradiction(root, narrow=not _asked_kinds(root)) or span_of(root)


def span_of(node: Node) -> Span:
    """Where a part of the query stands, from its first character to its last."""
    if isinstance(node, And | Or):
        spans = [span_of(part) for part in node.parts]
        return Span(min(span.start for span in spans), max(span.end for span in spans))
    return node.span


def _asked_kinds(node: Node) -> bool:
    """Whether it has a `kind:` that is not excluded."""
    if isinstance(node, And | Or):
        return any(_asked_kinds(part) for part in node.parts)
    return isinstance(node, Filter) and node.field == "kind"


def _possible(node: Node, *, narrow: bool) -> frozenset[str]:
    """The kinds that can match. `narrow`: an excluded field of moderation records (-reason:spam) still asks
    for moderation records; otherwise whatever has no reason fits it as well."""
    if isinstance(node, And):
        return _ALL.intersection(*(_possible(part, narrow=narrow) for part in node.parts))
    if isinstance(node, Or):
        return frozenset().union(*(_possible(part, narrow=narrow) for part in node.parts))
    if isinstance(node, Not):
        if narrow and isinstance(node.part, Filter) and node.part.field in MODERATION_FIELDS:
            return _MODERATED
        return _ALL - _certain(node.part)
    return kinds_of(node.field, node.value) if isinstance(node, Filter) else _ALL


def _certain(node: Node) -> frozenset[str]:
    """The kinds of which every record matches, so that none does when it is excluded."""
    if isinstance(node, And):
        return _ALL.intersection(*(_certain(part) for part in node.parts))
    if isinstance(node, Or):
        return frozenset().union(*(_certain(part) for part in node.parts))
    if isinstance(node, Not):
        return _ALL - _possible(node.part, narrow=False)
    return (
        kinds_of(node.field, node.value) if isinstance(node, Filter) and node.field == "kind" else frozenset()
    )


def _contradiction(node: Node, *, narrow: bool) -> Span | None:
    parts = node.parts if isinstance(node, And | Or) else ()
    if isinstance(node, And):
        left = _ALL if not narrow else _WRITTEN | _MODERATED
        for part in parts:
            now = _possible(part, narrow=narrow)
            if not now:
                break
            left &= now
            if not left:
                return span_of(part)
    for part in parts:
        if not _possible(part, narrow=narrow):
            return _contradiction(part, narrow=narrow) or span_of(part)
    return None


def _since(node: Node) -> int | None:
    if isinstance(node, Filter) and node.field == "since":
        return int(node.value)
    if not isinstance(node, And | Or):
        return None
    bounds = [_since(part) for part in node.parts]
    known = [bound for bound in bounds if bound is not None]
    if isinstance(node, And):
        return max(known, default=None)
    return min(known) if len(known) == len(bounds) else None


def _until(node: Node) -> int | None:
    if isinstance(node, Filter) and node.field == "until":
        return int(node.value)
    if not isinstance(node, And | Or):
        return None
    bounds = [_until(part) for part in node.parts]
    known = [bound for bound in bounds if bound is not None]
    if isinstance(node, And):
        return min(known, default=None)
    return max(known) if len(known) == len(bounds) else None


def _has_words(node: Node) -> bool:
    if isinstance(node, And | Or):
        return any(_has_words(part) for part in node.parts)
    return isinstance(node, Words | Near)
