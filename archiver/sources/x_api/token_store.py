"""Keeping a renewed token: in its file, or through the program that `token_store` names.

X's refresh tokens work once. So where a token goes is checked before a new one is asked for, it is kept
before it is used, and of several processes one at a time asks.
"""

import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from archiver import disk
from archiver.errors import ArchiverError, ConfigurationError, LockedError
from archiver.secrets import check_secret_reference
from archiver.settings.api import ApiSettings, Credentials
from archiver.sources.x_api.errors import AccountError

TIMEOUT_SECONDS = 60.0
_FORMS = 'under [account.api] write token = "file:PATH", or give token_store = "command:PROGRAM ARGUMENTS"'


def token_file(credentials: Credentials, home: Path) -> Path | None:
    """The file the token is kept in, what a link leads to; None where it is kept elsewhere."""
    scheme, _, rest = (credentials.token or "").partition(":")
    return Path(os.path.realpath(home / Path(rest).expanduser())) if scheme == "file" else None


def check_store(credentials: Credentials, home: Path) -> None:
    """Raise ConfigurationError where a new token could not be kept. Writes and runs nothing."""
    if credentials.token is None:
        raise ConfigurationError("the account has no token of its own that could be renewed", _FORMS)
    path = token_file(credentials, home)
    if path is None:
        if not (credentials.token_store or "").startswith("command:"):
            raise ConfigurationError("a new token could not be kept where account.api.token names", _FORMS)
        check_secret_reference(credentials.token_store or "")
        return
    folder = next(one for one in path.parents if os.path.lexists(one))
    writable = os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)
    if not writable or os.path.isdir(path):
        raise ConfigurationError(
            f"a new token could not be kept in {path}: nothing can be written there", f"ls -ld {folder}"
        )


@contextmanager
def only_one_renews(
    credentials: Credentials, settings: ApiSettings, home: Path, account_id: str
) -> Iterator[None]:
    """Keep other processes from renewing this token or keeping another in its place meanwhile. The file by
    which they know lies beside the token, or in `home` where the token is in no file.

    Raise AccountError where another does not end in as long as X and the program of `token_store` are given,
    ConfigurationError where nothing can be locked."""
    path = token_file(credentials, home) or home / f"x-{account_id}.token"
    wait_seconds = settings.connect_timeout_seconds + settings.read_timeout_seconds + TIMEOUT_SECONDS
    with ExitStack() as held:
        try:
            disk.make_directories(path.parent, 0o700)
            held.enter_context(disk.Lock(path.with_name(f".{path.name}.lock"), wait_seconds=wait_seconds))
        except LockedError as error:
            raise AccountError(
                f"the account's token is being renewed: {error.message}", error.hint
            ) from error
        except ArchiverError as error:
            raise ConfigurationError(f"no token can be kept safely: {error.message}", error.hint) from error
        yield


def save_token(text: bytes, credentials: Credentials, environ: Mapping[str, str], home: Path) -> None:
    """Keep a token; when this returns it is on the disk, or the program has ended well. Raise
    ConfigurationError where it could not be kept."""
    check_store(credentials, home)
    path = token_file(credentials, home)
    if path is None:
        _run_store(credentials.token_store or "", text, environ)
        return
    try:
        disk.make_directories(path.parent, 0o700)
        disk.write_atomically(path, text)
    except ArchiverError as error:
        raise ConfigurationError(f"the new token could not be kept: {error.message}", error.hint) from error


def _run_store(reference: str, text: bytes, environ: Mapping[str, str]) -> None:
    """Give the token to a program on its standard input. No shell; what it prints is thrown away, as it
    may be the token, and its messages go to our standard error. Only its name is ever repeated."""
    arguments = shlex.split(reference.partition(":")[2])
    name = os.path.basename(arguments[0])
    failed = f"the new token could not be kept: the program {name} of account.api.token_store"
    try:
        process = subprocess.Popen(  # noqa: S603  # the operator's own settings name the program; no shell
            arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=dict(environ)
        )
    except (OSError, ValueError):
        raise ConfigurationError(f"{failed} does not start") from None
    with process:
        try:
            process.communicate(text, timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise ConfigurationError(f"{failed} did not end within {TIMEOUT_SECONDS:.0f} seconds") from None
        except KeyboardInterrupt:
            process.kill()
            raise
    if process.returncode != 0:
        raise ConfigurationError(f"{failed} failed with exit {process.returncode}")
