"""Tokens for X that end soon and cannot be renewed by this program: somebody has to sign in again."""

from collections.abc import Iterator

from archiver.errors import ArchiverError
from archiver.jobs.base import JobContext
from archiver.jobs.reminders.base import Reminder
from archiver.schedule.due import DAY_MS
from archiver.settings import AccountSettings
from archiver.settings.api import AccountApi
from archiver.sources.x_api.tokens import UserToken, check_renewable, load_keys
from archiver.times import format_date

SOON_MS = 14 * DAY_MS
UNUSED_MS = 30 * DAY_MS
"""A token that can be renewed is, whenever it is used; one that was not for so long may not be taken any
more: X does not say how long it is."""


def find_tokens(context: JobContext) -> Iterator[Reminder]:
    """An account whose token cannot be read, ends within two weeks and cannot be renewed, or was not renewed
    for a month. X is not asked."""
    for account in context.settings.accounts:
        if account.api is not None:
            wrong = _wrong_with(context, account, account.api)
            if wrong is not None:
                what, how = wrong
                yield Reminder(f"token {account.platform} {account.id}", what, how)


def _wrong_with(context: JobContext, account: AccountSettings, api: AccountApi) -> tuple[str, str] | None:
    name = f"@{account.handle}" if account.handle else f"the account {account.id}"
    sign_in = (
        f"Sign in again, in a browser, as {name}: archiver login x --account {account.id}. It asks for no"
        " password itself."
    )
    home = context.settings.home
    try:
        token = load_keys(api.credentials, context.environ, home, account.id).token
    except ArchiverError as error:
        return f"X cannot be asked about {name}: {error.message}.", _hint(error, sign_in)
    if token is None:
        return None
    now_ms = context.clock()
    if token.refresh_token is None:
        return _of_ending(token, name, sign_in, now_ms)
    try:
        check_renewable(token, api.credentials, context.settings.x_api, home)
    except ArchiverError as error:
        return f"The token of {name} for X cannot be renewed: {error.message}.", _hint(error, sign_in)
    if token.expires_ms is not None and now_ms >= token.expires_ms + UNUSED_MS:
        when = format_date(token.expires_ms)
        return (
            f"The token of {name} for X was not renewed since {when}: X may not take it any more.",
            f"See whether collecting works: archiver collect --account {account.id}. If not: {sign_in}",
        )
    return None


def _of_ending(token: UserToken, name: str, sign_in: str, now_ms: int) -> tuple[str, str] | None:
    if token.expires_ms is None or now_ms < token.expires_ms - SOON_MS:
        return None
    when = format_date(token.expires_ms)
    ends = f"ended on {when}" if now_ms >= token.expires_ms else f"ends on {when}"
    return f"The token of {name} for X {ends} and cannot be renewed.", sign_in


def _hint(error: ArchiverError, otherwise: str) -> str:
    return f"{error.hint[:1].upper()}{error.hint[1:]}." if error.hint else otherwise
