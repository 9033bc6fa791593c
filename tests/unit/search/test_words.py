"""Words are cut as the index cuts them, and folded so that equal words are equal texts."""

import sys
import threading

import apsw
import pytest

from archiver.archive.build import read_schema
from archiver.archive.tokenizer import SEPARATORS, TOKENIZER
from archiver.search.words import cut, fold, has_no_spaces, needs_scan, whole


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't  PANIC, café!", ("don", "t", "panic", "cafe")),
        ("covid-19 #flood @a_b", ("covid", "19", "flood", "a", "b")),
        ("道路 ไทย", ("道路", "ไทย")),
        ("a\0b\ud800c", ("a", "b", "c")),
        ("", ()),
        ("🚓 £ - \u0301", ()),
    ],
)
def test_a_text_is_cut_into_the_words_of_the_index(text: str, words: tuple[str, ...]) -> None:
    assert cut(text) == words


def test_the_tokenizer_is_that_of_all_indexes() -> None:
    schema = read_schema("schema.sql")
    assert schema.count(f"tokenize={TOKENIZER}") == schema.count("USING fts4") == 3


def test_an_index_finds_each_text_by_the_words_it_was_cut_into() -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(f"CREATE VIRTUAL TABLE t USING fts4 (x, tokenize={TOKENIZER})")
    texts = ["Don't PANIC", "Ångström's CAFÉ\u0301s", "İstanbul ſtraße ẞ", "a\u200bb 🥰x", "ﬁne ½ ⅷ ǆ"]
    for number, text in enumerate(texts):
        connection.execute("INSERT INTO t (docid, x) VALUES (?, ?)", (number, text))
        found = connection.execute("SELECT docid FROM t WHERE t MATCH ?", (f'"{" ".join(cut(text))}"',))
        assert [docid for (docid,) in found] == [number]


def test_no_sign_that_stands_beside_a_word_is_a_part_of_it() -> None:
    assert all(cut(f"flood{sign}\U0001f693fire") == ("flood", "fire") for sign in SEPARATORS)
    assert not any(map(str.isalnum, SEPARATORS))


def test_every_character_is_folded_as_far_as_the_index_does_and_once() -> None:
    blocks = [
        (0, 0x3400),
        (0xA640, 0xAC00),
        (0xF900, 0x11000),
        (0x1D400, 0x1E000),
    ]  # all with case or accents
    characters = [chr(code) for first, after in blocks for code in range(first, after)]
    for start in range(0, len(characters), 5000):
        some = characters[start : start + 5000]
        folded = [fold(character) for character in some]
        assert [fold(text) for text in folded] == folded
        index = [(fold(text), one) for text, one in zip(some, map(cut, some), strict=True) if one]
        assert all(fold("".join(one)) == text for text, one in index)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Road CLOSED", "road closed"),
        ("CAFÉ cafe\u0301", "cafe cafe"),
        ("Straße STRASSE", "strasse strasse"),
        ("İI", "ii"),
        ("❤\ufe0f 👮\u200d♀\ufe0f", "❤ 👮\u200d♀"),
        ("한국", "한국"),
        ("ปู่ が ≠ क्त", "ปู่ が ≠ क्त"),
        ("שָׁלוֹם سَلَام", "שלום سلام"),
        ("ΟΔΟΣ ὁδός", "οδοσ οδοσ"),
    ],
)
def test_folding_takes_case_accents_and_variations_off(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_a_korean_syllable_is_not_found_in_another() -> None:
    assert fold("가") not in fold("각")
    assert fold("가") == fold("\u1100\u1161")


@pytest.mark.parametrize("text", ["道", "か", "カ", "ｶ", "ไทย", "ລາວ", "မြန်မာ", "ខ្មែរ", "བོད", "a道", "𠀀"])
def test_scripts_without_spaces_are_known_by_their_letters(text: str) -> None:
    assert has_no_spaces(text)
    assert needs_scan(text)


@pytest.mark.parametrize("text", ["road", "дорога", "طريق", "דרך", "सड़क", "한국", "ｗ", "𝒳", "a、b"])
def test_scripts_with_spaces_are_looked_up(text: str) -> None:
    assert not has_no_spaces(text)
    assert not needs_scan(text)


@pytest.mark.parametrize("text", ["£", "🚓", "🥰", "-", "…", ""])
def test_what_has_no_letter_or_digit_is_in_no_index(text: str) -> None:
    assert not has_no_spaces(text)
    assert needs_scan(text)


def test_what_is_no_text_leaves_its_place() -> None:
    assert whole("a\ud800b\0c道") == "a\ufffdb c道"


def test_threads_cut_at_the_same_time() -> None:
    wrong: list[int] = []

    def work(number: int) -> None:
        if [cut(f"Word{number} {turn}!") for turn in range(300)] != [
            (f"word{number}", str(turn)) for turn in range(300)
        ]:
            wrong.append(number)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.000_01)
    try:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []
