"""`[x_api]` and `[account.api]` of `archiver.toml`, read into the dataclasses of `archiver.settings.api`."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Literal

from archiver.settings.api import (
    ACTS,
    COLLECT_KINDS,
    DEFAULT_BEARER_KINDS,
    DEFAULT_EVERY_DAYS,
    DEFAULT_KINDS,
    DEFAULT_PRICES,
    MEBIBYTE,
    MICRO_USD,
    PRICE_NAMES,
    USER_KINDS,
    AccountApi,
    Act,
    ApiSettings,
    CollectKind,
    Credentials,
    Prices,
)
from archiver.settings.table import Table

_FIELD_NAMES: tuple[Literal["auto", "post", "tweet"], ...] = ("auto", "post", "tweet")
_WAYS = (
    ("token",),
    ("bearer_token",),
    ("consumer_key", "consumer_secret", "access_token", "access_token_secret"),
)
"""What names an account's keys: exactly one of these, whole."""

_PORT = r":(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_LOOPBACK = r"(?:127\.0\.0\.1|localhost|\[::1\])"
_PATH = r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)"
_QUERY = r"(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)"
_ORIGIN = rf"(?:https://{_HOST}(?:{_PORT})?|http://{_LOOPBACK}(?:{_PORT})?)"
BASE_URL = re.compile(rf"{_ORIGIN}/?")
AUTHORIZE_URL = re.compile(rf"{_ORIGIN}{_PATH}?")
REDIRECT_URI = re.compile(
    rf"(?:https://{_HOST}(?:{_PORT})?{_PATH}?{_QUERY}?|http://{_LOOPBACK}{_PORT}{_PATH}?{_QUERY}?)"
)
"""RFC 6749, 3.1.2: no fragment. A page without TLS is one of this host's own, with the port to listen at."""
MEDIA_HOST = re.compile(rf"{_HOST}(?:{_PORT})?")
CLIENT_ID = re.compile(r"[!-~]{1,256}")
_ONLY_LOOPBACK = "http is for 127.0.0.1, localhost and [::1] only"


def read_api_settings(table: Table, home: Path) -> ApiSettings:
    """`[x_api]`. An absent table has all defaults."""
    default = ApiSettings()
    field_names = table.choice("field_names", default.field_names, _FIELD_NAMES)
    answer = table.integer("answer_mebibytes", default.answer_bytes // MEBIBYTE, 1, 1024)
    return ApiSettings(
        base_url=table.text(
            "api_base_url",
            default.base_url,
            pattern=BASE_URL,
            hint=f"as {default.base_url}, without a path; {_ONLY_LOOPBACK}",
        ).rstrip("/"),
        authorize_url=table.text(
            "authorize_url",
            default.authorize_url,
            pattern=AUTHORIZE_URL,
            hint=f"as {default.authorize_url}, without a query; {_ONLY_LOOPBACK}",
        ),
        redirect_uri=table.text(
            "redirect_uri",
            default.redirect_uri,
            pattern=REDIRECT_URI,
            hint=f"as {default.redirect_uri}, with its port, or a page with https; {_ONLY_LOOPBACK}",
        ),
        client_id=table.optional_text(
            "client_id", pattern=CLIENT_ID, hint="as X's developer portal shows it, without spaces"
        ),
        client_secret=table.secret_reference("client_secret", home),
        ca_file=table.path("ca_file", None, home, must_exist=True) if table.has("ca_file") else None,
        field_names=next((name for name in _FIELD_NAMES if name == field_names), default.field_names),
        connect_timeout_seconds=table.integer(
            "connect_timeout_seconds", default.connect_timeout_seconds, 1, 120
        ),
        read_timeout_seconds=table.integer("read_timeout_seconds", default.read_timeout_seconds, 1, 600),
        max_wait_seconds=table.integer("max_wait_seconds", default.max_wait_seconds, 0, 86_400),
        tries=table.integer("tries", default.tries, 1, 20),
        answer_bytes=answer * MEBIBYTE,
        side_by_side=table.integer("side_by_side", default.side_by_side, 1, 32),
        media_hosts=_read_media_hosts(table, default.media_hosts),
        prices=_read_prices(table.table("prices")),
    )


def _read_media_hosts(table: Table, default: tuple[str, ...]) -> tuple[str, ...]:
    hint = f"a host as {default[0]}, or with its port, without https:// and without a path"
    return tuple(host.lower() for host in table.texts("media_hosts", default, pattern=MEDIA_HOST, hint=hint))


def _read_prices(table: Table) -> Prices:
    default = Prices()
    return Prices(
        as_of=table.day("as_of", default.as_of),
        micro_usd={name: _read_micro_usd(table, name, DEFAULT_PRICES[name], 100) for name in PRICE_NAMES},
        includes_billed=table.boolean("includes_billed", default.includes_billed),
    )


def _read_micro_usd(table: Table, key: str, default: int, most_usd: int) -> int:
    """US dollars as whole millionths, exactly: the shortest decimals that give the number count."""
    usd = table.number(key, default / MICRO_USD, 0, most_usd)
    micro = Decimal(repr(usd)) * MICRO_USD
    if micro != int(micro):
        table.problem(key, f"{usd} has more than 6 decimals", "money is counted in millionths of a US dollar")
    return int(micro)


def read_account_api(account: Table, platform: str, account_id: str, home: Path) -> AccountApi | None:
    """`[account.api]` below an `[[account]]`; None where there is no such table."""
    if not account.has("api"):
        return None
    if platform and platform != "x":
        account.problem("api", "only accounts of X are asked for", "leave this table out")
    table = account.table("api")
    credentials = _read_credentials(account, account_id, home)
    media = table.integer("media_mebibytes", AccountApi.media_bytes // MEBIBYTE, 1, 8192)
    return AccountApi(
        credentials=credentials,
        kinds=_read_kinds(table),
        every_days=_read_every_days(table.table("every_days")),
        recheck_days=table.integer("recheck_days", AccountApi.recheck_days, 0, 365),
        recheck_mentions=table.boolean("recheck_mentions", AccountApi.recheck_mentions),
        acts=_read_acts(table),
        media=table.boolean("media", AccountApi.media),
        media_bytes=media * MEBIBYTE,
        max_spend_micro_usd=_read_micro_usd(table, "max_spend_usd", AccountApi.max_spend_micro_usd, 100_000),
        owns_app=table.boolean("owns_app", AccountApi.owns_app),
    )


def _read_credentials(account: Table, account_id: str, home: Path) -> Credentials:
    """Which keys are named counts, not whether each is right: one mistake is one problem."""
    table = account.table("api")
    _check_ways(account, account_id)
    token = table.secret_reference("token", home)
    return Credentials(
        token=token,
        token_store=_read_token_store(table, token, home),
        bearer_token=table.secret_reference("bearer_token", home),
        consumer_key=table.secret_reference("consumer_key", home),
        consumer_secret=table.secret_reference("consumer_secret", home),
        access_token=table.secret_reference("access_token", home),
        access_token_secret=table.secret_reference("access_token_secret", home),
    )


def _check_ways(account: Table, account_id: str) -> None:
    """Note at the table's own place where not exactly one way is given, or not all of it."""
    table = account.table("api")
    given = [(way, [key for key in way if table.has(key)]) for way in _WAYS]
    given = [(way, named) for way, named in given if named]
    if not given:
        place = f'token = "file:collector/x-{account_id or "ID"}.token"'
        account.problem("api", "no token is named", f"add {place}, then make it: archiver login x")
    elif len(given) > 1:
        names = ", ".join(named[0] for _, named in given)
        account.problem("api", f"{names} are given together", "keep one: they are ways to the same thing")
    elif missing := [key for key in given[0][0] if key not in given[0][1]]:
        hint = f"it needs all four; or make a token with: archiver login x --account {account_id or 'ID'}"
        account.problem("api", f"{given[0][1][0]} is given without {', '.join(missing)}", hint)


def _read_token_store(table: Table, token: str | None, home: Path) -> str | None:
    store = table.secret_reference("token_store", home)
    if store is not None and not store.startswith("command:"):
        table.problem(
            "token_store", "this must be a command", "command:PROGRAM ARGUMENTS, which reads the token"
        )
    if not table.has("token_store"):
        return None
    if not table.has("token"):
        table.problem("token_store", "there is no token that it is for", "remove it, or name a token")
    elif token is not None and token.startswith("file:"):
        table.problem("token_store", "a token in a file is renewed in that file", "remove this line")
    return store


def _read_kinds(table: Table) -> tuple[CollectKind, ...]:
    """In the order in which a run asks, whatever the order in the file."""
    bearer = table.has("bearer_token") and not any(table.has(key) for key in (*_WAYS[0], *_WAYS[2]))
    hint = f"out of: {', '.join(COLLECT_KINDS)}"
    named = table.texts("kinds", DEFAULT_BEARER_KINDS if bearer else DEFAULT_KINDS, hint=hint)
    for kind in dict.fromkeys(named):
        if kind and kind not in COLLECT_KINDS:
            table.problem("kinds", f"{kind!r} is not known", hint)
        elif bearer and kind in USER_KINDS:
            table.problem(
                "kinds",
                f"X shows {kind} to somebody signed in only: it needs a token of the account's own",
                f"leave {kind} out, or make a token with: archiver login x",
            )
    return tuple(kind for kind in COLLECT_KINDS if kind in named)


def _read_acts(table: Table) -> tuple[Act, ...]:
    hint = f"out of: {', '.join(ACTS)}"
    named = table.texts("acts", (), hint=hint, may_be_empty=True)
    for act in dict.fromkeys(named):
        if act and act not in ACTS:
            table.problem("acts", f"{act!r} is not known", hint)
    if named and table.has("bearer_token"):
        table.problem(
            "acts", "an app's bearer token cannot act", "make a token of the account's own: archiver login x"
        )
    return tuple(act for act in ACTS if act in named)


def _read_every_days(table: Table) -> dict[CollectKind, int]:
    return {kind: table.integer(kind, DEFAULT_EVERY_DAYS[kind], 1, 366) for kind in COLLECT_KINDS}
