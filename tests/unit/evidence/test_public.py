"""Exhibits for publication: the archived account, and members of the public to whom nothing leads."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.evidence.model import (
    Exhibit,
    GoneNotice,
    Medium,
    ModerationNote,
    Person,
    Redaction,
    ShownLink,
    ThreadLine,
)
from archiver.evidence.public import REMOVED, WITHHELD, for_public
from archiver.evidence.public_people import MEMBER_OF_THE_PUBLIC
from archiver.evidence.tables import csv_records
from archiver.records import Moderation
from archiver.sample.people import COUNCIL, FORCE
from archiver.search.record.differences import Change, compare_texts
from tests.exhibit_parts import (
    FETCHED,
    FORCE_NOW,
    OTHER,
    POSTED,
    RESIDENT,
    make_capture,
    make_exhibit,
    make_version,
)
from tests.exhibits import exhibits, production, strange

OWN_STATUS = f"https://x.com/{FORCE.handle}/status/1800001"


def _post(text: str, **fields: Any) -> Exhibit:
    """A post of the account."""
    own = {"url": OWN_STATUS, "id": "1800001", "kind": "post"}
    named = {one: fields.pop(one) for one in (*own, "thread", "moderation", "redactions") if one in fields}
    version = make_version(1, text, kind=named.get("kind", "post"), **fields)
    return make_exhibit(1, versions=(version,), **own | named)


def _text(exhibit: Exhibit) -> str:
    now = for_public(exhibit).now
    assert now is not None
    return now.text


def _bytes(exhibit: Exhibit) -> bytes:
    """All that anything could show of the exhibit, and the table that is made of it."""
    shown = for_public(exhibit)
    told = repr(shown).encode("utf-8", "replace")
    return told + b"".join(csv_records(production(public=True), [exhibit]))


# Whose it is


def test_a_post_of_the_account_stays_with_its_id_and_address() -> None:
    exhibit = for_public(_post("Main Street is closed."))
    now = exhibit.now
    assert now is not None
    assert (exhibit.id, exhibit.url, now.text) == ("1800001", OWN_STATUS, "Main Street is closed.")
    assert now.author == FORCE_NOW
    assert (exhibit.account, exhibit.account_handle) == (FORCE.user_id, FORCE.handle)


def test_somebody_elses_post_is_a_member_of_the_publics_and_has_neither_id_nor_address() -> None:
    exhibit = for_public(exhibits()[2])
    now = exhibit.now
    assert now is not None
    assert (exhibit.id, exhibit.url, exhibit.kind) == (REMOVED, None, "reply")
    assert now.author == Person(name=MEMBER_OF_THE_PUBLIC)
    assert (now.in_reply_to_id, now.conversation_id, now.client) == (None, None, None)


@pytest.mark.parametrize("kind", ["reply", "quote", "repost"])
def test_what_the_account_answers_quotes_or_reposts_has_no_address_as_that_shows_the_other(kind: str) -> None:
    exhibit = for_public(_post("Thank you.", kind=kind))
    assert (exhibit.id, exhibit.url) == (REMOVED, None)


def test_an_account_that_calls_itself_by_the_accounts_name_is_no_reason_to_take_that_out() -> None:
    look_alike = Person("999000111", "Springfie1dPolice", FORCE.name)
    assert _text(_post("We are Springfield Police.", mentions=(look_alike,))) == "We are Springfield Police."


def test_a_handle_that_somebody_else_has_now_is_not_the_accounts() -> None:
    exhibit = _post(f"@{FORCE.handle} said so.", mentions=(Person("999000111", FORCE.handle, None),))
    assert _text(exhibit) == "@[removed] said so."
    assert for_public(exhibit).account_handle is None


def test_whoever_is_known_by_a_name_alone_is_not_the_account() -> None:
    now = for_public(_post("Text", author=Person(None, None, "Somebody"))).now
    assert now is not None
    assert now.author == Person(name=MEMBER_OF_THE_PUBLIC)


# Texts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Thank you @ExampleOne and @SpringfieldPolice.", "Thank you @[removed] and @SpringfieldPolice."),
        (".@ExampleOne said", ".@[removed] said"),
        ("＠ExampleOne", "@[removed]"),
        ("@example.one.social too", "@[removed] too"),
        ("@SpringfieldPolice.example.social", "@[removed]"),
        ("@SpringfieldPolice@example.social", "@[removed]"),
        ("@springfieldpolice's", "@springfieldpolice's"),
        ("Write to example.one@example.org today", "Write to [removed] today"),
        ("Call 101 or 0300 123 4567", "Call 101 or 0300 123 4567"),
        ("See https://x.com/ExampleOne", "See [link removed]"),
        ("See x.com/ExampleOne/status/12 now", "See [link removed] now"),
        ("See https://www.facebook.com/example.one", "See [link removed]"),
        ("See https://x.com/i/web/status/1234567890", "See [link removed]"),
        ("See https://mobile.twitter.com/intent/user?user_id=12", "See [link removed]"),
        ("See https://bit.ly/3abc", "See [link removed]"),
        ("See https://t.co/3abc", "See [link removed]"),
        ("See https://example.org/@example_one", "See [link removed]"),
        (f"See {OWN_STATUS}", f"See {OWN_STATUS}"),
        ("See https://springfield-police.invalid/news", "See https://springfield-police.invalid/news"),
    ],
)
def test_in_the_accounts_own_text_what_leads_to_others_is_replaced(text: str, shown: str) -> None:
    assert _text(_post(text)) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("My number is 07700 900123", "My number is [removed]"),
        ("See https://example.org/about-me", "See [link removed]"),
        ("@SpringfieldPolice please", "@SpringfieldPolice please"),
    ],
)
def test_of_what_others_wrote_numbers_and_every_link_go_as_well(text: str, shown: str) -> None:
    assert _text(_post(text, author=RESIDENT)) == shown
    assert _text(_post(text, kind="repost")) == shown


def test_a_short_link_stays_only_where_it_is_known_to_lead_to_nobody() -> None:
    links = (
        ShownLink("https://t.co/one", "https://springfield-police.invalid/news"),
        ShownLink("https://t.co/two", "https://x.com/ExampleOne/status/1"),
        ShownLink("https://t.co/six", None),
    )
    exhibit = _post("https://t.co/one https://t.co/two https://t.co/six", links=links)
    assert _text(exhibit) == "https://t.co/one [link removed] [link removed]"
    now = for_public(exhibit).now
    assert now is not None
    assert now.links == links[:1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Jane Exampleton said so", "[removed] said so"),
        ("JANE EXAMPLETON, jane-exampleton", "[removed], [removed]"),
        ("#JaneExampletonSaid", "#[removed]Said"),
        ("Dear Jane,", "Dear [removed],"),
        ("ExampleJ and 99900011122", "[removed] and [removed]"),
        ("https://example.org/people/Jane%20Exampleton", "[link removed]"),
    ],
)
def test_known_people_are_taken_out_by_name_handle_and_id(text: str, shown: str) -> None:
    jane = Person("99900011122", "ExampleJ", "Jane Exampleton")
    assert _text(_post(text, mentions=(jane,))) == shown


def test_a_name_in_another_composition_of_its_letters_is_the_same_name() -> None:
    zoe = Person("99900011122", None, "Zoe\u0308 Exampleton")
    assert _text(_post("By Zo\u00eb Exampleton", people=(zoe,))) == "By [removed]"


def test_the_accounts_own_name_stays_whole_where_somebody_is_called_by_a_part_of_it() -> None:
    part = Person("99900011122", "Springfield", "Springfield")
    assert (
        _text(_post("Springfield Police in Springfield", mentions=(part,)))
        == "Springfield Police in [removed]"
    )


def test_what_changed_is_compared_anew_so_that_no_part_of_a_name_is_left_between_pieces() -> None:
    pieces = tuple(compare_texts("Thank you @ExampleOne.", "Thank you @ExampleTwo."))
    assert not any("@ExampleOne" in one.text for one in pieces)
    now = for_public(_post("Thank you @ExampleTwo.", changed_text=pieces)).now
    assert now is not None
    assert [(one.kind, one.text) for one in now.changed_text] == [("same", "Thank you @[removed].")]


def test_changes_of_other_fields_stay_only_where_they_can_name_nobody() -> None:
    changes = (Change("links", None, ["x"]), Change("author_name", "A", "B"), Change("like_count", 1, 2))
    now = for_public(_post("Text", changes=changes)).now
    assert now is not None
    assert now.changes == (Change("like_count", 1, 2),)


def test_an_id_of_spaces_or_signs_takes_nothing_out() -> None:
    line = ThreadLine(id=" ", author=OTHER, posted_ms=POSTED, kind="post", text="")
    assert _text(_post("Main Street is closed.", thread=(line,))) == "Main Street is closed."


# What stands beside them


def test_relations_say_of_nobody_who_it_is() -> None:
    text = "Jane Exampleton @ExampleJ\nLikes cats in Springfield"
    facts = (("address", "https://x.com/ExampleJ"), ("location", "Springfield"))
    exhibit = _post(text, kind="follower", id="99900011122", url=None, author=Person(), facts=facts)
    shown = for_public(exhibit)
    assert shown.now is not None
    assert (shown.id, shown.now.text, shown.now.facts) == (REMOVED, REMOVED, ())


def test_pictures_of_others_are_left_out_and_the_accounts_own_stay() -> None:
    medium = Medium(
        media_type="photo", path="data/media/a.jpg", url="https://e.org/a", sha256="00", alt_text="A sign"
    )
    own, other = (for_public(_post("", media=(medium,), author=one)).now for one in (FORCE_NOW, OTHER))
    assert own is not None
    assert other is not None
    assert own.media == (Medium(media_type="photo", path="data/media/a.jpg", alt_text="A sign"),)
    assert other.media == (Medium(media_type="photo", missing=WITHHELD),)


def test_what_describes_a_picture_is_treated_as_its_text_is() -> None:
    medium = Medium(media_type="photo", path="data/media/a.jpg", alt_text="A post of @ExampleJ")
    now = for_public(_post("", media=(medium,), alt_text="A post of @ExampleJ")).now
    assert now is not None
    assert (now.alt_text, now.media[0].alt_text) == ("A post of @[removed]", "A post of @[removed]")


def test_the_accounts_name_in_the_address_of_somebody_elses_post_helps_nothing() -> None:
    """X leads to the post of that id, whatever name stands before it."""
    text = f"See https://x.com/{FORCE.handle}/status/99"
    assert _text(_post(text)) == text
    assert _text(_post(text, kind="quote", quote_of_id="99")) == "See [link removed]"


def test_a_picture_whose_file_is_called_after_somebody_is_left_out() -> None:
    medium = Medium(media_type="photo", path="data/media/ExampleJ.jpg", file_name="ExampleJ.jpg")
    now = for_public(_post("", media=(medium,), mentions=(Person("1", "ExampleJ", None),))).now
    assert now is not None
    assert now.media == (Medium(media_type="photo", missing=WITHHELD),)


def test_of_moderation_what_was_done_stays_and_nobody_is_named() -> None:
    (note,) = for_public(exhibits()[2]).moderation
    decision, outcome, *_ = note.entries
    assert (decision.action, decision.reason_codes, outcome.state) == (
        "hidden",
        ("abusive", "off_topic"),
        "done",
    )
    assert {one.entered_by for one in note.entries} == {""}
    assert decision.author_name == MEMBER_OF_THE_PUBLIC
    kept = msgspec.json.encode(msgspec.to_builtins(note)).decode()
    for word in (
        "moderator-1",
        "team leader",
        "reviewer",
        "Insults",
        "SP-77",
        "complaint",
        "SP/2026",
        "By whom",
    ):
        assert word not in kept


def test_captures_keep_when_and_by_which_route_and_nothing_else() -> None:
    now = for_public(exhibits()[0]).now
    assert now is not None
    capture = now.capture
    assert (capture.route, capture.fetched_ms) == ("api", FETCHED)
    assert (capture.request, capture.headers, capture.body_sha256, capture.path) == ("", None, None, None)
    assert (now.originals, now.archive, now.manifest_sha256) == ((), "", None)


def test_lines_of_the_thread_are_treated_as_the_record_is() -> None:
    own, record, other = for_public(exhibits()[2]).thread
    assert (own.id, own.author, own.exhibit) == ("1800001", FORCE_NOW, "ABC/1/1")
    assert (record.id, record.author.name, record.is_record) == (REMOVED, MEMBER_OF_THE_PUBLIC, True)
    assert (other.id, other.author.handle) == (REMOVED, None)


def test_of_an_odd_exhibit_one_is_made_all_the_same() -> None:
    assert for_public(strange()).reference == "ABC/1/1"


# Everything


def test_nobody_of_the_example_pack_is_left_anywhere() -> None:
    for exhibit in exhibits():
        found = _bytes(exhibit)
        for person in (RESIDENT, OTHER):
            for word in (person.id, person.handle, person.name):
                assert word is not None
                assert word.encode() not in found
        assert COUNCIL.handle.encode() not in found


def test_what_is_for_the_public_already_stays_as_it_is() -> None:
    for exhibit in exhibits():
        assert for_public(for_public(exhibit)) == for_public(exhibit)


_KINDS = ["post", "reply", "repost", "quote", "message", "account", "follower", "like", "list_created"]
_LETTERS = st.text(alphabet="qzxjkvwßéЖ", min_size=4, max_size=9)
_people = st.builds(
    Person,
    st.integers(min_value=10**6, max_value=10**19).map(lambda one: f"7{one}7"),
    _LETTERS.map(lambda one: f"Qz_{one}"),
    st.lists(_LETTERS, min_size=1, max_size=3).map(lambda words: " ".join(words).title()),
)


@st.composite
def _exhibits(draw: st.DrawFn) -> tuple[Exhibit, list[Person]]:
    """An exhibit in which people are hidden in every field that holds a text."""
    others = draw(st.lists(_people, min_size=2, max_size=3))
    words = [one for person in others for one in (person.id, person.handle, person.name) if one is not None]
    signs = [
        "@",
        " ",
        "#",
        "https://x.com/",
        "https://example.org/",
        "\n",
        "/",
        ".",
        "RT @",
        "Springfield Police",
        "-",
    ]
    glued = st.lists(st.sampled_from([*words, *signs]), max_size=8).map("".join)

    def text() -> str:
        return draw(glued)

    author = draw(st.sampled_from([FORCE_NOW, *others]))
    medium = Medium(
        media_type="photo",
        url=text(),
        file_name=text(),
        alt_text=text(),
        missing=text(),
        path=text(),
        sha256=text(),
    )
    version = make_version(
        1, text(), kind=draw(st.sampled_from(_KINDS)),
        author=author, alt_text=text(), language=text(), client=text(), in_reply_to_id=others[0].id,
        in_reply_to_handle=others[0].handle, conversation_id=text(), repost_of_id=text(),
        repost_of_handle=others[1].handle, quote_of_id=text(), media=(medium,), archive=text(),
        links=(ShownLink(text(), text()), ShownLink(text(), f"https://example.org/{text()}")),
        people=(others[0],), hashtags=(text(),), mentions=tuple(others), manifest_sha256=text(),
        facts=(("location", text()), ("managed by", text()), (text(), text())),
        changed_text=tuple(compare_texts(text(), text())),
        changes=(
            Change("bio", text(), text()), Change("people", [text()], None), Change(text(), text(), None),
        ),
        capture=make_capture(1, request=text(), headers=text(), body_kind=text(), layout=text(), path=None),
    )  # fmt: skip
    entry = Moderation(
        id=text(), record_id=text(), number=1, entry="decision", entered_ms=FETCHED, entered_by=text(),
        platform="x", account=FORCE.user_id, item_id=others[1].id, item_url=text(), author_id=others[1].id,
        author_handle=others[1].handle, author_name=others[1].name, text=text(), reason_text=text(),
        house_rule=text(), outcome=text(), unseen=text(), entry_note=text(), legal_ground=text(),
        reason_codes=(text(),), account_handle=text(), hold=text(), case=text(), language=text(),
    )  # fmt: skip
    line = ThreadLine(id=text(), author=others[0], posted_ms=POSTED, kind="post", text=text())
    exhibit = make_exhibit(
        1, kind=version.kind, id=draw(st.sampled_from(["1800001", *words])), url=text(),
        versions=(version, msgspec.structs.replace(version, again=True, text=text())),
        gone=(GoneNotice(noticed_ms=FETCHED, how=text(), deleted_ms=None, archive=text()),),
        thread=(line, msgspec.structs.replace(line, author=FORCE_NOW)),
        moderation=(ModerationNote(record_id=text(), entries=(entry,), archives=(text(),), media=(medium,)),),
        redactions=(Redaction("text", text()),),
    )  # fmt: skip
    return exhibit, others


@given(_exhibits())
def test_no_id_handle_or_name_of_anybody_else_is_in_any_byte(made: tuple[Exhibit, list[Person]]) -> None:
    exhibit, others = made
    found = _bytes(exhibit)
    for person in others:
        for word in (person.id, person.handle, person.name):
            assert word is not None
            assert word.encode() not in found


@given(_exhibits())
def test_twice_is_as_once(made: tuple[Exhibit, list[Person]]) -> None:
    once = for_public(made[0])
    assert for_public(once) == once
