"""A mistake is shown under the query, whatever the query holds."""

import pickle

import pytest

from archiver.errors import UsageError, error_of, parts_of
from archiver.search.language.mistakes import WIDTH, QueryMistake, named, pointed
from archiver.search.language.tree import Span


def test_the_message_is_the_sentence_the_query_and_carets_under_the_place() -> None:
    mistake = QueryMistake("road clsed:x", Span(5, 11), "what is wrong", "what was expected")
    assert mistake.message == "what is wrong\n  road clsed:x\n       ^^^^^^"
    assert mistake.hint == mistake.expected == "what was expected"
    assert isinstance(mistake, UsageError)


@pytest.mark.parametrize(
    ("query", "span", "line", "carets"),
    [
        ("ab", Span(2, 2), "ab", "  ^"),
        ("", Span(0, 0), "", "^"),
        ("a\nb\tc\x7f!", Span(6, 7), "a␊b␉c␡!", "      ^"),
        ("道路!", Span(2, 3), "道路!", "    ^"),
        ("a道路", Span(1, 3), "a道路", " ^^^^"),
        ("e\u0301!", Span(2, 3), "e\u0301!", " ^"),
        ("❤\ufe0f!", Span(2, 3), "❤!", " ^"),
        ("a\u202eb\u200d!", Span(4, 5), "a�b�!", "    ^"),
        ("a\u00a0\u3000!", Span(3, 4), "a   !", "    ^"),
        ("\u1112\u1161\u11ab!", Span(3, 4), "\u1112\u1161\u11ab!", "  ^"),
    ],
)
def test_carets_stand_under_the_place_on_a_terminal(query: str, span: Span, line: str, carets: str) -> None:
    assert pointed(query, span) == (line, carets)


@pytest.mark.parametrize(("place", "length"), [(0, 1), (40, 1), (150, 1), (299, 1), (150, 100), (290, 10)])
def test_a_long_query_is_shown_around_the_place(place: int, length: int) -> None:
    query = "".join(chr(0x100 + number) for number in range(300))
    line, carets = pointed(query, Span(place, place + length))
    assert WIDTH - 1 <= len(line) <= WIDTH  # a column is left where nothing is cut
    assert line[carets.index("^")] == query[place]
    assert line.startswith("…") == (query[0] not in line)
    assert line.endswith("…") == (query[-1] not in line)
    assert len(carets) <= WIDTH
    assert carets.count("^") == min(length, 44)


def test_a_long_query_of_wide_signs_is_no_wider_than_one_of_narrow_ones() -> None:
    line, carets = pointed("道" * 300, Span(150, 151))
    assert len(line) - 2 == (WIDTH - 2) // 2
    assert carets == " " * 31 + "^^"


def test_a_mistake_reaches_another_process_as_it_was() -> None:
    mistake = QueryMistake("a) b", Span(1, 2), "what is wrong", "what was expected")
    again = pickle.loads(pickle.dumps(mistake))  # noqa: S301  # our own bytes
    assert type(again) is QueryMistake
    assert (again.query, again.span, again.message, again.hint) == (
        mistake.query,
        mistake.span,
        mistake.message,
        mistake.hint,
    )
    assert str(error_of(parts_of(mistake))) == mistake.message


def test_what_was_typed_is_named_in_one_short_line() -> None:
    assert named("a\nb") == "a␊b"
    assert named("a" * 41) == "a" * 39 + "…"
    assert named("a" * 40) == "a" * 40
