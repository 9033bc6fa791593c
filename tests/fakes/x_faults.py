"""Faults the fake of X answers with on request: `x.faults.add(pattern, action, times=1, after=0)`.

Actions:
    Answer(status, body, headers, limits)   that answer instead; `rate_limited()`, `usage_capped()`,
                                            `credits_depleted()`, `problem(status)` make the usual ones
    NotJson()  JsonList()                   a page of HTML with 200; a JSON list with a status
    Redirect(location)                      302 to elsewhere
    Cut()  Drop()                           half of the declared answer, then closed; closed without a byte.
                                            What was asked for is done all the same
    Lost()                                  closed without a byte, and nothing was done
    After(action)                           an `Answer`, `NotJson`, `JsonList` or `Redirect` instead of the
                                            true answer, but what was asked for is done
    Slow(seconds)  Dribble(seconds)         waits before answering; sends the answer in 20 pieces
    Edit(change)                            the true answer, its JSON document edited by `change(document)`
    Before(call)                            `call(record)` before answering, e.g. to kill the client
    MediaFault(content_type, content, missing)  another type, other bytes, or `missing` bytes fewer than
                                            declared, for `/media/NAME`
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A status with a body (bytes, text, or anything that becomes JSON) and headers; `limits=False`
    leaves out the `x-rate-limit-*` headers."""

    status: int
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    limits: bool = True


@dataclass(frozen=True)
class NotJson:
    status: int = 200


@dataclass(frozen=True)
class JsonList:
    status: int = 200


@dataclass(frozen=True)
class Redirect:
    location: str
    status: int = 302


@dataclass(frozen=True)
class Cut:
    pass


@dataclass(frozen=True)
class Drop:
    pass


@dataclass(frozen=True)
class Lost:
    pass


@dataclass(frozen=True)
class After:
    action: "Answer | NotJson | JsonList | Redirect"


@dataclass(frozen=True)
class Slow:
    seconds: float


@dataclass(frozen=True)
class Dribble:
    seconds: float
    """From the first to the last of the 20 pieces."""


@dataclass(frozen=True)
class Edit:
    change: Callable[[Any], Any]
    """Edits the document in place, or returns another."""


@dataclass(frozen=True)
class Before:
    call: Callable[[Any], object]
    """Gets the record of the request: method, path, query, headers."""


@dataclass(frozen=True)
class MediaFault:
    content_type: str | None = None
    content: bytes | None = None
    missing: int = 0


Action = (
    Answer
    | NotJson
    | JsonList
    | Redirect
    | Cut
    | Drop
    | Lost
    | After
    | Slow
    | Dribble
    | Edit
    | Before
    | MediaFault
)


def problem(status: int, title: str = "", detail: str = "", kind: str = "about:blank") -> Answer:
    """The answer X gives with a status: a problem document."""
    titles = {400: "Invalid Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
    titles |= {429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}
    title = title or titles.get(status, "Error")
    return Answer(status, {"title": title, "detail": detail or title, "type": kind, "status": status})


def rate_limited(*, reset: int | None = None) -> Answer:
    """429. With `reset`, epoch seconds, in the header; without, as X sometimes answers, no such header."""
    body = problem(429).body
    if reset is None:
        return Answer(429, body, limits=False)
    headers = {"x-rate-limit-limit": "1", "x-rate-limit-remaining": "0", "x-rate-limit-reset": str(reset)}
    return Answer(429, body, headers, limits=False)


def usage_capped() -> Answer:
    """429 where the month's reads are used up: no waiting helps."""
    body = {
        "title": "UsageCapExceeded",
        "detail": "Usage cap exceeded: Monthly product cap",
        "period": "Monthly",
        "scope": "Product",
        "account_id": 1,
        "type": "https://api.twitter.com/2/problems/usage-capped",
    }
    return Answer(429, body)


def credits_depleted() -> Answer:
    """402, as seen live where an app is out of credit."""
    body = {
        "title": "CreditsDepleted",
        "detail": "Your enrolled account does not have any credits to fulfill this request.",
        "account_id": 1,
        "type": "https://api.twitter.com/2/problems/credits",
    }
    return Answer(402, body)


@dataclass
class Fault:
    pattern: re.Pattern[str]
    action: Action
    times: int | None
    after: int
    method: str | None = None


class Faults:
    """Those still to come. Each counts the requests its pattern matches: it lets `after` of them pass and
    then takes `times` (None: every one). Where several are due, the one added first is taken; `Before` and
    `Slow` are taken beside another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(
        self,
        pattern: str,
        action: Action,
        times: int | None = 1,
        after: int = 0,
        *,
        method: str | None = None,
    ) -> None:
        """`pattern` is a regular expression, searched for in the path (without the query); `method`: only
        where that is used, as "POST"."""
        with self._lock:
            self._faults.append(Fault(re.compile(pattern), action, times, after, method))

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    @property
    def left(self) -> int:
        """How many there are that were not used up."""
        with self._lock:
            return len(self._faults)

    def due(self, path: str, method: str = "GET") -> list[Action]:
        """Those for this request: any number of `Before` and `Slow`, and at most one other, last."""
        beside: list[Action] = []
        taken: list[Action] = []
        with self._lock:
            for fault in list(self._faults):
                if fault.method not in (None, method) or not fault.pattern.search(path):
                    continue
                if fault.after:
                    fault.after -= 1
                    continue
                is_beside = isinstance(fault.action, Before | Slow)
                if taken and not is_beside:
                    continue
                (beside if is_beside else taken).append(fault.action)
                if fault.times is not None:
                    fault.times -= 1
                    if not fault.times:
                        self._faults.remove(fault)
        return beside + taken
