"""Identities and recipients: their text, files of them, and what never shows."""

import pytest

from archiver.formats.age import (
    HeaderError,
    HybridIdentity,
    HybridRecipient,
    KeyFormatError,
    NoMatchError,
    ScryptIdentity,
    ScryptRecipient,
    X25519Identity,
    X25519Recipient,
    decrypt,
    encrypt,
    parse_identities,
    parse_identity,
    parse_recipient,
    parse_recipients,
)
from archiver.formats.age.bech32 import encode_bech32
from archiver.formats.errors import FormatError

# The specification's own examples.
SPECIFIED_IDENTITY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
SPECIFIED_RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
SPECIFIED_HYBRID = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"


def test_the_specifications_x25519_example_holds() -> None:
    identity = parse_identity(SPECIFIED_IDENTITY)
    assert isinstance(identity, X25519Identity)
    assert identity.encode() == SPECIFIED_IDENTITY
    assert identity.recipient().encode() == SPECIFIED_RECIPIENT
    assert parse_recipient(SPECIFIED_RECIPIENT) == identity.recipient()


def test_the_specifications_hybrid_example_holds() -> None:
    identity = parse_identity(SPECIFIED_HYBRID)
    assert isinstance(identity, HybridIdentity)
    assert identity.encode() == SPECIFIED_HYBRID
    text = identity.recipient().encode()
    assert text.startswith("age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zrqtzdxz95p")
    assert text.endswith(
        "8dweknw5jmqd0uvny6ttsn09508k0c55zfnegrm9efhxpfqdkmhh6gjtqmwze9pyyzk3tlhl53k2ykx3qheyty7saeq0d3fzv49zc0k"
    )
    assert parse_recipient(text) == identity.recipient()


@pytest.mark.parametrize("identity", [X25519Identity.generate(), HybridIdentity.generate()])
def test_a_generated_identity_comes_back_from_its_text(identity: X25519Identity | HybridIdentity) -> None:
    again = parse_identity(" " + identity.encode() + "\n")
    assert type(again) is type(identity)
    assert again.recipient() == identity.recipient()
    assert decrypt([again], encrypt([parse_recipient(identity.recipient().encode())], b"plain")) == b"plain"


def test_two_generated_identities_differ() -> None:
    assert X25519Identity.generate().encode() != X25519Identity.generate().encode()
    assert HybridIdentity.generate().encode() != HybridIdentity.generate().encode()


def test_no_representation_shows_a_secret() -> None:
    passphrase = "a passphrase nobody sees"
    for identity in (X25519Identity.generate(), HybridIdentity.generate()):
        secret = identity.encode()
        assert secret[16:] not in f"{identity!r} {identity} {[identity]}".upper()
        assert "age1" in repr(identity)
    assert passphrase not in repr(ScryptIdentity(passphrase)) + repr(ScryptRecipient(passphrase))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AGE-SECRET-KEY-1",
        "AGE-SECRET-KEY-PQ-1",
        SPECIFIED_IDENTITY.lower(),
        SPECIFIED_IDENTITY[:-1] + "Y",
        SPECIFIED_IDENTITY[:-9],
        SPECIFIED_IDENTITY.replace("AGE-SECRET-KEY-1GF", "AGE-SECRET-KEY-1Gf"),
        SPECIFIED_RECIPIENT,
        encode_bech32("age-secret-key-", bytes(31)).upper(),
        encode_bech32("age-secret-key-pq-", bytes(33)).upper(),
        encode_bech32("age-plugin-none-", bytes(32)).upper(),
    ],
)
def test_what_is_no_identity_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(KeyFormatError) as caught:
        parse_identity(text)
    assert len(text) < 20 or text[20:] not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age1",
        SPECIFIED_RECIPIENT.upper(),
        SPECIFIED_RECIPIENT[:-1] + "q",
        SPECIFIED_IDENTITY,
        encode_bech32("age", bytes(33)),
        encode_bech32("age1pq", bytes(1215)),
        encode_bech32("age1pq", b"\xff" * 1216),
    ],
)
def test_what_is_no_recipient_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(KeyFormatError) as caught:
        parse_recipient(text)
    assert len(text) < 20 or text[20:] not in str(caught.value)


def test_identity_files_may_have_comments_empty_lines_and_crlf() -> None:
    hybrid = HybridIdentity.generate()
    text = f"# created: today\r\n\r\n{SPECIFIED_IDENTITY}\r\n# another\n{hybrid.encode()}"
    assert [identity.encode() for identity in parse_identities(text)] == [SPECIFIED_IDENTITY, hybrid.encode()]


def test_recipient_files_may_have_comments_and_empty_lines() -> None:
    hybrid = HybridIdentity.generate().recipient()
    assert parse_recipients(f"# a\n{SPECIFIED_RECIPIENT}\n\n{hybrid.encode()}\n") == [
        X25519Recipient.parse(SPECIFIED_RECIPIENT),
        hybrid,
    ]


def test_a_bad_line_is_named_by_its_number() -> None:
    with pytest.raises(KeyFormatError, match=r"^line 3: ") as caught:
        parse_identities(f"# a\n{SPECIFIED_IDENTITY}\nsecret-nonsense\n")
    assert "nonsense" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n"])
def test_a_file_without_keys_is_refused(text: str) -> None:
    with pytest.raises(KeyFormatError, match="no identity"):
        parse_identities(text)
    with pytest.raises(KeyFormatError, match="no recipient"):
        parse_recipients(text)


def test_an_error_of_keys_is_a_format_error() -> None:
    assert issubclass(KeyFormatError, FormatError)


@pytest.mark.parametrize("passphrase", ["", "\ud800"])
def test_a_passphrase_that_cannot_be_is_refused(passphrase: str) -> None:
    with pytest.raises(KeyFormatError):
        ScryptRecipient(passphrase)
    with pytest.raises(KeyFormatError):
        ScryptIdentity(passphrase)


def test_a_work_factor_above_the_cap_is_refused_before_any_work() -> None:
    sealed = encrypt([ScryptRecipient("a passphrase", 6)], b"plain")
    assert decrypt([ScryptIdentity("a passphrase", max_work_factor=6)], sealed) == b"plain"
    with pytest.raises(HeaderError, match="work factor above 5"):
        decrypt([ScryptIdentity("a passphrase", max_work_factor=5)], sealed)


def test_a_work_factor_outside_its_range_is_a_callers_mistake() -> None:
    for work_factor in (0, 31):
        with pytest.raises(ValueError, match="work factor"):
            ScryptRecipient("a passphrase", work_factor)


def test_an_unusable_public_key_is_refused_when_encrypting() -> None:
    with pytest.raises(KeyFormatError):
        encrypt([X25519Recipient(bytes(32))], b"plain")
    low_order = HybridIdentity.generate().recipient().key[:-32] + bytes(32)
    with pytest.raises(KeyFormatError):
        encrypt([HybridRecipient(low_order)], b"plain")


def test_another_identity_of_the_same_kind_does_not_match() -> None:
    for identity in (X25519Identity, HybridIdentity):
        sealed = encrypt([identity.generate().recipient()], b"plain")
        with pytest.raises(NoMatchError):
            decrypt([identity.generate()], sealed)
