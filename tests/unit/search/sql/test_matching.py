"""Words in FTS4's syntax: what an expression finds, how it numbers its phrases, and what one cannot hold."""

import struct
from collections.abc import Callable, Iterator

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.errors import UsageError
from archiver.search.language import parse_query
from archiver.search.language.tree import And, Filter, Near, Node, Not, Or, Part, Span, Words
from archiver.search.sql.matching import (
    MOST_PHRASES,
    any_of,
    check_near,
    count_phrases,
    depth_of,
    expression,
    is_text,
    phrases,
)
from archiver.search.words import TOKENIZER

SPAN = Span(0, 0)
LETTERS = "abcde"
TEXTS = ["a", "b a", "c b a", "a b c", "a c", "d e a", "b d", "e", "ab", "bab a", "", "a a b", "c d e b a"]


@pytest.fixture(scope="module")
def index() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute(f"CREATE VIRTUAL TABLE texts USING fts4 (text, tokenize={TOKENIZER.replace(',', '')})")
    connection.executemany("INSERT INTO texts (docid, text) VALUES (?, ?)", enumerate(TEXTS))
    return connection


def word(*tokens: str, prefix: bool = False, also: tuple[str, ...] = ()) -> Words:
    return Words(tokens, SPAN, prefix, also=also)


# What a tree means, without an index


def places(text: list[str], tokens: tuple[str, ...], *, prefix: bool) -> Iterator[int]:
    """Where a phrase begins."""
    for start in range(len(text) - len(tokens) + 1):
        found = text[start : start + len(tokens)]
        last = found[-1].startswith(tokens[-1]) if prefix else found[-1] == tokens[-1]
        if found[:-1] == list(tokens[:-1]) and last:
            yield start


def occurrences(text: str, one: Words) -> list[tuple[int, int]]:
    """Each phrase that may stand for the words: from a word up to, not including, another."""
    own = [(at, at + len(one.tokens)) for at in places(text.split(), one.tokens, prefix=one.prefix)]
    others = [(at, at + 1) for other in one.also for at in places(text.split(), (other,), prefix=False)]
    return own + others


def holds(text: str, node: Node) -> bool:
    if isinstance(node, And):
        return all(holds(text, part) for part in node.parts)
    if isinstance(node, Or):
        return any(holds(text, part) for part in node.parts)
    if isinstance(node, Not):
        return not holds(text, node.part)
    if isinstance(node, Words):
        return bool(occurrences(text, node))
    assert isinstance(node, Near)
    first, second = (occurrences(text, part) for part in node.parts)
    return any(
        max(after[0] - before[1], before[0] - after[1]) in range(node.distance + 1)
        for before in first
        for after in second
    )  # fmt: skip


words = st.builds(
    Words,
    st.lists(st.sampled_from(LETTERS), min_size=1, max_size=2).map(tuple),
    st.just(SPAN),
    st.booleans(),
) | st.builds(
    lambda token, also: word(token, also=tuple(one for one in also if one != token)),
    st.sampled_from(LETTERS),
    st.lists(st.sampled_from(LETTERS), max_size=2, unique=True).map(tuple),
)
nears = st.builds(
    lambda first, second, distance: Near((word(first), word(second)), distance, SPAN),
    st.sampled_from(LETTERS[:2]),
    st.sampled_from(LETTERS[2:]),
    st.integers(1, 3),
)


def _parts(kind: Callable[[tuple[Node, ...]], Node]) -> Callable[[st.SearchStrategy[Node]], st.SearchStrategy[Node]]:  # noqa: E501  # fmt: skip
    return lambda inner: st.lists(inner, min_size=2, max_size=4).map(lambda some: kind(tuple(some)))


trees: st.SearchStrategy[Node] = st.recursive(
    words | nears,
    lambda inner: (
        _parts(And)(inner) | _parts(Or)(inner) | _parts(And)(inner | inner.map(lambda one: Not(one, SPAN)))
    ),
    max_leaves=9,
)


def found(index: apsw.Connection, match: str) -> set[int]:
    return {key for (key,) in index.execute("SELECT docid FROM texts WHERE texts MATCH ?", (match,))}


@settings(max_examples=400)
@given(trees)
def test_an_expression_finds_what_its_tree_means(index: apsw.Connection, tree: Node) -> None:
    if is_text(tree):
        wanted = {key for key, text in enumerate(TEXTS) if holds(text, tree)}
        assert found(index, expression(tree)) == wanted, expression(tree)


@settings(max_examples=400)
@given(trees)
def test_phrases_are_those_that_the_index_counts_in_its_order(index: apsw.Connection, tree: Node) -> None:
    """What matchinfo says of each is what it says of the phrase by itself; of what follows a NOT, nothing."""
    if not is_text(tree):
        return
    listed = phrases(tree)
    assert len(listed) <= len(phrases(tree, excluded=True)) == count_phrases(tree)
    row = index.execute(
        "SELECT matchinfo(texts, 'px') FROM texts WHERE texts MATCH ?", (expression(tree),)
    ).fetchone()
    if row is None:
        return
    number, *info = struct.unpack(f"={len(row[0]) // 4}I", row[0])
    assert number == len(listed)
    for phrase, holding in zip(listed, info[2::3], strict=True):
        alone = len(found(index, phrase))
        assert holding == alone or ("NEAR" in expression(tree) and holding <= alone)


def test_each_phrase_is_counted_as_if_it_were_asked_for_alone(index: apsw.Connection) -> None:
    asked = ['"a"', '"b a"', '"nothere"', '"b*"', '"a"']
    (info,) = index.execute(
        "SELECT matchinfo(texts, 'x') FROM texts WHERE texts MATCH ? LIMIT 1", (any_of(asked),)
    ).fetchone()  # type: ignore[misc]  # a row
    holding = struct.unpack(f"={3 * len(asked)}I", info)[2::3]
    assert list(holding) == [len(found(index, one)) for one in asked]


@pytest.mark.parametrize(
    ("query", "written"),
    [
        ("a", '"a"'),
        ("a b", '("a" AND "b")'),
        ('"a b"', '"a b"'),
        ("a b*", '("a" AND "b*")'),
        ("a OR b c", '(("a" OR "b") AND "c")'),
        ("a -b", '("a" NOT "b")'),
        ('a -b -"c d"', '("a" NOT ("b" OR "c d"))'),
        ("a -(b c)", '("a" NOT ("b" AND "c"))'),
        ("a -(b -c)", '("a" NOT ("b" NOT "c"))'),
        ("a NEAR/3 b NEAR/3 c", '"a" NEAR/3 "b" NEAR/3 "c"'),
        ("don't", '"don t"'),
        ('"NOT AND" "(OR)"', '("not and" AND "or")'),
        ('"a OR b" "text:c"', '("a or b" AND "text c")'),
    ],
)
def test_what_is_typed_stays_inside_quotes(query: str, written: str) -> None:
    assert expression(parse_query(query).root) == written


def test_words_near_each_other_are_asked_for_in_every_pair_of_their_forms() -> None:
    near = Near((word("a", also=("ab",)), word("b", also=("ba",))), 5, SPAN)
    assert expression(near) == ('("a" NEAR/5 "b" OR "a" NEAR/5 "ba" OR "ab" NEAR/5 "b" OR "ab" NEAR/5 "ba")')
    assert count_phrases(near) == len(phrases(near)) == 8
    check_near(near, "")
    forms = tuple(f"f{number}" for number in range(20))
    with pytest.raises(UsageError, match="too many forms together"):
        check_near(Near((word("a", also=forms), word("b", also=forms)), 5, SPAN), "")


@pytest.mark.parametrize(
    "query", ["-a", "-a -b", "(-a) OR b", "a OR from:b", "a kind:post", "*a*", "a (b OR -c)", "a -from:b",
              "a -(b OR *c*)"]
)  # fmt: skip
def test_what_is_no_text_alone_is_no_expression(query: str) -> None:
    assert not is_text(parse_query(query).root)


def test_no_more_than_two_hundred_phrases_are_one_expression(index: apsw.Connection) -> None:
    def alternatives(number: int) -> Or:
        return Or((*(word(f"x{one}") for one in range(number - 1)), word("e")))

    most = alternatives(MOST_PHRASES)
    assert is_text(most)
    assert found(index, expression(most)) == found(index, '"e"')
    assert not is_text(alternatives(MOST_PHRASES + 1))
    assert is_text(word("a", also=tuple(f"x{one}" for one in range(MOST_PHRASES - 1))))
    assert not is_text(word("a", also=tuple(f"x{one}" for one in range(MOST_PHRASES))))


def test_a_tree_as_deep_as_one_expression_holds_is_asked_and_a_deeper_one_is_none(
    index: apsw.Connection,
) -> None:
    tree: Node = word("a")
    deepest = 0
    for number in range(40):
        tree = And((Or((tree, word("b"))), Or((word("a"), word("c")))))
        if not is_text(tree):
            break
        deepest = number + 1
        wanted = {key for key, text in enumerate(TEXTS) if holds(text, tree)}
        assert found(index, expression(tree)) == wanted
    assert 2 <= deepest < 12
    assert depth_of(tree) > depth_of(word("a"))


def test_a_filter_or_a_part_has_no_phrases() -> None:
    assert count_phrases(Filter("from", "a", SPAN)) == count_phrases(Part("a", SPAN)) == 0
