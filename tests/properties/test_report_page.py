"""The page of an evidence pack, whatever its texts are: all of them are there, and are nothing but text."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from archiver.evidence.page import render_page
from archiver.evidence.page.texts import Texts
from tests.exhibit_parts import HIDDEN, ZALGO
from tests.exhibits import production, read_medium, strange
from tests.unit.evidence.page.parsed import ATTRIBUTES, ELEMENTS, Parsed

_AWKWARD = "<>&\"'{}%#/\\=\n\r\t \x00\x1b\u202e\u2066\u200b\u200d\ufe0f\ud83d\U000e0041\u0301[]é中م👩"
_TEXTS = st.text(st.sampled_from(_AWKWARD) | st.characters(), max_size=60) | st.sampled_from(
    ["</style><script>", "[redacted]", ZALGO]
)
_LEAST = 10
"""Fields of an exhibit that hold a text as it is and are shown, at the least."""


@given(_TEXTS)
@example(HIDDEN)
@settings(max_examples=60)
def test_any_text_is_in_the_page_in_full_and_only_as_text(text: str) -> None:
    page = b"".join(render_page(production(case=text, records=1), [strange(text)], read_medium)).decode()
    parsed = Parsed(page)
    assert {name for name, _ in parsed.elements} <= ELEMENTS
    assert {name for _, attributes in parsed.elements for name in attributes} <= ATTRIBUTES
    assert parsed.text.count(text.replace("\r\n", "\n")) >= _LEAST
    links = [link["href"] or "" for link in parsed.all("a")]
    assert all(re.match("#|[.]/|https?://", link, re.IGNORECASE) for link in links)


@given(_TEXTS)
def test_nothing_that_turns_the_order_or_ends_a_string_is_left(text: str) -> None:
    for texts in (Texts(marks_redacted=False), Texts(marks_redacted=True)):
        shown = texts.visible(text)
        assert (
            re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\ud800-\udfff\x00-\x08\x0b-\x1f]", shown)
            is None
        )
        assert "<script" not in shown
        shown.encode()
