"""A query as one table is asked: what its index finds, what rows are asked beyond that, and in what order."""

import pytest

from archiver.search.language import parse_query
from archiver.search.language.tree import Span, Words
from archiver.search.sql.conditions import Facts
from archiver.search.sql.matching import MOST_PHRASES
from archiver.search.sql.statement import (
    Keys,
    Order,
    among_statement,
    ask,
    best_statement,
    hits_statement,
    keys_statement,
    match_of,
    revision_statement,
)


@pytest.mark.parametrize(
    ("query", "match", "conditions"),
    [
        ("flood", '"flood"', 0),
        ("flood road", '("flood" AND "road")', 0),
        ("flood -road", '("flood" NOT "road")', 0),
        ("-road flood", '("flood" NOT "road")', 0),
        ("-road", None, 1),
        ("-road -flood", None, 1),
        ("flood from:a", '"flood"', 1),
        ("flood OR from:a", None, 1),
        ("(flood road) -(bridge closed)", '(("flood" AND "road") NOT ("bridge" AND "closed"))', 0),
        ("flood *oad*", '"flood"', 1),
        ("from:a", None, 1),
        ("flood since:2026", '"flood"', 1),
    ],
)
def test_words_go_to_the_index_and_all_else_is_asked_of_the_rows(
    query: str, match: str | None, conditions: int
) -> None:
    asked = ask("post", parse_query(query).root, Facts())
    assert asked.expression == match
    assert len(asked.conditions) == conditions
    assert asked.is_all == (match is None and not conditions)


def test_times_that_keys_stand_for_are_not_asked_of_the_rows_again() -> None:
    root = parse_query("flood since:2026 until:2026 from:a").root
    asked = ask("post", root, Facts(), Keys(3, 9), time_is_in_keys=True)
    assert "posted_ms" not in "".join(asked.conditions)
    assert asked.keys == (3, 9)
    either = ask("post", parse_query("flood OR since:2026").root, Facts(), time_is_in_keys=True)
    assert "r.posted_ms >= ?" in either.conditions[0]


def test_more_words_than_one_expression_holds_are_asked_of_the_rows() -> None:
    query = parse_query(" ".join(f"w{number}" for number in range(MOST_PHRASES + 50)))
    asked = ask("post", query.root, Facts())
    assert asked.expression is not None
    assert asked.expression.count('"') == 2 * MOST_PHRASES
    assert asked.conditions[0].count("MATCH ?") == len(asked.values) == 50


def test_a_word_with_hundreds_of_forms_is_asked_for_in_several_expressions() -> None:
    forms = tuple(f"f{number}" for number in range(500))
    asked = ask("post", Words(("a",), Span(0, 1), also=forms), Facts())
    assert asked.match is None
    found = {word for value in asked.values for word in str(value).replace('"', "").strip("()").split(" OR ")}
    assert found == {"a", *forms}


def test_a_query_of_time_is_read_in_the_order_of_the_keys_without_a_sort() -> None:
    asked = ask("post", parse_query("flood").root, Facts(), Keys(2, 5))
    orders: list[tuple[Order, str]] = [
        ("newest", "ORDER BY f.docid DESC"),
        ("oldest", "ORDER BY f.docid ASC"),
    ]
    for order, sorting in orders:
        sql, values = hits_statement(asked, order, 7, "2026-01-01")
        assert sorting in sql
        assert values == ["2026-01-01", '"flood"', 2, 5, 7]
    sql, values = keys_statement(asked, "newest", 3)
    assert "JOIN" not in sql
    assert values == ['"flood"', 2, 5, 3]


def test_values_stand_in_the_order_of_their_marks() -> None:
    asked = ask("post", parse_query("flood from:a *oad*").root, Facts(), Keys(2, 5))
    statements = [
        hits_statement(asked, "newest", 7, "archive"),
        keys_statement(asked),
        best_statement(asked, 4, 7),
        best_statement(asked, 4, 7, -1.5),
        among_statement(asked, [1, 2]),
        revision_statement(asked, "archive", ("x", "1", "2")),
        revision_statement(asked, "archive", ("x", "1", "2"), 4),
    ]
    for sql, values in statements:
        assert sql.count("?") == len(values), sql


def test_what_ranks_a_hit_is_what_its_index_is_asked_for() -> None:
    for query in ("flood", "flood -road", "flood from:a", "a OR b c", "-road", "from:a"):
        root = parse_query(query).root
        assert match_of(root) == ask("post", root, Facts()).match
