"""Texts of anybody in a page: what is shown by its code, what stays, where links and languages hold."""

import pytest

from archiver.evidence.page.languages import language_tag
from archiver.evidence.page.texts import Texts, attribute, file_address, hidden_names, web_address
from tests.exhibit_parts import EMOJI, HEBREW

TEXTS = Texts(marks_redacted=False)


@pytest.mark.parametrize(
    "text",
    [EMOJI, HEBREW, "می‌خواهم", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "❤️ ☎️ ©️ 1️⃣",
     "crème brûlée", "Việt Nam", "ไม่เป็นไร น้ำ", "line\nand\ttab"],
)  # fmt: skip
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert TEXTS.visible(text) == text
    assert hidden_names(text, TEXTS.visible(text)) == ""


@pytest.mark.parametrize(
    ("character", "name"),
    [("\u202e", "right-to-left override"), ("\u200b", "zero width space"), ("\u200d", "zero width joiner"),
     ("\x00", "control character"), ("\ud83d", "half of a character"), ("\ue000", "private character"),
     ("\xad", "soft hyphen"), ("\ufeff", "zero width no-break space"), ("\u2028", "line separator"),
     ("\ufe0f", "variation selector-16"), ("\U000e0041", "tag latin capital letter a"),
     ("\r", "control character")],
)  # fmt: skip
def test_what_shows_nothing_is_shown_by_its_code(character: str, name: str) -> None:
    text = f"a{character}b"
    code = f"U+{ord(character):04X}"
    shown = TEXTS.visible(text)
    assert shown == f'a<span class="char">{code}</span>b'
    assert hidden_names(text, shown) == f"{code} {name}"
    assert attribute(text) == f"a{code}b"


def test_hidden_data_behind_an_emoji_is_shown() -> None:
    assert TEXTS.visible("😀\ufe0f\ufe01").endswith('<span class="char">U+FE01</span>')
    assert "U+E0061" in TEXTS.visible("😀\U000e0061")


def test_marks_piled_up_on_a_letter_are_kept_together_and_complete() -> None:
    piled = "c\u0300\u0301\u0302\u0303"
    assert TEXTS.visible(f"a{piled}b") == f'a<span class="stack">{piled}</span>b'
    assert '<span class="stack">' in TEXTS.visible("ก" + "\u0e49" * 8)


def test_a_name_in_another_script_stands_apart_and_plain_ones_need_not() -> None:
    assert TEXTS.words("مقيم") == "<bdi>مقيم</bdi>"
    assert TEXTS.words("A & B") == "A &amp; B"
    assert TEXTS.words("two\nlines") == '<bdi class="lines">two\nlines</bdi>'


def test_many_hidden_characters_are_not_all_named() -> None:
    text = "".join(map(chr, range(0xE000, 0xE000 + 20)))
    assert hidden_names(text, TEXTS.visible(text)).endswith(" and 8 others")


@pytest.mark.parametrize(
    ("language", "tag"),
    [("en", "en"), ("zh-Hant-TW", "zh-Hant-TW"), ("iw", "he"), ("in", "id"), ("und", ""), ("qme", ""),
     (None, ""), ('en" onload="', ""), ("xx", ""), ("zxx", ""), ("en-", ""),
     ("EN", "en"), ("es-419", "es-419")],
)  # fmt: skip
def test_a_language_is_one_that_is_registered_or_unknown(language: str | None, tag: str) -> None:
    assert language_tag(language) == tag


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "JAVASCRIPT:x", " https://example.org", "https://",
     "//example.org", "https:/example.org", "https://a\u202eb.example", "https://example.org/\n",
     "https:\\\\example.org", "vbscript:x", "", None, "file:///etc/passwd", "java\tscript:alert(1)", "https://example.org\\@example.com"],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_no_link(address: str | None) -> None:
    assert web_address(address) is None


@pytest.mark.parametrize(
    "address", ["https://example.org", "http://example.org/a?b=c&d#e", "HTTPS://example.org/ü"]
)
def test_an_address_of_the_web_is_a_link(address: str) -> None:
    assert web_address(address) == address


def test_a_file_of_the_pack_is_named_from_the_page() -> None:
    assert file_address("data/media/a b/ü?.png") == "./media/a%20b/%C3%BC%3F.png"
    assert file_address("custody.csv") == "./../custody.csv"
    assert file_address("data/javascript:x") == "./javascript%3Ax"
