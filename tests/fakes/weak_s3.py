"""A server in front of a real S3 server that passes everything on, but gives answers of its own where a
test says so: as a server would that takes what it should refuse, or says what the real one cannot say."""

import http.client
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.seaweed import Seaweed

Answer = tuple[int, bytes, dict[str, str]]
"""Status, body and headers."""
Weakness = Callable[[BaseHTTPRequestHandler], Answer | None]
"""What to answer to a request, whose body is at `rfile`, or None to pass it on."""


@contextmanager
def weak_server(behind: Seaweed, weakness: Weakness) -> Iterator[str]:
    """Its address, while it is at work."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self._wire = self.rfile

        def log_message(self, *_: object) -> None:
            """Nothing: what is asked is the test's matter."""

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.rfile = io.BytesIO(body)  # for whoever answers instead of the real one
            answer = weakness(self) or self._pass_on(body)
            self.rfile = self._wire
            status, data, headers = answer
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "content-length" not in {name.lower() for name in headers}:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815  # http.server's names

        def _pass_on(self, body: bytes) -> Answer:
            place = urlsplit(behind.endpoint)
            connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
            try:
                connection.request(self.command, self.path, body, dict(self.headers))
                found = connection.getresponse()
                data = found.read()
                kept = {
                    name: value for name, value in found.getheaders() if name.lower() != "transfer-encoding"
                }
            finally:
                connection.close()
            return found.status, data, kept

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
