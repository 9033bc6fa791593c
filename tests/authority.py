"""A throw-away time stamp authority: certificates of its own, the real `openssl ts -reply`, HTTP on loopback.

    with authority(folder) as one:
        one.url, one.certificate_path, one.root_path

It answers rightly until `one.answer` is set to something else, and not at all while it is `down`."""

import http.server
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from archiver.settings import toml_text
from tests.programs import require_program

POLICY = "1.2.3.4.1"
REPLY = "application/timestamp-reply"
IN_PARTS_SECONDS = 0.05
"""Between two bytes of an answer that dribbles."""
Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Answer:
    """What is sent for a query; `dribble`: one byte at a time."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": REPLY})
    dribble: bool = False


@dataclass
class Authority:
    """A running one. `queries` are all that it was asked."""

    folder: Path
    name: str
    certificate_path: Path
    root_path: Path
    key: Key
    root_key: Key
    answer: Callable[[bytes], Answer] | None = None
    queries: list[bytes] = field(default_factory=list)
    _port: int = 0
    _server: "_Server | None" = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/tsr"

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate_path.read_bytes())

    @property
    def root(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.root_path.read_bytes())

    def reply(self, query: bytes, *options: str) -> bytes:
        """What the openssl program answers: the bytes of a TimeStampResp."""
        with self._lock:  # of the file with the serial number
            asked, answered = self.folder / "query.tsq", self.folder / "reply.tsr"
            asked.write_bytes(query)
            self._openssl(
                "-reply", "-config", str(self.folder / "tsa.cnf"), "-queryfile", str(asked),
                "-signer", str(self.certificate_path), "-inkey", str(self.folder / "key.pem"),
                "-out", str(answered), *options,
            )  # fmt: skip
            return answered.read_bytes()

    def stamp(self, data: bytes, *options: str) -> bytes:
        """A right token for data, with no HTTP in between."""
        source, query = self.folder / "stamped.data", self.folder / "stamped.tsq"
        source.write_bytes(data)
        self._openssl("-query", "-data", str(source), "-sha256", "-cert", "-out", str(query), *options)
        return self.reply(query.read_bytes())

    def _openssl(self, *arguments: str) -> None:
        run = subprocess.run([require_program("openssl"), "ts", *arguments], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr

    def settings(self, **more: object) -> str:
        """Its table for `archiver.toml`."""
        values: dict[str, object] = {
            "name": self.name, "url": self.url, "certificate": str(self.certificate_path),
            "root": str(self.root_path), **more,
        }  # fmt: skip
        lines = [
            f"{key} = {toml_text(value) if isinstance(value, str) else value}"
            for key, value in values.items()
        ]
        return "\n".join(["", "[[timestamp]]", *lines, ""])

    def down(self) -> None:
        """Answer nothing more: connections are refused."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def up(self) -> None:
        """Answer again, at the same address."""
        if self._server is None:
            self._server = _Server(self, self._port)
            self._port = self._server.server_address[1]


def openssl_verifies(token: bytes, data: bytes, root: Path, folder: Path, *options: str) -> bool:
    """What the openssl program says of a token, given the authority's root alone."""
    (folder / "judged.tsr").write_bytes(token)
    (folder / "judged.data").write_bytes(data)
    run = subprocess.run(
        [
            require_program("openssl"), "ts", "-verify", "-data", str(folder / "judged.data"),
            "-in", str(folder / "judged.tsr"), "-CAfile", str(root), *options,
        ],
        capture_output=True, text=True,
    )  # fmt: skip
    assert ("Verification: OK" in run.stdout) == (run.returncode == 0), run
    return run.returncode == 0


@contextmanager
def authority(
    folder: Path,
    name: str = "test",
    *,
    self_signed: bool = False,
    valid_seconds: float = 86_400,
    usage: ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING,
) -> Iterator[Authority]:
    """An authority that keeps its files in a folder, which is made. `self_signed`: its certificate is its own
    root; else another signs it. `valid_seconds`: until its certificate has expired."""
    one = make_authority(folder, name, self_signed=self_signed, valid_seconds=valid_seconds, usage=usage)
    one.up()
    try:
        yield one
    finally:
        one.down()


def make_authority(
    folder: Path,
    name: str = "test",
    *,
    self_signed: bool = False,
    valid_seconds: float = 86_400,
    usage: ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING,
) -> Authority:
    """The same, not running: its certificates and keys."""
    folder.mkdir(parents=True)
    key, root_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    signing, root = folder / "tsa.pem", folder / ("tsa.pem" if self_signed else "root.pem")
    if not self_signed:
        _write(root, make_root(name, root_key))
    issuer_key = key if self_signed else root_key
    issuer = f"{name} authority" if self_signed else f"{name} root"
    until = datetime.now(UTC) + timedelta(seconds=valid_seconds)
    _write(signing, signing_certificate(name, key, issuer, issuer_key, until=until, usage=usage))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(
        f"[tsa]\ndefault_tsa = one\n[one]\nserial = {folder / 'serial'}\ndefault_policy = {POLICY}\n"
        "digests = sha256, sha512\naccuracy = secs:1\nsigner_digest = sha256\ness_cert_id_alg = sha256\n"
    )
    return Authority(folder, name, signing, root, key, root_key)


def signing_certificate(
    name: str,
    key: Key,
    issuer: str,
    issuer_key: Key,
    *,
    until: datetime,
    usage: ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING,
    serial: int | None = None,
    critical: bool = True,
) -> x509.Certificate:
    """A certificate for signing time stamps (RFC 3161, 2.3), unless `usage` says for something else."""
    key_usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_cert_sign=False, crl_sign=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip
    builder = _builder(f"{name} authority", key, issuer, until)
    if serial is not None:
        builder = builder.serial_number(serial)
    else:
        builder = builder.serial_number(x509.random_serial_number())
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=critical)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .sign(issuer_key, hashes.SHA256())
    )


def make_root(name: str, key: Key) -> x509.Certificate:
    """A root of this name, which signs itself."""
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip
    return (
        _builder(f"{name} root", key, f"{name} root", datetime.now(UTC) + timedelta(days=30))
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def _builder(subject: str, key: Key, issuer: str, until: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, authority: Authority, port: int) -> None:
        self.authority = authority
        self.is_stopping = False
        super().__init__(("127.0.0.1", port), _Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def server_bind(self) -> None:
        """Without the library's question to DNS for the host's full name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def stop(self) -> None:
        self.is_stopping = True
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        query = self.rfile.read(int(self.headers["Content-Length"]))
        one = self.server.authority
        one.queries.append(query)
        assert self.headers["Content-Type"] == "application/timestamp-query"
        given = one.answer(query) if one.answer is not None else Answer(one.reply(query))
        with suppress(OSError):  # whoever asked has gone
            self._send(given)

    def _send(self, given: Answer) -> None:
        self.send_response(given.status)
        headers = {"Content-Length": str(len(given.body)), "Connection": "close", **given.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()
        if not given.dribble:
            self.wfile.write(given.body)
            return
        for number in range(len(given.body)):
            if self.server.is_stopping:
                return
            self.wfile.write(given.body[number : number + 1])
            self.wfile.flush()
            time.sleep(IN_PARTS_SECONDS)

    def do_GET(self) -> None:
        self.send_error(405)

    def log_message(self, *arguments: object) -> None:
        """Nothing to standard error."""


def unused_url() -> str:
    """An address of this machine at which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}/tsr"
