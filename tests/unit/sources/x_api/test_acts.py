"""Hiding, muting and removing through X's interface: done once, told truly, and refused in words."""

import logging
import logging.handlers
import traceback
from dataclasses import replace
from typing import Any, get_args

import pytest

from archiver.errors import ArchiverError, SourceError
from archiver.settings.api import ACTS, Credentials
from archiver.sources.x_api.acts import AGAIN, GONE, ApiAct, perform
from archiver.sources.x_api.errors import (
    AccountError,
    ActRefusedError,
    EverythingError,
    KindError,
    LateError,
)
from archiver.sources.x_api.fields import GENERATIONS
from archiver.sources.x_api.scopes import ACT_SCOPES, scopes_for
from archiver.sources.x_api.token_endpoint import TokenRefusedError
from tests.fakes.x_faults import (
    After,
    Answer,
    Cut,
    Dribble,
    Drop,
    Edit,
    JsonList,
    Lost,
    NotJson,
    Redirect,
    Slow,
    credits_depleted,
    problem,
    rate_limited,
    usage_capped,
)
from tests.unit.sources.x_api.test_client import APP, NOW_MS, TOKEN, Bench
from tests.unit.sources.x_api.test_client import bench as bench  # a fixture

ALL: tuple[ApiAct, ...] = get_args(ApiAct)
each_act = pytest.mark.parametrize("act", ALL)
DONE: dict[ApiAct, str] = {
    "hide": "X says: hidden",
    "unhide": "X says: not hidden any more",
    "remove": "X says: deleted",
    "mute": "X says: muted",
    "unmute": "X says: not muted any more",
}
PROBLEMS = "https://api.x.com/2/problems/"


class Desk:
    """A force with a post, a reply to it that is hidden and one that is not, and two people of whom it has
    muted one."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.x, world = bench, bench.x, bench.x.world
        self.force = bench.force
        self.person, self.muted = world.add_user("person17"), world.add_user("person18")
        self.post = world.add_post(self.force, "Road closed", NOW_MS - 9000)
        self.reply = world.add_post(self.person, "Why?", NOW_MS - 8000, reply_to=self.post)
        self.hidden = world.add_post(self.person, "Still?", NOW_MS - 7000, reply_to=self.post)
        self.others = world.add_post(self.person, "My own", NOW_MS - 6000)
        world.hidden.add(self.hidden.id)
        world.mute(self.force, self.muted)
        self.targets: dict[ApiAct, str] = {
            "hide": self.reply.id,
            "unhide": self.hidden.id,
            "remove": self.post.id,
            "mute": self.person.id,
            "unmute": self.muted.id,
        }

    def do(self, act: ApiAct, target: str | None = None, most: float | None = None) -> str:
        patience = self.bench.patience(most)
        return perform(self.bench.client, act, target or self.targets[act], patience)

    def refusal(
        self,
        kind: type[ArchiverError],
        act: ApiAct,
        target: str | None = None,
        most: float | None = None,
    ) -> str:
        """Message and hint of exactly this error. No secret is in it, nor in what a bug shows of it."""
        with pytest.raises(kind) as caught:
            self.do(act, target, most)
        assert type(caught.value) is kind
        text = f"{caught.value.message} ({caught.value.hint})"
        assert "horse" not in text + "".join(traceback.format_exception(caught.value))
        return text

    @property
    def acts(self) -> list[tuple[str, bool]]:
        """What X did, and whether that changed anything."""
        assert {one.user_id for one in self.x.acts} <= {self.force.id}
        return [(one.act, one.changed) for one in self.x.acts]

    def use_oauth1(self) -> None:
        keys = self.x.world.add_oauth1(self.force)
        values = {name: getattr(keys, name) for name in keys.__dataclass_fields__}
        self.bench.environ = {name.upper(): value for name, value in values.items()}
        self.bench.credentials = Credentials(**{name: f"env:{name.upper()}" for name in values})

    def fault(self, fault: Any, **more: Any) -> None:
        self.x.faults.add("/(hidden|muting)|/tweets/[0-9]+$", fault, **more)


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


# Done


@each_act
@pytest.mark.parametrize("way", ["oauth2", "oauth1"])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_an_act_is_done_once_and_what_x_says_of_it_is_told(
    desk: Desk, act: ApiAct, way: str, generation: str
) -> None:
    desk.x.generation = generation
    if way == "oauth1":
        desk.use_oauth1()
    assert desk.do(act) == DONE[act]
    assert desk.x.acts == [(act, desk.force.id, desk.targets[act], True)]
    (request,) = desk.x.requests  # and X was not asked first whose token it is
    assert request.headers["authorization"].startswith("OAuth " if way == "oauth1" else "Bearer ")
    assert desk.bench.slept == []


@each_act
def test_what_is_done_already_is_done(desk: Desk, act: ApiAct) -> None:
    desk.do(act)
    assert desk.do(act) == (GONE if act == "remove" else DONE[act])
    assert desk.acts == ([(act, True)] if act == "remove" else [(act, True), (act, False)])


@pytest.mark.parametrize(
    "answer",
    [
        problem(404, "Not Found Error", "Could not find tweet with id: [1]."),
        Answer(404, {"errors": [{"title": "Not Found Error", "detail": "No such post."}]}),
        Answer(200, {"errors": [{"title": "Not Found Error", "type": f"{PROBLEMS}resource-not-found"}]}),
    ],
)
def test_a_post_that_x_does_not_find_is_removed_already(desk: Desk, answer: Answer) -> None:
    desk.fault(answer)
    assert desk.do("remove") == GONE


def test_what_x_says_beside_a_thing_done_does_not_undo_it(desk: Desk) -> None:
    desk.fault(Answer(200, {"data": {"deleted": True}, "errors": [{"title": "Odd"}]}))
    assert desk.do("remove") == DONE["remove"]


@each_act
def test_a_token_that_ended_is_renewed_before_an_act(desk: Desk, act: ApiAct) -> None:
    path = desk.bench.keep_token(scopes=())
    scopes = " ".join(scopes_for([], ACTS))
    desk.x.world.add_token(TOKEN, desk.force, scopes.split(), NOW_MS + 7_200_000)
    desk.x.add_refresh_token("app-1", desk.force.id, scopes, "refresh-horse-0001")
    desk.x.world.revoke(TOKEN)
    assert desk.do(act) == DONE[act]
    assert desk.bench.statuses == [401, 200]
    assert desk.acts == [(act, True)]
    assert TOKEN.encode() not in path.read_bytes()


# Faults: asked again, done once

FAULTS: list[Any] = [
    Lost(), Drop(), Cut(), After(problem(503)), problem(500), problem(503), NotJson(), After(NotJson()),
    NotJson(502), Slow(2), JsonList(), Answer(200, b""), Answer(200, {}), Answer(200, {"data": None}),
    Answer(200, {"data": {}}), Answer(200, {"data": {"hidden": "yes", "deleted": 1, "muting": "no"}}),
    Answer(200, {"data": {"hidden": None}}), Answer(200, b"\xff"), Answer(200, b"[" * 100_000),
    Answer(200, {"errors": [{"title": "Odd", "type": f"{PROBLEMS}internal-error"}]}),
]  # fmt: skip


@each_act
@pytest.mark.parametrize("fault", FAULTS, ids=range(len(FAULTS)))
def test_after_a_fault_it_is_asked_again_and_changes_nothing_twice(
    desk: Desk, act: ApiAct, fault: Any
) -> None:
    desk.bench.change(read_timeout_seconds=1)
    desk.fault(fault)
    assert desk.do(act) in (DONE[act], GONE)
    assert [changed for _, changed in desk.acts].count(True) == 1
    assert desk.acts[0] == (act, True)
    assert len(desk.x.requests) == 2
    assert len(desk.bench.slept) == 1


@each_act
@pytest.mark.parametrize("fault", [Drop(), problem(503), NotJson(), Answer(200, {"data": {}})], ids=repr)
def test_a_fault_that_stays_is_late_and_says_that_it_can_be_asked_again(
    desk: Desk, act: ApiAct, fault: Any
) -> None:
    desk.fault(fault, times=None)
    assert desk.refusal(LateError, act).endswith(f", 3 times ({AGAIN})")
    assert len(desk.x.requests) == 3
    desk.x.faults.clear()
    assert desk.do(act) in (DONE[act], GONE)
    assert [changed for _, changed in desk.acts].count(True) == 1


def test_an_answer_that_dribbles_is_read_to_its_end(desk: Desk) -> None:
    desk.fault(Dribble(0.4))
    assert desk.do("hide") == DONE["hide"]
    assert desk.acts == [("hide", True)]


@each_act
def test_a_limit_is_waited_for(desk: Desk, act: ApiAct) -> None:
    desk.fault(rate_limited(reset=NOW_MS // 1000 + 60))
    assert desk.do(act) == DONE[act]
    assert desk.bench.statuses == [429, 200]
    assert desk.bench.slept == [61]
    assert desk.acts == [(act, True)]


def test_a_limit_longer_than_is_allowed_is_not_waited_for_and_nothing_is_done(desk: Desk) -> None:
    desk.fault(rate_limited(reset=NOW_MS // 1000 + 900))
    text = desk.refusal(LateError, "hide", most=60)
    assert "longer than a run may wait" in text
    assert AGAIN in text
    assert (desk.acts, desk.bench.slept) == ([], [])


def test_hiding_and_showing_share_a_limit_and_muting_has_another(desk: Desk) -> None:
    desk.x.limits["PUT /2/tweets/{tweet_id}/hidden"] = (None, 1)
    desk.x.limits["POST /2/users/{id}/muting"] = (None, 1)
    desk.do("hide")
    desk.do("mute")
    desk.bench.fetch("mutes")
    assert desk.bench.slept == []
    desk.do("unhide")
    assert desk.bench.slept == [901]


# Refused for good


@pytest.mark.parametrize(
    ("act", "target", "words"),
    [
        ("hide", "others", "X refuses to hide the reply {} (403): You are not allowed to hide or show"),
        ("hide", "post", "X refuses to hide the reply {} (403): You are not allowed to hide or show"),
        ("unhide", "others", "X refuses to show the reply {} (403): You are not allowed to hide or show"),
        ("remove", "reply", "X refuses to remove the post {} (403): You are not allowed to delete"),
        ("mute", "force", "X refuses to mute the user {} (403): You cannot mute yourself."),
        ("unmute", "force", "X refuses to unmute the user {} (403): You cannot mute yourself."),
    ],
)
def test_what_x_does_not_allow_is_told_with_what_it_allows(
    desk: Desk, act: ApiAct, target: str, words: str
) -> None:
    an_id = getattr(desk, target).id
    text = desk.refusal(ActRefusedError, act, an_id)
    assert text.startswith(words.format(an_id))
    rule = {"hide": "only replies in conversations that it began", "remove": "only its own posts"}
    assert rule.get("hide" if act == "unhide" else act, "mutes others, and for itself alone") in text
    assert f"archiver login x --account {desk.force.id}" in text
    assert (desk.acts, len(desk.x.requests)) == ([], 1)


@pytest.mark.parametrize("act", ["hide", "unhide", "mute", "unmute"])
def test_what_x_does_not_find_is_refused(desk: Desk, act: ApiAct) -> None:
    text = desk.refusal(ActRefusedError, act, "17")
    assert " 17 (404): Could not find " in text
    assert "X does not find it: look at it on X" in text
    assert (desk.acts, desk.bench.slept) == ([], [])


@each_act
@pytest.mark.parametrize(
    "body", [b"", b" \n", b"<html>Not found</html>", {"errors": [{"message": "code 34"}]}]
)
def test_a_path_that_is_not_served_is_told_as_that_and_a_post_not_as_gone(
    desk: Desk, act: ApiAct, body: Any
) -> None:
    desk.fault(Answer(404, body))
    assert "X does not serve this (404) (look for a newer archiver" in desk.refusal(ActRefusedError, act)


@each_act
def test_an_answer_that_says_that_it_is_not_done_is_believed(desk: Desk, act: ApiAct) -> None:
    def turn_round(document: Any) -> None:
        document["data"] = {name: not value for name, value in document["data"].items()}

    desk.fault(Edit(turn_round))
    words = {"hide": "not hidden", "unhide": "still hidden", "remove": "not deleted", "mute": "not muted"}
    text = desk.refusal(ActRefusedError, act)
    assert f"{desk.targets[act]}: it says {words.get(act, 'still muted')} (look at it on X; " in text
    assert len(desk.x.requests) == 1


@each_act
@pytest.mark.parametrize("title", ["Forbidden", "Authorization Error"])
def test_errors_instead_of_an_answer_are_told_in_xs_words(desk: Desk, act: ApiAct, title: str) -> None:
    desk.fault(Answer(200, {"errors": [{"title": title, "detail": f"Not for {TOKEN}."}]}))
    text = desk.refusal(ActRefusedError, act)
    assert f"{desk.targets[act]}: " in text
    assert "Not for [secret]." in text
    assert len(desk.x.requests) == 1


def test_a_bad_request_will_be_one_the_next_time(desk: Desk) -> None:
    body = {"title": "Invalid Request", "errors": [{"message": "odd", "parameters": {"id": ["1"]}}]}
    desk.fault(Answer(400, body))
    assert " (400): Invalid Request; odd (" in desk.refusal(ActRefusedError, "mute")


@each_act
def test_a_scope_that_the_token_lacks_is_named(desk: Desk, act: ApiAct) -> None:
    permission = {"unhide": "hide", "unmute": "mute"}.get(act, act)
    scopes = sorted(set().union(*(ACT_SCOPES[one] for one in ACTS if one != permission)))
    desk.bench.keep_token(scopes=tuple(scopes))
    desk.x.world.add_token(TOKEN, desk.force, scopes, NOW_MS + 7_200_000)
    (lacking,) = ACT_SCOPES[permission] - set(scopes)  # type: ignore[index]  # an act of the settings
    text = desk.refusal(ActRefusedError, act)
    assert f'(the token lacks the scope {lacking}: with "{permission}" in acts of [account.api], sign' in text
    assert desk.acts == []


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        (problem(403, kind=f"{PROBLEMS}client-forbidden"), "the plan of your developer account"),
        (Answer(403, {"title": "Forbidden", "reason": "client-not-enrolled"}), "the plan of your developer"),
        (problem(403, kind=f"{PROBLEMS}oauth1-permissions"), "let the app read and write in X's developer"),
        (Answer(403, b"<html>"), "look at the account on X and at the app's plan"),
        (JsonList(403), "look at the account on X and at the app's plan"),
    ],
)  # fmt: skip
def test_what_a_plan_or_an_app_does_not_include_is_told(desk: Desk, fault: Any, hint: str) -> None:
    desk.fault(fault)
    assert hint in desk.refusal(ActRefusedError, "hide")


def test_keys_of_oauth1_are_not_sent_to_sign_in(desk: Desk) -> None:
    desk.use_oauth1()
    text = desk.refusal(ActRefusedError, "hide", desk.others.id)
    assert "whether the app may write, not only read" in text
    assert "login" not in text


@each_act
def test_an_apps_own_token_is_sent_to_sign_in(desk: Desk, act: ApiAct) -> None:
    desk.bench.credentials = Credentials(bearer_token="env:APP")
    text = desk.refusal(ActRefusedError, act)
    assert text.endswith("(this needs a token of the account's own: archiver login x)")
    assert desk.acts == []


@pytest.mark.parametrize("target", ["", "1/hidden", "../users/1", "1?a=b", "12345678901234567890", "１２"])
def test_what_is_no_id_is_never_sent(desk: Desk, target: str) -> None:
    with pytest.raises(ActRefusedError, match="is no id of X"):
        perform(desk.bench.client, "hide", target, desk.bench.patience())
    assert desk.x.requests == []


# Not done, and perhaps another time


@each_act
@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (credits_depleted(), EverythingError, "X wants money first (402)"),
        (usage_capped(), EverythingError, "X's cap on use is reached (429)"),
        (problem(409, "Conflict"), KindError, "X refuses (409): Conflict"),
        (Redirect("http://127.0.0.1:9/elsewhere"), KindError, "X points elsewhere (302)"),
        (Answer(204), KindError, "X answers 204, of which nothing is known"),
        (Answer(202, {"data": {"hidden": True}}), KindError, "X answers 202, of which nothing is known"),
    ],
)
def test_what_may_be_otherwise_another_time_is_no_refusal_for_good(
    desk: Desk, act: ApiAct, fault: Any, kind: type[SourceError], words: str
) -> None:
    desk.fault(fault)
    assert words in desk.refusal(kind, act)
    assert (desk.acts, desk.bench.slept, len(desk.x.requests)) == ([], [], 1)


def test_a_body_larger_than_is_allowed_is_not_read(desk: Desk) -> None:
    desk.bench.change(answer_bytes=100)
    desk.fault(Answer(200, b"{" + b" " * 200))
    assert "PUT /2/tweets/{id}/hidden: an answer larger than 100 bytes" in desk.refusal(KindError, "hide")


@each_act
def test_a_token_that_x_does_not_take_is_the_accounts_trouble(desk: Desk, act: ApiAct) -> None:
    desk.bench.keep_token()
    desk.fault(problem(401), times=None)
    text = desk.refusal(AccountError, act)
    assert "X does not take this account's key (401)" in text
    assert f"archiver login x --account {desk.force.id}" in text
    assert (desk.bench.statuses, desk.acts) == ([401, 401], [])
    desk.bench.keep_token(refresh_token=None)
    desk.bench.clients.clear()
    desk.x.faults.clear()
    desk.x.world.revoke(TOKEN)
    desk.refusal(TokenRefusedError, act)


@each_act
@pytest.mark.parametrize("way", ["oauth2", "oauth1"])
def test_with_somebody_elses_token_nothing_is_asked(desk: Desk, act: ApiAct, way: str) -> None:
    if way == "oauth1":
        desk.use_oauth1()
    else:
        desk.bench.keep_token()
    desk.bench.force = replace(desk.force, id="99")
    text = desk.refusal(AccountError, act)
    assert text.startswith(f"the token is of the account {desk.force.id}, not of 99: nothing was asked of X")
    assert desk.x.requests == []


# Secrets


@pytest.mark.parametrize(
    ("act", "status"),
    [
        (act, status)
        for act in ALL
        for status in (400, 401, 402, 403, 404, 409, 429)
        if (act, status) != ("remove", 404)  # which repeats no words of X's
    ],
)
def test_a_token_in_xs_words_is_not_shown(desk: Desk, act: ApiAct, status: int) -> None:
    kind = f"{PROBLEMS}usage-capped" if status == 429 else "about:blank"
    desk.bench.credentials = Credentials(bearer_token="env:APP")
    desk.fault(problem(status, detail=f"Bearer {APP} is odd", kind=kind))
    with pytest.raises(SourceError) as caught:
        desk.do(act)
    assert "horse" not in "".join(traceback.format_exception(caught.value))
    assert "Bearer [secret] is odd" in caught.value.message


@each_act
@pytest.mark.parametrize("way", ["oauth2", "oauth1"])
def test_no_log_at_any_level_holds_a_secret(desk: Desk, act: ApiAct, way: str) -> None:
    if way == "oauth1":
        desk.use_oauth1()
    handler = logging.handlers.MemoryHandler(100_000, logging.CRITICAL + 10)
    root = logging.getLogger()
    names = ["", "tweepy.client", "oauthlib.oauth1.rfc5849", "requests_oauthlib.oauth1_auth", "urllib3"]
    levels = {name: logging.getLogger(name).level for name in names}
    try:
        root.addHandler(handler)
        for name in levels:
            logging.getLogger(name).setLevel(logging.DEBUG)
        desk.do(act)
    finally:
        root.removeHandler(handler)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    lines = [logging.Formatter().format(one) for one in handler.buffer]
    assert lines
    secrets = {one for client in desk.bench.clients for one in client.keys.secrets} - {"consumer-key-1"}
    assert secrets
    for word in (*secrets, "horse", "Bearer"):
        assert [line for line in lines if word in line] == []
