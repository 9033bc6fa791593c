"""A proxy on loopback between a client and an S3 server: it keeps a log of every request, and does to some
of them what networks and servers do (`tests/proxy_faults.py`).

    with TcpProxy(("127.0.0.1", port)) as proxy:
        proxy.inject(CutAnswer(1000), method="GET", target="records-000", skip=1)
        ...  # the client uses proxy.endpoint

Requests reach the server as they were sent, with the client's `Host`, so that signatures hold. One whose
target is a whole URL, as a client with an HTTP proxy sends it, gets the path alone.
"""

import select
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.http_wire import BrokenOffError, Head, Wire
from tests.proxy_act import IDLE_SECONDS, Act, BreakError
from tests.proxy_faults import Exchange, Fault, Hold, Rule

MOST_CONNECTIONS = 256
MOST_EXCHANGES = 100_000
STOP_SECONDS = 10.0
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: closing sends a reset (socket(7))."""


class TcpProxy:
    """At work inside `with`. `target` may be changed at any time, as when the server comes back on another
    port. `certificate`: a chain and its key, to speak TLS towards the client. `answer_delay_seconds` goes by
    before each answer; `keep` is a pattern of targets whose answers the log keeps whole."""

    def __init__(
        self,
        target: tuple[str, int],
        *,
        certificate: tuple[Path, Path] | None = None,
        answer_delay_seconds: float = 0.0,
        keep: str | None = None,
    ) -> None:
        self.target = target
        self.answer_delay_seconds = answer_delay_seconds
        self.keep = keep
        self.log: deque[Exchange] = deque(maxlen=MOST_EXCHANGES)
        self.connections = 0
        self.stopping = threading.Event()
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def endpoint(self) -> str:
        """Where the client finds it; by TLS under the name that the certificate has."""
        return f"http://127.0.0.1:{self.port}" if self._tls is None else f"https://localhost:{self.port}"

    def inject(self, fault: Fault, **where: Any) -> Rule:
        """Have a fault happen to the requests that a `Rule` with these fields is for. The first rule that
        applies is the one."""
        rule = Rule(fault, **where)
        with self._lock:
            self._rules.append(rule)
        return rule

    def heal(self) -> None:
        """No more faults; what is held back is released."""
        with self._lock:
            rules, self._rules = self._rules, []
        for rule in rules:
            if isinstance(rule.fault, Hold):
                rule.fault.released.set()

    def break_connections(self) -> None:
        """Break every connection there is, as when a network goes away."""
        with self._lock:
            for each in self._sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def begin(self, exchange: Exchange) -> Fault | None:
        """Log a request, and return what is to happen to it."""
        with self._lock:
            self.log.append(exchange)
            for rule in self._rules:
                if (fault := rule.fault_for(exchange)) is not None:
                    exchange.fault = fault
                    return fault
        return None

    def connect(self) -> socket.socket:
        return self._watched(socket.create_connection(self.target, IDLE_SECONDS))

    def _watched(self, connection: socket.socket) -> socket.socket:
        """A connection that ends with the proxy. What is sent goes out at once."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            if self.stopping.is_set():
                connection.close()
                raise BreakError
            self._sockets.add(connection)
        return connection

    def close_connection(self, connection: socket.socket, *, reset: bool = False) -> None:
        with self._lock:
            self._sockets.discard(connection)
        with suppress(OSError):
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection.close()

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=MOST_CONNECTIONS)
        self._listener.settimeout(0.1)
        self._acceptor = threading.Thread(target=self._accept, name="proxy", daemon=True)
        self._acceptor.start()
        return self

    def _accept(self) -> None:
        while not self.stopping.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                self._start(connection)

    def _start(self, connection: socket.socket) -> None:
        with self._lock:
            if len(self._threads) >= MOST_CONNECTIONS:
                connection.close()
                return
            self.connections += 1
            thread = threading.Thread(
                target=self._serve, args=(connection,), name="proxy connection", daemon=True
            )
            self._threads.add(thread)
        thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with suppress(BreakError, BrokenOffError, OSError):
                if self._tls is not None:
                    connection = self._tls.wrap_socket(
                        connection, server_side=True, do_handshake_on_connect=False
                    )
                self._watched(connection)
                connection.settimeout(IDLE_SECONDS)
                if isinstance(connection, ssl.SSLSocket):
                    connection.do_handshake()
                _Connection(self, connection).serve()
        finally:
            self.close_connection(connection)
            with self._lock:
                self._threads.discard(threading.current_thread())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop; raise RuntimeError where a thread does not end."""
        self.stopping.set()
        self.heal()
        self.break_connections()
        deadline = time.monotonic() + STOP_SECONDS
        self._acceptor.join(STOP_SECONDS)
        self._listener.close()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in threads) or self._acceptor.is_alive():
            raise RuntimeError("the proxy does not stop")


class _Connection:
    """A client's connection and the one to the server that goes with it."""

    def __init__(self, proxy: TcpProxy, connection: socket.socket) -> None:
        self._proxy = proxy
        self._client = Wire(connection, IDLE_SECONDS)
        self._server: Wire | None = None

    def serve(self) -> None:
        """One request after the other, until one side ends or a fault breaks it."""
        reset = False
        try:
            while (head := self._client.read_head()) is not None:
                if not self._serve_one(head):
                    break
        except BreakError as error:
            reset = error.reset
        finally:
            self._proxy.close_connection(self._client.socket, reset=reset)
            if self._server is not None:
                self._proxy.close_connection(self._server.socket, reset=reset)

    def _serve_one(self, head: Head) -> bool:
        """Whether the connection goes on."""
        method, target, _ = head.first
        if target.startswith("http://"):
            target = target[len("http://" + urlsplit(target).netloc) :] or "/"
            head = replace(
                head, raw=head.raw.replace(head.first[1].encode("latin-1"), target.encode("latin-1"), 1)
            )
        exchange = Exchange(method, target, head.headers.get("range"), time.monotonic())
        fault = self._proxy.begin(exchange)
        try:
            return Act(self._proxy, self._client, self._upstream, head, exchange, fault).run()
        finally:
            exchange.end = exchange.end or time.monotonic()

    def _upstream(self) -> Wire:
        """The server's connection; a new one where the server ended it, as a client of its own would see."""
        if self._server is not None and select.select([self._server.socket], [], [], 0)[0]:
            self._proxy.close_connection(self._server.socket)
            self._server = None
        if self._server is None:
            self._server = Wire(self._proxy.connect(), IDLE_SECONDS)
        return self._server


def rounds(log: Iterable[Exchange]) -> int:
    """How many requests were made one after another: the longest chain of which each began when the one
    before had ended. Those under way at once count once."""
    count, until = 0, float("-inf")
    for exchange in sorted(log, key=lambda one: one.end):
        if exchange.start >= until:
            count += 1
            until = exchange.end
    return count
