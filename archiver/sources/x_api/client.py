"""Asking X, patiently: limits waited for, faults retried, refusals told apart by how far they reach."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
import requests
from msgspec import Struct

from archiver.errors import SourceError
from archiver.settings.api import ApiSettings
from archiver.sources.x_api.answer import Answer, cut_answer
from archiver.sources.x_api.endpoints import Endpoint
from archiver.sources.x_api.errors import AccountError, EverythingError, KindError, LateError, NamesError
from archiver.sources.x_api.fields import Generation
from archiver.sources.x_api.names import MOST_CHANGES, PAGE_PARAMETERS, Names, refused_names
from archiver.sources.x_api.pace import NEXT_RUN, Pace, Patience
from archiver.sources.x_api.refusals import (
    MONEY_HINT,
    in_words,
    is_capped,
    key_or_plan_hint,
    parse_refusal,
    said,
)
from archiver.sources.x_api.session import NotTakenError, Session, Taken, TooLargeError, TweepyClient
from archiver.sources.x_api.tokens import KeyChain, Keys
from archiver.times import Clock

MOST_SHORT: Final = 1
"""So often an answer that is short of its own count is asked for once more."""
SKEW_SHOWN_MS: Final = 60_000
_KEYS_LOCK: Final = threading.Lock()
T = TypeVar("T")


class StaleTokenError(KindError):
    """X no longer knows the page to go on from."""


class NotAnsweredError(Exception):
    """An answer of 200 that is none, as a proxy's page."""


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
        self.account = account
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

    def _connect(self, keys: Keys) -> TweepyClient:
        return TweepyClient(keys.values, keys.user_id or self.account, self._session)

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
        named = {} if subject is None else {"id": subject}
        short: list[Answer] = []
        while True:
            try:
                fetched = self.call(
                    endpoint.method,
                    endpoint.path,
                    {**named, **parameters},
                    patience,
                    lambda taken: self._fetched(endpoint, taken, generation),
                )
            except NotTakenError as refused:
                raise self._refusal(endpoint, refused.answer) from None
            if not _is_short(fetched.answer) or len(short) == MOST_SHORT:
                return msgspec.structs.replace(fetched, not_taken=tuple(short))
            short.append(fetched.answer)
            patience.back_off(0, f"{endpoint.path}: an answer that is short of its own count")

    def call(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Any],
        patience: Patience,
        read: Callable[[Taken], T],
    ) -> T:
        """Use a method of tweepy's as often as it takes; what `read` makes of the answer of 200, for which it
        may raise NotAnsweredError to have it asked for again. `path`: under what X counts its limits.

        Raise NotTakenError for a refusal, which `refusal` puts into words; LateError where the waiting or the
        tries allowed are used up, EverythingError at X's cap, KindError, and as `KeyChain.renew`."""
        faults = limits = renewals = 0
        while True:
            self.pace.before(path, patience)
            try:
                taken = self._send(method, path, parameters)
                self.pace.after(path, taken.kept_headers)
                return read(taken)
            except NotTakenError as refused:
                self.pace.note_clock(refused.answer.kept_headers)
                status = refused.answer.status_code
                if status == 429:
                    self._wait_for_limit(path, refused.answer, limits, patience)
                    limits += 1
                    continue
                if status == 401 and self.keys.token is not None and renewals == 0:
                    renewals += 1
                    self._renew()
                    continue
                if status < 500:
                    raise
                why = f"X answers with a fault of its own ({status}) to {path}"
            except requests.exceptions.RequestException as error:
                why = f"{path}: {in_words(error)}"
            except TooLargeError:
                size = self._settings.answer_bytes
                raise KindError(
                    f"{path}: an answer larger than {size:,} bytes", "see x_api.answer_mebibytes"
                ) from None
            except NotAnsweredError as error:
                why = f"{path}: {error}"
            faults += 1
            if faults >= self._settings.tries:
                raise LateError(f"{why}, {faults} times", NEXT_RUN)
            patience.back_off(faults - 1, why)

    def _send(self, method: str, path: str, parameters: Mapping[str, Any]) -> Taken:
        with _KEYS_LOCK:
            fresh = self._chain.fresh(self.keys)
        if fresh is not self.keys:
            self._use(fresh)
        ask = getattr(self._client, method)
        answer = ask(user_auth=self.keys.way == "oauth1", **parameters)
        if not isinstance(answer, Taken):
            raise KindError(f"tweepy gave no answer for {path}")
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
        fetched_ms = self.now_ms()
        if any(secret.encode() in taken.body for secret in self._secrets - self._names_of_apps):
            raise KindError("X sent the token back in its answer, which is not kept")
        try:
            answer = cut_answer(taken.body)
        except SourceError as error:
            if taken.body.lstrip()[:1] != b"{" or not taken.body.rstrip().endswith(b"}"):
                raise NotAnsweredError("the answer is not JSON") from error
            raise KindError(error.message, error.hint) from error
        empty = not (answer.data or answer.errors) and answer.meta.result_count is None
        if empty and endpoint.walk in ("timeline", "snapshot"):  # where there is nothing, X says 0
            raise NotAnsweredError("the answer holds neither records nor how many there are")
        request = taken.url.removeprefix(self._settings.base_url.rstrip("/"))
        return Fetched(f"GET {request}", fetched_ms, generation, headers, taken.body, answer)

    def _wait_for_limit(self, path: str, answer: Taken, attempt: int, patience: Patience) -> None:
        if is_capped(parse_refusal(answer.body)):
            raise EverythingError(
                f"X's cap on use is reached (429): {self.said(answer)}", MONEY_HINT.format("cap")
            ) from None
        seconds = self.pace.refused(path, answer.kept_headers)
        if not seconds:
            patience.back_off(attempt, "X's rate limit is reached, and X does not say until when")
        else:
            patience.wait(seconds + 1, "X's rate limit is reached")

    def _refusal(self, endpoint: Endpoint, answer: Taken) -> SourceError:
        status, path = answer.status_code, endpoint.path
        about = f"{path}: X refuses ({status}): {self.said(answer)}"
        if status == 400:
            names, values = refused_names(answer.body)
            if PAGE_PARAMETERS & set(names):
                return StaleTokenError(about)
            hint = "see x_api.field_names in the settings" if names or values else None
            return NamesError(about, hint, names, values)
        if status == 403:
            hint = key_or_plan_hint(parse_refusal(answer.body))
            return KindError(about, hint or _scope_hint(endpoint.kind))
        if status == 404 and answer.body.strip():
            if endpoint.walk == "single" and endpoint.subject == "id":
                return AccountError(about, "look at the account's id in the settings")
            return KindError(about)
        return self.refusal(path, answer)

    def refusal(self, path: str, answer: Taken) -> SourceError:
        """The error for a refusal which means the same whatever was asked, by how far it reaches."""
        status, words = answer.status_code, self.said(answer)
        if status == 401:
            return AccountError(f"X does not take this account's key (401): {words}", self._key_hint())
        if status == 402:
            return EverythingError(f"X wants money first (402): {words}", MONEY_HINT.format("credits"))
        if status == 404 and not answer.body.strip():
            return KindError(f"{path}: X does not serve this (404)", "look for a newer archiver")
        if 300 <= status < 400:
            return KindError(f"{path}: X points elsewhere ({status})", "see x_api.api_base_url")
        return KindError(f"{path}: X refuses ({status}): {words}")

    def _key_hint(self) -> str:
        skew = self.pace.skew_ms or 0
        if abs(skew) > SKEW_SHOWN_MS:
            return f"the clock here differs from X's by {abs(skew) // 1000:,} seconds: set it right first"
        if self.keys.way == "oauth2":
            return f"let the account's owner sign in again: archiver login x --account {self.account}"
        return "make a new key in X's developer portal"

    def said(self, answer: Taken) -> str:
        """X's own words in a refusal, short, on one line, and without any secret of ours."""
        return said(parse_refusal(answer.body), self._secrets)


def _is_short(answer: Answer) -> bool:
    stated = answer.meta.result_count
    return stated is not None and len(answer.data) < stated


def _scope_hint(kind: str) -> str:
    return (
        "look at the account on X and at the app's plan; if both are in order,"
        f" a scope may be missing for {kind}: sign in again with archiver login x"
    )
