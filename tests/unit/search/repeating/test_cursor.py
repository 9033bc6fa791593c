"""Cursors: where a page ended, and which archives the next one is over."""

from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from archiver.errors import IntegrityError, UsageError
from archiver.search.language import parse_query
from archiver.search.repeating.cursor import (
    Cursor,
    asked_of,
    check_asked,
    choose_archives,
    encode_cursor,
    parse_cursor,
)
from archiver.search.sql.statement import Order
from archiver.vault import Archive
from tests.made_vaults import VaultMaker, post

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
TIMES = st.integers(-(2**53), 2**53).map(float)
POSITIONS = st.tuples(
    TIMES | st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**62), 2**62),
    TEXT, TEXT, TEXT, st.integers(-(2**31), 2**31), TEXT,
)  # fmt: skip
CURSORS = st.builds(
    Cursor,
    order=st.sampled_from(get_args(Order)),
    asked=st.binary(min_size=12, max_size=12),
    position=POSITIONS,
    sequence=st.integers(0, 10_000),
    sha256=st.binary(min_size=32, max_size=32),
    spool_page=st.none() | st.integers(0, 2**40),
    spool_entries=st.none() | st.integers(0, 2**20),
)
ASKED = asked_of(parse_query("flood"), versions=False, store=None, spool=True)


def cursor(**fields: Any) -> Cursor:
    known: dict[str, Any] = {
        "order": "newest", "asked": ASKED, "position": (-5.0, 0, "x", "1", "1001", 1, "post"), "sequence": 0,
        "sha256": b"",
    }  # fmt: skip
    return Cursor(**{**known, **fields})


@given(CURSORS)
def test_a_cursor_comes_back_as_it_was_from_text_that_needs_no_quoting_anywhere(one: Cursor) -> None:
    text = encode_cursor(one)
    assert parse_cursor(text) == one
    assert parse_cursor(f" {text}\n") == one
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert not text.startswith("-")


def test_a_time_is_the_same_place_whether_it_came_as_a_whole_number_or_not() -> None:
    whole: Any = (-5, 0, "x", "1", "1001", 1, "post")
    assert encode_cursor(cursor(position=whole)) == encode_cursor(cursor())


@given(
    st.text()
    | st.text().map("s1.".__add__)
    | st.binary().map(lambda some: f"s1.{urlsafe_b64encode(some).decode()}")
)
def test_any_other_text_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--after"):
        parse_cursor(text)


@given(CURSORS, st.data())
def test_one_character_that_is_missing_or_another_makes_it_a_usage_error(
    one: Cursor, data: st.DataObject
) -> None:
    text = encode_cursor(one)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([sign for sign in "Aa0-_" if sign != text[place]] + [""]))
    with pytest.raises(UsageError):
        parse_cursor(text[:place] + other + text[place + 1 :])


def test_a_cursor_of_another_order_is_refused_and_says_of_which() -> None:
    check_asked(cursor(), "newest", ASKED)
    with pytest.raises(UsageError, match="in the order newest, and this search is in the order oldest"):
        check_asked(cursor(), "oldest", ASKED)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("floods", {}),
        ("flood kind:post", {}),
        ("flood", {"exact": True}),
        ("flood", {"versions": True}),
        ("flood", {"store": "second"}),
        ("flood", {"spool": False}),
    ],
)
def test_a_cursor_of_another_query_or_other_options_is_refused(text: str, options: dict[str, Any]) -> None:
    query = parse_query(text, exact=bool(options.pop("exact", False)))
    asked = asked_of(query, **{"versions": False, "store": None, "spool": True, **options})
    with pytest.raises(UsageError, match="another query, or with other options"):
        check_asked(cursor(), "newest", asked)


def test_a_query_that_means_the_same_goes_on() -> None:
    asked = asked_of(parse_query("  FLOOD "), versions=False, store=None, spool=True)
    check_asked(cursor(), "newest", asked)


# Which archives


def archives(folder: Path, names: str) -> list[Archive]:
    maker = VaultMaker(folder)
    for number, name in enumerate(names):
        maker.add(name, [post(str(number), "flood", number)])
    return list(maker.vault().list_archives().require_sound())


def at(archive: Archive, **fields: Any) -> Cursor:
    return cursor(sequence=archive.head.sequence, sha256=bytes.fromhex(archive.head.sha256), **fields)


def test_archives_sealed_since_are_left_out_and_counted(tmp_path: Path) -> None:
    all_ = archives(tmp_path, "abcd")
    chosen = choose_archives(at(all_[1]), all_)
    assert [one.name for one in chosen.archives] == ["a", "b"]
    assert (chosen.left_out, chosen.added) == (2, 0)
    assert choose_archives(at(all_[3]), all_) == (tuple(all_), 0, 0)


def test_where_the_spool_was_included_what_was_sealed_since_is_searched_too(tmp_path: Path) -> None:
    all_ = archives(tmp_path, "abc")
    for fields in ({"spool_page": 7}, {"spool_entries": 1}):
        assert choose_archives(at(all_[1], **fields), all_) == (tuple(all_), 0, 1)
        assert choose_archives(at(all_[2], **fields), all_) == (tuple(all_), 0, 0)


def test_a_page_by_relevance_whose_numbers_would_change_is_refused(tmp_path: Path) -> None:
    all_ = archives(tmp_path, "ab")
    with pytest.raises(UsageError, match="ranked by other numbers") as caught:
        choose_archives(at(all_[0], order="relevance", spool_page=7), all_)
    assert caught.value.hint == "begin again: leave --after out"
    assert choose_archives(at(all_[0], order="relevance"), all_).left_out == 1


def test_a_head_that_is_no_longer_in_the_chain_is_an_integrity_error(tmp_path: Path) -> None:
    all_ = archives(tmp_path, "ab")
    with pytest.raises(IntegrityError, match="archive number 2, the last one when the first page was shown"):
        choose_archives(at(all_[1]), all_[:1])
    with pytest.raises(IntegrityError, match="is another one now"):
        choose_archives(structs.replace(at(all_[1]), sha256=bytes(32)), all_)


def test_a_first_page_without_any_archive_goes_on_without_any(tmp_path: Path) -> None:
    assert choose_archives(cursor(), archives(tmp_path, "a")) == ((), 1, 0)
