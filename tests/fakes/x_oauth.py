"""Who may ask the fake of X: OAuth 2.0 with PKCE (RFC 6749, 7636), bearer tokens, OAuth 1.0a (RFC 5849)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from oauthlib.common import Request as SignedRequest
from oauthlib.oauth1.rfc5849 import signature

from tests.fakes.x_world import Client, Token, World

CODE_SECONDS = 30
TOKEN_SECONDS = 7200

_SCOPES = """
tweet.read tweet.write users.read follows.read follows.write offline.access like.read like.write list.read
list.write block.read block.write mute.read mute.write bookmark.read bookmark.write dm.read dm.write
space.read tweet.moderate.write users.email media.write
"""
SCOPES = frozenset(_SCOPES.split())
"""Those X knows."""


class AuthorizeError(Exception):
    """X would show its user an error page instead of asking for consent."""


@dataclass(frozen=True)
class _Code:
    client_id: str
    user_id: str
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str
    until_ms: int


@dataclass(frozen=True)
class _Refresh:
    client_id: str
    user_id: str
    scopes: frozenset[str]


class _TokenError(Exception):
    def __init__(self, description: str, *, status: int = 400, error: str = "invalid_request") -> None:
        super().__init__(description)
        self.status = status
        self.document = {"error": error, "error_description": description}


class Authority:
    """Gives out tokens and knows whose a request is. What it gives out is in `world.tokens`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._codes: dict[str, _Code] = {}
        self._refreshes: dict[str, _Refresh] = {}
        self._access_of: dict[str, str] = {}

    # OAuth 2.0

    def authorize(self, url: str, user_id: str) -> str:
        """What the user's browser is sent to after consent: the redirect address with code and state."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        client = self._world.clients.get(query.get("client_id", ""))
        scopes = frozenset(query.get("scope", "").split())
        faults = {
            "response_type": query.get("response_type") != "code",
            "client_id": client is None,
            "redirect_uri": client is not None and query.get("redirect_uri") not in client.redirect_uris,
            "scope": not scopes or not scopes <= SCOPES,
            "state": not 1 <= len(query.get("state", "")) <= 500,
            "code_challenge": not 43 <= len(query.get("code_challenge", "")) <= 128,
            "code_challenge_method": query.get("code_challenge_method") != "S256",
        }
        wrong = [name for name, is_wrong in faults.items() if is_wrong]
        if wrong or client is None:
            raise AuthorizeError(f"The address to ask for consent is wrong in: {', '.join(wrong)}.")
        with self._world.lock:
            code = secrets.token_urlsafe(32)
            until = self._world.now_ms() + CODE_SECONDS * 1000
            redirect = query["redirect_uri"]
            self._codes[code] = _Code(
                client.client_id, user_id, redirect, scopes, query["code_challenge"], until
            )
        return (
            f"{redirect}{'&' if '?' in redirect else '?'}{urlencode({'state': query['state'], 'code': code})}"
        )

    def token(self, form: Mapping[str, str], authorization: str | None) -> tuple[int, dict[str, Any]]:
        """The answer of `POST /2/oauth2/token`: status and document."""
        try:
            with self._world.lock:
                client = self._client(form, authorization)
                if form.get("grant_type") == "authorization_code":
                    return 200, self._by_code(client, form)
                if form.get("grant_type") == "refresh_token":
                    return 200, self._by_refresh(client, form)
            raise _TokenError("Value passed for the grant type was invalid.", error="unsupported_grant_type")
        except _TokenError as error:
            return error.status, error.document

    def _client(self, form: Mapping[str, str], authorization: str | None) -> Client:
        """A confidential client shows its secret as HTTP Basic; a public one names itself in the form."""
        if authorization is not None:
            kind, _, encoded = authorization.partition(" ")
            try:
                named, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
            except ValueError:
                named, secret = "", ""
            client = self._world.clients.get(unquote(named))
            given = unquote(secret).encode()
            known = client.secret if client else None
            if kind.lower() == "basic" and known and hmac.compare_digest(known.encode(), given):
                assert client is not None
                return client
        else:
            client = self._world.clients.get(form.get("client_id", ""))
            if client is not None and client.secret is None:
                return client
        raise _TokenError("Missing valid authorization header", status=401, error="unauthorized_client")

    def _by_code(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.client_id != client.client_id or code.until_ms < self._world.now_ms():
            raise _TokenError("Value passed for the authorization code was invalid.")
        if form.get("redirect_uri") != code.redirect_uri:
            raise _TokenError("Value passed for the redirect uri did not match the uri of the code.")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != code.challenge:
            raise _TokenError("Value passed for the code verifier did not match the code challenge.")
        return self._issue(client, code.user_id, code.scopes)

    def _by_refresh(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        value = form.get("refresh_token", "")
        refresh = self._refreshes.get(value)
        if refresh is None or refresh.client_id != client.client_id:
            raise _TokenError("Value passed for the token was invalid.")
        del self._refreshes[value]
        self._world.revoke(self._access_of.pop(value, ""))
        return self._issue(client, refresh.user_id, refresh.scopes)

    def _issue(self, client: Client, user_id: str, scopes: frozenset[str]) -> dict[str, Any]:
        access = secrets.token_urlsafe(48)
        self._world.add_token(access, user_id, scopes, self._world.now_ms() + TOKEN_SECONDS * 1000)
        answer: dict[str, Any] = {"token_type": "bearer", "expires_in": TOKEN_SECONDS}
        answer |= {"access_token": access, "scope": " ".join(sorted(scopes))}
        if "offline.access" in scopes:
            answer["refresh_token"] = self.add_refresh_token(client.client_id, user_id, scopes, access)
        return answer

    def add_refresh_token(
        self, client_id: str, user_id: str, scopes: frozenset[str], access: str = "", value: str = ""
    ) -> str:
        """A refresh token, as if the user had consented earlier; its value."""
        value = value or secrets.token_urlsafe(48)
        self._refreshes[value] = _Refresh(client_id, user_id, scopes)
        self._access_of[value] = access
        return value

    # Whose request it is

    def token_of(
        self, method: str, url: str, authorization: str | None, form: Sequence[tuple[str, str]] = ()
    ) -> Token | None:
        """The token a request shows, if it is good: known, not expired, rightly signed. `url` is the true
        one, so that a signature made for another host is none."""
        if authorization is None:
            return None
        kind, _, rest = authorization.partition(" ")
        if kind.lower() == "bearer":
            token = self._world.tokens.get(rest.strip())
            token = token if token is not None and token.secret is None else None
        elif kind.lower() == "oauth":
            token = self._signed(method, url, authorization, form)
        else:
            token = None
        if token and token.expires_ms is not None and token.expires_ms <= self._world.now_ms():
            return None
        return token

    def _signed(
        self, method: str, url: str, authorization: str, form: Sequence[tuple[str, str]]
    ) -> Token | None:
        parts = urlsplit(url)
        headers = {"Authorization": authorization}
        try:
            shown = dict(signature.collect_parameters(headers=headers, exclude_oauth_signature=False))
            signed = signature.collect_parameters(uri_query=parts.query, body=list(form), headers=headers)
            base_uri = signature.base_string_uri(f"{parts.scheme}://{parts.netloc}{parts.path}")
        except ValueError:
            return None
        token = self._world.tokens.get(shown.get("oauth_token", ""))
        secret = self._world.consumers.get(shown.get("oauth_consumer_key", ""))
        needed = ("oauth_nonce", "oauth_timestamp", "oauth_signature")
        if token is None or token.secret is None or secret is None or not all(map(shown.get, needed)):
            return None
        if shown["oauth_consumer_key"] != token.consumer_key:
            return None
        if shown.get("oauth_signature_method") != "HMAC-SHA1":
            return None
        request: Any = SignedRequest(base_uri)
        request.http_method = method
        request.params, request.signature = signed, shown["oauth_signature"]
        return token if signature.verify_hmac_sha1(request, secret, token.secret) else None
