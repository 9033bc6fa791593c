"""One object's bytes to its record, under both generations of X's names."""

from typing import Any

import pytest

from archiver.errors import SourceError
from archiver.records import (
    Account,
    Gone,
    Link,
    MediaReference,
    Mention,
    Message,
    Person,
    Post,
    Record,
    Relation,
    RelationKind,
)
from archiver.sources.x_api.fields import GENERATIONS, Generation
from archiver.sources.x_api.parse import parse_item
from archiver.sources.x_api.people import LIST_OF
from tests.unit.sources.x_api.test_answer import ACCOUNT, FETCHED_MS, Document, spelled, told

ID, MADE_MS = "1970000000000000001", 1_758_517_443_123
FORCE: Document = {"id": ACCOUNT, "username": "SpringfieldPD", "name": "Springfield Police"}
PERSON: Document = {"id": "2000000002", "username": "person17", "name": "Person &amp; 17"}
POST: Document = {
    "id": ID,
    "text": "Main Street is closed &amp; wet",
    "author_id": ACCOUNT,
    "created_at": "2025-09-22T05:04:03.123Z",
    "lang": "en",
    "source": "X Web App",
    "conversation_id": ID,
    "edit_history_post_ids": [ID],
    "public_metrics": {"repost_count": 3, "like_count": 4, "reply_count": 5},
}


@pytest.fixture(params=GENERATIONS)
def generation(request: pytest.FixtureRequest) -> Generation:
    return request.param  # type: ignore[no-any-return]


def parsed(kind: str, generation: Generation, *things: Document, **context: str) -> Record:
    slices = [spelled(one, generation) for one in things]
    return parse_item(told(kind, generation, context=context), kind, slices)


def post_of(generation: Generation, changes: Document, *included: Document) -> Post:
    record = parsed("post", generation, {**POST, **changes}, *included)
    assert isinstance(record, Post)
    return record


# Posts


def test_a_plain_post_is_read_whole(generation: Generation) -> None:
    assert post_of(generation, {}, FORCE) == Post(
        platform="x", platform_id=ID, record_id=ID, account=ACCOUNT, author_id=ACCOUNT,
        author_handle="SpringfieldPD", author_name="Springfield Police", posted_ms=MADE_MS, kind="post",
        text="Main Street is closed & wet", language="en", client="X Web App", conversation_id=ID,
        like_count=4, repost_count=3,
    )  # fmt: skip


def test_a_post_without_anything_around_it_is_read_with_ids_alone(generation: Generation) -> None:
    record = post_of(generation, {})
    assert (record.author_id, record.author_handle, record.author_name) == (ACCOUNT, None, None)


def test_a_reply_names_post_and_author_it_replies_to(generation: Generation) -> None:
    changes = {
        "referenced_posts": [{"type": "replied_to", "id": "77"}],
        "in_reply_to_user_id": PERSON["id"], "conversation_id": "70",
    }  # fmt: skip
    record = post_of(generation, changes, FORCE, PERSON)
    assert (record.kind, record.in_reply_to_id, record.conversation_id) == ("reply", "77", "70")
    assert (record.in_reply_to_user_id, record.in_reply_to_handle) == (PERSON["id"], "person17")


def test_a_reply_whose_parent_is_not_told_is_a_reply_still(generation: Generation) -> None:
    record = post_of(generation, {"in_reply_to_user_id": PERSON["id"]})
    assert (record.kind, record.in_reply_to_id) == ("reply", None)


def test_a_quote_names_what_it_quotes_and_a_quoting_reply_is_a_reply(generation: Generation) -> None:
    quoted = {"type": "quoted", "id": "78"}
    record = post_of(generation, {"referenced_posts": [quoted]})
    assert (record.kind, record.quote_of_id) == ("quote", "78")
    both = post_of(generation, {"referenced_posts": [quoted, {"type": "replied_to", "id": "77"}]})
    assert (both.kind, both.quote_of_id, both.in_reply_to_id) == ("reply", "78", "77")


@pytest.mark.parametrize("word", ["retweeted", "reposted"])
def test_a_repost_has_the_whole_text_of_its_original(generation: Generation, word: str) -> None:
    changes = {"text": f"RT @person17: {'x' * 120}…", "referenced_posts": [{"type": word, "id": "79"}]}
    original = {"id": "79", "text": "x" * 250 + " &lt;end&gt;", "author_id": PERSON["id"]}
    record = post_of(generation, changes, original, PERSON)
    assert (record.kind, record.repost_of_id, record.repost_of_handle) == ("repost", "79", "person17")
    assert record.text == f"RT @person17: {'x' * 250} <end>"
    assert not record.truncated


def test_a_repost_of_a_long_post_has_the_text_of_its_note(generation: Generation) -> None:
    changes = {"text": "RT @person17: begin…", "referenced_posts": [{"type": "retweeted", "id": "79"}]}
    original = {"id": "79", "text": "begin…", "author_id": "9", "note_post": {"text": "begin and end"}}
    assert post_of(generation, changes, original).text == "RT @person17: begin and end"


def test_a_repost_of_whom_nothing_is_known_has_the_originals_text_alone(generation: Generation) -> None:
    changes = {"text": "something", "referenced_posts": [{"type": "retweeted", "id": "79"}]}
    assert post_of(generation, changes, {"id": "79", "text": "whole", "author_id": "9"}).text == "whole"


@pytest.mark.parametrize(
    ("text", "truncated"), [("RT @person17: words…", True), ("RT @person17: words", False)]
)
def test_a_repost_without_its_original_says_whether_it_is_cut(
    generation: Generation, text: str, truncated: bool
) -> None:
    record = post_of(generation, {"text": text, "referenced_posts": [{"type": "retweeted", "id": "79"}]})
    assert (record.kind, record.text, record.truncated) == ("repost", text, truncated)
    assert record.repost_of_handle is None


def test_all_versions_of_an_edited_post_share_the_first_ones_id(generation: Generation) -> None:
    record = post_of(generation, {"edit_history_post_ids": ["1969999999999999999", ID]})
    assert (record.platform_id, record.record_id) == (ID, "1969999999999999999")
    assert record.edit_ids == ("1969999999999999999", ID)


def test_a_long_post_is_its_notes_text_and_what_is_in_that(generation: Generation) -> None:
    note = {
        "text": "All of it &amp; more",
        "entities": {
            "hashtags": [{"tag": "late"}], "mentions": [{"id": PERSON["id"], "username": "person17"}],
            "urls": [{"url": "https://t.co/b", "expanded_url": "https://b.example/"}],
        },
    }  # fmt: skip
    record = post_of(
        generation,
        {"text": "All of…", "note_post": note, "entities": {"hashtags": [{"tag": "early"}]}},
        PERSON,
    )
    assert (record.text, record.truncated, record.hashtags) == ("All of it & more", False, ("late",))
    assert record.mentions == (Mention(PERSON["id"], "person17", PERSON["name"]),)
    assert record.links == (Link("https://t.co/b", "https://b.example/", None),)


def test_a_note_without_text_leaves_the_posts_own(generation: Generation) -> None:
    record = post_of(generation, {"note_post": {}, "entities": {"hashtags": [{"tag": "early"}, {}]}})
    assert (record.text, record.hashtags) == ("Main Street is closed & wet", ("early",))


def test_an_article_is_found_by_title_and_text(generation: Generation) -> None:
    article = {"title": "A &quot;title&quot;", "plain_text": "Its text"}
    record = post_of(generation, {"text": "https://t.co/a", "article": article})
    assert record.text == 'https://t.co/a\nA "title"\nIts text'
    assert post_of(generation, {"article": {}}).text == "Main Street is closed & wet"


def test_links_that_stand_for_the_posts_own_pictures_are_no_links(generation: Generation) -> None:
    urls = [
        {"url": "https://t.co/a", "expanded_url": "https://a.example/", "display_url": "a.example"},
        {"url": "https://t.co/p", "media_key": "3_1"}, {"expanded_url": "https://nothing.example/"},
    ]  # fmt: skip
    assert post_of(generation, {"entities": {"urls": urls}}).links == (
        Link("https://t.co/a", "https://a.example/", "a.example"),
    )


def test_mentions_keep_what_is_known_of_each(generation: Generation) -> None:
    mentions = [{"id": "5"}, {"username": "b"}, {}, {"id": PERSON["id"], "username": "person17"}]
    record = post_of(generation, {"entities": {"mentions": mentions}}, PERSON)
    assert record.mentions == (
        Mention("5", "", None), Mention(None, "b", None), Mention(PERSON["id"], "person17", PERSON["name"]),
    )  # fmt: skip


def test_a_post_in_a_community_says_so(generation: Generation) -> None:
    assert post_of(generation, {"community_id": "12"}).audience == "community"


@pytest.mark.parametrize("names", [{"retweet_count": 8}, {"repost_count": 8}])
def test_counts_are_read_under_either_name_whatever_the_rest_is_called(
    generation: Generation, names: Document
) -> None:
    assert post_of(generation, {"public_metrics": names}).repost_count == 8
    assert post_of(generation, {"public_metrics": None}).repost_count is None


# Pictures


def test_photo_video_and_moving_picture_keep_where_they_are_to_be_had(generation: Generation) -> None:
    photo = {
        "media_key": "3_11",
        "type": "photo",
        "url": "https://pbs.twimg.com/media/Abc.jpg",
        "alt_text": "A road",
    }
    video = {
        "media_key": "7_12", "type": "video", "preview_image_url": "https://pbs.twimg.com/p.jpg",
        "variants": [
            {"content_type": "application/x-mpegURL", "url": "https://video.twimg.com/list.m3u8"},
            {"content_type": "video/mp4", "url": "https://video.twimg.com/small.mp4?tag=1", "bit_rate": 256},
            {"content_type": "video/mp4", "url": "https://video.twimg.com/large.mp4?tag=1", "bit_rate": 832},
            {"content_type": "video/mp4", "bit_rate": 9_999_999},
        ],
    }  # fmt: skip
    moving = {
        "media_key": "16_13", "type": "animated_gif",
        "variants": [{"content_type": "video/mp4", "url": "https://video.twimg.com/g.mp4", "bit_rate": 0}],
    }  # fmt: skip
    keys = {"attachments": {"media_keys": ["3_11", "7_12", "16_13"]}}
    assert post_of(generation, keys, photo, video, moving).media == (
        MediaReference("11", "photo", "https://pbs.twimg.com/media/Abc.jpg", f"{ID}-Abc.jpg", "A road"),
        MediaReference("12", "video", "https://video.twimg.com/large.mp4", f"{ID}-large.mp4"),
        MediaReference("13", "animated_gif", "https://video.twimg.com/g.mp4", f"{ID}-g.mp4"),
    )


def test_a_video_without_files_is_its_preview(generation: Generation) -> None:
    video = {"media_key": "7_12", "type": "video", "preview_image_url": "https://pbs.twimg.com/p.jpg"}
    (media,) = post_of(generation, {"attachments": {"media_keys": ["7_12"]}}, video).media
    assert (media.url, media.file_name) == ("https://pbs.twimg.com/p.jpg", f"{ID}-p.jpg")


def test_a_picture_that_the_answer_does_not_include_keeps_its_place(generation: Generation) -> None:
    (media,) = post_of(generation, {"attachments": {"media_keys": ["3_11"]}}).media
    assert media == MediaReference("11", "photo", "", f"{ID}-3_11")
    assert post_of(generation, {"attachments": {"poll_ids": ["1"]}}).media == ()


@pytest.mark.parametrize("address", ["https://pbs.twimg.com/../../x\\y\n.jpg", "https://a/%2e%2e/\x00"])
def test_no_path_can_be_made_of_a_medias_name(generation: Generation, address: str) -> None:
    photo = {"media_key": "3_11", "type": "photo", "url": address}
    (media,) = post_of(generation, {"attachments": {"media_keys": ["3_11"]}}, photo).media
    assert media.file_name.isprintable()
    assert not {"/", "\\"} & set(media.file_name)


# What is odd


def test_a_post_without_an_id_is_named_after_its_bytes(generation: Generation) -> None:
    one, same, other = (
        post_of(generation, changes) for changes in ({"id": None}, {"id": None}, {"id": None, "text": "b"})
    )
    assert one.platform_id.startswith("unnamed-")
    assert one == same
    assert one.platform_id != other.platform_id


@pytest.mark.parametrize("an_id", ["", "9" * 61, "1\n2", "\u202e1"])
def test_an_id_that_is_none_is_not_taken_for_one(generation: Generation, an_id: str) -> None:
    assert post_of(generation, {"id": an_id}).platform_id.startswith("unnamed-")


@pytest.mark.parametrize("stated", [None, "", "yesterday", "1999-01-01T00:00:00Z", "2200-01-01T00:00:00Z"])
def test_a_post_without_a_time_has_that_in_its_id(generation: Generation, stated: str | None) -> None:
    assert post_of(generation, {"created_at": stated}).posted_ms == (int(ID) >> 22) + 1_288_834_974_657
    assert post_of(generation, {"created_at": stated, "id": "20"}).posted_ms == 0


WRONG: list[Any] = [5, 1.5, True, {"a": 1}, ["a"], [None], [{"id": 5}], "text"]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize(
    "field",
    [
        "text", "id", "author_id", "created_at", "lang", "source", "conversation_id", "community_id",
        "in_reply_to_user_id", "referenced_posts", "edit_history_post_ids", "note_post", "article",
        "entities", "attachments", "public_metrics",
    ],
)  # fmt: skip
def test_a_post_with_a_field_of_any_other_type_keeps_the_rest(
    generation: Generation, field: str, wrong: Any
) -> None:
    record = post_of(generation, {field: wrong}, FORCE)
    if field != "id":
        assert record.platform_id == ID
    if field not in ("text", "note_post", "article", "referenced_posts"):
        assert record.text == "Main Street is closed & wet"
    if field != "author_id":
        assert record.author_handle == "SpringfieldPD"


@pytest.mark.parametrize("wrong", [None, "text", 5, [5], {"users": {}}])
@pytest.mark.parametrize("inner", ["urls", "mentions", "hashtags"])
def test_wrong_types_inside_entities_cost_that_alone(generation: Generation, inner: str, wrong: Any) -> None:
    other = "hashtags" if inner != "hashtags" else "mentions"
    good = [{"tag": "traffic"}] if other == "hashtags" else [{"id": "5", "username": "b"}]
    record = post_of(generation, {"entities": {inner: wrong, other: good}})
    assert len(getattr(record, other)) == 1


def test_half_characters_and_bytes_that_are_no_text_are_replaced(generation: Generation) -> None:
    for text in (b'"a\\ud83d b"', b'"a\xff b"', b'"a\\u0000 b"'):
        data = spelled({**POST, "text": "TEXT"}, generation).replace(b'"TEXT"', text)
        record = parse_item(told("posts", generation), "post", [data])
        assert isinstance(record, Post)
        assert record.text == "a\ufffd b"


@pytest.mark.parametrize("kind", ["post", "message", "gone", "like", "list_created", "account", "follower"])
@pytest.mark.parametrize("data", [b"", b"5", b"[]", b"null", b'"text"', b'{"id":', b"{} {}"])
def test_bytes_that_are_no_object_are_our_error(kind: str, data: bytes) -> None:
    with pytest.raises(SourceError):
        parse_item(told("posts"), kind, [data])


def test_an_item_without_bytes_is_named_by_its_request() -> None:
    with pytest.raises(SourceError, match=r"^GET /2/posts: an item without bytes$"):
        parse_item(told("posts"), "post", [])


def test_what_stands_around_a_record_must_be_an_object() -> None:
    with pytest.raises(SourceError):
        parse_item(told("posts"), "post", [spelled(POST), b"5"])


# Messages


MESSAGE: Document = {
    "id": ID, "event_type": "MessageCreate", "text": "Good &lt;morning&gt;", "sender_id": PERSON["id"],
    "dm_conversation_id": f"{ACCOUNT}-{PERSON['id']}", "created_at": "2025-09-22T05:04:03.123Z",
}  # fmt: skip


def message_of(generation: Generation, changes: Document, *included: Document) -> Message:
    record = parsed("message", generation, {**MESSAGE, **changes}, *included)
    assert isinstance(record, Message)
    return record


def test_a_message_between_two_names_both(generation: Generation) -> None:
    assert message_of(generation, {}, PERSON, FORCE) == Message(
        platform="x", platform_id=ID, account=ACCOUNT, conversation_id=f"{ACCOUNT}-{PERSON['id']}",
        posted_ms=MADE_MS, kind="message", sender_id=PERSON["id"], recipient_id=ACCOUNT,
        text="Good <morning>",
        people=(
            Person("sender", PERSON["id"], "person17", PERSON["name"]),
            Person("recipient", ACCOUNT, "SpringfieldPD", "Springfield Police"),
        ),
    )  # fmt: skip


def test_an_answer_goes_the_other_way_and_a_group_has_no_recipient(generation: Generation) -> None:
    assert message_of(generation, {"sender_id": ACCOUNT}).recipient_id == PERSON["id"]
    for conversation in ("15000", "", "1-2", None):
        assert message_of(generation, {"dm_conversation_id": conversation}).recipient_id is None


def test_links_of_a_message_are_read_beside_the_text_or_in_entities(generation: Generation) -> None:
    urls = [{"url": "https://t.co/a", "expanded_url": "https://a.example/"}]
    for changes in ({"urls": urls}, {"entities": {"urls": urls}}):
        assert message_of(generation, changes).links == (Link("https://t.co/a", "https://a.example/", None),)


def test_a_picture_in_a_message_is_kept_as_one(generation: Generation) -> None:
    photo = {"media_key": "3_11", "type": "photo", "url": "https://pbs.twimg.com/media/Abc.jpg"}
    (media,) = message_of(generation, {"attachments": {"media_keys": ["3_11"]}}, photo).media
    assert media.file_name == f"{ID}-Abc.jpg"


@pytest.mark.parametrize(
    ("event", "kind"),
    [("ParticipantsJoin", "participants_join"), ("ParticipantsLeave", "participants_leave")],
)
def test_who_joined_and_left_is_a_record_without_text(generation: Generation, event: str, kind: str) -> None:
    changes = {
        "event_type": event, "text": None, "participant_ids": [PERSON["id"], "9"],
        "dm_conversation_id": "15000",
    }  # fmt: skip
    record = message_of(generation, changes, PERSON)
    assert (record.kind, record.text, record.recipient_id) == (kind, "", None)
    assert Person("participant", PERSON["id"], "person17", PERSON["name"]) in record.people


@pytest.mark.parametrize(("event", "kind"), [("Unheard" * 9, ("Unheard" * 9)[:40]), (None, "unknown")])
def test_an_event_of_another_kind_is_kept_under_its_own_name(
    generation: Generation, event: str | None, kind: str
) -> None:
    assert message_of(generation, {"event_type": event}).kind == kind


# People, lists, likes, profiles


@pytest.mark.parametrize("kind", ["follower", "following", "block", "mute"])
def test_a_relation_is_found_by_handle_name_and_bio(generation: Generation, kind: RelationKind) -> None:
    record = parsed(kind, generation, {**PERSON, "description": "Made &amp; up"})
    assert record == Relation(
        platform="x", platform_id=PERSON["id"], account=ACCOUNT, kind=kind, captured_ms=FETCHED_MS,
        text="Person & 17 @person17\nMade & up",
        people=(Person("other", PERSON["id"], "person17", PERSON["name"]),),
    )  # fmt: skip


def test_a_relation_of_whom_only_the_id_is_known_is_kept(generation: Generation) -> None:
    record = parsed("follower", generation, {"id": "5"})
    assert isinstance(record, Relation)
    assert (record.platform_id, record.text, record.people) == ("5", None, ())


def test_a_member_is_named_after_list_and_person(generation: Generation) -> None:
    record = parsed("own_list_member", generation, PERSON, **{LIST_OF: "14000"})
    assert isinstance(record, Relation)
    assert record.platform_id == f"14000/{PERSON['id']}"
    assert record.people[0].user_id == PERSON["id"]


@pytest.mark.parametrize("kind", ["list_created", "list_subscribed", "list_member"])
def test_a_list_has_its_address_its_words_and_its_owner(generation: Generation, kind: RelationKind) -> None:
    found = {
        "id": "14000", "name": "Neighbours &amp; co", "description": "Made up", "owner_id": PERSON["id"],
        "created_at": "2025-09-22T05:04:03.123Z",
    }  # fmt: skip
    assert parsed(kind, generation, found, PERSON) == Relation(
        platform="x", platform_id="14000", account=ACCOUNT, kind=kind, captured_ms=FETCHED_MS,
        created_ms=MADE_MS, url="https://x.com/i/lists/14000", text="Neighbours & co\nMade up",
        people=(Person("owner", PERSON["id"], "person17", PERSON["name"]),),
    )  # fmt: skip
    bare = parsed(kind, generation, {"id": "14000"})
    assert isinstance(bare, Relation)
    assert (bare.text, bare.people, bare.created_ms) == (None, (), None)


def test_a_liked_post_has_its_text_and_its_author(generation: Generation) -> None:
    liked = {**POST, "author_id": PERSON["id"], "note_post": {"text": "All of it"}}
    assert parsed("like", generation, liked, PERSON) == Relation(
        platform="x", platform_id=ID, account=ACCOUNT, kind="like", captured_ms=FETCHED_MS,
        url=f"https://x.com/i/web/status/{ID}", text="All of it",
        people=(Person("author", PERSON["id"], "person17", PERSON["name"]),),
    )  # fmt: skip


PROFILE: Document = {
    **FORCE, "created_at": "2025-09-22T05:04:03.123Z", "description": "News &amp; more",
    "location": "Springfield",
    "url": "https://t.co/x", "protected": False, "verified": True, "verified_type": "government",
    "entities": {"url": {"urls": [{"url": "https://t.co/x", "expanded_url": "https://springfield.example/"}]}},
    "profile_image_url": "https://pbs.twimg.com/profile_images/9/Abc_normal.jpg",
    "profile_banner_url": f"https://pbs.twimg.com/profile_banners/{ACCOUNT}/1700000000",
}  # fmt: skip


def test_a_profile_is_the_account_as_it_shows_itself(generation: Generation) -> None:
    assert parsed("account", generation, PROFILE) == Account(
        platform="x", platform_id=ACCOUNT, aspect="profile", captured_ms=FETCHED_MS, handle="SpringfieldPD",
        name="Springfield Police", created_ms=MADE_MS, bio="News & more",
        website="https://springfield.example/", location="Springfield",
        facts=(("verified", "true"), ("protected", "false"), ("verified_type", "government")),
        media=(
            MediaReference(
                None, "avatar", "https://pbs.twimg.com/profile_images/9/Abc.jpg", f"{ACCOUNT}-Abc.jpg"
            ),
            MediaReference(
                None, "header", f"https://pbs.twimg.com/profile_banners/{ACCOUNT}/1700000000",
                f"{ACCOUNT}-1700000000",
            ),
        ),
    )  # fmt: skip


def test_a_bare_profile_is_read_and_a_website_without_its_long_form_kept_short(
    generation: Generation,
) -> None:
    bare = parsed("account", generation, {"id": ACCOUNT, "url": "https://t.co/x"})
    assert isinstance(bare, Account)
    assert (bare.website, bare.facts, bare.media, bare.bio) == ("https://t.co/x", (), (), None)


def test_no_e_mail_address_comes_into_a_profile_even_where_x_sends_one(generation: Generation) -> None:
    record = parsed("account", generation, {**PROFILE, "confirmed_email": "someone@springfield.example"})
    assert "someone@" not in repr(record)


def test_the_profile_of_another_account_is_refused(generation: Generation) -> None:
    with pytest.raises(SourceError, match=f"the profile is of the account {PERSON['id']}, and {ACCOUNT}"):
        parsed("account", generation, PERSON)


# What is gone

PROBLEMS = "https://api.twitter.com/2/problems/"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"title": "Not Found Error", "type": f"{PROBLEMS}resource-not-found"}, "deleted"),
        ({"type": f"{PROBLEMS}resource-not-found"}, "deleted"),
        ({"title": "Forbidden", "type": f"{PROBLEMS}resource-not-found"}, "suspended"),
        ({"title": "Any", "detail": "User has been suspended: [5]."}, "suspended"),
        ({"title": "Authorization Error", "type": f"{PROBLEMS}not-authorized-for-resource"}, "protected"),
        ({"type": f"{PROBLEMS}not-authorized-for-resource"}, "protected"),
        ({"title": "Unavailable", "type": f"{PROBLEMS}resource-unavailable"}, "withheld"),
        ({"type": f"{PROBLEMS}disallowed-resource"}, "withheld"),
        (
            {"title": "Field Authorization Error", "type": f"{PROBLEMS}not-authorized-for-field"},
            "field not shown",
        ),
        ({"title": "Authorization Error", "type": f"{PROBLEMS}field-unauthorized"}, "field not shown"),
        ({"type": "https://api.x.com/2/problems/field-hydration-failure"}, "field not shown"),
        ({"title": "Unheard Of"}, "Unheard Of"),
        ({"type": "about:blank"}, "about:blank"),
        ({"title": "x" * 200}, "x" * 80),
        ({}, "no reason given"),
    ],
)
def test_the_reason_why_something_is_not_shown_is_told_in_a_word(error: Document, reason: str) -> None:
    record = parsed("gone", "post", {**error, "resource_id": "99"})
    assert record == Gone(
        platform="x", platform_id="99", account=ACCOUNT, kind="post", noticed_ms=FETCHED_MS,
        how=f"X's interface: {reason}",
    )  # fmt: skip


def test_what_is_gone_is_named_by_what_was_asked_where_x_names_no_id() -> None:
    record = parsed("gone", "tweet", {"value": "99", "title": "Not Found Error"})
    assert isinstance(record, Gone)
    assert record.platform_id == "99"
