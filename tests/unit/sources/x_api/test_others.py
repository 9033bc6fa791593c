"""People and posts around a post to be moderated: items of their own, made again from their own bytes."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.errors import ArchiverError, SourceError
from archiver.records import Account, MediaReference, Post
from archiver.sources.base import Capture, Item
from archiver.sources.x_api.answer import Answer, cut_answer
from archiver.sources.x_api.client import Fetched
from archiver.sources.x_api.endpoints import AROUND, ENDPOINTS
from archiver.sources.x_api.fields import GENERATIONS, Generation
from archiver.sources.x_api.others import read_included_posts, read_people
from archiver.sources.x_api.parse import parse_item
from archiver.sources.x_api.reading import read_answer
from tests.fakes.x_world import User
from tests.properties.test_x_api_answers import ODD, bodies
from tests.unit.sources.x_api.test_answer import ACCOUNT, FETCHED_MS, Document, spelled, told
from tests.unit.sources.x_api.test_client import NOW_MS, Bench
from tests.unit.sources.x_api.test_client import bench as bench  # a fixture
from tests.unit.sources.x_api.test_reading import FORCE, PERSON, PHOTO, page, post

WHOLE: Document = {
    **PERSON,
    "created_at": "2011-03-13T07:06:40.000Z",
    "description": "Made up &amp; odd",
    "location": "Springfield",
    "url": "https://t.co/a",
    "entities": {"url": {"urls": [{"url": "https://t.co/a", "expanded_url": "https://a.example/"}]}},
    "profile_image_url": "https://pbs.twimg.com/profile_images/5/face_normal.jpg",
    "profile_banner_url": f"https://pbs.twimg.com/profile_banners/{PERSON['id']}/1700000000",
    "protected": False,
    "verified": True,
    "verified_type": "blue",
}
PARENT = post(9, author_id="8", attachments={"media_keys": ["3_11"]}, text="What it answers &amp; more")
AUTHOR_OF_PARENT: Document = {"id": "8", "username": "person8", "name": "Person 8"}


@pytest.fixture(params=GENERATIONS)
def generation(request: pytest.FixtureRequest) -> Generation:
    return request.param  # type: ignore[no-any-return]


def answered(generation: Generation, **more: Any) -> tuple[Capture, bytes, Answer]:
    """A reply looked up, with its author, the post it answers, and that one's author and picture."""
    document = page(
        post(11, author_id=PERSON["id"], referenced_posts=[{"type": "replied_to", "id": "9"}]),
        includes={
            "users": [WHOLE, FORCE, AUTHOR_OF_PARENT, {"id": "3", "username": "idle", "name": "Idle"}],
            "posts": [PARENT, post(7, author_id=ACCOUNT, edit_history_post_ids=["6", "7"])],
            "media": [PHOTO],
            **more,
        },
    )
    body = spelled(document, generation)
    return told("moderated", generation), body, cut_answer(body)


def parsed(capture: Capture, item: Item) -> Any:
    return parse_item(capture, item.kind, [data for _, data in item.slices])


def check_in_place(capture: Capture, body: bytes, answer: Answer, item: Item) -> None:
    """Its slices lie where they are said to, and make what the whole answer would."""
    everything = [piece.data for pieces in answer.includes.values() for piece in pieces]
    for (key, piece), (offset, length) in zip(item.slices, item.places, strict=True):
        assert key == capture.key
        assert body[offset : offset + length] == piece
    assert parsed(capture, item) == parse_item(capture, item.kind, [item.slices[0][1], *everything])


# People


def test_a_profile_sent_along_is_a_record_of_whoever_it_is(generation: Generation) -> None:
    capture, body, answer = answered(generation)
    (item,) = read_people(capture, answer, {PERSON["id"]})
    check_in_place(capture, body, answer, item)
    assert (item.kind, item.id, item.series) == ("account", f"{PERSON['id']}:author", "context")
    assert (item.posted_ms, item.record_id, len(item.slices)) == (None, None, 1)
    assert item.media == parsed(capture, item).media
    assert parsed(capture, item) == Account(
        platform="x", platform_id=PERSON["id"], aspect="author", captured_ms=FETCHED_MS, handle="person17",
        name="Person 17", created_ms=1_300_000_000_000, bio="Made up & odd", website="https://a.example/",
        location="Springfield",
        facts=(("verified", "true"), ("protected", "false"), ("verified_type", "blue")),
        media=(
            MediaReference(
                None, "avatar", "https://pbs.twimg.com/profile_images/5/face.jpg",
                f"{PERSON['id']}-face.jpg",
            ),
            MediaReference(
                None, "header", f"https://pbs.twimg.com/profile_banners/{PERSON['id']}/1700000000",
                f"{PERSON['id']}-1700000000",
            ),
        ),
    )  # fmt: skip


def test_only_those_asked_for_are_taken_or_all(generation: Generation) -> None:
    capture, _, answer = answered(generation)

    def found(user_ids: list[str] | None) -> list[str]:
        return [item.id.partition(":")[0] for item in read_people(capture, answer, user_ids)]

    assert found([]) == found(["77", "11"]) == []
    assert found(["8", PERSON["id"], "8"]) == [PERSON["id"], "8"]
    assert found(None) == [PERSON["id"], ACCOUNT, "8", "3"]


def test_somebody_looked_up_by_a_handle_is_found_in_the_data(generation: Generation) -> None:
    body = spelled({"data": WHOLE}, generation)
    capture, answer = told("author", generation), cut_answer(body)
    (item,) = read_people(capture, answer, None)
    check_in_place(capture, body, answer, item)
    assert read_people(capture, answer, [PERSON["id"]]) == [item]
    assert read_answer(capture, answer, ENDPOINTS["author"]).items == [item]


def test_the_accounts_own_profile_around_a_post_is_kept_apart_from_the_one_it_shows(
    generation: Generation,
) -> None:
    capture, _, answer = answered(generation)
    (item,) = read_people(capture, answer, [ACCOUNT])
    assert item.id == f"{ACCOUNT}:author"
    assert parsed(capture, item).aspect == "author"


def test_what_is_said_of_somebody_makes_a_version_and_counters_do_not(generation: Generation) -> None:
    contents = []
    for changes in ({}, {"public_metrics": {"followers_count": 5}}, {"description": "Other"}):
        body = spelled({"data": {**WHOLE, **changes}}, generation)
        contents.append(read_people(told("author", generation), cut_answer(body), None)[0].content)
    assert contents[0] == contents[1] != contents[2]


@pytest.mark.parametrize("body_kind", sorted(ENDPOINTS.keys() - AROUND))
def test_in_any_other_answer_a_profile_is_the_accounts_own_still(body_kind: str) -> None:
    answer = cut_answer(spelled({"data": PERSON}))
    with pytest.raises(SourceError, match=f"and {ACCOUNT} was asked for"):
        parse_item(told(body_kind), "account", [answer.data[0].data])
    assert read_people(told(body_kind), answer, None) == []


def test_what_is_no_profile_among_people_costs_nothing(generation: Generation) -> None:
    odd: list[Any] = [5, None, [], {"id": "7"}, {"username": "x"}, {"id": PERSON["id"], "username": 5}]
    capture, _, answer = answered(generation, people=[*odd, {**WHOLE, "name": "Another"}])
    (item,) = read_people(capture, answer, [PERSON["id"], "7"])
    assert parsed(capture, item).name == "Person 17"
    body = spelled({"data": {"username": "nameless", "id": None}}, generation)
    (unnamed,) = read_people(told("author", generation), cut_answer(body), None)
    assert unnamed.id.startswith("unnamed-")


# Posts


def test_the_post_that_a_reply_answers_is_a_record_with_its_author_and_pictures(
    generation: Generation,
) -> None:
    capture, body, answer = answered(generation)
    (item,) = read_included_posts(capture, answer, ["9"])
    check_in_place(capture, body, answer, item)
    assert (item.kind, item.id, item.series) == ("post", "9", "context")
    record = parsed(capture, item)
    assert isinstance(record, Post)
    assert (record.author_id, record.author_handle, record.author_name) == ("8", "person8", "Person 8")
    assert record.text == "What it answers & more"
    assert record.media == item.media == (MediaReference("11", "photo", PHOTO["url"], "9-Abc.jpg"),)
    assert (item.posted_ms, item.truncated) == (record.posted_ms, False)
    assert len(item.slices) == 3


def test_it_is_the_same_as_if_it_had_been_asked_for(generation: Generation) -> None:
    capture, _, answer = answered(generation)
    (item,) = read_included_posts(capture, answer, ["9"])
    includes = {"users": [AUTHOR_OF_PARENT], "media": [PHOTO]}
    asked = cut_answer(spelled(page(PARENT, includes=includes), generation))
    (other,) = read_answer(capture, asked, ENDPOINTS["moderated"]).items
    assert parsed(capture, item) == parsed(capture, other)
    assert (item.content, item.words, item.slices) == (other.content, other.words, other.slices)
    assert other.series == "mention"


def test_posts_not_asked_for_and_what_is_no_post_are_left_out(generation: Generation) -> None:
    capture, _, answer = answered(generation, more=[{"id": "9", "text": 5}, {"id": "5"}, None, PARENT])
    found = read_included_posts(capture, answer, ["9", "7", "5", "11"])
    assert [(one.id, len(one.slices)) for one in found] == [("9", 3), ("7", 2)]
    assert read_included_posts(capture, answer, ["8", PERSON["id"]]) == []
    assert read_included_posts(capture, answer, []) == []


def test_a_version_of_an_edited_post_names_the_first(generation: Generation) -> None:
    capture, _, answer = answered(generation)
    (item,) = read_included_posts(capture, answer, ["7"])
    assert (item.record_id, parsed(capture, item).edit_ids) == ("6", ("6", "7"))


@given(
    body=bodies(), body_kind=st.sampled_from(sorted(AROUND)), ids=st.lists(st.sampled_from(ODD), max_size=3)
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_of_any_answer_others_are_made_again_from_their_own_bytes(
    body: bytes, body_kind: str, ids: list[Any]
) -> None:
    capture = told(body_kind)
    asked = [one for one in ids if isinstance(one, str)]
    try:
        answer = cut_answer(body)
    except ArchiverError:
        return
    for item in (*read_people(capture, answer, None), *read_included_posts(capture, answer, asked)):
        check_in_place(capture, body, answer, item)
        record = parsed(capture, item)
        assert isinstance(record, Post if item.kind == "post" else Account)
        assert item.media == record.media


# As X answers


@pytest.fixture(params=GENERATIONS)
def town(request: pytest.FixtureRequest, bench: Bench) -> Bench:
    bench.x.generation = request.param
    bench.change(field_names=request.param)
    return bench


def taken(town: Bench, body_kind: str, **parameters: Any) -> tuple[Capture, Fetched]:
    endpoint = ENDPOINTS[body_kind]
    fetched = town.client.fetch(endpoint, None, parameters, town.patience())
    account = town.force.id
    return told(body_kind, fetched.generation, account=account), fetched


def add_reply(town: Bench) -> tuple[User, str, str]:
    """Somebody, the id of what they wrote, and of the force's post that this answers."""
    person = town.x.world.add_user("person17", "Person 17", bio="Made up", url="https://a.example/")
    first = town.x.world.add_post(
        town.force, "Road closed", NOW_MS - 9000, media_keys=[town.x.world.add_photo()]
    )
    reply = town.x.world.add_post(person, "Why, @SpringfieldPD?", NOW_MS - 8000, reply_to=first)
    return person, reply.id, first.id


def test_a_reply_is_looked_up_with_its_author_and_what_it_answers(town: Bench) -> None:
    person, reply, first = add_reply(town)
    capture, fetched = taken(town, "moderated", ids=reply)
    reading = read_answer(capture, fetched.answer, ENDPOINTS["moderated"], asked=[reply])
    assert [item.id for item in reading.items] == [reply]
    assert parsed(capture, reading.items[0]).in_reply_to_id == first
    (parent,) = read_included_posts(capture, fetched.answer, [first])
    (author,) = read_people(capture, fetched.answer, [person.id])
    for item in (*reading.items, parent, author):
        check_in_place(capture, fetched.body, fetched.answer, item)
    assert parsed(capture, parent).author_id in (town.force.id, None)
    assert (parsed(capture, author).handle, parsed(capture, author).bio) == ("person17", "Made up")


def test_a_post_that_is_gone_is_told_as_a_lookup_tells_it(town: Bench) -> None:
    _, reply, _ = add_reply(town)
    town.x.world.delete_post(reply)
    capture, fetched = taken(town, "moderated", ids=reply)
    reading = read_answer(capture, fetched.answer, ENDPOINTS["moderated"], asked=[reply])
    assert (reading.items, [one.id for one in reading.gone]) == ([], [f"post:{reply}"])
    assert parsed(capture, reading.gone[0]).how == "X's interface: deleted"


def test_the_newest_of_a_conversation_are_found_page_by_page(town: Bench) -> None:
    person, reply, first = add_reply(town)
    more = [
        town.x.world.add_post(person, f"More {one}", NOW_MS - 7000 + one, reply_to=reply) for one in range(11)
    ]
    query = {"query": f"conversation_id:{first}", "max_results": 10}
    capture, one = taken(town, "thread", **query)
    reading = read_answer(capture, one.answer, ENDPOINTS["thread"])
    assert [item.id for item in reading.items] == [each.id for each in more[:0:-1]]
    assert one.request.startswith("GET /2/tweets/search/recent?")
    assert f"conversation_id%3A{first}" in one.request
    capture, two = taken(town, "thread", **query, next_token=reading.meta.next_token)
    rest = read_answer(capture, two.answer, ENDPOINTS["thread"])
    assert [item.id for item in rest.items] == [more[0].id, reply]
    assert rest.meta.next_token is None
    for item in rest.items:
        check_in_place(capture, two.body, two.answer, item)


def test_a_conversation_of_which_nothing_is_found_is_no_fault(town: Bench) -> None:
    capture, fetched = taken(town, "thread", query="conversation_id:5", max_results=10)
    reading = read_answer(capture, fetched.answer, ENDPOINTS["thread"])
    assert (reading.items, reading.problems, town.slept) == ([], [], [])


def test_somebody_is_looked_up_by_a_handle_and_who_is_not_there_is_told(town: Bench) -> None:
    person, _, _ = add_reply(town)
    capture, fetched = taken(town, "author", username="Person17")
    assert fetched.request.startswith("GET /2/users/by/username/Person17?")
    (item,) = read_people(capture, fetched.answer, None)
    check_in_place(capture, fetched.body, fetched.answer, item)
    assert parsed(capture, item).platform_id == person.id
    town.x.world.suspend(person)
    for handle, title in (("person17", "Forbidden"), ("nobody", "Not Found Error")):
        capture, fetched = taken(town, "author", username=handle)
        reading = read_answer(capture, fetched.answer, ENDPOINTS["author"])
        assert read_people(capture, fetched.answer, None) == reading.items == []
        assert reading.refusal is not None
        assert reading.refusal.title == title
