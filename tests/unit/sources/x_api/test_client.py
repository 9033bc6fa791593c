"""Asking X over real HTTP: what is waited for, what is tried again, what ends a kind, an account, or all."""

import json
import logging
import logging.handlers
import queue
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from archiver.errors import ArchiverError, ConfigurationError, SourceError
from archiver.settings.api import ApiSettings, Credentials
from archiver.sources.x_api.client import Fetched, StaleTokenError, XClient
from archiver.sources.x_api.endpoints import ENDPOINTS
from archiver.sources.x_api.errors import (
    AccountError,
    EverythingError,
    KindError,
    LateError,
    NamesError,
)
from archiver.sources.x_api.fields import GENERATIONS, Generation, other_generation
from archiver.sources.x_api.names import MOST_CHANGES, VITAL, Learnt, Names
from archiver.sources.x_api.pace import Pace, Patience
from archiver.sources.x_api.token_endpoint import TokenRefusedError
from archiver.sources.x_api.tokens import KeyChain, UserToken
from tests.fakes.x_api import FakeX, Record
from tests.fakes.x_faults import (
    Answer,
    Cut,
    Dribble,
    Drop,
    JsonList,
    NotJson,
    Redirect,
    Slow,
    credits_depleted,
    problem,
    rate_limited,
    usage_capped,
)
from tests.fakes.x_world import User
from tests.unit.sources.x_api.test_session import serving

NOW_MS = 1_793_000_000_000
TOKEN, RENEWED_BY, APP = "access-horse-0001", "refresh-horse-0001", "app%2Fhorse"
"""Every secret here holds "horse", so that one search finds any."""
NOTHING = {"meta": {"result_count": 0}}
"""What X answers where there is nothing."""
SCOPES = "block.read dm.read list.read mute.read offline.access tweet.read users.read"


@dataclass
class Bench:
    """An account, X, and a clock that only waiting moves. `skew_ms`: X's clock less ours."""

    x: FakeX
    home: Path
    force: User
    settings: ApiSettings
    skew_ms: int = 0
    now_ms: int = NOW_MS
    slept: list[float] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=lambda: {"TOKEN": TOKEN, "APP": APP})
    credentials: Credentials = field(default_factory=lambda: Credentials(token="env:TOKEN"))
    learnt: Learnt = field(default_factory=Learnt)
    paces: dict[str, Pace] = field(default_factory=dict)
    clients: list[XClient] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.x.now_ms = lambda: self.now_ms + self.skew_ms
        self.names = Names(self.settings, self.learnt)

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.slept.append(seconds)
            self.now_ms += round(seconds * 1000)

    def change(self, **changes: Any) -> None:
        self.settings = replace(self.settings, **changes)
        self.names = Names(self.settings, self.learnt)

    def connect(self) -> XClient:
        clock = lambda: self.now_ms  # noqa: E731  # as short as it is
        chain = KeyChain(
            self.credentials, self.settings, self.environ, self.home, requests.Session(), clock, self.force.id
        )
        pace_of = lambda identity: self.paces.setdefault(identity, Pace(clock))  # noqa: E731
        client = XClient(chain, self.settings, pace_of, self.names, clock, self.force.id)
        self.clients.append(client)
        return client

    @property
    def client(self) -> XClient:
        return self.clients[0] if self.clients else self.connect()

    def patience(self, most: float | None = None) -> Patience:
        return Patience(self.settings.max_wait_seconds if most is None else most, self.sleep, lambda: 0.5)

    def fetch(self, kind: str = "posts", most: float | None = None, **parameters: Any) -> Fetched:
        endpoint = ENDPOINTS[kind]
        subject = self.force.id if endpoint.takes_id else None
        return self.client.fetch(endpoint, subject, parameters, self.patience(most))

    def refusal(self, kind: type[ArchiverError], endpoint: str = "posts", most: float | None = None) -> str:
        """Message and hint of exactly this error. No secret is in it, nor in what a bug shows of it."""
        with pytest.raises(kind) as caught:
            self.fetch(endpoint, most)
        assert type(caught.value) is kind
        text = f"{caught.value.message} ({caught.value.hint})"
        shown = "".join(traceback.format_exception(caught.value))
        assert "horse" not in text + shown
        return text

    @property
    def statuses(self) -> list[int]:
        return [one.status for one in self.x.requests if one.path != "/2/oauth2/token"]

    def keep_token(self, **changes: Any) -> Path:
        """A token in a file, which can be renewed."""
        self.x.world.add_token(TOKEN, self.force, SCOPES.split(), NOW_MS + 7_200_000)
        self.x.world.add_client("app-1", self.settings.redirect_uri)
        self.x.add_refresh_token("app-1", self.force.id, SCOPES, RENEWED_BY)
        self.change(client_id="app-1")
        token: dict[str, Any] = {
            "access_token": TOKEN, "refresh_token": RENEWED_BY, "expires_ms": NOW_MS + 7_200_000,
            "scopes": tuple(SCOPES.split()), "user_id": self.force.id,
        }  # fmt: skip
        path = self.home / "x.token"
        path.touch(0o600)
        path.write_bytes(UserToken(**token | changes).encode())
        self.credentials = Credentials(token="file:x.token")
        return path


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with FakeX("post") as x:
        force = x.world.add_user("SpringfieldPD", "Springfield Police")
        x.world.add_token(TOKEN, force)
        x.world.add_token(APP)
        for number in range(3):
            x.world.add_post(force, f"Post {number} of this account", NOW_MS - 1000 * number)
        settings = ApiSettings(
            base_url=x.url, connect_timeout_seconds=5, read_timeout_seconds=5, tries=3, max_wait_seconds=960
        )
        made = Bench(x, tmp_path, force, settings)
        yield made
        for client in made.clients:
            client.close()


def ids(fetched: Fetched) -> list[str]:
    return [json.loads(piece.data)["id"] for piece in fetched.answer.data]


# An answer


def test_an_answer_is_given_with_what_was_asked_when_it_came_and_all_its_bytes(bench: Bench) -> None:
    fetched = bench.fetch(max_results=100)
    assert len(ids(fetched)) == 3
    assert fetched.fetched_ms == NOW_MS
    assert fetched.generation == "post"
    assert fetched.request.startswith(f"GET /2/users/{bench.force.id}/tweets?")
    assert "max_results=100" in fetched.request
    assert json.loads(fetched.body)["meta"]["result_count"] == 3
    assert bench.slept == []


def test_a_large_answer_comes_packed_and_is_given_unpacked(bench: Bench) -> None:
    fetched = bench.fetch(max_results=100)
    assert fetched.headers["content-encoding"] == "gzip"
    assert int(fetched.headers["content-length"]) < len(fetched.body)
    assert fetched.body.startswith(b"{")


def test_only_headers_known_to_hold_no_credential_are_kept(bench: Bench) -> None:
    headers = {"set-cookie": "guest_id=horse", "x-horse": "horse", "x-transaction-id": "1"}
    bench.x.faults.add("tweets", Answer(200, NOTHING, headers))
    kept = bench.fetch().headers
    assert "horse" not in str(kept)
    assert kept["x-transaction-id"] == "1"
    assert {"date", "x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset"} <= kept.keys()


@pytest.mark.parametrize("kind", sorted(ENDPOINTS))
def test_every_kind_of_answer_can_be_asked_for(bench: Bench, kind: str) -> None:
    world, force = bench.x.world, bench.force
    person = world.add_user("person17")
    said = world.add_post(person, "Asking @SpringfieldPD", NOW_MS)
    for relate in (world.follow, world.block, world.mute):
        relate(force, person)
    world.follow(person, force)
    world.like(force, said)
    world.add_message(person, "Hello", [force], NOW_MS)
    owned = world.add_list(force, "Neighbours", [person], followers=[force.id])
    world.add_list(person, "Forces", [force])
    endpoint = ENDPOINTS[kind]
    parameters: dict[str, Any] = {"ids": said.id} if endpoint.walk == "lookup" else {}
    parameters |= {"max_results": endpoint.page} if endpoint.walk in ("timeline", "snapshot") else {}
    parameters |= {"thread": {"query": f"conversation_id:{said.id}"}, "author": {"username": "person17"}}.get(
        kind, {}
    )
    world.add_post(force, "Answering", NOW_MS, reply_to=said)
    subject = owned.id if kind == "list_members" else force.id if endpoint.takes_id else None
    fetched = bench.client.fetch(endpoint, subject, parameters, bench.patience())
    assert len(fetched.answer.data) == (4 if kind == "posts" else 1)
    expected = endpoint.path.replace("{id}", owned.id if kind == "list_members" else force.id)
    expected = expected.replace("{username}", "person17")
    assert [one.path for one in bench.x.requests] == [expected]  # and X was not asked first whose token it is
    assert fetched.request.startswith(f"GET {expected}?")


@pytest.mark.parametrize("kind", ["profile", "posts", "mentions", "followers", "following", "list_members"])
def test_an_apps_own_token_asks_for_what_is_public(bench: Bench, kind: str) -> None:
    bench.credentials = Credentials(bearer_token="env:APP")
    subject = bench.x.world.add_list(bench.force, "L").id if kind == "list_members" else bench.force.id
    bench.client.fetch(ENDPOINTS[kind], subject, {}, bench.patience())
    assert bench.x.requests[0].headers["authorization"] == f"Bearer {APP}"
    assert bench.statuses == [200]


@pytest.mark.parametrize(
    "kind", ["posts", "blocks", "mutes", "messages", "recheck", "profile", "owner", "thread", "author"]
)
def test_a_signature_is_made_for_the_address_that_is_asked(bench: Bench, kind: str) -> None:
    """The fake takes only a signature of its own address, with all parameters."""
    keys = bench.x.world.add_oauth1(bench.force)
    values = {name: getattr(keys, name) for name in keys.__dataclass_fields__}
    bench.environ = {name.upper(): value for name, value in values.items()}
    bench.credentials = Credentials(**{name: f"env:{name.upper()}" for name in values})
    found = sorted(bench.x.world.posts)
    parameters: dict[str, dict[str, Any]] = {
        "recheck": {"ids": ",".join(found)}, "author": {"username": "SpringfieldPD"},
        "thread": {"query": f"conversation_id:{found[0]}", "max_results": 10},
    }  # fmt: skip
    fetched = bench.fetch(kind, **parameters.get(kind, {}))
    assert bench.statuses == [200]
    assert bench.x.requests[0].user_id == bench.force.id
    assert bench.x.requests[0].headers["authorization"].startswith("OAuth ")
    if kind == "recheck":
        assert sorted(ids(fetched)) == found


def test_what_a_netrc_file_says_for_the_host_is_never_sent(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password horse\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    bench.fetch()
    assert bench.x.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


# Limits


@pytest.mark.parametrize("skew_ms", [0, 7_200_000, -7_200_000, 86_400_000 * 30, 499])
def test_a_limit_is_waited_for_until_it_ends_by_xs_clock(bench: Bench, skew_ms: int) -> None:
    bench.skew_ms = skew_ms
    reset = (NOW_MS + skew_ms) // 1000 + 300
    bench.x.faults.add("tweets", rate_limited(reset=reset))
    assert len(ids(bench.fetch())) == 3
    assert bench.statuses == [429, 200]
    ended_ms = bench.now_ms + skew_ms
    assert reset * 1000 <= ended_ms <= reset * 1000 + 3_000


@pytest.mark.parametrize("skew_ms", [0, 3_600_000, -3_600_000])
def test_no_request_is_made_that_the_last_answer_said_would_be_refused(bench: Bench, skew_ms: int) -> None:
    bench.skew_ms = skew_ms
    bench.x.limits["/2/users/{id}/tweets"] = (2, 2)
    for _ in range(5):
        bench.fetch()
    assert bench.statuses == [200] * 5
    assert len(bench.slept) == 2
    assert sum(bench.slept) == pytest.approx(1800, abs=4)


def test_each_path_has_a_limit_of_its_own(bench: Bench) -> None:
    bench.x.limits["/2/users/{id}/tweets"] = (1, 1)
    for kind in ("posts", "mentions", "profile", "mentions"):
        bench.fetch(kind)
    assert bench.slept == []


def test_a_limit_without_an_end_is_waited_for_longer_each_time(bench: Bench) -> None:
    bench.x.faults.add("tweets", rate_limited(), times=8)
    bench.fetch()
    assert bench.statuses == [429] * 8 + [200]
    # By chance between half of it and all: the chance here is a half.
    assert bench.slept == [1.5, 3, 6, 12, 24, 48, 90, 90]


def test_a_limit_without_an_end_is_not_waited_for_longer_than_is_allowed(bench: Bench) -> None:
    bench.x.faults.add("tweets", rate_limited(), times=None)
    text = bench.refusal(LateError, most=60)
    assert "X's rate limit is reached" in text
    assert "x_api.max_wait_seconds" in text
    assert 0 < sum(bench.slept) <= 60


def test_a_limit_that_ends_later_than_is_allowed_is_not_waited_for_at_all(bench: Bench) -> None:
    bench.x.faults.add("tweets", rate_limited(reset=NOW_MS // 1000 + 901))
    text = bench.refusal(LateError, most=900)
    assert "which is longer than a run may wait" in text
    assert bench.slept == []


def test_the_wait_allowed_is_for_all_requests_of_a_kind_together(bench: Bench) -> None:
    bench.x.limits["/2/users/{id}/tweets"] = (1, 1)
    patience = bench.patience(1000)
    endpoint = ENDPOINTS["posts"]
    for _ in range(2):
        bench.client.fetch(endpoint, bench.force.id, {}, patience)
    with pytest.raises(LateError):
        bench.client.fetch(endpoint, bench.force.id, {}, patience)
    assert sum(bench.slept) <= 1000


@pytest.mark.parametrize("reset", ["", "soon", "-5", "1e9", "9" * 30, "4102444800"])
def test_an_end_that_is_no_time_is_as_none(bench: Bench, reset: str) -> None:
    bench.x.faults.add("tweets", Answer(429, b"", {"x-rate-limit-reset": reset}, limits=False))
    bench.fetch()
    assert bench.slept == [1.5]


def test_a_limit_said_to_have_ended_already_is_asked_after_ever_more_rarely(bench: Bench) -> None:
    """Not every second: X may take more requests during a limit for an attack."""
    bench.x.faults.add("tweets", rate_limited(reset=NOW_MS // 1000 - 5), times=None)
    bench.refusal(LateError, most=900)
    assert sum(bench.slept) <= 900
    assert len(bench.x.requests) < 60


def test_clients_of_one_token_share_its_limits(bench: Bench) -> None:
    bench.x.limits["/2/users/{id}/tweets"] = (2, 2)
    one, two = bench.connect(), bench.connect()
    for client in (one, two, one):
        client.fetch(ENDPOINTS["posts"], bench.force.id, {}, bench.patience())
    assert bench.statuses == [200] * 3
    assert len(bench.slept) == 1


def test_clients_of_two_tokens_have_each_their_own(bench: Bench) -> None:
    bench.x.limits["/2/users/{id}/tweets"] = (1, 1)
    bench.fetch()
    bench.credentials = Credentials(bearer_token="env:APP")
    bench.connect().fetch(ENDPOINTS["posts"], bench.force.id, {}, bench.patience())
    assert bench.statuses == [200, 200]
    assert bench.slept == []


def test_threads_that_share_a_token_all_get_their_answers_within_its_limits(bench: Bench) -> None:
    bench.x.limits["/2/users/{id}/tweets"] = (5, 5)
    clients = [bench.connect() for _ in range(4)]
    failed: queue.SimpleQueue[BaseException] = queue.SimpleQueue()

    def ask(client: XClient) -> None:
        try:
            for _ in range(4):
                client.fetch(ENDPOINTS["posts"], bench.force.id, {}, bench.patience(100_000))
        except BaseException as error:  # noqa: BLE001  # told to the test below
            failed.put(error)

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed.empty()
    assert bench.statuses.count(200) == 16
    assert bench.statuses.count(429) <= 8


# What waiting does not help


@pytest.mark.parametrize(
    ("fault", "words"),
    [(usage_capped(), "X's cap on use is reached (429)"), (credits_depleted(), "X wants money first (402)")],
)
def test_money_ends_everything_and_nothing_is_waited_for(bench: Bench, fault: Answer, words: str) -> None:
    bench.x.faults.add("tweets", fault)
    text = bench.refusal(EverythingError)
    assert words in text
    assert "waiting does not help" in text
    assert bench.slept == []
    assert len(bench.x.requests) == 1


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        (problem(403, kind="https://api.x.com/2/problems/unsupported-authentication"), "archiver login x"),
        (problem(403, kind="https://api.x.com/2/problems/client-forbidden"), "the plan of your developer"),
        (Answer(403, {"title": "Forbidden", "reason": "client-not-enrolled"}), "the plan of your developer"),
        (problem(403), "a scope may be missing for posts"),
        (Answer(403, b""), "a scope may be missing for posts"),
        (Answer(403, b"\xff<html>"), "a scope may be missing for posts"),
        (JsonList(403), "a scope may be missing for posts"),
    ],
)  # fmt: skip
def test_what_is_forbidden_ends_one_kind_and_says_what_to_do(bench: Bench, fault: Any, hint: str) -> None:
    bench.x.faults.add("tweets", fault)
    text = bench.refusal(KindError)
    assert "X refuses (403)" in text
    assert hint in text
    assert bench.slept == []


def test_an_apps_own_token_for_messages_is_sent_to_sign_in(bench: Bench) -> None:
    bench.credentials = Credentials(bearer_token="env:APP")
    assert "this needs a token of the account's own: archiver login x" in bench.refusal(KindError, "messages")


def test_a_missing_scope_is_named(bench: Bench) -> None:
    bench.x.world.add_token(TOKEN, bench.force, ["tweet.read", "users.read"])
    assert "a scope may be missing for messages: sign in again" in bench.refusal(KindError, "messages")


def test_what_is_not_served_or_not_found_ends_one_kind_and_no_account_the_account(bench: Bench) -> None:
    bench.x.faults.add("tweets", Answer(404, b" \n"))
    assert "X does not serve this (404)" in bench.refusal(KindError)
    bench.x.faults.add("tweets", problem(404, detail="No such user."))
    assert "No such user." in bench.refusal(KindError)
    bench.x.faults.add("users/[0-9]+$", problem(404, detail="No such user."))
    with pytest.raises(AccountError, match="No such user") as caught:
        bench.connect().fetch(ENDPOINTS["profile"], bench.force.id, {}, bench.patience())
    assert "the account's id in the settings" in str(caught.value.hint)
    bench.x.faults.add("by/username", problem(404, detail="No such user."))
    with pytest.raises(KindError, match="No such user"):  # somebody else's account is not this one
        bench.client.fetch(ENDPOINTS["author"], None, {"username": "person17"}, bench.patience())


@pytest.mark.parametrize("status", [405, 410, 418, 451])
def test_any_other_refusal_ends_one_kind_with_xs_words(bench: Bench, status: int) -> None:
    bench.x.faults.add("tweets", problem(status, "Odd", "Something odd."))
    assert f"/2/users/{{id}}/tweets: X refuses ({status}): Something odd." in bench.refusal(KindError)


def test_no_redirect_is_followed(bench: Bench) -> None:
    with FakeX() as other:
        bench.x.faults.add("tweets", Redirect(f"{other.url}/2/users/me"))
        text = bench.refusal(KindError)
        assert other.requests == []
    assert "X points elsewhere (302)" in text


def test_what_x_says_is_shown_on_one_line_and_short(bench: Bench) -> None:
    bench.x.faults.add("tweets", problem(403, detail="one\n\ntwo\x1b[31m  " + "three " * 100))
    with pytest.raises(KindError) as caught:
        bench.fetch()
    message = caught.value.message
    assert "one two" in message
    assert "\n" not in message
    assert message.endswith("…")
    assert len(message) < 300


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 429, 500, 503])
def test_an_error_that_is_a_list_is_an_error_of_ours(bench: Bench, status: int) -> None:
    bench.x.faults.add("tweets", JsonList(status), times=None)
    with pytest.raises(SourceError):
        bench.fetch(most=100)


# Keys


def test_a_token_that_x_no_longer_takes_is_renewed_once_and_the_request_repeated(bench: Bench) -> None:
    path = bench.keep_token()
    bench.x.world.revoke(TOKEN)
    assert len(ids(bench.fetch())) == 3
    assert bench.statuses == [401, 200]
    assert TOKEN.encode() not in path.read_bytes()
    bench.fetch()
    assert bench.statuses == [401, 200, 200]


def test_a_token_that_is_refused_once_renewed_ends_the_account(bench: Bench) -> None:
    bench.keep_token()
    bench.x.faults.add("tweets", problem(401), times=None)
    text = bench.refusal(AccountError)
    assert bench.statuses == [401, 401]
    assert f"archiver login x --account {bench.force.id}" in text


def test_a_lookup_is_repeated_whole_after_a_renewal(bench: Bench) -> None:
    bench.keep_token()
    bench.x.world.revoke(TOKEN)
    found = sorted(bench.x.world.posts)
    assert sorted(ids(bench.fetch("recheck", ids=",".join(found)))) == found


def test_a_token_about_to_end_is_renewed_between_two_pages(bench: Bench) -> None:
    bench.keep_token()
    bench.fetch()
    bench.now_ms += 7_000_000
    bench.fetch()
    assert bench.statuses == [200, 200]
    assert [one.path for one in bench.x.requests].count("/2/oauth2/token") == 1
    assert bench.x.requests[-1].headers["authorization"] != f"Bearer {TOKEN}"


def test_a_token_that_cannot_be_renewed_ends_the_account(bench: Bench) -> None:
    bench.keep_token(refresh_token=None)
    bench.x.world.revoke(TOKEN)
    assert f"archiver login x --account {bench.force.id}" in bench.refusal(TokenRefusedError)


@pytest.mark.parametrize("way", ["bearer", "oauth1"])
def test_a_key_that_cannot_be_renewed_ends_the_account_at_once(bench: Bench, way: str) -> None:
    if way == "bearer":
        bench.credentials = Credentials(bearer_token="env:APP")
        bench.x.world.revoke(APP)
    else:
        names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        bench.environ = {name.upper(): f"horse-{name}" for name in names}
        bench.credentials = Credentials(**{name: f"env:{name.upper()}" for name in names})
    text = bench.refusal(AccountError)
    assert bench.statuses == [401]
    assert "X does not take this account's key (401)" in text
    assert "make a new key in X's developer portal" in text


@pytest.mark.parametrize("skew_ms", [7_200_000, -7_200_000])
def test_a_key_refused_where_the_clocks_differ_points_to_the_clock(bench: Bench, skew_ms: int) -> None:
    """A signature of OAuth 1.0a holds the time: with a clock that is wrong the first request is a 401."""
    bench.skew_ms = skew_ms
    bench.credentials = Credentials(bearer_token="env:APP")
    bench.x.faults.add("tweets", problem(401))
    assert "the clock here differs from X's by 7,2" in bench.refusal(AccountError)


def test_no_key_at_all_is_named_before_anything_is_asked(bench: Bench) -> None:
    bench.environ = {}
    with pytest.raises(ConfigurationError):
        bench.connect()
    assert bench.x.requests == []


# Names


@pytest.mark.parametrize("generation", ["post", "tweet"])
def test_a_server_of_either_generation_is_understood_and_remembered(
    bench: Bench, generation: Generation
) -> None:
    bench.x.generation = generation
    for kind in ("posts", "profile", "followers", "lists_owned", "messages"):
        assert bench.fetch(kind).generation == generation
    assert bench.statuses.count(400) == (0 if generation == "post" else 1)
    assert bench.names.learnt == Learnt(generation, ())


@pytest.mark.parametrize("kind", ["posts", "followers", "profile", "messages", "lists_owned"])
def test_either_generation_is_learnt_from_any_kind(bench: Bench, kind: str) -> None:
    for generation in GENERATIONS:
        bench.x.generation = generation
        bench.names = Names(bench.settings, Learnt(other_generation(generation)))
        bench.clients.clear()
        assert bench.fetch(kind).generation == generation
        assert bench.names.learnt.refused == ()


@pytest.mark.parametrize("generation", ["post", "tweet"])
def test_names_that_the_settings_fix_are_used_from_the_start_and_not_remembered(
    bench: Bench, generation: str
) -> None:
    bench.x.generation = generation
    bench.change(field_names=generation)
    assert bench.fetch().generation == generation
    assert bench.statuses == [200]
    assert bench.names.learnt.generation is None


def test_names_that_the_settings_fix_and_x_does_not_take_are_an_error_and_not_posts_without_fields(
    bench: Bench,
) -> None:
    bench.x.generation = "tweet"
    bench.change(field_names="post")
    assert "x_api.field_names" in bench.refusal(NamesError)


@pytest.mark.parametrize("known", [True, False], ids=["known", "first run"])
@pytest.mark.parametrize("generation", ["post", "tweet"])
def test_single_fields_that_x_refuses_are_asked_for_no_more(
    bench: Bench, generation: Generation, known: bool
) -> None:
    """X may refuse a field for an app's plan. It says nothing of the generation: the parameter was taken."""
    bench.x.generation = generation
    bench.names = Names(bench.settings, Learnt(generation if known else None))
    if known:
        bench.fetch()
        bench.x.requests.clear()
    bench.x.refused_fields = {"article", "paid_partnership", "geo.place_id"}
    fetched = bench.fetch()
    assert fetched.generation == generation
    assert len(ids(fetched)) == 3
    assert bench.statuses.count(400) <= 5
    fields = f"{generation}.fields"
    refused = ["expansions=geo.place_id", f"{fields}=article", f"{fields}=paid_partnership"]
    assert set(refused) <= set(bench.names.newly_refused)
    bench.x.requests.clear()
    bench.fetch()
    assert bench.statuses == [200]
    assert "lang" in bench.x.requests[-1].query[fields]


def test_what_was_refused_is_remembered_by_the_next_run(bench: Bench) -> None:
    bench.fetch()
    bench.x.refused_fields = {"article"}
    bench.fetch()
    bench.learnt = bench.names.learnt
    assert bench.learnt == Learnt("post", ("post.fields=article",))
    bench.names = Names(bench.settings, bench.learnt)
    bench.clients.clear()
    bench.fetch()
    assert bench.statuses == [200, 400, 200, 200]
    assert bench.names.newly_refused == []


@pytest.mark.parametrize("name", ["poll.fields", "author_id", "created_at", "note_post"])
def test_what_a_post_is_none_without_is_never_left_out(bench: Bench, name: str) -> None:
    bench.fetch()
    bench.x.refused_fields = {name}
    assert name in bench.refusal(NamesError)
    assert bench.names.learnt == Learnt("post", ())


def test_x_refusing_more_and_more_names_comes_to_an_end(bench: Bench) -> None:
    bench.fetch()
    asked = bench.names.current("posts")[1]
    every = [*asked["post.fields"].split(","), *asked["user.fields"].split(",")]
    bench.x.refused_fields = set(every) - VITAL
    assert f"X refused {MOST_CHANGES} names in a row" in bench.refusal(KindError)
    assert len(bench.x.requests) == MOST_CHANGES + 1


def test_a_bad_request_that_names_nothing_we_send_is_shown(bench: Bench) -> None:
    bench.x.faults.add("tweets", problem(400, detail="Something is wrong."))
    assert "Something is wrong." in bench.refusal(NamesError)
    assert bench.statuses == [400]


@pytest.mark.parametrize("kind", ["posts", "followers", "messages", "lists_owned"])
def test_a_page_that_x_no_longer_knows_is_told_apart_and_changes_no_names(bench: Bench, kind: str) -> None:
    with pytest.raises(StaleTokenError):
        bench.fetch(kind, pagination_token="forgotten")
    assert bench.names.learnt.refused == ()


# Faults that pass


FAULTS: dict[str, Any] = {
    "500": problem(500), "503": problem(503), "503 empty": Answer(503, b""), "503 list": JsonList(503),
    "502 page": NotJson(502), "page": NotJson(), "list": JsonList(), "empty": Answer(200, b""),
    "half": Answer(200, b'{"data":[{"id":"1"'), "cut": Cut(), "dropped": Drop(),
    "no gzip": Answer(200, b'{"data":[]}', {"content-encoding": "gzip"}),
    "neither records nor a count": Answer(200, {"data": [], "meta": {"next_token": "n"}}),
}  # fmt: skip
each_fault = pytest.mark.parametrize("name", FAULTS)


@each_fault
def test_a_passing_fault_is_tried_again(bench: Bench, name: str) -> None:
    bench.x.faults.add("tweets", FAULTS[name], times=2)
    assert len(ids(bench.fetch())) == 3
    assert bench.slept == [1.5, 3]
    assert len(bench.x.requests) == 3


@each_fault
def test_a_fault_that_stays_is_tried_so_often_and_then_late(bench: Bench, name: str) -> None:
    bench.x.faults.add("tweets", FAULTS[name], times=None)
    text = bench.refusal(LateError)
    assert "3 times" in text
    assert "/2/users/{id}/tweets" in text
    assert "the next run goes on from there" in text
    assert len(bench.x.requests) == 3
    assert len(bench.slept) == 2


@pytest.mark.parametrize("fault", [problem(503), rate_limited(), Drop(), NotJson()], ids=repr)
def test_a_lookup_is_repeated_whole_after_a_fault(bench: Bench, fault: Any) -> None:
    found = sorted(bench.x.world.posts)
    bench.x.faults.add("/2/tweets$", fault)
    assert sorted(ids(bench.fetch("recheck", ids=",".join(found)))) == found
    assert [one.query["ids"] for one in bench.x.requests] == [",".join(found)] * 2


@pytest.mark.parametrize("kind", ["posts", "followers", "lists_owned", "messages"])
def test_an_empty_answer_is_none_unless_it_says_that_there_is_nothing(bench: Bench, kind: str) -> None:
    """Else everybody would be taken for gone."""
    bench.x.faults.add("", Answer(200, {}), times=None)
    assert "holds neither records nor how many there are" in bench.refusal(LateError, kind)
    bench.x.faults.clear()
    bench.x.faults.add("", Answer(200, NOTHING), times=None)
    assert bench.fetch(kind).answer.data == []


def test_a_lookup_of_which_nothing_is_there_needs_no_count(bench: Bench) -> None:
    bench.x.faults.add("/2/tweets$", Answer(200, {}))
    assert bench.fetch("recheck", ids="1").answer.data == []


def test_a_fault_is_not_tried_again_for_longer_than_is_allowed(bench: Bench) -> None:
    bench.change(tries=100)
    bench.x.faults.add("tweets", problem(503), times=None)
    bench.refusal(LateError, most=20)
    assert sum(bench.slept) <= 20


def test_an_answer_that_does_not_come_in_time_is_tried_again(bench: Bench) -> None:
    bench.change(read_timeout_seconds=0.2, tries=2)
    bench.x.faults.add("tweets", Slow(0.6), times=2)
    assert "no answer in time, 2 times" in bench.refusal(LateError)


def test_an_answer_that_dribbles_is_not_waited_for_longer_than_ten_timeouts(bench: Bench) -> None:
    bench.change(read_timeout_seconds=0.15, tries=1)
    bench.x.faults.add("tweets", Dribble(2.8))  # a piece each 0.14 seconds
    before = time.monotonic()
    bench.refusal(LateError)
    assert time.monotonic() - before < 2.6


def test_an_answer_that_stops_in_the_middle_is_not_waited_for(bench: Bench) -> None:
    bench.change(read_timeout_seconds=0.2, tries=1)
    bench.x.faults.add("tweets", Dribble(40))  # a piece every two seconds
    before = time.monotonic()
    assert "no answer in time" in bench.refusal(LateError)
    assert time.monotonic() - before < 2


def test_a_certificate_that_is_not_trusted_is_named(bench: Bench, tmp_path: Path) -> None:
    with serving(tmp_path, "theirs") as other:
        bench.change(base_url=other.url)
        assert "the server's certificate cannot be trusted, 3 times" in bench.refusal(LateError)


def test_an_address_that_cannot_be_asked_is_named(bench: Bench) -> None:
    bench.change(base_url="gopher://127.0.0.1")
    assert "the request failed (InvalidSchema), 3 times" in bench.refusal(LateError)


def test_no_cookie_that_x_sets_is_sent_back(bench: Bench) -> None:
    """It would join what accounts of one program ask for."""
    bench.x.faults.add("tweets", Answer(200, NOTHING, {"set-cookie": "guest_id=1; Path=/"}))
    for _ in range(2):
        bench.fetch()
    assert all("cookie" not in one.headers for one in bench.x.requests)


def test_a_server_that_is_not_there_is_tried_again(bench: Bench) -> None:
    with FakeX() as gone:
        bench.change(base_url=gone.url)
    assert "no connection, 3 times" in bench.refusal(LateError)


def test_an_answer_of_a_shape_that_is_not_known_is_not_tried_again(bench: Bench) -> None:
    bench.x.faults.add("tweets", Answer(200, {"data": {"id": "1"}, "includes": []}))
    text = bench.refusal(KindError)
    assert "the answer's includes is not as expected" in text
    assert "look for a newer version of archiver" in text
    assert len(bench.x.requests) == 1


def test_an_answer_larger_than_is_allowed_is_not_read_and_not_tried_again(bench: Bench) -> None:
    bench.change(answer_bytes=100_000)
    bench.x.faults.add("tweets", Answer(200, {"data": [], "filler": "x" * 5_000_000}))
    text = bench.refusal(KindError)
    assert "an answer larger than 100,000 bytes" in text
    assert "x_api.answer_mebibytes" in text
    assert len(bench.x.requests) == 1


# Secrets


def test_a_token_that_x_sends_back_is_not_kept(bench: Bench) -> None:
    bench.x.faults.add("tweets", Answer(200, {"data": [{"id": "1", "text": f"so {TOKEN} it is"}]}))
    assert "X sent the token back in its answer, which is not kept" in bench.refusal(KindError)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 429])
def test_a_token_in_xs_words_is_not_shown(bench: Bench, status: int) -> None:
    kind = "https://api.x.com/2/problems/usage-capped" if status == 429 else "about:blank"
    bench.credentials = Credentials(bearer_token="env:APP")
    bench.x.faults.add("tweets", problem(status, detail=f"Bearer {APP} is odd", kind=kind))
    with pytest.raises(SourceError) as caught:
        bench.fetch()
    assert "horse" not in "".join(traceback.format_exception(caught.value))
    assert "Bearer [secret] is odd" in caught.value.message


def test_a_token_in_the_first_error_of_a_refusal_is_not_shown(bench: Bench) -> None:
    body = {"title": "Odd", "errors": [{"message": f"{TOKEN} is odd"}, {"message": TOKEN}]}
    bench.x.faults.add("tweets", Answer(403, body))
    assert "Odd; [secret] is odd" in bench.refusal(KindError)


@pytest.mark.parametrize("way", ["oauth2", "bearer", "oauth1"])
def test_no_log_at_any_level_holds_a_secret_or_a_body(bench: Bench, way: str) -> None:
    """A program around this one that logs everything, the libraries' own loggers named one by one."""
    if way == "oauth2":
        bench.keep_token()
        bench.x.world.revoke(TOKEN)
    elif way == "bearer":
        bench.credentials = Credentials(bearer_token="env:APP")
    else:
        keys = bench.x.world.add_oauth1(bench.force)
        bench.environ = {name.upper(): getattr(keys, name) for name in keys.__dataclass_fields__}
        bench.credentials = Credentials(**{name: f"env:{name.upper()}" for name in keys.__dataclass_fields__})
    handler = logging.handlers.MemoryHandler(100_000, logging.CRITICAL + 10)
    root = logging.getLogger()
    names = [
        "tweepy.client", "oauthlib.oauth1.rfc5849", "oauthlib.oauth2.rfc6749",
        "requests_oauthlib.oauth1_auth", "urllib3.connectionpool", "urllib3",
    ]  # fmt: skip
    levels = {name: logging.getLogger(name).level for name in names} | {"": root.level}
    try:
        root.addHandler(handler)
        for name in levels:
            logging.getLogger(name).setLevel(logging.DEBUG)
        bench.fetch()
        bench.x.faults.add("tweets", problem(403, detail="Words of X"))
        with pytest.raises(KindError):
            bench.fetch()
    finally:
        root.removeHandler(handler)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    lines = [logging.Formatter().format(one) for one in handler.buffer]
    assert any("urllib3" in one.name for one in handler.buffer)  # it does log
    secrets = {one for client in bench.clients for one in client.keys.secrets} - {"consumer-key-1"}
    assert secrets
    for line in lines:
        assert not [one for one in secrets if one in line]
        for word in ("horse", "of this account", "Words of X", "oauth_signature", "Bearer"):
            assert word not in line


def test_keys_and_clients_show_nothing_when_printed(bench: Bench) -> None:
    bench.keep_token()
    assert "horse" not in f"{bench.client.keys!r} {bench.client!r}"


def test_a_request_is_told_without_the_key_in_it(bench: Bench) -> None:
    fetched = bench.fetch()
    assert "horse" not in f"{fetched.request} {fetched.headers}"
    record: Record = bench.x.requests[0]
    assert TOKEN in record.headers["authorization"]  # it was sent
