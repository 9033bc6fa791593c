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
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from archiver.stores.s3 import S3Options

REGION = "us-east-1"
DOMAIN = "store.test"
"""Of the server that all tests share; it leads nowhere."""
START_SECONDS = 60
STOP_SECONDS = 10
Kind = Literal["plain", "versioned", "locked"]
_numbers = itertools.count(1)


class Seaweed:
    """One server with its data in a folder, at work inside `with`. `tls`: serve over TLS with a certificate
    for `localhost` and 127.0.0.1 by a private authority, whose certificate is then at `ca_file`.
    `domain`: serve `BUCKET.domain` as well, for virtual-host addresses. `encrypts`: have a key for what it is
    asked to encrypt (SSE-S3)."""

    def __init__(
        self, folder: Path, *, tls: bool = False, domain: str | None = None, encrypts: bool = False
    ) -> None:
        self.folder = folder
        self.access_key = f"KEY{secrets.token_hex(8)}"
        self.secret_key = secrets.token_hex(20)
        self._more = {"WEED_S3_SSE_KEK": secrets.token_hex(32)} if encrypts else {}
        self.port, self._master, self._volume, self._filer = free_ports(4)
        self.ca_file = folder / "ca.pem" if tls else None
        self.domain = domain
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "data").mkdir(exist_ok=True)
        (folder / "s3.json").write_text(json.dumps({"identities": [self._identity()]}))
        if tls:
            make_certificates(folder)

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
            "-master.volumeSizeLimitMB=64", f"-volume.port={self._volume}", "-volume.max=2000",
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
        """Start it and wait until it answers, at most a minute."""
        log = (self.folder / "output.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                self._command(), cwd=self.folder, stdout=log, stderr=log,
                env={**os.environ, "TMPDIR": str(self.folder), **self._more},
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            if self._answers():
                return
            time.sleep(0.1)
        self.stop()
        tail = (self.folder / "output.log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"SeaweedFS did not start: {tail}")

    def _answers(self) -> bool:
        try:
            self.client(tries=1).list_buckets()
        except (BotoCoreError, ClientError, OSError):
            return False
        return True

    def stop(self, *, kill: bool = False) -> None:
        """End the process, at once and without warning where it is to be a kill."""
        process, self._process = self._process, None
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
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop(kill=True)  # its data goes with it; asked kindly, it takes ten seconds

    def client(self, *, tries: int = 3, endpoint: str | None = None) -> Any:
        """A client of boto3's own, for what somebody else does to a bucket and for looking past our code."""
        return boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint or self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            verify=None if self.ca_file is None else str(self.ca_file),
            config=Config(retries={"mode": "standard", "total_max_attempts": tries}, connect_timeout=5),
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
        server.start()
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


def make_certificates(folder: Path) -> None:
    """`ca.pem`, and by it `server.pem` with `server.key` for `localhost` and 127.0.0.1."""
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.DNSName("*.localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    )
    authority = _certificate(issuer, issuer, authority_key, authority_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip
    authority = authority.add_extension(usage, critical=True)
    server = _certificate(subject, issuer, server_key, authority_key).add_extension(names, critical=False)
    for name, builder in (("ca.pem", authority), ("server.pem", server)):
        signed = builder.sign(authority_key, hashes.SHA256())
        (folder / name).write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
