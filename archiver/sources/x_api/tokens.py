"""An account's keys: read from where the settings say, renewed before they end, kept before they are used.

Nothing here shows a secret: not in an error, not in a `repr`.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import requests
from msgspec import Meta
from oauthlib.oauth2 import WebApplicationClient

from archiver.errors import ConfigurationError
from archiver.secrets import resolve_secret
from archiver.settings.api import Act, ApiSettings, CollectKind, Credentials
from archiver.sources.x_api.scopes import ACT_SCOPES, SCOPES
from archiver.sources.x_api.token_endpoint import LOGIN_HINT, TOKEN, TokenRefusedError, request_token
from archiver.sources.x_api.token_store import check_store, only_one_renews, save_token, token_file
from archiver.times import Clock

Way = Literal["oauth2", "bearer", "oauth1"]
REFRESH_MARGIN_MS = 300_000
"""A token is renewed this long before it ends, so that it does not end between two pages."""
IDENTITY_CHARACTERS = 12
_USER_OF_OAUTH1 = re.compile(r"([0-9]{1,19})-")


class _Format(msgspec.Struct, frozen=True):
    """A tag alone may be absent when msgspec reads; this may not."""

    format: Literal["archiver-x-token-1"]


class UserToken(msgspec.Struct, frozen=True, kw_only=True, tag_field="format", tag="archiver-x-token-1"):
    """A token of OAuth 2.0 as it is kept. Empty `scopes`, and None elsewhere, mean: not known."""

    access_token: Annotated[str, Meta(pattern=f"^{TOKEN.pattern}\\Z")]
    refresh_token: Annotated[str, Meta(pattern=f"^{TOKEN.pattern}\\Z")] | None = None
    expires_ms: int | None = None
    scopes: tuple[str, ...] = ()
    user_id: Annotated[str, Meta(pattern=r"^[0-9]{1,19}\Z")] | None = None
    handle: str | None = None

    def encode(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.access_token, *([self.refresh_token] if self.refresh_token else []))

    def __repr__(self) -> str:
        return f"UserToken(user_id={self.user_id!r}, expires_ms={self.expires_ms!r}, scopes={self.scopes!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("user_id", self.user_id), ("expires_ms", self.expires_ms), ("scopes", self.scopes)]


def parse_user_token(text: str) -> UserToken:
    """A token as `archiver login x` keeps it, or an access token alone. Raise ConfigurationError."""
    stripped = text.strip()
    if not stripped.startswith("{"):
        return UserToken(access_token=_check_header_value(stripped, "account.api.token"))
    try:
        msgspec.json.decode(stripped, type=_Format)
        return msgspec.json.decode(stripped, type=UserToken)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):  # its text may hold a part of the token
        raise ConfigurationError(
            "the token that account.api.token names is not one of this program",
            "make a new one: archiver login x",
        ) from None


def _check_header_value(value: str, setting: str) -> str:
    if not TOKEN.fullmatch(value):
        raise ConfigurationError(f"what {setting} names is not a token: it has spaces or odd characters")
    return value


def needs_refresh(token: UserToken, now_ms: int) -> bool:
    """Whether it ends within five minutes. One whose end is not known never does."""
    return token.expires_ms is not None and token.expires_ms - now_ms <= REFRESH_MARGIN_MS


@dataclass(frozen=True)
class Keys:
    """What one account is asked with.

    `values` are `tweepy.Client`'s arguments: `bearer_token`, or the four of OAuth 1.0a. `identity` stands
    for whom X counts limits against: the user where known, else the token; nobody can tell a token by it."""

    way: Way
    values: Mapping[str, str] = field(repr=False)
    identity: str
    user_id: str | None = None
    scopes: frozenset[str] | None = None
    """None: not known, or the way has none."""
    token: UserToken | None = field(default=None, repr=False)
    """For "oauth2"."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """All that must never be shown."""
        return tuple(dict.fromkeys((*self.values.values(), *(self.token.secrets if self.token else ()))))


def keys_of(token: UserToken) -> Keys:
    return Keys(
        way="oauth2",
        values={"bearer_token": token.access_token},
        identity=_identity("oauth2", token.user_id or token.access_token),
        user_id=token.user_id,
        scopes=frozenset(token.scopes) or None,
        token=token,
    )


def load_keys(
    credentials: Credentials, environ: Mapping[str, str], home: Path, account_id: str = "ID"
) -> Keys:
    """An account's keys. `account_id` is for the hint only. Raise ConfigurationError as
    `archiver.secrets.resolve_secret`, and where there is no key or what is there is none."""
    if credentials.token is not None:
        return keys_of(_load_token(credentials, environ, home, account_id))
    if credentials.bearer_token is not None:
        value = _resolve("bearer_token", credentials.bearer_token, environ, home)
        return Keys(way="bearer", values={"bearer_token": value}, identity=_identity("bearer", value))
    return _load_oauth1(credentials, environ, home, account_id)


def _load_token(
    credentials: Credentials, environ: Mapping[str, str], home: Path, account_id: str
) -> UserToken:
    path = token_file(credentials, home)
    if path is not None and not os.path.lexists(path):
        raise ConfigurationError(
            f"there is no token yet in {path}", f"archiver login x --account {account_id}"
        )
    return parse_user_token(resolve_secret(credentials.token or "", environ, home))


def _load_oauth1(credentials: Credentials, environ: Mapping[str, str], home: Path, account_id: str) -> Keys:
    values = {}
    for name in ("consumer_key", "consumer_secret", "access_token", "access_token_secret"):
        reference: str | None = getattr(credentials, name)
        if reference is None:
            raise ConfigurationError(
                f"account.api.{name} is missing for {account_id}", "or use: archiver login x"
            )
        values[name] = _resolve(name, reference, environ, home)
    user = _USER_OF_OAUTH1.match(values["access_token"])
    return Keys(
        way="oauth1",
        values=values,
        identity=_identity("oauth1", user[1] if user else values["access_token"]),
        user_id=user[1] if user else None,
    )


def _resolve(name: str, reference: str, environ: Mapping[str, str], home: Path) -> str:
    return _check_header_value(resolve_secret(reference, environ, home).strip(), f"account.api.{name}")


def _identity(way: Way, value: str) -> str:
    return hashlib.sha256(f"{way}\0{value}".encode()).hexdigest()[:IDENTITY_CHARACTERS]


def missing_scopes(keys: Keys, kind: CollectKind) -> tuple[str, ...]:
    """What X has not granted and this kind needs, sorted; nothing where that is not known."""
    return () if keys.scopes is None else tuple(sorted(SCOPES[kind] - keys.scopes))


def missing_act_scopes(keys: Keys, act: Act) -> tuple[str, ...]:
    """The same for something that is done on X."""
    return () if keys.scopes is None else tuple(sorted(ACT_SCOPES[act] - keys.scopes))


def can_act(keys: Keys) -> bool:
    """Whether X lets anything be done with keys of this way: an app's own token only reads."""
    return keys.way != "bearer"


@dataclass(frozen=True)
class KeyChain:
    """One account's keys over a run: `load` them at its start and between pages, `renew` them after a 401."""

    credentials: Credentials
    settings: ApiSettings
    environ: Mapping[str, str] = field(repr=False)
    home: Path
    session: requests.Session = field(repr=False)
    clock: Clock
    account_id: str

    def load(self) -> Keys:
        """The keys as they are kept, renewed first where they end within five minutes. Raise as
        `load_keys` and `refresh`."""
        keys = load_keys(self.credentials, self.environ, self.home, self.account_id)
        if keys.token is not None and needs_refresh(keys.token, self.clock()):
            return keys_of(self._renewed(keys.token, keys.token))
        return keys

    def fresh(self, keys: Keys) -> Keys:
        """These keys, or new ones where they end within five minutes. Reads nothing otherwise."""
        if keys.token is None or not needs_refresh(keys.token, self.clock()):
            return keys
        return self.renew(keys)

    def renew(self, keys: Keys) -> Keys:
        """Others in place of keys that X has just refused: those that another run has kept meanwhile,
        else new ones. Raise TokenRefusedError where none can be had, AccountError where another process
        goes on renewing them, else as `refresh`."""
        if keys.token is None:
            raise TokenRefusedError("X does not take this key", "make a new one in X's developer portal")
        kept = self._kept()
        return keys_of(kept if self._is_newer(kept, keys.token) else self._renewed(keys.token, kept))

    def _kept(self) -> UserToken:
        return _load_token(self.credentials, self.environ, self.home, self.account_id)

    def _is_newer(self, kept: UserToken, old: UserToken) -> bool:
        return kept.access_token != old.access_token and not needs_refresh(kept, self.clock())

    def _renewed(self, old: UserToken, kept: UserToken) -> UserToken:
        """A token in place of `old`: of two processes that want one at the same time, one asks X for it, and
        the other takes what that has kept."""
        try:
            check_renewable(kept, self.credentials, self.settings, self.home)
            with only_one_renews(self.credentials, self.settings, self.home, self.account_id):
                kept = self._kept()
                if self._is_newer(kept, old):
                    return kept
                return refresh(
                    kept, self.credentials, self.settings, self.session, self.environ, self.home, self.clock
                )
        except TokenRefusedError as error:
            raise TokenRefusedError(error.message, LOGIN_HINT.format(self.account_id)) from None


def load_client_secret(settings: ApiSettings, environ: Mapping[str, str], home: Path) -> str | None:
    if settings.client_secret is None:
        return None
    return resolve_secret(settings.client_secret, environ, home)


def check_renewable(token: UserToken, credentials: Credentials, settings: ApiSettings, home: Path) -> str:
    """The id of the app that can renew a token. Raise TokenRefusedError where there is nothing to renew it
    with, ConfigurationError where no app is named or a new one could not be kept. Asks nobody."""
    if token.refresh_token is None:
        raise TokenRefusedError("this token has ended and cannot be renewed", LOGIN_HINT.format("ID"))
    if settings.client_id is None:
        raise ConfigurationError("a token cannot be renewed: x_api.client_id is not set")
    check_store(credentials, home)
    return settings.client_id


def refresh(
    token: UserToken,
    credentials: Credentials,
    settings: ApiSettings,
    session: requests.Session,
    environ: Mapping[str, str],
    home: Path,
    clock: Clock,
) -> UserToken:
    """A new token for one that ends, kept already when this returns: X takes each refresh token once.

    Raise TokenRefusedError where X no longer takes it, ConfigurationError where the new one cannot be
    kept or the app is not known, SourceError where there is no answer."""
    client_id = check_renewable(token, credentials, settings, home)
    client_secret = load_client_secret(settings, environ, home)
    client = WebApplicationClient(client_id)
    # A public client names itself in the body, one with a secret by HTTP Basic (RFC 6749, section 2.3.1).
    named = {} if client_secret else {"client_id": client_id}
    body = client.prepare_refresh_body(refresh_token=token.refresh_token, **named)
    now_ms = clock()
    answer = request_token(client, body, settings, client_secret, session, token.secrets)
    new_token = msgspec.structs.replace(
        token,
        access_token=answer.access_token,
        refresh_token=answer.refresh_token or token.refresh_token,
        expires_ms=None if answer.expires_in is None else now_ms + answer.expires_in * 1000,
        scopes=tuple(sorted(answer.scope)) if answer.scope else token.scopes,
    )
    save_token(new_token.encode(), credentials, environ, home)
    return new_token
