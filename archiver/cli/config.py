"""`archiver config check`: everything that would stop a later run, said now."""

from collections.abc import Callable
from functools import partial

import click

from archiver.archive.manifest import NAMESPACE
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import one_line, printable
from archiver.cli._stores import store_fields, store_in_words
from archiver.errors import ArchiverError, ConfigurationError, sentence_of
from archiver.formats.errors import FormatError
from archiver.formats.ssh_signature import AllowedSigners, public_key_fingerprint, verify
from archiver.keys import Keyholders, load_identity, load_signing_key
from archiver.settings import AccountSettings, Settings
from archiver.settings.api import AccountApi, format_usd
from archiver.settings.stores import LocalStoreSettings, S3StoreSettings, StoreSettings
from archiver.stores.base import Store, outcome
from archiver.stores.local import LocalStore
from archiver.wiring.stores import resolve_keys

_MAXIMUM_FILE_BYTES = 1 << 20


@click.group("config", epilog=examples("archiver config check"))
def command() -> None:
    """Check the settings."""


@command.command("check", epilog=examples("archiver --config police-archive config check"))
@pass_session
def check(session: Session) -> None:
    """Read the settings and every key they name, and say all that is wrong.

    Exit 0 means that importing, sealing and searching find what they need."""
    settings = session.settings
    problems = find_problems(settings)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        lines = [f"  {sentence_of(one)}" for one in problems]
        raise ConfigurationError("\n".join([f"{settings.path}: {len(problems)} problems", *lines]))
    _report(session, settings)


def find_problems(settings: Settings) -> list[ArchiverError]:
    """What would stop a later run, beyond what loading the settings finds. Asks for no passphrase, and no
    bucket for anything."""
    checks: list[Callable[[], object]] = [partial(_check_store, one) for one in settings.stores]
    checks += [partial(one, settings) for one in (_check_vault, _check_spool, _check_keyholders)]
    found = [outcome(one) for one in checks]
    return [one for one in found if isinstance(one, ArchiverError)]


def _check_store(store: StoreSettings) -> None:
    """A required folder is there; what a bucket's keys refer to is to be had. An optional folder may be
    away, which is what makes it one."""
    if isinstance(store, S3StoreSettings):
        resolve_keys(store)
    elif store.required:
        LocalStore(store.path)


def _check_vault(settings: Settings) -> None:
    """The first required folder holds it, and what the collector signs counts in it. Where every required
    store is a bucket, `archiver stores check` asks it."""
    folders = [one for one in settings.stores if isinstance(one, LocalStoreSettings) and one.required]
    if not folders or not folders[0].path.is_dir():  # that it is not there is said already
        return
    store = LocalStore(folders[0].path)
    store.read("vault.json", _MAXIMUM_FILE_BYTES)
    if settings.signing_key.exists():  # not on a keyholder's host; elsewhere loading would have told
        _check_signing_key(settings, store)


def _check_signing_key(settings: Settings, store: Store) -> None:
    key = load_signing_key(settings.signing_key)
    text = store.read("allowed_signers", _MAXIMUM_FILE_BYTES).decode("utf-8", "replace")
    try:
        verify(key.sign(b"", NAMESPACE), b"", NAMESPACE, AllowedSigners.parse(text))
    except FormatError as error:
        raise ConfigurationError(
            f"what {settings.signing_key} signs is not valid in {store.location}: {error}",
            f"its line is missing from allowed_signers: {public_key_fingerprint(key.public_line())}",
        ) from error


def _check_spool(settings: Settings) -> None:
    if settings.spool_identity.exists():
        load_identity(settings.spool_identity)


def _check_keyholders(settings: Settings) -> None:
    keyholders = Keyholders.load(settings.recipients)
    keyholder = settings.keyholder
    if keyholder is None:
        return
    if not keyholder.identity.is_file():
        raise ConfigurationError(
            f"keyholder.identity: there is no file {keyholder.identity}",
            "bring it there; on a host that only collects remove the table [keyholder]",
        )
    if keyholder.name not in [one.name for one in keyholders.entries]:
        raise ConfigurationError(
            f"keyholder.name: {keyholder.name} is not in {settings.recipients}",
            "archives sealed from now on would not open here: archiver keys add NAME RECIPIENT",
        )


def _report(session: Session, settings: Settings) -> None:
    names = [one.name for one in Keyholders.load(settings.recipients).entries]
    accounts = [_account_name(one) for one in settings.accounts]
    if session.json:
        session.print_json(
            "config",
            settings=str(settings.path),
            stores=[store_fields(one) for one in settings.stores],
            accounts=accounts,
            collecting=[_collecting_fields(one, one.api) for one in settings.accounts if one.api],
            keyholders=names,
            digest=settings.digest,
        )
        return
    click.echo(f"{settings.path} is right.")
    stores = [printable(store_in_words(one)) for one in settings.stores]
    click.echo("  stores      " + "\n              ".join(stores))
    lines = [_account_line(one) for one in settings.accounts]
    collects = settings.spool_identity.exists()
    none = "none yet: archiver import --add-account EXPORT.zip" if collects else "none: this host only reads"
    lines = lines or [none]
    click.echo("  accounts    " + "\n              ".join(lines))
    click.echo(f"  keyholders  {', '.join(names)}")
    for one in settings.stores:
        if isinstance(one, LocalStoreSettings) and not one.path.is_dir():
            session.note(one_line(f"store {one.name}: there is no folder {one.path} now; it is optional"))
    if any(isinstance(one, S3StoreSettings) for one in settings.stores):
        session.note("No bucket was asked whether it can do this: archiver stores check")


def _account_name(account: AccountSettings) -> str:
    return f"{account.platform} {account.handle or account.id}"


def _account_line(account: AccountSettings) -> str:
    """What comes in for it. Without `[account.api]` nothing is asked for, and nothing costs money."""
    api = account.api
    if api is None:
        return f"{_account_name(account)}: its exports only"
    limit = format_usd(api.max_spend_micro_usd)
    return f"{_account_name(account)}: X is asked for {', '.join(api.kinds)}; at most {limit} a month"


def _collecting_fields(account: AccountSettings, api: AccountApi) -> dict[str, object]:
    return {
        "account": _account_name(account),
        "kinds": list(api.kinds),
        "media": api.media,
        "max_spend_micro_usd": api.max_spend_micro_usd,
    }
