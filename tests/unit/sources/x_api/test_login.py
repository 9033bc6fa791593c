"""Signing in to X: the address, the listener that the browser comes back to, and the token."""

import base64
import hashlib
import queue
import re
import secrets
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from archiver.errors import ArchiverError, ConfigurationError, SourceError
from archiver.settings.api import ApiSettings
from archiver.sources.x_api.login import LoginAttempt, begin_login, finish_login
from archiver.sources.x_api.redirect import wait_for_redirect
from archiver.sources.x_api.scopes import scopes_for
from archiver.sources.x_api.token_endpoint import TokenRefusedError
from archiver.sources.x_api.tokens import UserToken
from tests.fakes.x_api import FakeX
from tests.fakes.x_faults import Answer, Edit, problem
from tests.programs import NEEDS

NOW_MS = 1_793_000_000_000
SCOPES = scopes_for(["posts", "messages"])
SECRET = "client-horse:/"


@dataclass
class Bench:
    """A user of X, and this program as an app there."""

    x: FakeX
    session: requests.Session
    settings: ApiSettings
    user_id: str

    def begin(self) -> LoginAttempt:
        return begin_login(self.settings, SCOPES, secrets.token_bytes)

    def finish(self, attempt: LoginAttempt, address: str, client_secret: str | None = None) -> UserToken:
        return finish_login(attempt, address, self.settings, self.session, lambda: NOW_MS, client_secret)

    def refusal(self, attempt: LoginAttempt, address: str, kind: type[ArchiverError]) -> str:
        return refusal(lambda: self.finish(attempt, address), kind, attempt, address)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with FakeX(now_ms=lambda: NOW_MS) as x, requests.Session() as session:
        user = x.world.add_user("SpringfieldPD")
        settings = ApiSettings(
            base_url=x.url,
            authorize_url=f"{x.url}/i/oauth2/authorize",
            redirect_uri=f"http://127.0.0.1:{free_port()}/callback",
            client_id="app-1",
        )
        x.world.add_client("app-1", settings.redirect_uri)
        yield Bench(x, session, settings, user.id)


def free_port(host: str = "127.0.0.1", family: socket.AddressFamily = socket.AF_INET) -> int:
    with socket.socket(family) as free:
        free.bind((host, 0))
        return int(free.getsockname()[1])


def has_ipv6() -> bool:
    try:
        return free_port("::1", socket.AF_INET6) > 0
    except OSError:
        return False


def refusal(
    call: Callable[[], object], kind: type[ArchiverError], attempt: LoginAttempt, address: str = ""
) -> str:
    """Message and hint of exactly this error, which holds nothing of what was secret."""
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    text = f"{caught.value.message} ({caught.value.hint})"
    shown = text + "".join(traceback.format_exception_only(caught.value)) + repr(caught.value.__cause__)
    code = parse_qs(urlsplit(address).query).get("code", ["horse"])[0] if "[" not in address else "horse"
    for secret in (attempt.state, attempt.verifier, code, "horse"):
        assert secret not in shown
    return text


# The address to open


def test_the_address_asks_for_the_scopes_with_a_challenge_that_fits_the_verifier(bench: Bench) -> None:
    attempt = bench.begin()
    address, _, query = attempt.url.partition("?")
    assert address == bench.settings.authorize_url
    digest = hashlib.sha256(attempt.verifier.encode()).digest()
    assert parse_qs(query) == {
        "response_type": ["code"],
        "client_id": ["app-1"],
        "redirect_uri": [bench.settings.redirect_uri],
        "scope": ["dm.read offline.access tweet.read users.read"],
        "state": [attempt.state],
        "code_challenge": [base64.urlsafe_b64encode(digest).rstrip(b"=").decode()],
        "code_challenge_method": ["S256"],
    }
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", attempt.verifier)


def test_a_challenge_is_that_of_the_standards_example() -> None:
    """RFC 7636, Appendix B."""
    octets = bytes.fromhex("7418dfb49799e0254ffa607dd8adbbba16d4254d69d6bff05b58055853848d79")
    attempt = begin_login(ApiSettings(client_id="app-1"), (), lambda count: octets[:count])
    assert attempt.verifier == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" in attempt.url


def test_each_attempt_has_its_own_state_and_verifier_and_shows_neither(bench: Bench) -> None:
    one, other = bench.begin(), bench.begin()
    assert len({one.state, one.verifier, other.state, other.verifier}) == 4
    assert one.verifier not in f"{one!r} {one.url}"
    with pytest.raises(ConfigurationError, match=r"x_api\.client_id is missing"):
        begin_login(replace(bench.settings, client_id=None), SCOPES, secrets.token_bytes)


# The token


def test_a_code_becomes_the_token_of_who_has_signed_in(bench: Bench) -> None:
    attempt = bench.begin()
    token = bench.finish(attempt, bench.x.authorize(attempt.url, bench.user_id))
    assert (token.user_id, token.handle, token.scopes) == (bench.user_id, "SpringfieldPD", SCOPES)
    assert token.expires_ms == NOW_MS + 7_200_000
    assert token.refresh_token is not None
    exchange, me = bench.x.requests
    assert exchange.form["client_id"] == "app-1"
    assert exchange.form["code_verifier"] == attempt.verifier
    assert "authorization" not in exchange.headers
    assert (me.method, me.path, me.query) == ("GET", "/2/users/me", {})


def test_an_app_with_a_secret_signs_in_with_it(bench: Bench) -> None:
    bench.x.world.add_client("app-1", bench.settings.redirect_uri, SECRET)
    attempt = bench.begin()
    address = bench.x.authorize(attempt.url, bench.user_id)
    assert bench.finish(attempt, address, SECRET).user_id == bench.user_id
    assert "client_id" not in bench.x.requests[0].form
    text = bench.refusal(attempt, address, ConfigurationError)
    assert "X does not know this program under x_api.client_id (401" in text


def test_where_x_names_no_scopes_those_asked_for_are_granted(bench: Bench) -> None:
    bench.x.faults.add("/token$", Edit(lambda document: document.pop("scope") and document))
    attempt = bench.begin()
    assert bench.finish(attempt, bench.x.authorize(attempt.url, bench.user_id)).scopes == SCOPES


def test_the_answer_to_another_sign_in_is_refused_before_anything_is_asked(bench: Bench) -> None:
    attempt, other = bench.begin(), bench.begin()
    address = bench.x.authorize(other.url, bench.user_id)
    assert bench.refusal(attempt, address, ArchiverError).startswith("this is the answer to another sign-in")
    denied = f"{attempt.redirect_uri}?error=access_denied&state={other.state}"
    assert bench.refusal(attempt, denied, ArchiverError).startswith("this is the answer to another sign-in")
    assert bench.x.requests == []


def test_a_verifier_that_is_not_the_right_one_gets_no_token(bench: Bench) -> None:
    attempt = bench.begin()
    address = bench.x.authorize(attempt.url, bench.user_id)
    forged = replace(attempt, verifier="a" * 43)
    text = bench.refusal(forged, address, TokenRefusedError)
    assert text.startswith("X did not take this sign-in (400, invalid_request: Value passed for the code ver")
    assert "for 30 seconds" in text


def test_access_that_is_declined_is_told_as_that(bench: Bench) -> None:
    attempt = bench.begin()
    for error, words in (
        ("access_denied", "access was declined on X's page"),
        ("invalid_scope", "X's page gave no access: invalid_scope"),
        ("horse battery", "X's page gave no access (compare"),
    ):
        address = f"{attempt.redirect_uri}?{urlencode({'error': error, 'state': attempt.state})}"
        assert bench.refusal(attempt, address, ArchiverError).startswith(words)


def test_what_is_no_address_of_xs_is_refused_and_not_repeated(bench: Bench) -> None:
    attempt = bench.begin()
    uri, state = attempt.redirect_uri, attempt.state
    for address in (
        "", "horse", f"{uri}?code=horse", f"{uri}?state={state}", f"{uri}?state={state}&code=",
        f"{uri}?state={state}&code=horse&code=battery", f"{uri}?state={state}&state={state}&code=horse",
        f"http://[horse?state={state}&code=horse", f"{uri}?code=horse#state={state}",
        f"{uri}?state={state}&code=horse&" + "&".join(["a=b"] * 40),
        f"{uri}?state={state}&code=horse&{'a' * 20_000}",
    ):  # fmt: skip
        text = bench.refusal(attempt, address, ArchiverError)
        assert text.startswith("this is not the address that X sent the browser to")
    wrong = f"{uri}?state=%ff%00\ud800&code=horse"
    assert "another sign-in" in bench.refusal(attempt, wrong, ArchiverError)
    assert bench.x.requests == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (problem(403, detail="When authenticating requests the app must be attached to a Project."),
         "(403: When authenticating requests the app must be attached to a Project)"),
        (problem(429), "(429: Too Many Requests)"),
        (Answer(503, b""), "(503)"),
        (Answer(200, {"errors": []}), "(200)"),
        (Answer(200, {"data": {"id": "horse", "username": "horse"}}), "(200)"),
        (Answer(200, [1]), "(200)"),
    ],
)  # fmt: skip
def test_a_token_of_which_x_does_not_say_whose_it_is_is_refused(
    bench: Bench, answer: Answer, words: str
) -> None:
    bench.x.faults.add("/users/me$", answer)
    attempt = bench.begin()
    text = bench.refusal(attempt, bench.x.authorize(attempt.url, bench.user_id), SourceError)
    assert text.startswith(f"X gave a token, but does not say whose it is {words}")


def test_a_token_that_x_sends_back_in_an_error_is_not_shown(bench: Bench) -> None:
    bench.x.faults.add("/token$", Edit(lambda document: document | {"access_token": "access-horse"}))
    bench.x.faults.add("/users/me$", problem(401, detail="no access-horse here"))
    attempt = bench.begin()
    text = bench.refusal(attempt, bench.x.authorize(attempt.url, bench.user_id), SourceError)
    assert "no [secret] here" in text


def test_a_handle_that_could_steer_a_terminal_is_not_taken(bench: Bench) -> None:
    bench.x.faults.add("/users/me$", Answer(200, {"data": {"id": bench.user_id, "username": "\x1b[2J"}}))
    attempt = bench.begin()
    token = bench.finish(attempt, bench.x.authorize(attempt.url, bench.user_id))
    assert (token.user_id, token.handle) == (bench.user_id, None)


# The listener


class Browser:
    """Waits in a thread for the listener, then acts; `done` has what it was answered, or its error."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act
        self.done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def open(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        try:
            self.done.put(self._act())
        except Exception as error:  # noqa: BLE001  # the test tells what it was
            self.done.put(error)


def wait_with(attempt: LoginAttempt, browser: Browser, timeout_seconds: float = 20) -> str:
    return wait_for_redirect(attempt.redirect_uri, attempt.state, timeout_seconds, browser.open)


def test_a_browser_that_signs_in_is_waited_for_and_told_that_it_is_done(bench: Bench) -> None:
    attempt = bench.begin()
    sent_to = bench.x.authorize(attempt.url, bench.user_id)
    browser = Browser(lambda: requests.get(sent_to, timeout=10))
    address = wait_with(attempt, browser)
    assert address == sent_to
    shown = browser.done.get(timeout=10)
    assert (shown.status_code, shown.text) == (
        200, "X has answered. Go back to the terminal: it says whether that was all.\n",
    )  # fmt: skip
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert bench.finish(attempt, address).user_id == bench.user_id


def test_only_the_right_path_with_the_right_state_ends_the_waiting(bench: Bench) -> None:
    attempt, other = bench.begin(), bench.begin()
    sent_to = bench.x.authorize(attempt.url, bench.user_id)
    origin = sent_to.partition("/callback")[0]

    def wander() -> list[int]:
        addresses = (
            f"{origin}/favicon.ico",
            f"{origin}/",
            f"{origin}/callback/x?{urlsplit(sent_to).query}",
            f"{origin}/callback",
            bench.x.authorize(other.url, bench.user_id),
        )
        codes = [requests.get(address, timeout=10).status_code for address in addresses]
        codes.append(requests.post(sent_to, timeout=10).status_code)
        return [*codes, requests.get(sent_to, timeout=10).status_code]

    browser = Browser(wander)
    assert wait_with(attempt, browser) == sent_to
    assert browser.done.get(timeout=10) == [404, 404, 404, 400, 400, 501, 200]


def test_connections_without_a_request_hold_nobody_up(bench: Bench) -> None:
    """A browser opens some in advance; others send what is no HTTP."""
    attempt = bench.begin()
    sent_to = bench.x.authorize(attempt.url, bench.user_id)
    place = ("127.0.0.1", urlsplit(sent_to).port)

    def act() -> int:
        with socket.create_connection(place), socket.create_connection(place) as odd:
            odd.sendall(b"GET http://[/callback HTTP/1.1\r\n\r\n")
            assert odd.recv(64).startswith(b"HTTP/1.0 404")
            with socket.create_connection(place) as broken:
                broken.sendall(b"\x00\xff\r\n\r\n")
            return requests.get(sent_to, timeout=10).status_code

    browser = Browser(act)
    start = time.monotonic()
    assert wait_with(attempt, browser) == sent_to
    assert browser.done.get(timeout=10) == 200
    assert time.monotonic() - start < 8


def test_a_browser_that_does_not_come_is_waited_for_no_longer_than_said(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    attempt = bench.begin()
    uri = attempt.redirect_uri
    start = time.monotonic()
    text = refusal(lambda: wait_for_redirect(uri, attempt.state, 0.3), ArchiverError, attempt)
    assert text.startswith(
        f"no browser came back to {uri} within 0 seconds (use a browser anywhere and paste"
    )
    assert 0.3 <= time.monotonic() - start < 5
    with socket.socket() as again:  # the port is free once more
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", urlsplit(uri).port))
    output = capfd.readouterr()
    assert output.out + output.err == ""


def test_nothing_of_a_browsers_visit_is_printed(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    attempt = bench.begin()
    sent_to = bench.x.authorize(attempt.url, bench.user_id)
    browser = Browser(lambda: requests.get(sent_to, timeout=10))
    wait_with(attempt, browser)
    browser.done.get(timeout=10)
    output = capfd.readouterr()
    assert output.out + output.err == ""


def test_a_port_that_is_taken_is_told_with_the_other_way(bench: Bench) -> None:
    attempt = bench.begin()
    opened: list[bool] = []
    with socket.create_server(("127.0.0.1", urlsplit(attempt.redirect_uri).port or 0)):
        text = refusal(
            lambda: wait_for_redirect(attempt.redirect_uri, attempt.state, 5, lambda: opened.append(True)),
            ArchiverError,
            attempt,
        )
    assert text.startswith(f"this program cannot listen at {attempt.redirect_uri}: address already in use")
    assert "archiver login x --paste" in text
    assert opened == []


@pytest.mark.parametrize(
    "uri",
    [
        "https://127.0.0.1:8765/callback",
        "http://0.0.0.0:8765/callback",
        "http://archive.example:8765/callback",
        "http://192.0.2.1:8765/callback",
        "https://archive.example/callback",
    ],
)
def test_only_this_hosts_own_addresses_are_listened_at(uri: str) -> None:
    with pytest.raises(ArchiverError, match="cannot listen") as caught:
        wait_for_redirect(uri, "state", 5)
    assert "--paste" in (caught.value.hint or "")


@pytest.mark.parametrize("host", ["localhost", "[::1]"])
def test_the_other_names_of_this_host_are_listened_at_too(bench: Bench, host: str) -> None:
    family = socket.AF_INET6 if host == "[::1]" else socket.AF_INET
    if family == socket.AF_INET6 and not has_ipv6():
        pytest.skip(f"{NEEDS}IPv6 on this host")
    uri = f"http://{host}:{free_port(host.strip('[]'), family)}/callback"
    bench.settings = replace(bench.settings, redirect_uri=uri)
    bench.x.world.add_client("app-1", uri)
    attempt = bench.begin()
    sent_to = bench.x.authorize(attempt.url, bench.user_id)
    browser = Browser(lambda: requests.get(sent_to, timeout=10))
    assert wait_with(attempt, browser) == sent_to
    assert browser.done.get(timeout=10).status_code == 200
