"""The same with none of our code: `age -d | zstd -d | sha256sum`, as docs/recovery.md has it. Keys and what
is decrypted go through pipes, and never onto a disk."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from threading import Thread
from typing import IO

from archiver.archive.verify import BLOCK
from archiver.errors import ArchiverError
from archiver.formats import age
from archiver.keys import Identity
from archiver.stores.base import StoredFile

NEEDED = ("age", "zstd", "sha256sum")
_VERSION_SECONDS = 10
_LEAST_SECONDS = 120
_BYTES_A_SECOND = 1 << 20
_POST_QUANTUM_SINCE = (1, 3)


class ToolsError(ArchiverError):
    """The public programs did not come to an end, or said that they cannot."""


@dataclass(frozen=True)
class Tools:
    """Where they are, and which age it is; None where that does not say."""

    age: str
    zstd: str
    sha256sum: str
    version: tuple[int, int] | None


def find_tools(search_path: str | None) -> Tools | str:
    """The programs in the folders of a PATH, or why they cannot be asked, as the end of a sentence."""
    found = {name: shutil.which(name, path=search_path) for name in NEEDED}
    lacking = [name for name, path in found.items() if path is None]
    if lacking:
        return f"{' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not installed here"
    paths = {name: path for name, path in found.items() if path is not None}
    return Tools(**paths, version=_version_of(paths["age"]))


def cannot_open(tools: Tools, identities: Sequence[Identity], recipient: str) -> str | None:
    """Why this age cannot open what these identities open; None where it can."""
    is_quantum = recipient.startswith("age1pq1") or any(
        isinstance(one, age.HybridIdentity) for one in identities
    )
    if is_quantum and tools.version is not None and tools.version < _POST_QUANTUM_SINCE:
        number = ".".join(map(str, tools.version))
        return f"the age here is {number}, and post-quantum keys need 1.3"
    return None


def digest_by_tools(tools: Tools, identities: Sequence[Identity], key: bytes, sealed: StoredFile) -> str:
    """SHA-256, hexadecimal, of a sealed segment's database: `key` is `key.age`, opened with the identities
    first. Raise ToolsError."""
    limit = _LEAST_SECONDS + sealed.size / _BYTES_A_SECOND
    text = "".join(f"{one.encode()}\n" for one in identities).encode()
    identity = _run_age(tools, text, key, limit)
    with ExitStack() as stack:
        fd = stack.enter_context(_Secret(identity)).fd
        opening = _start([tools.age, "-d", "-i", f"/dev/fd/{fd}"], subprocess.PIPE, keep=(fd,))
        unpacking = _start([tools.zstd, "-dcq"], opening.stdout)
        hashing = _start([tools.sha256sum], unpacking.stdout)
        for one in (opening, unpacking, hashing):
            stack.callback(_end, one)
        for one in (opening, unpacking):
            if one.stdout is not None:
                one.stdout.close()  # the next one has it
        feeder = Thread(target=_feed, args=(sealed, opening.stdin), daemon=True)
        feeder.start()
        try:
            output, _ = hashing.communicate(timeout=limit)
            codes = [one.wait(timeout=limit) for one in (opening, unpacking, hashing)]
        except subprocess.TimeoutExpired as error:
            raise ToolsError(f"age, zstd and sha256sum did not end within {limit:.0f} seconds") from error
        feeder.join(timeout=limit)
    for name, code in zip(NEEDED, codes, strict=True):
        if code:
            raise ToolsError(f"{name} ended with {code}")
    return output.decode("ascii", "replace").partition(" ")[0]


def _run_age(tools: Tools, identities: bytes, key: bytes, limit: float) -> bytes:
    with _Secret(identities) as secret:
        process = _start([tools.age, "-d", "-i", f"/dev/fd/{secret.fd}"], subprocess.PIPE, keep=(secret.fd,))
        try:
            output, _ = process.communicate(key, timeout=limit)
        except subprocess.TimeoutExpired as error:
            raise ToolsError(f"age did not end within {limit:.0f} seconds") from error
        finally:
            _end(process)
    if process.returncode:
        raise ToolsError(f"age ended with {process.returncode} on key.age")
    return output


class _Secret:
    """Bytes in a pipe, for a program to read once. They fit into the pipe, so writing waits for nobody."""

    def __init__(self, data: bytes) -> None:
        if len(data) > 32_768:  # a pipe of Linux holds 65,536
            raise ToolsError("these are too many identities to be handed over in one pipe")
        self.fd, writer = os.pipe()
        with os.fdopen(writer, "wb") as file:
            file.write(data)

    def __enter__(self) -> "_Secret":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


def _start(
    command: list[str], source: int | IO[bytes] | None, keep: tuple[int, ...] = ()
) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(  # noqa: S603  # programs found above, no shell
            command,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=keep,
            env={"LC_ALL": "C"},
        )
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ToolsError(f"{os.path.basename(command[0])} cannot be started: {reason}") from error


def _feed(sealed: StoredFile, target: IO[bytes] | None) -> None:
    """All bytes of a file into a pipe; what goes wrong shows in what comes out of it."""
    with suppress(OSError, ArchiverError, ValueError):
        offset = 0
        while target is not None and offset < sealed.size:
            data = sealed.read_at(offset, BLOCK)
            target.write(data)
            offset += len(data)
    with suppress(OSError, ValueError):
        if target is not None:
            target.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


def _version_of(path: str) -> tuple[int, int] | None:
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(  # noqa: S603  # a program found above, no shell
            [path, "--version"],
            capture_output=True,
            timeout=_VERSION_SECONDS,
            check=False,
            env={"LC_ALL": "C"},
        )
        found = re.search(rb"(\d+)\.(\d+)", done.stdout)
        if found is not None:
            return int(found[1]), int(found[2])
    return None
