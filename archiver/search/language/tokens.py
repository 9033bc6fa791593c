"""A query's text cut into tokens: words, phrases, fields, operators, each with its place."""

import re
from typing import NamedTuple

from archiver.search.language.fields import ALIASES, FIELDS, nearest
from archiver.search.language.mistakes import QueryMistake, named
from archiver.search.language.tree import Span

QUOTES = '"“”„‟«»'
"""Quotation marks: any opens a phrase, any closes it."""
INVISIBLE = "\u200b\u200e\u200f\u2060\ufeff" + "".join(
    map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
"""What text copied from a page or a document carries along: it separates words and means nothing."""
_TO_SPACES = dict.fromkeys(map(ord, INVISIBLE), " ")
_SPACE = re.compile(r"\s+")
_RUN = re.compile(rf"[^\s(){QUOTES}]+")
_QUOTE = re.compile(f"[{QUOTES}]")
_NAME = re.compile(r"([A-Za-z_]+):")
_NEAR = re.compile(r"NEAR(?:/(.*))?", re.DOTALL)
_EDITS = re.compile(r"~([0-9]*)\Z")
_AFTER_PHRASE = re.compile(r"\*|~[0-9]*")
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212"
_OPERATORS = ("AND", "OR", "NOT")


class Token(NamedTuple):
    """`kind`: ( ) AND OR NOT NEAR word phrase part field end. `text`: what stands there without its signs; of
    NEAR its number, of a field its value, at `value`. `mark`: `*` or `~1` after a word or phrase."""

    kind: str
    text: str
    span: Span
    mark: str = ""
    name: str = ""
    value: Span = Span(0, 0)
    quoted: bool = False


def tokenise(text: str) -> list[Token]:
    """All tokens of a query, the last one `end`. Raise QueryMistake for what cannot be one."""
    reader = _Reader(text)
    tokens = []
    while (token := reader.next()) is not None:
        tokens.append(token)
    tokens.append(Token("end", "", Span(len(text), len(text))))
    return tokens


class _Reader:
    """A query's text while it is read from left to right."""

    def __init__(self, text: str) -> None:
        self.query = text
        self.text = text.translate(_TO_SPACES)  # as long as it was, so places stay
        self.at = 0

    def next(self) -> Token | None:
        space = _SPACE.match(self.text, self.at)
        if space is not None:
            self.at = space.end()
        if self.at >= len(self.text):
            return None
        sign = self.text[self.at]
        if sign in "()":
            return self._token(sign, self.at + 1)
        if sign == "-":
            return self._minus()
        if sign in QUOTES:
            return self._phrase()
        if sign == "*" and self._sign(self.at + 1) in QUOTES:
            return self._quoted_part()
        return self._run()

    def _sign(self, place: int) -> str:
        """The character at a place; at the end a space."""
        return self.text[place] if place < len(self.text) else " "

    def _ends(self, place: int) -> bool:
        return self._sign(place).isspace() or self._sign(place) == ")"

    def _token(self, kind: str, end: int, text: str = "", mark: str = "") -> Token:
        span = Span(self.at, end)
        self.at = end
        return Token(kind, text, span, mark)

    def _mistake(self, start: int, end: int, what: str, expected: str) -> QueryMistake:
        return QueryMistake(self.query, Span(start, end), what, expected)

    def _minus(self) -> Token:
        if self._ends(self.at + 1):
            raise self._mistake(
                self.at,
                self.at + 1,
                "a - stands alone",
                'it stands right before what is not wanted, as in -rumour; as a sign in quotes: "-"',
            )
        return self._token("NOT", self.at + 1, "-")

    def _quoted(self, start: int) -> tuple[str, int]:
        """What stands between the quotation mark here and the next one, and where it has ended."""
        found = _QUOTE.search(self.text, start + 1)
        if found is None:
            raise self._mistake(
                start,
                start + 1,
                "a quotation mark is not closed",
                'a phrase stands between two: "road closed"',
            )
        return self.text[start + 1 : found.start()], found.end()

    def _phrase(self) -> Token:
        body, end = self._quoted(self.at)
        mark = _AFTER_PHRASE.match(self.text, end)
        if mark is None or not (self._ends(mark.end()) or self._sign(mark.end()) == "("):
            return self._token("phrase", end, body)
        return self._token("phrase", mark.end(), body, mark[0])

    def _quoted_part(self) -> Token:
        body, end = self._quoted(self.at + 1)
        if self._sign(end) != "*":
            raise self._front_star(self.at)
        return self._token("part", end + 1, body)

    def _front_star(self, place: int) -> QueryMistake:
        return self._mistake(
            place,
            place + 1,
            "a star in front alone is not possible",
            "flood* finds what begins so, *flood* what has it anywhere (all texts are read for it)",
        )

    def _run(self) -> Token:
        found = _RUN.match(self.text, self.at)
        assert found is not None  # noqa: S101  # spaces, parentheses and quotes are dealt with
        run = found[0]
        if run in _OPERATORS:
            return self._token(run, found.end())
        near = _NEAR.fullmatch(run)
        if near is not None:
            return self._token("NEAR", found.end(), "10" if near[1] is None else near[1])
        if run[0] == "#":
            return self._tag(run)
        if run[0] in _DASHES and (len(run) > 1 or not self._ends(found.end())):
            raise self._mistake(
                self.at,
                self.at + 1,
                "a dash is not the minus that leaves something out",
                "type - for it, or put the dash with its words in quotes",
            )
        return self._field(run) or self._word(run)

    def _tag(self, run: str) -> Token:
        start, value = self.at, run[1:].rstrip(",.;:!?…'’")
        if not value.strip("#"):
            raise self._mistake(
                start, start + len(run), "a # has no tag after it", "a hashtag is written as one word: #flood"
            )
        token = self._token("field", start + len(run), value)
        return token._replace(name="tag", value=Span(start, start + len(run)))

    def _field(self, run: str) -> Token | None:
        """A field with its value, or None where the run is a word, as an address or what ends in a colon."""
        found = _NAME.match(run)
        if found is None:
            return None
        start, value_at = self.at, self.at + found.end()
        name = ALIASES.get(found[1].lower(), found[1].lower())
        follows = self._sign(value_at)
        if name not in FIELDS:
            if self._ends(value_at) or follows == "/":
                return None
            raise self._unknown(found[1], start, value_at)
        if self._ends(value_at):
            raise self._no_value(name, found[0], start, value_at)
        if follows == "(":
            raise self._mistake(
                value_at,
                value_at + 1,
                f"{found[0]} takes one value, and no parentheses",
                f"repeat it for each: ({name}:… OR {name}:…)",
            )
        if follows in QUOTES:
            value, end = self._quoted(value_at)
            value, quoted = value.strip(), True
            if not value:
                raise self._no_value(name, found[0], start, end)
        else:
            value, end, quoted = run[found.end() :], start + len(run), False
        token = self._token("field", end, value)
        return token._replace(name=name, value=Span(value_at, end), quoted=quoted)

    def _unknown(self, typed: str, start: int, end: int) -> QueryMistake:
        close = nearest(typed, (*FIELDS, *ALIASES))
        meant = f"did you mean {close}:? " if close else ""
        return self._mistake(
            start,
            end,
            f"{named(typed)}: is not something a search can be narrowed by",
            f"{meant}there are {', '.join(f'{name}:' for name in FIELDS)}, or put the words in quotes",
        )

    def _no_value(self, name: str, typed: str, start: int, end: int) -> QueryMistake:
        return self._mistake(
            start,
            end,
            f"{typed} has no value",
            f"{FIELDS[name].takes} must follow at once, without a space; as a word put it in quotes",
        )

    def _word(self, run: str) -> Token:
        start, end = self.at, self.at + len(run)
        if not run.strip("*"):
            raise self._mistake(
                start, end, "a * stands alone", "flood* finds words that begin so, *flood* all texts with it"
            )
        if not run.strip("~"):
            raise self._mistake(start, end, "a ~ stands alone", "flood~1 also finds what differs by a letter")
        edits = _EDITS.search(run)
        if edits is not None and edits.start() > 0:
            body, mark = run[: edits.start()], edits[0]
        elif run[0] == "*" and run[-1] == "*":
            body, mark = run[1:-1], ""
        else:
            body, mark = run.removesuffix("*"), "*" if run[-1] == "*" else ""
        if "*" in body:
            place = start + run.index("*", 1 if run[0] == run[-1] == "*" else 0)
            if place == start:
                raise self._front_star(place)
            raise self._mistake(
                place,
                place + 1,
                "a star stands within a word",
                'only the end may be left open: flood*; as it stands put it in quotes: "f**l"',
            )
        return self._token("part" if run[0] == "*" else "word", end, body, mark)
