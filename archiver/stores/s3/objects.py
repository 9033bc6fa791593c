"""Single requests about a bucket's objects, each an answer or an error of ours."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import IncompleteReadError

from archiver.errors import IntegrityError, StoreError
from archiver.stores.base import NotInStoreError
from archiver.stores.s3.connection import Connection
from archiver.stores.s3.refusals import (
    ANY_ANSWER,
    FOREIGN,
    OddAnswerError,
    code_of,
    is_missing,
    status_of,
    translate,
)
from archiver.stores.s3.versions import History, Version, find_version, manifest_of, parse_pages

WRITER_KEY = "archiver-writer"
"""In each object's metadata: a random token of the writer, by which it knows its own object again."""
_READ_BYTES = 8 * 1024 * 1024
MOST_PAGES = 10_000
"""Of a listing: 10 million versions. A server that goes on for ever is left."""


@dataclass(frozen=True)
class Head:
    """What the server says of one version. `checksum`: SHA-256 in base64, of a multipart object with its
    number of parts, as `…=-3`; None where the server keeps none."""

    version: str
    size: int
    etag: str
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
        arguments = {"Prefix": self.options.prefix + start} | ({"Delimiter": "/"} if top_only else {})
        pages = self._pages("list_object_versions", "listing", "VersionIdMarker", arguments)
        with self._parsed("listing"):
            found = parse_pages(pages, self.options.prefix)
        return {name: history for name, history in found.items() if name.startswith(start)}

    def _pages(
        self, operation: str, doing: str, second: str, arguments: Mapping[str, str]
    ) -> Iterator[Mapping[str, Any]]:
        """All answers of a listing; `second`: the marker beside KeyMarker. Raise StoreError where the server
        does not come to an end."""
        seen: set[tuple[str, str]] = set()
        markers: dict[str, str] = {}
        while True:
            page = self.connection.call(operation, doing, **arguments, **markers)
            if "IsTruncated" not in page:
                raise self.translated(OddAnswerError(), doing)
            yield page
            if not page["IsTruncated"]:
                return
            following = (str(page.get("NextKeyMarker") or ""), str(page.get(f"Next{second}") or ""))
            if not following[0] or following in seen or len(seen) >= MOST_PAGES:
                raise StoreError(
                    f"{doing} {self.location} failed: the server does not go on with its list",
                    "it has a fault: see what it has by another program",
                )
            seen.add(following)
            markers = {"KeyMarker": following[0]} | ({second: following[1]} if following[1] else {})

    @contextmanager
    def _parsed(self, doing: str) -> Iterator[None]:
        """Translate what taking an answer apart raises where it lacks what an S3 server's has."""
        try:
            yield
        except ANY_ANSWER as error:
            raise self.translated(OddAnswerError(), doing) from error

    def look_up(self, name: str) -> History:
        """What lies under one name, asked afresh."""
        key = self.options.key(name)
        page = self.connection.call("list_object_versions", f"looking for {name} in", Prefix=key)
        if "IsTruncated" not in page:
            raise self.translated(OddAnswerError(), f"looking for {name} in")
        if page["IsTruncated"] and all(
            one.get("Key") == key for kind in ("Versions", "DeleteMarkers") for one in page.get(kind) or ()
        ):
            return self.list_below(name).get(name, History())
        with self._parsed(f"looking for {name} in"):
            return parse_pages([page], self.options.prefix).get(name, History())

    def find(self, name: str) -> Version | None:
        """The version of a name that counts, asked afresh; None where it is not there."""
        histories = {name: self.look_up(name)}
        manifest = manifest_of(name)
        if histories[name].hidden and manifest is not None and manifest not in histories:
            histories[manifest] = self.look_up(manifest)
        return find_version(name, histories)

    # What it holds

    def read(
        self, name: str, version: Version, offset: int, length: int, etags: set[str] | None = None
    ) -> bytes:
        """A part of a version, which must lie within it. Tried again where the answer breaks off. Raise
        NotInStoreError where the version is gone, IntegrityError where the answer is of something else.
        `etags`: of the parts read before, to which this one's is added; they must be the same."""
        try:
            return self.connection.retried(lambda: self._read_once(name, version, offset, length, etags))
        except FOREIGN as error:
            if is_missing(error):
                raise NotInStoreError(name, self.location) from error
            if status_of(error) == 416:
                raise self._altered(name, "it ends before what was asked for") from error
            raise self.translated(error, f"reading {name} from") from error

    def read_newest(self, name: str, max_bytes: int) -> bytes | None:
        """What lies under a name now, without asking first which version that is; None where nothing does,
        or a delete marker. Raise IntegrityError where it is larger than `max_bytes`."""
        try:
            return self.connection.retried(lambda: self._read_newest_once(name, max_bytes))
        except FOREIGN as error:
            if is_missing(error):
                return None
            raise self.translated(error, f"reading {name} from") from error

    def _read_newest_once(self, name: str, max_bytes: int) -> bytes:
        answer = self.connection.request_once("get_object", Key=self.options.key(name))
        with answer["Body"] as body:
            length = answer.get("ContentLength")
            if not isinstance(length, int):  # S3's GetObject always has it
                raise OddAnswerError
            if length > max_bytes:
                raise IntegrityError(f"{name} has {length} bytes where at most {max_bytes} can be right")
            data = bytes(body.read(length + 1))
        if len(data) != length:
            raise IncompleteReadError(actual_bytes=len(data), expected_bytes=length)
        return data

    def translated(self, error: BaseException, doing: str) -> StoreError:
        return translate(error, doing, self.options, self.connection.clock())

    def _read_once(
        self, name: str, version: Version, offset: int, length: int, etags: set[str] | None
    ) -> bytes:
        whole = offset == 0 and length == version.size
        arguments: dict[str, Any] = {} if whole else {"Range": f"bytes={offset}-{offset + length - 1}"}
        answer = self.connection.request_once(
            "get_object", Key=self.options.key(name), VersionId=version.id, **arguments
        )
        with answer["Body"] as body:
            if "ETag" not in answer:  # S3's GetObject always has it
                raise OddAnswerError
            told = None if whole else answer.get("ContentRange")
            asked = None if whole else f"bytes {offset}-{offset + length - 1}/{version.size}"
            if told != asked:
                raise self._altered(name, f"{told or 'all of it'} came where {asked} was asked for")
            if (comes := answer.get("ContentLength", length)) != length:
                raise self._altered(name, f"{comes} bytes came where {length} were asked for")
            data = bytes(body.read(length + 1))
        if len(data) < length:  # it broke off: of a body read to a limit, botocore does not say so
            raise IncompleteReadError(actual_bytes=len(data), expected_bytes=length)
        if len(data) > length:
            raise self._altered(name, f"more than {length} bytes came")
        if etags is not None:  # not a listing's, which servers make otherwise than an answer's
            etags.add(answer["ETag"])
            if len(etags) > 1:
                raise self._altered(name, "another object lies there now")
        return data

    def _altered(self, name: str, how: str) -> IntegrityError:
        return IntegrityError(
            f"{name} in {self.location} is not what was listed: {how}",
            "it was changed meanwhile, or the store has a fault: archiver verify --store NAME",
        )

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
        doing = f"asking after {name} in"
        try:
            answer = self.connection.request(
                "head_object", Key=self.options.key(name), ChecksumMode="ENABLED", **arguments
            )
        except FOREIGN as error:
            # Asked of a delete marker by its version: 405.
            if is_missing(error) or code_of(error) == "405":
                return None
            raise self.translated(error, doing) from error
        with self._parsed(doing):
            return _head_of(answer)

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
        below = self.options.prefix + start
        doing = "listing uploads to"
        pages = self._pages("list_multipart_uploads", doing, "UploadIdMarker", {"Prefix": below})
        with self._parsed(doing):
            return [
                (one["Key"], one["UploadId"], one.get("Initiated"))
                for page in pages
                for one in page.get("Uploads") or ()
                if one["Key"].startswith(below)
            ]

    def abort(self, key: str, upload: str, *, once: bool = False) -> None:
        """End an upload and drop its parts. One that is gone is well. `once`: without trying again."""
        request = self.connection.request_once if once else self.connection.request
        try:
            request("abort_multipart_upload", Key=key, UploadId=upload)
        except FOREIGN as error:
            if code_of(error) not in ("NoSuchUpload", "404"):
                raise self.translated(error, "ending an upload to") from error


def _head_of(answer: Mapping[str, Any]) -> Head:
    """Raise KeyError where it lacks what every S3 server's answer has."""
    return Head(
        version=str(answer.get("VersionId") or "null"),
        size=int(answer["ContentLength"]),
        etag=str(answer["ETag"]),
        checksum=answer.get("ChecksumSHA256"),
        writer=answer.get("Metadata", {}).get(WRITER_KEY),
        lock_mode=answer.get("ObjectLockMode"),
        locked_until=answer.get("ObjectLockRetainUntilDate"),
        legal_hold=answer.get("ObjectLockLegalHoldStatus") == "ON",
        modified=answer.get("LastModified"),
    )
