"""The connection under tweepy: where it goes, what it trusts, how much and how long it reads."""

import contextlib
import datetime as dt
import gzip
import http.server
import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from archiver.settings.api import ApiSettings
from archiver.sources.x_api.session import NotTakenError, Session, TooLargeError
from tests.fakes.x_api import FakeX
from tests.fakes.x_faults import Answer, Cut, Drop, Redirect

ASKED = "https://api.twitter.com/2/users/me"


@pytest.fixture
def x() -> Iterator[FakeX]:
    with FakeX("post") as fake:
        fake.world.add_token("token-1", fake.world.add_user("SpringfieldPD"))
        yield fake


@pytest.fixture
def settings(x: FakeX) -> ApiSettings:
    return ApiSettings(base_url=x.url, connect_timeout_seconds=5, read_timeout_seconds=5)


BEARER = {"Authorization": "Bearer token-1"}


def test_what_tweepy_asks_of_its_host_goes_to_ours(x: FakeX, settings: ApiSettings) -> None:
    for address in (x.url, f"{x.url}/"):
        with Session(replace(settings, base_url=address)) as session:
            taken = session.request("GET", ASKED, params={"user.fields": "id,name"}, headers=BEARER)
        assert taken.url == f"{x.url}/2/users/me?user.fields=id%2Cname"
        assert b"SpringfieldPD" in taken.body
    assert [one.path for one in x.requests] == ["/2/users/me"] * 2


def test_an_answer_as_tweepy_sees_it_has_no_body(x: FakeX, settings: ApiSettings) -> None:
    """It formats every body for its log, and would take a token in it along."""
    with Session(settings) as session, session.request("GET", ASKED, headers=BEARER) as taken:
        assert (taken.content, taken.text) == (b"", "")
        assert taken.status_code == 200
        assert taken.body.startswith(b"{")


@pytest.mark.parametrize("status", [201, 204, 206, 304, 400, 401, 403, 404, 429, 500, 503])
def test_any_status_but_200_is_told_with_its_body(x: FakeX, settings: ApiSettings, status: int) -> None:
    body = b"" if status in (204, 304) else b"words of X"
    x.faults.add("me", Answer(status, body, {"x-transaction-id": "5"}))
    with Session(settings) as session, pytest.raises(NotTakenError, match=f"status {status}") as refused:
        session.request("GET", ASKED, headers=BEARER)
    assert refused.value.answer.body == body
    assert refused.value.answer.content == b""
    assert refused.value.answer.kept_headers["x-transaction-id"] == "5"


def test_no_redirect_is_followed_and_the_token_is_sent_nowhere_else(x: FakeX, settings: ApiSettings) -> None:
    with FakeX() as other:
        x.faults.add("me", Redirect(f"{other.url}/2/users/me", 307))
        with Session(settings) as session, pytest.raises(NotTakenError):
            session.request("GET", ASKED, headers=BEARER)
        assert other.requests == []


def test_headers_of_no_known_use_are_not_kept_and_long_ones_are_cut(x: FakeX, settings: ApiSettings) -> None:
    headers = {"Set-Cookie": "a=b", "Authorization": "c", "X-Unheard-Of": "d", "ETag": "e" * 5000}
    x.faults.add("me", Answer(200, b"{}", headers))
    with Session(settings) as session:
        kept = session.request("GET", ASKED, headers=BEARER).kept_headers
    assert not {"set-cookie", "authorization", "x-unheard-of"} & kept.keys()
    assert kept["etag"] == "e" * 1000
    assert all(name == name.lower() for name in kept)


@pytest.mark.parametrize(
    ("size", "fits"), [(99_999, True), (100_000, True), (100_001, False), (9_000_000, False)]
)
def test_a_body_is_read_up_to_a_size_and_not_beyond(
    x: FakeX, settings: ApiSettings, size: int, fits: bool
) -> None:
    x.faults.add("me", Answer(200, b"x" * size))
    with Session(replace(settings, answer_bytes=100_000)) as session:
        if fits:
            assert len(session.request("GET", ASKED, headers=BEARER).body) == size
        else:
            with pytest.raises(TooLargeError):
                session.request("GET", ASKED, headers=BEARER)


def test_a_small_body_that_unpacks_to_a_large_one_is_not_read(x: FakeX, settings: ApiSettings) -> None:
    x.faults.add("me", Answer(200, {"data": "x" * 20_000_000}))  # some 20 kB as sent
    with Session(replace(settings, answer_bytes=1_000_000)) as session, pytest.raises(TooLargeError):
        session.request("GET", ASKED, headers=BEARER)


@pytest.mark.parametrize("fault", [Cut(), Drop()], ids=repr)
def test_a_connection_that_ends_early_is_an_error_of_requests(
    x: FakeX, settings: ApiSettings, fault: Cut | Drop
) -> None:
    x.faults.add("me", fault)
    with Session(settings) as session, pytest.raises(requests.exceptions.RequestException):
        session.request("GET", ASKED, headers=BEARER)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("size", [1, 7, 5_000])
def test_a_body_that_comes_in_pieces_of_any_size_is_read_whole(packed: bool, size: int) -> None:
    body = b'{"data":[' + b",".join(b'{"id":"%d"}' % number for number in range(300)) + b"]}"
    with in_pieces(body, size, packed=packed) as url, Session(ApiSettings(base_url=url)) as session:
        assert session.request("GET", ASKED).body == body


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_in_pieces_that_ends_before_its_last_is_not_taken_for_whole(packed: bool) -> None:
    with (
        in_pieces(b"{}" * 5_000, 20, packed=packed, whole=False) as url,
        Session(ApiSettings(base_url=url)) as session,
        pytest.raises(requests.exceptions.ChunkedEncodingError),
    ):
        session.request("GET", ASKED)


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_that_stops_in_the_middle_is_late(packed: bool) -> None:
    with in_pieces(b"{}" * 5_000, 20, packed=packed, whole=False, stall_seconds=0.8) as url:
        settings = ApiSettings(base_url=url, read_timeout_seconds=0.1)  # type: ignore[arg-type]
        with Session(settings) as session, pytest.raises(requests.exceptions.ReadTimeout):
            session.request("GET", ASKED)


@contextlib.contextmanager
def in_pieces(
    body: bytes, size: int, *, packed: bool, whole: bool = True, stall_seconds: float = 0
) -> Iterator[str]:
    """A server that sends a body in chunks of a size (RFC 9112, section 7.1)."""
    sent = gzip.compress(body) if packed else body

    class Handler(_Handler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            if packed:
                self.send_header("content-encoding", "gzip")
            self.end_headers()
            for start in range(0, len(sent), size):
                piece = sent[start : start + size]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            time.sleep(stall_seconds)
            if whole:
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_a_proxy_of_the_environment_is_used(
    x: FakeX, settings: ApiSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", x.url)
    with Session(replace(settings, base_url="http://api.x.invalid")) as session:
        session.request("GET", ASKED, headers=BEARER)
    assert x.requests[0].headers["host"] == "api.x.invalid"


def test_nothing_of_a_netrc_file_is_sent(
    x: FakeX, settings: ApiSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Session(settings) as session:
        with pytest.raises(NotTakenError):
            session.request("GET", ASKED)
        session.request("GET", ASKED, headers=BEARER)
    assert [one.headers.get("authorization") for one in x.requests] == [None, "Bearer token-1"]


# Certificates


@dataclass
class Authority:
    """An authority that nobody knows, and a server that it vouches for."""

    file: Path
    url: str


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        return


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust it goes away."""


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, by: x509.Name, signed: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signed.public_key()), critical=False
        )
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
    )
    return made.sign(signed, hashes.SHA256())


@contextlib.contextmanager
def serving(folder: Path, name: str) -> Iterator[Authority]:
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} authority")])
    pem = serialization.Encoding.PEM
    authority = folder / f"{name}-authority.pem"
    authority.write_bytes(certificate(f"{name} authority", root, root_name, root, ca=True).public_bytes(pem))
    chain = folder / f"{name}.pem"
    chain.write_bytes(
        leaf.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate("127.0.0.1", leaf, root_name, root, ca=False).public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield Authority(authority, f"https://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with serving(tmp_path, "ours") as authority:
        yield authority


def ask(url: str, ca_file: Path | None) -> bytes:
    with Session(ApiSettings(base_url=url, ca_file=ca_file)) as session:
        return session.request("GET", ASKED, headers=BEARER).body


def test_the_authority_in_the_settings_is_trusted_and_without_it_nobody_unknown(known: Authority) -> None:
    assert ask(known.url, known.file) == b"{}"
    with pytest.raises(requests.exceptions.SSLError):
        ask(known.url, None)


def test_with_an_authority_in_the_settings_no_other_is_trusted(known: Authority, tmp_path: Path) -> None:
    with serving(tmp_path, "theirs") as other, pytest.raises(requests.exceptions.SSLError):
        ask(other.url, known.file)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_no_variable_of_the_environment_puts_another_in_its_place(
    known: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with serving(tmp_path, "theirs") as other:
        monkeypatch.setenv(name, str(other.file))
        assert ask(known.url, known.file) == b"{}"
        with pytest.raises(requests.exceptions.SSLError):
            ask(other.url, known.file)
