"""Proofs that a bucket can do what is asked of it, each made by trying it with small probes in `checks/`."""

import secrets
from collections.abc import Iterator
from typing import Any

from archiver.stores.checks import LONGEST_SECONDS, PROBE_BYTES, Check
from archiver.stores.s3.connection import Connection
from archiver.stores.s3.lock_checks import check_lock
from archiver.stores.s3.probing import Probing, encoded_sha256
from archiver.stores.s3.public_checks import check_public
from archiver.stores.s3.refusals import FOREIGN, SKEW_SECONDS, code_of, status_of

_WRONG_SUM = encoded_sha256(b"something else")
_NOT_FOR_THE_SUM = {
    "AccessDenied",
    "Forbidden",
    "403",
    "ExpiredToken",
    "RequestExpired",
    "NoSuchUpload",
    "404",
}
"""What a request is refused with whose bytes were not looked at."""
_NO_CONDITIONS = (
    "use a server that knows conditional puts: without them two writers could overwrite each other"
)


def check_bucket(connection: Connection, stale_seconds: float = LONGEST_SECONDS) -> list[Check]:
    """Try everything that is asked of a bucket. Whatever fails is a check that is not ok; nothing is raised
    but for a name or an option that cannot be. Probes of other checks are removed when so old."""
    probing = Probing(connection, stale_seconds)
    first = probing.attempt("bucket", lambda: _check_reached(probing))
    if not first.ok:
        return [first]
    checks = [first, _check_clock(probing), probing.attempt("versions", lambda: _check_versions(probing))]
    checks += _Bucket(probing, versioned=checks[-1].ok).checks()
    return [*checks, probing.attempt("cleaning", probing.clean)]


def _check_reached(probing: Probing) -> Check:
    """That there is such a bucket, in the region said."""
    options = probing.options
    answer = _head_bucket(probing)
    probing.note_server_time(answer)
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    region = answer.get("BucketRegion") or headers.get("x-amz-bucket-region")
    if region and options.region and region != options.region:
        return Check("bucket", False, f"it is in {region}, not {options.region}", f'set region = "{region}"')
    return Check("bucket", True, f"reached, in {region or options.region or 'no region that is told'}")


def _head_bucket(probing: Probing) -> Any:
    """The answer to a HEAD. A refusal of one has no words in it: then a listing is asked for, whose refusal
    says why, as that the keys are wrong."""
    try:
        return probing.request("head_bucket")
    except FOREIGN as error:
        if status_of(error) == 403:
            probing.request("list_object_versions", Prefix=probing.prefix, MaxKeys=1)
        raise


def _check_clock(probing: Probing) -> Check:
    seconds = round(probing.server_ahead.total_seconds())
    said = "the same as the server's"
    if abs(seconds) > 1:  # the server tells it in whole seconds
        said = f"the server's is {abs(seconds):,} s {'ahead' if seconds > 0 else 'behind'}"
    if abs(seconds) > SKEW_SECONDS:
        return Check(
            "clock", False, said, "set this machine's clock: a server refuses what is signed at other times"
        )
    return Check("clock", True, said)


def _check_versions(probing: Probing) -> Check:
    status = probing.request("get_bucket_versioning").get("Status")
    if status == "Enabled":
        return Check("versions", True, "every version of a file is kept")
    return Check(
        "versions", False,
        f"versioning is {'suspended' if status else 'off'}: what is overwritten or deleted is gone",
        "switch it on: aws s3api put-bucket-versioning --versioning-configuration Status=Enabled"
        f" --bucket {probing.options.bucket}",
    )  # fmt: skip


class _Bucket:
    """The proofs that need a probe."""

    def __init__(self, probing: Probing, *, versioned: bool) -> None:
        self._probing = probing
        self._versioned = versioned
        self._data = secrets.token_bytes(PROBE_BYTES)
        self._key = probing.new_key()
        self._version: dict[str, str] = {}

    def checks(self) -> Iterator[Check]:
        attempt = self._probing.attempt
        lock, self._probing.default_lock = _bucket_lock(self._probing)
        put = attempt("takes a file", self._put)
        yield put
        if put.ok:
            yield attempt("reads exactly", self._read)
            yield attempt("create-only", self._create_only)
            yield attempt("as asked", self._as_asked)
            if self._versioned:
                yield attempt("delete marker", self._delete_marker)
        yield attempt("create-only, in parts", self._create_only_in_parts)
        yield attempt("checksum", self._checksum)
        yield attempt("checksum, in parts", self._checksum_in_parts)
        yield attempt("ending uploads", self._ending_uploads)
        yield from check_lock(self._probing, bucket_locks=lock)
        yield from check_public(self._probing)

    def _put(self) -> Check:
        answer = self._probing.put(self._key, self._data)
        version = answer.get("VersionId")
        self._version = {} if version is None else {"VersionId": str(version)}
        name = self._key.removeprefix(self._probing.options.prefix)
        return Check("takes a file", True, f"{len(self._data):,} bytes as {name}")

    def _get(self, **more: Any) -> bytes:
        with self._probing.request("get_object", Key=self._key, **self._version, **more)["Body"] as body:
            return bytes(body.read())

    def _read(self) -> Check:
        whole = self._get() == self._data
        ends = ((0, 0), (65_535, 65_536), (PROBE_BYTES - 10, PROBE_BYTES + 90))
        ranges = all(self._get(Range=f"bytes={one}-{end}") == self._data[one : end + 1] for one, end in ends)
        said = f"{'the same' if whole else 'OTHER'} bytes, {'the same' if ranges else 'OTHER'} ranges"
        return Check("reads exactly", whole and ranges, said)

    def _create_only(self) -> Check:
        try:
            self._probing.put(self._key, b"something else")
        except FOREIGN as error:
            judged = self._judged("create-only", "a second put", error)
            with self._probing.request("get_object", Key=self._key)["Body"] as body:
                if not judged.ok or body.read() == self._data:
                    return judged
            return Check("create-only", False, "a second put was refused, but replaced the first")
        return Check("create-only", False, "a second put of the same name was taken", _NO_CONDITIONS)

    def _create_only_in_parts(self) -> Check:
        """The same where a file comes in parts, whose last request makes it appear."""
        what, key = "create-only, in parts", self._probing.new_key()
        self._probing.put_in_parts(key, b"a part")
        try:
            self._probing.put_in_parts(key, b"a part")
        except FOREIGN as error:
            return self._judged(what, "a second upload", error)
        return Check(what, False, "a second upload of the same name was taken", _NO_CONDITIONS)

    def _judged(self, what: str, tried: str, error: BaseException) -> Check:
        """A put was refused: as the name is taken, or as the server does not know the condition at all."""
        code = code_of(error)
        if code in {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}:
            return Check(what, True, f"{tried} was refused ({code})")
        return self._probing.refused(what, error, _NO_CONDITIONS)

    def _checksum(self) -> Check:
        key = self._probing.new_key()
        code = self._probing.refusal(
            "put_object", Key=key, Body=b"probe", ChecksumSHA256=_WRONG_SUM, **self._probing.put_arguments()
        )
        if code and not self._probing.refusal("head_object", Key=key):
            return Check("checksum", False, f"wrong bytes were refused ({code}), and are there")
        return _refused("checksum", code, "bytes with another SHA-256 than named")

    def _checksum_in_parts(self) -> Check:
        key = self._probing.new_key()
        upload = self._probing.begin(key)
        part = {
            "Key": key,
            "UploadId": upload,
            "PartNumber": 1,
            "Body": b"probe",
            "ChecksumSHA256": _WRONG_SUM,
        }
        code = self._probing.refusal("upload_part", **part)
        return _refused("checksum, in parts", code, "a part with another SHA-256 than named")

    def _ending_uploads(self) -> Check:
        """That an upload which was never ended is found and dropped: its parts cost money unseen."""
        what, key = "ending uploads", self._probing.new_key()
        upload = self._probing.begin(key)
        there = self._uploads(key)
        code = self._probing.refusal("abort_multipart_upload", Key=key, UploadId=upload)
        if code:
            return Check(what, False, f"ending one is refused ({code})", "grant s3:AbortMultipartUpload")
        if upload not in there or upload in self._uploads(key):
            return Check(what, False, "the server does not list them as they are")
        return Check(what, True, "one that was begun was found and dropped")

    def _uploads(self, key: str) -> list[str]:
        answer = self._probing.request("list_multipart_uploads", Prefix=key)
        return [str(one["UploadId"]) for one in answer.get("Uploads") or ()]

    def _as_asked(self) -> Check:
        """Storage class and encryption, as the server says the probe has them."""
        options = self._probing.options
        head = self._probing.request("head_object", Key=self._key, **self._version)
        storage = str(head.get("StorageClass", "STANDARD"))
        encryption = str(head.get("ServerSideEncryption", "none"))
        wrong = []
        if options.storage_class not in (None, storage):
            wrong.append(f"the storage class is {storage}, not {options.storage_class}")
        if options.encryption not in ("none", encryption):
            wrong.append(f"the server's encryption is {encryption}, not {options.encryption}")
        key = str(head.get("SSEKMSKeyId", ""))
        if options.encryption_key is not None and options.encryption_key.rpartition("/")[2] not in key:
            wrong.append("the server's key is another than `encryption_key`")
        if wrong:
            return Check("as asked", False, "; ".join(wrong), "correct the settings, or the bucket")
        return Check("as asked", True, f"storage class {storage}, server-side encryption {encryption}")

    def _delete_marker(self) -> Check:
        """That what is deleted in the usual way is still there for who knows its version."""
        what = "delete marker"
        try:
            answer = self._probing.request("delete_object", Key=self._key)
        except FOREIGN as error:
            if code_of(error) in {"AccessDenied", "403", "Forbidden"}:
                return Check(what, True, "these credentials may put none over a file", proven=False)
            raise
        same = self._get() == self._data
        if not same:
            return Check(what, False, "a deleted file cannot be read by its version any more")
        if answer.get("VersionId"):
            self._probing.refusal("delete_object", Key=self._key, VersionId=answer["VersionId"])
        return Check(what, True, "does not hide what lies under it")


def _refused(what: str, code: str, tried: str) -> Check:
    if code in _NOT_FOR_THE_SUM:
        return Check(what, False, f"not tried: the server refused the request itself ({code})")
    if code:
        return Check(what, True, f"{tried} was refused ({code})")
    return Check(what, False, f"{tried} was taken", "use a server that checks SHA-256 checksums")


def _bucket_lock(probing: Probing) -> tuple[bool | None, bool]:
    """Whether the bucket has Object Lock, and whether it locks what comes without one by a rule of its own.
    None where the server does not tell these credentials."""
    try:
        found = probing.request("get_object_lock_configuration").get("ObjectLockConfiguration", {})
    except FOREIGN as error:
        return (False if status_of(error) == 404 else None), False
    return found.get("ObjectLockEnabled") == "Enabled", bool(found.get("Rule"))
