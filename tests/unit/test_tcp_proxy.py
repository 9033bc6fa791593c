"""The proxy of the fault tests does what it says, or the fault tests prove nothing."""

import http.client
import http.server
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import make_certificates
from tests.proxy_faults import (
    CutAnswer,
    CutRequest,
    Exchange,
    Fault,
    Hold,
    LoseAnswer,
    Reset,
    Slow,
    s3_error,
)
from tests.tcp_proxy import TcpProxy, rounds

BROKEN = (http.client.HTTPException, ConnectionError)


class Shelf(http.server.BaseHTTPRequestHandler):
    """A server that keeps what is put, and gives it back by its length or in chunks."""

    protocol_version = "HTTP/1.1"
    kept: dict[str, bytes]

    def do_PUT(self) -> None:
        self.kept[self.path] = b""
        if "Content-Length" in self.headers:
            data = self.rfile.read(int(self.headers["Content-Length"]))
        else:
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.kept[self.path] = data
        self.give(b"")

    def do_GET(self) -> None:
        self.give(self.kept.get(self.path, b""))

    def do_HEAD(self) -> None:
        self.give(self.kept.get(self.path, b""))

    def give(self, data: bytes) -> None:
        self.send_response(200)
        chunked = "chunked" in self.path
        self.send_header(
            *(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(data))))
        )
        self.end_headers()
        if self.command == "HEAD":
            return
        if chunked:
            data = (b"%x;note=1\r\n%b\r\n" % (len(data), data) if data else b"") + b"0\r\nX-After: 1\r\n\r\n"
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing to stderr."""


class ShelfServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections are broken on purpose; nothing to stderr."""


@pytest.fixture
def shelf() -> Iterator[http.server.ThreadingHTTPServer]:
    handler = type("OwnShelf", (Shelf,), {"kept": {}})
    with ShelfServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


@pytest.fixture
def proxy(shelf: http.server.ThreadingHTTPServer) -> Iterator[TcpProxy]:
    with TcpProxy(("127.0.0.1", shelf.server_port), keep="listing") as proxy:
        yield proxy
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("proxy")]


def kept(shelf: http.server.ThreadingHTTPServer) -> dict[str, bytes]:
    found: dict[str, bytes] = shelf.RequestHandlerClass.kept  # type: ignore[attr-defined]
    return found


@pytest.fixture
def client(proxy: TcpProxy) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    yield connection
    connection.close()


def ask(
    client: http.client.HTTPConnection,
    method: str,
    target: str,
    body: object = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    client.request(method, target, body, headers or {})  # type: ignore[arg-type]
    answer = client.getresponse()
    return answer.status, answer.read()


def test_requests_and_answers_pass_unchanged_over_one_connection_and_are_logged(
    client: http.client.HTTPConnection, proxy: TcpProxy
) -> None:
    data = bytes(range(256)) * 1000
    assert ask(client, "PUT", "/a?x=1", data) == (200, b"")
    assert ask(client, "GET", "/a?x=1", headers={"Range": "bytes=0-9"}) == (200, data)
    assert ask(client, "HEAD", "/a?x=1") == (200, b"")
    assert [(one.method, one.target, one.range, one.status) for one in proxy.log] == [
        ("PUT", "/a?x=1", None, 200),
        ("GET", "/a?x=1", "bytes=0-9", 200),
        ("HEAD", "/a?x=1", None, 200),
    ]
    assert [(one.request_bytes, one.answer_bytes) for one in proxy.log] == [
        (256_000, 0),
        (0, 256_000),
        (0, 0),
    ]
    assert all(one.start <= one.end for one in proxy.log)
    assert proxy.connections == 1
    assert rounds(proxy.log) == 3


def test_bodies_in_chunks_pass_both_ways_and_the_connection_goes_on(
    client: http.client.HTTPConnection, proxy: TcpProxy, shelf: http.server.ThreadingHTTPServer
) -> None:
    assert ask(client, "PUT", "/chunked", iter([b"one ", b"two"])) == (200, b"")
    assert kept(shelf) == {"/chunked": b"one two"}
    assert ask(client, "GET", "/chunked") == (200, b"one two")
    assert ask(client, "GET", "/absent") == (200, b"")
    assert proxy.log[1].answer_bytes == 7
    assert proxy.connections == 1


def raw(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), 10)


def test_a_client_that_waits_for_leave_to_send_gets_it_from_the_server(proxy: TcpProxy) -> None:
    with raw(proxy) as wire:
        wire.sendall(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert wire.recv(1000).startswith(b"HTTP/1.1 100 ")
        wire.sendall(b"abc")
        assert wire.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert proxy.log[0].request_bytes == 3


def test_a_client_that_waits_for_leave_can_be_refused_before_it_sends(proxy: TcpProxy) -> None:
    proxy.inject(s3_error(503, "SlowDown"))
    with raw(proxy) as wire:
        wire.sendall(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert wire.recv(1000).startswith(b"HTTP/1.1 503 ")
        assert wire.recv(1000) == b""


def test_a_whole_url_is_passed_on_as_its_path(proxy: TcpProxy) -> None:
    with raw(proxy) as wire:
        wire.sendall(b"GET http://bucket.example.test:80/a?b=1 HTTP/1.1\r\nHost: bucket.example.test\r\n\r\n")
        assert wire.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert proxy.log[0].target == "/a?b=1"


def test_a_request_is_cut_at_the_byte_that_was_named(
    client: http.client.HTTPConnection, proxy: TcpProxy, shelf: http.server.ThreadingHTTPServer
) -> None:
    proxy.inject(CutRequest(100_000), method="PUT")
    with pytest.raises(BROKEN):
        ask(client, "PUT", "/a", bytes(5_000_000))
    assert proxy.log[0].request_bytes == 100_000
    assert proxy.log[0].status == 0
    client.close()
    assert ask(client, "PUT", "/a", b"whole") == (200, b"")


@pytest.mark.parametrize("reset", [False, True])
def test_an_answer_is_cut_at_the_byte_that_was_named(
    client: http.client.HTTPConnection, proxy: TcpProxy, shelf: http.server.ThreadingHTTPServer, reset: bool
) -> None:
    kept(shelf)["/a"] = bytes(100_000)
    proxy.inject(CutAnswer(70_000, reset=reset), method="GET")
    client.request("GET", "/a")
    answer = client.getresponse()
    with pytest.raises(BROKEN) as caught:
        answer.read()
    if not reset:
        assert isinstance(caught.value, http.client.IncompleteRead)
        assert len(caught.value.partial) == 70_000
    assert proxy.log[0].answer_bytes == 70_000


def test_a_reset_reaches_neither_server_nor_leaves_an_answer(
    client: http.client.HTTPConnection, proxy: TcpProxy, shelf: http.server.ThreadingHTTPServer
) -> None:
    proxy.inject(Reset(), method="PUT")
    with pytest.raises(BROKEN):
        ask(client, "PUT", "/a", b"data")
    assert kept(shelf) == {}


@pytest.mark.parametrize("fault", [LoseAnswer(), LoseAnswer(reset=True)])
def test_a_lost_answer_is_one_to_what_was_done(
    client: http.client.HTTPConnection, proxy: TcpProxy, shelf: http.server.ThreadingHTTPServer, fault: Fault
) -> None:
    proxy.inject(fault, method="PUT")
    with pytest.raises(BROKEN):
        ask(client, "PUT", "/a", b"data")
    assert kept(shelf) == {"/a": b"data"}


@pytest.mark.parametrize("pass_on", [False, True])
def test_an_error_is_given_in_place_of_the_answer_with_or_without_the_deed(
    client: http.client.HTTPConnection, proxy: TcpProxy, shelf: http.server.ThreadingHTTPServer, pass_on: bool
) -> None:
    proxy.inject(s3_error(500, "InternalError", "a < b", pass_on=pass_on, headers={"X-More": "1"}))
    status, body = ask(client, "PUT", "/a", b"data")
    assert status == 500
    assert b"<Code>InternalError</Code><Message>a &lt; b</Message>" in body
    assert kept(shelf) == ({"/a": b"data"} if pass_on else {})
    assert ask(client, "PUT", "/a", b"data") == (200, b"")
    assert proxy.connections == 1


def test_a_kept_answer_can_be_given_again_later(
    client: http.client.HTTPConnection, proxy: TcpProxy, shelf: http.server.ThreadingHTTPServer
) -> None:
    for target in ("/listing", "/listing-chunked"):
        kept(shelf)[target] = b"old"
        ask(client, "GET", target)
        kept(shelf)[target] = b"new"
        earlier = proxy.log[-1].answer
        assert earlier is not None
        proxy.inject(earlier, target=target)
        assert ask(client, "GET", target) == (200, b"old")
        assert ask(client, "GET", target) == (200, b"new")


def test_only_the_requests_meant_are_hit_and_as_often_as_said(
    client: http.client.HTTPConnection, proxy: TcpProxy
) -> None:
    rule = proxy.inject(s3_error(503, "SlowDown"), method="GET", target=r"^/b", skip=1, times=2)
    never = proxy.inject(s3_error(503, "SlowDown"), where=lambda exchange: exchange.range is not None)
    asked = [("GET", "/a"), ("PUT", "/b"), ("GET", "/b"), ("GET", "/b"), ("GET", "/bc"), ("GET", "/b")]
    assert [ask(client, method, target, b"" if method == "PUT" else None)[0] for method, target in asked] == [
        200, 200, 200, 503, 503, 200,
    ]  # fmt: skip
    assert (rule.hits, never.hits) == (2, 0)
    assert [one.fault for one in proxy.log].count(rule.fault) == 2


def test_a_slow_answer_takes_its_time_and_a_delay_comes_before_it(
    client: http.client.HTTPConnection, proxy: TcpProxy, shelf: http.server.ThreadingHTTPServer
) -> None:
    kept(shelf)["/a"] = bytes(20_000)
    proxy.inject(Slow(bytes_per_second=50_000, delay_seconds=0.1), method="GET")
    begin = time.monotonic()
    assert ask(client, "GET", "/a") == (200, bytes(20_000))
    assert 0.5 <= time.monotonic() - begin < 5
    assert proxy.log[0].end - proxy.log[0].start >= 0.1


def test_an_answer_is_held_until_it_is_released(
    client: http.client.HTTPConnection, proxy: TcpProxy, shelf: http.server.ThreadingHTTPServer
) -> None:
    hold = Hold()
    proxy.inject(hold, method="PUT")
    client.request("PUT", "/a", b"data")
    assert hold.reached.wait(10)
    assert kept(shelf) == {"/a": b"data"}
    assert proxy.log[0].status == 0
    hold.released.set()
    assert client.getresponse().status == 200


def test_a_held_answer_does_not_keep_the_proxy_from_stopping(shelf: http.server.ThreadingHTTPServer) -> None:
    hold = Hold()
    with TcpProxy(("127.0.0.1", shelf.server_port)) as proxy, raw(proxy) as wire:
        proxy.inject(hold)
        wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert hold.reached.wait(10)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("proxy")]


def test_the_server_can_come_back_on_another_port(
    client: http.client.HTTPConnection, proxy: TcpProxy, shelf: http.server.ThreadingHTTPServer
) -> None:
    working = proxy.target
    with socket.create_server(("127.0.0.1", 0)) as unused:
        proxy.target = unused.getsockname()
    with pytest.raises(BROKEN):
        ask(client, "GET", "/a")
    proxy.target = working
    client.close()
    assert ask(client, "GET", "/a") == (200, b"")
    proxy.break_connections()
    with pytest.raises(BROKEN):
        ask(client, "GET", "/a")


def test_a_client_that_trusts_the_private_authority_is_served_by_tls_and_no_other(
    shelf: http.server.ThreadingHTTPServer, tmp_path: Path
) -> None:
    make_certificates(tmp_path)
    pair = (tmp_path / "server.pem", tmp_path / "server.key")
    with TcpProxy(("127.0.0.1", shelf.server_port), certificate=pair) as proxy:
        assert proxy.endpoint == f"https://localhost:{proxy.port}"
        trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        for name in ("localhost", "127.0.0.1"):
            client = http.client.HTTPSConnection(name, proxy.port, timeout=20, context=trusting)
            assert ask(client, "PUT", "/a", bytes(200_000)) == (200, b"")
            assert ask(client, "GET", "/a") == (200, bytes(200_000))
            client.close()
        stranger = http.client.HTTPSConnection("localhost", proxy.port, timeout=20)
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(stranger, "GET", "/a")
        with raw(proxy):  # a client that never speaks does not keep it from stopping
            pass


def exchange(start: float, end: float) -> Exchange:
    return Exchange("GET", "/", None, start, end)


def test_requests_under_way_at_once_count_as_one_round() -> None:
    assert rounds([]) == 0
    assert rounds([exchange(0, 1), exchange(0.5, 1.5), exchange(0.9, 3)]) == 1
    assert rounds([exchange(0, 10), exchange(1, 2), exchange(2, 3), exchange(4, 5)]) == 3
    assert rounds([exchange(2, 3), exchange(0, 1), exchange(1, 2)]) == 3


def test_parallel_requests_through_the_proxy_are_one_round(proxy: TcpProxy) -> None:
    proxy.answer_delay_seconds = 0.2

    def get() -> None:
        client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
        ask(client, "GET", "/a")
        client.close()

    for count in (1, 8):
        threads = [threading.Thread(target=get) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(proxy.log) == 9
    assert rounds(proxy.log) == 2
