"""What the page of an evidence pack says, for a court and for the public."""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from archiver.evidence.model import REDACTED, Exhibit, Medium, Production
from archiver.evidence.page import render_page
from archiver.evidence.page.media import MOST_OF_ALL, MOST_OF_ONE
from archiver.times import format_time
from archiver.uk_time import format_uk_time
from tests import exhibits as examples
from tests.exhibit_parts import ARABIC, HIDDEN, RECORD_ID, RESIDENT, make_exhibit, make_picture, make_version
from tests.unit.evidence.page.parsed import ATTRIBUTES, ELEMENTS, Parsed


def render(
    shown: Iterable[Exhibit] | None = None, *, read: Any = examples.read_medium, **changes: Any
) -> str:
    """A page as text, of the examples where nothing else is given."""
    shown = examples.exhibits() if shown is None else shown
    return b"".join(render_page(examples.production(**changes), shown, read)).decode()


def article(page: str, number: int) -> Parsed:
    """One record of a page."""
    found = re.search(rf'<article id="ABC_1_{number}".*?</article>', page, re.DOTALL)
    assert found is not None
    return Parsed(found[0])


def words(page: Parsed) -> str:
    return " ".join(page.text.split())


def strings(value: Any) -> Iterator[str]:
    """Every text that a part of the model holds, but for what a page need not repeat."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            if name not in _NOT_SAID:
                yield from strings(getattr(value, name))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, dict):
        yield from strings(tuple(value.items()))


_NOT_SAID = {
    "stem", "initials", "platform", "kind", "media_type", "schema_version", "what", "changes", "role",
    "cleared",
}  # fmt: skip
"""What is said in other words, or in no text."""


@pytest.fixture(scope="module")
def page() -> str:
    return render()


def test_every_text_of_every_exhibit_is_in_the_page_in_full(page: str) -> None:
    for exhibit in examples.exhibits():
        shown = article(page, exhibit.number).text
        for text in strings(exhibit):
            assert text in shown, (exhibit.reference, text)


def test_everything_that_the_pack_says_of_itself_is_in_the_page(page: str) -> None:
    text = Parsed(page).text
    for said in strings(examples.production()):
        assert said in text


def test_a_text_that_nobody_would_send_is_in_the_page_in_full_and_is_only_text() -> None:
    shown = article(render([examples.strange()]), 1)
    assert shown.text.count(HIDDEN.replace("\r\n", "\n")) > 15
    assert {name for name, _ in shown.elements} <= ELEMENTS
    assert [one for one in shown.all("a") if HIDDEN[:3] in (one["href"] or "")] == []


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "</style><script>alert(1)</script>", '"><img src=x onerror=alert(1)>',
        "{{ 7 * 7 }}{% raw %}", "javascript:alert(1)", "data:text/html,<b>", "--><!--", "]]>",
        "&lt;script&gt;", "' onmouseover='alert(1)", "</article></main>",
    ],
)  # fmt: skip
def test_markup_in_any_field_stays_text(text: str) -> None:
    page = render([examples.strange(text)], case=text, initials=text, purpose=text, notes=(text,))
    parsed = Parsed(page)
    assert {name for name, _ in parsed.elements} <= ELEMENTS
    assert {name for _, attributes in parsed.elements for name in attributes} <= ATTRIBUTES
    assert parsed.text.count(text) > 20
    for link in parsed.all("a"):
        assert (link["href"] or "").startswith(("#", "./", "https://x.com/"))


def test_the_page_is_made_of_allowed_elements_whose_headings_leave_no_level_out(page: str) -> None:
    parsed = Parsed(page)
    assert {name for name, _ in parsed.elements} <= ELEMENTS
    assert {name for _, attributes in parsed.elements for name in attributes} <= ATTRIBUTES
    levels = [level for level, _ in parsed.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(heading.strip() for _, heading in parsed.headings)


def test_ids_are_there_once(page: str) -> None:
    ids = [attributes["id"] for _, attributes in Parsed(page).elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_policy_lets_in_the_style_by_its_hash_and_no_script(page: str) -> None:
    policy = next(one["content"] for one in Parsed(page).all("meta") if "http-equiv" in one) or ""
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data: 'self'; media-src 'self';")
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_printed_pages_are_marked_with_exhibit_case_and_number(page: str) -> None:
    assert r'@top-left{content:"Exhibit\000020ABC\00002f1"}' in page
    assert r'@top-right{content:"Case\000020SP\00002f2026\00002f0417"}' in page
    assert '@bottom-right{content:"Page " counter(page) " of " counter(pages)}' in page
    assert r'@bottom-left{content:"Redacted\000020copy"}' in page
    assert r'@bottom-left{content:"For\000020publication"}' in render(public=True, is_redacted=False)


def test_a_case_that_is_named_like_code_ends_no_style() -> None:
    page = render(case='"}</style><script>\n\\')
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    assert "counter(pages)" in style[1]


def test_times_are_in_utc_and_in_uk_time_and_labelled(page: str) -> None:
    exhibit = examples.exhibits()[2]
    said = words(article(page, 3))
    times = [*exhibit.captured, exhibit.last_seen_ms, *(one.noticed_ms for one in exhibit.gone)]
    for milliseconds in times:
        assert milliseconds is not None
        utc = format_time(milliseconds)[:19].replace("T", " ") + " UTC"
        assert f"{utc}{format_uk_time(milliseconds)}" in article(page, 3).text
    assert "2026-07-04 12:00:00 UTC (UK time 2026-07-04 13:00:00 BST)" in said
    for label in ("Posted", "First captured", "Last seen", "Found missing", "Deleted", "There again"):
        assert label in said


def test_a_time_outside_the_calendar_is_given_by_its_number() -> None:
    version = make_version(1, "Early", posted_ms=10**17)
    early = make_exhibit(1, kind="post", id="1", versions=(version,))
    assert "100000000000000000 ms after 1970 began" in render([early])


def test_each_version_says_in_words_what_was_removed_and_added(page: str) -> None:
    shown = article(page, 2)
    assert "until [removed: six][added: eight tonight]." in words(shown)
    assert [heading for _, heading in shown.headings][1:5] == [
        "Version 1 of 3", "Version 2 of 3", "Version 3 of 3", "The same, captured another way",
    ]  # fmt: skip
    assert len(shown.all("del")) == 3
    assert len(shown.all("ins")) == 4
    assert "clientWebnothing" in shown.text


def test_the_thread_marks_the_record_and_leads_to_other_exhibits(page: str) -> None:
    shown = article(page, 3)
    assert [one.get("class") for one in shown.all("li")] == [None, "this", None]
    assert shown.text.count("this record") == 1
    assert {"href": "#ABC_1_1"} in shown.all("a")
    assert "2 earlier ones are not shown." in shown.text
    assert "31 later ones are not shown." in shown.text
    assert "only its beginning stands here" in shown.text


def test_the_moderation_record_is_there_with_all_its_entries(page: str) -> None:
    shown = article(page, 3)
    kinds = [heading for _, heading in shown.headings if heading.startswith("Entry")]
    assert kinds == [
        "Entry 1 of 5: decision", "Entry 2 of 5: outcome", "Entry 3 of 5: correction",
        "Entry 4 of 5: reversal", "Entry 5 of 5: appeal",
    ]  # fmt: skip
    said = words(shown)
    for part in (
        RECORD_ID,
        "hidden, then unhidden: done",
        "it waits to be sealed",
        "Takes back",
        "Reason: abuse",
    ):
        assert part in said


def test_a_redacted_record_says_so_and_why(page: str) -> None:
    shown = article(page, 7)
    assert "This record is redacted. What was taken out, and why: in the text: an address" in words(shown)
    assert "who it was: a witness" in shown.text
    assert len(shown.all("mark")) == page_marks(page, 7) > 3
    assert f"@{REDACTED} lives at {REDACTED}, come and see." in shown.text


def page_marks(page: str, number: int) -> int:
    return article(page, number).text.count(REDACTED)


def test_somebody_s_own_brackets_are_no_redaction() -> None:
    version = make_version(1, f"They wrote {REDACTED} themselves")
    shown = article(render([make_exhibit(1, kind="post", id="1", versions=(version,))], is_redacted=False), 1)
    assert shown.all("mark") == []
    assert REDACTED in shown.text


# Languages and directions


def test_a_text_says_its_language_and_a_name_stands_apart(page: str) -> None:
    shown = article(page, 3)
    quotes = shown.all("blockquote")
    assert {"class": "text", "dir": "auto", "lang": "ar"} in quotes
    assert shown.all("bdi")
    assert f"<bdi>{RESIDENT.name}</bdi>" in page
    assert ARABIC in shown.text


def test_marks_that_turn_the_order_never_reach_the_page_as_such() -> None:
    page = render(
        [*examples.exhibits(), msgspec.structs.replace(examples.strange("a\u202eb\u2066c"), number=15)]
    )
    assert (
        re.search("[\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\x00-\x08\x0b-\x1f\x7f-\x9f]", page) is None
    )
    assert "U+202E right-to-left override" in page


def test_many_captures_are_counted_where_they_are_not_listed() -> None:
    version = make_version(1, "Often seen")
    exhibit = make_exhibit(1, kind="post", id="1", versions=(version,), captured=tuple(range(25)))
    assert "15 times more" in article(render([exhibit]), 1).text


# Pictures


def with_media(*media: Medium) -> Exhibit:
    return make_exhibit(1, kind="post", id="1", versions=(make_version(1, "Look", media=media),))


def test_a_small_picture_is_in_the_page_itself(page: str) -> None:
    pictures = article(page, 4).all("img")
    assert [one["alt"] for one in pictures] == [
        "A blue and yellow band across a grey sky", "Without a description: plain.png",
    ]  # fmt: skip
    head, _, body = (pictures[0]["src"] or "").partition(",")
    assert head == "data:image/png;base64"
    assert b64decode(body) == examples.files()["data/media/ABC_1_4/road.png"]


def test_what_is_no_small_picture_is_a_link_with_its_hash(page: str) -> None:
    shown = article(page, 4)
    assert {"href": "./media/ABC_1_4/clip.mp4"} in shown.all("a")
    assert "Not shown here. File in this pack: data/media/ABC_1_4/clip.mp4" in words(shown)
    assert "Picture not in this pack. the platform answered 404" in words(shown)
    assert words(shown).count("No description was given with it.") == 2


def test_a_large_picture_and_one_that_grew_are_not_in_the_page() -> None:
    large = make_picture("ABC_1_1", "large.png", size=MOST_OF_ONE + 1)
    grown = make_picture("ABC_1_1", "grown.png", size=10)
    vector = make_picture("ABC_1_1", "drawn.svg", mime_type="image/svg+xml")
    read: list[str | None] = []

    def read_medium(medium: Medium) -> bytes:
        read.append(medium.path)
        return bytes(MOST_OF_ONE + 1)

    page = render([with_media(large, grown, vector)], read=read_medium)
    assert "<img" not in page
    assert read == ["data/media/ABC_1_1/grown.png"]


def test_pictures_are_in_the_page_up_to_a_sum() -> None:
    names = [f"{number}.png" for number in range(MOST_OF_ALL // MOST_OF_ONE + 2)]
    media = [make_picture("ABC_1_1", name, size=MOST_OF_ONE) for name in names]
    page = render([with_media(*media)], read=lambda _: bytes(MOST_OF_ONE))
    assert page.count("<img") == MOST_OF_ALL // MOST_OF_ONE
    assert "Pictures shown</th><td>32<" in page
    assert "Pictures, videos and files linked</th><td>2<" in page


def test_the_same_picture_is_in_a_record_but_once() -> None:
    picture = make_picture("ABC_1_1", "road.png")
    page = render([with_media(picture, picture)])
    assert page.count("<img") == 1
    assert page.count("./media/ABC_1_1/road.png") == 2


# For the public


def test_what_only_a_court_needs_is_not_published() -> None:
    page = render(public=True, is_redacted=False)
    pack: Production = examples.production()
    secret = {
        pack.vault, pack.head_sha256, pack.host, pack.signer, pack.configuration, RESIDENT.id or "",
        RECORD_ID, "moderator-1", "moderator-2", "team leader", "reviewer", "log.csv", "C000001",
        "records-000", "GET /2/users", "noted in archive", "data/captures", "data/records", "Keyholder",
        "System account",
    }  # fmt: skip
    assert [one for one in secret if one in page] == []
    assert "Where it comes from" not in page
    assert "hidden, then unhidden: done" in page
    assert "Insults another resident." in page


# The whole


def test_archives_that_were_not_searched_and_notes_are_shown(page: str) -> None:
    said = words(Parsed(page))
    assert "Archives that were not searched" in said
    assert "2026-11-20.2: records-001.sqlite.zst.age cannot be read" in said
    assert "The account's followers are counted, not listed." in said
    assert "Archives that were not searched" not in render(unsearched=())


def test_the_page_says_what_it_does_not_prove(page: str) -> None:
    said = words(Parsed(page))
    assert "that what the platform answered was true" in said
    assert "capture is periodic" in said


def test_the_index_names_every_record_and_counts_them(page: str) -> None:
    index = Parsed(page[page.index('id="index"') - 4 :].rpartition("</section>")[0])
    assert [one["href"] for one in index.all("a")] == [f"#ABC_1_{number}" for number in range(1, 15)]
    assert "Records14" in index.text
    assert "Records found missing2" in index.text
    assert "Redacted records2" in index.text


def test_exhibits_are_taken_one_by_one_and_written_before_the_next_is_asked_for() -> None:
    asked: list[int] = []

    def one_by_one() -> Iterator[Exhibit]:
        for exhibit in examples.exhibits():
            asked.append(exhibit.number)
            yield exhibit

    pieces = render_page(examples.production(), one_by_one(), examples.read_medium)
    next(pieces)
    assert asked == []
    assert b'id="ABC_1_1"' in next(pieces)
    assert asked == [1]


def test_what_reading_a_picture_raises_is_raised() -> None:
    def fail(_: Medium) -> bytes:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        render(read=fail)
