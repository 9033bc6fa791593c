"""`archiver.toml` to frozen dataclasses: every problem at once, each with its place in the file.

Paths in the file are relative to the folder it lies in. `config/archiver.sample.toml` explains each key.
"""

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archiver import disk
from archiver.errors import ArchiverError, ConfigurationError, UsageError
from archiver.settings.api import AccountApi, ApiSettings
from archiver.settings.api_reading import read_account_api, read_api_settings
from archiver.settings.evidence import EvidenceSettings
from archiver.settings.evidence_reading import read_evidence_settings
from archiver.settings.log import LogSettings, read_log_settings
from archiver.settings.moderation import ModerationSettings
from archiver.settings.moderation_reading import read_moderation_settings
from archiver.settings.notices import NoticeSettings
from archiver.settings.notices_reading import KINDS as NOTICE_WAYS
from archiver.settings.notices_reading import read_notices
from archiver.settings.retention import RetentionSettings, read_retention_settings
from archiver.settings.schedule import (
    DEFAULT_EXPORT_DAYS,
    CheckSettings,
    ScheduleSettings,
    read_check_settings,
    read_schedule_settings,
)
from archiver.settings.stores import CacheSettings, StoreSettings
from archiver.settings.stores_reading import read_cache, read_stores
from archiver.settings.table import Problem, Table
from archiver.settings.timestamps import AuthoritySettings
from archiver.settings.timestamps_reading import read_timestamps

FILE_NAME = "archiver.toml"
MEBIBYTE = 1 << 20
MOST_BYTES = 4 * MEBIBYTE
"""Of a settings file: 10,000 accounts take 2 MB."""
LANGUAGES = ("english", "none")
"""Whose word forms a search may expand to."""
KEYHOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
"""Names a keyholder's files and its part of the log."""


HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
HOST_HINT = "letters, digits, . _ and -"


@dataclass(frozen=True)
class PlatformRule:
    """How a platform's account ids and handles look."""

    account_id: re.Pattern[str]
    handle: re.Pattern[str]
    id_hint: str | None
    handle_hint: str | None


PLATFORMS = {
    "x": PlatformRule(
        re.compile(r"[0-9]{1,19}"),
        re.compile(r"[A-Za-z0-9_]{1,20}"),
        "an X account's id is a number; it stands in account.js of its export",
        "letters, digits and _ only, without the @",
    )
}
_ANYTHING = re.compile(r".+")
_UNKNOWN_PLATFORM = PlatformRule(_ANYTHING, _ANYTHING, None, None)


class SettingsError(ConfigurationError):
    """All problems of one settings file."""

    def __init__(self, path: Path, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        if len(problems) == 1:
            super().__init__(f"{path}: {problems[0].where}: {problems[0].what}", problems[0].hint)
            return
        lines = [f"{path}: {len(problems)} problems", *(f"  {problem}" for problem in problems)]
        super().__init__("\n".join(lines), f"change {path.name} and look again: archiver config check")


@dataclass(frozen=True)
class AccountSettings:
    """An account that is archived. The id never changes, the handle may. Without `api` its exports are
    taken in, and X is never asked. `export_every_days`: how often an export of it should be taken in; 0 for
    never, which is the default where X is asked."""

    platform: str
    id: str
    handle: str | None = None
    api: AccountApi | None = None
    export_every_days: int = DEFAULT_EXPORT_DAYS


@dataclass(frozen=True)
class KeyholderSettings:
    """Who reads here. `passphrase` is a reference (`archiver.secrets`), never the passphrase;
    `own_signing_key` where the settings name another place for it."""

    name: str
    identity: Path
    passphrase: str | None = None
    own_signing_key: Path | None = None

    @property
    def signing_key(self) -> Path:
        """What signs this keyholder's part of the log, and evidence packs; encrypted to the identity."""
        return self.own_signing_key or keyholder_signing_key(self.identity, self.name)

    @property
    def log_head(self) -> Path:
        """Where this host remembers the end of the keyholder's log."""
        return self.identity.with_name(f"{self.name}.log-head")

    @property
    def custody_head(self) -> Path:
        """Where it remembers the end of the keyholder's chain in the custody register."""
        return self.identity.with_name(f"_custody.{self.name}.log-head")


def keyholder_signing_key(identity: Path, name: str) -> Path:
    """Where a keyholder's signing key lies: beside the identity, unless the settings say otherwise."""
    return identity.with_name(f"{name}.signing_key.age")


@dataclass(frozen=True)
class Limits:
    """What an export may at most be, so that a hostile one cannot fill memory or disk."""

    member_bytes: int = 4096 * MEBIBYTE
    """One member's size once inflated."""
    ratio: int = 200
    """Inflated to compressed size of one member."""
    members: int = 1_000_000


@dataclass(frozen=True)
class Settings:
    """One `archiver.toml`. Paths are absolute. `keyholder` is None on a host that only collects. `stores`
    is never empty, and at least one of them is required."""

    path: Path
    stores: tuple[StoreSettings, ...]
    cache: CacheSettings
    host: str | None
    """See `host_name`."""
    inbox: Path
    spool: Path
    state: Path
    recipients: Path
    signing_key: Path
    spool_identity: Path
    keyholder: KeyholderSettings | None
    accounts: tuple[AccountSettings, ...]
    segment_bytes: int
    language: str
    limits: Limits
    x_api: ApiSettings
    moderation: ModerationSettings
    timestamps: tuple[AuthoritySettings, ...]
    """Who is asked for time stamps, in order; nobody is where it is empty."""
    log: LogSettings
    evidence: EvidenceSettings
    schedule: ScheduleSettings
    checks: CheckSettings
    notices: tuple[NoticeSettings, ...]
    """Who is told what became of a run; nobody where it is empty."""
    retention: RetentionSettings
    digest: str
    """SHA-256, hexadecimal, of what the file says: comments, order and the folder's place do not count."""

    @property
    def home(self) -> Path:
        """The folder the settings lie in."""
        return self.path.parent

    @property
    def host_name(self) -> str:
        """What this host is called in claims, in the log and in notices: `collector.host`, else the system's
        own name."""
        return self.host or os.uname().nodename or "unnamed"

    @property
    def log_queue(self) -> Path:
        """Entries of the log that are made here and that no store has yet."""
        return self.spool / "log"

    @property
    def journal(self) -> Path:
        """What `archiver run` did when."""
        return self.state.with_name("schedule.sqlite")

    @property
    def lock(self) -> Path:
        """Held by whatever changes spool, state or vault."""
        return self.state.with_name(self.state.name + ".lock")


def find_settings(option: Path | None, environ: Mapping[str, str]) -> Path:
    """The settings file: `--config`, else ARCHIVER_CONFIG, else ./archiver.toml. A folder stands for the
    file in it. Raise ConfigurationError where there is none."""
    named = option or (Path(environ["ARCHIVER_CONFIG"]) if environ.get("ARCHIVER_CONFIG") else None)
    path = named or Path(FILE_NAME)
    try:
        if path.is_dir():
            path = path / FILE_NAME
        if path.is_file():
            return path.absolute()
    except OSError as error:  # a folder above it that may not be looked into
        raise _unreadable(error, path) from error
    if os.path.lexists(path):
        raise ConfigurationError(f"{path} is no file that can be read", "name the settings: --config FILE")
    where = f"there is no settings file {path}" if named else "there is no archiver.toml in this folder"
    raise ConfigurationError(
        where, "make a vault with: archiver init DIR --holder NAME; or name its settings: --config FILE"
    )


def load_settings(path: Path) -> Settings:
    """Read and check a settings file. Raise SettingsError with everything that is wrong in it: broken
    TOML, unknown keys, wrong types, bad ids, accounts given twice, key files that are not there."""
    path = path.absolute()
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigurationError(f"there is no settings file {path}") from error
    except OSError as error:
        raise _unreadable(error, path) from error
    if len(data) > MOST_BYTES:
        raise ConfigurationError(f"{path} is larger than {MOST_BYTES // MEBIBYTE} MiB: it holds no settings")
    return parse_settings(data, path)


def _unreadable(error: OSError, path: Path) -> ConfigurationError:
    found = disk.translate_os_error(error, "reading", path)
    return ConfigurationError(found.message, found.hint)


def parse_settings(data: bytes, path: Path) -> Settings:
    """As `load_settings`, of bytes that lie, or will lie, at `path`."""
    try:
        document = tomllib.loads(data.decode("utf-8"))
        digest = _digest(document)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: byte {error.start} is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, and numbers of thousands of digits
        raise ConfigurationError(
            f"{path} is not TOML: {error}", 'a text needs quotes: key = "value"'
        ) from error
    problems: list[Problem] = []
    settings = _read_settings(Table(document, "", problems), path, digest)
    if problems:
        raise SettingsError(path, tuple(problems))
    return settings


def known_settings() -> set[str]:
    """Every setting there is, as `limits.ratio`."""
    document: dict[str, object] = {
        "store": [{"kind": "local"}, {"kind": "s3"}],
        "keyholder": {},
        "account": [{"api": {}}],
        "moderation": {"reason": [{}], "rule": [{}]},
        "timestamp": [{}],
        "notice": [{"kind": kind} for kind in NOTICE_WAYS],
        "retention": {"rule": [{}]},
    }
    top = Table(document, "", [])
    _read_settings(top, Path(FILE_NAME), "")
    return top.known()


def _read_settings(top: Table, path: Path, digest: str) -> Settings:
    home = path.parent
    collector = top.table("collector")
    segment = top.table("seal").integer("segment_mebibytes", 256, 1, 1024)
    settings = Settings(
        path=path,
        stores=read_stores(top, home),
        cache=read_cache(top.table("cache"), home),
        host=collector.optional_text("host", pattern=HOST_NAME, hint=HOST_HINT),
        inbox=collector.path("inbox", "inbox", home),
        spool=collector.path("spool", "spool", home),
        state=collector.path("state", "state.sqlite", home),
        recipients=top.path("recipients", "keys/recipients.txt", home, must_exist=True),
        signing_key=collector.path("signing_key", "collector/signing_key", home, must_exist=True),
        spool_identity=collector.path("spool_identity", "collector/spool.identity", home, must_exist=True),
        keyholder=_read_keyholder(top, home),
        accounts=_read_accounts(top, home),
        segment_bytes=segment * MEBIBYTE,
        language=top.table("search").choice("language", "english", LANGUAGES),
        limits=_read_limits(top.table("limits")),
        x_api=read_api_settings(top.table("x_api"), home),
        moderation=read_moderation_settings(top.table("moderation")),
        timestamps=read_timestamps(top, home),
        log=read_log_settings(top.table("log"), home),
        evidence=read_evidence_settings(top.table("evidence"), home),
        schedule=read_schedule_settings(top.table("schedule")),
        checks=read_check_settings(top.table("checks")),
        notices=read_notices(top, home),
        retention=read_retention_settings(top.table("retention")),
        digest=digest,
    )
    top.report_unknown()
    return settings


def _read_keyholder(top: Table, home: Path) -> KeyholderSettings | None:
    """The identity file itself is looked for when it is used: it may lie on a stick in a drawer, and
    collecting goes on without it."""
    if not top.has("keyholder"):
        return None
    table = top.table("keyholder")
    hint = "up to 64 of A-Z a-z 0-9 . _ @ -"
    return KeyholderSettings(
        name=table.text("name", pattern=KEYHOLDER_NAME, hint=hint),
        identity=table.path("identity", None, home),
        passphrase=table.secret_reference("passphrase", home),
        own_signing_key=table.path("signing_key", None, home) if table.has("signing_key") else None,
    )


def _read_accounts(top: Table, home: Path) -> tuple[AccountSettings, ...]:
    accounts: list[AccountSettings] = []
    for table in top.tables("account"):
        platform = table.choice("platform", None, tuple(PLATFORMS))
        rule = PLATFORMS.get(platform, _UNKNOWN_PLATFORM)
        account_id = table.text("id", pattern=rule.account_id, hint=rule.id_hint)
        api = read_account_api(table, platform, account_id, home)
        account = AccountSettings(
            platform=platform,
            id=account_id,
            handle=table.optional_text("handle", pattern=rule.handle, hint=rule.handle_hint),
            api=api,
            export_every_days=table.integer("export_every_days", 0 if api else DEFAULT_EXPORT_DAYS, 0, 3_660),
        )
        if account.id and any((known.platform, known.id) == (platform, account.id) for known in accounts):
            table.problem("id", f"{platform} account {account.id} is given twice", "remove one of the two")
        accounts.append(account)
    return tuple(accounts)


def _read_limits(table: Table) -> Limits:
    standard = Limits()
    member = table.integer("member_mebibytes", standard.member_bytes // MEBIBYTE, 1, 1_048_576)
    return Limits(
        member_bytes=member * MEBIBYTE,
        ratio=table.integer("ratio", standard.ratio, 2, 1_100),
        members=table.integer("members", standard.members, 1, 100_000_000),
    )


def _digest(document: dict[str, object]) -> str:
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def add_account(path: Path, account: AccountSettings) -> Settings:
    """Append an `[[account]]` to a settings file, atomically; what is in it stays as it is. Return what
    the file then says. Raise UsageError where the account is there, SettingsError where it is not right."""
    settings = load_settings(path)
    if any((known.platform, known.id) == (account.platform, account.id) for known in settings.accounts):
        raise UsageError(f"{account.platform} account {account.id} is in {path} already")
    with disk.os_errors_reported("reading", path):
        data = path.read_bytes()
        mode = path.stat().st_mode & 0o777
    new_data = (data if data.endswith(b"\n") or not data else data + b"\n") + _account_block(account)
    try:
        new_settings = parse_settings(new_data, path)
    except ArchiverError as error:
        if isinstance(error, SettingsError):
            raise
        raise ConfigurationError(
            f"an account cannot be added to {path}, which lists them in one line",
            "write each as a table of its own, under [[account]]",
        ) from error
    disk.write_atomically(path, new_data, mode)
    return new_settings


def _account_block(account: AccountSettings) -> bytes:
    lines = ["", "[[account]]", f"platform = {toml_text(account.platform)}", f"id = {toml_text(account.id)}"]
    if account.handle is not None:
        lines.append(f"handle = {toml_text(account.handle)}")
    return ("\n".join(lines) + "\n").encode("utf-8")


def toml_text(value: str) -> str:
    """A text as TOML's basic string (TOML 1.0, "String"): JSON's escapes are a part of TOML's, except
    that DEL needs one."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
