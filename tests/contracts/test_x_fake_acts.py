"""The fake of X changes what it is asked to, for whom X would let it, as X's own descriptions have it."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import requests
import tweepy
from requests_oauthlib import OAuth1

from tests.contracts.openapi import Description, require_description
from tests.fakes import x_faults
from tests.fakes.x_api import FakeX
from tests.fakes.x_names import ACTS, Endpoint, route
from tests.fakes.x_world import Post, User

NOW = 1_790_000_000_000
VERSIONS = {"tweet": "2.166", "post": "2.167"}
each_act = pytest.mark.parametrize("endpoint", ACTS.values(), ids=ACTS)


class Town:
    """A force with a post and a reply to it by `person`, and something of `person`'s own."""

    def __init__(self, x: FakeX) -> None:
        self.x, world = x, x.world
        self.force: User = world.add_user("SpringfieldPD", "Springfield Police")
        self.person: User = world.add_user("person17", "Person 17")
        world.add_token("force", self.force)
        world.add_token("person", self.person)
        world.add_token("app")
        self.post: Post = world.add_post(self.force, "Road closed", NOW - 9_000_000)
        self.reply: Post = world.add_post(self.person, "Why?", NOW - 8_000_000, reply_to=self.post)
        self.other: Post = world.add_post(self.person, "My own", NOW - 7_000_000)
        self.answer: Post = world.add_post(self.force, "Read on", NOW - 6_000_000, reply_to=self.other)

    def send(
        self, method: str, path: str, sent: Any = None, bearer: str = "force", **query: str
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {bearer}"}
        return requests.request(
            method, self.x.url + path, json=sent, params=query, headers=headers, timeout=20
        )

    def hide(self, post: Post, hidden: bool = True, bearer: str = "force") -> requests.Response:
        return self.send("PUT", f"/2/tweets/{post.id}/hidden", {"hidden": hidden}, bearer)

    def remove(self, post: Post, bearer: str = "force") -> requests.Response:
        return self.send("DELETE", f"/2/tweets/{post.id}", None, bearer)

    def mute(self, user: User, bearer: str = "force") -> requests.Response:
        return self.send("POST", f"/2/users/{self.force.id}/muting", {"target_user_id": user.id}, bearer)

    def unmute(self, user: User, bearer: str = "force") -> requests.Response:
        return self.send("DELETE", f"/2/users/{self.force.id}/muting/{user.id}", None, bearer)

    def do(self, endpoint: Endpoint, bearer: str = "force") -> requests.Response:
        """What an endpoint is for, as the force may do it."""
        return {
            "PUT /2/tweets/{tweet_id}/hidden": lambda: self.hide(self.reply, bearer=bearer),
            "DELETE /2/tweets/{id}": lambda: self.remove(self.post, bearer),
            "POST /2/users/{id}/muting": lambda: self.mute(self.person, bearer),
            "DELETE /2/users/{source_user_id}/muting/{target_user_id}": lambda: self.unmute(
                self.person, bearer
            ),
        }[endpoint.key]()


@pytest.fixture(params=["tweet", "post"])
def generation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def description(generation: str) -> Description:
    return require_description(VERSIONS[generation])


@pytest.fixture
def town(generation: str) -> Iterator[Town]:
    with FakeX(generation, now_ms=lambda: NOW) as x:
        yield Town(x)


def status(answer: requests.Response) -> tuple[int, str]:
    document = answer.json()
    return answer.status_code, document.get("title", "")


# As X describes it


@each_act
def test_an_act_has_the_scopes_and_tokens_that_x_describes(
    endpoint: Endpoint, description: Description
) -> None:
    assert endpoint.scopes == description.scopes(endpoint.template, endpoint.method)
    assert endpoint.limits[0] is None
    assert not description.takes_app_only(endpoint.template, endpoint.method)
    assert description.parameters(endpoint.template, endpoint.method) == {}


@each_act
def test_the_answer_to_an_act_is_as_x_describes_it(
    endpoint: Endpoint, town: Town, description: Description
) -> None:
    answer = town.do(endpoint)
    assert answer.status_code == 200, answer.text
    description.judge(endpoint.template, answer.json(), endpoint.method)
    with pytest.raises(jsonschema.ValidationError):
        description.judge(endpoint.template, {"data": {"invented": True}}, endpoint.method)


@pytest.mark.parametrize("act", ["hide_reply", "unhide_reply", "delete_tweet", "mute", "unmute"])
@pytest.mark.parametrize("way", ["oauth2", "oauth1"])
def test_what_tweepy_sends_is_as_x_describes_it_and_is_done(
    act: str, way: str, town: Town, description: Description
) -> None:
    """Through a session of requests that goes to the fake."""
    keys = town.x.world.add_oauth1(town.force)
    signed = way == "oauth1"
    client = tweepy.Client(**vars(keys)) if signed else tweepy.Client("force")
    client.session = _Elsewhere(town.x.url)
    target = {"delete_tweet": town.post.id, "mute": town.person.id, "unmute": town.person.id}
    getattr(client, act)(target.get(act, town.reply.id), user_auth=signed)
    sent = town.x.requests[-1]
    endpoint, _, _ = route(sent.method, sent.path)
    assert endpoint is not None
    assert (sent.status, sent.query) == (200, {})
    takes_body = description.takes_body(endpoint.template, endpoint.method)
    assert takes_body == (sent.document is not None)
    if takes_body:
        description.judge_sent(endpoint.template, sent.document, endpoint.method)
    assert [one.act for one in town.x.acts] == [
        {"hide_reply": "hide", "unhide_reply": "unhide", "delete_tweet": "remove"}.get(act, act)
    ]


class _Elsewhere(requests.Session):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        return super().request(method, url.replace("https://api.twitter.com", self._url), *args, **options)


# What is done, and for whom


def test_a_reply_is_hidden_and_shown_by_whoever_began_the_conversation(town: Town) -> None:
    assert town.hide(town.reply).json() == {"data": {"hidden": True}}
    assert town.x.world.hidden == {town.reply.id}
    assert town.hide(town.reply).json() == {"data": {"hidden": True}}
    assert town.hide(town.reply, False).json() == {"data": {"hidden": False}}
    assert town.x.world.hidden == set()
    force, reply = town.force.id, town.reply.id
    assert town.x.acts == [
        ("hide", force, reply, True), ("hide", force, reply, False), ("unhide", force, reply, True),
    ]  # fmt: skip


def test_what_is_no_reply_in_ones_own_conversation_is_not_hidden(town: Town) -> None:
    assert status(town.hide(town.reply, bearer="person")) == (403, "Forbidden")
    for post in (town.post, town.other, town.answer):
        assert status(town.hide(post)) == (403, "Forbidden")
    town.x.world.delete_post(town.post)
    assert town.hide(town.reply).status_code == 200  # whoever began it did, though that is gone
    assert [one.target_id for one in town.x.acts] == [town.reply.id]


def test_an_own_post_is_removed_with_all_its_versions(town: Town) -> None:
    edited = town.x.world.edit_post(town.post, "Road open", NOW)
    assert town.remove(town.post).json() == {"data": {"deleted": True}}
    found = town.send("GET", "/2/tweets", ids=f"{town.post.id},{edited.id}").json()
    assert [one["title"] for one in found["errors"]] == ["Not Found Error"] * 2
    assert status(town.remove(edited)) == (404, "Not Found Error")
    assert status(town.remove(town.reply)) == (403, "Forbidden")
    assert town.x.acts == [("remove", town.force.id, town.post.id, True)]


def test_somebody_is_muted_and_unmuted_by_the_tokens_own_user(town: Town) -> None:
    for _ in range(2):
        assert town.mute(town.person).json() == {"data": {"muting": True}}
    muted = town.send("GET", f"/2/users/{town.force.id}/muting").json()["data"]
    assert [one["id"] for one in muted] == [town.person.id]
    assert status(town.mute(town.person, "person")) == (403, "Forbidden")
    assert status(town.unmute(town.person, "person")) == (403, "Forbidden")
    assert status(town.mute(town.force)) == (403, "Forbidden")
    for _ in range(2):
        assert town.unmute(town.person).json() == {"data": {"muting": False}}
    assert town.x.world.muting[town.force.id] == []
    assert [(one.act, one.changed) for one in town.x.acts] == [
        ("mute", True), ("mute", False), ("unmute", True), ("unmute", False),
    ]  # fmt: skip


def test_what_is_not_there_or_not_to_be_seen_is_told_apart(town: Town) -> None:
    missing = Post("1", "1", "", NOW, "1", ["1"])
    assert status(town.hide(missing)) == status(town.remove(missing)) == (404, "Not Found Error")
    assert status(town.mute(User("1", "nobody", ""))) == (404, "Not Found Error")
    town.x.world.protect(town.person)
    assert status(town.hide(town.reply)) == (403, "Forbidden")
    assert town.x.acts == []


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("PUT", "/2/tweets/REPLY/hidden", None),
        ("PUT", "/2/tweets/REPLY/hidden", {"hidden": "yes"}),
        ("PUT", "/2/tweets/REPLY/hidden", {"hidden": True, "more": 1}),
        ("PUT", "/2/tweets/abc/hidden", {"hidden": True}),
        ("DELETE", "/2/tweets/abc", None),
        ("DELETE", "/2/tweets/REPLY?reason=none", None),
        ("POST", "/2/users/FORCE/muting", {"target_user_id": 17}),
        ("POST", "/2/users/FORCE/muting", {"target_user_id": "abc"}),
        ("DELETE", "/2/users/FORCE/muting/abc", None),
    ],
)
def test_what_is_sent_otherwise_is_refused(town: Town, method: str, path: str, sent: Any) -> None:
    path = path.replace("REPLY", town.reply.id).replace("FORCE", town.force.id)
    assert status(town.send(method, path, sent)) == (400, "Invalid Request")
    assert town.x.acts == []


@each_act
def test_an_act_needs_a_users_token_with_its_scope(endpoint: Endpoint, town: Town) -> None:
    assert status(town.do(endpoint, "app")) == (403, "Unsupported Authentication")
    town.x.world.add_token("reader", town.force, {"tweet.read", "users.read", "mute.read"})
    assert status(town.do(endpoint, "reader")) == (403, "Forbidden")
    assert status(town.do(endpoint, "unknown")) == (401, "Unauthorized")
    town.x.world.add_token("writer", town.force, endpoint.scopes)
    assert town.do(endpoint, "writer").status_code == 200


@each_act
def test_an_act_has_a_limit_of_its_own(endpoint: Endpoint, town: Town) -> None:
    town.x.limits[endpoint.key] = (None, 1)
    first, second = town.do(endpoint), town.do(endpoint)
    assert (first.status_code, first.headers["x-rate-limit-remaining"]) == (200, "0")
    assert status(second) == (429, "Too Many Requests")
    assert town.send("GET", f"/2/users/{town.force.id}/muting").status_code == 200
    assert len(town.x.acts) == 1


def test_a_signature_covers_an_act_but_not_what_is_sent_with_it(town: Town) -> None:
    keys = town.x.world.add_oauth1(town.force)
    good = OAuth1(keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret)
    address = f"{town.x.url}/2/tweets/{town.reply.id}/hidden"
    assert requests.put(address, json={"hidden": True}, auth=good, timeout=20).status_code == 200
    assert town.x.acts == [("hide", town.force.id, town.reply.id, True)]


# Faults


@pytest.mark.parametrize("fault", [x_faults.Cut(), x_faults.Drop()], ids=repr)
def test_a_connection_can_end_after_an_act(town: Town, fault: x_faults.Action) -> None:
    town.x.faults.add("/hidden$", fault)
    with pytest.raises(requests.RequestException):
        town.hide(town.reply)
    assert town.x.acts == [("hide", town.force.id, town.reply.id, True)]


def test_a_connection_can_end_before_an_act(town: Town) -> None:
    town.x.faults.add("/hidden$", x_faults.Lost())
    with pytest.raises(requests.ConnectionError):
        town.hide(town.reply)
    assert (town.x.acts, town.x.requests[-1].status) == ([], 0)


@pytest.mark.parametrize(
    "fault", [x_faults.problem(503), x_faults.NotJson(502), x_faults.JsonList(500)], ids=repr
)
def test_another_answer_can_come_instead_of_an_act_or_after_it(
    town: Town, fault: x_faults.Answer | x_faults.NotJson | x_faults.JsonList
) -> None:
    town.x.faults.add("/muting$", fault)
    town.x.faults.add("/muting$", x_faults.After(fault))
    assert town.mute(town.person).status_code == fault.status
    assert town.x.acts == []
    assert town.mute(town.person).status_code == fault.status
    assert town.x.acts == [("mute", town.force.id, town.person.id, True)]
    assert town.mute(town.person).status_code == 200


def test_a_fault_can_be_meant_for_one_method_of_a_path(town: Town) -> None:
    town.x.faults.add("/muting$", x_faults.problem(500), method="POST")
    assert town.send("GET", f"/2/users/{town.force.id}/muting").status_code == 200
    assert town.mute(town.person).status_code == 500


def test_an_answer_to_an_act_can_be_edited(town: Town) -> None:
    town.x.faults.add("/hidden$", x_faults.Edit(lambda document: document["data"].update(hidden=False)))
    assert town.hide(town.reply).json() == {"data": {"hidden": False}}
    assert town.x.world.hidden == {town.reply.id}
