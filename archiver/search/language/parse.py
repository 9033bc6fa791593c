"""Tokens to the tree: recursive descent. From what binds most: NEAR, - and NOT, OR, AND and a space."""

import re

from archiver.search.language.fields import SINGLE
from archiver.search.language.mistakes import QueryMistake, named
from archiver.search.language.query import Query, contradiction
from archiver.search.language.terms import Terms
from archiver.search.language.tokens import Token, tokenise
from archiver.search.language.tree import And, Filter, Near, Node, Not, Or, Part, Span, Words
from archiver.search.words import fold, whole

MAXIMUM_CHARACTERS = 20_000
MAXIMUM_PARTS = 1_000
"""Words and filters of one query; each word of a phrase is one."""
MAXIMUM_SCANNED = 50
"""Parts, each of which is looked for in every text: a million in a second."""
MAXIMUM_DEPTH = 100
"""Parentheses within parentheses."""
MAXIMUM_DISTANCE = 100
_EXAMPLES = {
    "OR": 'as in: flooding OR "road closed"',
    "AND": "as in: flooding AND road",
    "NEAR": "as in: road NEAR/5 closed",
    "NOT": "as in: flooding NOT rumour",
}


def parse_query(text: str, *, exact: bool = False) -> Query:
    """Read a query; `exact`: no word has other forms. Raise QueryMistake for what is none, saying where."""
    text = whole(text)
    if len(text) > MAXIMUM_CHARACTERS:
        raise QueryMistake(
            text,
            Span(MAXIMUM_CHARACTERS, len(text)),
            f"the search is longer than {MAXIMUM_CHARACTERS:,} characters",
            "search in several goes",
        )
    query = Query(text, _Parser(text, exact).whole(), exact)
    if not query.kinds:
        raise QueryMistake(
            text,
            contradiction(query.root),
            "no kind of record has all of this",
            "leave out this or what stands before it; what each kind can be asked is in docs/search.md",
        )
    return query


class _Parser:
    """A query's tokens while they are read from left to right."""

    def __init__(self, text: str, exact: bool) -> None:
        self.text = text
        self.tokens = tokenise(text)
        self.terms = Terms(text, exact)
        self.position = 0
        self.depth = 0
        self.count = 0
        self.scanned = 0

    def whole(self) -> Node:
        if len(self.tokens) == 1:
            raise self._mistake(
                Span(0, len(self.text)), "the search is empty", "type a word, as in: flooding"
            )
        node = self._all()
        if self.now.kind == ")":
            raise self._never_opened()
        return node

    @property
    def now(self) -> Token:
        return self.tokens[self.position]

    @property
    def before(self) -> Token | None:
        return self.tokens[self.position - 1] if self.position else None

    def _take(self) -> Token:
        self.position += 1
        return self.tokens[self.position - 1]

    def _mistake(self, span: Span, what: str, expected: str) -> QueryMistake:
        return QueryMistake(self.text, span, what, expected)

    def _never_opened(self) -> QueryMistake:
        return self._mistake(
            self.now.span, "a parenthesis is closed that was never opened", 'as a sign put it in quotes: ")"'
        )

    # From what binds least

    def _all(self) -> Node:
        """What must all be there, up to a closing parenthesis or the end."""
        parts = [self._any()]
        while self.now.kind not in (")", "end"):
            if self.now.kind == "AND":
                self._take()
            parts.append(self._any())
        flat = _flat(And, parts)
        if len(flat) == 1:
            return flat[0]
        self._check_dates(flat)
        self._check_single(flat)
        return And(flat)

    def _any(self) -> Node:
        parts = [self._one()]
        while self.now.kind == "OR":
            self._take()
            parts.append(self._one())
        flat = _flat(Or, parts)
        return flat[0] if len(flat) == 1 else Or(flat)

    def _one(self) -> Node:
        """Something, or what is to be left out; leaving out twice is asking for it."""
        signs = []
        while self.now.kind == "NOT":
            signs.append(self._take())
        node = self._near()
        for sign in reversed(signs):
            span = Span(sign.span.start, self._end)
            if isinstance(node, Filter) and node.field in ("since", "until"):
                raise self._mistake(
                    span,
                    f"{sign.text or 'NOT '}{node.field}: cannot be read",
                    "use since: for from a day on, until: for up to it",
                )
            node = node.part if isinstance(node, Not) else Not(node, span)
        return node

    @property
    def _end(self) -> int:
        """Where what was just read ends."""
        return self.before.span.end if self.before is not None else 0

    def _near(self) -> Node:
        start = self.now.span.start
        node = self._primary()
        if self.now.kind != "NEAR":
            return node
        parts = [self._beside(node, Span(start, self._end))]
        distance = self._distance(self.now)
        while self.now.kind == "NEAR":
            if self._distance(self.now) != distance:
                raise self._mistake(
                    self.now.span,
                    "this NEAR has another number than the one before it",
                    "give all of one row the same number, or write two rows: (a NEAR/2 b) (b NEAR/5 c)",
                )
            self._take()
            start_of_next = self.now.span.start
            if self.now.kind == "NOT":
                raise self._mistake(
                    self.now.span, "NEAR cannot be followed by what is left out", _EXAMPLES["NEAR"]
                )
            node = self._primary()
            parts.append(self._beside(node, Span(start_of_next, self._end)))
        return Near(tuple(parts), distance, Span(start, self._end))

    def _distance(self, token: Token) -> int:
        if re.fullmatch("0*[1-9][0-9]{0,2}", token.text) and int(token.text) <= MAXIMUM_DISTANCE:
            return int(token.text)
        raise self._mistake(
            token.span,
            f"NEAR/{named(token.text)} has no number that can be used",
            f"NEAR/1 to NEAR/{MAXIMUM_DISTANCE} words apart; NEAR alone is NEAR/10",
        )

    def _beside(self, node: Node, span: Span) -> Words:
        if isinstance(node, Words) and not node.edits:
            return node
        raise self._mistake(
            span,
            "NEAR stands between words and phrases only",
            'as in: "road closed" NEAR/5 flood*; fields, parentheses, ~ and what is found by reading all'
            " texts cannot be beside it",
        )

    def _primary(self) -> Node:
        token = self.now
        if token.kind == "(":
            return self._group()
        if token.kind in (")", "end", "AND", "OR", "NOT", "NEAR"):
            raise self._missing()
        self._take()
        node = self.terms.term(token)
        self.count += len(node.tokens) if isinstance(node, Words) else 1
        self.scanned += isinstance(node, Part)
        if self.scanned > MAXIMUM_SCANNED:
            raise self._mistake(
                node.span,
                f"more than {MAXIMUM_SCANNED} parts are to be found by reading every text",
                "search in several goes",
            )
        if self.count > MAXIMUM_PARTS:
            raise self._mistake(
                token.span,
                f"the search has more than {MAXIMUM_PARTS:,} words and filters",
                "search in several goes",
            )
        return node

    def _group(self) -> Node:
        opened = self._take()
        self.depth += 1
        if self.depth > MAXIMUM_DEPTH:
            raise self._mistake(
                opened.span, f"more than {MAXIMUM_DEPTH} parentheses stand in one another", "leave some out"
            )
        if self.now.kind == "end":
            raise self._never_closed(opened)
        node = self._all()
        if self.now.kind != ")":
            raise self._never_closed(opened)
        self._take()
        self.depth -= 1
        return node

    def _never_closed(self, opened: Token) -> QueryMistake:
        return self._mistake(
            opened.span,
            "this parenthesis is never closed",
            'put a ) after what belongs together; or quotes: "("',
        )

    def _missing(self) -> QueryMistake:
        """Something was expected, and an operator, a closing parenthesis or the end is there."""
        now, before = self.now, self.before
        if before is not None and before.kind in _EXAMPLES:
            sign = before.text if before.kind == "NOT" and before.text else before.kind
            return self._mistake(before.span, f"{sign} needs something after it", _EXAMPLES[before.kind])
        if now.kind == ")":
            if before is not None and before.kind == "(":
                span = Span(before.span.start, now.span.end)
                return self._mistake(span, "nothing stands between the parentheses", "as in: (flood OR fire)")
            return self._never_opened()
        return self._mistake(now.span, f"{now.kind} needs something before it", _EXAMPLES[now.kind])

    def _check_single(self, parts: tuple[Node, ...]) -> None:
        """What a record has one of cannot be two things."""
        asked: dict[str, Filter] = {}
        for one in parts:
            if not isinstance(one, Filter) or one.field not in SINGLE:
                continue
            first = asked.setdefault(one.field, one)
            if fold(str(first.value)) != fold(str(one.value)):
                raise self._mistake(
                    one.span,
                    f"no record has two different {one.field}:",
                    f"for either of them: {one.field}:{first.value} OR {one.field}:{one.value}",
                )

    def _check_dates(self, parts: tuple[Node, ...]) -> None:
        filters = [part for part in parts if isinstance(part, Filter)]
        since = max((int(one.value) for one in filters if one.field == "since"), default=None)
        for one in filters:
            if one.field == "until" and since is not None and int(one.value) <= since:
                raise self._mistake(
                    one.span,
                    "this ends before since: begins",
                    "until: takes the later day, since: the earlier",
                )


def _flat(kind: type[And] | type[Or], parts: list[Node]) -> tuple[Node, ...]:
    """Parts of which none is of the same kind again: (a b) c is a b c."""
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return tuple(flat)
