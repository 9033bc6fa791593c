"""Any text is a query or a mistake shown at its place; a query's tree is written as a query that means it."""

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from archiver.search.language import QueryMistake, format_query, parse_query
from archiver.search.language.mistakes import WIDTH
from archiver.search.language.tree import And, Near, Node, Not, Or, Span, Words, leaves
from archiver.search.words import cut, fold
from tests.unit.search.language.trees import without_places

PIECES = [
    *'"“”«()-*~#:@/ \t\n\u00a0\u200b\u200d\ufe0f\u0301\0\ud800\u202e',
    *[
        "OR",
        "AND",
        "NOT",
        "NEAR",
        "NEAR/3",
        "NEAR/0",
        "flood",
        "don't",
        "CAFÉ",
        "e\u0301",
        "東京",
        "ไทย",
        "한국",
        "£",
    ],
    *[
        "🚓",
        "🥰",
        "≠",
        "–",
        "word~1",
        "fl*",
        "*oo*",
        "x",
        "http://a.example/b_(c)",
        "Update:",
        "frm:",
        "12:30",
    ],
    *[
        "from:",
        "@a",
        "to:a",
        "#tag",
        "url:",
        "https://www.A.example/",
        "kind:",
        "reply",
        "moderation",
        "has:link",
    ],
    *[
        "is:edited",
        "since:2026",
        "until:2027-01",
        "since:",
        "2026-03-29T01:30",
        "0001",
        "9999",
        "action:hide",
        "by:x",
    ],
    *["lang:EN", "id:1", "platform:x", "reason:a"],
]
TYPED = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=14).flatmap(
    lambda pieces: st.sampled_from(["", " "]).map(lambda glue: glue.join(pieces))
)


@given(TYPED | st.text(max_size=60), st.booleans())
@example('*"a*b"* "f***" "road clos*" "a"~1', False)
@example("------a (((b)))", False)
@example("since:0001-01-01T00:00+23:59 until:9999-12-31T23:59-23:59", False)
@example("东" * 60 + ' "', False)
@example("word~1 fl* *a* don't £", True)
def test_any_text_is_a_query_or_a_mistake_with_a_caret_under_its_place(text: str, exact: bool) -> None:
    try:
        query = parse_query(text, exact=exact)
    except QueryMistake as mistake:
        check_place(mistake)
        return
    for leaf in leaves(query.root):
        assert 0 <= leaf.span.start < leaf.span.end <= len(query.text) == len(text)
    check_words(query.root)
    written = format_query(query.root)
    again = parse_query(written, exact=exact)
    assert without_places(again.root) == without_places(query.root)
    assert format_query(again.root) == written
    assert (again.kinds, again.since_ms, again.until_ms) == (query.kinds, query.since_ms, query.until_ms)


def check_place(mistake: QueryMistake) -> None:
    assert 0 <= mistake.span.start <= mistake.span.end <= len(mistake.query)
    sentence, shown, carets = mistake.message.split("\n")
    assert sentence
    assert mistake.hint
    assert shown.startswith("  ")
    column = len(carets) - len(carets.lstrip(" "))
    assert set(carets[column:]) == {"^"}
    assert columns(shown) <= WIDTH + 2
    assert len(carets) <= max(columns(shown), 2) + 1
    if mistake.span.start < mistake.span.end and mistake.query[mistake.span.start].isascii():
        sign = mistake.query[mistake.span.start]
        assert at_column(shown, column) == (sign if sign.isprintable() else chr(0x2400 + ord(sign)))


def columns(line: str) -> int:
    return sum(width(character) for character in line)


def at_column(line: str, column: int) -> str:
    """The character that a terminal shows in a column of a line."""
    at = 0
    for character in line:
        if at == column and width(character):
            return character
        at += width(character)
    return ""


def width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me") or "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def check_words(node: Node) -> None:
    if isinstance(node, And | Or | Near):
        assert len(node.parts) > 1
        for part in node.parts:
            assert not isinstance(node, And | Or) or not isinstance(part, type(node))
            check_words(part)
    elif isinstance(node, Not):
        assert not isinstance(node.part, Not)
        check_words(node.part)
    elif isinstance(node, Words):
        assert node.tokens
        for token in node.tokens:
            assert token
            assert not any(sign in token for sign in '"“”„‟«»*~():-\0')
            assert not any(map(str.isspace, token))
            assert cut(token) == (token,)
        assert node.span != Span(0, 0)


@given(TYPED | st.text())
def test_folding_is_done_once_and_holds_each_word_of_the_index(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    for token in cut(text):
        assert fold(token) in folded
