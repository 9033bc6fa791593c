"""The fake of X gives out tokens as OAuth 2.0 with PKCE says, and takes signatures of OAuth 1.0a."""

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from requests_oauthlib import OAuth1

from tests.fakes.x_api import FakeX
from tests.fakes.x_oauth import AuthorizeError
from tests.fakes.x_world import User

NOW = 1_790_000_000_000
REDIRECT = "http://127.0.0.1:8765/callback"
VERIFIER = "v" * 64
SCOPES = "tweet.read users.read offline.access"


@pytest.fixture
def now() -> list[int]:
    return [NOW]


@pytest.fixture
def x(now: list[int]) -> Iterator[FakeX]:
    with FakeX(now_ms=lambda: now[0]) as fake:
        fake.world.add_client("public", REDIRECT)
        fake.world.add_client("closed", REDIRECT, "hush hush")
        yield fake


@pytest.fixture
def force(x: FakeX) -> User:
    return x.world.add_user("SpringfieldPD", "Springfield Police")


def consent(x: FakeX, user: User, **other: str) -> str:
    """The code the user's browser brings back; `other` parameters than the usual ones."""
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": "public",
        "redirect_uri": REDIRECT,
        "scope": SCOPES,
        "state": "state-1",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    sent_to = x.authorize(f"https://x.com/i/oauth2/authorize?{urlencode(asked | other)}", user.id)
    assert sent_to.startswith(REDIRECT + "?")
    back = parse_qs(urlsplit(sent_to).query)
    assert back["state"] == ["state-1"]
    return back["code"][0]


def redeem(x: FakeX, code: str, auth: tuple[str, str] | None = None, **other: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    form |= {} if auth else {"client_id": "public"}
    return requests.post(x.url + "/2/oauth2/token", data=form | other, auth=auth, timeout=20)


def refresh(x: FakeX, value: str, client: str = "public") -> requests.Response:
    form = {"grant_type": "refresh_token", "refresh_token": value, "client_id": client}
    return requests.post(x.url + "/2/oauth2/token", data=form, timeout=20)


def me(x: FakeX, access: str) -> int:
    headers = {"Authorization": f"Bearer {access}"}
    return requests.get(x.url + "/2/users/me", headers=headers, timeout=20).status_code


def test_a_code_is_redeemed_once_for_a_token_that_lives_two_hours(
    x: FakeX, force: User, now: list[int]
) -> None:
    code = consent(x, force)
    given = redeem(x, code).json()
    assert (given["token_type"], given["expires_in"]) == ("bearer", 7200)
    assert set(given["scope"].split()) == set(SCOPES.split())
    assert me(x, given["access_token"]) == 200
    assert redeem(x, code).status_code == 400
    now[0] += 7200_000
    assert me(x, given["access_token"]) == 401


def test_a_refresh_token_is_given_on_request_only_and_good_once(x: FakeX, force: User) -> None:
    assert "refresh_token" not in redeem(x, consent(x, force, scope="tweet.read users.read")).json()
    first = redeem(x, consent(x, force)).json()
    second = refresh(x, first["refresh_token"]).json()
    assert me(x, second["access_token"]) == 200
    assert me(x, first["access_token"]) == 401
    again = refresh(x, first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")
    assert refresh(x, second["refresh_token"], "closed").status_code == 401
    assert refresh(x, second["refresh_token"]).status_code == 200
    assert refresh(x, x.add_refresh_token("public", force.id, SCOPES)).status_code == 200


def test_a_code_is_worthless_with_another_verifier_address_or_too_late(
    x: FakeX, force: User, now: list[int]
) -> None:
    assert redeem(x, consent(x, force), code_verifier="w" * 64).status_code == 400
    assert redeem(x, consent(x, force), redirect_uri=REDIRECT + "/other").status_code == 400
    assert redeem(x, consent(x, force), grant_type="password").json()["error"] == "unsupported_grant_type"
    code = consent(x, force)
    now[0] += 31_000
    assert redeem(x, code).status_code == 400


def test_a_client_with_a_secret_must_show_it(x: FakeX, force: User) -> None:
    code = consent(x, force, client_id="closed")
    assert redeem(x, code, ("closed", "wrong")).status_code == 401
    assert redeem(x, code, client_id="closed").status_code == 401
    assert redeem(x, code, ("closed", "hush hush")).status_code == 200


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("response_type", "token"),
        ("client_id", "unknown"),
        ("redirect_uri", "http://127.0.0.1:1/"),
        ("scope", "tweet.read everything"),
        ("state", ""),
        ("code_challenge", "short"),
        ("code_challenge_method", "plain"),
    ],
)
def test_consent_is_not_asked_where_the_address_is_wrong(
    x: FakeX, force: User, parameter: str, value: str
) -> None:
    with pytest.raises(AuthorizeError, match=parameter):
        consent(x, force, **{parameter: value})


def test_a_signed_request_is_taken_only_as_it_was_signed(x: FakeX, force: User) -> None:
    keys = x.world.add_oauth1(force)
    good = OAuth1(keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret)
    bad = OAuth1(keys.consumer_key, keys.consumer_secret, keys.access_token, "another")
    query = {"user.fields": "created_at,description", "expansions": "pinned_tweet_id"}
    assert keys.access_token.startswith(f"{force.id}-")
    answer = requests.get(x.url + "/2/users/me", params=query, auth=good, timeout=20)
    assert answer.json()["data"]["id"] == force.id
    assert requests.get(x.url + "/2/users/me", auth=bad, timeout=20).status_code == 401
    signed = requests.Request("GET", "https://api.twitter.com/2/users/me", auth=good).prepare()
    signed.url = x.url + "/2/users/me"
    assert requests.Session().send(signed, timeout=20).status_code == 401
    assert me(x, keys.access_token) == 401
