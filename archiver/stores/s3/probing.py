"""What the checks of a bucket work with: requests as they are, not as the store makes them, so that what
the server itself does is seen; in bounded time; and the removal of all that was put."""

import hashlib
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from archiver.stores.checks import LONGEST_SECONDS, PROBE_FOLDER, Check, is_probe, probe_name
from archiver.stores.s3.connection import Connection
from archiver.stores.s3.refusals import FOREIGN, code_of, status_of, translate
from archiver.times import as_datetime

RETENTION = timedelta(seconds=60)
"""Of probes that are locked: a later check removes them."""
_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 10, 20, 2
_MOST_PAGES = 20
"""Of a thousand names each: more is somebody else's, and a check must end."""


class Probing:
    """One run of checks on a bucket."""

    def __init__(self, connection: Connection, stale_seconds: float = LONGEST_SECONDS) -> None:
        options = connection.options
        self.options = replace(
            options,
            tries=min(_TRIES, options.tries),
            connect_timeout_seconds=min(_CONNECT_SECONDS, options.connect_timeout_seconds),
            read_timeout_seconds=min(_READ_SECONDS, options.read_timeout_seconds),
        )
        self.connection = Connection(self.options, connection.clock)
        self.prefix = f"{options.prefix}{PROBE_FOLDER}/"
        self._stale_after = timedelta(seconds=stale_seconds)
        self._own: set[str] = set()
        self.server_ahead = timedelta()
        """By how much the server's clock is ahead of ours."""
        self.default_lock = False
        """Whether the bucket locks what comes without a lock of its own, for who knows how long."""
        self.may_delete: bool | None = None
        """Whether these credentials may remove a version that nothing protects; None until it was tried."""
        self._until = time.monotonic() + LONGEST_SECONDS

    def new_key(self) -> str:
        """A key that nobody has used, in the folder of probes."""
        key = self.options.prefix + probe_name()
        self._own.add(key)
        return key

    def request(self, operation: str, **arguments: Any) -> Any:
        """One request about the bucket, with the store's credentials, sent again while it fails for a passing
        reason. Raises what boto3 raises."""
        return self.connection.request(operation, **arguments)

    def refusal(self, operation: str, **arguments: Any) -> str:
        """The server's code for refusing a request; empty where it did what was asked. Raises where no
        answer came, or a fault of the server's, which is no refusal."""
        return refusal_of(lambda: self.request(operation, **arguments))

    def attempt(self, what: str, act: Callable[[], Check]) -> Check:
        """The check of an act; where the server answers otherwise than was reckoned with, that."""
        if time.monotonic() > self._until:
            return Check(what, False, f"not tried: the checks took longer than {LONGEST_SECONDS} seconds")
        try:
            return act()
        except FOREIGN as error:
            return self.refused(what, error)

    def refused(self, what: str, error: BaseException, hint: str | None = None) -> Check:
        """The check that ended in an error: why. Which store it is about stands before it."""
        told = translate(error, "asking", self.options, self.connection.clock())
        return Check(what, False, told.message.partition(" failed: ")[2] or told.message, told.hint or hint)

    def note_server_time(self, answer: Mapping[str, Any]) -> timedelta | None:
        """By how much the server's clock is ahead of ours, as an answer's header says; None where it has
        none."""
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            there = parsedate_to_datetime(date)
        except (TypeError, ValueError):
            return None
        there = there if there.tzinfo is not None else there.replace(tzinfo=UTC)
        self.server_ahead = there - as_datetime(self.connection.clock())
        return self.server_ahead

    def until(self) -> datetime:
        """When a probe's lock is over, by the server's clock."""
        return as_datetime(self.connection.clock()) + self.server_ahead + RETENTION

    def put_arguments(self) -> dict[str, Any]:
        """Storage class and encryption as every put of the store has them, but no lock, unless a short one
        is needed to be spared the bucket's own."""
        arguments = {
            name: value
            for name, value in self.connection.put_arguments().items()
            if not name.startswith("ObjectLock")
        }
        if self.default_lock:
            arguments |= {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": self.until()}
        return arguments

    def put(self, key: str, data: bytes, **more: Any) -> Any:
        """Put a probe with its SHA-256, where there is none of its key."""
        arguments = {
            **self.put_arguments(),
            "ChecksumSHA256": encoded_sha256(data),
            "IfNoneMatch": "*",
            **more,
        }
        return self.request("put_object", Key=key, Body=data, **arguments)

    def put_in_parts(self, key: str, data: bytes, **more: Any) -> Any:
        """The same as an upload of one part, where there is none of its key. `more`: said when it begins."""
        begun = self.begin(key, **more)
        upload = {"Key": key, "UploadId": begun}
        checksum = encoded_sha256(data)
        answer = self.request("upload_part", **upload, PartNumber=1, Body=data, ChecksumSHA256=checksum)
        part = {"PartNumber": 1, "ETag": answer["ETag"], "ChecksumSHA256": checksum}
        parts = {"Parts": [part]}
        return self.request("complete_multipart_upload", **upload, MultipartUpload=parts, IfNoneMatch="*")

    def begin(self, key: str, **more: Any) -> str:
        """Begin an upload in parts; its number."""
        arguments = {**self.put_arguments(), **more}
        answer = self.request("create_multipart_upload", Key=key, ChecksumAlgorithm="SHA256", **arguments)
        return str(answer["UploadId"])

    # What is left

    def clean(self) -> Check:
        """Remove every probe that can be: this check's, and those of checks that are over; not those of one
        that runs at the same time, and nothing else that lies in the folder."""
        uploads = self.request("list_multipart_uploads", Prefix=self.prefix).get("Uploads") or ()
        for one in uploads:
            if self._may_go(one["Key"], one.get("Initiated")):
                self.refusal("abort_multipart_upload", Key=one["Key"], UploadId=one["UploadId"])
        kept = sum(bool(self._delete(key, version)) for key, version in list(self._left()))
        if not kept:
            return Check("cleaning", True, "every probe was removed")
        return Check(
            "cleaning", True,
            f"{kept} probe{' is' if kept == 1 else 's are'} kept by the server;"
            " a later check removes what it may by then",
        )  # fmt: skip

    def _may_go(self, key: str, made: object) -> bool:
        if key in self._own:
            return True
        if not is_probe(key.removeprefix(self.options.prefix)) or not isinstance(made, datetime):
            return False
        return made <= as_datetime(self.connection.clock()) + self.server_ahead - self._stale_after

    def _delete(self, key: str, version: str) -> str:
        return self.refusal("delete_object", Key=key, VersionId=version)

    def _left(self) -> Iterator[tuple[str, str]]:
        place: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = self.request("list_object_versions", Prefix=self.prefix, **place)
            for kind in ("DeleteMarkers", "Versions"):
                for one in page.get(kind) or ():
                    if self._may_go(one["Key"], one.get("LastModified")):
                        yield one["Key"], str(one.get("VersionId") or "null")
            if not page.get("IsTruncated") or not page.get("NextKeyMarker"):
                return
            place = {"KeyMarker": page["NextKeyMarker"]}
            if page.get("NextVersionIdMarker"):
                place["VersionIdMarker"] = page["NextVersionIdMarker"]


def encoded_sha256(data: bytes) -> str:
    """As S3's header has it: base64."""
    return b64encode(hashlib.sha256(data).digest()).decode()


def refusal_of(act: Callable[[], Any]) -> str:
    """The server's code for refusing an act; empty where it did it. Raises as `Probing.refusal`."""
    return refused_with(act)[1]


def refused_with(act: Callable[[], Any]) -> tuple[int, str]:
    """The same with its HTTP status; 0 where it did it."""
    try:
        act()
    except FOREIGN as error:
        status = status_of(error)
        if not 400 <= status < 500:
            raise
        return status, code_of(error) or str(status)
    return 0, ""
