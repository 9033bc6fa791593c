"""The fake of X is held against X's own descriptions, where they are present."""

from typing import Any

import jsonschema
import pytest
import requests

from tests.contracts.openapi import Description, require_description
from tests.fakes.x_api import FakeX
from tests.fakes.x_names import ENDPOINTS, POST_NAMES, TWEET_NAMES, Endpoint, Names
from tests.fakes.x_world import User

NOW = 1_790_000_000_000
NAMES = {"tweet": TWEET_NAMES, "post": POST_NAMES}


def get(x: FakeX, path: str, query: dict[str, Any] | None = None) -> requests.Response:
    return requests.get(x.url + path, params=query, headers={"Authorization": "Bearer force"}, timeout=20)


def fill(x: FakeX) -> User:
    """A world with something of every kind; its main account's token is `force`."""
    world = x.world
    link = "https://police.springfield.example/"
    force = world.add_user(
        "SpringfieldPD", "Springfield Police", bio="News.", location="Springfield", url=link
    )
    force.profile_banner_url = "/media/default_normal.png"
    world.add_token("force", force)
    person, gone, bad, shy = (
        world.add_user(f"person{number}", f"Person {number}") for number in (17, 18, 19, 20)
    )
    said = [world.add_post(one, f"Said by {one.name}", NOW - 9_000_000) for one in (person, gone, bad, shy)]
    deleted = world.add_post(person, "Deleted later", NOW - 8_000_000)
    photo, video, gif = world.add_photo(alt_text="A road"), world.add_video(), world.add_gif()
    world.add_post(force, "Road closed @person17 #traffic " + link, NOW - 7_000_000, media_keys=[photo])
    world.add_post(force, "A film", NOW - 6_900_000, media_keys=[video], withheld=["DE"])
    world.add_post(force, "It moves", NOW - 6_800_000, media_keys=[gif], community_id="1500000000000000001")
    long = world.add_post(force, "Long words @person17 @person19 " * 30, NOW - 6_700_000)
    for other in (*said, deleted):
        world.add_post(force, f"Replying to {other.id}", NOW - 6_600_000, reply_to=other)
        world.add_post(force, f"Quoting {other.id}", NOW - 6_500_000, quote=other)
        world.add_repost(force, other, NOW - 6_400_000)
    topic = {"domain": {"id": "46", "name": "A domain"}, "entity": {"id": "1557", "name": "An entity"}}
    edited = world.add_post(force, "Before", NOW - 600_000, context_annotations=[topic])
    world.edit_post(edited, "After", NOW - 300_000)
    picture = world.add_photo()
    about = world.add_post(person, "Asking @SpringfieldPD", NOW - 200_000, media_keys=[picture])
    world.add_post(force, "Answering", NOW - 100_000, reply_to=about)
    world.add_repost(force, about, NOW - 50_000)
    force.pinned_post_id, person.pinned_post_id = long.id, deleted.id
    for one in (person, gone, bad, shy):
        world.follow(one, force)
        world.follow(force, one)
        world.block(force, one)
        world.mute(force, one)
    for post in (*said, deleted):
        world.like(force, post)
    world.add_list(force, "Neighbours", [person, bad, shy], followers=[force.id], description="Made up")
    world.add_list(person, "Forces", [force])
    world.add_message(person, f"See {link} @SpringfieldPD #road", [force], NOW - 3000, media_keys=[picture])
    world.add_message(force, "Thanks", [person], NOW - 2000, referenced_post_ids=[about.id, deleted.id])
    group: dict[str, Any] = {"conversation_id": "1500000000000000009", "concerned": [shy, bad]}
    world.add_message(force, "", [person, shy], NOW - 1000, event_type="ParticipantsJoin", **group)
    world.add_message(shy, "", [person, force], NOW - 500, event_type="ParticipantsLeave", **group)
    world.delete_post(deleted)
    world.remove_user(gone)
    world.suspend(bad)
    world.protect(shy)
    return force


@pytest.fixture(params=["tweet", "post"])
def generation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def description(generation: str) -> Description:
    return require_description({"tweet": "2.166", "post": "2.167"}[generation])


each_path = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=lambda one: one.template)


@each_path
def test_a_path_takes_the_parameters_that_x_describes(
    endpoint: Endpoint, generation: str, description: Description
) -> None:
    names, path = NAMES[generation], endpoint.template
    described = description.parameters(path)
    assert endpoint.parameters(names) == set(described)
    for parameter in names.parameters(endpoint.answers):
        known = names.fields.get(parameter) or names.expansions[endpoint.answers]
        assert known == description.values(path, parameter), parameter
    if endpoint.sizes:
        size = described["max_results"]
        assert endpoint.sizes[:2] == (size["minimum"], size["maximum"])
    assert endpoint.scopes == description.scopes(path)
    assert (endpoint.limits[0] is not None) == description.takes_app_only(path)


def everything(endpoint: Endpoint, names: Names) -> dict[str, str]:
    """A query for all fields and expansions."""
    known = {**names.fields, "expansions": names.expansions[endpoint.answers]}
    return {one: ",".join(sorted(known[one])) for one in names.parameters(endpoint.answers)}


def address(x: FakeX, endpoint: Endpoint, force: User) -> tuple[str, dict[str, str]]:
    """The path for the main account or its list, and what it must be asked with."""
    an_id = next(iter(x.world.lists)) if "/lists/{id}" in endpoint.template else force.id
    path = endpoint.template.replace("{id}", an_id).replace("{username}", "Person17")
    if "ids" in endpoint.plain:
        return path, {"ids": ",".join([*x.world.posts][:100])}
    if "query" in endpoint.plain:
        asking = next(one for one in x.world.posts.values() if one.text.startswith("Asking"))
        return path, {"query": f"conversation_id:{asking.id}"}
    return path, {}


@each_path
@pytest.mark.parametrize("asked", ["nothing", "everything"])
def test_an_answer_is_as_x_describes_it(
    endpoint: Endpoint, asked: str, generation: str, description: Description
) -> None:
    with FakeX(generation, now_ms=lambda: NOW) as x:
        path, query = address(x, endpoint, fill(x))
        query |= {"max_results": str(endpoint.sizes[1])} if endpoint.sizes else {}
        query |= everything(endpoint, NAMES[generation]) if asked == "everything" else {}
        answer = get(x, path, query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]
    description.judge(endpoint.template, answer.json())


def test_every_kind_of_thing_and_problem_was_among_those_answers(generation: str) -> None:
    with FakeX(generation, now_ms=lambda: NOW) as x:
        force, names = fill(x), NAMES[generation]
        endpoint = ENDPOINTS["/2/users/{id}/tweets"]
        posts = get(
            x, f"/2/users/{force.id}/tweets", {**everything(endpoint, names), "max_results": "100"}
        ).json()
    assert {name: len(things) > 0 for name, things in posts["includes"].items()} == {
        "users": True,
        names.outer("posts"): True,
        "media": True,
    }
    assert {one["type"] for one in posts["includes"]["media"]} == {"photo", "video", "animated_gif"}
    assert {one["title"] for one in posts["errors"]} == {
        "Not Found Error",
        "Forbidden",
        "Authorization Error",
    }
    fields = {field for post in posts["data"] for field in post}
    assert {"withheld", "attachments", "community_id", names.outer("note_post"), "entities"} <= fields
    kinds = {one["type"] for post in posts["data"] for one in post.get(names.outer("referenced_posts"), ())}
    assert kinds == {"replied_to", "quoted", "retweeted"}


def test_a_name_that_x_does_not_describe_is_caught(generation: str, description: Description) -> None:
    with FakeX(generation, now_ms=lambda: NOW) as x:
        force = fill(x)
        x.world.posts[str(x.world.written(force.id)[-1])].extra = {"invented": 1}
        answer = get(x, f"/2/users/{force.id}/tweets").json()
    with pytest.raises(jsonschema.ValidationError, match="invented"):
        description.judge("/2/users/{id}/tweets", answer)
