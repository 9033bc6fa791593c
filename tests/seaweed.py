"""A real S3 server for tests, SeaweedFS, on free ports of the loopback interface.

Starting takes about three seconds, so that one server serves a whole run of tests (`seaweed`, to be
imported into a test module as a fixture) and each test takes a bucket of its own. A test that stops or
breaks its server starts one for itself: `with Seaweed(folder) as server:`."""

import itertools
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from archiver.stores.s3 import S3Options
from tests.certificates import make_certificates

REGION = "us-east-1"
DOMAIN = "store.test"
"""Of the server that all tests share; it leads nowhere."""
START_SECONDS = 120
"""A busy machine takes its time."""
ANSWER_SECONDS = 5
"""A server that is starting takes a request and may never answer it: then it is asked again."""
READY = {"Bucket": "ready", "Key": "probe"}
"""Put when a server starts, read when it starts again: it answers before it has all that it had."""
STOP_SECONDS = 10
Kind = Literal["plain", "versioned", "locked"]
_numbers = itertools.count(1)


class Seaweed:
    """One server with its data in a folder, at work inside `with`. `tls`: serve over TLS with a certificate
    for `localhost` and 127.0.0.1 by a private authority, whose certificate is then at `ca_file`.
    `domain`: serve `BUCKET.domain` as well, for virtual-host addresses. `encrypts`: have a key for what it is
    asked to encrypt (SSE-S3). `volume_mebibytes`: the size of the files that it keeps objects in; it stands
    still for up to a second whenever it begins another."""

    def __init__(
        self,
        folder: Path,
        *,
        tls: bool = False,
        domain: str | None = None,
        encrypts: bool = False,
        volume_mebibytes: int = 64,
    ) -> None:
        self.folder = folder
        self.volume_mebibytes = volume_mebibytes
        self.access_key = f"KEY{secrets.token_hex(8)}"
        self.secret_key = secrets.token_hex(20)
        # For each bucket one volume, not seven: a run of tests has hundreds of buckets.
        self._more = {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
        if encrypts:
            self._more["WEED_S3_SSE_KEK"] = secrets.token_hex(32)
        self._take_ports()
        self._was_ready = False
        self._clients: dict[tuple[int, str | None], Any] = {}
        self.ca_file = folder / "ca.pem" if tls else None
        self.domain = domain
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "data").mkdir(exist_ok=True)
        (folder / "s3.json").write_text(json.dumps({"identities": [self._identity()]}))
        if tls:
            make_certificates(folder)

    def _take_ports(self) -> None:
        self.port, self._master, self._volume, self._filer = free_ports(4)

    def _identity(self) -> dict[str, object]:
        credentials = [{"accessKey": self.access_key, "secretKey": self.secret_key}]
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        return {"name": "collector", "credentials": credentials, "actions": actions}

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}" if self.ca_file is None else f"https://localhost:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _command(self) -> list[str]:
        program = Path(sys.executable).with_name("weed")
        command = [
            str(program), "-logdir", str(self.folder), "server", f"-dir={self.folder / 'data'}",
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-master.port={self._master}", "-master.telemetry=false",
            f"-master.volumeSizeLimitMB={self.volume_mebibytes}", f"-volume.port={self._volume}",
            "-volume.max=2000",
            "-volume.preStopSeconds=0", "-master.electionTimeout=1s", "-master.heartbeatInterval=100ms",
            f"-filer.port={self._filer}", f"-filer.localSocket={self.folder / 'filer.sock'}", "-s3",
            f"-s3.port={self.port}", f"-s3.config={self.folder / 's3.json'}", "-s3.autoCreateBucket=false",
            f"-s3.localSocket={self.folder / 's3.sock'}", "-s3.port.iceberg=0", "-s3.port.lance=0",
        ]  # fmt: skip
        if self.ca_file is not None:
            command += [
                f"-s3.cert.file={self.folder / 'server.pem'}",
                f"-s3.key.file={self.folder / 'server.key'}",
            ]
        if self.domain is not None:
            command.append(f"-s3.domainName={self.domain}")
        return command

    def start(self) -> None:
        """Start it and wait until it serves what it has, at most two minutes. Raise RuntimeError where it
        does not."""
        log = (self.folder / "output.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                self._command(), cwd=self.folder, stdout=log, stderr=log,
                env={**os.environ, "TMPDIR": str(self.folder), **self._more},
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        asking = self._make_client(1, None, ANSWER_SECONDS)
        why = "no answer in time"
        while time.monotonic() < deadline:
            if (code := self._process.poll()) is not None:
                why = f"it ended with {code}"
                break
            try:
                self._require_ready(asking)
            except (BotoCoreError, ClientError, OSError) as error:
                why = f"no answer in time, the last attempt: {error}"
            else:
                return
            time.sleep(0.1)
        self.stop(kill=True)
        tail = (self.folder / "output.log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"SeaweedFS did not start, {why}: {tail}")

    def _require_ready(self, client: Any) -> None:
        """Raise what boto3 raises, or OSError, unless objects can be put and read. It is not asked to put one
        before it has a volume server: it would look again five seconds later."""
        if not self._was_ready:
            client.list_buckets()
            status = f"http://127.0.0.1:{self._master}/dir/status"
            with urllib.request.urlopen(status, timeout=ANSWER_SECONDS) as answer:
                if not json.load(answer)["Topology"].get("Max"):
                    raise ConnectionError("it has no volume server yet")
            with suppress(ClientError):  # made by an attempt whose answer did not come
                client.create_bucket(Bucket=READY["Bucket"])
            client.put_object(**READY, Body=b"ready")
        client.get_object(**READY)["Body"].read()
        self._was_ready = True

    def start_anywhere(self) -> None:
        """`start`, for the first time: where that fails, once more on other ports, as another program may
        have taken one of them meanwhile."""
        try:
            self.start()
        except RuntimeError:
            self._take_ports()
            self.start()

    def stop(self, *, kill: bool = False) -> None:
        """End the process, at once and without warning where it is to be a kill."""
        process, self._process = self._process, None
        self._clients.clear()
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)

    def restart(self, *, kill: bool = False) -> None:
        """Stop it, start it again with the same data and the same ports."""
        self.stop(kill=kill)
        self.start()

    def __enter__(self) -> Self:
        self.start_anywhere()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop(kill=True)  # its data goes with it; asked kindly, it takes ten seconds

    def client(self, *, tries: int = 3, endpoint: str | None = None) -> Any:
        """A client of boto3's own, for what somebody else does to a bucket and for looking past our code.
        Made once, as making one costs more than most requests."""
        if (tries, endpoint) not in self._clients:
            self._clients[tries, endpoint] = self._make_client(tries, endpoint, 60)
        return self._clients[tries, endpoint]

    def _make_client(self, tries: int, endpoint: str | None, read_timeout_seconds: float) -> Any:
        return boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint or self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            verify=None if self.ca_file is None else str(self.ca_file),
            config=Config(
                retries={"mode": "standard", "total_max_attempts": tries},
                connect_timeout=5,
                read_timeout=read_timeout_seconds,
            ),
        )

    def make_bucket(self, kind: Kind = "locked") -> str:
        """A new bucket: without versions, with them, or with versions and Object Lock. Return its name."""
        name = f"bucket-{next(_numbers)}-{secrets.token_hex(4)}"
        client = self.client()
        client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=kind == "locked")
        if kind == "versioned":
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def options(self, bucket: str, **more: Any) -> S3Options:
        """Options for a store in a bucket of this server."""
        known: dict[str, Any] = {
            "endpoint": self.endpoint,
            "region": REGION,
            "addressing": "path",
            "access_key_id": self.access_key,
            "secret_access_key": self.secret_key,
            "ca_file": self.ca_file,
            "connect_timeout_seconds": 5,
            "read_timeout_seconds": 30,
        }
        return S3Options(bucket=bucket, **{**known, **more})


_SHARED = pytest.StashKey[Seaweed]()


@pytest.fixture(scope="session")
def seaweed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seaweed:
    """The server that all tests share. It is kept with the run: a fixture that several modules import is
    made for each of them."""
    config = request.config
    if _SHARED not in config.stash:
        folder = tmp_path_factory.mktemp("seaweed")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        server = Seaweed(folder, domain=DOMAIN)
        config.add_cleanup(lambda: server.stop(kill=True))
        server.start_anywhere()
        config.stash[_SHARED] = server
    return config.stash[_SHARED]


def as_kind(text: str) -> Kind:
    """Of a test's parameter."""
    kinds: dict[str, Kind] = {"plain": "plain", "versioned": "versioned", "locked": "locked"}
    return kinds[text]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, each with the port 10,000 above it, where SeaweedFS has its gRPC."""
    found: list[int] = []
    for _ in range(1000):
        port = 20_000 + secrets.randbelow(12_000)
        if port not in found and all(_is_free(one) for one in (port, port + 10_000)):
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
