"""The HTTP of the fake of X: connections that are kept, records of requests, answers and their faults."""

import gzip
import http.server
import socket
import socketserver
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from tests.fakes import x_faults

if TYPE_CHECKING:
    from tests.fakes.x_api import FakeX

MOST_RECORDS = 200_000
MOST_BODY_BYTES = 1 << 20
IDLE_SECONDS = 60


@dataclass
class Record:
    """One request and how it was answered. `document`: the JSON that was sent, if any. `data` and `included`
    count resources in the answer."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str] = field(default_factory=dict, repr=False)
    document: Any = None
    status: int = 0
    data: int = 0
    included: int = 0
    user_id: str | None = None


@dataclass
class Reply:
    """What is sent. `document`, if there is one, becomes the body."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    document: Any = None
    missing: int = 0
    """How many of the declared bytes are not sent."""


def _count(part: Any) -> int:
    return len(part) if isinstance(part, list) else int(part is not None)


def _document_of(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], fake: "FakeX") -> None:
        self.fake = fake
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        """Without the library's question to DNS for the host's full name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a defect of the fake and is shown."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: Server

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_GET  # noqa: N815
    do_PUT = do_GET  # noqa: N815
    do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        return

    def _serve(self) -> None:
        fake = self.server.fake
        parts = urlsplit(self.path)
        length = min(int(self.headers.get("content-length") or 0), MOST_BODY_BYTES)
        body = self.rfile.read(length)
        is_form = self.headers.get_content_type() == "application/x-www-form-urlencoded"
        form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True) if is_form else []
        record = Record(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            dict(form),
            _document_of(body) if self.headers.get_content_type() == "application/json" else None,
        )
        if len(fake.requests) < MOST_RECORDS:
            fake.requests.append(record)
        reply, sending = fake.faulty(record, parts.query, form)
        self._send(record, reply, sending)

    def _send(self, record: Record, reply: Reply, sending: Any) -> None:
        if isinstance(sending, x_faults.Drop):
            self.close_connection = True
            return
        record.status = reply.status
        head, body = self._message(record, reply)
        message = head + body
        if isinstance(sending, x_faults.Cut) or reply.missing:
            left_out = reply.missing or -(-len(body) // 2)
            message = message[: max(len(head), len(message) - left_out)]
            self.close_connection = True
        if isinstance(sending, x_faults.Dribble):
            self._dribble(message, sending.seconds)
        else:
            self.wfile.write(message)

    def _message(self, record: Record, reply: Reply) -> tuple[bytes, bytes]:
        headers = {"date": formatdate(self.server.fake.world.now_ms() / 1000, usegmt=True), **reply.headers}
        body = reply.body
        if reply.document is not None:
            body = msgspec.json.encode(reply.document)
            headers.setdefault("content-type", "application/json; charset=utf-8")
            if isinstance(reply.document, Mapping):
                record.data = _count(reply.document.get("data"))
                included = reply.document.get("includes")
                record.included = sum(map(_count, included.values())) if isinstance(included, dict) else 0
            if len(body) > 200 and "gzip" in record.headers.get("accept-encoding", ""):
                body = gzip.compress(body, 1, mtime=0)
                headers["content-encoding"] = "gzip"
        headers["content-length"] = str(len(body))
        reason = http.server.BaseHTTPRequestHandler.responses.get(reply.status, ("",))[0]
        lines = [
            f"HTTP/1.1 {reply.status} {reason}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), body

    def _dribble(self, message: bytes, seconds: float) -> None:
        step = -(-len(message) // 20)
        for start in range(0, len(message), step):
            self.wfile.write(message[start : start + step])
            if self.server.fake.closing.wait(seconds / 20):
                return
