"""The keys that X is asked with: whether they are there, allow what is wanted, and last. X is not asked."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from archiver.errors import ArchiverError
from archiver.health.checkup import Check, Finding, Subject, failed, of_error, ok, warning
from archiver.schedule.due import DAY_MS
from archiver.settings import AccountSettings
from archiver.settings.api import AccountApi
from archiver.sources.x_api.token_store import token_file
from archiver.sources.x_api.tokens import (
    UserToken,
    can_act,
    check_renewable,
    load_client_secret,
    load_keys,
    missing_act_scopes,
    missing_scopes,
    needs_refresh,
)
from archiver.times import format_time

REFRESH_DAYS = 180
"""X takes a refresh token for six months (X API v2, "OAuth 2.0 Authorization Code Flow")."""
_OLD_DAYS = 150


def checks(subject: Subject) -> list[Check]:
    """One for each account that X is asked for."""
    return [
        Check(_what(account), partial(_token, subject, account, account.api))
        for account in subject.settings.accounts
        if account.api is not None
    ]


def _what(account: AccountSettings) -> str:
    return f"token of @{account.handle or account.id}"


def _token(subject: Subject, account: AccountSettings, api: AccountApi) -> Iterator[Finding]:
    what, settings = _what(account), subject.settings
    login = f"archiver login x --account {account.id}"
    keys = load_keys(api.credentials, subject.environ, settings.home, account.id)
    found: list[Finding] = []
    lacking = {scope for kind in api.kinds for scope in missing_scopes(keys, kind)}
    if lacking:
        said = f"X has not granted what collecting needs: {', '.join(sorted(lacking))}"
        found.append(failed(what, said, f"sign in again: {login}"))
    for_acts = {scope for act in api.acts for scope in missing_act_scopes(keys, act)} - lacking
    if api.acts and not can_act(keys):
        found.append(failed(what, "an app's own token only reads; account.api.acts wants more", login))
    elif for_acts:
        said = f"X has not granted what account.api.acts needs: {', '.join(sorted(for_acts))}"
        found.append(failed(what, said, f"sign in again: {login}"))
    if keys.user_id is not None and keys.user_id != account.id and keys.way == "oauth2":
        said = f"it is of the account {keys.user_id}, not of {account.id}"
        found.append(failed(what, said, f"sign in as the account: {login}"))
    if keys.token is not None:
        found += _lasting(subject, account, api, keys.token, login)
    yield from found or [ok(what, f"{keys.way}; it allows what is wanted{_age(subject, api)}")]


def _lasting(
    subject: Subject, account: AccountSettings, api: AccountApi, token: UserToken, login: str
) -> Iterator[Finding]:
    """Whether it ends, and can be renewed then, which every run does by itself."""
    what, now_ms = _what(account), subject.clock()
    if token.expires_ms is None:
        return
    try:
        check_renewable(token, api.credentials, subject.settings.x_api, subject.settings.home)
    except ArchiverError as error:
        if needs_refresh(token, now_ms):
            yield failed(what, error.message, f"sign in again: {login}")
        else:
            until = format_time(token.expires_ms)[:16].replace("T", " ")
            said = f"it ends at {until} UTC and cannot be renewed: {error.message}"
            yield warning(what, said, error.hint or f"sign in again: {login}")
        return
    days = _days_old(subject, api)
    if days is not None and days >= _OLD_DAYS:
        said = f"it was last renewed {days} days ago, and X takes it for {REFRESH_DAYS} only"
        yield warning(what, said, f"archiver collect --account {account.id}; if X refuses it: {login}")


def _days_old(subject: Subject, api: AccountApi) -> int | None:
    """How long ago the token's file was written, which is when it was renewed."""
    path = token_file(api.credentials, subject.settings.home)
    with suppress(OSError):
        if path is not None:
            return int((subject.clock() - path.stat().st_mtime * 1000) // DAY_MS)
    return None


def _age(subject: Subject, api: AccountApi) -> str:
    days = _days_old(subject, api)
    if days is None or days < 0:
        return ""
    return "; renewed today" if days == 0 else f"; renewed {days} days ago"


def client_secret(subject: Subject) -> list[Check]:
    """Whether the app's secret is to be had, where it has one."""
    if subject.settings.x_api.client_secret is None:
        return []
    return [Check("X app's secret", partial(_client_secret, subject))]


def _client_secret(subject: Subject) -> Iterator[Finding]:
    what = "X app's secret"
    try:
        load_client_secret(subject.settings.x_api, subject.environ, subject.settings.home)
    except ArchiverError as error:
        yield of_error(what, error)
    else:
        yield ok(what, "it is to be had")
