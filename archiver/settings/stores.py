"""What the settings say of the stores that hold the vault, and of what is kept at hand of those far away."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

Addressing = Literal["auto", "path", "virtual"]
ObjectLock = Literal["none", "governance", "compliance"]


@dataclass(frozen=True)
class LocalStoreSettings:
    """A store in a folder: a disk, a mounted share. A `required` store must have an archive before the
    spool is emptied; one that is not is filled when it can be."""

    name: str
    required: bool
    path: Path

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return str(self.path)


@dataclass(frozen=True)
class S3StoreSettings:
    """A store in a bucket. The three keys are references (`archiver.secrets`), never the keys; without
    them and `profile` they come from where boto3 finds them: environment, its files, the machine's role.

    `prefix` is empty or ends in a slash. `lock_days` is how long each object is locked from the day it is
    put there, 0 without a lock. `encryption`: none, AES256, or aws:kms with `encryption_key`. `tries`: how
    often a request is sent that fails for a passing reason; the waits in between, each twice the one before,
    are 4 to 8 seconds in all with 5."""

    name: str
    required: bool
    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    addressing: Addressing = "auto"
    profile: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None
    object_lock: ObjectLock = "none"
    lock_days: int = 0
    legal_hold: bool = False
    storage_class: str | None = None
    encryption: str = "none"
    encryption_key: str | None = None
    ca_file: Path | None = None
    connect_timeout_seconds: int = 10
    read_timeout_seconds: int = 60
    tries: int = 5

    @property
    def place(self) -> str:
        """Where it is, for messages: without keys."""
        at = "" if self.endpoint is None else f" at {urlsplit(self.endpoint).netloc}"
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/") + at

    @property
    def is_private_on_the_way(self) -> bool:
        """Whether what goes there is encrypted on the way, or goes no way at all. What is sealed is
        encrypted in any case; who may put it there and what is asked for is not."""
        if self.endpoint is None or self.endpoint.startswith("https:"):
            return True
        host = urlsplit(self.endpoint).hostname or ""
        return host in ("localhost", "::1") or re.fullmatch(r"127(\.[0-9]{1,3}){3}", host) is not None


StoreSettings = LocalStoreSettings | S3StoreSettings


@dataclass(frozen=True)
class CacheSettings:
    """What is kept on this machine of stores that are far away: sealed bytes as they lie there, nothing
    decrypted. `bytes` 0: nothing. Within `fresh_seconds` a search does not ask again what there is."""

    folder: Path
    bytes: int = 1 << 30
    fresh_seconds: int = 60
