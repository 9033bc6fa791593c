"""What X says when it refuses, in words that can be shown: short, on one line, without any secret of ours."""

from collections.abc import Iterable
from typing import Final

import msgspec
import requests

from archiver.sources.x_api.shapes import ApiProblem
from archiver.sources.x_api.token_endpoint import scrub

SHOWN_CHARACTERS: Final = 200
MONEY_HINT: Final = "waiting does not help: see the {} in X's developer portal; what was collected is kept"


class Refusal(ApiProblem, frozen=True):
    """The body of a refusal (RFC 7807)."""

    errors: tuple[ApiProblem, ...] = ()
    reason: str | None = None

    @property
    def says_something(self) -> bool:
        """Whether X itself refuses, and not a path it does not serve, or somebody between."""
        return bool(self.title or self.detail or any(one.title or one.detail for one in self.errors))


def parse_refusal(body: bytes) -> Refusal:
    """What a refusal says; anything that is not as documented says nothing."""
    try:
        return msgspec.json.decode(body, type=Refusal)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Refusal()


def said(refusal: Refusal, secrets: Iterable[str]) -> str:
    """X's own words."""
    first = refusal.errors[0] if refusal.errors else ApiProblem()
    parts = (refusal.detail or refusal.title, first.message or first.detail)
    text = "; ".join(dict.fromkeys(part for part in parts if part)) or "no reason given"
    shown = " ".join(scrub(text, secrets).split())
    return shown if len(shown) <= SHOWN_CHARACTERS else shown[:SHOWN_CHARACTERS] + "…"


def is_capped(refusal: Refusal) -> bool:
    """Whether a 429 is X's cap on use, against which waiting does not help."""
    return "usage-capped" in (refusal.type or "")


def key_or_plan_hint(refusal: Refusal) -> str | None:
    """What to do about a 403 that another kind of key or another plan would change; None for any other."""
    if "unsupported-authentication" in (refusal.type or ""):
        return "this needs a token of the account's own: archiver login x"
    if "oauth1-permissions" in (refusal.type or ""):
        return "let the app read and write in X's developer portal, then make its access token anew"
    if refusal.reason == "client-not-enrolled" or "client-forbidden" in (refusal.type or ""):
        return "the plan of your developer account does not include this: see X's developer portal"
    return None


def in_words(error: requests.exceptions.RequestException) -> str:
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
