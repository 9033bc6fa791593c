"""`--log FILE`: what a command does, as JSON lines for whatever collects logs. Not the log of who did what,
which is signed and lies in the vault.

A line has `time` (UTC), `level`, `event`, `run` (a number of its own for each run), `pid` and `facts`.
Events are `begin`, `end` with the exit code and the seconds, `error` and `problem`, and those of the jobs. In
none of them is a secret, a post, or a word that was searched for.
"""

import json
import os
import secrets
import stat
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from archiver import __version__
from archiver.errors import (
    ArchiverError,
    IncompleteError,
    LockedError,
    NoKeyError,
    NoVaultError,
    StoreError,
)

ENVIRONMENT = "ARCHIVER_LOG"
_LOOKS, _LOOK_SECONDS = 20, 0.005
STANDARD_ERROR = "-"
MOST_BYTES = 4_000
"""Of a line: what a pipe takes in one write that no other process's can be mixed with has 4,096 (pipe(7),
"PIPE_BUF")."""
MOST_CHARACTERS = 500
MOST_THINGS = 20
_WHOLE_COMMANDS = frozenset(
    ("backup", "collect", "config", "demo", "doctor", "drill", "import", "login", "rebuild", "repair",
     "restore", "run", "schedule", "seal", "status", "stores", "sync", "verify")
)  # fmt: skip
"""Commands whose errors name files, accounts of the body, archives and stores at the most. What another's say
may hold what was typed, as words that are searched for or whom a record is about."""
_WHOLE_ERRORS = (LockedError, NoKeyError, NoVaultError, StoreError)
"""What these say is the same whatever was typed."""
Clock = Callable[[], float]
_BEGINNING = b'{"time": "'
"""Of every line."""


class EventLog:
    """The log of one run of the program. Whether it can be written or not, nothing is raised: `warn` is told
    once."""

    def __init__(self, warn: Callable[[str], None], clock: Clock = time.time) -> None:
        self.path: str | None = None
        self._warn = warn
        self._clock = clock
        self._run = secrets.token_hex(8)
        self._began = time.monotonic()
        self._command: str | None = None
        self._descriptor: int | None = None
        self._failed = False

    def begin(self, command: str) -> None:
        """The command's name is known, as `archiver keys list`; what it was given is not told."""
        if self._command is None and self.path is not None:
            self._command = command
            self.event("begin", {"command": command, "version": __version__})

    def event(self, name: str, facts: Mapping[str, object], level: str = "info") -> None:
        """One line."""
        if self.path is None or self._failed:
            return
        moment = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        line = {
            "time": moment.removesuffix("+00:00") + "Z",
            "level": level,
            "event": name,
            "run": self._run,
            "pid": os.getpid(),
            "facts": _shortened(dict(facts)),
        }
        data = _encoded(line)
        if len(data) > MOST_BYTES:
            data = _encoded({**line, "facts": {"left_out_bytes": len(data)}})
        self._write(data)

    def error(self, error: ArchiverError, about: str | None = None, *, ends: bool = False) -> None:
        """An error that `ends` the command, or a problem that does not."""
        if ends:
            self.begin("archiver")
        facts: dict[str, object] = {"kind": type(error).__name__, "code": error.exit_code}
        words = (self._command or "").split()[1:]
        if (words and words[0] in _WHOLE_COMMANDS) or isinstance(error, _WHOLE_ERRORS):
            facts["message"] = error.message if about is None else f"{about}: {error.message}"
            facts["hint"] = error.hint
        incomplete = error.exit_code == IncompleteError.exit_code
        self.event("error" if ends else "problem", facts, "warning" if incomplete else "error")

    def defect(self, error: BaseException) -> None:
        """A defect of this program: what kind it is of, without its words, which may hold anything."""
        self.begin("archiver")
        self.event("error", {"kind": type(error).__name__, "code": 1, "message": "a defect"}, "error")

    def end(self, code: int) -> None:
        """The exit code; nothing where nothing was begun, as for a help text."""
        if self._command is None:
            return
        level = {0: "info", IncompleteError.exit_code: "warning"}.get(code, "error")
        seconds = round(time.monotonic() - self._began, 3)
        self.event("end", {"command": self._command, "code": code, "seconds": seconds}, level)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, data: bytes) -> None:
        """Appended in one write, so that lines of two processes do not mix (open(2), "O_APPEND")."""
        try:
            if self._descriptor is None:
                self._descriptor = _open(str(self.path))
            if os.write(self._descriptor, data) != len(data):
                raise OSError("it takes no more")
        except OSError as error:
            self._failed = True
            reason = (error.strerror or str(error)).lower()
            self._warn(f"the log {self.path} cannot be written: {reason}; the command goes on without it")


def _open(path: str) -> int:
    if path == STANDARD_ERROR:
        return os.dup(2)
    # Without waiting: a pipe that nobody reads must stop nothing.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    descriptor = os.open(path, flags, 0o600)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_size:
            _go_on(path, descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _go_on(path: str, descriptor: int) -> None:
    """Raise OSError for a file that is no such log; end a line that a full disk has cut off. One that may
    only be written is taken as it is."""
    try:
        with open(path, "rb") as file:
            if not _BEGINNING.startswith(file.read(len(_BEGINNING))):  # much of a vault begins with "{" too
                raise OSError("it is another file, no log of this program")
            for _ in range(_LOOKS):
                file.seek(-1, os.SEEK_END)
                if file.read(1) == b"\n":
                    return
                time.sleep(_LOOK_SECONDS)  # a process that writes a line at this moment is done soon
    except PermissionError:
        return
    os.write(descriptor, b"\n")


def _shortened(value: object) -> Any:
    """What JSON can hold, long texts and lists cut."""
    if isinstance(value, str):
        return value if len(value) <= MOST_CHARACTERS else f"{value[:MOST_CHARACTERS]}…"
    if isinstance(value, Mapping):
        return {str(name): _shortened(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        things = [_shortened(one) for one in list(value)[:MOST_THINGS]]
        return [*things, f"and {len(value) - MOST_THINGS} more"] if len(value) > MOST_THINGS else things
    return value if value is None or isinstance(value, int | float) else str(value)


def _encoded(line: Mapping[str, object]) -> bytes:
    """ASCII: whatever a file name holds, a line is one."""
    return json.dumps(line, allow_nan=False, default=str).encode("ascii", "replace") + b"\n"
