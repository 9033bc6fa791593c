"""Where a secret comes from: `file:PATH`, `env:NAME`, `command:PROGRAM ARGUMENTS` or `credential:NAME`.

Settings and arguments hold such a reference, never the secret. No error here contains a value.
"""

import os
import select
import selectors
import shlex
import stat
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from archiver.errors import ConfigurationError

SCHEMES = ("file", "env", "command", "credential")
MAXIMUM_BYTES = 65_536
COMMAND_TIMEOUT_SECONDS = 60.0
_FORMS = "write file:PATH, env:NAME, command:PROGRAM ARGUMENTS or credential:NAME"


def check_secret_reference(reference: str) -> None:
    """Raise ConfigurationError where this is not a reference; it may be the secret itself, so never
    repeat it."""
    scheme, colon, rest = reference.partition(":")
    if not colon or scheme not in SCHEMES:
        raise ConfigurationError("this is not a reference to a secret", _FORMS)
    if not rest.strip():
        raise ConfigurationError(f"nothing follows {scheme}:", _FORMS)
    if scheme == "credential" and ("/" in rest or rest in (".", "..")):
        raise ConfigurationError("a credential's name holds no slash", _FORMS)
    if scheme == "command":
        _split_command(rest)


def resolve_secret(reference: str, environ: Mapping[str, str], home: Path | None = None) -> str:
    """The secret a reference names, less one line end at its end.

    A relative file is taken from `home`, else from the current folder. Raise ConfigurationError where
    there is none, it is empty, not UTF-8, over 64 KiB, or a file that others may read."""
    check_secret_reference(reference)
    scheme, _, rest = reference.partition(":")
    if scheme == "env":
        return _resolve_variable(rest, environ)
    if scheme == "file":
        path = (home or Path()) / Path(rest).expanduser()
        _check_private(path)
        return _decode(_read(path), f"file {path}")
    if scheme == "credential":
        return _resolve_credential(rest, environ)
    return _resolve_command(rest, environ, COMMAND_TIMEOUT_SECONDS)


def _resolve_variable(name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise ConfigurationError(f"the environment has no variable {name}", f"set {name} for this command")
    if not environ[name]:
        raise ConfigurationError(f"the variable {name} is empty")
    return environ[name]


def _check_private(path: Path) -> None:
    """Raise ConfigurationError where others than the owner may read the file."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from error
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError(f"the secret in {path} can be read by others", f"chmod 600 {path}")


def _read(path: Path) -> bytes:
    """What is in a file. A pipe, as `<(…)` of a shell is one, is waited for as a program is: nobody may write
    into it, ever."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.set_blocking(descriptor, True)
                with open(descriptor, "rb", closefd=False) as file:
                    return file.read(MAXIMUM_BYTES + 1)
            return _read_pipe(descriptor, path, COMMAND_TIMEOUT_SECONDS)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unreadable(path, error) from error


def _read_pipe(descriptor: int, path: Path, timeout_seconds: float) -> bytes:
    """All that is written into a pipe, or so much that it shows that it is too long. One that nobody has
    opened to write yet reads as if it had ended, but poll(2) tells that from its end."""
    until = time.monotonic() + timeout_seconds
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    data = b""
    while len(data) <= MAXIMUM_BYTES:
        piece = _read_at_once(descriptor)
        if piece:
            data += piece
            continue
        if piece is not None and data:
            break
        found = poll.poll(max(0, until - time.monotonic()) * 1000)
        if not found:
            raise ConfigurationError(
                f"the secret in {path}, a pipe, did not come to its end within {timeout_seconds:.0f} seconds",
                "a secret that every run needs is kept in a file: from a pipe it can be read once",
            )
        if not any(event & select.POLLIN for _, event in found):
            break
    return data


def _read_at_once(descriptor: int) -> bytes | None:
    """What lies in a pipe; nothing where nobody writes into it, None where somebody may yet."""
    try:
        return os.read(descriptor, MAXIMUM_BYTES)
    except BlockingIOError:
        return None


def _unreadable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"the secret in {path} cannot be read: {(error.strerror or '').lower()}")


def _resolve_credential(name: str, environ: Mapping[str, str]) -> str:
    """systemd.exec(5), LoadCredential=: a folder that only the unit's user can read."""
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise ConfigurationError(
            f"credential:{name} is given by systemd only, and CREDENTIALS_DIRECTORY is not set",
            f"add LoadCredential={name}:PATH to the unit, or use file:PATH",
        )
    return _decode(_read(Path(directory, name)), f"credential {name}")


def _split_command(text: str) -> list[str]:
    try:
        arguments = shlex.split(text)
    except ValueError as error:
        raise ConfigurationError("the command's quotes do not match") from error
    if not arguments or not arguments[0]:
        raise ConfigurationError("nothing follows command:", _FORMS)
    return arguments


def _resolve_command(text: str, environ: Mapping[str, str], timeout_seconds: float) -> str:
    """What a program prints. No shell; its messages go to our standard error. Only its name is ever
    repeated, as its arguments may be secret."""
    arguments = _split_command(text)
    name = os.path.basename(arguments[0])
    try:
        process = subprocess.Popen(  # noqa: S603  # the operator's own settings name the program; no shell
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=dict(environ)
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the program {name} for a secret does not start") from error
    with process:
        try:
            output = _read_output(process, timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise ConfigurationError(
                f"the program {name} for a secret gave none within {timeout_seconds:.0f} seconds"
            ) from None
        except KeyboardInterrupt:
            process.kill()
            raise
    if process.returncode != 0 and len(output) <= MAXIMUM_BYTES:
        raise ConfigurationError(f"the program {name} for a secret failed with exit {process.returncode}")
    return _decode(output, f"the program {name}")


def _read_output(process: "subprocess.Popen[bytes]", timeout_seconds: float) -> bytes:
    """All that a program prints, once it has ended; of one that prints more than a secret can have so much
    that this shows, and the program is killed. Raise TimeoutExpired."""
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe
    until = time.monotonic() + timeout_seconds
    output = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while len(output) <= MAXIMUM_BYTES:
            if not selector.select(max(0, until - time.monotonic())):
                raise subprocess.TimeoutExpired(process.args, timeout_seconds)
            piece = os.read(process.stdout.fileno(), MAXIMUM_BYTES)
            if not piece:
                process.wait(max(0, until - time.monotonic()))
                return output
            output += piece
    process.kill()
    return output


def _decode(data: bytes, origin: str) -> str:
    if len(data) > MAXIMUM_BYTES:
        raise ConfigurationError(f"the secret from {origin} is over {MAXIMUM_BYTES} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"the secret from {origin} is not UTF-8 text") from None
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise ConfigurationError(f"the secret from {origin} is empty")
    return value
