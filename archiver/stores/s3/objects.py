"""Single requests about a bucket's objects, each an answer or an error of ours."""

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archiver.errors import IntegrityError, StoreError
from archiver.stores.base import NotInStoreError
from archiver.stores.s3.connection import Connection
from archiver.stores.s3.refusals import FOREIGN, is_doubtful, is_missing, translate
from archiver.stores.s3.versions import History, Version, find_version, manifest_of, parse_pages

WRITER_KEY = "archiver-writer"
"""In each object's metadata: a random token of the writer, by which it knows its own object again."""
_READ_BYTES = 8 * 1024 * 1024
_FIRST_WAIT_SECONDS = 0.1
_MOST_WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class Head:
    """What the server says of one version. `checksum`: SHA-256 in base64, of a multipart object with its
    number of parts, as `…=-3`; None where the server keeps none."""

    version: str
    size: int
    checksum: str | None
    writer: str | None
    lock_mode: str | None
    locked_until: datetime | None
    legal_hold: bool
    modified: datetime | None


class Objects:
    """The objects of one bucket below one prefix, by their names."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.options = connection.options
        self.location = connection.options.location

    # What there is

    def list_below(self, start: str, *, top_only: bool = False) -> dict[str, History]:
        """What lies under all names that begin so; `top_only`: those without a slash."""
        return parse_pages(self._pages(start, top_only), self.options.prefix)

    def _pages(self, start: str, top_only: bool) -> Iterator[Mapping[str, Any]]:
        arguments: dict[str, Any] = {"Prefix": self.options.prefix + start}
        if top_only:
            arguments["Delimiter"] = "/"
        while True:
            page = self.connection.call("list_object_versions", "listing", **arguments)
            yield page
            if not page.get("IsTruncated"):
                return
            following = (page.get("NextKeyMarker"), page.get("NextVersionIdMarker"))
            if not following[0] or following == (
                arguments.get("KeyMarker"),
                arguments.get("VersionIdMarker"),
            ):
                raise StoreError(f"listing {self.location} failed: the server does not go on with its list")
            arguments["KeyMarker"] = following[0]
            arguments.pop("VersionIdMarker", None)
            if following[1]:
                arguments["VersionIdMarker"] = following[1]

    def look_up(self, name: str) -> History:
        """What lies under one name, asked afresh."""
        key = self.options.key(name)
        page = self.connection.call("list_object_versions", f"looking for {name} in", Prefix=key)
        if page.get("IsTruncated") and all(
            one["Key"] == key for kind in ("Versions", "DeleteMarkers") for one in page.get(kind) or ()
        ):
            return self.list_below(name).get(name, History())
        return parse_pages([page], self.options.prefix).get(name, History())

    def find(self, name: str) -> Version | None:
        """The version of a name that counts, asked afresh; None where it is not there."""
        histories = {name: self.look_up(name)}
        manifest = manifest_of(name)
        if histories[name].hidden and manifest is not None and manifest not in histories:
            histories[manifest] = self.look_up(manifest)
        return find_version(name, histories)

    # What it holds

    def read(self, name: str, version: Version, offset: int, length: int) -> bytes:
        """A part of a version, which must lie within it. Tried again where the answer breaks off. Raise
        NotInStoreError where the version is gone, IntegrityError where the answer is of something else."""
        wait = _FIRST_WAIT_SECONDS
        for tries_left in range(max(1, self.options.tries) - 1, -1, -1):
            try:
                return self._read_once(name, version, offset, length)
            except FOREIGN as error:
                if is_missing(error):
                    raise NotInStoreError(name, self.location) from error
                if not tries_left or not is_doubtful(error):
                    raise self._translated(error, f"reading {name} from") from error
            time.sleep(wait)
            wait = min(2 * wait, _MOST_WAIT_SECONDS)
        raise AssertionError

    def _translated(self, error: BaseException, doing: str) -> StoreError:
        return translate(error, doing, self.options, self.connection.clock())

    def _read_once(self, name: str, version: Version, offset: int, length: int) -> bytes:
        whole = offset == 0 and length == version.size
        arguments: dict[str, Any] = {} if whole else {"Range": f"bytes={offset}-{offset + length - 1}"}
        answer = self.connection.client.get_object(
            Bucket=self.options.bucket, Key=self.options.key(name), VersionId=version.id, **arguments
        )
        with answer["Body"] as body:
            data = bytes(body.read())
        told = None if whole else answer.get("ContentRange")
        asked = None if whole else f"bytes {offset}-{offset + length - 1}/{version.size}"
        if len(data) != length or told != asked:
            raise IntegrityError(
                f"{name} in {self.location} is not what was listed: {len(data)} bytes came where {length} "
                f"of {version.size} were asked for",
                "it was changed meanwhile, or the store has a fault: archiver verify --store NAME",
            )
        return data

    def pieces(self, name: str, version: Version) -> Iterator[bytes]:
        """All bytes of a version, one request after another."""
        for offset in range(0, version.size, _READ_BYTES):
            yield self.read(name, version, offset, min(_READ_BYTES, version.size - offset))

    def hash(self, name: str, version: Version) -> str:
        """A version's SHA-256 (hexadecimal), by reading it all."""
        digest = hashlib.sha256()
        for piece in self.pieces(name, version):
            digest.update(piece)
        return digest.hexdigest()

    # What the server says of it

    def head(self, name: str, version: str | None = None) -> Head | None:
        """What the server says of a version, by default the newest; None where it is not there."""
        arguments: dict[str, Any] = {} if version is None else {"VersionId": version}
        try:
            answer = self.connection.client.head_object(
                Bucket=self.options.bucket, Key=self.options.key(name), ChecksumMode="ENABLED", **arguments
            )
        except FOREIGN as error:
            # Asked of a delete marker by its version: 405.
            if is_missing(error) or getattr(error, "response", {}).get("Error", {}).get("Code") == "405":
                return None
            raise self._translated(error, f"asking after {name} in") from error
        return Head(
            version=str(answer.get("VersionId") or "null"),
            size=int(answer["ContentLength"]),
            checksum=answer.get("ChecksumSHA256"),
            writer=answer.get("Metadata", {}).get(WRITER_KEY),
            lock_mode=answer.get("ObjectLockMode"),
            locked_until=answer.get("ObjectLockRetainUntilDate"),
            legal_hold=answer.get("ObjectLockLegalHoldStatus") == "ON",
            modified=answer.get("LastModified"),
        )

    def delete(self, name: str, version: str | None = None) -> None:
        """Delete a version; without one, put a delete marker on top, or in a bucket without versions delete
        the object. Raise StoreError where the server keeps it."""
        arguments: dict[str, Any] = {} if version is None else {"VersionId": version}
        self.connection.call(
            "delete_object", f"removing {name} from", Key=self.options.key(name), **arguments
        )

    # Uploads that were never ended

    def uploads(self, start: str) -> list[tuple[str, str, datetime | None]]:
        """Unended multipart uploads of names that begin so: key, its number, when it was begun."""
        found: list[tuple[str, str, datetime | None]] = []
        arguments: dict[str, Any] = {"Prefix": self.options.prefix + start}
        while True:
            page = self.connection.call("list_multipart_uploads", "listing uploads to", **arguments)
            found += [
                (one["Key"], one["UploadId"], one.get("Initiated"))
                for one in page.get("Uploads") or ()
                if one["Key"].startswith(self.options.prefix + start)
            ]
            following = (page.get("NextKeyMarker"), page.get("NextUploadIdMarker"))
            if not page.get("IsTruncated") or following[0] in (None, "", arguments.get("KeyMarker")):
                return found
            arguments |= {"KeyMarker": following[0], "UploadIdMarker": following[1] or ""}

    def abort(self, key: str, upload: str) -> None:
        """End an upload and drop its parts. One that is gone is well."""
        try:
            self.connection.client.abort_multipart_upload(
                Bucket=self.options.bucket, Key=key, UploadId=upload
            )
        except FOREIGN as error:
            if getattr(error, "response", {}).get("Error", {}).get("Code") not in ("NoSuchUpload", "404"):
                raise self._translated(error, "ending an upload to") from error
