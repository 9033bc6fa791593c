"""The way to a bucket: boto3's clients, made when they are first needed, in the process that needs them."""

import os
import random
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config

from archiver.errors import StoreError
from archiver.stores.s3.options import S3Options
from archiver.stores.s3.refusals import (
    ANY_ANSWER,
    FOREIGN,
    LOCK_HINT,
    OddAnswerError,
    lacks_lock_config,
    status_of,
    translate,
)
from archiver.stores.s3.retrying import retried, wait_lengths
from archiver.times import Clock, as_datetime

Result = TypeVar("Result")
READERS = 32
"""Requests under way at once. Each is a connection that is kept; a search wants some 60 parts at a time."""


_LOADER = botocore.loaders.create_loader()
"""Reads botocore's description of S3, 1 MB of JSON, once a process and not once a store. It holds nothing
of any account."""


class Connection:
    """A bucket as its options say. Usable by several threads, and after a fork."""

    def __init__(self, options: S3Options, clock: Clock) -> None:
        self.options = options
        self.clock = clock
        self._lock = threading.Lock()
        self._process = 0
        self._clients: dict[str, Any] = {}
        self._session: Any = None
        self._executor: ThreadPoolExecutor | None = None
        self._given_up = threading.Event()
        self._lock_is_proven = False

    def _of_this_process(self) -> None:
        """Forget what another process made before it forked: sockets cannot be shared. Called with the
        lock held."""
        if self._process != os.getpid():
            self._process, self._session, self._executor = os.getpid(), None, None
            self._clients, self._given_up = {}, threading.Event()

    @property
    def executor(self) -> Executor:
        """Threads for requests that go out together."""
        with self._lock:
            self._of_this_process()
            if self._executor is None:
                self._executor = ThreadPoolExecutor(READERS, thread_name_prefix="s3")
            return self._executor

    @property
    def client(self) -> Any:
        """For everything but uploads of parts."""
        return self._client("all", sign_payload=None)

    @property
    def part_client(self) -> Any:
        """For uploads of parts. Their SHA-256 goes along as `x-amz-checksum-sha256`, a header that is signed
        and that the server checks, so that the signature need not cover the bytes once more: they are
        hashed once."""
        return self._client("parts", sign_payload=False)

    def _client(self, kind: str, *, sign_payload: bool | None) -> Any:
        with self._lock:
            self._of_this_process()
            if kind not in self._clients:
                with self.reported("connecting to"):
                    self._clients[kind] = self._make_client(sign_payload)
            return self._clients[kind]

    def _make_client(self, sign_payload: bool | None) -> Any:
        options = self.options
        if options.ca_file is not None:
            _require_authority(options.ca_file, options.location)
        if self._session is None:
            below = botocore.session.Session(profile=options.profile)
            below.register_component("data_loader", _LOADER)
            self._session = boto3.session.Session(
                botocore_session=below,
                aws_access_key_id=options.access_key_id,
                aws_secret_access_key=options.secret_access_key,
                aws_session_token=options.session_token,
            )
        region = options.region or self._session.region_name
        return self._session.client(
            "s3",
            endpoint_url=options.endpoint,
            # Servers other than Amazon's mostly take any region; Amazon's says which one a bucket has.
            region_name=region or "us-east-1",
            verify=None if options.ca_file is None else str(options.ca_file),
            config=_config(options, sign_payload),
        )

    def call(self, operation: str, doing: str, **arguments: Any) -> Any:
        """One request about the bucket. Raise StoreError, saying what was being done."""
        with self.reported(doing):
            return self.request(operation, **arguments)

    def request(self, operation: str, **arguments: Any) -> Any:
        """One request about the bucket, sent again while it fails for a passing reason. Raise what boto3
        raises."""
        return self.retried(lambda: self.request_once(operation, **arguments))

    def request_once(self, operation: str, **arguments: Any) -> Any:
        """One request, sent once. Raise what boto3 raises, and `OddAnswerError` for what it cannot parse."""
        client = self.part_client if operation == "upload_part" else self.client
        try:
            return getattr(client, operation)(Bucket=self.options.bucket, **arguments)
        except FOREIGN:
            raise
        except ANY_ANSWER as error:
            raise OddAnswerError from error

    def retried(self, act: Callable[[], Result]) -> Result:
        """What an act with requests returns, tried again while it fails for a passing reason, until
        `give_up_waiting`. Raise what it raised last."""
        with self._lock:
            self._of_this_process()
            given_up = self._given_up
        waits = wait_lengths(self.options.first_wait_seconds, random.random)
        return retried(act, self.options.tries, waits, given_up.wait)

    def give_up_waiting(self) -> None:
        """Let all threads that wait to try again fail now: nobody wants what they are after any more."""
        with self._lock:
            given_up, self._given_up = self._given_up, threading.Event()
        given_up.set()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Where the body is interrupted, as by the keyboard, no thread goes on waiting for it."""
        try:
            yield
        except Exception:
            raise
        except BaseException:
            self.give_up_waiting()
            raise

    @contextmanager
    def reported(self, doing: str) -> Iterator[None]:
        """Translate what boto3 raises in the body."""
        try:
            yield
        except FOREIGN as error:
            raise translate(error, doing, self.options, self.clock()) from error

    def require_lock(self) -> None:
        """Raise StoreError where a lock is asked for and the bucket has none: some servers take parts with a
        lock all the same, and do not keep it. Asked once. Credentials that may not ask go on: each upload
        is looked at."""
        if self._lock_is_proven or not (self.options.object_lock != "none" or self.options.legal_hold):
            return
        doing = "asking for the lock of"
        try:
            answer = self.request("get_object_lock_configuration")
        except FOREIGN as error:
            if lacks_lock_config(error):
                raise self._no_lock() from error
            if status_of(error) not in (403, 405, 501):
                raise translate(error, doing, self.options, self.clock()) from error
        else:
            if answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
                raise self._no_lock()
        self._lock_is_proven = True

    def _no_lock(self) -> StoreError:
        return StoreError(
            f"writing to {self.options.location} failed: the bucket has no Object Lock", LOCK_HINT
        )

    def lock_arguments(self) -> dict[str, Any]:
        """What a put says of retention: part of the put itself, so that no object is ever without."""
        arguments: dict[str, Any] = {}
        if self.options.object_lock != "none":
            until = as_datetime(self.clock()) + timedelta(days=self.options.lock_days)
            arguments["ObjectLockMode"] = self.options.object_lock.upper()
            arguments["ObjectLockRetainUntilDate"] = until
        if self.options.legal_hold:
            arguments["ObjectLockLegalHoldStatus"] = "ON"
        return arguments

    def put_arguments(self) -> Mapping[str, Any]:
        """What every put says: retention, storage class, encryption by the server."""
        arguments = self.lock_arguments()
        if self.options.storage_class is not None:
            arguments["StorageClass"] = self.options.storage_class
        if self.options.encryption != "none":
            arguments["ServerSideEncryption"] = self.options.encryption
        if self.options.encryption_key is not None:
            arguments["SSEKMSKeyId"] = self.options.encryption_key
        return arguments


def _require_authority(path: Path, location: str) -> None:
    """Raise StoreError where a CA file cannot be used. Costs a millisecond a store."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            reason = f"there is no file {path}"
        elif isinstance(error, ssl.SSLError):
            reason = f"{path} holds no certificate"
        else:
            reason = f"{path} cannot be read ({error.strerror})"
        hint = "correct `ca_file`: the certificate of the authority that signed the server's, as PEM"
        raise StoreError(f"connecting to {location} failed: {reason}", hint) from error


def _config(options: S3Options, sign_payload: bool | None) -> Any:
    s3: dict[str, object] = {"addressing_style": options.addressing}
    if sign_payload is not None:
        s3["payload_signing_enabled"] = sign_payload
    return Config(
        s3=s3,
        signature_version="s3v4",
        retries={"mode": "standard", "total_max_attempts": 1},  # ours are in `Connection.retried`
        connect_timeout=options.connect_timeout_seconds,
        read_timeout=options.read_timeout_seconds,
        max_pool_connections=READERS,
        # Puts carry a SHA-256 of ours; what is read is authenticated by age.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
