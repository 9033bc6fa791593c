"""Settings to the log: whose chain an act goes to, who acts, and which stores take it."""

import os
import pwd
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from archiver import __version__, disk
from archiver.audit.acts import Act, acting
from archiver.audit.beginning import Start, find_start
from archiver.audit.entry import Actor, Asked
from archiver.audit.exchange import exchange_logs
from archiver.audit.keyholder import KeyholderLog, LogSetting
from archiver.audit.keyholder import mend as mend_keyholder
from archiver.audit.names import COLLECTOR, custody_chain, signers_name
from archiver.audit.queue import Queue
from archiver.audit.writing import ChainWriter
from archiver.chain import Head
from archiver.errors import (
    ArchiverError,
    ConfigurationError,
    IncompleteError,
    IntegrityError,
    NoKeyError,
    worse_code,
)
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
from archiver.stores.base import Store, outcome
from archiver.stores.checks import find_vault_id
from archiver.stores.named import NamedStore, OpenedStore, open_all
from archiver.times import Clock, system_clock
from archiver.wiring.spool import remembered_head
from archiver.wiring.stores import OpenedVault, first_store, named_stores

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
        return age.parse_recipients(text)
    except age.KeyFormatError as error:
        raise ConfigurationError(f"{path} is no list of recipients: {error}") from error


def actor_of(settings: Settings, environ: Mapping[str, str], keyholder: str | None = None) -> Actor:
    """Who acts here: the account of the operating system, also behind sudo, and the host."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = f"user {os.getuid()}"
    if environ.get("SUDO_USER"):
        account = f"{account} (sudo: {environ['SUDO_USER']})"
    return Actor(keyholder, account, settings.host_name, f"archiver {__version__}", settings.digest)


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
    """The chains whose ends are looked for: the collector's, and those of all keyholders, each with that of
    the custody register."""
    try:
        names = [one.name for one in Keyholders.load(settings.recipients).entries]
    except ArchiverError:
        names = []
    return [COLLECTOR, *names, *(custody_chain(name) for name in names)]


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
        vault = find_vault_id(store) or ""
        put = mend_keyholder(settings.keyholder.log_head, vault, store)
        put += mend_keyholder(settings.keyholder.custody_head, vault, store)
    if has_collector_key(settings) and settings.log_queue.is_dir():
        put += collector_queue(settings).flush(store, other_chains(settings), mend=mend)
    return put


# The log into the stores


@dataclass(frozen=True)
class LogProblem:
    """What kept the log out of a store. `about`: what is said before the error; `code`: what it counts for,
    of a store that need not have everything 3 at the most."""

    about: str
    error: ArchiverError
    code: int


@dataclass
class _Shared:
    put: int = 0
    problems: list[LogProblem] = field(default_factory=list)


def log_code(problems: Iterable[LogProblem]) -> int:
    """The exit code that they make."""
    code = 0
    for one in problems:
        code = worse_code(code, one.code)
    return code


def put_log(settings: Settings, store: Store) -> list[LogProblem]:
    """Put what waits of this host's log into a store. What is in the way stops nothing else: it is in the
    answer."""
    return _put(settings, store, mend=False).problems


def _put(settings: Settings, store: Store, *, mend: bool) -> _Shared:
    try:
        return _Shared(flush_log(settings, store, mend=mend))
    except ArchiverError as error:
        return _Shared(problems=[LogProblem("log", error, error.exit_code)])


def share_log(settings: Settings, *, only: str | None = None, mend: bool = False) -> list[LogProblem]:
    """Give every store that can be reached, or `only` the one of this name, what another has of the log; and
    put what waits of this host's into the first. `mend`: give that also what was put there before and is not
    there. What failed is in the answer. Of a store that is away nothing is: whoever calls this has told."""
    opened = [one for one in open_all(named_stores(settings)) if one.error is None]
    ids = {one.name: outcome(partial(find_vault_id, one.store)) for one in opened}
    vault = next((one for one in ids.values() if isinstance(one, str)), None)
    if vault is None:
        return []
    holding = [one for one in opened if ids[one.name] == vault]
    problems = _exchange(holding, vault, only)  # first: a store that was emptied has what comes before
    first = next((one for one in holding if one.required), holding[0])
    shared = _put(settings, first.store, mend=mend)
    # What was found alike a moment ago is not compared once more.
    more = _exchange(holding, vault, only, compared=not problems) if shared.put else []
    return problems + shared.problems + more


def _exchange(
    holding: Sequence[OpenedStore], vault: str, only: str | None, *, compared: bool = False
) -> list[LogProblem]:
    if len(holding) < 2:
        return []
    required = {one.name for one in holding if one.required}
    problems = []
    for holder in exchange_logs(
        [(one.name, one.store) for one in holding], vault=vault, only=only, compared=compared
    ):
        for problem in holder.problems:
            excused = holder.name not in required and not isinstance(problem, IntegrityError)
            code = IncompleteError.exit_code if excused else problem.exit_code
            problems.append(LogProblem(f"store {holder.name}: log", problem, code))
    return problems
