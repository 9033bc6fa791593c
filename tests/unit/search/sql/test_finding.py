import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.search.sql.finding import _NOT_ALONE, finder
from archiver.search.words import fold

TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs",)),
        st.sampled_from("aAeEéÉe\u0301ßſsSkK\u212aåÅ…’😀\ufe0f漢がか\u3099각\u1100\u1161\u11a8ς Σσ"),
    ),
    max_size=30,
)


@given(TEXTS, TEXTS)
def test_what_is_found_is_what_the_folded_text_has(part: str, text: str) -> None:
    folded = fold(part)
    assert finder(folded)(text) == (folded in fold(text))


@given(TEXTS, st.integers(0, 30), st.integers(1, 8))
def test_every_piece_of_a_folded_text_is_found_in_it(text: str, start: int, length: int) -> None:
    piece = fold(fold(text)[start : start + length])
    assert finder(piece)(text) == (piece in fold(text))


def test_every_character_that_stands_alone_is_found_by_what_it_is_folded() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if 0xD800 <= code < 0xE000 or _NOT_ALONE.match(character):
            continue
        folded = fold(character)
        assert len(folded) == 1, hex(code)
        if folded != character:
            assert finder(folded)(f"…{character}…"), hex(code)


@pytest.mark.parametrize(
    ("part", "text", "found"),
    [
        ("cafe", "Le CAFÉ d'à côté", True),
        ("cafe", "cafe\u0301s", True),
        ("strasse", "Straße", True),
        ("東京", "昨日東京で", True),
        ("か", "が", False),
        ("lain", "Plainclothes …", True),
        ("lain", "pl ain …", False),
    ],
)
def test_case_accents_and_ligatures_make_no_difference_but_letters_do(
    part: str, text: str, found: bool
) -> None:
    assert finder(part)(text) is found
