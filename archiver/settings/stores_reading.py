"""`[[store]]`, `vault` and `[cache]` of `archiver.toml`, read into the dataclasses of
`archiver.settings.stores`."""

import os
import re
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from archiver.errors import ArchiverError
from archiver.settings.stores import (
    Addressing,
    CacheSettings,
    LocalStoreSettings,
    ObjectLock,
    S3StoreSettings,
    StoreSettings,
)
from archiver.settings.table import Table
from archiver.store_names import check_name

Choice = TypeVar("Choice", bound=str)
MEBIBYTE = 1 << 20
MOST_LOCK_DAYS = 36_500
MOST_PREFIX_CHARACTERS = 500
"""Leaves room for the names below it in S3's 1,024 bytes of a key."""
STORE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
BUCKET = re.compile(r"(?!.*\.\.)(?!(?:[0-9]+\.){3}[0-9]+\Z)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""Amazon S3, "General purpose bucket naming rules"."""
REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
PROFILE = re.compile(r"[^\x00-\x1f\x7f\[\]]{1,128}")
KMS_KEY = re.compile(r"[!-~]{1,2048}")
HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")
"""Without the brackets of an IPv6 address."""

KINDS = ("local", "s3")
ADDRESSINGS: tuple[Addressing, ...] = ("auto", "path", "virtual")
OBJECT_LOCKS: tuple[ObjectLock, ...] = ("none", "governance", "compliance")
ENCRYPTIONS: tuple[Literal["none", "AES256", "aws:kms"], ...] = ("none", "AES256", "aws:kms")
STORAGE_CLASSES = (
    "STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY",
)  # fmt: skip
"""Those that are read at once. From GLACIER and DEEP_ARCHIVE nothing is, so no archive could be checked."""

_KEYS = ("access_key_id", "secret_access_key", "session_token")
_LOCAL_ONLY = ("path",)
_S3_ONLY = (
    "bucket", "prefix", "endpoint", "region", "addressing", "profile", *_KEYS, "object_lock", "lock_days",
    "legal_hold", "storage_class", "encryption", "encryption_key", "ca_file", "connect_timeout_seconds",
    "read_timeout_seconds", "tries",
)  # fmt: skip


def read_stores(top: Table, home: Path) -> tuple[StoreSettings, ...]:
    """The stores in order: `vault`, which is the required folder of that name, then each `[[store]]`.
    Where there is neither, the folder `vault`. A host that seals, which has a `[collector]`, needs one that
    is required; one that only reads does not."""
    stores: list[StoreSettings] = []
    tables = top.tables("store")
    if top.has("vault") or not tables:
        stores.append(LocalStoreSettings("vault", True, top.path("vault", "vault", home)))
    for table in tables:
        one = _read_store(table, home)
        if one.name and any(known.name == one.name for known in stores):
            table.problem("name", f"a store {one.name} is given twice", "give each a name of its own")
        if same := next((known.name for known in stores if _in_one_place(known, one, home)), None):
            key = "path" if isinstance(one, LocalStoreSettings) else "bucket"
            table.problem(key, f"this is the place of the store {same}", "a copy needs a place of its own")
        stores.append(one)
    if top.has("collector") and not any(one.required for one in stores):
        top.problem(
            "store",
            "none of them is required",
            "the spool is emptied once every required store has the archive: required = true",
        )
    return tuple(stores)


def read_cache(table: Table, home: Path) -> CacheSettings:
    """`[cache]`. An absent table has all defaults."""
    default = CacheSettings(home)
    mebibytes = table.integer("mebibytes", default.bytes // MEBIBYTE, 0, 1_048_576)
    return CacheSettings(
        folder=table.path("folder", "cache", home),
        bytes=mebibytes * MEBIBYTE,
        fresh_seconds=table.integer("fresh_seconds", default.fresh_seconds, 0, 3600),
    )


def _read_store(table: Table, home: Path) -> StoreSettings:
    name = table.text("name", pattern=STORE_NAME, hint="up to 64 of A-Z a-z 0-9 . _ @ -")
    required = table.boolean("required", True)
    kind = table.choice("kind", None, KINDS)
    if kind == "local":
        _refuse(table, _S3_ONLY, "s3")
        return LocalStoreSettings(name, required, table.path("path", None, home))
    if kind == "s3":
        _refuse(table, _LOCAL_ONLY, "local")
        return _read_s3(table, home, name, required)
    for key in (*_LOCAL_ONLY, *_S3_ONLY):  # right in one kind or the other: not unknown
        table.has(key)
    return LocalStoreSettings(name, required, home)


def _refuse(table: Table, keys: tuple[str, ...], kind: str) -> None:
    for key in keys:
        if table.has(key):
            table.problem(key, f"this is a setting of a store of the kind {kind}", "remove it, or set kind")


def _read_s3(table: Table, home: Path, name: str, required: bool) -> S3StoreSettings:
    default = S3StoreSettings(name, required, "")
    lock = _choice(table, "object_lock", default.object_lock, OBJECT_LOCKS)
    encryption = _choice(table, "encryption", "none", ENCRYPTIONS)
    _check_keys(table)
    return S3StoreSettings(
        name=name,
        required=required,
        bucket=table.text(
            "bucket", pattern=BUCKET, hint="3 to 63 small letters, digits, dots and hyphens, as S3 wants it"
        ),
        prefix=_read_prefix(table),
        endpoint=_read_endpoint(table),
        region=table.optional_text("region", pattern=REGION, hint="as eu-west-2"),
        addressing=_choice(table, "addressing", default.addressing, ADDRESSINGS),
        profile=table.optional_text("profile", pattern=PROFILE, hint="as AWS's own settings files call it"),
        access_key_id=table.secret_reference("access_key_id", home),
        secret_access_key=table.secret_reference("secret_access_key", home),
        session_token=table.secret_reference("session_token", home),
        object_lock=lock,
        lock_days=_read_lock_days(table, lock),
        legal_hold=table.boolean("legal_hold", default.legal_hold),
        storage_class=table.choice("storage_class", None, STORAGE_CLASSES)
        if table.has("storage_class")
        else None,
        encryption=encryption,
        encryption_key=_read_encryption_key(table, encryption),
        ca_file=table.path("ca_file", None, home, must_exist=True) if table.has("ca_file") else None,
        connect_timeout_seconds=table.integer(
            "connect_timeout_seconds", default.connect_timeout_seconds, 1, 120
        ),
        read_timeout_seconds=table.integer("read_timeout_seconds", default.read_timeout_seconds, 1, 600),
        tries=table.integer("tries", default.tries, 1, 20),
    )


def _choice(table: Table, key: str, default: Choice, choices: tuple[Choice, ...]) -> Choice:
    """One of the choices; the default where the file names another, which is noted."""
    value = table.choice(key, default, choices)
    return next((one for one in choices if one == value), default)


def _check_keys(table: Table) -> None:
    """Both keys or neither, and one way to them: boto3 would take the one and forget the other."""
    given = [key for key in _KEYS if table.has(key)]
    if not given:
        return
    for key in _KEYS[:2]:
        if key not in given:
            table.problem(key, f"this is missing beside {given[0]}", "the two keys come together")
    if table.has("profile"):
        table.problem("profile", f"this and {given[0]} contradict each other", "keep one of the two")


def _read_prefix(table: Table) -> str:
    """Empty, or a name as files in a store have them, and a slash."""
    text = table.optional_text("prefix")
    if not text:
        return ""
    prefix = text.removesuffix("/")
    try:
        check_name(prefix)
        if len(prefix) <= MOST_PREFIX_CHARACTERS:
            return f"{prefix}/"
    except ArchiverError:
        pass
    table.problem(
        "prefix",
        f"{text[:80]!r} cannot be right",
        "as police/vault, without a slash before it; A-Z a-z 0-9 . _ @ + -",
    )
    return ""


def _read_endpoint(table: Table) -> str | None:
    """As `https://host:port`, in small letters. What is there is not repeated in a problem: it may hold a
    user's name and password."""
    text = table.optional_text("endpoint")
    if not text:
        return None
    endpoint = text.removesuffix("/").lower()
    if _is_server(endpoint):
        return endpoint
    table.problem(
        "endpoint",
        "this is not the address of a server",
        "as https://s3.example.org or https://s3.example.org:9000, without user, path and query",
    )
    return None


def _is_server(endpoint: str) -> bool:
    """Whether this is a scheme, a host and perhaps a port, and nothing else."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a port that is none, brackets that do not match
        return False
    named = f"[{host}]" if ":" in host else host
    whole = f"{parts.scheme}://{named}" + ("" if port is None else f":{port}")
    return (
        parts.scheme in ("http", "https") and bool(HOST.fullmatch(host)) and port != 0 and endpoint == whole
    )


def _read_lock_days(table: Table, lock: ObjectLock) -> int:
    """Needed with a lock, and nothing without one."""
    if lock == "none":
        if table.has("lock_days"):
            table.problem("lock_days", "this is for a store with a lock", 'as object_lock = "compliance"')
        return 0
    if not table.has("lock_days"):
        table.problem("lock_days", "this is missing", "for how many days each object is locked, as 2555")
    return table.integer("lock_days", 0, 1, MOST_LOCK_DAYS)


def _read_encryption_key(table: Table, encryption: str) -> str | None:
    key = table.optional_text("encryption_key", pattern=KMS_KEY, hint="the key's id or ARN")
    if key is not None and encryption != "aws:kms":
        table.problem("encryption_key", "this is for aws:kms only", 'as encryption = "aws:kms"')
    return key


def _in_one_place(known: StoreSettings, one: StoreSettings, home: Path) -> bool:
    """The same folder, or one inside the other; the same part of a bucket. `home` stands for a folder that
    was not given rightly. Links are not followed: a share that hangs must not hold up what needs it not."""
    if isinstance(known, LocalStoreSettings) and isinstance(one, LocalStoreSettings):
        if home in (known.path, one.path):
            return False
        first, second = (Path(os.path.normpath(each.path)) for each in (known, one))
        return first.is_relative_to(second) or second.is_relative_to(first)
    if isinstance(known, S3StoreSettings) and isinstance(one, S3StoreSettings):
        places = [(each.endpoint, each.bucket, each.prefix) for each in (known, one)]
        return one.bucket != "" and places[0] == places[1]
    return False
