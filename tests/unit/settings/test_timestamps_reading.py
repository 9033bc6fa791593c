"""`[[timestamp]]`: what is read, and every problem with its place."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from archiver.settings import Settings, SettingsError, parse_settings
from archiver.settings.timestamps_reading import MAXIMUM_CERTIFICATES_BYTES
from tests.authority import Authority, make_authority, signing_certificate

PEM = Encoding.PEM


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("one") / "authority")


def read(text: str, folder: Path) -> Settings:
    for name in ("keys/recipients.txt", "collector/signing_key", "collector/spool.identity"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    return parse_settings(text.encode(), folder / "archiver.toml")


def problems(text: str, folder: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read(text, folder)
    return [str(problem) for problem in caught.value.problems]


def table(one: Authority, **more: object) -> str:
    return one.settings(**{"url": "https://timestamp.example.org/tsr", **more})


def test_without_a_table_nobody_is_asked(tmp_path: Path) -> None:
    assert read("", tmp_path).timestamps == ()


def test_every_key_is_read_and_certificates_with_it(one: Authority, tmp_path: Path) -> None:
    (tmp_path / "proxy.pem").touch()
    text = table(one, policy="1.3.6.1.4.1.4146.2.3", timeout_seconds=30, ca_file="proxy.pem")
    (found,) = read(text, tmp_path).timestamps
    assert (found.name, found.url) == ("test", "https://timestamp.example.org/tsr")
    assert (found.policy, found.timeout_seconds) == ("1.3.6.1.4.1.4146.2.3", 30)
    assert found.ca_file == tmp_path / "proxy.pem"
    assert found.certificates == (one.certificate.public_bytes(Encoding.DER),)
    assert found.roots == (one.root.public_bytes(Encoding.DER),)


def test_authorities_stay_in_order_and_each_has_its_own_name(one: Authority, tmp_path: Path) -> None:
    found = read(table(one, name="b") + table(one, name="a"), tmp_path).timestamps
    assert [each.name for each in found] == ["b", "a"]
    assert problems(table(one) + table(one), tmp_path) == [
        "timestamp[2].name: an authority test is given twice (give each a name of its own)"
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://timestamp.example.org", "http://127.0.0.1:8080/tsr", "https://[::1]:443/a/b?c=d",
        "https://TIMESTAMP.example.org/",
    ],
)  # fmt: skip
def test_plain_http_is_as_good_as_https(one: Authority, tmp_path: Path, url: str) -> None:
    assert read(table(one, url=url), tmp_path).timestamps[0].url == url


@pytest.mark.parametrize(
    "url",
    [
        "timestamp.example.org", "ftp://timestamp.example.org", "https://", "https://user:seven@example.org/",
        "https://example.org:0/", "https://example.org:99999/", "https://[::1/", "https://example.org/#part",
        "https://example.org/a b", "https://example.org/\u0430", "https://ex_ample.org/", "https://a\nb/",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_not_repeated(one: Authority, tmp_path: Path, url: str) -> None:
    (problem,) = problems(table(one, url=url), tmp_path)
    assert problem.startswith("timestamp[1].url: this is not the address of an authority")
    assert "seven" not in problem


def test_a_self_signed_certificate_is_its_own_root_and_any_other_needs_one(
    one: Authority, tmp_path: Path
) -> None:
    def rootless(made: Authority) -> str:
        return "\n".join(line for line in table(made).splitlines() if not line.startswith("root"))

    selfmade = make_authority(tmp_path / "selfmade", self_signed=True)
    (found,) = read(rootless(selfmade), tmp_path).timestamps
    assert found.roots == found.certificates == (selfmade.certificate.public_bytes(Encoding.DER),)
    (problem,) = problems(rootless(one), tmp_path)
    assert problem.startswith("timestamp[1].root: this is missing: the authority's certificate is signed by")


def test_everything_that_is_missing_or_unknown_is_named_at_once(tmp_path: Path) -> None:
    assert [line.partition(":")[0] for line in problems("[[timestamp]]\nurll = 'x'", tmp_path)] == [
        "timestamp[1].name", "timestamp[1].certificate", "timestamp[1].url", "timestamp[1].urll",
    ]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [("policy", "1.2.x"), ("policy", "9.9.9"), ("policy", "1")])
def test_a_policy_that_is_no_object_identifier_is_refused(
    one: Authority, tmp_path: Path, key: str, value: str
) -> None:
    (problem,) = problems(table(one, **{key: value}), tmp_path)
    assert problem.startswith(f"timestamp[1].policy: '{value}' cannot be right")


@pytest.mark.parametrize("key", ["certificate", "root"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no file"),
        (b"", "holds no certificates in PEM"),
        (b"\x00\xff garbage", "holds no certificates in PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no certificates in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds no certificates in PEM"),
        (bytes(MAXIMUM_CERTIFICATES_BYTES + 1), "is larger than 262,144 bytes"),
    ],
)
def test_a_file_that_holds_no_certificates_is_named(
    one: Authority, tmp_path: Path, key: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / "given.pem"
    if content is not None:
        path.write_bytes(content)
    (problem,) = problems(table(one, **{key: str(path)}), tmp_path)
    assert problem.startswith(f"timestamp[1].{key}: ")
    assert f"{path} {said}" in problem or f"{said} {path}" in problem


def test_a_file_of_more_certificates_than_anybody_has_is_refused(one: Authority, tmp_path: Path) -> None:
    (tmp_path / "many.pem").write_bytes(one.root_path.read_bytes() * 33)
    (problem,) = problems(table(one, root=str(tmp_path / "many.pem")), tmp_path)
    assert "holds 33 certificates" in problem


def test_a_certificate_whose_bytes_are_altered_anywhere_is_taken_or_named_and_nothing_else_happens(
    one: Authority, tmp_path: Path
) -> None:
    right, refused = one.certificate.public_bytes(Encoding.DER), 0
    for place in range(0, len(right), 3):
        altered = bytearray(right)
        altered[place] ^= 0x55
        body = base64.encodebytes(bytes(altered)).decode()
        text = f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"
        (tmp_path / "altered.pem").write_text(text)
        try:
            read(table(one, certificate=str(tmp_path / "altered.pem")), tmp_path)
        except SettingsError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("name", ["root", "web", "not critical"])
def test_a_certificate_that_is_not_for_time_stamps_is_named(
    one: Authority, tmp_path: Path, name: str
) -> None:
    made = {
        "root": lambda: one.root,
        "web": lambda: signing_certificate(
            "test", one.key, "test root", one.root_key, until=one.certificate.not_valid_after_utc,
            usage=ExtendedKeyUsageOID.SERVER_AUTH,
        ),
        "not critical": lambda: signing_certificate(
            "test", one.key, "test root", one.root_key, until=one.certificate.not_valid_after_utc,
            critical=False,
        ),
    }[name]()  # fmt: skip
    (tmp_path / "given.pem").write_bytes(one.certificate_path.read_bytes() + made.public_bytes(PEM))
    (problem,) = problems(table(one, certificate=str(tmp_path / "given.pem")), tmp_path)
    assert problem.startswith("timestamp[1].certificate: not every certificate in this file is for signing")
