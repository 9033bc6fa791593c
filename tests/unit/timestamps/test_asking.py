"""Asking authorities that answer rightly, wrongly, slowly, endlessly or not at all."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from archiver.timestamps import MAXIMUM_TOKEN_BYTES, NoStampError, fetch_token, verify_token
from tests.authority import Answer, Authority, authority, openssl_verifies, unused_url
from tests.certificates import make_certificates
from tests.unit.timestamps.test_tokens import DATA, pinned


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Authority]:
    with authority(tmp_path / "authority") as running:
        yield running


def failure(one: Authority, **more: object) -> str:
    """Why the one authority gave no token."""
    with pytest.raises(NoStampError) as caught:
        fetch_token([pinned(one, **more)], DATA)
    assert caught.value.exit_code == 3
    (said,) = caught.value.failures
    assert said in caught.value.message
    return said.removeprefix("test: ")


def test_a_token_is_fetched_and_openssl_finds_it_right(one: Authority, tmp_path: Path) -> None:
    stamped = fetch_token([pinned(one)], DATA)
    assert stamped.passed_over == ()
    assert verify_token(stamped.token, DATA, [pinned(one)]).time_ms == stamped.time_ms
    assert openssl_verifies(stamped.token, DATA, one.root_path, tmp_path)


def test_what_is_sent_is_a_hash_and_a_nonce_that_is_never_the_same(one: Authority) -> None:
    for _ in range(2):
        fetch_token([pinned(one)], DATA)
    first, second = one.queries
    assert first != second
    assert all(len(query) < 100 and DATA not in query for query in (first, second))


def test_authorities_are_asked_in_turn_until_one_answers_and_each_failure_is_told(
    one: Authority, tmp_path: Path
) -> None:
    with authority(tmp_path / "busy", "busy") as busy:
        busy.answer = lambda query: Answer(b"busy", 503)
        gone = pinned(one, name="gone", url=unused_url())
        stamped = fetch_token([gone, pinned(busy), pinned(one), gone], DATA)
        assert stamped.authority == "test"
        assert stamped.passed_over == ("gone: no answer (ConnectionError)", "busy: it answers 503")
        with pytest.raises(NoStampError) as caught:
            fetch_token([gone, pinned(busy)], DATA)
    assert caught.value.failures == stamped.passed_over


def test_an_authority_that_is_down_is_told_and_answers_when_it_is_up_again(one: Authority) -> None:
    one.down()
    assert failure(one) == "no answer (ConnectionError)"
    one.up()
    assert fetch_token([pinned(one)], DATA).authority == "test"


def test_an_old_answer_to_the_same_data_is_told_by_its_nonce(one: Authority) -> None:
    old = fetch_token([pinned(one)], DATA).token
    one.answer = lambda query: Answer(old)
    assert "Nonce" in failure(one)


def test_an_answer_about_other_data_is_told(one: Authority) -> None:
    one.answer = lambda query: Answer(one.stamp(b"other data"))
    assert failure(one) == "the time stamp is of other bytes"


def test_an_answer_that_somebody_else_signed_is_told(one: Authority, tmp_path: Path) -> None:
    with authority(tmp_path / "stranger", "stranger", self_signed=True) as stranger:
        one.answer = lambda query: Answer(stranger.reply(query))
        assert failure(one) == "the time stamp is not signed by the certificate in the settings"


def test_a_refusal_is_told(one: Authority) -> None:
    """As of a hash that it does not know."""
    sha256, unknown = bytes.fromhex("0609608648016503040201"), b"\x06\x09" + b"\x2a" * 9
    one.answer = lambda query: Answer(one.reply(query.replace(sha256, unknown)))
    assert failure(one).startswith("the authority refused, with status 2")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(b""), "none that can be read"),
        (Answer(b"<html>sign in</html>"), "none that can be read"),
        (Answer(b"\x30\x82\xff\xff" + bytes(100)), "none that can be read"),
        (Answer(b"\x30" * 60_000), "none that can be read"),
        (Answer(bytes(MAXIMUM_TOKEN_BYTES + 1)), "its answer is larger than 65,536 bytes"),
        (Answer(b"", 404), "it answers 404"),
        (Answer(b"cut", headers={"Content-Length": "5000"}), "none that can be read|no answer"),
        (Answer(bytes(9), headers={"Content-Encoding": "gzip"}), "none that can be read"),
    ],
)
def test_garbage_is_told(one: Authority, answer: Answer, said: str) -> None:
    one.answer = lambda query: answer
    assert re.search(said, failure(one))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(one: Authority, tmp_path: Path, status: int) -> None:
    with authority(tmp_path / "elsewhere") as elsewhere:
        one.answer = lambda query: Answer(b"", status, {"Location": elsewhere.url})
        assert failure(one) == "it points elsewhere, which is not followed"
        assert elsewhere.queries == []


def test_an_answer_that_dribbles_is_not_waited_for(one: Authority) -> None:
    one.answer = lambda query: Answer(one.reply(query), dribble=True)
    begun = time.monotonic()
    assert failure(one, timeout_seconds=1) == "no answer within 1 seconds"
    assert time.monotonic() - begun < 3


def dribble_headers(peer: socket.socket) -> None:
    for _ in range(600):
        peer.sendall(b"H")
        time.sleep(0.05)


def say_nothing(peer: socket.socket) -> None:
    peer.recv(65_536)
    time.sleep(5)


@pytest.mark.parametrize("behave", [dribble_headers, say_nothing])
def test_headers_that_dribble_or_never_come_are_not_waited_for(
    one: Authority, behave: Callable[[socket.socket], None]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer = server.accept()[0]
            with suppress(OSError):  # whoever asked has gone
                behave(peer)
            peer.close()

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        begun = time.monotonic()
        assert failure(one, url=url, timeout_seconds=1) == "no answer within 1 seconds"
        assert time.monotonic() - begun < 3


def test_over_https_a_server_is_believed_by_the_file_of_certificates_alone(
    one: Authority, tmp_path: Path
) -> None:
    make_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    assert one._server is not None
    one._server.socket = context.wrap_socket(one._server.socket, server_side=True)
    url = one.url.replace("http:", "https:")
    assert fetch_token([pinned(one, url=url, ca_file=tmp_path / "ca.pem")], DATA).authority == "test"
    assert failure(one, url=url) == "no answer (SSLError)"


def test_without_any_authority_it_is_said() -> None:
    with pytest.raises(NoStampError, match="the settings name none"):
        fetch_token([], DATA)
