"""What can be wrong with settings, keys, accounts and X's answers when collecting: a sentence that says what
and where, a hint, the right exit code, and whatever can be had is had. And no secret anywhere."""

import base64
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from archiver.times import system_clock
from tests.cli.runner import Result, Runner
from tests.collected import (
    HOUR_MS,
    MAIN,
    MINUTE_MS,
    Asked,
    XHome,
    add_force,
    fake_x,
    make_x_home,
    requests_of,
    wait_quickly,
)
from tests.fakes.x_api import FakeX
from tests.fakes.x_faults import Answer, Before, Cut, Drop, Edit, JsonList, NotJson, Redirect, problem
from tests.fakes.x_world import User
from tests.faults.folders import check_nothing_half, read_contents, same_but_once

KINDS = ("profile", "posts", "mentions")
POSTS = 30
TAKEN = POSTS + 4


@pytest.fixture
def x() -> Iterator[FakeX]:
    with fake_x() as started:
        yield started


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_quickly(monkeypatch)


@pytest.fixture
def force(x: FakeX) -> User:
    return add_force(x, posts=POSTS, mentions=4, messages=3)


def collect(run: Runner, home: XHome, *arguments: str) -> Result:
    result = run("--config", home.folder, "collect", *arguments)
    assert "Traceback" not in result.errors + result.output
    return result


def check_said(result: Result, code: int, sentence: str, hint: str) -> None:
    """The two lines, once, whatever else was printed."""
    assert result.code == code, result
    lines = result.errors.splitlines()
    assert len(lines) == 2, result.errors
    assert lines[0].startswith("archiver: error: ")
    assert sentence in lines[0], lines[0]
    assert lines[1].startswith("archiver: hint: ")
    assert hint in lines[1], lines[1]


def check_recovers(run: Runner, home: XHome, number: int = TAKEN) -> None:
    """All that is wrong is put right: the next run takes everything, once."""
    assert (
        run("--config", home.folder, "collect", *(part for one in KINDS for part in ("--kind", one))).code
        == 0
    )
    assert run("--config", home.folder, "seal").code == 0
    check_nothing_half(home.folder)
    same_but_once(read_contents(home.folder))
    assert len(home.texts()) == number


# Keys


def test_a_token_that_is_not_there_is_told_with_the_way_to_it(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    path = home.folder / "collector" / f"{force.id}.token"
    kept = path.read_text()
    path.unlink()
    check_said(
        collect(run, home), 2, f"@{MAIN}: there is no token yet in {path}",
        f"archiver login x --account {force.id}",
    )  # fmt: skip
    assert x.requests == []
    path.write_text(kept)
    path.chmod(0o644)
    check_said(collect(run, home), 2, "can be read by others", "chmod 600")
    path.chmod(0o600)
    for text, said in (
        ("", "is empty"),
        ("two words", "is not a token"),
        ('{"a": 1}', "not one of this program"),
    ):
        path.write_text(text)
        result = collect(run, home)
        assert result.code == 2
        assert said in result.errors
    assert x.requests == []
    path.write_text(kept)
    check_recovers(run, home)


@pytest.mark.parametrize("way", ["oauth2", "bearer", "oauth1"])
def test_a_token_that_x_does_not_take_is_told(
    run: Runner, x: FakeX, force: User, tmp_path: Path, way: Any
) -> None:
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS, way))
    tokens = dict(x.world.tokens)
    x.world.tokens.clear()
    hint = {"oauth2": f"archiver login x --account {force.id}"}.get(way, "in X's developer portal")
    result = collect(run, home)
    check_said(result, 1, f"@{MAIN}: ", hint)
    assert requests_of(x) <= 2, "it is not tried again and again"
    x.world.tokens.update(tokens)
    check_recovers(run, home)


def test_a_scope_that_is_missing_stops_its_kind_alone(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    kinds = (*KINDS, "messages", "following")
    home = make_x_home(
        tmp_path / "v", x, Asked(force, kinds, scopes=("tweet.read", "users.read", "follows.read"))
    )
    result = collect(run, home)
    check_said(
        result, 3, f"@{MAIN}: messages: the token lacks the scope dm.read",
        f"sign in again: archiver login x --account {force.id}",
    )  # fmt: skip
    assert requests_of(x, "dm_events") == 0
    assert "messages: the token lacks the scope dm.read" in result.errors
    assert "  following: 1 request" in result.output


def test_a_scope_that_is_missing_and_not_known_here_is_told_by_x(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    x.world.add_token("limited", force, ("tweet.read", "users.read"))
    home = make_x_home(tmp_path / "v", x, Asked(force, (*KINDS, "messages"), token="limited"))
    check_said(collect(run, home), 3, "/2/dm_events: X refuses (403)", "a scope may be missing for messages")


def test_messages_are_not_asked_for_with_another_accounts_token(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    other = x.world.add_user("somebody", "Somebody Else")
    x.world.add_message(other, "A private word", [x.world.user("person_0")])
    x.world.add_token("of-somebody", other)
    home = make_x_home(
        tmp_path / "v", x, Asked(force, ("profile", "messages", "blocks"), token="of-somebody")
    )
    token = home.folder / "collector" / f"{force.id}.token"
    document = json.loads(token.read_text())
    for text in (json.dumps({**document, "user_id": other.id}), "of-somebody"):  # known here, or asked for
        token.write_text(text)
        result = collect(run, home, "--kind", "messages", "--kind", "blocks")
        assert result.code in (1, 3)
        sentence = f"messages: the token is of the account {other.id}, not of {force.id}"
        assert f"archiver: error: @{MAIN}: {sentence}" in result.errors
        assert f"blocks: the token is of the account {other.id}" in result.errors
        assert f"archiver login x --account {force.id}" in result.errors
    assert requests_of(x, "dm_events") == requests_of(x, "blocking") == 0
    assert requests_of(x, "/users/me") == 1


def test_an_apps_own_token_does_not_reach_messages(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS, "bearer"))
    result = collect(run, home, "--kind", "messages")
    assert result.code in (1, 3)
    assert "archiver: error: @SpringfieldPD: /2/dm_events: X refuses (403)" in result.errors
    assert "a token of the account's own: archiver login x" in result.errors


# Accounts


def test_an_id_that_no_account_has_is_told(run: Runner, x: FakeX, force: User, tmp_path: Path) -> None:
    nobody = User("4711", "nobody", "Nobody")
    home = make_x_home(tmp_path / "v", x, Asked(nobody, KINDS, "bearer"))
    check_said(
        collect(run, home), 1, "the account @nobody (4711) does not exist, or no longer, says X",
        "look at its id in the settings",
    )  # fmt: skip
    assert requests_of(x) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [("suspend", "is suspended"), ("remove_user", "does not exist, or no longer")],
)
def test_an_account_that_is_gone_is_told_and_what_was_taken_stays(
    run: Runner, x: FakeX, force: User, tmp_path: Path, change: str, said: str
) -> None:
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS, "bearer"))
    assert collect(run, home).code == 0
    getattr(x.world, change)(force)
    asked = requests_of(x)
    result = collect(run, home, "--kind", "profile", "--kind", "posts")
    assert result.code in (1, 3)
    assert f"archiver: error: @{MAIN}: the account @{MAIN} ({force.id}) {said}" in result.errors
    assert requests_of(x) == asked + 1, "nothing else is asked for"
    assert run("--config", home.folder, "seal").code == 0
    assert len(home.texts()) == TAKEN
    assert home.gone() == {}
    force.suspended = force.gone = False
    check_recovers(run, home)


def test_a_protected_account_is_told_where_the_token_is_not_its_own(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    x.world.protect(force)
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS, "bearer"))
    result = collect(run, home)
    assert result.code == 3
    assert "is protected, and this token may not read it, says X" in result.errors
    own = make_x_home(tmp_path / "own", x, Asked(force, KINDS))
    assert collect(run, own).code == 0


def test_a_renamed_account_is_noted_and_collected_by_its_id(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    assert collect(run, home).code == 0
    x.world.rename(force, "Springfield_PD")
    x.world.add_post(force, "Under a new name")
    result = collect(run, home, "--kind", "profile", "--kind", "posts")
    assert result.code == 0
    assert "now, the settings @SpringfieldPD: put the new handle there" in result.output
    assert run("--config", home.folder, "seal").code == 0
    assert [row[0] for row in home.rows("SELECT handle FROM account ORDER BY version")] == [
        MAIN, "Springfield_PD",
    ]  # fmt: skip
    found = run("--config", home.folder, "search", "--json", "from:Springfield_PD").json_lines()
    assert found[0]["text"] == "Under a new name"
    assert {hit["author"] for hit in found[:-1]} == {"Springfield_PD", MAIN}  # it is the same account


def test_an_answer_about_another_account_is_not_taken(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    def other(document: Any) -> None:
        document["data"]["id"] = "1"

    x.faults.add(f"/users/{force.id}$", Edit(other))
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    result = collect(run, home)
    assert result.code == 3
    assert f"the profile is of the account 1, and {force.id} was asked for" in result.output
    check_recovers(run, home)


# Answers


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (NotJson(), "the answer is not JSON, 5 times"),
        (Cut(), "the answer broke off, 5 times"),
        (Drop(), "no connection, 5 times"),
        (problem(500), "X answers with a fault of its own (500)"),
    ],
    ids=["html", "cut", "dropped", "500"],
)
def test_a_fault_that_stays_stops_the_kind_and_one_that_passes_does_not(
    run: Runner, x: FakeX, force: User, tmp_path: Path, fault: Any, said: str
) -> None:
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    x.faults.add("/tweets$", fault, times=None)
    result = collect(run, home)
    check_said(result, 3, said, "the next run goes on from there")
    assert requests_of(x, "/tweets") == 5
    assert "  mentions: 1 request, 4 returned: 4 new" in result.output
    x.faults.clear()
    x.faults.add("/tweets$", fault, times=2)
    check_recovers(run, home)


@pytest.mark.parametrize(
    ("fault", "said", "hint"),
    [
        (JsonList(200), "the answer is not", ""),
        (Answer(200, b'{"data": "x"}'), "the answer's data is not as expected", "newer version of archiver"),
        (Answer(200, b'{"data": [], "meta": []}'), "the answer's meta is not as expected", "newer version"),
        (Answer(404), "X does not serve this (404)", "newer archiver"),
        (problem(400, "Invalid Request", "One thing is wrong"), "One thing is wrong", ""),
        (problem(403, "Forbidden", "Not for you"), "X refuses (403): Not for you", "scope may be missing"),
        (Redirect("http://127.0.0.1:1/"), "X points elsewhere (302)", "x_api.api_base_url"),
    ],
    ids=["list", "data", "meta", "404", "400", "403", "302"],
)
def test_an_answer_that_cannot_be_used_stops_its_kind_alone(
    run: Runner, x: FakeX, force: User, tmp_path: Path, fault: Any, said: str, hint: str
) -> None:
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    x.faults.add("/tweets$", fault, times=5)
    result = collect(run, home)
    assert result.code == 3, result
    assert said in result.errors
    assert hint in result.errors
    assert "  mentions: 1 request, 4 returned: 4 new" in result.output
    x.faults.clear()
    check_recovers(run, home)


def test_an_answer_that_is_too_large_is_not_taken(run: Runner, x: FakeX, force: User, tmp_path: Path) -> None:
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS), x_api="answer_mebibytes = 1\n")
    x.faults.add("/tweets$", Answer(200, b'{"data": [' + b" " * (2 << 20) + b"]}"))
    result = collect(run, home)
    check_said(result, 3, "an answer larger than 1,048,576 bytes", "see x_api.answer_mebibytes")
    check_recovers(run, home)


def wrong(field: str, value: Any) -> Callable[[Any], None]:
    """An answer whose first record has a field of another type."""

    def change(document: Any) -> None:
        document["data"][0][field] = value

    return change


@pytest.mark.parametrize(
    ("field", "value"),
    [("public_metrics", {"like_count": "many"}), ("created_at", 17), ("entities", ["odd"]), ("lang", {}),
     ("attachments", 3), ("conversation_id", 12345)],
)  # fmt: skip
def test_a_field_of_another_type_is_told_and_the_record_kept(
    run: Runner, x: FakeX, force: User, tmp_path: Path, field: str, value: Any
) -> None:
    newest = str(x.world.written(force.id)[-1])
    x.faults.add("/tweets$", Edit(wrong(field, value)))
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    result = collect(run, home)
    assert result.code in (0, 3)
    if result.code == 3:
        assert f"    PROBLEM post {newest}: broken: has " in result.output
        assert "kept as it is" in result.output
    assert run("--config", home.folder, "seal").code == 0
    assert len(home.texts()) == TAKEN
    home.check_rebuilt()
    shown = run("--config", home.folder, "show", "--json", newest).json_lines()[0]
    assert json.loads(shown["raw"][0])[field] == value  # type: ignore[index]


@pytest.mark.parametrize("value", [5, None, ["a"]])
def test_a_post_whose_text_is_none_is_kept_as_it_came(
    run: Runner, x: FakeX, force: User, tmp_path: Path, value: Any
) -> None:
    newest = str(x.world.written(force.id)[-1])
    x.faults.add("/tweets$", Edit(wrong("text", value)))
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    assert collect(run, home).code in (0, 3)
    assert run("--config", home.folder, "seal").code == 0
    assert len(home.texts()) == TAKEN
    shown = run("--config", home.folder, "show", "--json", newest).json_lines()[0]
    assert json.loads(shown["raw"][0])["text"] == value  # type: ignore[index]
    home.check_rebuilt()


def test_what_is_no_record_at_all_is_told_and_the_others_are_taken(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    def spoil(document: Any) -> None:
        document["data"][3] = "no object"

    x.faults.add("/tweets$", Edit(spoil))
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    result = collect(run, home)
    assert result.code == 3
    assert "    PROBLEM a record of posts: broken: " in result.output
    assert run("--config", home.folder, "seal").code == 0
    assert len(home.texts()) == TAKEN - 1


def test_an_unknown_kind_of_post_is_told_and_kept(run: Runner, x: FakeX, force: User, tmp_path: Path) -> None:
    post = x.world.add_post(force, "Sung, not said", references=[("hummed", "1")])
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    result = collect(run, home)
    assert result.code == 3
    assert f"    PROBLEM post {post.id}: broken: has an unknown kind of post: hummed; kept as it is" in (
        result.output.splitlines()
    )
    assert collect(run, home, "--kind", "posts", "--kind", "profile").code == 0, "it is told once"
    assert run("--config", home.folder, "seal").code == 0
    assert home.texts()[post.id] == ["Sung, not said"]
    assert home.archives[0].manifest.problems["broken"] == 1


def test_an_unknown_part_of_an_answer_is_noted_and_stops_nothing(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    def add(document: Any) -> None:
        document["data"][0]["mood"] = "calm"
        document["weather"] = {"sun": True}

    x.faults.add("/tweets$", Edit(add))
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    assert collect(run, home).code == 0
    check_recovers(run, home)


def test_a_field_that_x_refuses_is_left_out_and_told_once(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    x.generation = "post"
    x.refused_fields = {"article"}
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    result = collect(run, home)
    assert result.code == 3
    assert "  PROBLEM the field post.fields=article: X refuses it; it is asked for no more" in result.output
    refused = sum(record.status == 400 for record in x.requests)
    check_recovers(run, home)
    assert sum(record.status == 400 for record in x.requests) == refused


def test_no_server_at_all_is_told(run: Runner, tmp_path: Path) -> None:
    with fake_x() as x:
        force = add_force(x, posts=3)
        home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    result = collect(run, home)
    assert result.code in (1, 3)
    assert "no connection, 5 times" in result.errors
    assert result.errors.count("archiver: error: ") == len(KINDS)


# The clock


@pytest.mark.parametrize(("hours", "side"), [(1, "slow"), (-2, "fast")])
def test_a_clock_that_is_wrong_is_told(
    run: Runner, x: FakeX, force: User, tmp_path: Path, hours: int, side: str
) -> None:
    x.now_ms = lambda: system_clock() + hours * HOUR_MS
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    result = collect(run, home)
    assert result.code == 3
    (line,) = [line for line in result.output.splitlines() if "the clock of this host" in line]
    assert f" seconds {side}, by X's; captures carry X's time meanwhile" in line
    seconds = int(line.partition(": is ")[2].partition(" ")[0].replace(",", ""))
    assert abs(seconds - abs(hours) * 3600) <= 2
    x.now_ms = lambda: system_clock() + 20_000
    assert collect(run, home, "--kind", "profile").code == 0


def test_a_wrong_clock_is_named_where_x_refuses_a_signed_request(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS, "oauth1"))
    x.now_ms = lambda: system_clock() + 9 * HOUR_MS
    x.faults.add("/tweets$", problem(401))  # as X does where the time is too far off
    result = collect(run, home)
    assert result.code == 3
    assert "X does not take this account's key (401)" in result.errors
    assert "the clock here differs from X's by 32,400 seconds: set it right first" in (
        result.errors.replace("32,399", "32,400").replace("32,401", "32,400")
    )


# Settings


WRONG_SETTINGS = [
    ("[x_api]", "tries = 0", "x_api.tries"),
    ("[x_api]", "tries = 21", "x_api.tries"),
    ("[x_api]", "side_by_side = 33", "x_api.side_by_side"),
    ("[x_api]", "answer_mebibytes = 1025", "x_api.answer_mebibytes"),
    ("[x_api]", "read_timeout_seconds = 601", "x_api.read_timeout_seconds"),
    ("[x_api]", "connect_timeout_seconds = 0", "x_api.connect_timeout_seconds"),
    ("[x_api]", 'field_names = "poem"', "x_api.field_names"),
    ("[x_api]", 'client_id = "two words"', "x_api.client_id"),
    ("[x_api]", 'unheard_of = "x"', "x_api.unheard_of"),
    ("[account.api]", "recheck_days = 366", "account[1].api.recheck_days"),
    ("[account.api]", "max_spend_usd = -1", "account[1].api.max_spend_usd"),
    ("[account.api]", "max_spend_usd = 0.0000001", "account[1].api.max_spend_usd"),
    ("[account.api]", "media_mebibytes = 0", "account[1].api.media_mebibytes"),
    ("[account.api]", 'media = "yes"', "account[1].api.media"),
    ("[account.api]", "every_days = { posts = 0 }", "account[1].api.every_days.posts"),
    ("[account.api]", 'bearer_token = "env:B"', "account[1].api"),
    ("[account.api]", 'token_store = "file:x"', "account[1].api.token_store"),
]


@pytest.mark.parametrize(("table", "line", "where"), WRONG_SETTINGS, ids=[one[1] for one in WRONG_SETTINGS])
def test_a_setting_out_of_range_is_named_with_its_path(
    run: Runner, x: FakeX, force: User, tmp_path: Path, table: str, line: str, where: str
) -> None:
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS))
    path = home.folder / "archiver.toml"
    path.write_text(path.read_text().replace(f"{table}\n", f"{table}\n{line}\n", 1))
    for arguments in (("collect",), ("collect", "--dry-run"), ("config", "check")):
        error = run.fails(2, "--config", home.folder, *arguments)
        assert f"{where}: " in error, error
    assert x.requests == []


def test_all_that_is_wrong_in_the_settings_is_said_at_once(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    home = make_x_home(
        tmp_path / "v", x, Asked(force, ("profile", "poems"), more="recheck_days = 999"), x_api="tries = 99\n"
    )
    error = run.fails(2, "--config", home.folder, "collect")
    for part in ("x_api.tries: 99 is outside 1 to 20", "account[1].api.recheck_days: 999 is outside 0 to 365",
                 "account[1].api.kinds: 'poems' is not known"):  # fmt: skip
        assert part in error, error


# Secrets


def shapes(secret: str) -> set[bytes]:
    """A secret as it might lie in a file."""
    plain = secret.encode()
    coded = base64.b64encode(plain).rstrip(b"=")
    return {
        plain, plain.hex().encode(), coded[: len(coded) - 2], quote(secret, safe="").encode(),
        secret.encode("utf-16-le"), plain[3:-3],
    }  # fmt: skip


def holders(folder: Path, secrets: dict[str, str]) -> dict[str, set[str]]:
    """The files below a folder that hold a secret, with which they hold."""
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            body = path.read_bytes()
            held = {name for name, secret in secrets.items() if any(one in body for one in shapes(secret))}
            if held:
                found[str(path.relative_to(folder))] = held
    return found


def echo(x: FakeX, pattern: str, status: int, body: str, headers: dict[str, str]) -> None:
    """Answers that repeat what was sent to sign in, where they say SENT."""
    answer = Answer(status, headers={})

    def fill(record: Any) -> None:
        sent = record.headers["authorization"].replace('"', "")
        object.__setattr__(answer, "body", body.replace("SENT", sent))
        answer.headers.update({name: value.replace("SENT", sent) for name, value in headers.items()})

    x.faults.add(pattern, Before(fill), times=None)
    x.faults.add(pattern, answer, times=None)


def test_no_key_is_in_any_file_or_word_but_its_own_file(
    run: Runner, x: FakeX, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    users = [add_force(x, posts=120, mentions=3, messages=2)]
    users += [x.world.add_user(f"force_{number}", f"Force {number}") for number in range(2)]
    for user in users[1:]:
        for number in range(5):
            x.world.add_post(user, f"Word {number}", media_keys=[x.world.add_photo()])
    x.world.add_client("client-of-ours", "http://127.0.0.1:8765/callback", "Client-Secret-93-abcdef")
    x.world.add_token("Old-Access-Token-17-ghijkl", users[0])
    x.add_refresh_token("client-of-ours", users[0].id, "tweet.read users.read dm.read offline.access",
                        "Refresh-Token-55-mnopqr")  # fmt: skip
    x.world.add_token("App-Bearer-Token-71-stuvwx")
    home = make_x_home(tmp_path / "v", x)
    secret_file = home.keep_secret("client.secret", "Client-Secret-93-abcdef")
    home.configure(
        x,
        Asked(users[0], (*KINDS, "messages"), token="Old-Access-Token-17-ghijkl"),
        Asked(users[1], KINDS, "bearer", token="App-Bearer-Token-71-stuvwx"),
        Asked(users[2], KINDS, "oauth1"),
        x_api=f'client_id = "client-of-ours"\nclient_secret = "file:{secret_file}"\n',
    )
    token = home.folder / "collector" / f"{users[0].id}.token"
    document = json.loads(token.read_text())
    document |= {"refresh_token": "Refresh-Token-55-mnopqr", "expires_ms": system_clock() + MINUTE_MS}
    token.write_text(json.dumps(document))
    signed = {path.name: path.read_text() for path in (home.folder / "collector").glob(f"{users[2].id}.*")}
    assert len(signed) == 4
    secrets = {
        "access token": "Old-Access-Token-17-ghijkl", "refresh token": "Refresh-Token-55-mnopqr",
        "client secret": "Client-Secret-93-abcdef", "bearer": "App-Bearer-Token-71-stuvwx", **signed,
    }  # fmt: skip
    said = ""

    def take(*arguments: str) -> None:
        nonlocal said
        for more in ((), ("--json",)):
            result = run("--config", home.folder, *more, *arguments)
            assert result.code in (0, 1, 3), result
            said += result.output + result.errors

    everything = [part for kind in (*KINDS, "messages") for part in ("--kind", kind)]
    take("config", "check")
    take("collect", "--dry-run")
    take("collect", *everything)
    renewed = json.loads(token.read_text())
    assert renewed["access_token"] != "Old-Access-Token-17-ghijkl", "the token was renewed on the way"
    secrets |= {"new access token": renewed["access_token"], "new refresh token": renewed["refresh_token"]}
    for status, body, headers in (
        (401, '{"title": "Unauthorized", "detail": "Bad token SENT"}', {}),
        (403, '{"title": "Forbidden", "detail": "For SENT it is not"}', {}),
        (400, '{"title": "Invalid Request", "errors": [{"message": "SENT is odd"}]}', {}),
        (500, "<html>SENT</html>", {}),
        (200, '{"data": [], "echo": "SENT"}', {}),
        (200, '{"data": [], "meta": {"result_count": 0}}', {"set-cookie": "SENT", "x-token": "SENT"}),
        (302, "", {"location": "http://127.0.0.1:1/?SENT"}),
    ):
        for user in users:
            echo(x, f"/users/{user.id}/tweets$", status, body, headers)
        take("collect", *everything)
        x.faults.clear()
        secrets |= {f"access token before {status}": json.loads(token.read_text())["access_token"]}
    renewed = json.loads(token.read_text())
    secrets |= {"new access token": renewed["access_token"], "new refresh token": renewed["refresh_token"]}
    take("backup")
    take("status")
    take("verify", "--contents")
    take("search", "word", "--effort")
    take("show", str(x.world.written(users[1].id)[0]))
    assert (
        run("--config", home.folder, "restore", home.archives[0].name, "--to", tmp_path / "plain").code == 0
    )
    logged = "\n".join(record.getMessage() for record in caplog.records) + caplog.text
    assert "GET" in logged, "the library's own log was listened to"
    for name, secret in secrets.items():
        for shape in shapes(secret):
            for text in (*said.splitlines(), *logged.splitlines()):
                assert shape not in text.encode(), f"the {name} was said: {text.replace(secret, '***')}"
    for held in holders(tmp_path, secrets).items():
        assert held[0].startswith("v/collector/"), held
    own = {
        f"v/collector/{users[0].id}.token": {"new access token", "new refresh token"}
        | {name for name, secret in secrets.items() if secret == renewed["access_token"]},
        "v/collector/client.secret": {"client secret"},
    }
    found = holders(tmp_path, secrets)
    assert {path: found[path] for path in own} == own, "the search finds what is there"
    for row in home.rows("SELECT request, headers, context FROM capture"):
        for name, secret in secrets.items():
            assert not any(one in json.dumps(row).encode() for one in shapes(secret)), name
    kept = {name for (row,) in home.rows("SELECT headers FROM capture WHERE headers IS NOT NULL")
               for name in json.loads(row)}  # fmt: skip
    assert kept
    assert kept.isdisjoint({"authorization", "cookie", "set-cookie", "x-token"})


def test_no_key_is_in_a_processes_arguments_or_in_what_it_repeats_of_wrong_settings(
    run: Runner, x: FakeX, force: User, tmp_path: Path
) -> None:
    """Somebody writes the token itself where its place belongs."""
    home = make_x_home(tmp_path / "v", x, Asked(force, KINDS, token="Secret-Of-Mine-44-yzabcd"))
    path = home.folder / "archiver.toml"
    text = path.read_text()
    place = f"file:collector/{force.id}.token"
    said = ""
    for wrong_place in ("Secret-Of-Mine-44-yzabcd", "token:Secret-Of-Mine-44-yzabcd"):
        path.write_text(text.replace(place, wrong_place))
        for arguments in (("collect",), ("config", "check"), ("backup",)):
            result = run("--config", home.folder, *arguments)
            assert result.code == 2
            said += result.output + result.errors
    assert "account[1].api.token: this is not a reference to a secret" in said
    assert "Secret-Of-Mine" not in said
