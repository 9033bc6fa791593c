"""What an S3 store is made with."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from archiver.settings.stores import Addressing, ObjectLock
from archiver.store_names import check_name


@dataclass(frozen=True)
class S3Options:
    """A bucket, the way to it, and how objects are put there. The three keys are the keys themselves, or
    None where boto3 finds them by its usual chain: environment, its files, the machine's role. No text
    shows them; `dataclasses.asdict` and `pickle` do.

    `prefix` is empty or ends in a slash. `lock_days`: how long each object is locked from the moment it is
    put. `encryption`: none, AES256, or aws:kms with `encryption_key`. `tries`: how often a request that
    fails for a passing reason is sent in all; in between goes `first_wait_seconds`, then twice as long
    each time, 20 seconds at most, at random between half and whole: with 5 tries 4 to 8 seconds."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    addressing: Addressing = "auto"
    profile: str | None = None
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    object_lock: ObjectLock = "none"
    lock_days: int = 0
    legal_hold: bool = False
    storage_class: str | None = None
    encryption: str = "none"
    encryption_key: str | None = None
    ca_file: Path | None = None
    connect_timeout_seconds: float = 10
    read_timeout_seconds: float = 60
    tries: int = 5
    first_wait_seconds: float = 0.5

    def __post_init__(self) -> None:
        if self.prefix and not self.prefix.endswith("/"):
            raise ValueError("a prefix is empty or ends in a slash")

    @property
    def location(self) -> str:
        """For messages: `s3://bucket/prefix`, and the server where it is not Amazon's. An address may carry
        a name and a password; neither is told."""
        place = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        if self.endpoint is None:
            return place
        host = urlsplit(self.endpoint).netloc.rpartition("@")[2]
        return f"{place} at {host}"

    def key(self, name: str) -> str:
        """A name's key in the bucket. Raise ArchiverError for a name that `check_name` refuses."""
        return self.prefix + check_name(name)
