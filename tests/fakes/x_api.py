"""A fake of X's API v2: a loopback HTTP server with state, for tests and benchmarks.

    with FakeX() as x:                                  # x.url == "http://127.0.0.1:PORT"
        force = x.world.add_user("SpringfieldPD", "Springfield Police")
        x.world.add_post(force, "Main Street is closed. #traffic", at=1_790_000_000_000)
        x.world.add_token("bearer-1", force)            # or without a user: an app-only token
        x.faults.add(r"/tweets$", Answer(503), after=1) # see x_faults: the second page fails once
        ...                                             # a client reads f"{x.url}/2/users/{force.id}/tweets"
        assert x.requests[0].status == 200

`FakeX(generation="both", now_ms=None, cached=False)`; what can be set at any time:
    x.generation        "tweet": only the names of 2.166 are taken and given; "post": only those of 2.167;
                        "both": whichever the request uses
    x.refused_fields    names of fields, expansions or parameters refused with 400 although known
    x.now_ms            the clock, a callable that gives milliseconds: limits, expiry, messages' 30 days
    x.limits            by template, e.g. x.limits["/2/users/{id}/tweets"] = (10, 5): times in 15 minutes,
                        app-only and user; of acts with the method, "PUT /2/tweets/{tweet_id}/hidden";
                        `x.unlimited = True` counts nothing
    x.post_depth, x.post_depth_without_replies, x.mention_depth    3200, 800, 800
    x.message_days      30
    x.search_days       7
    x.search_shows_first    whether a search for a conversation gives the post that began it; not established
    x.empty_last_page   a last page with posts still names a next one, which is empty
and read or called:
    x.world             the state: see x_world (add_user, add_post, edit_post, delete_post, suspend, protect,
                        follow, block, mute, like, add_list, add_message, add_token, add_oauth1, add_client …)
    x.faults            see x_faults
    x.acts              an Act for each reply hidden or shown, post removed, person muted or unmuted through
                        the interface: (act, user id, target id, whether that changed anything)
    x.requests          a Record per request: method, path, query, headers, form, status (0: none was sent),
                        data, included, user_id, document (the JSON sent)
    x.authorize(url, user_id)      plays the user's browser: gives the redirect address with code and state
    x.add_refresh_token(client_id, user_id, scopes, value="")     as if consented to earlier
    x.forget_page_tokens()         those given out so far become invalid

As a program, with a big world that does not change: `python -m tests.fakes.x_api --accounts 50 --posts 3200
[--port 0] [--unlimited]`. The first line printed is the address, the second a JSON document with the app-only
token and each account's id, handle and token.
"""

import json
import threading
import time
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import unquote

import msgspec

from tests.fakes import x_faults
from tests.fakes.x_acts import Acts
from tests.fakes.x_names import ACTS, ENDPOINTS, Endpoint, names_of, route
from tests.fakes.x_oauth import Authority
from tests.fakes.x_questions import RefusalError
from tests.fakes.x_routes import Routes
from tests.fakes.x_server import Record, Reply, Server
from tests.fakes.x_world import Act, Token, World

__all__ = ["FakeX", "Record"]

WINDOW_MS = 15 * 60 * 1000


class FakeX:
    """See the module."""

    def __init__(
        self,
        generation: str = "both",
        now_ms: Callable[[], int] | None = None,
        *,
        cached: bool = False,
        port: int = 0,
    ) -> None:
        self.generation = generation
        self.world = World(now_ms)
        self.faults = x_faults.Faults()
        self.requests: list[Record] = []
        self.limits = {key: endpoint.limits for key, endpoint in (ENDPOINTS | ACTS).items()}
        self.unlimited = False
        self.refused_fields: set[str] = set()
        self.post_depth = 3200
        self.post_depth_without_replies = 800
        self.mention_depth = 800
        self.message_days = 30
        self.search_days = 7
        self.search_shows_first = False
        self.empty_last_page = False
        self.closing = threading.Event()
        self._authority = Authority(self.world)
        self._server = Server(("127.0.0.1", port), self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._routes = Routes(self, cached)
        self._acts = Acts(self.world)
        self._windows: dict[tuple[str, str], list[int]] = {}
        self._thread: threading.Thread | None = None

    @property
    def acts(self) -> list[Act]:
        return self.world.acts

    @property
    def now_ms(self) -> Callable[[], int]:
        return self.world.now_ms

    @now_ms.setter
    def now_ms(self, clock: Callable[[], int]) -> None:
        self.world.now_ms = clock

    def start(self) -> None:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops, closes every connection and waits for their threads."""
        self.closing.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.close_connections()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def authorize(self, url: str, user_id: str) -> str:
        """The address the user's browser is sent to after consent; raises `AuthorizeError` where X would
        show an error instead. Makes no request."""
        return self._authority.authorize(url, user_id)

    def add_refresh_token(self, client_id: str, user_id: str, scopes: str, value: str = "") -> str:
        """A refresh token as if the user had consented to `scopes` (words) earlier; its value."""
        return self._authority.add_refresh_token(client_id, user_id, frozenset(scopes.split()), value=value)

    def forget_page_tokens(self) -> None:
        with self.world.lock:
            self._routes.page_tokens.clear()

    def reset_limits(self) -> None:
        """As if 15 minutes had passed."""
        with self.world.lock:
            self._windows.clear()

    # Answering

    def answer(self, record: Record, raw_query: str, form: list[tuple[str, str]]) -> Reply:
        """The answer without faults."""
        if record.path.startswith("/media/"):
            return self._media(record.path.removeprefix("/media/"))
        with self.world.lock:
            if record.path == "/2/oauth2/token" and record.method == "POST":
                status, document = self._authority.token(record.form, record.headers.get("authorization"))
                return Reply(status, document=document)
            endpoint, ids, known = route(record.method, record.path)
            if endpoint is None:
                return _problem(405, "Method Not Allowed") if known else Reply(404)
            url = f"{self.url}{record.path}?{raw_query}" if raw_query else self.url + record.path
            authorization = record.headers.get("authorization")
            token = self._authority.token_of(record.method, url, authorization, form)
            if token is None:
                return _problem(401, "Unauthorized")
            record.user_id = token.user_id
            reply = self._limited(endpoint, token) or self._within(endpoint, ids, token, record)
            reply.headers |= self.limit_headers(endpoint, token)
            return reply

    def _within(self, endpoint: Endpoint, ids: tuple[str, ...], token: Token, record: Record) -> Reply:
        refusal = self._refusal(endpoint, token)
        if refusal is not None:
            return refusal
        viewer, query = token.user_id, record.query
        try:
            if endpoint.method == "GET":
                an_id = ids[0] if ids else ""
                return Reply(200, document=self._routes.document(endpoint, an_id, viewer, query))
            names = names_of(self.generation, query)
            done = self._acts.document(endpoint, ids, viewer or "", query, record.document, names)
            return Reply(200, document=done)
        except RefusalError as refused:
            return Reply(refused.status, document=refused.document)

    def _refusal(self, endpoint: Endpoint, token: Token) -> Reply | None:
        if token.user_id is None and endpoint.limits[0] is None:
            kind = "https://api.twitter.com/2/problems/unsupported-authentication"
            detail = (
                "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  Supported "
                "authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context]."
            )
            return _problem(403, "Unsupported Authentication", detail, kind)
        if token.scopes is not None and not endpoint.scopes <= token.scopes:
            return _problem(403, "Forbidden")
        if token.user_id is not None and self.world.state_of_user(token.user_id) != "ok":
            return _problem(403, "Forbidden", "The user of this token is suspended or gone.")
        return None

    def _window(self, endpoint: Endpoint, token: Token) -> tuple[int, list[int]]:
        limit = self.limits[endpoint.key][token.user_id is not None] or 0
        now = self.world.now_ms()
        window = self._windows.setdefault((token.user_id or token.value, endpoint.key), [now, 0])
        if now >= window[0] + WINDOW_MS:
            window[:] = [now, 0]
        return limit, window

    def _limited(self, endpoint: Endpoint, token: Token) -> Reply | None:
        limit, window = self._window(endpoint, token)
        if limit and window[1] >= limit and not self.unlimited:
            return _problem(429, "Too Many Requests")
        window[1] += 1
        return None

    def limit_headers(self, endpoint: Endpoint, token: Token) -> dict[str, str]:
        limit, window = self._window(endpoint, token)
        return {
            "x-rate-limit-limit": str(limit),
            "x-rate-limit-remaining": str(max(0, limit - window[1])),
            "x-rate-limit-reset": str(-(-(window[0] + WINDOW_MS) // 1000)),
        }

    def _media(self, name: str) -> Reply:
        found = self.world.files.get(unquote(name))
        if found is None:
            return Reply(404)
        return Reply(200, found.content, {"content-type": found.content_type})

    def faulty(self, record: Record, raw_query: str, form: list[tuple[str, str]]) -> tuple[Reply, Any]:
        """The answer with the faults that are due, and the one that concerns its sending."""
        actions = self.faults.due(record.path, record.method)
        for action in actions:
            if isinstance(action, x_faults.Before):
                action.call(record)
            elif isinstance(action, x_faults.Slow):
                self.closing.wait(action.seconds)
        action = actions[-1] if actions else None
        if isinstance(action, x_faults.After):
            self.answer(record, raw_query, form)
            action = action.action
        match action:
            case x_faults.Lost():
                return Reply(0), x_faults.Drop()
            case x_faults.Answer() as fault:
                return self._answered(fault, record, raw_query, form), None
            case x_faults.NotJson(status):
                page = b"<!DOCTYPE html><html><body><h1>Something went wrong</h1></body></html>"
                return Reply(status, page, {"content-type": "text/html"}), None
            case x_faults.JsonList(status):
                return Reply(status, document=[{"title": "A list", "detail": "where a document was"}]), None
            case x_faults.Redirect(location, status):
                return Reply(status, headers={"location": location}), None
            case x_faults.Edit(change):
                reply = self.answer(record, raw_query, form)
                document = json.loads(msgspec.json.encode(reply.document))
                changed = change(document)
                reply.document = document if changed is None else changed
                return reply, None
            case x_faults.MediaFault() as fault:
                return _spoilt(self.answer(record, raw_query, form), fault), None
            case fault:
                return self.answer(record, raw_query, form), fault

    def _answered(
        self, fault: x_faults.Answer, record: Record, raw_query: str, form: list[tuple[str, str]]
    ) -> Reply:
        """Headers of limits as they stand, the request not counted."""
        reply = Reply(fault.status, headers=dict(fault.headers))
        endpoint, _, _ = route(record.method, record.path)
        url = f"{self.url}{record.path}?{raw_query}" if raw_query else self.url + record.path
        with self.world.lock:
            token = self._authority.token_of(record.method, url, record.headers.get("authorization"), form)
            if fault.limits and endpoint and token:
                reply.headers = self.limit_headers(endpoint, token) | reply.headers
        if isinstance(fault.body, bytes | str):
            reply.body = fault.body.encode() if isinstance(fault.body, str) else fault.body
        else:
            reply.document = fault.body
        return reply


def _problem(status: int, title: str, detail: str = "", kind: str = "about:blank") -> Reply:
    document = {"title": title, "detail": detail or title, "type": kind, "status": status}
    return Reply(status, document=document)


def _spoilt(reply: Reply, fault: x_faults.MediaFault) -> Reply:
    if fault.content_type is not None:
        reply.headers["content-type"] = fault.content_type
    if fault.content is not None:
        reply.body = fault.content
    reply.missing = fault.missing
    return reply


def main() -> None:
    """See the module."""
    import argparse

    from tests.fakes.x_crowd import fill

    parser = argparse.ArgumentParser(prog="python -m tests.fakes.x_api", description="A fake of X's API.")
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--posts", type=int, default=3200)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--generation", choices=["both", "tweet", "post"], default="both")
    parser.add_argument("--unlimited", action="store_true", help="no rate limits")
    options = parser.parse_args()
    with FakeX(options.generation, cached=True, port=options.port) as x:
        x.unlimited = options.unlimited
        app_token, accounts = fill(x.world, options.accounts, options.posts)
        print(x.url, flush=True)
        print(json.dumps({"app_token": app_token, "accounts": accounts}), flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
