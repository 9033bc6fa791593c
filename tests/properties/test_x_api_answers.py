"""Answers of X's interface: on any bytes they are read or refused with our own error, and every slice lies
where it is said to."""

import contextlib
import json
import re
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from archiver.errors import ArchiverError
from archiver.records import RELATION_KINDS, Account, Gone, Message, Post, Relation
from archiver.sources.base import Capture
from archiver.sources.x_api.answer import Answer, cut_answer
from archiver.sources.x_api.endpoints import ENDPOINTS
from archiver.sources.x_api.names import refused_names
from archiver.sources.x_api.parse import parse_item
from archiver.sources.x_api.people import LIST_OF
from archiver.sources.x_api.reading import read_answer

KINDS = ["post", "message", "account", "gone", *RELATION_KINDS]
TYPES = {"post": Post, "message": Message, "account": Account, "gone": Gone}
KEYS = [
    "id", "text", "author_id", "created_at", "lang", "referenced_posts", "referenced_tweets", "type",
    "username", "edit_history_post_ids", "edit_history_tweet_ids", "note_post", "note_tweet", "article",
    "title", "entities", "urls", "url", "expanded_url", "mentions", "hashtags", "tag", "attachments",
    "media_keys", "media_key", "public_metrics", "like_count", "repost_count", "in_reply_to_user_id",
    "community_id", "name", "description", "profile_image_url", "verified", "event_type", "sender_id",
    "participant_ids", "dm_conversation_id", "owner_id", "variants", "bit_rate", "content_type",
    "plain_text", "value", "resource_id", "parameter", "detail", "withheld", "geo",
]  # fmt: skip
PARTS = [
    "data",
    "includes",
    "errors",
    "meta",
    "users",
    "posts",
    "tweets",
    "media",
    "result_count",
    "next_token",
]
ODD = [
    "1", "1001", "1-1001", "RT @a: b…", "2025-09-22T05:04:03.123Z", "retweeted", "quoted", "video/mp4", "3_1",
    "&amp;\0", "\ud83d", "https://pbs.twimg.com/media/a.jpg", "ids", "id", "Forbidden",
]  # fmt: skip
NEST = b"[" * 1_300 + b"]" * 1_300
"""Too deep for Python, which hypothesis gives a deeper stack than usual, and not for a decoder in C."""
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**30), 1 << 64])
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(ODD)
)
things = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=20,
)
objects = st.dictionaries(st.sampled_from(KEYS), things, max_size=8)


class Twice(dict[str, Any]):
    """Written with some of its members twice."""

    def items(self) -> Any:
        found = list(super().items())
        return [*found, *found[:2][::-1]]


def spell(value: Any) -> bytes:
    """As JSON, its half characters as bytes of their own where they are at the end."""
    return json.dumps(value, separators=(", ", ":")).encode()


answers = st.fixed_dictionaries(
    {},
    optional={
        "data": st.lists(objects, max_size=4) | objects | things,
        "includes": st.dictionaries(st.sampled_from(PARTS), st.lists(objects, max_size=3), max_size=3)
        | things,
        "errors": st.lists(objects, max_size=3) | things,
        "meta": st.dictionaries(st.sampled_from(PARTS), plain, max_size=3) | things,
        "notices": things,
    },
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """An answer, as it should be or harmed: cut, a byte changed, members twice, nested deep."""
    answer = draw(answers)
    body = spell(Twice(answer) if draw(st.booleans()) else answer)
    harm = draw(st.sampled_from(["none", "none", "none", "cut", "byte", "deep", "whole"]))
    place = draw(st.integers(0, max(0, len(body) - 1)))
    if harm == "cut":
        return body[:place]
    if harm == "byte":
        return body[:place] + draw(st.binary(min_size=1, max_size=2)) + body[place + 1 :]
    if harm == "deep":
        depth = draw(st.sampled_from([50, 600, 1_200, 1_600, 3_000, 200_000]))
        nest = b"[" * depth + b"]" * depth
        return re.sub(rb'(?<=": )[0-9]+|(?<=":)[0-9]+|null', lambda _: nest, body, count=1)
    return draw(st.binary(max_size=60)) if harm == "whole" else body


def told(body_kind: str) -> Capture:
    return Capture(
        key=1, source="x_api", route="api", platform="x", account="1001", handle="a", name=None,
        request="GET /2", body_kind=body_kind, layout="x-api-post", fetched_ms=1_790_000_000_000,
        context={LIST_OF: "14000"} if body_kind == "list_members" else {},
    )  # fmt: skip


def assert_pieces_lie_in(body: bytes, answer: Answer) -> None:
    pieces = [*answer.data, *(one for some in answer.includes.values() for one in some)]
    for piece in [*pieces, *(piece for piece, _ in answer.errors)]:
        assert body[piece.offset : piece.offset + len(piece.data)] == piece.data


@given(
    body=bodies(),
    body_kind=st.sampled_from(sorted(ENDPOINTS)),
    asked=st.lists(st.sampled_from(ODD), max_size=2),
)
@example(b'{"data":[{"id":5,"x":' + NEST + b"}]}", "posts", [])
@example(b'{"errors":[{"value":5,"x":' + NEST + b"}]}", "recheck", ["5"])
@example(b'{"data":[{"id":"1"}],"data":[{"id":"1"},{"id":"2"}]}', "posts", [])
@example(b'{"data":[{"id":"1","text":"{\\"id\\":\\"2\\"}"},{"id":"2"}]}', "posts", [])
@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
def test_any_answer_is_read_or_refused_and_its_slices_lie_where_they_are_said_to(
    body: bytes, body_kind: str, asked: list[str]
) -> None:
    capture, endpoint = told(body_kind), ENDPOINTS[body_kind]
    try:
        answer = cut_answer(body)
        assert_pieces_lie_in(body, answer)
        reading = read_answer(capture, answer, endpoint, asked)
    except ArchiverError:
        return
    for item in [*reading.items, *reading.gone]:
        for (_, piece), (offset, length) in zip(item.slices, item.places, strict=True):
            assert body[offset : offset + length] == piece
        record = parse_item(capture, item.kind, [piece for _, piece in item.slices])
        assert isinstance(record, TYPES.get(item.kind, Relation))
        if isinstance(record, Post):
            assert (record.platform_id, record.posted_ms) == (item.id, item.posted_ms)
            assert (record.media, record.truncated) == (item.media, item.truncated)
        elif isinstance(record, Message):
            assert (record.platform_id, record.posted_ms, record.media) == (
                item.id,
                item.posted_ms,
                item.media,
            )
        elif isinstance(record, Relation):
            assert record.platform_id == item.id


@given(kind=st.sampled_from(KINDS), slices=st.lists(st.binary(max_size=60) | objects.map(spell), max_size=4))
@example("post", [b'{"id":5,"x":' + NEST + b"}"])
@example("post", [b'{"id":"1","public_metrics":{"like_count":' + b"9" * 6000 + b"}}"])
@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
def test_parsing_any_bytes_gives_a_record_or_our_error(kind: str, slices: list[bytes]) -> None:
    with contextlib.suppress(ArchiverError):
        assert isinstance(parse_item(told("posts"), kind, slices), TYPES.get(kind, Relation))


@given(st.binary(max_size=80) | answers.map(spell) | things.map(spell))
@settings(max_examples=150)
def test_any_refusal_names_only_words(body: bytes) -> None:
    names, values = refused_names(body)
    assert all(re.fullmatch(r"[\w.]+", one) for one in names)
    assert all(re.fullmatch(r"[\w.]+=[\w.]+", one) for one in values)
