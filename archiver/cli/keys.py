"""`archiver keys`: make an identity; add, remove and list keyholders."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from archiver import disk
from archiver.audit.entry import Asked
from archiver.cli._acts import host_act
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import print_error
from archiver.cli.init import choose_passphrase
from archiver.disk import Lock
from archiver.errors import ArchiverError, ConfigurationError, IncompleteError, UsageError
from archiver.formats import age
from archiver.keys import (
    Identity,
    Keyholder,
    Keyholders,
    Recipient,
    encode_identity_file,
    new_identity,
    new_keyholder_signing_key,
)
from archiver.rewrap import AwayStore, KeyStores, apply_keyholders, reach_stores
from archiver.settings import keyholder_signing_key
from archiver.times import format_date, system_clock
from archiver.wiring.log import has_collector_key
from archiver.wiring.stores import named_stores

_MAXIMUM_FILE_BYTES = 1 << 20


@click.group(
    "keys", epilog=examples("archiver keys list", "archiver keys new disclosure --out disclosure.identity")
)
def command() -> None:
    """Make keys; add, remove and list keyholders, who can read the archives."""


@command.command("new", epilog=examples("archiver keys new disclosure --out disclosure.identity"))
@click.argument("name")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="A new file.")
@click.option("--classic", is_flag=True, help="An X25519 key, for an age program before 1.3.")
@click.option("--no-passphrase", is_flag=True, help="Leave the file unencrypted.")
@click.option(
    "--passphrase-from", metavar="SECRET", help="file:PATH, env:NAME, command:… or credential:NAME."
)
@pass_session
def new(
    session: Session, name: str, out: Path, classic: bool, no_passphrase: bool, passphrase_from: str | None
) -> None:
    """Make an identity for NAME in a new file and print its public key, for `archiver keys add`.

    Beside it a signing key is made for NAME's part of the log, encrypted to the identity. The files never
    leave NAME's hands; the public key may be sent to anybody."""
    identity = new_identity(classic=classic)
    Keyholders().add(Keyholder(name, identity.recipient(), "2026-01-01"))  # is the name one?
    if out.exists():
        raise UsageError(f"{out} is there already", "nothing was written; choose another file")
    signing = keyholder_signing_key(out, name)
    if signing.exists():
        raise UsageError(f"{signing} is there already", "nothing was written; choose another folder")
    passphrase, _ = choose_passphrase(session, f"New passphrase of {name}", no_passphrase, passphrase_from)
    recipient = identity.recipient().encode()
    with _logged_where_settings_are(session, Asked("key", "keys new", ids=[name])):
        disk.create_exclusively(out, encode_identity_file(identity, name, system_clock(), passphrase))
        disk.create_exclusively(signing, new_keyholder_signing_key(identity, name)[1])
    if session.json:
        session.print_json(
            "identity", name=name, file=str(out), signing_key=str(signing), recipient=recipient
        )
        return
    click.echo(recipient)
    session.note(
        f"{name}'s identity is in {out}, and in {signing} what signs {name}'s part of the log: keep both"
        f" together. Where the vault is kept: archiver keys add {name} RECIPIENT"
    )


@contextmanager
def _logged_where_settings_are(session: Session, asked: Asked) -> Iterator[None]:
    """A keyholder may make keys anywhere; where the host that collects is, its log says so."""
    try:
        here = has_collector_key(session.settings)
    except ConfigurationError:
        here = False
    with host_act(session, asked) if here else nullcontext():
        yield


@command.command(
    "add", epilog=examples("archiver keys add disclosure age1pq1…", "archiver keys add disclosure key.txt")
)
@click.argument("name")
@click.argument("recipient", metavar="RECIPIENT-or-FILE")
@pass_session
def add(session: Session, name: str, recipient: str) -> int:
    """Let NAME read every archive: those there are, and those to come.

    RECIPIENT-or-FILE is NAME's public key or a file that holds it. Where archives exist this needs the
    identity of a keyholder, to encrypt each archive's key once more, in every store. Killed, it completes
    when repeated; for a store that is away now: archiver keys rewrap, when it is back."""
    keyholder = Keyholder(name, parse_recipient_argument(recipient), format_date(system_clock()))
    asked = Asked("key", "keys add", ids=[name], detail={"recipient": keyholder.recipient.encode()})
    with host_act(session, asked, unlock=True), Lock(session.settings.lock):
        keyholders = Keyholders.load(session.settings.recipients)
        if not any((one.name, one.recipient) == (name, keyholder.recipient) for one in keyholders.entries):
            keyholders = keyholders.add(keyholder)
        return _apply(session, keyholders, f"{name} can read", "and")


@command.command("remove", epilog=examples("archiver keys remove disclosure"))
@click.argument("name")
@pass_session
def remove(session: Session, name: str) -> int:
    """Let NAME read no archive any more.

    What NAME opened or copied before cannot be taken back. It needs the identity of another keyholder."""
    asked = Asked("key", "keys remove", ids=[name])
    with host_act(session, asked, unlock=True), Lock(session.settings.lock):
        keyholders = Keyholders.load(session.settings.recipients).remove(name)
        return _apply(session, keyholders, f"{name} can no longer read", "or")


@command.command("rewrap", epilog=examples("archiver keys rewrap"))
@pass_session
def rewrap(session: Session) -> int:
    """Encrypt every archive's key to the keyholders listed now, in every store, as after an
    interrupted `remove`, or when a store is back that was away."""
    asked = Asked("key", "keys rewrap")
    with host_act(session, asked, unlock=True), Lock(session.settings.lock):
        return _apply(
            session, Keyholders.load(session.settings.recipients), "the listed keyholders can read", "and"
        )


@command.command("list", epilog=examples("archiver keys list"))
@pass_session
def list_(session: Session) -> None:
    """Say who can read the archives sealed from now on."""
    for entry in Keyholders.load(session.settings.recipients).entries:
        recipient = entry.recipient.encode()
        if session.json:
            session.print_json("keyholder", name=entry.name, added=entry.added, recipient=recipient)
        else:
            short = recipient if len(recipient) < 80 else f"{recipient[:24]}…{recipient[-8:]}"
            click.echo(f"{entry.name}\t{entry.added}\t{short}")


def _apply(session: Session, keyholders: Keyholders, what: str, conjunction: str) -> int:
    """Change the list and every archive's key in every store, and say so: `what` is a clause without its
    object. The exit code: of a store that is away 1 where it is required, 3 where not."""
    stores = reach_stores(named_stores(session.settings))
    identities = _identities_where_needed(session, stores)
    try:
        count = apply_keyholders(stores, session.settings.recipients, keyholders, identities)
    finally:
        for one in stores.away:
            print_error(one.error)
    if session.json:
        away = {one.name: one.error.message for one in stores.away}
        names = [one.name for one in keyholders.entries]
        session.print_json("keyholders", names=names, archives=count, **({"away": away} if away else {}))
    else:
        click.echo(f"{what} what is sealed from now on{_what_is_sealed(count, conjunction, stores)}.")
    return away_code(stores.away)


def _what_is_sealed(count: int, conjunction: str, stores: KeyStores) -> str:
    if not count:
        return ""
    archives = "1 archive" if count == 1 else f"{count} archives"
    but = f", but not in {' and '.join(one.name for one in stores.away)}" if stores.away else ""
    return f", {conjunction} what is sealed in {archives} now{but}"


def away_code(away: Sequence[AwayStore]) -> int:
    """1 where a required store is away, 3 where only optional ones are, 0 where none is."""
    if any(one.required for one in away):
        return ArchiverError.exit_code
    return IncompleteError.exit_code if away else 0


def _identities_where_needed(session: Session, stores: KeyStores) -> list[Identity]:
    """A vault that holds no archive yet changes its keyholders without any identity."""
    return session.identities() if stores.need_identity else []


def parse_recipient_argument(argument: str) -> Recipient:
    """A public key, or a file with one. Raise UsageError for anything else; nothing secret is repeated."""
    if argument.startswith("AGE-SECRET-KEY-"):
        raise UsageError(
            "this is a private key, not a public one", "it is in the shell's history now: make a new one"
        )
    text = argument if argument.startswith("age1") else _read_recipient_file(Path(argument))
    try:
        found = age.parse_recipients(text)
    except age.KeyFormatError as error:
        raise UsageError(f"this is not a public key: {error}", "archiver keys new prints one") from error
    if len(found) != 1:
        raise UsageError(f"{argument} holds {len(found)} keys where one is needed")
    return found[0]


def _read_recipient_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAXIMUM_FILE_BYTES)
    except FileNotFoundError:
        raise UsageError(
            f"{path} is neither a public key nor a file", "a public key begins with age1"
        ) from None
    except OSError as error:
        raise disk.translate_os_error(error, "reading", path) from error
    if b"AGE-SECRET-KEY-" in data or b"age-encryption.org" in data or b"AGE ENCRYPTED FILE" in data:
        raise UsageError(f"{path} is a private identity file", "ask its owner for the public key: age1…")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ArchiverError(f"{path} is not text") from None
