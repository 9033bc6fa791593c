"""Pings: which address is asked for when, and what happens where it does not answer."""

import time
from collections.abc import Iterator

import pytest

from archiver.notify.base import Notice, NoticeError
from archiver.notify.ping import PingNotifier, put_behind
from archiver.settings.notices import NOTICE_KINDS, PingSettings
from tests.receiver import Answer, Receiver, receiver, silent


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def notifier(url: str, **more: object) -> PingNotifier:
    settings = PingSettings("watch", url, **more)  # type: ignore[arg-type]  # what each test changes
    return PingNotifier(settings, lambda reference: url, pause_seconds=0.05)


def ended(code: int) -> Notice:
    kind = "done" if code == 0 else "incomplete" if code == 3 else "failed"
    return Notice(kind, f"ended in {code} ✓", "text", 0, code)  # type: ignore[arg-type]  # one of three


def test_a_run_is_followed_from_its_begin_to_its_end(server: Receiver) -> None:
    one = notifier(f"{server.url}/ping/abc")
    one.begin(0)
    for code in (0, 3, 1, 20):
        one.send(ended(code))
    assert server.paths == ["/ping/abc/start", "/ping/abc", "/ping/abc/3", "/ping/abc/1", "/ping/abc/20"]
    assert [one.body.decode() for one in server.requests] == ["", *(f"ended in {n} ✓" for n in (0, 3, 1, 20))]


def test_a_service_that_knows_no_exit_codes_is_told_of_a_failure(server: Receiver) -> None:
    notifier(f"{server.url}/abc", failure="fail").send(ended(20))
    assert server.paths == ["/abc/fail"]


def test_a_test_changes_nothing_there_and_what_is_for_persons_is_not_sent(server: Receiver) -> None:
    one = notifier(f"{server.url}/abc")
    for kind in NOTICE_KINDS:
        if kind not in ("done", "incomplete", "failed"):
            one.send(Notice(kind, kind, "text", 0))
    assert server.paths == ["/abc/log"]


@pytest.mark.parametrize(
    ("address", "suffix", "expected"),
    [
        ("https://example.org/abc", "/start", "https://example.org/abc/start"),
        ("https://example.org/abc/", "/3", "https://example.org/abc/3"),
        ("https://example.org/abc?create=1", "/3", "https://example.org/abc/3?create=1"),
        ("https://example.org", "", "https://example.org"),
    ],
)
def test_what_is_put_behind_an_address_comes_before_its_query(
    address: str, suffix: str, expected: str
) -> None:
    assert put_behind(address, suffix) == expected


@pytest.mark.parametrize("answer", [Answer(404, b"not found"), Answer(200, b"OK (not found)")])
def test_an_address_that_is_unknown_there_is_said_whatever_the_status(
    server: Receiver, answer: Answer
) -> None:
    server.answer = lambda path: answer
    with pytest.raises(NoticeError, match="notice watch: the"):
        notifier(f"{server.url}/abc").send(ended(0))
    assert len(server.requests) == 1


def test_a_service_that_hangs_holds_up_the_begin_of_a_run_once_and_its_end_twice() -> None:
    with silent() as port:
        one = notifier(f"http://127.0.0.1:{port}/", timeout_seconds=1)
        started = time.monotonic()
        with pytest.raises(NoticeError, match="notice watch: no answer within 1 seconds"):
            one.begin(0)
        between = time.monotonic()
        with pytest.raises(NoticeError, match="notice watch: no answer within 1 seconds"):
            one.send(ended(0))
        assert between - started < 1.9
        assert time.monotonic() - between < 3.5
