"""`archiver login`: let a platform give this program a token of its own, for one account."""

import secrets
import sys
from pathlib import Path

import click
import requests

from archiver.audit.entry import Asked
from archiver.cli._acts import host_act
from archiver.cli._group import Session, examples, pass_session
from archiver.errors import ArchiverError, ConfigurationError, UsageError
from archiver.settings import AccountSettings, Settings
from archiver.settings.api import AccountApi
from archiver.sources.x_api.login import CODE_SECONDS, LoginAttempt, begin_login, finish_login
from archiver.sources.x_api.redirect import wait_for_redirect
from archiver.sources.x_api.scopes import OFFLINE, scopes_for
from archiver.sources.x_api.token_store import check_store, only_one_renews, save_token, token_file
from archiver.sources.x_api.tokens import UserToken, load_client_secret
from archiver.times import format_time, system_clock

_MAXIMUM_CHARACTERS = 16_384
_WORDS = {
    "tweet.read": "see posts, its own and those it may see",
    "users.read": "see profiles",
    "follows.read": "see whom it follows and who follows it",
    "block.read": "see whom it blocks",
    "mute.read": "see whom it mutes",
    "dm.read": "read its direct messages",
    "like.read": "see what it likes",
    "list.read": "see its lists",
    "tweet.moderate.write": "hide replies to its posts, and show them again",
    "mute.write": "mute others for it, and unmute them",
    "tweet.write": "remove its own posts (for X that is one permission with writing posts, which this program"
    " never does)",
    OFFLINE: "go on doing so until this is withdrawn in the account's settings at X",
}


@click.group("login", epilog=examples("archiver login x --account 1234567890", "archiver login x --paste"))
def command() -> None:
    """Let X give this program a token of its own; no password."""


@command.command(
    "x", epilog=examples("archiver login x --account SpringfieldPolice", "archiver login x --paste")
)
@click.option("--account", metavar="ID|HANDLE", help="Which account; needed where there are several.")
@click.option("--paste", is_flag=True, help="The browser is on another computer: paste where it ends.")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.IntRange(1, 3600),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the browser.",
)
@pass_session
def x(session: Session, account: str | None, paste: bool, timeout_seconds: int) -> None:
    """Sign in to X in a browser and let it give this program a token for one account.

    The token goes where the settings say, [account.api] token, and nowhere else. It lets this program
    read what the settings ask for and do the acts that they name; where they name none, it can change
    nothing."""
    settings = session.settings
    one = find_account(settings, account)
    api = _require_api(settings, one)
    _require_app(settings)
    check_store(api.credentials, settings.home)
    client_secret = load_client_secret(settings.x_api, session.environ, settings.home)
    attempt = begin_login(settings.x_api, scopes_for(api.kinds, api.acts), secrets.token_bytes)
    asked = Asked("login", "login x", ids=[one.id], detail={"scopes": list(attempt.scopes)})
    with host_act(session, asked):
        if paste:
            _explain(session, one, api, attempt)
            address = _ask_address(session)
        else:
            address = wait_for_redirect(
                attempt.redirect_uri,
                attempt.state,
                timeout_seconds,
                on_listening=lambda: _explain(session, one, api, attempt),
            )
        with requests.Session() as http:
            token = finish_login(attempt, address, settings.x_api, http, system_clock, client_secret)
        _check_user(token, one)
        with only_one_renews(api.credentials, settings.x_api, settings.home, one.id):
            save_token(token.encode(), api.credentials, session.environ, settings.home)
    _report(session, one, api, token, attempt, token_file(api.credentials, settings.home))


def find_account(settings: Settings, named: str | None) -> AccountSettings:
    """The account of X with this id, else with this handle, else the only one. Raise UsageError."""
    accounts = [one for one in settings.accounts if one.platform == "x"]
    if not accounts:
        raise ConfigurationError(
            f"{settings.path} names no account of X", "archiver import --add-account EXPORT.zip adds one"
        )
    if named is None:
        if len(accounts) == 1:
            return accounts[0]
        raise UsageError(
            f"{settings.path} names {len(accounts)} accounts of X", "say which: --account ID or HANDLE"
        )
    handle = named.removeprefix("@").casefold()
    found = [one for one in accounts if one.id == named]
    found = found or [one for one in accounts if (one.handle or "").casefold() == handle]
    if len(found) != 1:
        raise UsageError(f"{settings.path} names no account of X {named}", "--account takes its id or handle")
    return found[0]


def _require_api(settings: Settings, account: AccountSettings) -> AccountApi:
    lines = f'[account.api]\ntoken = "file:collector/x-{account.id}.token"\nmax_spend_usd = 25'
    if account.api is None:
        raise ConfigurationError(
            f"{settings.path} does not let X be asked for {_name(account)}",
            f"add below its [[account]], after its id:\n{lines}",
        )
    if account.api.credentials.token is None:
        raise ConfigurationError(
            f"{settings.path} names other keys for {_name(account)}, and no token",
            f"to use one instead of them:\n{lines}",
        )
    return account.api


def _require_app(settings: Settings) -> None:
    if settings.x_api.client_id is None:
        raise ConfigurationError(
            f"{settings.path}: x_api.client_id is missing",
            "it is in X's developer portal (developer.x.com), in the app's settings: set up user "
            f"authentication as a native app with the callback {settings.x_api.redirect_uri}, copy the "
            "OAuth 2.0 client ID",
        )


def _explain(session: Session, account: AccountSettings, api: AccountApi, attempt: LoginAttempt) -> None:
    session.note(f"X will be asked to let this program, as {_name(account)}:")
    for scope in sorted(attempt.scopes, key=lambda one: one == OFFLINE):  # which is about the others: last
        session.note(f"  - {_WORDS.get(scope, scope)}")
    if api.acts:
        session.note("It changes something on X only where somebody asks for that: archiver moderate.")
    else:
        session.note("It cannot post, delete or change anything.")
    session.note(f"\nOpen this in a browser where {_name(account)} is signed in, or sign in there:\n")
    session.note(f"  {attempt.url}\n")
    session.note("Never type the account's password anywhere but on X's own page (https://x.com).")


def _ask_address(session: Session) -> str:
    """One line of standard input. It is worth a token: it is not repeated anywhere."""
    session.note(
        "The browser then ends at a page that does not load. Copy its whole address and paste it here\n"
        f"at once, as X's answer is good for {CODE_SECONDS} seconds:"
    )
    line = sys.stdin.readline(_MAXIMUM_CHARACTERS).strip()
    if not line:
        raise ArchiverError("nothing was pasted, and nothing was kept", "run the same command again")
    return line


def _check_user(token: UserToken, account: AccountSettings) -> None:
    """Keep no token of somebody else under this account's name."""
    if token.user_id != account.id:
        handle = f"@{token.handle}" if token.handle else "an account"
        raise ArchiverError(
            f"you are signed in to X as {handle} ({token.user_id}); the settings name {_name(account)}; "
            "nothing was kept",
            f"sign out at X, sign in as {_name(account)}, and run the same command again",
        )


def _report(
    session: Session,
    account: AccountSettings,
    api: AccountApi,
    token: UserToken,
    attempt: LoginAttempt,
    path: Path | None,
) -> None:
    lacking = [scope for scope in attempt.scopes if scope not in token.scopes]
    if lacking:
        session.note(f"X did not grant: {', '.join(lacking)}")
    if token.refresh_token is None:
        session.note("X gave nothing to renew this token with: sign in again when it ends")
    expires = None if token.expires_ms is None else format_time(token.expires_ms)
    if session.json:
        session.print_json(
            "login", account=account.id, handle=token.handle, scopes=list(token.scopes), expires=expires
        )
        return
    where = f"in {path}" if path else "by the program of account.api.token_store"
    may = "read and moderate" if api.acts else "read"
    click.echo(f"X lets this program {may} as {_name(account)}. The token is kept {where}.")
    session.note(f"Next, see what it would cost: archiver --config {session.settings.home} collect --dry-run")


def _name(account: AccountSettings) -> str:
    return f"@{account.handle} ({account.id})" if account.handle else account.id
