"""Signing in to X: OAuth 2.0's authorization code with PKCE (RFC 6749, section 4.1; RFC 7636, S256).

The account's owner signs in on X's own page; this program sees a code, never a password.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
import requests
from msgspec import Meta
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2 import WebApplicationClient

from archiver.errors import ConfigurationError, SourceError
from archiver.settings.api import ApiSettings
from archiver.sources.x_api.redirect import parse_redirect
from archiver.sources.x_api.token_endpoint import BearerAuth, TokenRefusedError, ask, request_token, scrub
from archiver.sources.x_api.tokens import UserToken
from archiver.times import Clock

Random = Callable[[int], bytes]
"""Gives so many bytes that nobody can guess: `secrets.token_bytes`."""
CODE_SECONDS = 30
"""How long X takes a code (X API v2, "OAuth 2.0 Authorization Code Flow with PKCE")."""
_SECRET_BYTES = 32
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,20}")
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class LoginAttempt:
    """One sign-in under way. `url` is what the browser opens; `verifier` proves that the answer is ours."""

    url: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str = field(repr=False)
    verifier: str = field(repr=False)


class _User(msgspec.Struct, frozen=True):
    id: Annotated[str, Meta(pattern=r"^[0-9]{1,19}\Z")]
    username: str = ""


class _Me(msgspec.Struct, frozen=True):
    data: _User


class _Problem(msgspec.Struct, frozen=True):
    title: str = ""
    detail: str = ""


def begin_login(settings: ApiSettings, scopes: tuple[str, ...], random: Random) -> LoginAttempt:
    """The address to open, with a new state and challenge. Raise ConfigurationError without an app."""
    client = _client_of(settings)
    state, verifier = _text_of(random), _text_of(random)
    # oauthlib would build this too, but refuses an address without https, as of a stand-in on this host.
    parameters = [
        ("response_type", "code"),
        ("client_id", client.client_id or ""),
        ("redirect_uri", settings.redirect_uri),
        ("scope", " ".join(scopes)),
        ("state", state),
        ("code_challenge", client.create_code_challenge(verifier, "S256")),
        ("code_challenge_method", "S256"),
    ]
    url = str(add_params_to_uri(settings.authorize_url, parameters))
    return LoginAttempt(url, settings.redirect_uri, scopes, state, verifier)


def _client_of(settings: ApiSettings) -> WebApplicationClient:
    if settings.client_id is None:
        raise ConfigurationError("nobody can sign in: x_api.client_id is missing")
    return WebApplicationClient(settings.client_id)


def _text_of(random: Random) -> str:
    """43 characters of 256 random bits, as RFC 7636, section 4.1, makes a verifier."""
    return base64.urlsafe_b64encode(random(_SECRET_BYTES)).rstrip(b"=").decode("ascii")


def finish_login(
    attempt: LoginAttempt,
    redirect_url: str,
    settings: ApiSettings,
    session: requests.Session,
    clock: Clock,
    client_secret: str | None = None,
) -> UserToken:
    """The token for the address that the browser ended at, and whose it is. Keeps nothing.

    Raise ArchiverError as `parse_redirect`, TokenRefusedError where X does not take the code,
    ConfigurationError where it does not know the app, SourceError for any other answer or none."""
    code = parse_redirect(redirect_url, attempt.state)
    client = _client_of(settings)
    body = client.prepare_request_body(
        code=code,
        redirect_uri=attempt.redirect_uri,
        code_verifier=attempt.verifier,
        include_client_id=client_secret is None,
    )
    now_ms = clock()
    hidden = (code, attempt.verifier, attempt.state)
    try:
        answer = request_token(client, body, settings, client_secret, session, hidden)
    except TokenRefusedError as error:
        raise TokenRefusedError(
            error.message.replace("X no longer takes this token", "X did not take this sign-in", 1),
            f"X's answer is good once and for {CODE_SECONDS} seconds: run the same command again",
        ) from None
    token = UserToken(
        access_token=answer.access_token,
        refresh_token=answer.refresh_token,
        expires_ms=None if answer.expires_in is None else now_ms + answer.expires_in * 1000,
        # Where X names none it has granted what was asked for (RFC 6749, section 5.1).
        scopes=tuple(sorted(answer.scope or attempt.scopes)),
    )
    return _with_user(token, settings, session)


def _with_user(token: UserToken, settings: ApiSettings, session: requests.Session) -> UserToken:
    """The token with its user, whom only X can name. Raise SourceError where it does not."""
    status, data = ask(session, "GET", "/2/users/me", settings, BearerAuth(token.access_token))
    try:
        if status == 200:
            user = msgspec.json.decode(data, type=_Me).data
            handle = user.username if _HANDLE.fullmatch(user.username) else None
            return msgspec.structs.replace(token, user_id=user.id, handle=handle)
        problem = msgspec.json.decode(data, type=_Problem)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        problem = _Problem()
    words = scrub(problem.detail or problem.title, token.secrets)[:_SHOWN_CHARACTERS].rstrip(". ")
    raise SourceError(
        f"X gave a token, but does not say whose it is ({status}{': ' if words else ''}{words})",
        "nothing was kept; look at the app's plan and credit in X's developer portal",
    )
