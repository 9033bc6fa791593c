"""Who can read the archives: names and public keys in `recipients.txt`, which is an age recipients file
(`age -R` reads it). A comment line before each key says whose it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from archiver import disk
from archiver.errors import ConfigurationError, UsageError
from archiver.formats import age
from archiver.settings import KEYHOLDER_NAME

Recipient = age.X25519Recipient | age.HybridRecipient

_HEAD = """\
# Everyone who can read the archives, one public key each. Change it with `archiver keys add` and
# `archiver keys remove`, which encrypt every archive's key again.
"""
_OWNER = re.compile(r"#\s*keyholder:\s*(?P<name>[^\s,]+)\s*,\s*added\s+(?P<added>\d{4}-\d\d-\d\d)\s*")


@dataclass(frozen=True)
class Keyholder:
    """`added` is a date, as 2026-11-01."""

    name: str
    recipient: Recipient
    added: str


@dataclass(frozen=True)
class Keyholders:
    """All who can read what is sealed from now on; never changed in place."""

    entries: tuple[Keyholder, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file. Raise ConfigurationError where it is absent, empty or not as `parse` takes it."""
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError as error:
            raise ConfigurationError(f"there is no list of keyholders {path}") from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{path} is not UTF-8 text") from error
        except OSError as error:
            raise disk.translate_os_error(error, "reading", path) from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, where: str) -> Self:
        """Read the file's text. Raise ConfigurationError, with the line, for a key that is none, that
        stands there twice, or whose keyholder is not named, and where there is no key at all."""
        keyholders = cls()
        for number, name, added, line in _named_lines(text, where):
            try:
                recipient = age.parse_recipient(line)
                keyholders = keyholders.add(Keyholder(name, recipient, added))
            except age.AgeError as error:
                raise ConfigurationError(f"{where}: line {number}: {error}") from error
            except UsageError as error:
                raise ConfigurationError(f"{where}: line {number}: {error.message}", error.hint) from error
        if not keyholders.entries:
            raise ConfigurationError(
                f"{where} has no keyholder, so nobody could read an archive",
                "archiver keys add NAME RECIPIENT",
            )
        return keyholders

    def add(self, keyholder: Keyholder) -> Self:
        """One more. Raise UsageError for a name or key that is there, a name that cannot name a file,
        and a classic key beside post-quantum ones, which would undo what these protect."""
        if not KEYHOLDER_NAME.fullmatch(keyholder.name):
            raise UsageError(
                f"{keyholder.name!r} cannot be a keyholder's name", "up to 64 of A-Z a-z 0-9 . _ @ -"
            )
        for other in self.entries:
            if other.name.casefold() == keyholder.name.casefold():
                raise UsageError(
                    f"there is a keyholder {other.name} already", f"archiver keys remove {other.name}"
                )
            if other.recipient == keyholder.recipient:
                raise UsageError(f"this key is there already, as keyholder {other.name}")
            if other.recipient.labels != keyholder.recipient.labels:
                raise UsageError(
                    f"{keyholder.name}'s key is {_kind(keyholder.recipient)} and {other.name}'s is"
                    f" {_kind(other.recipient)}; age encrypts to one kind only",
                    "archiver keys new makes a post-quantum key, with --classic a classic one",
                )
        return replace(self, entries=(*self.entries, keyholder))

    def remove(self, name: str) -> Self:
        """One less. Raise UsageError where there is none of this name, or no other."""
        self.find(name)
        if len(self.entries) == 1:
            raise UsageError(
                f"{name} is the only keyholder; without one nobody could read the archives",
                "add another keyholder first: archiver keys add NAME RECIPIENT",
            )
        return replace(self, entries=tuple(entry for entry in self.entries if entry.name != name))

    def find(self, name: str) -> Keyholder:
        """Raise UsageError where there is none of this name."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise UsageError(f"there is no keyholder {name}", "see who there is: archiver keys list")

    def recipients(self) -> list[Recipient]:
        return [entry.recipient for entry in self.entries]

    def encode(self) -> bytes:
        """The file's bytes."""
        lines = [
            f"# keyholder: {entry.name}, added {entry.added}\n{entry.recipient.encode()}\n"
            for entry in self.entries
        ]
        return (_HEAD + "".join(lines)).encode()

    def save(self, path: Path) -> None:
        """Replace the file: at any instant the old list or the new one is there."""
        disk.write_atomically(path, self.encode(), 0o644)


def _kind(recipient: Recipient) -> str:
    return "post-quantum" if recipient.labels else "classic (X25519)"


def _named_lines(text: str, where: str) -> Iterator[tuple[int, str, str, str]]:
    """Line number, keyholder's name, date added and key, for each key."""
    owner: re.Match[str] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("#"):
            owner = _OWNER.fullmatch(stripped) or owner
        elif stripped:
            if owner is None:
                raise ConfigurationError(
                    f"{where}: line {number}: nothing says whose key this is",
                    "write a line before it: # keyholder: NAME, added 2026-01-31",
                )
            yield number, owner["name"], owner["added"], stripped
            owner = None
