"""Asking X for a token, `POST /2/oauth2/token` (RFC 6749, sections 4.1.3, 5 and 6), and whose it is.

What is sent here is secret, and X may send it back. So no error holds X's own words before `scrub`, and
none keeps a cause that holds them.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import quote, quote_plus, urlsplit

import msgspec
import requests
from msgspec import Meta
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient
from requests.auth import AuthBase, HTTPBasicAuth

from archiver.errors import ConfigurationError, SourceError
from archiver.settings.api import ApiSettings
from archiver.sources.x_api.errors import AccountError

PATH = "/2/oauth2/token"
MAXIMUM_BYTES = 1 << 20
TOKEN = re.compile(r"[\x21-\x7e]+")
"""What may stand in a header after "Bearer": no spaces, no line ends."""
LOGIN_HINT = "let the account's owner sign in again: archiver login x --account {}"
_SHOWN_CHARACTERS = 200
_UNKNOWN_APP = ("invalid_client", "unauthorized_client")
_REFUSED = ("invalid_grant", "invalid_request")
_IDENTIFIER = re.compile(r"[a-z_]{1,40}")


class TokenRefusedError(AccountError):
    """X takes a token, or the code for one, no longer: somebody has to sign in again."""


class TokenAnswer(msgspec.Struct, frozen=True):
    """What X gives (RFC 6749, section 5.1)."""

    access_token: Annotated[str, Meta(pattern=f"^{TOKEN.pattern}\\Z")]
    refresh_token: Annotated[str, Meta(pattern=f"^{TOKEN.pattern}\\Z")] | None = None
    expires_in: Annotated[int, Meta(ge=0, le=1 << 31)] | None = None
    scope: list[str] | None = None

    def __repr__(self) -> str:
        return "TokenAnswer(…)"


class _ErrorAnswer(msgspec.Struct, frozen=True):
    error: str
    error_description: str = ""


class BearerAuth(AuthBase):
    """Sends a token, and keeps `requests` from sending what a .netrc file says instead."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class NoAuth(AuthBase):
    """Sends nothing, whatever a .netrc file says."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def scrub(text: str, secrets: Iterable[str]) -> str:
    """The text without any of the secrets, as they are or written for a URL."""
    forms = {form for one in secrets for form in (one, quote(one, safe=""), quote_plus(one)) if form}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "[secret]")
    return text


def request_token(
    client: WebApplicationClient,
    body: str,
    settings: ApiSettings,
    client_secret: str | None,
    session: requests.Session,
    secrets: Iterable[str],
) -> TokenAnswer:
    """Send a body that `client` has prepared. Raise TokenRefusedError where X does not take what is in it,
    ConfigurationError where X does not know the app, SourceError for anything else."""
    hidden = (*secrets, *([client_secret] if client_secret else []))
    auth = (
        HTTPBasicAuth(quote_plus(client.client_id or ""), quote_plus(client_secret))
        if client_secret
        else NoAuth()
    )
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    status, data = ask(session, "POST", PATH, settings, auth, body, headers)
    if status >= 500 or status == 429 or 300 <= status < 400:
        raise SourceError(
            f"{host_of(settings)} answered {status} where a token was asked for", "try again later"
        )
    return _parse_token_answer(client, status, data, hidden)


def ask(
    session: requests.Session,
    method: str,
    path: str,
    settings: ApiSettings,
    auth: AuthBase,
    body: str | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    """Status and body of one answer of at most 1 MiB; no redirect is followed. Raise SourceError where
    there is none."""
    host = host_of(settings)
    try:
        with session.request(
            method,
            settings.base_url.rstrip("/") + path,
            data=body,
            headers=headers,
            auth=auth,
            allow_redirects=False,
            stream=True,
            timeout=(settings.connect_timeout_seconds, settings.read_timeout_seconds),
            verify=str(settings.ca_file) if settings.ca_file else True,
        ) as response:
            data = b""
            for piece in response.iter_content(65_536):
                data += piece
                if len(data) > MAXIMUM_BYTES:
                    raise SourceError(f"{host} answered {path} with over {MAXIMUM_BYTES} bytes")
            return response.status_code, data
    except requests.Timeout as error:
        raise SourceError(f"{host} gave no answer to {path} in time", "try again later") from error
    except requests.exceptions.SSLError as error:
        raise SourceError(
            f"{host} shows a certificate that is not trusted here",
            "behind a proxy that opens TLS, name its authority: x_api.ca_file",
        ) from error
    except requests.RequestException as error:
        # One of a header or a proxy's address says what is in it: that cause is not kept.
        raise SourceError(
            f"{host} cannot be reached for {path}", "check the network; a proxy is taken from HTTPS_PROXY"
        ) from error if isinstance(error, requests.ConnectionError) else None
    except OSError as error:  # `requests` looks for the file of authorities itself
        raise ConfigurationError(f"x_api.ca_file: {(error.strerror or str(error)).lower()}") from error


def host_of(settings: ApiSettings) -> str:
    return urlsplit(settings.base_url).hostname or settings.base_url


def _parse_token_answer(
    client: WebApplicationClient, status: int, data: bytes, secrets: tuple[str, ...]
) -> TokenAnswer:
    """A token (RFC 6749, section 5.1), else raise what the error says (section 5.2)."""
    if status < 300:
        try:
            found: dict[str, Any] = dict(client.parse_request_body_response(data.decode("utf-8")))
            return msgspec.convert(found, TokenAnswer)
        except (OAuth2Error, ValueError, TypeError, AttributeError, RecursionError):
            pass  # what it is instead is looked at below
    try:
        answer = msgspec.json.decode(data, type=_ErrorAnswer)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        answer = _ErrorAnswer("")
    raise _refusal(status, answer.error, scrub(answer.error_description, secrets))


def _refusal(status: int, code: str, description: str) -> ConfigurationError | SourceError:
    if not _IDENTIFIER.fullmatch(code):
        return SourceError(f"X answered {status} with something that is no token")
    words = f": {description[:_SHOWN_CHARACTERS].rstrip('. ')}" if description else ""
    if code in _UNKNOWN_APP:
        return ConfigurationError(
            f"X does not know this program under x_api.client_id ({status}, {code}{words})",
            "compare x_api.client_id and x_api.client_secret with the app in X's developer portal",
        )
    if code in _REFUSED:
        return TokenRefusedError(f"X no longer takes this token ({status}, {code}{words})")
    return SourceError(f"X gave no token ({status}, {code}{words})")
