"""An answer as items: what is a record, what is gone, what stands around, what is odd."""

from typing import Any

import msgspec
import pytest

from archiver.errors import SourceError
from archiver.records import Account, Gone, Message, Post, Relation
from archiver.sources.base import Item, Problem
from archiver.sources.x_api.answer import cut_answer
from archiver.sources.x_api.endpoints import ENDPOINTS
from archiver.sources.x_api.fields import GENERATIONS, Generation
from archiver.sources.x_api.parse import parse_item
from archiver.sources.x_api.people import LIST_OF
from archiver.sources.x_api.reading import AnswerReading, read_answer, was_refused
from archiver.sources.x_api.shapes import ApiProblem
from tests.unit.sources.x_api.test_answer import ACCOUNT, FETCHED_MS, Document, read, spelled, told

PERSON: Document = {"id": "2000000002", "username": "person17", "name": "Person 17"}
FORCE: Document = {"id": ACCOUNT, "username": "SpringfieldPD", "name": "Springfield Police"}
PHOTO: Document = {"media_key": "3_11", "type": "photo", "url": "https://pbs.twimg.com/media/Abc.jpg"}


@pytest.fixture(params=GENERATIONS)
def generation(request: pytest.FixtureRequest) -> Generation:
    return request.param  # type: ignore[no-any-return]


def post(number: int, **changes: Any) -> Document:
    made = {
        "id": str(number),
        "text": f"Post {number}",
        "author_id": ACCOUNT,
        "edit_history_post_ids": [str(number)],
        "created_at": "2025-09-22T05:04:03.123Z",
    }
    return {**made, **changes}


def page(*data: Document, **more: Any) -> Document:
    return {"data": list(data), "meta": {"result_count": len(data)}, **more}


def item_of(reading: AnswerReading) -> Item:
    (item,) = reading.items
    return item


def problem(kind: str, value: str, parameter: str, title: str = "Not Found Error", **more: Any) -> Document:
    return {
        "value": value, "resource_id": value, "parameter": parameter, "resource_type": kind, "title": title,
        "type": "https://api.x.com/2/problems/resource-not-found", **more,
    }  # fmt: skip


# Items and their bytes


def test_each_item_has_the_bytes_it_needs_and_no_others(generation: Generation) -> None:
    document = page(
        post(11, attachments={"media_keys": ["3_11"]}),
        post(12, author_id=PERSON["id"], referenced_posts=[{"type": "retweeted", "id": "9"}]),
        includes={
            "users": [PERSON, FORCE, {"id": "3", "username": "idle", "name": "Idle"}],
            "posts": [post(9, author_id=PERSON["id"])], "media": [PHOTO], "polls": [{"id": "1"}],
        },
    )  # fmt: skip
    body = spelled(document, generation)
    reading = read(body, "posts", generation)
    assert [len(item.slices) for item in reading.items] == [3, 3]
    assert [item.media != () for item in reading.items] == [True, False]
    for item in reading.items:
        for (key, piece), (offset, length) in zip(item.slices, item.places, strict=True):
            assert key == 7
            assert body[offset : offset + length] == piece
    assert reading.resources == 2
    assert reading.included == 6
    assert reading.problems == reading.context == []


def everything(body_kind: str) -> Document:
    """An answer with something of everything that such an answer has."""
    if ENDPOINTS[body_kind].group == "posts":
        return page(
            post(11, attachments={"media_keys": ["3_11", "7_2"]}, note_post={"text": "long"}),
            post(12, referenced_posts=[{"type": "retweeted", "id": "9"}], text="RT @person17: Post…"),
            post(13, referenced_posts=[{"type": "quoted", "id": "8"}], edit_history_post_ids=["10", "13"]),
            post(14, referenced_posts=[{"type": "replied_to", "id": "9"}], in_reply_to_user_id=PERSON["id"]),
            post(15, author_id="4", entities={"mentions": [{"id": PERSON["id"], "username": "person17"}]}),
            post(16, author_id=5, lang=[]),
            includes={
                "users": [PERSON, FORCE],
                "posts": [post(9, author_id=PERSON["id"]), post(8)],
                "media": [PHOTO],
            },
        )
    if body_kind == "messages":
        between = {"dm_conversation_id": f"{ACCOUNT}-{PERSON['id']}", "sender_id": PERSON["id"]}
        return page(
            {"id": "31", "event_type": "MessageCreate", "text": "Hello", **between},
            {"id": "32", "event_type": "ParticipantsJoin", "participant_ids": [PERSON["id"]], **between},
            {"id": "33", "event_type": "ParticipantsLeave", "participant_ids": ["9"], "sender_id": None},
            {"id": "34", "event_type": "Unheard", **between, "attachments": {"media_keys": ["3_11"]}},
            includes={"users": [PERSON, FORCE], "media": [PHOTO]},
        )
    if ENDPOINTS[body_kind].group == "lists":
        return page(
            {"id": "14000", "name": "Neighbours", "owner_id": ACCOUNT}, {"id": "14001"},
            includes={"users": [FORCE]},
        )  # fmt: skip
    if body_kind == "profile":
        return {"data": {**FORCE, "description": "News", "verified": True}, "includes": {"posts": [post(9)]}}
    if body_kind == "author":
        return {"data": {**PERSON, "description": "Made up", "profile_image_url": "https://a.example/b.jpg"}}
    return page(PERSON, FORCE, {"id": "3"})


RECORDS = {"post": Post, "message": Message, "account": Account}


@pytest.mark.parametrize("body_kind", sorted(ENDPOINTS.keys() - {"owner"}))
def test_the_slices_of_an_item_give_the_record_that_reading_saw(
    body_kind: str, generation: Generation
) -> None:
    context = {LIST_OF: "14000"} if body_kind == "list_members" else {}
    document = everything(body_kind)
    included = [spelled(one, generation) for some in document.get("includes", {}).values() for one in some]
    reading = read(document, body_kind, generation, context=context)
    endpoint, told_of = ENDPOINTS[body_kind], told(body_kind, generation, context=context)
    expected = document["data"] if isinstance(document["data"], list) else [document["data"]]
    assert len(reading.items) == len(expected)
    for item in reading.items:
        slices = [piece for _, piece in item.slices]
        record = parse_item(told_of, item.kind, slices)
        assert record == parse_item(told_of, item.kind, [slices[0], *included])
        assert item.kind == endpoint.record
        assert isinstance(record, RECORDS.get(item.kind, Relation))
        if isinstance(record, Account):
            own = body_kind == "profile"
            assert item.id == (f"{ACCOUNT}:profile" if own else f"{PERSON['id']}:author")
            assert item.series == ("account" if own else "context")
            assert record.media == item.media
            continue
        assert item.id == record.platform_id
        if isinstance(record, Post | Message):
            assert (item.posted_ms, item.media) == (record.posted_ms, record.media)
        else:
            assert item.posted_ms is None
        if isinstance(record, Post):
            assert item.record_id == (record.record_id if record.edit_ids else None)
            assert item.truncated == record.truncated
        again = read(spelled(document, generation), body_kind, generation, context=context)
        assert [one.content for one in again.items] == [one.content for one in reading.items]


def test_posts_of_others_are_known_apart_from_the_accounts_own(generation: Generation) -> None:
    reading = read(page(post(1), post(2, author_id="9"), post(3, author_id=None)), "mentions", generation)
    assert [(item.kind, item.series) for item in reading.items] == [
        ("post", "post"), ("post", "mention"), ("post", "mention"),
    ]  # fmt: skip


def test_a_post_without_an_author_is_the_accounts_own_only_where_its_posts_were_asked_for(
    generation: Generation,
) -> None:
    series = {
        kind: item_of(read(page(post(1, author_id=None)), kind, generation)).series
        for kind in ("posts", "recheck", "mentions", "moderated", "thread")
    }
    assert [kind for kind, name in series.items() if name == "post"] == ["posts", "recheck"]


def test_one_record_twice_in_an_answer_is_one_item(generation: Generation) -> None:
    reading = read(page(post(1), post(2), post(1)), "posts", generation)
    assert [item.id for item in reading.items] == ["1", "2"]
    assert reading.problems == []


def test_versions_of_an_edited_post_are_told(generation: Generation) -> None:
    reading = read(page(post(5, edit_history_post_ids=["4", "5"]), post(6)), "posts", generation)
    assert reading.edit_ids == {"4", "5"}
    assert [item.record_id for item in reading.items] == ["4", None]


# What makes a version


@pytest.mark.parametrize(
    "changes",
    [
        {"public_metrics": {"like_count": 5}}, {"lang": "de"}, {"source": "X for a phone"},
        {"possibly_sensitive": True}, {"edit_history_post_ids": ["1", "2"]},
    ],
)  # fmt: skip
def test_counters_and_what_x_may_leave_away_make_no_version(
    changes: Document, generation: Generation
) -> None:
    before, after = (item_of(read(page(post(1, **one)), "posts", generation)) for one in ({}, changes))
    assert before.content == after.content


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "other"}, {"referenced_posts": [{"type": "quoted", "id": "8"}]},
        {"in_reply_to_user_id": "9"}, {"community_id": "1"}, {"attachments": {"media_keys": ["3_11"]}},
        {"entities": {"urls": [{"url": "https://t.co/a", "expanded_url": "https://a.example/"}]}},
        {"created_at": "2025-09-22T05:04:04.123Z"}, {"note_post": {"text": "longer"}},
    ],
)  # fmt: skip
def test_what_a_post_says_makes_a_version(changes: Document, generation: Generation) -> None:
    before, after = (item_of(read(page(post(1, **one)), "posts", generation)) for one in ({}, changes))
    assert before.content != after.content


def test_who_is_named_beside_a_post_makes_no_version(generation: Generation) -> None:
    mention = {"entities": {"mentions": [{"id": PERSON["id"], "username": "person17"}]}}
    bare = item_of(read(page(post(1, **mention)), "posts", generation))
    named = item_of(read(page(post(1, **mention), includes={"users": [PERSON, FORCE]}), "posts", generation))
    assert bare.content == named.content


def test_a_repost_is_the_same_with_and_without_its_original(generation: Generation) -> None:
    repost = post(2, referenced_posts=[{"type": "retweeted", "id": "9"}], text="RT @person17: Post…")
    bare = item_of(read(page(repost), "posts", generation))
    whole = item_of(read(page(repost, includes={"posts": [post(9)]}), "posts", generation))
    assert (bare.truncated, whole.truncated) == (True, False)
    assert bare.content == whole.content


def test_both_generations_of_one_post_are_one_version() -> None:
    document = everything("posts")
    contents = [[item.content for item in read(document, "posts", one).items] for one in GENERATIONS]
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("body_kind", "matters"), [("following", True), ("blocks", True), ("followers", False)]
)
def test_a_new_handle_is_a_version_of_whom_the_account_chose(
    body_kind: str, matters: bool, generation: Generation
) -> None:
    renamed = {**PERSON, "username": "person18"}
    before, after = (item_of(read(page(one), body_kind, generation)) for one in (PERSON, renamed))
    assert (before.content != after.content) is matters


def test_a_lists_new_name_is_a_version_and_so_is_a_profiles_new_text(generation: Generation) -> None:
    for body_kind, field, thing in (
        ("lists_owned", "name", {"id": "14000", "name": "Neighbours"}),
        ("profile", "description", {**FORCE, "description": "News"}),
    ):
        before, after = (
            item_of(read({"data": one if body_kind == "profile" else [one]}, body_kind, generation))
            for one in (thing, {**thing, field: "Other"})
        )
        assert before.content != after.content


def test_a_profiles_counts_are_told_and_make_no_version(generation: Generation) -> None:
    one = {**FORCE, "public_metrics": {"followers_count": 7, "post_count": 9, "like_count": 2}}
    two = {**one, "public_metrics": {"followers_count": 8}}
    before, after = read({"data": one}, "profile", generation), read({"data": two}, "profile", generation)
    assert before.metrics is not None
    posts = before.metrics.post_count if generation == "post" else before.metrics.tweet_count
    assert (before.metrics.followers_count, posts, before.metrics.like_count) == (7, 9, 2)
    assert (before.handle, before.owner) == ("SpringfieldPD", ACCOUNT)
    assert item_of(before).content == item_of(after).content


def test_the_owner_of_a_token_is_told_and_is_no_record(generation: Generation) -> None:
    reading = read({"data": PERSON}, "owner", generation)
    assert (reading.items, reading.owner, reading.handle) == ([], PERSON["id"], "person17")
    assert read({"data": None}, "owner", generation).owner is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Main Street is closed &amp; wet", b"Main Street is closed & wet"),
        ("RT @person17: not all of it", b""),
        ("Cut before its link\u2026 https://t.co/a", b""),
        (
            "\u2026 it begins so and goes on and on, longer than any link could be at its end, and then ends",
            None,
        ),
    ],
)
def test_the_words_to_be_compared_with_an_exports_are_those_that_cannot_be_cut(
    text: str, words: bytes | None, generation: Generation
) -> None:
    item = item_of(read(page(post(1, text=text)), "posts", generation))
    assert item.words == (text.encode() if words is None else words)


def test_an_article_has_no_words_to_compare_and_a_message_has_all(generation: Generation) -> None:
    article = post(1, article={"title": "A title", "plain_text": "Its text"})
    assert item_of(read(page(article), "posts", generation)).words == b""
    message = {"id": "31", "event_type": "MessageCreate", "text": "Hello\u2026", "dm_conversation_id": "5"}
    assert item_of(read(page(message), "messages", generation)).words == "Hello\u2026".encode()


# What is odd


def test_an_unknown_kind_of_reference_is_named_and_the_post_kept(generation: Generation) -> None:
    reading = read(page(post(1, referenced_posts=[{"type": "echoed", "id": "8"}])), "posts", generation)
    assert item_of(reading).id == "1"
    assert reading.problems == []
    assert reading.remarks == {
        "1": Problem("post 1", "broken", "has an unknown kind of post: echoed; kept as it is")
    }


def test_an_unknown_kind_of_event_is_named_and_kept() -> None:
    reading = read(page({"id": "31", "event_type": "Unheard", "dm_conversation_id": "5"}), "messages")
    assert item_of(reading).id == "31"
    assert [one.what for one in reading.remarks.values()] == ["message 31"]


def test_a_field_not_understood_is_named_with_its_record(generation: Generation) -> None:
    reading = read(page(post(1, entities=5), post(2, author_id="9", lang=[])), "mentions", generation)
    assert [item.id for item in reading.items] == ["1", "2"]
    assert reading.remarks == {
        "1": Problem("post 1", "broken", "has a entities that is not understood; kept as it is"),
        "2": Problem("mention 2", "broken", "has a lang that is not understood; kept as it is"),
    }


def test_a_kind_of_record_that_no_answer_has_is_named_and_not_taken() -> None:
    """A mistake in the table of endpoints would be one."""
    endpoint = msgspec.structs.replace(ENDPOINTS["posts"], record="gone")
    with pytest.raises(SourceError, match="a gone is no record of an answer's data"):
        read_answer(told("posts"), cut_answer(spelled(page(post(1)))), endpoint)


def test_what_is_no_record_is_named_and_costs_the_others_nothing(generation: Generation) -> None:
    body = spelled({"data": [post(1), 5, None, [], post(2)]}, generation)
    reading = read(body, "posts", generation)
    assert [item.id for item in reading.items] == ["1", "2"]
    assert [(one.what, one.reason) for one in reading.problems] == [("a record of posts", "broken")] * 3


def test_what_is_no_object_among_the_includes_costs_nothing(generation: Generation) -> None:
    users: list[Any] = [5, None, [], {"id": None, "username": "x"}, {"id": "7"}, FORCE]
    reading = read(page(post(1), includes={"users": users}), "posts", generation)
    assert len(item_of(reading).slices) == 2
    assert reading.problems == []


def test_the_profile_of_another_is_a_problem_and_no_item(generation: Generation) -> None:
    reading = read({"data": PERSON}, "profile", generation)
    assert reading.items == []
    assert [one.reason for one in reading.problems] == ["broken"]


def test_an_answer_short_of_its_own_count_is_named(generation: Generation) -> None:
    document = {"data": [post(1)], "meta": {"result_count": 3, "next_token": "n"}}
    reading = read(document, "posts", generation)
    assert reading.problems == [
        Problem("posts", "count differs", "an answer has 1 records, and its own count is 3")
    ]
    assert reading.meta.next_token == "n"
    assert read({"meta": {"result_count": 0}}, "posts", generation).problems == []
    assert len(read({"meta": {"result_count": 2}}, "posts", generation).problems) == 1


def test_a_part_that_is_not_known_is_said(generation: Generation) -> None:
    reading = read({**page(post(1)), "notices": []}, "posts", generation)
    assert reading.context == [Problem("posts", "unknown layout", "a part 'notices' that is not known")]


@pytest.mark.parametrize(
    "document", [{"data": None}, {"data": []}, {"errors": []}, {"meta": {"result_count": 0}}]
)
@pytest.mark.parametrize("body_kind", sorted(ENDPOINTS))
def test_an_answer_without_anything_is_none(document: Document, body_kind: str) -> None:
    reading = read(document, body_kind)
    assert (reading.items, reading.gone, reading.problems, reading.context) == ([], [], [], [])
    assert (reading.resources, reading.included, reading.refusal) == (0, 0, None)


# Errors beside the data


def test_a_lookup_tells_what_is_gone_and_of_what_nothing_was_said(generation: Generation) -> None:
    document = {
        "data": [post(1), post(2)],
        "errors": [problem("tweet", "3", "ids"), problem("tweet", "4", "ids", "Forbidden")],
    }
    body = spelled(document, generation)
    reading = read(body, "recheck", generation, asked=("1", "2", "3", "4", "5"))
    assert [item.id for item in reading.items] == ["1", "2"]
    assert [(item.kind, item.id, item.series) for item in reading.gone] == [
        ("gone", "post:3", "gone"), ("gone", "post:4", "gone"),
    ]  # fmt: skip
    records = [parse_item(told("recheck"), "gone", [item.slices[0][1]]) for item in reading.gone]
    assert [(one.platform_id, one.how, one.noticed_ms) for one in records if isinstance(one, Gone)] == [
        ("3", "X's interface: deleted", FETCHED_MS), ("4", "X's interface: suspended", FETCHED_MS),
    ]  # fmt: skip
    for item in reading.gone:
        (offset, length) = item.places[0]
        assert body[offset : offset + length] == item.slices[0][1]
    assert reading.problems == [Problem("post 5", "missing", "was asked for, and X said nothing of it")]
    assert reading.context == []


def test_what_is_gone_is_so_once_however_often_an_answer_says_it(generation: Generation) -> None:
    errors = [
        problem("tweet", "3", "ids"),
        problem("tweet", "3", "ids"),
        problem("tweet", "3", "referenced_posts"),
    ]
    reading = read({"errors": errors}, "recheck", generation, asked=("3",))
    assert [item.id for item in reading.gone] == ["post:3"]
    assert len(reading.context) == 2


def test_a_post_asked_for_that_is_missing_around_another_is_not_gone_by_that(generation: Generation) -> None:
    document = {"data": [post(1)], "errors": [problem("tweet", "3", "referenced_posts")]}
    reading = read(document, "recheck", generation, asked=("1", "3"))
    assert reading.gone == []
    assert [one.what for one in reading.problems] == ["post 3"]


def test_two_reasons_make_two_versions_of_what_is_gone() -> None:
    contents = {
        read({"errors": [problem("tweet", "3", "ids", title)]}, "recheck", asked=("3",)).gone[0].content
        for title in ("Not Found Error", "Forbidden", "Authorization Error")
    }
    assert len(contents) == 3


def test_errors_about_what_stands_around_are_told_apart(generation: Generation) -> None:
    field = "https://api.x.com/2/problems/not-authorized-for-field"
    document = page(
        post(1),
        errors=[
            problem("tweet", "8", "referenced_posts"),
            problem("user", "9", "author_id", "Forbidden"),
            {"title": "Field Authorization Error", "type": field, "field": "organic_metrics"},
            problem("tweet", "1", "ids"),
        ],
    )
    reading = read(document, "recheck", generation, asked=("1",))
    assert (reading.gone, reading.problems) == ([], [])
    assert [(one.what, one.reason, one.detail) for one in reading.context] == [
        ("tweet 8", "context", "deleted (referenced_posts)"), ("user 9", "context", "suspended (author_id)"),
        ("record", "context", "field not shown"), ("tweet 1", "context", "deleted (ids)"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Not Found Error", "does not exist, or no longer"),
        ("Forbidden", "is suspended"),
        ("Authorization Error", "is protected, and this token may not read it"),
        ("Unheard Of", "is not shown: Unheard Of"),
    ],
)
@pytest.mark.parametrize("body_kind", ["profile", "posts", "followers", "lists_owned", "likes", "author"])
def test_an_account_that_x_does_not_show_is_a_refusal(body_kind: str, title: str, words: str) -> None:
    kind = {"type": "about:blank"} if title == "Unheard Of" else {}
    subject = ("person17", "username") if body_kind == "author" else (ACCOUNT, "id")
    reading = read({"errors": [problem("user", *subject, title, **kind)]}, body_kind)
    assert (reading.items, reading.context) == ([], [])
    assert reading.refusal is not None
    assert was_refused(reading.refusal) == words


def test_an_error_about_the_account_beside_records_refuses_nothing() -> None:
    reading = read(page(post(1), errors=[problem("user", ACCOUNT, "id")]), "posts")
    assert reading.refusal is None
    assert len(reading.context) == 1


def test_an_account_withheld_is_not_shown() -> None:
    error = ApiProblem(type="https://api.x.com/2/problems/resource-unavailable")
    assert was_refused(error) == "is not shown: withheld"


# Lists


def test_members_of_two_lists_are_known_apart(generation: Generation) -> None:
    one, two = (
        item_of(read(page(PERSON), "list_members", generation, context={LIST_OF: of})) for of in ("1", "2")
    )
    assert (one.id, two.id) == (f"1/{PERSON['id']}", f"2/{PERSON['id']}")
    assert one.series == "own_list_member"


def test_a_capture_key_is_that_of_the_answer() -> None:
    capture = told("posts")
    (item,) = read_answer(capture, cut_answer(spelled(page(post(1)))), ENDPOINTS["posts"]).items
    assert {key for key, _ in item.slices} == {capture.key}
