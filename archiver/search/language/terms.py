"""One token as a term of the tree: words, a part of a text, or a filter."""

import re

from archiver.search.language.fields import NotAValueError, parse_value
from archiver.search.language.mistakes import QueryMistake, named
from archiver.search.language.tokens import Token
from archiver.search.language.tree import Filter, Part, Span, Words
from archiver.search.words import cut, fold, has_no_spaces, needs_scan

MAXIMUM_EDITS = 2
LEAST_SIMILAR = 3
"""Letters of a word that others can be like (`archiver.search.catalogue.similarity`)."""
_LETTER_STAR = re.compile(r"[^\W_]\*(?=\s)")


class Terms:
    """Makes the terms of one query; `exact`: no word has other forms."""

    def __init__(self, text: str, exact: bool) -> None:
        self.text = text
        self.exact = exact

    def _mistake(self, span: Span, what: str, expected: str) -> QueryMistake:
        return QueryMistake(self.text, span, what, expected)

    def term(self, token: Token) -> Words | Part | Filter:
        """What a word, phrase, part or field means. Raise QueryMistake where it can mean nothing."""
        if token.kind == "field":
            return self._filter(token)
        if token.kind == "part":
            return self._part(token, token.text, "asked")
        body, mark, quoted = token.text, token.mark, token.kind == "phrase"
        if quoted:
            body, mark = self._phrase(token)
        if mark.startswith("~"):
            return self._with_edits(token, body, mark)
        if needs_scan(body):
            return self._part(token, body, "script" if has_no_spaces(body) else "symbols")
        tokens = cut(body)
        prefix = mark == "*" and len(cut(body + "a")) == len(tokens)
        return Words(tokens, token.span, prefix, quoted or self.exact or len(tokens) > 1)

    def _phrase(self, token: Token) -> tuple[str, str]:
        """A phrase's text and its mark: a star after its last letter, within the quotes or after them."""
        body = " ".join(token.text.split())
        if not body:
            raise self._mistake(
                token.span, "nothing stands between the quotation marks", 'a phrase, as in: "road closed"'
            )
        if _LETTER_STAR.search(body):
            raise self._mistake(
                token.span,
                "a star stands within a phrase",
                'only the last word may be left open: "road clos*"',
            )
        if token.mark == "" and _LETTER_STAR.search(body + " "):
            return body[:-1], "*"
        return body, token.mark

    def _with_edits(self, token: Token, body: str, mark: str) -> Words:
        tokens = cut(body)
        if len(tokens) != 1 or needs_scan(body):
            raise self._mistake(
                token.span,
                f"{mark} stands after one word only",
                "as in: flood~1; words near each other are: road NEAR/5 closed",
            )
        if len(tokens[0]) < LEAST_SIMILAR:
            raise self._mistake(
                token.span,
                f"{mark} needs a word of {LEAST_SIMILAR} letters or more",
                "words as short as this one are like half of all others",
            )
        if mark not in ("~1", "~2"):
            raise self._mistake(
                Span(token.span.end - len(mark), token.span.end),
                f"{named(mark)} has no number that can be used",
                f"~1 or ~{MAXIMUM_EDITS}: how many letters may differ",
            )
        return Words(tokens, token.span, False, token.kind == "phrase" or self.exact, int(mark[1:]))

    def _part(self, token: Token, body: str, why: str) -> Part:
        text = " ".join(fold(body).split())
        if not text:
            raise self._mistake(token.span, "there is nothing to search for", "type a word, as in: flooding")
        return Part(text, token.span, why)

    def _filter(self, token: Token) -> Filter:
        if "*" in token.text and not token.quoted:
            place = token.span.end - len(token.text) + token.text.index("*")
            raise self._mistake(
                Span(place, place + 1), f"{token.name}: takes no star", "write the value whole, or in quotes"
            )
        try:
            value = parse_value(token.name, token.text)
        except NotAValueError as mistake:
            raise self._mistake(token.value, mistake.what, mistake.expected) from mistake
        return Filter(token.name, value, token.span)
