"""What every command is given: the options before it, the settings, prompts, and ways to say things.

Results go to standard output, everything else to standard error.
"""

import getpass
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from archiver.cli._events import EventLog
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, NoKeyError, UsageError

if TYPE_CHECKING:
    from archiver.audit.acts import Act
    from archiver.audit.entry import Asked
    from archiver.chain import Head
    from archiver.keys import Identity
    from archiver.settings import Settings
    from archiver.vault import ArchiveList, Vault
    from archiver.wiring.log import OpenedLog
    from archiver.wiring.stores import OpenedVault


@dataclass
class Session:
    """One run of the command line. `environ` is the environment: only this layer reads it."""

    environ: Mapping[str, str]
    config: Path | None = None
    json: bool = False
    opened: "OpenedVault | None" = None
    """The store that is read, once `open_vault` has chosen it."""
    may_lack_archives: bool = False
    """Whether newer archives may be missing from it, once `list_archives` has read which there are."""
    passed_damaged: bool = False
    """Whether a store before it was passed over for what lies in it, not because it is away."""
    last_archive: "Head | None" = None
    """The vault's last archive, once `list_archives` has read which there are: entries of the log name it."""
    _identities: "list[Identity] | None" = field(default=None, repr=False)
    _log: "OpenedLog | None" = field(default=None, repr=False)
    events: EventLog = field(default_factory=lambda: EventLog(_warn), repr=False)
    """What `--log` asks for."""

    @cached_property
    def settings(self) -> "Settings":
        """The settings, found and loaded once. Raise ConfigurationError."""
        from archiver.settings import find_settings, load_settings

        return load_settings(find_settings(self.config, self.environ))

    def identities(self) -> "list[Identity]":
        """The keyholder's identities, asking once for the passphrase where it is needed. Raise NoKeyError
        where the settings name no keyholder, and as `archiver.keys.load_identities`."""
        from archiver.keys import load_identities

        if self._identities is not None:
            return self._identities

        if self.settings.keyholder is None:
            raise NoKeyError(
                f"{self.settings.path} names no keyholder, so nothing here opens an archive",
                "run this where a keyholder's identity is, and name it in the settings: [keyholder]",
            )
        self._identities = load_identities(self.settings.keyholder, self.environ, ask_passphrase)
        return self._identities

    @property
    def is_unlocked(self) -> bool:
        """Whether the keyholder's identities are at hand, without anybody being asked."""
        return self._identities is not None

    def open_vault(self, store: str | None = None) -> "Vault":
        """The vault to read: in the store named, else in the first that can be. Say which were passed over.
        Raise as `archiver.wiring.stores.open_vault_to_read`."""
        from archiver.wiring.stores import open_vault_to_read

        self.opened = opened = open_vault_to_read(self.settings, store)
        for name, error in opened.passed_over:
            self.note(one_line(f"store {name}: {error.message}; reading from {opened.store}"))
            if isinstance(error, IntegrityError):
                self.passed_damaged = True
                self.note(one_line(f"store {name} is damaged: see archiver verify --store {name}"))
        return opened.vault

    def list_archives(self, vault: "Vault", known_head: "Head | None" = None) -> "ArchiveList":
        """`Vault.list_archives` of the vault opened. Say where newer archives may be missing from it; the
        command then ends in `worst`. Of a store that is not required nothing tells, unless this host
        remembers the chain's end and it is there. Raise IntegrityError where another archive has that
        place: it is another vault, or a chain written anew, and no key here may open it."""
        opened = self.opened
        optional = opened is not None and not opened.required
        # A store that need not have everything is no altered one where it lacks the newest.
        listed = vault.list_archives(None if optional else known_head)
        self.last_archive = listed.archives[-1].head if listed.archives else None
        if opened is None or not (optional or opened.passed_over):
            return listed
        known = self._remembered_head()
        heads = [archive.head for archive in listed.archives]
        if known is not None and known.sequence in {head.sequence for head in heads if head != known}:
            raise self._another_chain(opened.store, known)
        self.may_lack_archives = known not in heads and (optional or known is not None)
        if self.may_lack_archives and optional:
            self.note(f"store {opened.store} is not a required one: newer archives may be missing from it")
        elif self.may_lack_archives:
            self.note(
                f"store {opened.store} has not what was sealed here last: archives are missing from it,"
                " or it holds another vault"
            )
        return listed

    def note_disposed(self, listed: "ArchiveList") -> None:
        """Say which archives are not read, as they were disposed of."""
        names = [one.name for one in listed.disposed]
        if names:
            some = ", ".join(names[:10]) + (f" and {len(names) - 10:,} more" if len(names) > 10 else "")
            are = "1 archive is" if len(names) == 1 else f"{len(names):,} archives are"
            self.note(one_line(f"{are} not read, disposed of: {some}"))

    def _remembered_head(self) -> "Head | None":
        from archiver.wiring.spool import remembered_head

        try:
            return remembered_head(self.settings)[0]
        except ArchiverError:  # a state that cannot be read tells nothing
            return None

    def _another_chain(self, store: str, known: "Head") -> IntegrityError:
        return IntegrityError(
            f"store {store}: its archive number {known.sequence} is not the one that was sealed here",
            f"it holds another vault, or one written anew: correct its place in {self.settings.path},"
            f" or see archiver verify --store {store}",
        )

    def worst(self, code: int, *, named: bool = False) -> int:
        """The exit code of a command that read the vault: 3 instead of 0 where that may lack newer archives,
        which does not matter to whoever `named` those wanted, or a damaged store was passed over for it."""
        short = self.passed_damaged or (self.may_lack_archives and not named)
        return code or (IncompleteError.exit_code if short else 0)

    # The log

    def require_reason(self, reason: str | None, option: str = "--reason") -> None:
        """Raise UsageError, before anything else is done, where the settings want a reason and none is
        given."""
        if self.settings.log.needs_reason and not (reason or "").strip():
            raise UsageError(
                "a reason must be given for this, and there is none",
                f'{option} "…"; {self.settings.path} says so: [log] reason',
            )

    @contextmanager
    def act(self, asked: "Asked") -> "Iterator[Act]":
        """Do something with what a keyholder's identity opens, between two entries of the keyholder's log:
        `with session.act(Asked("search", "search", query=…)) as act:` and, before anything is shown,
        `act.end(results=…)`.

        To be entered when the vault is open and its archives are listed, before any of them is opened. Raise
        ArchiverError where the log cannot be written: then nothing may be read."""
        from archiver.audit.acts import acting
        from archiver.times import system_clock
        from archiver.wiring.log import open_keyholder_log

        self.require_reason(asked.reason)
        if self.opened is None:
            self.open_vault()
        if self._log is None and self.opened is not None:
            self._log = open_keyholder_log(
                self.settings, self.environ, self.identities(), self.opened, lambda: self.last_archive,
                self.note,
            )  # fmt: skip
        assert self._log is not None  # noqa: S101 - opened above
        with acting(self._log.log, self._log.actor, asked, system_clock) as act:
            yield act

    @property
    def has_colours(self) -> bool:
        """Whether results may be in colours: on a terminal that shows any, where nobody wants none
        (https://no-color.org)."""
        wanted = not self.environ.get("NO_COLOR") and self.environ.get("TERM") != "dumb"
        return wanted and sys.stdout.isatty()

    def print_json(self, kind: str, /, **fields: object) -> None:
        """One result as one JSON object on one line, `type` first."""
        utf8 = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
        click.echo(json.dumps({"type": kind, **fields}, ensure_ascii=not utf8))

    def note(self, text: str) -> None:
        """Something for a person to know beside the result: to standard error."""
        click.echo(text, err=True)


def _warn(text: str) -> None:
    click.echo(f"archiver: {one_line(text)}", err=True)


Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


def pass_session(
    function: Callable[Concatenate[Session, Parameters], Returned],
) -> Callable[Parameters, Returned]:
    """Give a command its session, first; it begins with that."""

    @wraps(function)
    def begun(*arguments: Parameters.args, **options: Parameters.kwargs) -> Returned:
        context = click.get_current_context()
        session = context.find_object(Session)
        if session is None:
            raise TypeError("a command was started without a session")
        session.events.begin(context.command_path)
        return function(session, *arguments, **options)

    return begun


store_option = click.option("--store", metavar="NAME", help="Read this store only.")
"""For commands that read the vault."""


def colours() -> bool:
    """As `Session.has_colours`, of the command that runs."""
    context = click.get_current_context(silent=True)
    session = None if context is None else context.find_object(Session)
    return session is not None and session.has_colours


def ask_passphrase(question: str) -> str:
    """Ask on the terminal, unseen. Raise NoKeyError where there is none to ask on."""
    if not sys.stdin.isatty():
        raise NoKeyError(
            f"{question[:1].lower()}{question[1:]} is needed, and there is no terminal to ask for it",
            "say in the settings where it comes from: keyholder.passphrase",
        )
    return getpass.getpass(f"{question}: ")


def ask_new_passphrase(question: str) -> str:
    """Ask twice on the terminal. Raise UsageError without a terminal, for an empty passphrase, and where
    the two differ."""
    if not sys.stdin.isatty():
        raise UsageError(
            "a passphrase is needed, and there is no terminal to ask for it",
            "give --passphrase-from SECRET, or --no-passphrase",
        )
    passphrase = getpass.getpass(f"{question}: ")
    if not passphrase:
        raise UsageError("the passphrase is empty", "for a key without one: --no-passphrase")
    if getpass.getpass("Once more: ") != passphrase:
        raise UsageError("the two passphrases differ", "try again")
    return passphrase


def print_error(error: ArchiverError, about: str | None = None) -> None:
    """The two lines that end a failed run, or one part of it, which `about` names."""
    context = click.get_current_context(silent=True)
    session = None if context is None else context.find_object(Session)
    if session is not None:
        session.events.error(error, about)
    part = "" if about is None else f"{about}: "
    click.echo(f"archiver: error: {printable(part + error.message)}", err=True)
    if error.hint:
        click.echo(f"archiver: hint: {printable(error.hint)}", err=True)


def printable(text: str) -> str:
    """The text with what could steer a terminal written out, as file names may hold anything."""
    return "".join(
        character if character.isprintable() or character == "\n" else ascii(character)[1:-1]
        for character in text
    )


def one_line(text: str) -> str:
    """As `printable`, for what is to stay on its line: a name, a number, an address."""
    return printable(text).replace("\n", "\\n")
