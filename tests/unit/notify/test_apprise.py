"""Notices through Apprise, to a web server on loopback; and what is said where it is not installed."""

import io
import json
import logging
import sys
import time
from collections.abc import Iterator

import pytest

from archiver.notify.apprise import AppriseNotifier
from archiver.notify.base import Notice, NoticeError
from archiver.settings.notices import AppriseSettings
from tests.receiver import Answer, Receiver, receiver, silent

NOTICE = Notice("failed", "archiver on host:\nfailed", "What failed\n- it\n", 0)


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def address(server: Receiver, path: str = "very-private") -> str:
    return f"json://127.0.0.1:{server.url.rpartition(':')[2]}/{path}"


def notifier(*addresses: str, timeout_seconds: int = 5) -> AppriseNotifier:
    references = {f"env:URL{number}": one for number, one in enumerate(addresses)}
    settings = AppriseSettings("chat", tuple(references), timeout_seconds=timeout_seconds)
    return AppriseNotifier(settings, references.__getitem__)


def failure(one: AppriseNotifier) -> NoticeError:
    with pytest.raises(NoticeError) as caught:
        one.send(NOTICE)
    assert "very-private" not in f"{caught.value.message} {caught.value.hint} {one!r}"
    return caught.value


def test_a_notice_arrives(server: Receiver) -> None:
    notifier(address(server)).send(NOTICE)
    (request,) = server.requests
    said = json.loads(request.body)
    assert (request.path, said["type"]) == ("/very-private", "failure")
    assert said["title"] == "archiver on host: failed"
    assert said["message"].strip() == NOTICE.text.strip()


def test_an_address_that_does_not_take_it_is_counted_and_tried_once_more(
    server: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    server.answer = lambda path: Answer(500 if "very-private" in path else 200)
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    handler.addFilter(logging.Filter("apprise"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        error = failure(notifier(address(server, "other"), address(server)))
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
    assert error.message == "notice chat: 1 of 2 addresses did not take it"
    assert error.hint == "the first of them is number 2 of urls"
    assert error.delivered
    assert server.paths == ["/other", "/very-private", "/very-private"]
    captured = capfd.readouterr()
    assert "very-private" not in logged.getvalue() + captured.out + captured.err


def test_where_nobody_takes_it_nothing_counts_as_delivered(server: Receiver) -> None:
    server.answer = lambda path: Answer(500)
    assert not failure(notifier(address(server))).delivered


def test_an_address_that_apprise_does_not_know_is_said_and_nothing_is_sent(server: Receiver) -> None:
    error = failure(notifier(address(server), "nonsense://very-private"))
    assert error.message == "notice chat: number 2 of urls is no address that Apprise knows"
    assert server.requests == []


def test_a_server_that_hangs_takes_its_time_and_no_more() -> None:
    with silent() as port:
        started = time.monotonic()
        error = failure(notifier(f"json://127.0.0.1:{port}/very-private", timeout_seconds=1))
        assert time.monotonic() - started < 4
    assert error.message == "notice chat: not sent within 1 seconds"


def test_without_apprise_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)  # as Python does where an import is forbidden
    error = failure(notifier("json://127.0.0.1/very-private"))
    assert error.message == "notice chat: Apprise is not installed"
    assert error.hint == "pip install 'archiver[apprise]'"
