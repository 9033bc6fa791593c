"""What notices are sent to, on loopback: a web server that keeps what it is sent, and a socket that answers
nothing, or a byte at a time.

    with receiver() as one:
        one.url, one.requests, one.answer = lambda path: Answer(503)
"""

import http.server
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b"OK"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Receiver:
    """A running one. `answer` is asked for each path what to say."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    answer: Callable[[str], Answer] = lambda path: Answer()
    cut_short: int = 0
    """How many answers nobody read to their end."""

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.requests]


@contextmanager
def receiver(certificates: Path | None = None) -> Iterator[Receiver]:
    """With https where a folder of `tests.certificates.make_certificates` is given."""
    one = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            one.requests.append(Request(self.path, headers, body))
            answer = one.answer(self.path)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST  # noqa: N815  # a redirect that is followed would come so

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # its name there
            """Nothing on standard error."""

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that refuses our certificate, or has read enough, is no error here."""
            one.cut_short += 1

    server = Server(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificates is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    one.url = f"{scheme}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield one
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def silent(drip: bytes = b"") -> Iterator[int]:
    """The port of a server that takes connections and says nothing; or these bytes, one at a time, over and
    over."""
    ended = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.05)
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while not ended.is_set():
                for byte in drip:
                    connection.sendall(bytes([byte]))
                    if ended.wait(0.02):
                        break
                time.sleep(0.02)

    def accept() -> None:
        while not ended.is_set():
            with suppress(TimeoutError):
                connection, _ = listening.accept()
                threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
                threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listening.getsockname()[1]
    finally:
        ended.set()
        for thread in (accepting, *threads):
            thread.join(10)
        listening.close()


def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])
