"""Which names X takes, learnt from what it refuses."""

import json
from typing import Any

import msgspec
import pytest

from archiver.settings.api import ApiSettings
from archiver.sources.x_api.errors import NamesError
from archiver.sources.x_api.fields import GENERATIONS, Generation, Group, other_generation
from archiver.sources.x_api.names import VITAL, Learnt, Names, refused_names

GROUPS: tuple[Group, ...] = Group.__args__  # type: ignore[attr-defined]


def names(learnt: Learnt | None = None, fixed: str = "auto") -> Names:
    return Names(ApiSettings(field_names=fixed), learnt or Learnt())  # type: ignore[arg-type]


def refusal(*refused: str) -> NamesError:
    """Of whole parameters, as `post.fields`, or single values, as `post.fields=article`."""
    values = tuple(one for one in refused if "=" in one)
    return NamesError("X refuses", None, tuple(one for one in refused if "=" not in one), values)


def told(message: str, parameters: Any) -> bytes:
    return json.dumps(
        {"errors": [{"message": message, "parameters": parameters}], "title": "Invalid Request"}
    ).encode()


# What is used


def test_the_newer_names_are_tried_first() -> None:
    assert names().current("posts")[0] == "post"
    assert names().learnt == Learnt()


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_the_last_run_found_is_tried_first_and_the_settings_before_that(generation: Generation) -> None:
    other = other_generation(generation)
    assert names(Learnt(generation)).current("posts")[0] == generation
    assert names(Learnt(other), fixed=generation).current("posts")[0] == generation


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("group", GROUPS)
def test_what_was_taken_is_remembered(generation: Generation, group: Group) -> None:
    known = names(Learnt(generation))
    known.confirm(generation, group)
    assert known.learnt == Learnt(generation)


def test_an_answer_to_names_no_longer_used_tells_nothing() -> None:
    known = names()
    known.confirm("tweet", "posts")
    assert known.learnt.generation is None


def test_names_that_the_settings_fix_are_not_remembered() -> None:
    known = names(fixed="tweet")
    known.confirm("tweet", "posts")
    assert known.learnt.generation is None


# A refusal


@pytest.mark.parametrize(
    "refused", ["post.fields", "user.fields=subscribes_to_you", "expansions=referenced_posts"]
)
def test_a_name_of_one_generation_alone_changes_to_the_other(refused: str) -> None:
    known = names()
    assert known.learn("post", "posts", refusal(refused))
    assert known.current("posts")[0] == "tweet"
    assert known.learnt.refused == ()


def test_a_generation_that_was_taken_is_kept() -> None:
    known = names()
    known.confirm("post", "posts")
    assert known.learn("post", "posts", refusal("user.fields=subscribes_to_you"))
    assert known.current("posts")[0] == "post"
    assert known.newly_refused == ["user.fields=subscribes_to_you"]


def test_each_generation_is_tried_once() -> None:
    known = names()
    assert known.learn("post", "posts", refusal("post.fields"))
    assert not known.learn("tweet", "posts", refusal("tweet.fields"))
    assert known.current("posts")[0] == "tweet"
    assert known.learnt == Learnt()


def test_a_field_that_both_generations_have_is_left_out_and_says_nothing_of_the_generation() -> None:
    known = names()
    assert known.learn("post", "posts", refusal("user.fields=parody", "media.fields=alt_text"))
    generation, parameters = known.current("posts")
    assert generation == "post"
    assert "parody" not in parameters["user.fields"].split(",")
    assert "alt_text" not in parameters["media.fields"].split(",")
    assert known.newly_refused == ["media.fields=alt_text", "user.fields=parody"]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_field_refused_of_a_parameter_that_was_taken_says_nothing_of_the_generation(
    generation: Generation,
) -> None:
    """`post.fields=article` and `tweet.fields=article` are the same field: X knows the parameter."""
    known = names(Learnt(generation))
    assert known.learn(generation, "posts", refusal(f"{generation}.fields=article"))
    assert known.current("posts")[0] == generation
    assert known.learnt.refused == (f"{generation}.fields=article",)


def test_what_another_thread_has_changed_is_asked_with_again() -> None:
    known = names()
    assert known.learn("post", "posts", refusal("post.fields"))
    assert known.learn("post", "posts", refusal("post.fields"))
    assert known.current("posts")[0] == "tweet"


@pytest.mark.parametrize(
    "refused", ["pagination_token", "max_results=5", "post.fields=invented", "poll.fields"]
)
def test_a_refusal_of_what_is_not_ours_to_leave_out_changes_nothing(refused: str) -> None:
    known = names()
    known.confirm("post", "posts")
    assert not known.learn("post", "posts", refusal(refused))
    assert known.learnt == Learnt("post")


def test_a_field_refused_twice_changes_nothing_the_second_time() -> None:
    known = names(Learnt("post", ("user.fields=parody",)))
    known.confirm("post", "posts")
    assert not known.learn("post", "posts", refusal("user.fields=parody"))
    assert known.newly_refused == []


@pytest.mark.parametrize("name", sorted(VITAL))
def test_what_a_record_is_none_without_is_never_left_out(name: str) -> None:
    for generation in GENERATIONS:
        for group in GROUPS:
            known = names(fixed=generation)
            for parameter, text in known.current(group)[1].items():
                if name in text.split(","):
                    assert not known.learn(generation, group, refusal(f"{parameter}={name}"))
            assert known.learnt.refused == ()


def test_every_vital_name_is_one_that_is_asked_for() -> None:
    asked = {
        value
        for generation in GENERATIONS
        for group in GROUPS
        for text in names(fixed=generation).current(group)[1].values()
        for value in text.split(",")
    }
    assert asked >= VITAL


def test_what_is_remembered_comes_back_as_it_was() -> None:
    learnt = Learnt("tweet", ("tweet.fields=article",))
    assert msgspec.json.decode(msgspec.json.encode(learnt), type=Learnt) == learnt


# X's words


@pytest.mark.parametrize(
    ("message", "parameters", "found"),
    [
        (
            "The query parameter [post.fields] is not one of [a,b]", {"post.fields": ["x,y"]},
            (("post.fields",), ()),
        ),
        (
            "The `post.fields` query parameter value [article] is not one of [id,text]",
            {"post.fields": ["article,id"]}, ((), ("post.fields=article",)),
        ),
        (
            "The `expansions` query parameter value [referenced_posts.id] is not one of [a]",
            {"expansions": ["a"]}, ((), ("expansions=referenced_posts.id",)),
        ),
        ("something else", {"max_results": ["5"]}, (("max_results",), ())),
        ("something else", {"odd name\n": ["5"], "": []}, ((), ())),
        ("something else", None, ((), ())),
        (None, {"expansions": ["a"]}, (("expansions",), ())),
    ],
)  # fmt: skip
def test_what_x_refuses_is_read_from_its_words(message: str, parameters: Any, found: Any) -> None:
    assert refused_names(told(message, parameters)) == found


def test_several_errors_in_one_answer_are_all_read() -> None:
    errors = [
        {"message": f"The `{one}` query parameter value [{value}] is not one of []", "parameters": {one: []}}
        for one, value in (("b.fields", "z"), ("a.fields", "y"), ("a.fields", "x"))
    ]
    assert refused_names(json.dumps({"errors": errors}).encode()) == (
        (), ("a.fields=x", "a.fields=y", "b.fields=z"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"5", b"{}", b'{"errors":5}', b'{"errors":[5]}', b"[" * 100_000, b"<html>"]
)
def test_words_that_are_not_understood_refuse_nothing(body: bytes) -> None:
    assert refused_names(body) == ((), ())
