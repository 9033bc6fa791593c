"""What differs between two versions: every piece accounted for, and in time whatever the texts are."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.search.record import Version
from archiver.search.record.differences import Change, Piece, compare_texts, find_differences

WORDS = st.lists(st.sampled_from(["road", "closed", " ", "\n", "£", "open", ".", "  "])).map("".join)


def version(*, media: tuple[Any, ...] = (), links: tuple[Any, ...] = (), **fields: Any) -> Version:
    return Version("2026-01-01", "post", {"version": 1, **fields}, {}, (), media, links)


@given(WORDS, WORDS)
def test_the_pieces_make_both_texts(before: str, after: str) -> None:
    pieces = compare_texts(before, after)
    assert "".join(one.text for one in pieces if one.kind != "added") == before
    assert "".join(one.text for one in pieces if one.kind != "removed") == after
    assert all(one.text for one in pieces)
    assert any(one.kind != "same" for one in pieces) == (before != after)


def test_words_are_compared_and_not_letters() -> None:
    assert compare_texts("The road is closed.", "The roads are closed.") == [
        Piece("same", "The "), Piece("removed", "road is"), Piece("added", "roads are"),
        Piece("same", " closed."),
    ]  # fmt: skip
    assert compare_texts("a b", "a c b") == [Piece("same", "a "), Piece("added", "c "), Piece("same", "b")]
    assert compare_texts("", "") == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a b " * 12_000, "b a " * 12_000),
        (" ".join(str(n % 97) for n in range(9_000)), " ".join(str(n % 89) for n in range(9_000))),
        ("\n".join(str(n % 97) for n in range(9_000)), "\n".join(str(n % 89) for n in range(9_000))),
        ("x" * 25_000, "y" * 25_000),
    ],
)
def test_long_texts_do_not_take_long(before: str, after: str) -> None:
    started = time.process_time()
    pieces = compare_texts(before, after)
    assert time.process_time() - started < 5
    assert "".join(one.text for one in pieces if one.kind != "added") == before


def test_a_long_text_with_one_word_changed_is_still_compared_word_by_word() -> None:
    text = " ".join(f"word{number}" for number in range(8_000))
    pieces = compare_texts(text, text.replace("word4000", "other"))
    assert [one for one in pieces if one.kind != "same"] == [
        Piece("removed", "word4000"), Piece("added", "other"),
    ]  # fmt: skip


def test_fields_links_and_pictures_are_compared_and_counters_of_rows_are_not() -> None:
    picture = {"media_type": "photo", "file_name": "1-a.png", "alt_text": "a van", "missing": "not captured"}
    link = {"short": "https://t.co/a", "expanded": "https://example.org/a"}
    before = version(text="one", client="Web", author_handle="old", media=(picture,), links=(link,))
    after = version(
        text="one", client="App", author_handle="old", version=2, media=({**picture, "missing": None},)
    )
    found = find_differences(before, after)
    assert found.text == ()
    assert found.fields == (
        Change("client", "Web", "App"),
        Change("links", ["https://example.org/a"], None),
        Change("media", ['photo 1-a.png "a van" MISSING: not captured'], ['photo 1-a.png "a van"']),
    )
    assert find_differences(before, before) == ((), ())
