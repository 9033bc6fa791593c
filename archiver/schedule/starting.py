"""What cron and systemd start, how often, and what that may touch: read out of the settings."""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archiver.disk import os_errors_reported
from archiver.errors import UsageError
from archiver.settings import Settings
from archiver.settings.notices import TextfileSettings
from archiver.settings.stores import LocalStoreSettings

EVERY_MINUTES = (5, 10, 15, 20, 30)
EVERY_HOURS = (1, 2, 3, 4, 6, 8, 12)
EVERY_HINT = "one of: 5m 10m 15m 20m 30m 1h 2h 3h 4h 6h 8h 12h 1d"
_EVERY = re.compile(r"([0-9]{1,2})([mhd])")
_HEADER = re.compile(r"^[!-9;-~]+: *(?=file:|credential:)")
"""Of a webhook's header all before where its value is kept."""
DAY_MINUTES = 24 * 60
MOST_FILE_BYTES = 16 * 1024 * 1024
HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
"""What systemd's `ProtectHome=` hides."""
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108  # nothing is put there
"""What its `PrivateTmp=` does."""


@dataclass(frozen=True)
class Started:
    """`program --config settings run --quiet`, each `every_minutes`; `user`: as whom, None for whoever
    installs it."""

    program: Path
    settings: Path
    every_minutes: int = 60
    user: str | None = None

    @property
    def words(self) -> list[str]:
        """The command, a word each. With --quiet a good run prints nothing, so cron sends no mail."""
        return [str(self.program), "--config", str(self.settings), "run", "--quiet"]


@dataclass(frozen=True)
class Touched:
    """What a run writes to, folders; the systemd credentials that its settings name; whether anything that it
    reads or writes lies in somebody's home, or where temporary files do."""

    folders: tuple[Path, ...]
    credentials: tuple[str, ...] = ()
    in_home: bool = False
    in_temporary: bool = False


def parse_every(text: str) -> int:
    """Minutes of `15m`, `2h` or `1d`: what divides an hour or a day evenly, so that cron and systemd agree.
    Raise UsageError for anything else."""
    match = _EVERY.fullmatch(text)
    number, unit = (int(match[1]), match[2]) if match else (0, "")
    if unit == "m" and number in EVERY_MINUTES:
        return number
    if unit == "h" and number in EVERY_HOURS:
        return number * 60
    if unit == "d" and number == 1:
        return DAY_MINUTES
    raise UsageError(f"{text[:40]!r} is no time between two runs", EVERY_HINT)


def require_one_line(path: Path | str, what: str) -> str:
    """A path as it can stand in a crontab or a unit. Raise UsageError where it holds a line break or another
    control character, or is not UTF-8: neither could be read back as it is."""
    text = str(path)
    if not text.isprintable():  # surrogates, which stand for bytes that are no UTF-8, are not either
        shown = ascii(text)[1:-1][:200]
        raise UsageError(f"{what} {shown} has a character that cannot stand there", "rename it")
    return text


def touched_by(settings: Settings, program: Path) -> Touched:
    """What a run of these settings touches. Raise ArchiverError where the file cannot be read again."""
    with os_errors_reported("reading", settings.path), settings.path.open("rb") as file:
        document = tomllib.loads(file.read(MOST_FILE_BYTES).decode("utf-8"))
    texts = [_HEADER.sub("", text) for text in _texts(document)]
    credentials = {text.partition(":")[2] for text in texts if text.startswith("credential:")}
    read = [settings.path, program, settings.recipients, settings.signing_key, settings.spool_identity]
    if settings.keyholder is not None:
        read.append(settings.keyholder.identity)
    read += [settings.home / Path(text[5:]).expanduser() for text in texts if text.startswith("file:")]
    written = outermost(written_folders(settings))
    every = [*read, *written]
    return Touched(tuple(written), tuple(sorted(credentials)), _is_in(every, HOMES), _is_in(every, TEMPORARY))


def _is_in(paths: Iterable[Path], folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for path in paths for folder in folders)


def written_folders(settings: Settings) -> Iterator[Path]:
    """The folders that a run writes to: local stores, spool, state, inbox, cache, where metrics go, and where
    tokens are that a renewal replaces."""
    for store in settings.stores:
        if isinstance(store, LocalStoreSettings):
            yield store.path
    yield settings.spool
    yield settings.state.parent
    yield settings.inbox
    if settings.cache.bytes:
        yield settings.cache.folder
    for notice in settings.notices:
        if isinstance(notice, TextfileSettings):
            yield notice.path.parent
    for account in settings.accounts:
        token = None if account.api is None else account.api.credentials.token
        if token is not None and token.startswith("file:"):
            yield Path(token[5:]).parent


def outermost(folders: Iterable[Path]) -> list[Path]:
    """The folders in order, without those that lie in another of them; `..` and `.` taken out."""
    found = sorted({Path(os.path.normpath(one)) for one in folders})
    return [one for one in found if not any(other != one and one.is_relative_to(other) for other in found)]


def _texts(value: object) -> Iterator[str]:
    """Every text of a TOML document, whatever it is nested in."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for below in value.values():
            yield from _texts(below)
    elif isinstance(value, list):
        for below in value:
            yield from _texts(below)
