"""Where X sends the browser back to: a listener on this host for one request (RFC 8252, section 7.3), and
what the address says (RFC 6749, sections 4.1.2 and 4.1.2.1).

The address holds a code that is worth a token: it is never shown, logged or put in an error.
"""

import hmac
import ipaddress
import queue
import re
import socket
import socketserver
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from archiver.errors import ArchiverError

PASTE_HINT = "use a browser anywhere and paste where it ends: archiver login x --paste"
_MAXIMUM_CHARACTERS = 16_384
_CONNECTION_SECONDS = 10
_DONE = "X has answered. Go back to the terminal: it says whether that was all.\n"
_OTHER = "This belongs to another sign-in. Open the address that the terminal shows now.\n"
_IDENTIFIER = re.compile(r"[a-z_]{1,40}")


def wait_for_redirect(
    redirect_uri: str, state: str, timeout_seconds: float, on_listening: Callable[[], object] = lambda: None
) -> str:
    """Listen at `redirect_uri` until a browser comes with this `state`; return the whole address.

    `on_listening` is called once a browser can come. Raise ArchiverError where the address is not one of
    this host's own, its port is taken, or nobody comes in time."""
    address = _loopback_address(redirect_uri)
    try:
        server = _Server(address, redirect_uri, state)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ArchiverError(
            f"this program cannot listen at {redirect_uri}: {reason}",
            f"end what uses the port {address[1]}; or {PASTE_HINT}",
        ) from error
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            on_listening()
            return server.found.get(timeout=timeout_seconds)
        except queue.Empty:
            raise ArchiverError(
                f"no browser came back to {redirect_uri} within {timeout_seconds:.0f} seconds", PASTE_HINT
            ) from None
        finally:
            server.shutdown()
            thread.join()


def _loopback_address(redirect_uri: str) -> tuple[str, int]:
    """Host and port to listen at. A name is never looked up, and no address that others reach is taken."""
    parts = urlsplit(redirect_uri)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
    try:
        own = parts.scheme == "http" and ipaddress.ip_address(host).is_loopback
    except ValueError:
        own = False
    if not own:
        raise ArchiverError(f"this program cannot listen at {redirect_uri}", PASTE_HINT)
    return host, parts.port or 80


class _Server(socketserver.ThreadingTCPServer):
    """Answers each connection in a thread of its own: a browser opens some in advance and sends nothing."""

    daemon_threads = True
    allow_reuse_address = True  # the last run's connections do not hold the port; a listener still does

    def __init__(self, address: tuple[str, int], redirect_uri: str, state: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else self.address_family
        self.redirect_uri = redirect_uri
        self.state = state
        self.found: queue.SimpleQueue[str] = queue.SimpleQueue()
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away is nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _CONNECTION_SECONDS
    server_version = "archiver"
    sys_version = ""

    def do_GET(self) -> None:
        try:
            parts = urlsplit(self.path)
        except ValueError:
            parts = urlsplit("")
        own = urlsplit(self.server.redirect_uri)
        if parts.path != (own.path or "/"):
            self._answer(HTTPStatus.NOT_FOUND, "Nothing is here.\n")
            return
        if not is_of_state(_one_value(parts.query, "state"), self.server.state):
            self._answer(HTTPStatus.BAD_REQUEST, _OTHER)
            return
        try:
            self._answer(HTTPStatus.OK, _DONE)
        finally:
            self.server.found.put(own._replace(query=parts.query, fragment="").geturl())

    def _answer(self, status: HTTPStatus, text: str) -> None:
        data = text.encode("utf-8")
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(data))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Nothing: the line holds the code."""


def parse_redirect(address: str, state: str) -> str:
    """The code in the address a browser ended at. Raise ArchiverError where it is of another sign-in, X
    gave no access, or it is no such address; it is never repeated."""
    no_address = ArchiverError(
        "this is not the address that X sent the browser to",
        "sign in, then copy all that the browser's address bar shows, from http to its end",
    )
    try:
        query = urlsplit(address.strip()).query if len(address) <= _MAXIMUM_CHARACTERS else ""
    except ValueError:
        raise no_address from None
    found = _one_value(query, "state")
    if not found:
        raise no_address
    if not is_of_state(found, state):
        raise ArchiverError(
            "this is the answer to another sign-in", "start again, and open the address that is shown then"
        )
    if error := _one_value(query, "error"):
        raise _denial(error)
    code = _one_value(query, "code")
    if not code:
        raise no_address
    return code


def _denial(error: str) -> ArchiverError:
    if error == "access_denied":
        return ArchiverError(
            "access was declined on X's page; nothing was kept", "to allow it, run the same command again"
        )
    named = f": {error}" if _IDENTIFIER.fullmatch(error) else ""
    return ArchiverError(
        f"X's page gave no access{named}",
        "compare x_api.client_id and x_api.redirect_uri with the app in X's developer portal",
    )


def is_of_state(found: str, state: str) -> bool:
    """Whether an answer is to our question, in a time that does not tell how much of it is right."""
    return hmac.compare_digest(found.encode("utf-8", "surrogatepass"), state.encode("utf-8"))


def _one_value(query: str, name: str) -> str:
    """A parameter's value; empty where it is absent or given twice (RFC 6749, section 3.1)."""
    try:
        values = parse_qs(query, max_num_fields=32).get(name, [])
    except ValueError:
        return ""
    return values[0] if len(values) == 1 else ""
