"""What must be gone is found in every spelling, and what only looks like it is not."""

import html
import json

import pytest

from archiver.cutting.needles import ERASED, Needles

ID = "1588091220244369409"
TEXT = 'The "old" bridge & the ford/weir are closed — café'


@pytest.fixture
def needles() -> Needles:
    return Needles([ID], [TEXT])


@pytest.mark.parametrize(
    "data",
    [
        f'"in_reply_to": "{ID}"'.encode(),
        f'"id": {ID},'.encode(),
        f"https://x.com/i/status/{ID}?s=20".encode(),
        TEXT.encode(),
        json.dumps(TEXT).encode(),
        json.dumps(TEXT, ensure_ascii=False).encode(),
        json.dumps(TEXT).replace("/", "\\/").encode(),
        json.dumps(html.escape(TEXT, quote=False)).encode(),
        f"before {TEXT} after".encode(),
    ],
)
def test_an_id_and_a_text_are_found_as_platforms_write_them(needles: Needles, data: bytes) -> None:
    assert needles.may_be_in(data)
    assert needles.in_bytes(data)


@pytest.mark.parametrize("text", [f"1{ID}", f"{ID}0", f"a{ID}", "The old bridge", ""])
def test_a_longer_number_and_other_words_are_not(needles: Needles, text: str) -> None:
    assert not needles.within(text)
    assert not needles.in_bytes(text.encode())
    assert needles.taken_out(text) == text


def test_they_are_taken_out_and_the_rest_stays(needles: Needles) -> None:
    said = f"see https://x.com/i/status/{ID}: {TEXT}!"
    assert needles.taken_out(said) == f"see https://x.com/i/status/{ERASED}: {ERASED}!"


def test_short_texts_and_bare_links_are_what_anybody_may_say() -> None:
    assert Needles([], ["Thank you!", "https://example.org/a/very/long/address ok"]).texts == frozenset()


def test_words_that_another_says_itself_are_left_out(needles: Needles) -> None:
    assert not needles.without_texts([TEXT]).within(TEXT)
    assert needles.without_texts([TEXT]).within(ID)


def test_a_short_id_is_not_looked_for_among_raw_digits() -> None:
    assert Needles(["12"], []).raw_forms() == []
    assert Needles([ID], []).raw_forms() == [ID.encode()]
