"""An answer's bytes cut into what it holds, each piece at its place."""

import json
from typing import Any

import msgspec
import pytest

from archiver.errors import ArchiverError, SourceError
from archiver.sources.base import Capture
from archiver.sources.x_api.answer import NOT_THE_SHAPE, Answer, cut_answer, decode_shape
from archiver.sources.x_api.endpoints import ENDPOINTS
from archiver.sources.x_api.fields import Generation
from archiver.sources.x_api.reading import AnswerReading, read_answer
from archiver.sources.x_api.shapes import RawPost
from tests.fakes.x_names import TO_TWEET

ACCOUNT = "2000000001"
FETCHED_MS = 1_790_000_000_000
Document = dict[str, Any]

# Answers as the other tests of this folder make them


def told(body_kind: str, generation: Generation = "post", account: str = ACCOUNT, **more: Any) -> Capture:
    """The capture of an answer."""
    return Capture(
        key=7, source="x_api", route="api", platform="x", account=account, handle="SpringfieldPD", name=None,
        request=f"GET /2/{body_kind}?max_results=100", body_kind=body_kind, layout=f"x-api-{generation}",
        fetched_ms=FETCHED_MS, status=200, **more,
    )  # fmt: skip


def in_words_of(generation: Generation, thing: Any) -> Any:
    """A document, written with the newer names, as a generation has it."""
    if generation == "post":
        return thing
    if isinstance(thing, list):
        return [in_words_of(generation, one) for one in thing]
    if isinstance(thing, dict):
        return {TO_TWEET.get(name, name): in_words_of(generation, one) for name, one in thing.items()}
    return thing


def spelled(document: Any, generation: Generation = "post") -> bytes:
    return json.dumps(in_words_of(generation, document)).encode()


def read(
    body: bytes | Document,
    body_kind: str,
    generation: Generation = "post",
    asked: tuple[str, ...] = (),
    **more: Any,
) -> AnswerReading:
    """An answer, read."""
    data = body if isinstance(body, bytes) else spelled(body, generation)
    return read_answer(told(body_kind, generation, **more), cut_answer(data), ENDPOINTS[body_kind], asked)


# Where pieces lie


def assert_in_place(body: bytes, answer: Answer) -> None:
    pieces = [*answer.data, *(piece for some in answer.includes.values() for piece in some)]
    pieces += [piece for piece, _ in answer.errors]
    for piece in pieces:
        assert body[piece.offset : piece.offset + len(piece.data)] == piece.data


FULL = {
    "data": [{"id": "1", "text": "one"}, {"id": "2", "text": "two"}],
    "includes": {"users": [{"id": "5", "username": "a"}], "posts": [{"id": "1", "text": "one"}], "media": []},
    "errors": [{"title": "Not Found Error", "value": "9"}, {"title": "Forbidden", "value": "8"}],
    "meta": {"result_count": 2, "next_token": "abc", "newest_id": "2", "oldest_id": "1"},
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("separators", [(",", ":"), (" , ", " : ")])
def test_every_piece_lies_at_its_place_however_the_answer_is_written(
    indent: int | None, separators: tuple[str, str]
) -> None:
    body = json.dumps(FULL, indent=indent, separators=separators).encode()
    answer = cut_answer(body)
    assert [json.loads(one.data) for one in answer.data] == FULL["data"]
    assert {name: len(some) for name, some in answer.includes.items()} == {"users": 1, "posts": 1, "media": 0}
    assert [error.title for _, error in answer.errors] == ["Not Found Error", "Forbidden"]
    assert answer.meta.next_token == "abc"
    assert answer.remarks == []
    assert_in_place(body, answer)


def test_equal_objects_each_have_a_place_of_their_own() -> None:
    body = spelled({"data": [{"id": "1"}] * 3, "includes": {"posts": [{"id": "1"}]}})
    answer = cut_answer(body)
    places = [piece.offset for piece in (*answer.data, *answer.includes["posts"])]
    assert len(set(places)) == 4
    assert_in_place(body, answer)


def test_the_order_of_the_parts_does_not_matter() -> None:
    body = spelled({name: FULL[name] for name in ("meta", "errors", "includes", "data")})
    answer = cut_answer(body)
    assert len(answer.data) == 2
    assert answer.meta.result_count == 2
    assert_in_place(body, answer)


def test_of_two_parts_of_one_name_the_last_is_taken_and_found() -> None:
    body = b'{"data":[{"id":"1"}],"includes":{"users":[{"id":"5"}]},"data":[{"id":"2"},{"id":"1"}]}'
    answer = cut_answer(body)
    assert [json.loads(one.data)["id"] for one in answer.data] == ["2", "1"]
    assert_in_place(body, answer)


def test_data_can_be_one_object() -> None:
    body = b'{ "data" : {"id": "1"} }'
    answer = cut_answer(body)
    assert [one.data for one in answer.data] == [b'{"id": "1"}']
    assert_in_place(body, answer)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"errors":[]}', b'{"data":null}', b'{"data":[]}', b' {"meta":{"result_count":0}}\n']
)
def test_an_answer_may_hold_nothing(body: bytes) -> None:
    answer = cut_answer(body)
    assert (answer.data, answer.includes, answer.errors, answer.remarks) == ([], {}, [], [])


def test_a_part_that_is_not_known_is_named_and_its_name_cut() -> None:
    answer = cut_answer(spelled({"data": [], "notices": 5, "x" * 90: {}}))
    assert answer.remarks == ["a part 'notices' that is not known", f"a part '{'x' * 40}' that is not known"]


def test_every_kind_of_thing_included_is_kept_even_one_not_known() -> None:
    answer = cut_answer(
        spelled({"data": [], "includes": {"polls": [{"id": "1"}], "unheard_of": [{"a": 1}, 5]}})
    )
    assert {name: len(some) for name, some in answer.includes.items()} == {"polls": 1, "unheard_of": 2}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the answer is not the JSON expected"),
        (b"[]", "the answer is not the JSON expected"),
        (b'"data"', "the answer is not the JSON expected"),
        (b"{", "the answer is not the JSON expected"),
        (b'{"data":[]} more', "the answer is not the JSON expected"),
        (b'{"data":5}', "the answer's data is not as expected"),
        (b'{"data":"text"}', "the answer's data is not as expected"),
        (b'{"data":[],"includes":[]}', "the answer's includes is not as expected"),
        (b'{"data":[],"includes":{"users":{}}}', "the answer's includes is not as expected"),
        (b'{"data":[],"includes":null}', "the answer's includes is not as expected"),
        (b'{"errors":{}}', "the answer's errors is not as expected"),
        (b'{"meta":[]}', "the answer's meta is not as expected"),
        (b'{"meta":{"next_token":["a"]}}', "the answer's meta is not as expected"),
        (b'{"meta":{"next_token":"\xff"}}', "the answer's meta is not as expected"),
        (b'{"data":' + b"[" * 100_000, "the answer is not the JSON expected"),
    ],
)
def test_what_is_no_answer_is_named_with_what_to_do(body: bytes, words: str) -> None:
    with pytest.raises(SourceError) as caught:
        cut_answer(body)
    assert caught.value.message.startswith(words)
    assert caught.value.hint == NOT_THE_SHAPE


def test_an_error_of_odd_types_is_read_as_far_as_it_goes() -> None:
    ((_, error),) = cut_answer(spelled({"errors": [{"value": 900, "title": {}, "detail": "words"}]})).errors
    assert (error.value, error.title, error.detail) == ("900", None, "words")


def test_an_error_that_is_no_object_is_our_error() -> None:
    with pytest.raises(ArchiverError):
        cut_answer(b'{"errors":[5]}')


@pytest.mark.parametrize("half", [r"\ud83d", r"\udc00", r"\ud83d and more", r"\ud83d\ud83d", r"\\\ud83d"])
@pytest.mark.parametrize(
    "part", ['"data":[{"id":"1","text":"%s"},{"id":"2"}]', '"includes":{"users":[{"name":"%s"}]}']
)
def test_half_a_character_in_one_text_does_not_cost_the_whole_answer(half: str, part: str) -> None:
    """A text cut in the middle of a surrogate pair is X's usual way of cutting. The page must be kept, else
    no walk ever gets past it."""
    body = f'{{"meta":{{"next_token":"n"}},{part % half}}}'.encode()
    answer = cut_answer(body)
    assert len(answer.data) + len(answer.includes.get("users", ())) == (2 if "data" in part else 1)
    assert answer.meta.next_token == "n"
    assert_in_place(body, answer)


def test_bytes_that_are_no_text_do_not_cost_the_whole_answer_and_are_kept_as_they_came() -> None:
    body = b'{"data":[{"id":"1","text":"a\xffb\xe2\x82"},{"id":"2","text":"\xc3\xa9"}],"extra\xff":1}'
    answer = cut_answer(body)
    assert [piece.data for piece in answer.data] == [
        b'{"id":"1","text":"a\xffb\xe2\x82"}', b'{"id":"2","text":"\xc3\xa9"}',
    ]  # fmt: skip
    assert_in_place(body, answer)


@pytest.mark.parametrize("token", [rb"a\ud83d", b"a\xff"])
def test_the_name_of_a_page_is_never_put_right(token: bytes) -> None:
    """It would name another page, or none."""
    with pytest.raises(SourceError, match="meta is not as expected") as caught:
        cut_answer(b'{"data":[],"meta":{"next_token":"' + token + b'"}}')
    assert caught.value.hint == NOT_THE_SHAPE


# Objects as their shape


def test_a_field_of_another_type_is_left_out_and_named_and_the_others_are_kept() -> None:
    post, remarks = decode_shape(
        b'{"id":"1","text":["a"],"lang":"en"}', msgspec.json.Decoder(RawPost), RawPost
    )
    assert (post.id, post.text, post.lang) == ("1", None, "en")
    assert remarks == ["a text that is not understood"]


def test_a_number_where_a_text_belongs_is_taken_and_said() -> None:
    post, remarks = decode_shape(b'{"id":12345678901234567890}', msgspec.json.Decoder(RawPost), RawPost)
    assert post.id == "12345678901234567890"
    assert remarks == ["a field of another type than X's documents say"]


@pytest.mark.parametrize("depth", [400, 600, 900, 5_000, 100_000])
def test_an_object_nested_too_deep_is_our_error_or_is_read(depth: int) -> None:
    data = b'{"id":5,"deep":' + b"[" * depth + b"]" * depth + b"}"
    try:
        assert decode_shape(data, msgspec.json.Decoder(RawPost), RawPost)[0].id == "5"
    except ArchiverError as error:
        assert isinstance(error, SourceError)  # noqa: PT017  # either is right
