"""What X really answered, 2021 to 2022: recorded exchanges, served again and asked for through the real
client, and pages that other archivers kept. Of people's words nothing is quoted here."""

import contextlib
import http.server
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest
import requests

from archiver.errors import SourceError
from archiver.records import Message, Post, Relation
from archiver.settings.api import ApiSettings, Credentials
from archiver.sources.base import Capture, Item
from archiver.sources.x_api.acts import ApiAct, perform
from archiver.sources.x_api.answer import Answer, cut_answer
from archiver.sources.x_api.client import XClient
from archiver.sources.x_api.endpoints import ENDPOINTS, Endpoint
from archiver.sources.x_api.names import Learnt, Names
from archiver.sources.x_api.pace import Pace, Patience
from archiver.sources.x_api.parse import parse_item
from archiver.sources.x_api.people import LIST_OF
from archiver.sources.x_api.reading import AnswerReading, read_answer
from archiver.sources.x_api.tokens import KeyChain
from tests.programs import SHARED_DATA, require_shared_data

NOW_MS = 1_793_000_000_000
RECORDED = "x-api/recorded-interactions.json"


@dataclass(frozen=True)
class Exchange:
    """A recorded request for one of our endpoints. `subject`: the id or handle in its path, if any."""

    endpoint: Endpoint
    subject: str | None
    path: str
    query: dict[str, Any]
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class RecordedAct:
    """A recorded request that changed something: what it was, for whom, and to what."""

    act: ApiAct
    account: str
    target: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


_ACTS: dict[tuple[str, str], tuple[ApiAct, ...]] = {
    ("PUT", "/2/tweets/(?P<target>[0-9]+)/hidden"): ("unhide", "hide"),
    ("DELETE", "/2/tweets/(?P<target>[0-9]+)"): ("remove",),
    ("POST", "/2/users/(?P<account>[0-9]+)/muting"): ("mute",),
    ("DELETE", "/2/users/(?P<account>[0-9]+)/muting/(?P<target>[0-9]+)"): ("unmute",),
}
"""By method and path; of hiding and showing the answer tells which it was."""


@cache
def _recorded_acts() -> list[RecordedAct]:
    """Empty where the test data is absent. Whom somebody muted is not in the path, nor recorded."""
    file = SHARED_DATA / RECORDED
    found = []
    for one in json.loads(file.read_text()) if file.exists() else ():
        for (method, pattern), acts in _ACTS.items():
            match = re.fullmatch(pattern, one["path"])
            if one["method"] == method and match is not None:
                named = match.groupdict()
                act = acts[one["body"]["data"].get("hidden") is True]
                account, target = named.get("account", "1"), named.get("target", "17")
                found.append(RecordedAct(act, account, target, one["path"], one["headers"], one["body"]))
    return found


def _matched(path: str) -> tuple[Endpoint, str | None] | None:
    for endpoint in ENDPOINTS.values():
        pattern = endpoint.path.replace("{id}", "([0-9]+)").replace("{username}", "([A-Za-z0-9_]+)")
        match = re.fullmatch(pattern, path)
        if match:
            return endpoint, match[1] if match.groups() else None
    return None


@cache
def _exchanges() -> list[Exchange]:
    """Empty where the test data is absent."""
    file = SHARED_DATA / RECORDED
    found = []
    for one in json.loads(file.read_text()) if file.exists() else ():
        matched = _matched(one["path"])
        if one["method"] == "GET" and one["status"] == 200 and matched is not None:
            found.append(Exchange(*matched, one["path"], one["query"], one["headers"], one["body"]))
    return found


@contextlib.contextmanager
def replaying(exchange: Exchange | RecordedAct) -> Iterator[tuple[str, list[str]]]:
    """A server that answers this request, and nothing else; the paths it was asked for."""
    body = json.dumps(exchange.body).encode()
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(urlsplit(self.path).path)
            known = asked[-1] == exchange.path
            self.send_response_only(200 if known else 404)
            for name, value in exchange.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body) if known else 0))
            self.end_headers()
            self.wfile.write(body if known else b"")

        do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815  # the library's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()


def connect(url: str, account: str, home: Path) -> XClient:
    """As a run connects an account."""
    settings, clock = ApiSettings(base_url=url), lambda: NOW_MS
    chain = KeyChain(
        Credentials(token="env:TOKEN"),
        settings,
        {"TOKEN": "a-token"},
        home,
        requests.Session(),
        clock,
        account,
    )
    return XClient(chain, settings, lambda identity: Pace(clock), Names(settings, Learnt()), clock, account)


def never(seconds: float) -> None:
    raise AssertionError(f"nothing recorded has to be waited for, and {seconds} seconds were")


def capture_of(endpoint: Endpoint, account: str, list_id: str | None = None) -> Capture:
    return Capture(
        key=0, source="x_api", route="api", platform="x", account=account, handle=None, name=None,
        request=f"GET {endpoint.path}", body_kind=endpoint.body_kind, layout="x-api-tweet", fetched_ms=NOW_MS,
        context={} if list_id is None else {LIST_OF: list_id}, status=200,
    )  # fmt: skip


def assert_read_in_place(capture: Capture, body: bytes, answer: Answer, reading: AnswerReading) -> None:
    """Each item's slices lie where it says, and give the record that the whole answer gives."""
    everything = [piece.data for some in answer.includes.values() for piece in some]
    for item in [*reading.items, *reading.gone]:
        for (_, piece), (offset, length) in zip(item.slices, item.places, strict=True):
            assert body[offset : offset + length] == piece
        slices = [piece for _, piece in item.slices]
        record = parse_item(capture, item.kind, slices)
        assert record == parse_item(capture, item.kind, [slices[0], *everything])
        if isinstance(record, Post | Message | Relation):
            assert record.platform_id == item.id


# Exchanges


def test_exchanges_of_most_endpoints_were_recorded() -> None:
    require_shared_data(RECORDED)
    found = _exchanges()
    assert len(found) == 32
    # A lookup is asked for in the same way for two reasons.
    assert {one.endpoint.body_kind for one in found} == ENDPOINTS.keys() - {"profile", "blocks", "moderated"}


def _named(exchange: Exchange) -> str:
    return f"{exchange.endpoint.body_kind}-{len(exchange.body.get('data', ()))}"


@pytest.mark.parametrize(
    "exchange", _exchanges() or [None], ids=lambda one: "absent" if one is None else _named(one)
)
def test_a_recorded_answer_is_fetched_and_read_whole(exchange: Exchange | None, tmp_path: Path) -> None:
    require_shared_data(RECORDED)
    assert exchange is not None
    endpoint = exchange.endpoint
    list_id = exchange.subject if endpoint.body_kind == "list_members" else None
    data = exchange.body.get("data", [])
    handle = exchange.subject if endpoint.body_kind == "author" else None
    account = "1" if handle else exchange.subject or (data["id"] if isinstance(data, dict) else "1")
    parameters = {name: ",".join(values) for name, values in exchange.query.items()}
    parameters |= {"username": handle} if handle else {}
    with replaying(exchange) as (url, asked):
        client = connect(url, account, tmp_path)
        subject = exchange.subject if endpoint.takes_id else None
        with contextlib.closing(client):
            fetched = client.fetch(endpoint, subject, parameters, Patience(0, never, lambda: 0.0))
    assert asked == [exchange.path]
    assert json.loads(fetched.body) == exchange.body
    assert exchange.headers.items() <= fetched.headers.items()
    capture = capture_of(endpoint, account, list_id)
    wanted = parameters.get("ids", "").split(",") if "ids" in parameters else ()
    reading = read_answer(capture, fetched.answer, endpoint, wanted)
    # These were asked for without fields, which is told.
    assert [one for one in reading.problems if "no post has a time" not in one.detail] == []
    assert reading.remarks == {}
    assert reading.refusal is None
    assert reading.meta.next_token == exchange.body.get("meta", {}).get("next_token")
    assert_read_in_place(capture, fetched.body, fetched.answer, reading)
    if endpoint.walk == "single":
        assert (reading.owner, reading.handle) == (data["id"], data["username"])
        assert [item.id for item in reading.items] == ([f"{data['id']}:author"] if handle else [])
        return
    ids = [f"{list_id}/{one['id']}" if list_id else one["id"] for one in data]
    assert [item.id for item in reading.items] == ids
    assert reading.resources == len(data)
    if "meta" in exchange.body:
        assert len(reading.items) == exchange.body["meta"]["result_count"]


def test_each_act_was_recorded_twice() -> None:
    require_shared_data(RECORDED)
    assert sorted(one.act for one in _recorded_acts()) == sorted([*get_args(ApiAct)] * 2)


@pytest.mark.parametrize(
    "recorded", _recorded_acts() or [None], ids=lambda one: "absent" if one is None else one.act
)
def test_a_recorded_act_is_understood_as_done(recorded: RecordedAct | None, tmp_path: Path) -> None:
    require_shared_data(RECORDED)
    assert recorded is not None
    with (
        replaying(recorded) as (url, asked),
        contextlib.closing(connect(url, recorded.account, tmp_path)) as client,
    ):
        said = perform(client, recorded.act, recorded.target, Patience(0, never, lambda: 0.0))
    words = {"hide": "hidden", "unhide": "not hidden", "remove": "deleted", "mute": "muted"}
    assert said.startswith(f"X says: {words.get(recorded.act, 'not muted')}")
    assert asked == [recorded.path]


# Pages that others kept


def lines_of(name: str) -> list[bytes]:
    return [line for line in (require_shared_data("x-api/pages") / name).read_bytes().splitlines() if line]


def objects_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    data = answer.get("data", [])
    return data if isinstance(data, list) else [data]


def read_page(body: bytes, body_kind: str = "recheck") -> tuple[Capture, AnswerReading]:
    """A page as posts looked up by their ids, in the account of the first one's author."""
    found = objects_of(json.loads(body))
    endpoint = ENDPOINTS[body_kind]
    capture = capture_of(endpoint, found[0].get("author_id", "1"))
    answer = cut_answer(body)
    reading = read_answer(
        capture, answer, endpoint, [one["id"] for one in found] if body_kind == "recheck" else ()
    )
    assert_read_in_place(capture, body, answer, reading)
    stated = json.loads(body).get("meta", {}).get("result_count", len(found))
    short = [] if stated == len(found) else ["count differs"]  # one page was shortened by who kept it
    assert [one.reason for one in reading.problems] == short
    assert reading.gone == []
    assert [item.id for item in reading.items] == list(dict.fromkeys(one["id"] for one in found))
    return capture, reading


def post_of(capture: Capture, item: Item) -> Post:
    record = parse_item(capture, item.kind, [piece for _, piece in item.slices])
    assert isinstance(record, Post)
    return record


PAGES = {
    "cotweet.jsonl": 1, "edited_after.jsonl": 1, "edited_before.jsonl": 1, "geo_tweets.jsonl": 2,
    "media_tweet.jsonl": 1, "mentions_tweet.jsonl": 1, "quoted_edit.jsonl": 1, "two_tweets.jsonl": 1,
    "verified_type.jsonl": 1, "withheld.jsonl": 215, "streaming_output_with_error.jsonl": 7,
}  # fmt: skip
"""By name, how many posts are in their data."""


@pytest.mark.parametrize("name", PAGES)
def test_every_post_of_a_kept_page_is_read_from_its_own_bytes(name: str) -> None:
    posts = 0
    for line in lines_of(name):
        try:
            answer = json.loads(line)
        except ValueError:  # a stream's last words
            with pytest.raises(SourceError):
                cut_answer(line)
            continue
        capture, reading = read_page(line)
        assert reading.remarks == {}
        for item, raw in zip(reading.items, objects_of(answer), strict=False):
            record = post_of(capture, item)
            posts += 1
            assert record.platform_id == raw["id"]
            assert record.author_id == raw["author_id"]
            assert record.posted_ms > 0
            assert record.like_count == raw["public_metrics"]["like_count"]
            assert len(record.media) == len(raw.get("attachments", {}).get("media_keys", ()))
            people = {one["id"]: one["username"] for one in answer["includes"].get("users", ())}
            assert record.author_handle == people.get(record.author_id or "")
            kinds = {one["type"]: one["id"] for one in raw.get("referenced_tweets", ())}
            assert (record.in_reply_to_id, record.quote_of_id, record.repost_of_id) == (
                kinds.get("replied_to"), kinds.get("quoted"), kinds.get("retweeted"),
            )  # fmt: skip
        remarks = {one.detail for one in reading.context if one.reason == "unknown layout"}
        assert remarks == {
            f"a part {part!r} that is not known" for part in ("__twarc", "matching_rules") if part in answer
        }
    assert posts == PAGES[name]


def test_the_versions_of_an_edited_post_are_one_record() -> None:
    (before,), (after,) = lines_of("edited_before.jsonl"), lines_of("edited_after.jsonl")
    records, edits = [], set()
    for line in (before, after):
        capture, reading = read_page(line)
        records.append(post_of(capture, reading.items[0]))
        edits |= reading.edit_ids
    chain = ("1576994746135764992", "1576994789110992896")
    assert [one.platform_id for one in records] == list(chain)
    assert [one.record_id for one in records] == [chain[0]] * 2
    assert [one.edit_ids for one in records] == [chain] * 2
    assert edits == set(chain)
    assert records[0].text != records[1].text
    assert records[0].posted_ms < records[1].posted_ms


def test_a_quote_and_a_reply_of_an_edited_post_name_the_version_they_meant() -> None:
    capture, reading = read_page(lines_of("quoted_edit.jsonl")[0])
    record = post_of(capture, reading.items[0])
    assert (record.quote_of_id, record.in_reply_to_id) == ("1576994746135764992", "1576994789110992896")
    assert record.record_id == record.platform_id == "1576995594388000768"


def test_what_is_withheld_or_gone_around_the_records_is_told_with_its_reason() -> None:
    found = [one for line in lines_of("withheld.jsonl") for one in read_page(line)[1].context]
    context = [one for one in found if one.reason == "context"]
    assert [one.detail for one in context] == [
        "deleted (referenced_tweets.id)", "deleted (referenced_tweets.id)",
        *["suspended (entities.mentions.username)"] * 3,
    ]  # fmt: skip
    assert all(re.fullmatch(r"(tweet|user) \w+", one.what) for one in context)


def test_a_repost_has_the_text_of_its_original_where_the_page_includes_it() -> None:
    whole = 0
    for line in lines_of("withheld.jsonl"):
        answer = json.loads(line)
        included = {one["id"]: one["text"] for one in answer["includes"].get("tweets", ())}
        capture, reading = read_page(line)
        for item in reading.items:
            record = post_of(capture, item)
            if record.repost_of_id is None:
                continue
            assert record.truncated == (record.repost_of_id not in included and record.text.endswith("…"))
            if record.repost_of_id in included and not included[record.repost_of_id].count("&"):
                assert record.text.endswith(included[record.repost_of_id])
                whole += 1
    assert whole > 20


def test_people_of_a_kept_page_are_relations_and_what_is_missing_context() -> None:
    (line,) = lines_of("users.jsonl")
    capture, reading = read_page(line, "following")
    people = objects_of(json.loads(line))
    named = {one["id"]: one["username"] for one in people}
    for item in reading.items:
        record = parse_item(capture, item.kind, [piece for _, piece in item.slices])
        assert isinstance(record, Relation)
        assert [(one.user_id, one.handle) for one in record.people] == [(item.id, named[item.id])]
    assert (len(people), len(reading.items)) == (96, len(named))
    reasons = [one.detail for one in reading.context if one.reason == "context"]
    assert len(reasons) == 8
    assert {one.rpartition(" ")[2] for one in reasons} == {"(ids)", "(pinned_tweet_id)"}
    assert {one.partition(" ")[0] for one in reasons} == {"deleted", "protected"}


def test_a_timeline_that_another_program_has_written_anew_is_read_as_far_as_it_goes() -> None:
    """It has an object where X has a list; each such post is named and kept."""
    folder = require_shared_data("x-api/pages/reuters")
    (data,), (people,) = folder.glob("data_*.json"), folder.glob("users_*.json")
    body = b'{"data":' + data.read_bytes().strip() + b',"includes":' + people.read_bytes().strip() + b"}"
    _, reading = read_page(body)
    assert len(reading.items) == 500
    assert {item.series for item in reading.items} == {"post"}
    assert {one.what for one in reading.remarks.values()} == {f"post {item.id}" for item in reading.items}
    assert reading.included == 33
