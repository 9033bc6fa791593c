"""Settings to the log: whose chain an act goes to, who acts, and which stores take it."""

import os
import pwd
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from archiver import __version__, disk
from archiver.audit.acts import Act, acting
from archiver.audit.beginning import Start, find_start
from archiver.audit.entry import Actor, Asked
from archiver.audit.keyholder import KeyholderLog, LogSetting
from archiver.audit.keyholder import mend as mend_keyholder
from archiver.audit.names import COLLECTOR, signers_name
from archiver.audit.queue import Queue
from archiver.audit.writing import ChainWriter
from archiver.chain import Head
from archiver.errors import ArchiverError, ConfigurationError, NoKeyError
from archiver.formats import age
from archiver.formats.ssh_signature import SigningKey
from archiver.keyholders import Keyholders, Recipient
from archiver.keys import (
    Identity,
    load_keyholder_signing_key,
    load_signing_key,
    new_keyholder_signing_key,
)
from archiver.settings import KeyholderSettings, Settings
from archiver.stores.base import Store
from archiver.stores.checks import find_vault_id
from archiver.stores.named import NamedStore
from archiver.times import Clock, system_clock
from archiver.wiring import remembered_head
from archiver.wiring_claims import host_name
from archiver.wiring_stores import OpenedVault, first_store, named_stores

_MAXIMUM_SMALL_FILE = 1 << 20
Tell = Callable[[str], None]
"""Told, in a sentence, what a person should know."""


def log_recipients(settings: Settings) -> list[Recipient]:
    """Who may read the log: those that `[log] recipients` names, else every keyholder. Raise
    ConfigurationError where the file is none or names nobody."""
    path = settings.log.recipients
    if path is None:
        return Keyholders.load(settings.recipients).recipients()
    try:
        with path.open("rb") as file:
            text = file.read(_MAXIMUM_SMALL_FILE).decode("utf-8", "replace")
    except OSError as error:
        raise disk.translate_os_error(error, "reading", path) from error
    try:
        found = age.parse_recipients(text)
    except age.KeyFormatError as error:
        raise ConfigurationError(f"{path} is no list of recipients: {error}") from error
    if not found:
        raise ConfigurationError(f"{path} names nobody, so nobody could read the log")
    return found


def actor_of(settings: Settings, environ: Mapping[str, str], keyholder: str | None = None) -> Actor:
    """Who acts here: the account of the operating system, also behind sudo, and the host."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = f"user {os.getuid()}"
    if environ.get("SUDO_USER"):
        account = f"{account} (sudo: {environ['SUDO_USER']})"
    return Actor(keyholder, account, host_name(settings), f"archiver {__version__}", settings.digest)


# A keyholder's chain


@dataclass(frozen=True, repr=False)
class OpenedLog:
    """A keyholder's log, and who acts in it."""

    log: KeyholderLog
    actor: Actor


def open_keyholder_log(
    settings: Settings,
    environ: Mapping[str, str],
    identities: Sequence[Identity],
    opened: OpenedVault,
    archives: Callable[[], Head | None],
    tell: Tell,
) -> OpenedLog:
    """The log of the keyholder that the settings name, for the vault that was opened. A signing key is made
    where there is none, which `tell` says. Raise NoKeyError where the key does not open."""
    keyholder = settings.keyholder
    if keyholder is None:
        raise NoKeyError(f"{settings.path} names no keyholder, so nobody can be held to account here")
    key = _signing_key(settings, keyholder, identities, opened, tell)
    writer = ChainWriter(keyholder.name, opened.vault.id, key, log_recipients(settings))
    setting = LogSetting(
        writer,
        log_stores(settings, opened),
        keyholder.log_head,
        opened=opened.store,
        archives=archives,
        others=other_chains(settings),
    )
    return OpenedLog(KeyholderLog(setting), actor_of(settings, environ, keyholder.name))


def log_stores(settings: Settings, opened: OpenedVault | None) -> list[NamedStore]:
    """The stores that entries can go to, required ones first; the one that is open is not opened again."""
    stores = sorted(named_stores(settings), key=lambda one: not one.required)
    return [
        NamedStore(one.name, one.required, lambda: opened.vault.store)
        if opened is not None and one.name == opened.store
        else one
        for one in stores
    ]


def other_chains(settings: Settings) -> list[str]:
    """The chains whose ends are looked for: the collector's, and those of all keyholders."""
    try:
        names = [one.name for one in Keyholders.load(settings.recipients).entries]
    except ArchiverError:
        names = []
    return [COLLECTOR, *names]


def _signing_key(
    settings: Settings,
    keyholder: KeyholderSettings,
    identities: Sequence[Identity],
    opened: OpenedVault,
    tell: Tell,
) -> SigningKey:
    """The key, made where there is none and no log that another signs: a vault of before there was a log."""
    path = keyholder.signing_key
    if os.path.lexists(path):
        return load_keyholder_signing_key(keyholder, identities)
    if opened.vault.store.look(signers_name(keyholder.name), _MAXIMUM_SMALL_FILE) is not None:
        raise ConfigurationError(
            f"{path} is missing, which signs the log of {keyholder.name}",
            "bring it there from the host where it was made: keyholder.signing_key says where it lies",
        )
    key, data = new_keyholder_signing_key(identities[0], keyholder.name)
    try:
        disk.create_exclusively(path, data)
    except disk.TakenError:  # by another process a moment ago
        return load_keyholder_signing_key(keyholder, identities)
    tell(
        f"{path} was made: it signs what {keyholder.name} does in the log. Keep a copy with the identity,"
        " which opens it"
    )
    return key


# The collecting host's chain


def has_collector_key(settings: Settings) -> bool:
    """Whether whoever runs this can sign for the host that collects."""
    return settings.spool_identity.exists() and os.access(settings.signing_key, os.R_OK)


def collector_queue(settings: Settings, key: SigningKey | None = None) -> Queue:
    """The queue of this host's entries. Raise ConfigurationError where its key cannot be read."""
    key = load_signing_key(settings.signing_key) if key is None else key

    def start() -> Start:
        stores = sorted(named_stores(settings), key=lambda one: not one.required)
        return find_start([one.open for one in stores], key)

    def archives() -> Head | None:
        try:
            return remembered_head(settings)[0]
        except ArchiverError:  # a state that cannot be read tells nothing
            return None

    return Queue(settings.log_queue, key, lambda: log_recipients(settings), start, archives)


@contextmanager
def collector_act(
    settings: Settings, environ: Mapping[str, str], asked: Asked, clock: Clock = system_clock
) -> Iterator[Act]:
    """Do something between its two entries in this host's chain. Raise ArchiverError, before anything is
    done, where they cannot be kept."""
    with acting(collector_queue(settings), actor_of(settings, environ), asked, clock) as act:
        yield act


def catch_up_log(settings: Settings) -> None:
    """For a folder that was brought from elsewhere: let this host's chain go on behind what the first store
    has of it. What is in the way is told when entries are put there."""
    if has_collector_key(settings) and settings.log_queue.is_dir():
        with suppress(ArchiverError):
            collector_queue(settings).catch_up(first_store(settings))


def flush_log(settings: Settings, store: Store, *, mend: bool = False) -> int:
    """Put what waits of this host's chain into a store; return how many. `mend`: also what the store had, or
    never got, of what this host and the keyholder here wrote before. Raise as `Queue.flush`."""
    put = 0
    if mend and settings.keyholder is not None:
        put = mend_keyholder(settings.keyholder.log_head, find_vault_id(store) or "", store)
    if has_collector_key(settings) and settings.log_queue.is_dir():
        put += collector_queue(settings).flush(store, other_chains(settings), mend=mend)
    return put
