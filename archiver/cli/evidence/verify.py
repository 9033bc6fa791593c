"""`archiver evidence verify`: all of a pack, without any vault."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import ask_passphrase, one_line
from archiver.disk import os_errors_reported
from archiver.errors import ArchiverError, ConfigurationError, IncompleteError, IntegrityError, NoKeyError
from archiver.evidence.bag import PackSource, ZipSource, open_pack
from archiver.evidence.checking import Check, check_pack
from archiver.formats import age
from archiver.formats.age.seek import SeekReader
from archiver.keys import Identity, load_identities
from archiver.settings import KeyholderSettings
from archiver.settings.timestamps import AuthoritySettings

_AGE = (b"age-encryption.org/", b"-----BEGIN AGE")
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "verify",
    epilog=examples(
        "archiver evidence verify ABC_1",
        "archiver evidence verify --signer SHA256:… ABC_1.zip",
        "archiver evidence verify --identity my.identity ABC_1.age",
    ),
)
@click.argument("pack", type=click.Path(path_type=Path), metavar="PACK")
@click.option("--signer", metavar="SHA256:…", help="The fingerprint that the signature has to be by.")
@click.option("--identity", type=_FILE, metavar="FILE", help="Opens an encrypted pack.")
@pass_session
def command(session: Session, pack: Path, signer: str | None, identity: Path | None) -> int:
    """Check everything in a pack: that each file is as it was listed, and none was added; who signed it,
    and when it existed at the latest; that the archives follow each other without a gap; that the log says
    so; and that what is said of each record fits its bytes.

    PACK is a folder, a ZIP file, or an encrypted file. No vault and no settings are needed. Where there are
    settings, time stamps are judged by the authorities that they name. Exit 20 where anything is wrong, 3
    where a time stamp was asked for and there is none."""
    with _open(session, pack, identity) as source:
        checks = list(check_pack(source, signer=signer, authorities=_authorities(session)))
    for number, check in enumerate(checks, start=1):
        _print(session, number, check)
    code = _code(checks)
    if session.json:
        session.print_json("summary", pack=str(pack), good=code == 0)
    elif code == IntegrityError.exit_code:
        session.note(one_line(f"{pack} was altered, or is not a whole pack: ask for it again"))
    return code


def _print(session: Session, number: int, check: Check) -> None:
    if session.json:
        session.print_json(
            "check", number=number, title=check.title, result=check.result, lines=list(check.lines)
        )
        return
    click.echo(one_line(f"{number}. {check.title}: {check.result}"))
    for line in check.lines:
        click.echo(one_line(f"   {line}"))


def _code(checks: Sequence[Check]) -> int:
    if any(one.result == "wrong" for one in checks):
        return IntegrityError.exit_code
    # Of a time stamp that may have been taken away nothing else tells.
    is_short = any(one.result == "not there" and one.lines for one in checks)
    return IncompleteError.exit_code if is_short else 0


def _authorities(session: Session) -> tuple[AuthoritySettings, ...]:
    """Those in the settings, where there are any to be read."""
    try:
        return session.settings.timestamps
    except ArchiverError as error:
        if session.config is not None:
            raise
        if not isinstance(error, ConfigurationError):
            raise
        return ()


@contextmanager
def _open(session: Session, pack: Path, identity: Path | None) -> Iterator[PackSource]:
    if pack.is_dir() or not _is_encrypted(pack):
        with open_pack(pack) as source:
            yield source
        return
    with os_errors_reported("reading", pack), pack.open("rb") as file:
        try:
            reader = SeekReader(_Source(file), _identities(session, pack, identity))
        except age.NoMatchError as error:
            raise NoKeyError(f"none of these identities opens {pack}", "give --identity FILE") from error
        except age.AgeError as error:
            raise IntegrityError(f"{pack}: {error}", "ask for it again") from error
        yield ZipSource(io.BufferedReader(_Plain(reader, str(pack)), 1 << 20))


def _is_encrypted(pack: Path) -> bool:
    with os_errors_reported("reading", pack), pack.open("rb") as file:
        return file.read(32).startswith(_AGE)


def _identities(session: Session, pack: Path, identity: Path | None) -> list[Identity]:
    if identity is not None:
        return load_identities(KeyholderSettings(identity.name, identity), {}, ask_passphrase)
    try:
        return session.identities()
    except ConfigurationError as error:
        raise NoKeyError(f"{pack} is encrypted", "give --identity FILE, which opens it") from error


class _Source:
    """A file, read at any place."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self.size = file.seek(0, io.SEEK_END)

    def read_at(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)


class _Plain(io.RawIOBase):
    """What an age file holds, as a file to be read and sought in."""

    def __init__(self, reader: SeekReader, name: str) -> None:
        self._reader = reader
        self._name = name
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._reader.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # a private Buffer type
        try:
            data = self._reader.read_at(self._at, len(view))
        except age.AgeError as error:
            raise IntegrityError(f"{self._name}: {error}", "ask for it again") from error
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
