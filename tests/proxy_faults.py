"""What the proxy of the tests can do to a request or its answer, and to which."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class CutRequest:
    """Pass on this many bytes of the request's body, then break the connection."""

    after_bytes: int
    reset: bool = False


@dataclass(frozen=True)
class CutAnswer:
    """Pass the answer on up to this many bytes of its body, then break the connection."""

    after_bytes: int
    reset: bool = False


@dataclass(frozen=True)
class Reset:
    """Break the connection when the request's head has come; nothing is passed on."""


@dataclass(frozen=True)
class LoseAnswer:
    """Pass the request on and wait for the answer; then break the connection instead of giving it."""

    reset: bool = False


@dataclass(frozen=True)
class Answer:
    """Give this answer. `pass_on`: after the server did what was asked, in place of its own answer."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    pass_on: bool = False

    def encode(self, method: str) -> bytes:
        """As it goes over the wire."""
        kept = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in ("content-length", "transfer-encoding", "connection")
        }
        lines = [f"HTTP/1.1 {self.status} Status", *(f"{name}: {value}" for name, value in kept.items())]
        head = "\r\n".join([*lines, f"Content-Length: {len(self.body)}", "", ""]).encode("latin-1")
        return head if method == "HEAD" else head + self.body


def s3_error(
    status: int, code: str, message: str = "", *, pass_on: bool = False, headers: dict[str, str] | None = None
) -> Answer:
    """An error as S3 words it ("Error responses", REST error responses)."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message><RequestId>1</RequestId></Error>"
    )
    return Answer(status, body.encode(), {"Content-Type": "application/xml", **(headers or {})}, pass_on)


@dataclass(frozen=True)
class Slow:
    """Pass the bodies of request and answer on at this pace, after a delay before the answer."""

    bytes_per_second: float | None = None
    delay_seconds: float = 0.0


@dataclass(frozen=True)
class Hold:
    """Hold the answer back until `released`; `reached` is set when the server has answered."""

    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class EditHead:
    """Pass the answer on with other headers: in its head, what matches (a regular expression; a header's line
    begins after a line's end) gives way to `by`."""

    pattern: str
    by: str = ""

    def edited(self, raw: bytes) -> bytes:
        return re.sub(self.pattern, self.by, raw.decode("latin-1"), flags=re.IGNORECASE).encode("latin-1")


Fault = EditHead | CutRequest | CutAnswer | Reset | LoseAnswer | Answer | Slow | Hold


@dataclass
class Exchange:
    """One request and its answer, as the proxy saw them. Times are `time.monotonic` seconds: when the
    request's head had come, and when the last of the answer was about to be given (so that what a client
    does because of the answer begins later). Bytes are those of the bodies. `status` is 0 where no answer
    was given. `answer` is kept only where the proxy was told to."""

    method: str
    target: str
    range: str | None
    start: float
    end: float = 0.0
    request_bytes: int = 0
    answer_bytes: int = 0
    status: int = 0
    fault: Fault | None = None
    answer: Answer | None = None


@dataclass
class Rule:
    """A fault for requests of a method, whose path and query match, and that `where` says yes to: the first
    `skip` of them pass unharmed, then `times` are hit, without end where it is None."""

    fault: Fault
    method: str | None = None
    target: str = ""
    where: Callable[[Exchange], bool] | None = None
    skip: int = 0
    times: int | None = 1
    hits: int = 0
    """How many requests were hit."""

    def fault_for(self, exchange: Exchange) -> Fault | None:
        """The fault for this request, if it is one to be hit."""
        if self.method not in (None, exchange.method) or not re.search(self.target, exchange.target):
            return None
        if (self.where is not None and not self.where(exchange)) or self.hits == self.times:
            return None
        if self.skip > 0:
            self.skip -= 1
            return None
        self.hits += 1
        return self.fault
