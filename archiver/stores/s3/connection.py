"""The way to a bucket: boto3's clients, made when they are first needed, in the process that needs them."""

import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config

from archiver.errors import StoreError
from archiver.stores.s3.options import S3Options
from archiver.stores.s3.refusals import FOREIGN, translate
from archiver.times import Clock, as_datetime

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

    def _of_this_process(self) -> None:
        """Forget what another process made before it forked: sockets cannot be shared. Called with the
        lock held."""
        if self._process != os.getpid():
            self._process, self._session, self._executor = os.getpid(), None, None
            self._clients = {}

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
        if options.ca_file is not None and not options.ca_file.is_file():
            raise StoreError(
                f"connecting to {options.location} failed: there is no file {options.ca_file}",
                "correct `ca_file`: the certificate of the authority that signed the server's",
            )
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
            return getattr(self.client, operation)(Bucket=self.options.bucket, **arguments)

    @contextmanager
    def reported(self, doing: str) -> Iterator[None]:
        """Translate what boto3 raises in the body."""
        try:
            yield
        except FOREIGN as error:
            raise translate(error, doing, self.options, self.clock()) from error

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


def _config(options: S3Options, sign_payload: bool | None) -> Any:
    s3: dict[str, object] = {"addressing_style": options.addressing}
    if sign_payload is not None:
        s3["payload_signing_enabled"] = sign_payload
    return Config(
        s3=s3,
        signature_version="s3v4",
        retries={"mode": "standard", "total_max_attempts": max(1, options.tries)},
        connect_timeout=options.connect_timeout_seconds,
        read_timeout=options.read_timeout_seconds,
        max_pool_connections=READERS,
        # Puts carry a SHA-256 of ours; what is read is authenticated by age.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
