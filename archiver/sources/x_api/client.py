"""Asking X, patiently: limits waited for, faults retried, refusals told apart by how far they reach."""

import logging
import threading
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import requests
import tweepy
from msgspec import Struct

from archiver.errors import SourceError
from archiver.settings_api import ApiSettings
from archiver.sources.x_api.answer import Answer, cut_answer
from archiver.sources.x_api.endpoints import Endpoint
from archiver.sources.x_api.errors import AccountError, EverythingError, KindError, LateError, NamesError
from archiver.sources.x_api.fields import Generation
from archiver.sources.x_api.names import MOST_CHANGES, PAGE_PARAMETERS, Names, refused_names
from archiver.sources.x_api.pace import NEXT_RUN, Pace, Patience
from archiver.sources.x_api.session import NotTakenError, Session, Taken, TooLargeError
from archiver.sources.x_api.shapes import ApiProblem
from archiver.sources.x_api.token_endpoint import scrub
from archiver.sources.x_api.tokens import KeyChain, Keys
from archiver.times import Clock

for _name in ("tweepy", "oauthlib", "requests_oauthlib"):
    # At DEBUG these log the token and every body, whatever the program around them set up.
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
    logging.getLogger(_name).propagate = False

# tweepy warns, by a method that is to go, of each parameter it does not know, as `post.fields`.
warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"tweepy\.")

MOST_SHORT: Final = 1
"""So often an answer that is short of its own count is asked for once more."""
SHOWN_CHARACTERS: Final = 200
SKEW_SHOWN_MS: Final = 60_000
_KEYS_LOCK: Final = threading.Lock()


class StaleTokenError(KindError):
    """X no longer knows the page to go on from."""


class Fetched(Struct, frozen=True):
    """An answer of 200: what was asked, when it came, and what it holds."""

    request: str
    fetched_ms: int
    generation: Generation
    headers: dict[str, str]
    body: bytes
    answer: Answer
    not_taken: tuple[Answer, ...] = ()
    """Answers to the same question before this one, which were short and have to be paid as well."""


class _Problem(ApiProblem, frozen=True):
    """The body of a refusal (RFC 7807)."""

    errors: tuple[ApiProblem, ...] = ()
    reason: str | None = None


class _Client(tweepy.Client):  # type: ignore[misc]  # tweepy comes without types
    """tweepy's client, which for blocks and mutes first asks X whose token it has."""

    owner: str = ""

    def _get_authenticating_user_id(self, *, oauth_1: bool = False) -> str:
        # The owner is known already. Should tweepy rename this, it asks X once more in each run.
        return self.owner


class XClient:
    """One account's connection to X."""

    def __init__(
        self,
        chain: KeyChain,
        settings: ApiSettings,
        pace_of: Callable[[str], Pace],
        names: Names,
        clock: Clock,
        account: str,
    ) -> None:
        """`pace_of` gives the limits that go with keys, by `Keys.identity`. Raise as `KeyChain.load`."""
        self._chain = chain
        self._settings = settings
        self._names = names
        self._clock = clock
        self._account = account
        self._session = Session(settings)
        with _KEYS_LOCK:
            self.keys = chain.load()
        self._secrets = set(self.keys.secrets)
        # It names the app, and for some apps is known to all: whoever writes it into a post must not be able
        # to keep that post out of the archive.
        self._names_of_apps = {value for name, value in self.keys.values.items() if name == "consumer_key"}
        self.pace = pace_of(self.keys.identity)
        self._client = self._connect(self.keys)

    def now_ms(self) -> int:
        """The time now; by X's clock where this host's is known to be wrong, so that what is noted today
        does not stand in the way once it is put right."""
        skew = self.pace.skew_ms or 0
        return self._clock() + (skew if abs(skew) > SKEW_SHOWN_MS else 0)

    def close(self) -> None:
        self._session.close()

    def _connect(self, keys: Keys) -> _Client:
        client = _Client(**keys.values, return_type=requests.Response, wait_on_rate_limit=False)
        client.owner = keys.user_id or self._account
        client.session = self._session
        return client

    def fetch(
        self, endpoint: Endpoint, subject: str | None, parameters: Mapping[str, Any], patience: Patience
    ) -> Fetched:
        """Ask once, as often as it takes. `subject` is the id in the path, None where there is none. Raise
        KindError, AccountError or EverythingError, by how far the refusal reaches."""
        for _ in range(MOST_CHANGES):
            generation, fields = self._names.current(endpoint.group)
            try:
                fetched = self._ask(endpoint, subject, {**fields, **parameters}, generation, patience)
            except NamesError as error:
                if not self._names.learn(generation, endpoint.group, error):
                    raise
                continue
            self._names.confirm(generation, endpoint.group)
            return fetched
        raise KindError(f"X refused {MOST_CHANGES} names in a row for {endpoint.path}")

    def _ask(
        self,
        endpoint: Endpoint,
        subject: str | None,
        parameters: dict[str, Any],
        generation: Generation,
        patience: Patience,
    ) -> Fetched:
        faults = limits = renewals = 0
        short: list[Answer] = []
        while True:
            self.pace.before(endpoint.path, patience)
            try:
                taken = self._send(endpoint, subject, parameters)
                fetched = self._fetched(endpoint, taken, generation)
                if not _is_short(fetched.answer) or len(short) == MOST_SHORT:
                    return msgspec.structs.replace(fetched, not_taken=tuple(short))
                short.append(fetched.answer)
                patience.back_off(0, f"{endpoint.path}: an answer that is short of its own count")
                continue
            except NotTakenError as refusal:
                self.pace.note_clock(refusal.answer.kept_headers)
                status = refusal.answer.status_code
                if status == 429:
                    self._wait_for_limit(endpoint, refusal.answer, limits, patience)
                    limits += 1
                    continue
                if status == 401 and self.keys.token is not None and renewals == 0:
                    renewals += 1
                    self._renew()
                    continue
                if status < 500:
                    raise self._refusal(endpoint, refusal.answer) from None
                why = f"X answers with a fault of its own ({status}) to {endpoint.path}"
            except requests.exceptions.RequestException as error:
                why = f"{endpoint.path}: {_in_words(error)}"
            except TooLargeError:
                size = self._settings.answer_bytes
                raise KindError(
                    f"{endpoint.path}: an answer larger than {size:,} bytes", "see x_api.answer_mebibytes"
                ) from None
            except _NotJsonError as error:
                why = f"{endpoint.path}: {error}"
            faults += 1
            if faults >= self._settings.tries:
                raise LateError(f"{why}, {faults} times", NEXT_RUN)
            patience.back_off(faults - 1, why)

    def _send(self, endpoint: Endpoint, subject: str | None, parameters: dict[str, Any]) -> Taken:
        with _KEYS_LOCK:
            fresh = self._chain.fresh(self.keys)
        if fresh is not self.keys:
            self._use(fresh)
        ask = getattr(self._client, endpoint.method)
        named = {} if subject is None else {"id": subject}
        answer = ask(user_auth=self.keys.way == "oauth1", **named, **parameters)
        if not isinstance(answer, Taken):
            raise KindError(f"tweepy gave no answer for {endpoint.path}")
        return answer

    def _use(self, keys: Keys) -> None:
        self.keys = keys
        self._secrets |= set(keys.secrets)  # X may still repeat a key that has ended
        self._client = self._connect(keys)

    def _renew(self) -> None:
        with _KEYS_LOCK:
            renewed = self._chain.renew(self.keys)
        self._use(renewed)

    def _fetched(self, endpoint: Endpoint, taken: Taken, generation: Generation) -> Fetched:
        headers = taken.kept_headers
        self.pace.after(endpoint.path, headers)
        fetched_ms = self.now_ms()
        if any(secret.encode() in taken.body for secret in self._secrets - self._names_of_apps):
            raise KindError("X sent the token back in its answer, which is not kept")
        try:
            answer = cut_answer(taken.body)
        except SourceError as error:
            if taken.body.lstrip()[:1] != b"{" or not taken.body.rstrip().endswith(b"}"):
                raise _NotJsonError("the answer is not JSON") from error
            raise KindError(error.message, error.hint) from error
        empty = not (answer.data or answer.errors) and answer.meta.result_count is None
        if empty and endpoint.walk in ("timeline", "snapshot"):  # where there is nothing, X says 0
            raise _NotJsonError("the answer holds neither records nor how many there are")
        request = taken.url.removeprefix(self._settings.base_url.rstrip("/"))
        return Fetched(f"GET {request}", fetched_ms, generation, headers, taken.body, answer)

    def _wait_for_limit(self, endpoint: Endpoint, answer: Taken, attempt: int, patience: Patience) -> None:
        problem = _problem_of(answer.body)
        if "usage-capped" in (problem.type or ""):
            raise EverythingError(
                f"X's cap on use is reached (429): {self._said(problem)}",
                "waiting does not help: see the cap in X's developer portal; what was collected is kept",
            )
        seconds = self.pace.refused(endpoint.path, answer.kept_headers)
        if not seconds:
            patience.back_off(attempt, "X's rate limit is reached, and X does not say until when")
        else:
            patience.wait(seconds + 1, "X's rate limit is reached")

    def _refusal(self, endpoint: Endpoint, answer: Taken) -> SourceError:
        status, problem = answer.status_code, _problem_of(answer.body)
        said = self._said(problem)
        about = f"{endpoint.path}: X refuses ({status}): {said}"
        if status == 400:
            names, values = refused_names(answer.body)
            if PAGE_PARAMETERS & set(names):
                return StaleTokenError(about)
            hint = "see x_api.field_names in the settings" if names or values else None
            return NamesError(about, hint, names, values)
        if status == 401:
            return AccountError(f"X does not take this account's key (401): {said}", self._key_hint())
        if status == 402:
            return EverythingError(
                f"X wants money first (402): {said}",
                "waiting does not help: see the credits in X's developer portal; what was collected is kept",
            )
        if status == 403:
            return KindError(about, _forbidden_hint(endpoint, problem))
        if status == 404 and answer.body.strip() and endpoint.walk == "single":
            return AccountError(about, "look at the account's id in the settings")
        if status == 404 and answer.body.strip():
            return KindError(about)
        if status == 404:
            return KindError(f"{endpoint.path}: X does not serve this (404)", "look for a newer archiver")
        if 300 <= status < 400:
            return KindError(f"{endpoint.path}: X points elsewhere ({status})", "see x_api.api_base_url")
        return KindError(about)

    def _key_hint(self) -> str:
        skew = self.pace.skew_ms or 0
        if abs(skew) > SKEW_SHOWN_MS:
            return f"the clock here differs from X's by {abs(skew) // 1000:,} seconds: set it right first"
        if self.keys.way == "oauth2":
            return f"let the account's owner sign in again: archiver login x --account {self._account}"
        return "make a new key in X's developer portal"

    def _said(self, problem: _Problem) -> str:
        """X's own words, short, on one line, and without any secret of ours."""
        first = problem.errors[0] if problem.errors else ApiProblem()
        parts = (problem.detail or problem.title, first.message or first.detail)
        text = "; ".join(dict.fromkeys(part for part in parts if part)) or "no reason given"
        shown = " ".join(scrub(text, self._secrets).split())
        return shown if len(shown) <= SHOWN_CHARACTERS else shown[:SHOWN_CHARACTERS] + "…"


def _is_short(answer: Answer) -> bool:
    stated = answer.meta.result_count
    return stated is not None and len(answer.data) < stated


class _NotJsonError(Exception):
    """An answer of 200 that is none, as a proxy's page."""


def _problem_of(body: bytes) -> _Problem:
    """What a refusal says; anything that is not as documented says nothing."""
    try:
        return msgspec.json.decode(body, type=_Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Problem()


def _forbidden_hint(endpoint: Endpoint, problem: _Problem) -> str:
    if "unsupported-authentication" in (problem.type or ""):
        return "this needs a token of the account's own: archiver login x"
    if problem.reason == "client-not-enrolled" or "client-forbidden" in (problem.type or ""):
        return "the plan of your developer account does not include this: see X's developer portal"
    return (
        "look at the account on X and at the app's plan; if both are in order,"
        f" a scope may be missing for {endpoint.kind}: sign in again with archiver login x"
    )


def _in_words(error: requests.exceptions.RequestException) -> str:
    """What went wrong with a connection. The library's own words name hosts and addresses at length."""
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate cannot be trusted"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "no connection"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return "the answer broke off"
    return f"the request failed ({type(error).__name__})"
