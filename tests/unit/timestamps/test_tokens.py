"""Which tokens are believed. They are made by the openssl program, which judges them too."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from archiver.errors import IntegrityError
from archiver.settings.timestamps import AuthoritySettings
from archiver.timestamps import (
    MAXIMUM_TOKEN_BYTES,
    UnknownAuthorityError,
    certificates_pem,
    choose_token,
    find_right,
    verify_token,
)
from tests.authority import (
    POLICY,
    Authority,
    authority,
    make_authority,
    openssl_verifies,
    signing_certificate,
)

DATA = b'{"archive": "2026-11-01"}\n'


def pinned(one: Authority, **more: object) -> AuthoritySettings:
    """The settings of an authority."""
    fields: dict[str, object] = {
        "name": one.name, "url": one.url, "certificates": (one.certificate.public_bytes(Encoding.DER),),
        "roots": (one.root.public_bytes(Encoding.DER),),
    }  # fmt: skip
    return AuthoritySettings(**{**fields, **more})  # type: ignore[arg-type]  # what a test says


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("one") / "authority") as running:
        yield running


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Somebody else, who signs for themselves."""
    return make_authority(tmp_path_factory.mktemp("other") / "authority", "other", self_signed=True)


@pytest.fixture(scope="module")
def token(one: Authority) -> bytes:
    return one.stamp(DATA)


@pytest.mark.parametrize("self_signed", [False, True])
def test_a_right_token_says_when_and_by_whom_and_openssl_agrees(tmp_path: Path, self_signed: bool) -> None:
    made = make_authority(tmp_path / "authority", self_signed=self_signed)
    before = time.time_ns() // 1_000_000_000 * 1000
    token = made.stamp(DATA)
    stamped = verify_token(token, DATA, [pinned(made)])
    assert (stamped.token, stamped.authority, stamped.serial) == (token, "test", 2)
    assert before <= stamped.time_ms <= time.time_ns() // 1_000_000
    assert openssl_verifies(token, DATA, made.root_path, tmp_path)


def test_the_certificates_kept_beside_a_token_are_all_that_openssl_needs(
    one: Authority, token: bytes, tmp_path: Path
) -> None:
    (tmp_path / "chain.pem").write_bytes(certificates_pem(pinned(one)))
    assert openssl_verifies(token, DATA, tmp_path / "chain.pem", tmp_path)


def test_a_token_of_other_bytes_is_wrong_whoever_signed_it(one: Authority, token: bytes) -> None:
    for authorities in ([pinned(one)], []):
        with pytest.raises(IntegrityError, match="of other bytes"):
            verify_token(token, DATA + b" ", authorities)


def test_a_token_of_somebody_who_is_not_in_the_settings_is_not_checked(
    one: Authority, other: Authority, token: bytes
) -> None:
    for authorities in ([], [pinned(other)]):
        with pytest.raises(UnknownAuthorityError, match="not checked: no certificate"):
            verify_token(token, DATA, authorities)
    assert verify_token(token, DATA, [pinned(other), pinned(one)]).authority == "test"


def test_a_root_that_comes_along_in_a_token_is_not_believed(one: Authority, tmp_path: Path) -> None:
    """Somebody makes a root and a signer that go by the same names and number as the pinned ones, and sends
    both along: the signature and the chain inside the token are right in themselves."""
    forger = make_authority(tmp_path / "forger")
    until = datetime.now(UTC) + timedelta(days=1)
    forged = signing_certificate(
        "test", forger.key, "test root", forger.root_key, until=until,
        serial=one.certificate.serial_number,
    )  # fmt: skip
    forger.certificate_path.write_bytes(forged.public_bytes(Encoding.PEM))
    token = forger.stamp(DATA)
    along = forger.reply((forger.folder / "stamped.tsq").read_bytes(), "-chain", str(forger.root_path))
    for forgery in (token, along):
        with pytest.raises(IntegrityError):
            verify_token(forgery, DATA, [pinned(one)])
        assert not openssl_verifies(forgery, DATA, one.root_path, tmp_path)
    assert openssl_verifies(token, DATA, forger.root_path, tmp_path)


def test_another_certificate_by_the_same_root_is_not_the_pinned_one(one: Authority, tmp_path: Path) -> None:
    """To openssl, which is given the root alone, it is as good."""
    sibling = make_authority(tmp_path / "sibling")
    until = datetime.now(UTC) + timedelta(days=1)
    for serial in (None, one.certificate.serial_number):
        certificate = signing_certificate(
            "test", sibling.key, "test root", one.root_key, until=until, serial=serial
        )
        sibling.certificate_path.write_bytes(certificate.public_bytes(Encoding.PEM))
        token = sibling.stamp(DATA)
        assert openssl_verifies(token, DATA, one.root_path, tmp_path)
        error = UnknownAuthorityError if serial is None else IntegrityError
        with pytest.raises(error):
            verify_token(token, DATA, [pinned(one)])


def test_a_pinned_certificate_under_another_root_is_not_right(
    one: Authority, other: Authority, token: bytes
) -> None:
    roots = (other.root.public_bytes(Encoding.DER),)
    with pytest.raises(IntegrityError, match="unable to get local issuer certificate"):
        verify_token(token, DATA, [pinned(one, roots=roots)])


def test_a_certificate_that_is_not_for_time_stamps_is_not_believed_though_it_is_pinned(
    one: Authority, token: bytes, tmp_path: Path
) -> None:
    """openssl makes no such token: the certificate in one is exchanged for another as long, by the same root,
    with the same key and number."""
    right = one.certificate.public_bytes(Encoding.DER)
    for _ in range(200):  # a signature's length differs by a byte or two
        made = signing_certificate(
            "test", one.key, "test root", one.root_key, until=one.certificate.not_valid_after_utc,
            usage=ExtendedKeyUsageOID.EMAIL_PROTECTION, serial=one.certificate.serial_number,
        )  # fmt: skip
        wrong = made.public_bytes(Encoding.DER)
        if len(wrong) == len(right):
            break
    exchanged = token.replace(right, wrong)
    assert exchanged != token
    with pytest.raises(IntegrityError):
        verify_token(exchanged, DATA, [pinned(one, certificates=(wrong,))])
    assert not openssl_verifies(exchanged, DATA, one.root_path, tmp_path)


def test_a_token_counts_by_its_own_time_when_the_certificate_has_expired_since(tmp_path: Path) -> None:
    made = make_authority(tmp_path / "authority", valid_seconds=2)
    token = made.stamp(DATA)
    while datetime.now(UTC) <= made.certificate.not_valid_after_utc + timedelta(seconds=1):
        time.sleep(0.1)
    stamped = verify_token(token, DATA, [pinned(made)])
    assert not openssl_verifies(token, DATA, made.root_path, tmp_path)
    at = str(stamped.time_ms // 1000)
    assert openssl_verifies(token, DATA, made.root_path, tmp_path, "-attime", at)
    with pytest.raises(IntegrityError, match="expired"):
        verify_token(made.stamp(DATA), DATA, [pinned(made)])


def test_certificates_of_earlier_years_stay_pinned_beside_todays(
    one: Authority, other: Authority, token: bytes
) -> None:
    both = (other.certificate.public_bytes(Encoding.DER), one.certificate.public_bytes(Encoding.DER))
    roots = (other.root.public_bytes(Encoding.DER), one.root.public_bytes(Encoding.DER))
    changed = pinned(other, certificates=both, roots=roots)
    assert verify_token(token, DATA, [changed]).authority == "other"
    assert verify_token(other.stamp(DATA), DATA, [changed]).authority == "other"


def test_a_policy_that_is_named_must_be_the_tokens(one: Authority, token: bytes) -> None:
    assert verify_token(token, DATA, [pinned(one, policy=POLICY)]).authority == "test"
    with pytest.raises(IntegrityError, match="Policy"):
        verify_token(token, DATA, [pinned(one, policy="1.2.3.4.2")])


def test_a_token_without_a_certificate_inside_is_not_taken(one: Authority) -> None:
    """Nobody could check it later by itself."""
    source, query = one.folder / "bare.data", one.folder / "bare.tsq"
    source.write_bytes(DATA)
    one._openssl("-query", "-data", str(source), "-sha256", "-out", str(query))
    with pytest.raises(IntegrityError, match="not signed by the certificate pinned"):
        verify_token(one.reply(query.read_bytes()), DATA, [pinned(one)])


def test_a_token_over_another_hash_than_sha256_is_not_taken(one: Authority) -> None:
    with pytest.raises(IntegrityError, match="not over a SHA-256"):
        verify_token(one.stamp(DATA, "-sha512"), DATA, [pinned(one)])


def test_a_refusal_is_told_in_the_authoritys_words(one: Authority) -> None:
    source, query = one.folder / "md5.data", one.folder / "md5.tsq"
    source.write_bytes(DATA)
    one._openssl("-query", "-data", str(source), "-md5", "-out", str(query))
    with pytest.raises(IntegrityError, match=r"refused, with status 2: .*not supported"):
        verify_token(one.reply(query.read_bytes()), DATA, [pinned(one)])


def test_whatever_byte_is_altered_or_cut_off_nothing_but_ours_is_raised_and_nothing_else_is_said(
    one: Authority, token: bytes
) -> None:
    """What may change unseen is not signed: two version numbers and the name of the signature's kind."""
    right, unseen = verify_token(token, DATA, [pinned(one)]), 0
    for place in range(len(token)):
        altered = bytearray(token)
        altered[place] ^= 1
        for made in (bytes(altered), token[:place]):
            try:
                stamped = verify_token(made, DATA, [pinned(one)])
            except (IntegrityError, UnknownAuthorityError):
                continue
            unseen += 1
            assert (stamped.time_ms, stamped.serial) == (right.time_ms, right.serial)
    assert unseen <= 12


@pytest.mark.parametrize(
    "garbage", [b"", b"\x30", b"\x30\x03\x02\x01\x05", b"<html>busy</html>", b"\x30\x84\xff\xff\xff\xff"]
)
def test_what_is_no_token_is_wrong(one: Authority, garbage: bytes) -> None:
    with pytest.raises(IntegrityError, match="none that can be read"):
        verify_token(garbage, DATA, [pinned(one)])


def test_bytes_after_a_token_and_a_token_beyond_all_size_are_wrong(one: Authority, token: bytes) -> None:
    with pytest.raises(IntegrityError, match="none that can be read"):
        verify_token(token + b"\n", DATA, [pinned(one)])
    with pytest.raises(IntegrityError, match="larger than"):
        verify_token(token + bytes(MAXIMUM_TOKEN_BYTES), DATA, [pinned(one)])


def test_of_several_tokens_those_of_authorities_in_the_settings_are_right_before_others(
    one: Authority, other: Authority, token: bytes
) -> None:
    unknown, wrong = other.stamp(DATA), one.stamp(b"other bytes")
    assert find_right([unknown, wrong, token], DATA, [pinned(one)]) == [token]
    assert find_right([unknown, wrong], DATA, [pinned(one)]) == [unknown]
    assert choose_token([wrong, b"garbage"], DATA, [pinned(one)]) is None
