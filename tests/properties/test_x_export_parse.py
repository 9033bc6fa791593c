"""Parsers, times and ZIP files: on any bytes they answer or raise our own error."""

import contextlib
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.errors import ArchiverError
from archiver.records import RELATION_KINDS, Account, Gone, Message, Post, Relation
from archiver.sources.base import Batch, Capture
from archiver.sources.x.times import parse_time
from archiver.sources.x_export import Limits, XExport, parse_item
from archiver.sources.x_export.layouts import KIND_OF_BODY
from archiver.sources.x_export.posts import decode_bare, decode_wrapped, post_items
from tests.unit.sources.x_export import builder as make

BODIES = [*KIND_OF_BODY, "userDetails", "grailbird", "grailbirdCsv", "unheardOf"]
KINDS = ["post", "message", "account", "gone", *RELATION_KINDS]
TYPES = {"post": Post, "message": Message, "account": Account, "gone": Gone}
KEYS = [
    "tweet", "id_str", "id", "full_text", "text", "created_at", "entities", "urls", "expanded_url", "media",
    "user_mentions", "extended_entities", "video_info", "variants", "edit_info", "initial", "editTweetIds",
    "retweeted_status", "noteTweet", "core", "noteTweetId", "messageCreate", "mediaUrls", "reactions",
    "follower", "accountId", "like", "tweetId", "userListInfo", "url", "account", "profile", "description",
    "communityNote", "noteId", "article", "data", "deleted_at", "tweet_id", "screenNameChange", "hashtags",
]  # fmt: skip
ODD_TEXTS = ["RT @a: b…", make.FIRST_TIME, make.FIRST_ID, "https://x.com/a/status/1", "&amp;\0", "\ud83d"]
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(ODD_TEXTS)
)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=20,
)
spelled = values.map(lambda value: json.dumps(value).encode())


def capture(body_kind: str, header: str = "") -> Capture:
    return Capture(
        key=1,
        source="x_export",
        route="export",
        platform="x",
        account="1",
        handle="a",
        name="b",
        request="x!y",
        body_kind=body_kind,
        layout="x-2022",
        fetched_ms=1,
        context={"header": header} if header else {},
    )


@given(
    body=st.sampled_from(BODIES),
    kind=st.sampled_from(KINDS),
    slices=st.lists(st.binary(max_size=60) | spelled, max_size=3),
    header=st.sampled_from(["", "tweet_id,text,timestamp,expanded_urls", '"tweet_id']),
)
@settings(max_examples=1500, suppress_health_check=[HealthCheck.too_slow])
def test_parsing_any_bytes_gives_a_record_or_our_error(
    body: str, kind: str, slices: list[bytes], header: str
) -> None:
    told = capture(body, header)
    try:
        record = parse_item(told, kind, slices)
    except ArchiverError:
        return
    assert isinstance(record, TYPES.get(kind, Relation))
    assert record == parse_item(told, kind, slices)


@given(rows=st.lists(spelled, max_size=5), bare=st.booleans())
@settings(max_examples=600)
def test_every_post_that_becomes_an_item_can_be_parsed(rows: list[bytes], bare: bool) -> None:
    decoder = decode_bare if bare else decode_wrapped
    pairs: list[Any] = []
    for piece in rows:
        try:
            pairs.append((piece, decoder(piece)))
        except ValueError:
            pairs.append((piece, None))
    for item in post_items(pairs, 1, None, []):
        record = parse_item(capture("tweets"), "post", [piece for _, piece in item.slices])
        assert isinstance(record, Post)
        assert (record.platform_id, record.posted_ms) == (item.id, item.posted_ms)
        assert record.media == item.media
        assert "\0" not in record.text
        record.text.encode()


@given(
    st.text(max_size=40) | st.from_regex(r"\A[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \+0000 \d{4}\Z")
)
@settings(max_examples=600)
def test_any_text_is_a_time_in_range_or_none(text: str) -> None:
    found = parse_time(text)
    assert found is None or 1_136_073_600_000 <= found < 4_102_444_800_000


def read_all(path: Path) -> None:
    with (
        contextlib.suppress(ArchiverError),
        XExport.open(path, limits=Limits(element_bytes=1 << 20)) as source,
    ):
        captures = {}
        for event in source.events():
            if isinstance(event, Capture):
                captures[event.key] = event
            if isinstance(event, Batch):
                for item in event.items:
                    parse_item(captures[item.slices[0][0]], item.kind, [piece for _, piece in item.slices])


def sample() -> bytes:
    data = {
        "tweets": make.wrapped(make.post("21"), make.post("22", "x" * 300)),
        "note-tweet": [make.note("9", "x" * 400)],
        "direct-messages": [make.conversation("c", make.message("30", "Hello"))],
        "follower": [{"follower": {"accountId": "7"}}],
        "like": [{"like": {"tweetId": "5", "fullText": "a"}}],
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in make.export_files(data).items():
            archive.writestr(name, body)
    return buffer.getvalue()


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_zip_is_read_or_refused(tmp_path: Path, seed: int) -> None:
    whole, rng = sample(), random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    path = tmp_path / "x.zip"
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(rng.choice([1, 2, 10])):
            # half of the damage goes to the directory at the end
            start = rng.choice([0, len(whole) - 900])
            damaged[rng.randrange(start, len(whole))] = rng.randrange(256)
        path.write_bytes(bytes(damaged[: rng.choice([len(whole), len(whole), rng.randrange(len(whole))])]))
        read_all(path)


@pytest.mark.parametrize("seed", range(6))
def test_damaged_javascript_is_read_or_reported(tmp_path: Path, seed: int) -> None:
    data = {
        "tweets": make.wrapped(*(make.post(str(number)) for number in range(20))),
        "direct-messages": [make.conversation("c", make.message("30", "Hello"), make.message("31", "Bye"))],
        "account": [make.account()],
        "screen-name-change": [{"screenNameChange": {"screenNameChange": {"changedAt": "x"}}}],
        "tweet-headers": [{"tweet": {"tweet_id": "1"}}],
    }
    rng = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    for _ in range(40):
        files = {name: str(body).encode() for name, body in make.export_files(data).items()}
        for name in rng.sample(sorted(files), 2):
            body = bytearray(files[name])
            for _ in range(rng.choice([1, 3, 30])):
                body[rng.randrange(len(body))] = rng.choice(b'{}[]",:\\\0\xff=a1 ')
            files[name] = bytes(body[: rng.choice([len(body), rng.randrange(len(body))])])
        read_all(make.write_zip(tmp_path / "x.zip", files))
