"""Writing an object: one put where it is small, else parts, several under way at once.

Each part and each whole put goes with its SHA-256, which the server checks, and appears only when it is
complete, under the condition that there is no object of the name. What happens to an answer on its way
cannot decide: where it is lost, the object's own metadata tells whether it is the one just written."""

import hashlib
import secrets
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from archiver.errors import StoreError
from archiver.stores.base import ExistsInStoreError, HashingWriter
from archiver.stores.s3.objects import WRITER_KEY, Head, Objects
from archiver.stores.s3.reading_back import Sent, verify_sent
from archiver.stores.s3.refusals import FOREIGN, OddAnswerError, code_of, is_doubtful, is_taken
from archiver.times import as_datetime

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PART_BYTES = 8 * 1024 * 1024
UNDER_WAY = 6
"""Parts sent at once, beside the one that is filled: about 60 MB in all. With fewer, a busy server is
waited for."""
MOST_PARTS = 10_000
"""S3's limit of an upload."""
EQUAL_PARTS = 4_000
"""So many parts have one size; then it doubles with each 1,000 more, up to 512 MiB, so that 10,000 parts
are 1 TB. Memory grows with them, for files of more than 32 GB alone."""
_CONFLICT_TRIES = 5
_NEWEST = 20
"""So many versions of a name are looked at for one's own of a moment ago."""
_CLOCK_SLACK = timedelta(minutes=1)
"""By which the server's clock may be behind ours when it is asked for uploads begun since we began."""


def part_bytes(number: int) -> int:
    """The size of a part, by its number from 1."""
    if number <= EQUAL_PARTS:
        return PART_BYTES
    return PART_BYTES << ((number - EQUAL_PARTS - 1) // 1_000 + 1)


def encode_sha256(digest: bytes) -> str:
    return b64encode(digest).decode()


class Upload:
    """One object being written. `condition`: only where there is none of its name."""

    def __init__(self, objects: Objects, name: str, *, condition: bool, sha256: str | None) -> None:
        self._objects = objects
        self._connection = objects.connection
        self._name = name
        self._condition = {"IfNoneMatch": "*"} if condition else {}
        self._key = objects.options.key(name)
        self._token = secrets.token_hex(16)
        self._required = sha256
        self._whole = HashingWriter() if sha256 is not None else None
        self._buffer = bytearray()
        self._sums: list[bytes] = []
        self._sizes: list[int] = []
        self._etags: dict[int, str] = {}
        self._number: str | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._under_way: deque[Future[None]] = deque()
        self._asked: dict[str, Any] = {}
        self._begun: datetime | None = None
        self._begin_is_in_doubt = False

    # Taking bytes

    def write(self, data: "ReadableBuffer", /) -> int:
        """Take bytes; wait while enough parts are under way. Raise StoreError where one failed."""
        with memoryview(data).cast("B") as view:
            if self._whole is not None:
                self._whole.write(view)
            taken = 0
            while taken < len(view):
                if len(self._buffer) >= (limit := part_bytes(len(self._sums) + 1)):
                    self._send_part()
                    continue
                piece = view[taken : taken + limit - len(self._buffer)]
                self._buffer += piece
                taken += len(piece)
            return taken

    def flush(self) -> None:
        """Nothing to do: there is no file before the end."""

    def _send_part(self) -> None:
        """Have the buffer sent as the next part."""
        if self._executor is None:
            self._begin()
        assert self._executor is not None  # noqa: S101 - made by `_begin`
        if len(self._sums) >= MOST_PARTS:
            raise StoreError(f"{self._name} is too large for one object in {self._objects.location}")
        while len(self._under_way) >= UNDER_WAY:
            self._under_way.popleft().result()
        body, self._buffer = self._buffer, bytearray()
        self._sums.append(b"")
        self._sizes.append(len(body))
        self._under_way.append(self._executor.submit(self._put_part, len(self._sums), body))

    def _begin(self) -> None:
        self._prepare()
        self._begun = as_datetime(self._connection.clock())
        arguments = {
            "Key": self._key, "ChecksumAlgorithm": "SHA256", "Metadata": {WRITER_KEY: self._token},
            **self._asked,
        }  # fmt: skip

        def begin() -> str:
            try:
                answer = self._connection.request_once("create_multipart_upload", **arguments)
                return str(required(answer, "UploadId"))
            except FOREIGN as error:
                self._begin_is_in_doubt |= is_doubtful(error)
                raise

        with self._reported():
            self._number = self._connection.retried(begin)
        self._executor = ThreadPoolExecutor(UNDER_WAY, thread_name_prefix="s3-part")

    def _prepare(self) -> None:
        """Before the first byte goes out: a lock that is asked for can be had. What every request of this
        object says of it, is said once."""
        self._connection.require_lock()
        self._asked = dict(self._connection.put_arguments())

    def _put_part(self, number: int, body: bytearray) -> None:
        digest = hashlib.sha256(body).digest()
        self._sums[number - 1] = digest
        with self._reported():
            answer = self._connection.request(
                "upload_part", Key=self._key, UploadId=self._number, PartNumber=number, Body=body,
                ChecksumSHA256=encode_sha256(digest),
            )  # fmt: skip
            self._etags[number] = str(required(answer, "ETag"))

    @contextmanager
    def _reported(self) -> Iterator[None]:
        with self._connection.reported(f"writing {self._name} to"):
            yield

    # Its end

    def require_right(self) -> None:
        """Raise IntegrityError where what was written has not the SHA-256 that it must have, if any is."""
        if self._whole is not None and self._required is not None:
            self._whole.require(self._name, self._required)

    def finish(self) -> Head:
        """Make the object appear, and compare what the server says of it with what was sent. Raise
        ExistsInStoreError where another of its name is there; IntegrityError for the wrong bytes."""
        self.require_right()
        if self._number is None:
            version = self._put()
        else:
            if self._buffer:
                self._send_part()
            while self._under_way:
                self._under_way.popleft().result()
            version = self._complete()
            self._number = None
            with suppress(StoreError):  # the object is there; `delete_partial` drops what is left a day later
                self._drop_others()
        self._close()
        sent = Sent(self._name, self._token, tuple(self._sizes), tuple(self._sums), bool(self._etags))
        return verify_sent(self._objects, sent, version, self._asked)

    def abort(self, *, at_once: bool) -> None:
        """Leave nothing: wait for the parts under way, or they would come after the end, and drop all.
        `at_once`: do not try again where that fails."""
        for one in self._under_way:
            one.cancel()
        wait(self._under_way)
        self._close()
        if self._number is not None:
            self._objects.abort(self._key, self._number, once=at_once)
        if not at_once:
            self._drop_unheard_of()

    def _drop_others(self) -> None:
        """Drop what earlier attempts left, killed ones and those of lost answers: now that the object is
        there, no other upload of its name can become one."""
        if self._condition:
            self._abort_uploads(None)
        else:
            self._drop_unheard_of()

    def _drop_unheard_of(self) -> None:
        """Drop what the server may have begun without our hearing of it, where an answer was lost: uploads
        begun since we began. Another's who writes the same name just now would go too, and he is told."""
        if self._begin_is_in_doubt and self._begun is not None:
            self._abort_uploads(self._begun - _CLOCK_SLACK)

    def _abort_uploads(self, since: datetime | None) -> None:
        """End all uploads of this very name, or those begun since then."""
        for key, number, begun in self._objects.uploads(self._name):
            if key == self._key and (since is None or (begun is not None and begun >= since)):
                self._objects.abort(key, number)

    def _close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown()

    def put_at_once(self) -> None:
        """Make a small object appear in one request, under the same condition. Nothing is asked before it,
        as whether the bucket has a lock, and nothing after it: the server checks the SHA-256 that goes along,
        and an answer that is lost is settled as any other's."""
        self._asked = dict(self._connection.put_arguments())
        self._put_body()

    def _put(self) -> str | None:
        self._prepare()
        return self._put_body()

    def _put_body(self) -> str | None:
        body = bytes(self._buffer)
        self._sums, self._sizes = [hashlib.sha256(body).digest()], [len(body)]
        return self._certain(
            "put_object", Body=body, ChecksumSHA256=encode_sha256(self._sums[0]),
            Metadata={WRITER_KEY: self._token}, **self._asked,
        )  # fmt: skip

    def _complete(self) -> str | None:
        parts = [
            {"PartNumber": number, "ETag": self._etags[number], "ChecksumSHA256": encode_sha256(each)}
            for number, each in enumerate(self._sums, 1)
        ]
        return self._certain(
            "complete_multipart_upload", UploadId=self._number, MultipartUpload={"Parts": parts}
        )

    def _certain(self, operation: str, **arguments: Any) -> str | None:
        """Do what makes the object appear; return its version where the server tells it. Where the answer
        leaves it open, find out."""
        tries = _CONFLICT_TRIES
        while True:
            tries -= 1
            try:
                answer = self._connection.request(operation, Key=self._key, **self._condition, **arguments)
                required(answer, "ETag")
                return cast("str | None", answer.get("VersionId"))
            except FOREIGN as error:
                if not is_doubtful(error):
                    raise self._translated(error) from error
                found = self._own_version(error)
                if found is not None:
                    return found
                if code_of(error) != "ConditionalRequestConflict" or not tries:
                    raise self._translated(error) from error

    def _translated(self, error: BaseException) -> StoreError:
        return self._objects.translated(error, f"writing {self._name} to")

    def _own_version(self, error: BaseException) -> str | None:
        """The version that this writer put, if it is there: lost answers are settled by it. Raise
        ExistsInStoreError where it is not, and cannot come to be there as another is."""
        versions = self._objects.look_up(self._name).versions
        for version in versions[:_NEWEST]:
            head = self._objects.head(self._name, version.id)
            if head is not None and head.writer == self._token:
                return version.id
        if versions and (self._condition or is_taken(error)):
            raise ExistsInStoreError(self._name, self._objects.location) from error
        return None


def put_at_once(objects: Objects, name: str, data: bytes) -> None:
    """A small new object, of one part, in one request. Raise ExistsInStoreError where there is one of its
    name."""
    if len(data) > PART_BYTES:
        raise ValueError(f"{name} is too large for one request")
    upload = Upload(objects, name, condition=True, sha256=None)
    upload.write(data)
    with objects.connection.interruptible():
        upload.put_at_once()


def required(answer: Any, field: str) -> Any:
    """A field that every S3 server's answer has. Raise OddAnswerError where this one has not."""
    if field not in answer:
        raise OddAnswerError
    return answer[field]


@contextmanager
def uploading(
    objects: Objects, name: str, *, condition: bool, sha256: str | None = None, done: Callable[[Head], None]
) -> Iterator[Upload]:
    """A writer for one object, which is there when the body ends well; `done` gets what the server says of
    it. Whatever else ends the body leaves nothing, so far as the server can be reached."""
    upload = Upload(objects, name, condition=condition, sha256=sha256)
    try:
        with objects.connection.interruptible():
            yield upload
            head = upload.finish()
    except BaseException as error:
        try:
            upload.abort(at_once=not isinstance(error, Exception))
        except StoreError as another:
            if not isinstance(error, Exception):
                raise error from another
            error.add_note(f"its parts may be left: {another.message}")
        raise
    done(head)
