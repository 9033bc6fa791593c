"""An account's keys: read, renewed and kept, and never shown."""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from archiver.disk import Lock
from archiver.errors import ArchiverError, ConfigurationError, SourceError
from archiver.settings.api import ACTS, COLLECT_KINDS, ApiSettings, Credentials
from archiver.sources.x_api import token_store
from archiver.sources.x_api.errors import AccountError
from archiver.sources.x_api.scopes import scopes_for
from archiver.sources.x_api.token_endpoint import BearerAuth, TokenRefusedError, scrub
from archiver.sources.x_api.tokens import (
    REFRESH_MARGIN_MS,
    KeyChain,
    Keys,
    UserToken,
    can_act,
    keys_of,
    load_keys,
    missing_act_scopes,
    missing_scopes,
    needs_refresh,
    parse_user_token,
    refresh,
)
from tests.fakes.x_api import FakeX
from tests.fakes.x_faults import Answer, Before, Cut, Drop, Edit, NotJson, Redirect, Slow, problem
from tests.programs import PROJECT

NOW_MS = 1_793_000_000_000
ACCESS, REFRESH, SECRET = "access-horse", "refresh-horse/+", "client-horse:/"
"""Every secret here holds "horse", so that one search finds any."""
SCOPES = "dm.read offline.access tweet.read users.read"
PYTHON = shlex.quote(sys.executable)


@dataclass
class Bench:
    """An account whose token is in a file, and X."""

    x: FakeX
    home: Path
    session: requests.Session
    user_id: str
    settings: ApiSettings
    credentials: Credentials = field(default_factory=lambda: Credentials(token="file:keys/x.token"))
    now_ms: int = NOW_MS

    @property
    def file(self) -> Path:
        return self.home / "keys" / "x.token"

    def keep(self, **changes: Any) -> UserToken:
        """A token that ends in a minute, known to X and kept in the file."""
        self.x.world.add_token(ACCESS, self.user_id, SCOPES.split(), NOW_MS + 60_000)
        self.x.add_refresh_token("app-1", self.user_id, SCOPES, REFRESH)
        token = UserToken(
            access_token=ACCESS, refresh_token=REFRESH, expires_ms=NOW_MS + 60_000,
            scopes=tuple(SCOPES.split()), user_id=self.user_id, handle="SpringfieldPD",
        )  # fmt: skip
        token = msgspec.structs.replace(token, **changes)
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_bytes(token.encode())
        self.file.chmod(0o600)
        return token

    def refresh(self, token: UserToken) -> UserToken:
        environ = {"PATH": "/usr/bin:/bin"}
        clock = lambda: self.now_ms  # noqa: E731  # as short as it is
        return refresh(token, self.credentials, self.settings, self.session, environ, self.home, clock)

    def refusal(self, token: UserToken, kind: type[ArchiverError]) -> str:
        return refusal(lambda: self.refresh(token), kind)

    def chain(self) -> KeyChain:
        return KeyChain(
            self.credentials, self.settings, {}, self.home, self.session, lambda: self.now_ms, self.user_id
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with FakeX(now_ms=lambda: NOW_MS) as x, requests.Session() as session:
        user = x.world.add_user("SpringfieldPD")
        settings = ApiSettings(
            base_url=x.url, client_id="app-1", connect_timeout_seconds=2, read_timeout_seconds=1
        )
        x.world.add_client("app-1", settings.redirect_uri)
        yield Bench(x, tmp_path, session, user.id, settings)


def refusal(call: Callable[[], object], kind: type[ArchiverError]) -> str:
    """Message and hint of exactly this error. No secret is in it, nor in the traceback that a bug shows."""
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    shown = "".join(traceback.TracebackException.from_exception(caught.value).format_exception_only())
    cause: BaseException | None = caught.value.__cause__
    while cause is not None:
        shown += f"{cause!r} {cause}"
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    text = f"{caught.value.message} ({caught.value.hint})"
    assert "horse" not in f"{text} {caught.value!r} {shown}"
    return text


def private_file(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


# Tokens as they are kept


def test_a_token_is_kept_as_json_that_names_its_format_and_comes_back_the_same() -> None:
    token = UserToken(
        access_token=ACCESS, refresh_token=REFRESH, expires_ms=5, scopes=("a", "b"), user_id="12", handle="H"
    )
    assert json.loads(token.encode()) == {
        "format": "archiver-x-token-1", "access_token": ACCESS, "refresh_token": REFRESH, "expires_ms": 5,
        "scopes": ["a", "b"], "user_id": "12", "handle": "H",
    }  # fmt: skip
    assert parse_user_token(token.encode().decode()) == token


def test_what_is_no_json_is_an_access_token_of_which_nothing_else_is_known() -> None:
    token = parse_user_token(f" {ACCESS}\n")
    assert token == UserToken(access_token=ACCESS)
    keys = keys_of(token)
    assert (keys.way, keys.user_id, keys.scopes) == ("oauth2", None, None)
    assert missing_scopes(keys, "messages") == ()
    assert not needs_refresh(token, NOW_MS)


@pytest.mark.parametrize(
    "text",
    [
        '{"access_token": "horse"}',
        '{"format": "horse-2", "access_token": "horse"}',
        '{"format": "archiver-x-token-1", "access_token": ["horse"]}',
        '{"format": "archiver-x-token-1", "access_token": "horse\\n"}',
        '{"format": "archiver-x-token-1", "access_token": "a", "refresh_token": "horse battery"}',
        '{"format": "archiver-x-token-1", "access_token": "a", "user_id": "horse"}',
        '{"format": "archiver-x-token-1", "access_token": "horse',
        "{" * 100_000,
        "",
        "horse battery",
        "horse\nhorse",
        "hörse horse",
        "\ud800 horse",
    ],
)
def test_what_is_no_token_is_refused_and_not_repeated(text: str) -> None:
    refusal(lambda: parse_user_token(text), ConfigurationError)


def test_no_repr_shows_a_secret(bench: Bench) -> None:
    token = bench.keep()
    keys = keys_of(token)
    bearer = Keys(way="bearer", values={"bearer_token": "horse"}, identity="1")
    for one in (token, keys, bearer, bench.chain(), token.__rich_repr__()):
        assert "horse" not in f"{one!r} {one}"
    assert keys.secrets == (ACCESS, REFRESH)


def test_a_token_is_renewed_from_five_minutes_before_its_end() -> None:
    token = UserToken(access_token=ACCESS, expires_ms=NOW_MS)
    assert not needs_refresh(token, NOW_MS - 300_001)
    assert needs_refresh(token, NOW_MS - 300_000)
    assert needs_refresh(token, NOW_MS + 1)


# Scopes


def test_each_kind_needs_its_own_scopes_beside_two_that_all_need() -> None:
    assert scopes_for([]) == ("offline.access", "tweet.read", "users.read")
    assert scopes_for(["posts", "messages"]) == ("dm.read", *scopes_for([]))
    assert scopes_for(COLLECT_KINDS) == (
        "block.read", "dm.read", "follows.read", "like.read", "list.read", "mute.read", "offline.access",
        "tweet.read", "users.read",
    )  # fmt: skip
    assert not [one for one in scopes_for(COLLECT_KINDS) if one.endswith(".write")]


def test_each_act_needs_a_scope_that_writes_and_no_other_does() -> None:
    for act, scope in (("hide", "tweet.moderate.write"), ("mute", "mute.write"), ("remove", "tweet.write")):
        assert scopes_for([], [act]) == tuple(sorted([scope, *scopes_for([])]))  # type: ignore[list-item]
    assert set(scopes_for(["mutes"], ACTS)) == {
        "mute.read", "mute.write", "offline.access", "tweet.moderate.write", "tweet.read", "tweet.write",
        "users.read",
    }  # fmt: skip


def test_what_x_has_not_granted_for_an_act_is_named() -> None:
    keys = keys_of(UserToken(access_token=ACCESS, scopes=("tweet.read", "users.read", "mute.write")))
    assert missing_act_scopes(keys, "mute") == ()
    assert missing_act_scopes(keys, "hide") == ("tweet.moderate.write",)
    assert missing_act_scopes(keys, "remove") == ("tweet.write",)
    assert missing_act_scopes(keys_of(UserToken(access_token=ACCESS)), "hide") == ()


def test_an_apps_own_token_cannot_act_and_a_users_can() -> None:
    assert [
        can_act(Keys(way=way, values={}, identity="1"))  # type: ignore[arg-type]
        for way in ("oauth2", "oauth1", "bearer")
    ] == [True, True, False]


def test_what_x_has_not_granted_is_named() -> None:
    keys = keys_of(UserToken(access_token=ACCESS, scopes=("tweet.read", "block.read")))
    assert missing_scopes(keys, "blocks") == ("users.read",)
    assert missing_scopes(keys, "mutes") == ("mute.read", "users.read")


# Keys from where the settings say


def test_keys_are_a_token_an_apps_token_or_the_four_of_oauth1(bench: Bench) -> None:
    token = bench.keep()
    keys = load_keys(bench.credentials, {}, bench.home)
    assert (keys.way, keys.token, keys.user_id) == ("oauth2", token, bench.user_id)
    assert keys.values == {"bearer_token": ACCESS}
    assert keys.scopes == frozenset(SCOPES.split())

    keys = load_keys(Credentials(bearer_token="env:B"), {"B": "bearer-horse"}, bench.home)
    assert (keys.way, keys.values, keys.user_id, keys.scopes) == (
        "bearer", {"bearer_token": "bearer-horse"}, None, None,
    )  # fmt: skip

    environ = {"A": "key-horse", "B": "secret-horse", "C": "123-horse", "D": "token-horse"}
    four = Credentials(
        consumer_key="env:A", consumer_secret="env:B", access_token="env:C", access_token_secret="env:D"
    )
    keys = load_keys(four, environ, bench.home)
    assert (keys.way, keys.user_id, keys.scopes) == ("oauth1", "123", None)
    assert keys.values == {
        "consumer_key": "key-horse", "consumer_secret": "secret-horse", "access_token": "123-horse",
        "access_token_secret": "token-horse",
    }  # fmt: skip
    assert set(keys.secrets) == set(environ.values())
    assert "account.api.access_token is missing for 7" in refusal(
        lambda: load_keys(replace(four, access_token=None), environ, bench.home, "7"), ConfigurationError
    )


def test_an_identity_names_whose_limits_count_and_stays_when_the_token_is_renewed(bench: Bench) -> None:
    token = bench.keep()
    before = keys_of(token).identity
    assert keys_of(bench.refresh(token)).identity == before
    assert re.fullmatch("[0-9a-f]{12}", before)
    assert keys_of(UserToken(access_token="a", user_id="99")).identity != before
    assert keys_of(UserToken(access_token="a")).identity != keys_of(UserToken(access_token="b")).identity
    one, other = (
        load_keys(Credentials(bearer_token="env:B"), {"B": value}, bench.home) for value in ("a", "b")
    )
    assert one.identity != other.identity


def test_a_token_that_is_not_there_yet_is_answered_with_how_to_get_it(bench: Bench) -> None:
    text = refusal(lambda: load_keys(bench.credentials, {}, bench.home, "2000000001"), ConfigurationError)
    assert text == f"there is no token yet in {bench.file} (archiver login x --account 2000000001)"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_token_that_others_may_read_is_refused(bench: Bench, mode: int) -> None:
    bench.keep()
    bench.file.chmod(mode)
    text = refusal(lambda: load_keys(bench.credentials, {}, bench.home), ConfigurationError)
    assert text == f"the secret in {bench.file} can be read by others (chmod 600 {bench.file})"


def test_a_key_that_would_break_a_header_is_refused(bench: Bench) -> None:
    text = refusal(
        lambda: load_keys(Credentials(bearer_token="env:B"), {"B": "horse\nX: 1"}, bench.home),
        ConfigurationError,
    )
    assert text.startswith("what account.api.bearer_token names is not a token")


# Renewing


def test_a_renewed_token_is_kept_under_the_same_name_for_the_owner_only(bench: Bench) -> None:
    old = bench.keep()
    new = bench.refresh(old)
    assert new.access_token != ACCESS
    assert new.refresh_token not in (None, REFRESH)
    assert (new.expires_ms, new.user_id, new.handle) == (NOW_MS + 7_200_000, bench.user_id, "SpringfieldPD")
    assert new.scopes == tuple(SCOPES.split())
    assert parse_user_token(bench.file.read_text()) == new
    assert stat.S_IMODE(bench.file.stat().st_mode) == 0o600
    answer = bench.session.get(f"{bench.x.url}/2/users/me", auth=BearerAuth(new.access_token))
    assert answer.status_code == 200
    sent = bench.x.requests[0]
    assert sent.form == {"grant_type": "refresh_token", "refresh_token": REFRESH, "client_id": "app-1"}
    assert "authorization" not in sent.headers


def test_a_link_to_the_token_stays_one(bench: Bench) -> None:
    old = bench.keep()
    bench.file.rename(bench.home / "real.token")
    bench.file.symlink_to(bench.home / "real.token")
    new = bench.refresh(old)
    assert bench.file.is_symlink()
    assert parse_user_token((bench.home / "real.token").read_text()) == new


def test_an_app_with_a_secret_shows_it_by_http_basic_and_not_in_the_form(bench: Bench) -> None:
    bench.x.world.add_client("app-1", bench.settings.redirect_uri, SECRET)
    private_file(bench.home / "client", SECRET)
    bench.settings = replace(bench.settings, client_secret="file:client")
    bench.refresh(bench.keep())
    assert bench.x.requests[0].form == {"grant_type": "refresh_token", "refresh_token": REFRESH}
    assert bench.x.requests[0].headers["authorization"].startswith("Basic ")


def test_what_x_does_not_send_anew_stays_as_it_was(bench: Bench) -> None:
    def leave_out(document: dict[str, object]) -> None:
        for name in ("refresh_token", "scope", "expires_in"):
            del document[name]

    old = bench.keep()
    bench.x.faults.add("/token$", Edit(leave_out))
    new = bench.refresh(old)
    assert (new.refresh_token, new.scopes, new.expires_ms) == (REFRESH, old.scopes, None)


def test_fewer_scopes_than_before_are_noticed(bench: Bench) -> None:
    old = bench.keep()
    bench.x.faults.add("/token$", Edit(lambda document: document.update(scope="users.read tweet.read")))
    assert bench.refresh(old).scopes == ("tweet.read", "users.read")


def test_a_token_that_x_no_longer_takes_needs_a_new_sign_in(bench: Bench) -> None:
    old = bench.keep()
    bench.refresh(old)
    kept = bench.file.read_bytes()
    text = bench.refusal(old, TokenRefusedError)  # each works once
    assert text.startswith(
        "X no longer takes this token (400, invalid_request: Value passed for the token was invalid)"
    )
    assert bench.file.read_bytes() == kept
    bench.file.write_bytes(old.encode())
    text = refusal(bench.chain().load, TokenRefusedError)
    assert text.endswith(
        f"(let the account's owner sign in again: archiver login x --account {bench.user_id})"
    )
    assert issubclass(TokenRefusedError, AccountError)


def test_a_token_without_anything_to_renew_it_says_so_and_asks_nothing(bench: Bench) -> None:
    old = bench.keep(refresh_token=None)
    assert "cannot be renewed" in bench.refusal(old, TokenRefusedError)
    bench.settings = replace(bench.settings, client_id=None)
    assert "x_api.client_id is not set" in bench.refusal(bench.keep(), ConfigurationError)
    assert bench.x.requests == []


def test_an_app_that_x_does_not_know_is_a_matter_of_the_settings(bench: Bench) -> None:
    bench.settings = replace(bench.settings, client_id="other")
    text = bench.refusal(bench.keep(), ConfigurationError)
    assert text.startswith("X does not know this program under x_api.client_id (401, unauthorized_client")


def echo(status: int, error: object) -> Answer:
    words = f"bad {ACCESS} {REFRESH} refresh-horse%2F%2B {SECRET} client-horse%3A%2F"
    return Answer(status, {"error": error, "error_description": words})


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (echo(400, "invalid_grant"), TokenRefusedError, "(400, invalid_grant: bad [secret] [secret]"),
        (echo(400, "invalid_scope"), SourceError, "X gave no token (400, invalid_scope: bad [secret]"),
        (echo(401, "invalid_client"), ConfigurationError, "(401, invalid_client: bad [secret]"),
        (echo(200, "invalid_grant"), TokenRefusedError, "X no longer takes this token (200, invalid_grant"),
        (echo(400, ACCESS), SourceError, "X answered 400 with something that is no token"),
        (echo(400, [ACCESS]), SourceError, "X answered 400 with something that is no token"),
        (echo(500, "invalid_grant"), SourceError, "127.0.0.1 answered 500 where a token was asked for"),
        (problem(429), SourceError, "127.0.0.1 answered 429 where"),
        (problem(403), SourceError, "X answered 403 with something that is no token"),
        (Answer(200, [ACCESS]), SourceError, "X answered 200 with something that is no token"),
        (Answer(200, b"12"), SourceError, "X answered 200 with something that is no token"),
        (Answer(200, b"\xff"), SourceError, "X answered 200 with something that is no token"),
        (Answer(200, b"[" * 200_000), SourceError, "X answered 200 with something that is no token"),
        (Answer(200, {"access_token": 5}), SourceError, "X answered 200 with something that is no token"),
        (Answer(200, {"access_token": "horse\n"}), SourceError, "X answered 200 with something"),
        (Answer(200, {"access_token": "a", "expires_in": "soon"}), SourceError, "X answered 200 with some"),
        (Answer(200, {"access_token": "a", "expires_in": 1 << 40}), SourceError, "X answered 200 with some"),
        (Answer(400, {"access_token": "horse"}), SourceError, "X answered 400 with something"),
        (Answer(200, b" " * (1 << 20) + b"{}"), SourceError, "127.0.0.1 answered /2/oauth2/token with over"),
        (NotJson(), SourceError, "X answered 200 with something that is no token"),
        (Redirect("http://127.0.0.1:9/elsewhere"), SourceError, "127.0.0.1 answered 302 where"),
        (Drop(), SourceError, "127.0.0.1 cannot be reached for /2/oauth2/token"),
        (Cut(), SourceError, "127.0.0.1 cannot be reached for /2/oauth2/token"),
        (Slow(3), SourceError, "127.0.0.1 gave no answer to /2/oauth2/token in time"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_token_is_told_without_the_secrets_in_it_and_nothing_changes(
    bench: Bench, answer: Any, kind: type[ArchiverError], words: str
) -> None:
    bench.x.world.add_client("app-1", bench.settings.redirect_uri, SECRET)
    private_file(bench.home / "client", SECRET)
    bench.settings = replace(bench.settings, client_secret="file:client")
    old = bench.keep()
    bench.x.faults.add("/token$", answer)
    assert words in bench.refusal(old, kind)
    assert bench.file.read_bytes() == old.encode()
    assert len(bench.x.requests) == 1


def test_a_host_that_is_not_there_and_authorities_that_are_not_are_told(bench: Bench) -> None:
    old = bench.keep()
    bench.settings = replace(bench.settings, base_url="http://127.0.0.1:1")
    assert "127.0.0.1 cannot be reached" in bench.refusal(old, SourceError)
    bench.settings = replace(
        bench.settings, base_url="https://127.0.0.1:1", ca_file=bench.home / "absent.pem"
    )
    assert bench.refusal(old, ConfigurationError).startswith("x_api.ca_file: ")


def test_a_certificate_of_nobody_is_refused(bench: Bench) -> None:
    """A server that speaks no TLS is as near as one comes without a certificate."""
    bench.settings = replace(bench.settings, base_url=bench.x.url.replace("http:", "https:"))
    assert "shows a certificate that is not trusted here" in bench.refusal(bench.keep(), SourceError)


def test_a_netrc_file_changes_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = private_file(bench.home / "netrc", "machine 127.0.0.1 login a password horse\n")
    monkeypatch.setenv("NETRC", str(netrc))
    bench.refresh(bench.keep())
    assert "authorization" not in bench.x.requests[0].headers


# Keeping


def test_a_program_is_given_the_new_token_on_its_standard_input(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    old, kept = bench.keep(), bench.home / "kept"
    code = f"import sys; t = sys.stdin.read(); open({str(kept)!r}, 'w').write(t); print(t)"
    store = f"command:{PYTHON} -c {shlex.quote(code)}"
    bench.credentials = Credentials(token=f"command:cat {bench.file}", token_store=store)
    new = bench.refresh(old)
    assert parse_user_token(kept.read_text()) == new
    assert bench.file.read_bytes() == old.encode()
    output = capfd.readouterr()
    assert new.access_token not in output.out + output.err


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("command:false horse", "the program false of account.api.token_store failed with exit 1"),
        ("command:/nowhere/keep horse", "the program keep of account.api.token_store does not start"),
        ("command:sleep 60", "the program sleep of account.api.token_store did not end within"),
        (None, "a new token could not be kept where account.api.token names"),
        ("command:", "nothing follows command:"),
    ],
)
def test_a_token_that_could_not_be_kept_is_not_used(
    bench: Bench, store: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_store, "TIMEOUT_SECONDS", 0.3)
    bench.credentials = Credentials(token=f"command:cat {bench.file}", token_store=store)
    assert words in bench.refusal(bench.keep(), ConfigurationError)


def test_where_there_is_no_place_for_a_new_token_none_is_asked_for(bench: Bench) -> None:
    """The old one would be used up."""
    old = bench.keep()
    for credentials in (
        Credentials(token="env:T"),
        Credentials(token=f"file:{bench.home}"),
        Credentials(token=f"file:{bench.file}/below"),
        Credentials(bearer_token="env:B"),
    ):
        bench.credentials = credentials
        bench.refusal(old, ConfigurationError)
    assert bench.x.requests == []


def test_a_place_that_goes_while_x_answers_is_told_as_that(bench: Bench) -> None:
    old = bench.keep()

    def take_away(_: object) -> None:
        bench.file.unlink()
        bench.file.parent.rmdir()
        bench.file.parent.write_text("")

    bench.x.faults.add("/token$", Before(take_away))
    assert "a new token could not be kept in" in bench.refusal(old, ConfigurationError)


def test_a_file_that_cannot_be_written_is_told_as_a_token_that_could_not_be_kept(bench: Bench) -> None:
    old = bench.keep()
    bench.credentials = Credentials(token=f"file:{'x' * 300}")
    assert "the new token could not be kept: " in bench.refusal(old, ConfigurationError)


# Over a run


def test_a_chain_renews_in_time_and_hands_on_what_is_good(bench: Bench) -> None:
    bench.keep()
    chain = bench.chain()
    keys = chain.load()
    assert keys.values != {"bearer_token": ACCESS}
    assert chain.load() == keys
    assert chain.fresh(keys) is keys
    assert len(bench.x.requests) == 1
    bench.now_ms += 7_200_000 - REFRESH_MARGIN_MS
    newer = chain.fresh(keys)
    assert newer.values != keys.values
    assert parse_user_token(bench.file.read_text()) == newer.token
    assert len(bench.x.requests) == 2


def test_after_a_refusal_a_token_that_another_run_has_kept_is_taken_before_a_new_one_is_asked_for(
    bench: Bench,
) -> None:
    stale = keys_of(bench.keep())
    chain = bench.chain()
    keys = chain.load()
    assert chain.renew(stale) == keys
    assert len(bench.x.requests) == 1
    assert chain.renew(keys) != keys
    assert len(bench.x.requests) == 2


# Two at the same time

ONE_RUN = """
import sys, time, requests
from pathlib import Path
from archiver.settings.api import ApiSettings, Credentials
from archiver.sources.x_api.tokens import KeyChain
url, home, user, now, token, store, before = sys.argv[1:]
settings = ApiSettings(base_url=url, client_id="app-1", connect_timeout_seconds=5, read_timeout_seconds=20)
chain = KeyChain(
    Credentials(token=token, token_store=store or None), settings, {"PATH": "/usr/bin:/bin"}, Path(home),
    requests.Session(), lambda: int(now), user,
)
keys = chain.load() if before == "load" else None
print("ready", flush=True)
sys.stdin.readline()
keys = chain.load() if keys is None else chain.renew(keys)
print(keys.values["bearer_token"], flush=True)
"""
"""A process that renews a token when it is told to: as one whose token ends, or that X has just refused."""


def both_renew(bench: Bench, before: str) -> list[str]:
    """The tokens that two processes come by, which go for them together."""
    bench.x.faults.add("/token$", Slow(0.5), times=None)  # long enough for the other to come
    arguments = [
        bench.x.url, str(bench.home), bench.user_id, str(bench.now_ms), bench.credentials.token or "",
        bench.credentials.token_store or "", before,
    ]  # fmt: skip
    running = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_RUN, *arguments],
            cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n", one.communicate()
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=60) for one in running]
    assert [one.returncode for one in running] == [0, 0], said
    return [output.strip() for output, _ in said]


def good(bench: Bench, token: str) -> bool:
    return bench.session.get(f"{bench.x.url}/2/users/me", auth=BearerAuth(token)).status_code == 200


@pytest.mark.parametrize("before", ["load", "wait"])
def test_of_two_processes_that_renew_a_token_together_one_asks_and_both_have_it(
    bench: Bench, before: str
) -> None:
    """X takes each refresh token once: the second of two that ask would be sent to sign in again."""
    if before == "load":
        bench.keep(expires_ms=NOW_MS + 3_600_000)
        bench.x.world.revoke(ACCESS)
    else:
        bench.keep()
    one, other = both_renew(bench, before)
    assert one == other == parse_user_token(bench.file.read_text()).access_token
    assert [record.path for record in bench.x.requests] == ["/2/oauth2/token"]
    assert good(bench, one)
    assert sorted(path.name for path in bench.file.parent.iterdir()) == [".x.token.lock", "x.token"]


def test_of_two_processes_whose_token_is_in_no_file_one_asks_as_well(bench: Bench) -> None:
    bench.keep()
    code = "import sys; t = sys.stdin.read(); open(sys.argv[1], 'w').write(t)"
    store = f"command:{PYTHON} -c {shlex.quote(code)} {bench.file}"
    bench.credentials = Credentials(token=f"command:cat {bench.file}", token_store=store)
    one, other = both_renew(bench, "wait")
    assert one == other
    assert [record.path for record in bench.x.requests] == ["/2/oauth2/token"]
    assert good(bench, one)
    assert (bench.home / f".x-{bench.user_id}.token.lock").exists()


def test_of_threads_with_chains_of_their_own_one_asks(bench: Bench) -> None:
    bench.keep()
    bench.x.faults.add("/token$", Slow(0.2), times=None)
    with ThreadPoolExecutor(4) as pool:
        found = [one.result() for one in [pool.submit(bench.chain().load) for _ in range(4)]]
    assert {one.values["bearer_token"] for one in found} == {
        parse_user_token(bench.file.read_text()).access_token
    }
    assert len(bench.x.requests) == 1


def test_a_renewal_by_another_that_does_not_end_is_waited_for_so_long_and_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_store, "TIMEOUT_SECONDS", 0.2)
    bench.settings = replace(bench.settings, connect_timeout_seconds=0, read_timeout_seconds=0)
    old = bench.keep()
    with Lock(bench.file.with_name(".x.token.lock")):
        text = refusal(bench.chain().load, AccountError)
    assert text.startswith(f"the account's token is being renewed: process {os.getpid()} is at work here")
    assert bench.x.requests == []
    assert bench.file.read_bytes() == old.encode()


def test_a_killed_renewal_keeps_nobody_out(bench: Bench) -> None:
    bench.keep()
    bench.file.with_name(".x.token.lock").write_text("99999999\n")
    assert good(bench, bench.chain().load().values["bearer_token"])


def test_where_nothing_can_be_locked_nothing_is_asked(bench: Bench) -> None:
    bench.keep()
    bench.file.with_name(".x.token.lock").mkdir()
    assert "no token can be kept safely: " in refusal(bench.chain().load, ConfigurationError)
    assert bench.x.requests == []


def test_a_token_that_cannot_be_renewed_needs_no_lock(bench: Bench) -> None:
    bench.keep(refresh_token=None)
    refusal(bench.chain().load, TokenRefusedError)
    bench.credentials = Credentials(token="env:T")
    chain = replace(bench.chain(), environ={"T": bench.keep().encode().decode()})
    assert "a new token could not be kept" in refusal(chain.load, ConfigurationError)
    assert [path.name for path in bench.file.parent.iterdir()] == ["x.token"]
    assert [path.name for path in bench.home.iterdir()] == ["keys"]


def test_a_key_that_cannot_be_renewed_is_refused_for_good(bench: Bench) -> None:
    bench.credentials = Credentials(bearer_token="env:B")
    keys = Keys(way="bearer", values={"bearer_token": "horse"}, identity="1")
    assert bench.chain().fresh(keys) is keys
    assert "X does not take this key" in refusal(lambda: bench.chain().renew(keys), TokenRefusedError)


def test_a_secret_is_found_in_a_text_however_it_is_written() -> None:
    assert scrub("a b+c a%20b%2Bc a+b%2Bc ", ["a b+c", "", "a"]) == "[secret] [secret] [secret] "
