"""Notices as JSON to an address, and every way in which a web server can fail. Nothing tells the address."""

import hashlib
import hmac
import json
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.errors import ConfigurationError
from archiver.notify.base import Notice, NoticeError
from archiver.notify.webhook import WebhookNotifier
from archiver.settings.notices import WebhookSettings
from tests.certificates import make_certificates
from tests.receiver import Answer, Receiver, receiver, silent, unused_port

PATH = "/hooks/very-private-path"
SECRETS = {
    "env:SIGN": "a signing secret", "env:TOKEN": "Bearer very-private-token",
    "env:BREAKS": "two\r\nX-Other: lines", "env:BAD": "https://user:very-private@example.org/",
}  # fmt: skip
NOTICE = Notice(
    "failed", "archiver on host: failed", "What failed\n- süß\n", 1_793_000_000_000, 20, {"jobs": [1]}
)


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def notifier(kept: str, **more: object) -> WebhookNotifier:
    """`kept`: the address, which the settings name by reference."""
    values: dict[str, object] = {"name": "hook", "url": "env:URL", "timeout_seconds": 3}
    settings = WebhookSettings(**{**values, **more})  # type: ignore[arg-type]  # what each test changes

    def resolve(reference: str) -> str:
        if reference == "env:URL":
            return kept
        if reference not in SECRETS:
            raise ConfigurationError("the environment has no such variable")
        return SECRETS[reference]

    return WebhookNotifier(settings, resolve, pause_seconds=0.05)


def failure(one: WebhookNotifier) -> str:
    with pytest.raises(NoticeError) as caught:
        one.send(NOTICE)
    assert "very-private" not in f"{caught.value.message} {caught.value.hint} {one!r} {one.settings!r}"
    assert "very-private" not in "".join(traceback.format_exception(caught.value))
    return caught.value.message.removeprefix("notice hook: ")


def test_a_notice_arrives_as_json(server: Receiver) -> None:
    notifier(server.url + PATH).send(NOTICE)
    notifier("", url=server.url + PATH).send(NOTICE)
    request, other = server.requests
    assert (request.path, other.path) == (PATH, PATH)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("archiver/")
    assert "x-archiver-signature" not in request.headers
    assert json.loads(request.body) == {
        "type": "notice", "kind": "failed", "subject": NOTICE.subject, "text": NOTICE.text,
        "at": "2026-10-26T07:33:20.000Z", "code": 20, "recovered": False, "facts": {"jobs": [1]},
    }  # fmt: skip


def test_the_body_is_signed_and_headers_come_from_where_they_are_kept(server: Receiver) -> None:
    one = notifier(server.url + PATH, signing_secret="env:SIGN", headers=(("Authorization", "env:TOKEN"),))
    one.send(NOTICE)
    (request,) = server.requests
    assert request.headers["authorization"] == "Bearer very-private-token"
    expected = hmac.new(b"a signing secret", request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-archiver-signature"] == f"sha256={expected}"


def test_a_header_of_two_lines_is_refused(server: Receiver) -> None:
    said = failure(notifier(server.url, headers=(("X-Key", "env:BREAKS"),)))
    assert said == "what is kept for the header X-Key cannot stand in a header"
    assert server.requests == []


@pytest.mark.parametrize("reference", ["env:NONE", "env:BAD"])
def test_an_address_that_is_not_there_or_not_right_is_said(reference: str) -> None:
    said = failure(notifier("", url=reference))
    assert said in (
        "the environment has no such variable",
        "what is kept as its address is not one that notices can go to",
    )


def test_a_redirect_is_not_followed_and_nothing_secret_goes_elsewhere(server: Receiver) -> None:
    with receiver() as other:
        server.answer = lambda path: Answer(307, headers={"Location": f"{other.url}/elsewhere"})
        one = notifier(server.url + PATH, headers=(("Authorization", "env:TOKEN"),))
        assert failure(one) == "the server points elsewhere (307), which is not followed"
        assert other.requests == []
    assert len(server.requests) == 1


@pytest.mark.parametrize(("status", "tries"), [(400, 1), (401, 1), (404, 1), (429, 2), (500, 2), (503, 2)])
def test_a_refusal_is_tried_once_more_only_where_that_may_help(
    server: Receiver, status: int, tries: int
) -> None:
    server.answer = lambda path: Answer(status, b"very-private")
    assert failure(notifier(server.url)) == f"the server answers {status}"
    assert len(server.requests) == tries


def test_a_server_that_is_busy_for_a_moment_takes_it_at_the_second_try(server: Receiver) -> None:
    server.answer = lambda path: Answer(503 if len(server.requests) == 1 else 204, b"")
    notifier(server.url).send(NOTICE)
    assert len(server.requests) == 2


def test_a_server_that_is_down_is_said() -> None:
    assert failure(notifier(f"http://127.0.0.1:{unused_port()}{PATH}")) == "no answer (ConnectionError)"


@pytest.mark.parametrize(
    "drip", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2_000],
    ids=["silent", "drips its head", "drips its body"],
)  # fmt: skip
def test_a_server_that_hangs_or_drips_takes_twice_the_time_and_no_more(drip: bytes) -> None:
    with silent(drip) as port:
        started = time.monotonic()
        said = failure(notifier(f"http://127.0.0.1:{port}{PATH}", timeout_seconds=1))
        taken = time.monotonic() - started
    assert said == "no answer within 1 seconds"
    assert taken < 4


def test_a_large_answer_is_not_read_whole(server: Receiver) -> None:
    server.answer = lambda path: Answer(200, b"x" * 50_000_000)
    notifier(server.url).send(NOTICE)
    deadline = time.monotonic() + 10
    while not server.cut_short and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.cut_short == 1


def test_https_is_checked_against_the_authority_of_the_settings(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    with receiver(tmp_path) as server:
        notifier(server.url, ca_file=tmp_path / "ca.pem").send(NOTICE)
        assert len(server.requests) == 1
        said = failure(notifier(server.url))
        (tmp_path / "other").mkdir()
        make_certificates(tmp_path / "other")
        assert failure(notifier(server.url, ca_file=tmp_path / "other" / "ca.pem")) == said
    assert said == "the server's certificate is not trusted, or is another's"
    assert len(server.requests) == 1


def test_a_netrc_file_adds_no_password(
    server: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login archive password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    notifier(server.url).send(NOTICE)
    assert "authorization" not in server.requests[0].headers
