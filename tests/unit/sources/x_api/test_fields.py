"""What is asked for is what X's own descriptions list, under both generations of their names."""

import pytest

from archiver.sources.x_api.endpoints import ENDPOINTS, Endpoint
from archiver.sources.x_api.fields import (
    GENERATIONS,
    LEFT_OUT,
    Generation,
    Group,
    other_generation,
    requested,
)
from tests.contracts.openapi import require_description

VERSIONS: dict[Generation, str] = {"tweet": "2.166", "post": "2.167"}
each_generation = pytest.mark.parametrize("generation", GENERATIONS)
each_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS)
GROUPS: tuple[Group, ...] = Group.__args__  # type: ignore[attr-defined]
WALKS = {
    "timeline": {"max_results", "pagination_token"},
    "snapshot": {"max_results", "pagination_token"},
    "single": set(),
    "lookup": {"ids"},
}
"""What a walk adds to the parameters that name fields."""


def words(group: Group, generation: Generation, refused: frozenset[str] = frozenset()) -> dict[str, set[str]]:
    return {name: set(text.split(",")) for name, text in requested(group, generation, refused).items()}


@each_generation
@each_endpoint
def test_all_that_x_lists_is_asked_for_but_what_is_left_out(
    endpoint: Endpoint, generation: Generation
) -> None:
    description = require_description(VERSIONS[generation])
    for parameter, asked in words(endpoint.group, generation).items():
        listed = description.values(endpoint.path, parameter)
        assert asked == listed - LEFT_OUT.keys(), parameter


@each_generation
@each_endpoint
def test_only_parameters_that_x_lists_for_a_path_are_sent(endpoint: Endpoint, generation: Generation) -> None:
    described = require_description(VERSIONS[generation]).parameters(endpoint.path)
    sent = words(endpoint.group, generation).keys() | WALKS[endpoint.walk]
    if endpoint.depth is not None:
        sent |= {"since_id", "until_id"}
    if endpoint.body_kind == "thread":
        sent |= {"query", "next_token"}
    assert sent <= described.keys()


@each_generation
@each_endpoint
def test_which_kinds_of_names_are_not_asked_for_is_on_purpose(
    endpoint: Endpoint, generation: Generation
) -> None:
    """People listed come without what stands around them: X may bill each thing it includes. Posts are
    asked for in full where they are the records, and not where they come with a person or a message."""
    described = require_description(VERSIONS[generation]).parameters(endpoint.path).keys()
    naming = {name for name in described if name.endswith(".fields") or name == "expansions"}
    posts = {"tweet": "tweet.fields", "post": "post.fields"}[generation]
    left_out = {
        "posts": set(), "lists": set(), "users": {"expansions", posts}, "profile": {posts},
        "messages": {posts},
    }  # fmt: skip
    assert naming - words(endpoint.group, generation).keys() == left_out[endpoint.group]


@each_generation
def test_every_name_left_out_is_one_that_x_lists_somewhere(generation: Generation) -> None:
    """Else it is out of date, or mistyped."""
    description = require_description(VERSIONS[generation])
    listed = {
        value
        for endpoint in ENDPOINTS.values()
        for parameter in description.parameters(endpoint.path)
        if parameter.endswith(".fields") or parameter == "expansions"
        for value in description.values(endpoint.path, parameter)
    }
    other = {"most_recent_tweet_id": "post", "most_recent_post_id": "tweet"}
    assert {name for name in LEFT_OUT if other.get(name) != generation} <= listed


@each_generation
@pytest.mark.parametrize("group", GROUPS)
def test_nothing_is_asked_for_twice_and_nothing_that_is_left_out(
    group: Group, generation: Generation
) -> None:
    for parameter, text in requested(group, generation).items():
        asked = text.split(",")
        assert len(asked) == len(set(asked)), parameter
        assert not set(asked) & LEFT_OUT.keys(), parameter


@each_generation
@pytest.mark.parametrize("group", GROUPS)
def test_no_e_mail_address_is_ever_asked_for(group: Group, generation: Generation) -> None:
    assert "email" not in str(requested(group, generation))


@each_generation
def test_a_refused_value_is_left_out_of_its_parameter_alone(generation: Generation) -> None:
    before = words("posts", generation)
    after = words("posts", generation, frozenset({"user.fields=url"}))
    assert before["user.fields"] - after["user.fields"] == {"url"}
    assert "url" in after["media.fields"]
    assert {**before, "user.fields": set()} == {**after, "user.fields": set()}


@each_generation
def test_a_refused_parameter_is_left_out_whole(generation: Generation) -> None:
    before, after = words("posts", generation), words("posts", generation, frozenset({"poll.fields"}))
    assert before.keys() - after.keys() == {"poll.fields"}


@each_generation
def test_a_parameter_of_which_everything_is_refused_is_not_sent_empty(generation: Generation) -> None:
    every = frozenset(f"expansions={one}" for one in words("lists", generation)["expansions"])
    assert "expansions" not in requested("lists", generation, every)


@each_generation
def test_what_is_refused_elsewhere_changes_nothing(generation: Generation) -> None:
    assert requested("users", generation, frozenset({"expansions", "post.fields=article"})) == requested(
        "users", generation
    )


def test_of_two_generations_each_is_the_others_other() -> None:
    assert [other_generation(one) for one in GENERATIONS] == list(reversed(GENERATIONS))


@pytest.mark.parametrize("group", GROUPS)
def test_the_generations_differ_in_every_group_so_that_a_refusal_tells_them_apart(group: Group) -> None:
    newer, older = (
        {f"{name}={one}" for name, values in words(group, generation).items() for one in values}
        for generation in GENERATIONS
    )
    assert newer - older
    assert older - newer
