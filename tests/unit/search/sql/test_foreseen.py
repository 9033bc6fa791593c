"""What is read ahead of a segment far away."""

from archiver.search.language import parse_query
from archiver.search.sql.conditions import Facts
from archiver.search.sql.foreseen import length_statements, word_statements
from archiver.search.sql.statement import ask


def test_every_phrase_is_looked_for_ahead_those_left_out_too() -> None:
    asked = ask("post", parse_query('flood road -closed flood "a b"').root, Facts())
    assert [value for _, (value,) in word_statements(asked, "newest")] == [
        '"flood"', '"road"', '"a b"', '"closed"',
    ]  # fmt: skip
    assert word_statements(ask("post", parse_query("from:a").root, Facts()), "newest") == []


def test_lengths_are_read_at_both_ends_of_each_thousand_keys() -> None:
    keys = [values[0] for _, values in length_statements("post", [9, 8, 3, 1500, 1002, 4000])]
    assert keys == [9, 3, 1500, 1002, 4000]
