"""age's parsers on any bytes: they return or raise AgeError, never anything else."""

import contextlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archiver.formats.age import (
    AgeError,
    BytesSource,
    DecryptReader,
    HybridIdentity,
    KeyFormatError,
    ScryptIdentity,
    ScryptRecipient,
    SeekReader,
    X25519Identity,
    encrypt,
    parse_identities,
    parse_identity,
    parse_recipient,
    parse_recipients,
)
from archiver.formats.age.armor import ArmorReader, ArmorWriter, dearmor, is_armored
from archiver.formats.age.bech32 import decode_bech32, encode_bech32
from archiver.formats.age.header import Stanza, format_header, parse_header
from archiver.formats.age.raw_base64 import decode_base64, encode_base64

CLASSIC = X25519Identity(bytes(range(32)))
HYBRID = HybridIdentity(bytes(range(32)))
IDENTITIES = [CLASSIC, HYBRID, ScryptIdentity("a passphrase", max_work_factor=4)]
FILES = [
    encrypt([CLASSIC.recipient()], b"plain"),
    encrypt([HYBRID.recipient()], b"plain"),
    encrypt([ScryptRecipient("a passphrase", 4)], b"plain"),
    encrypt([CLASSIC.recipient()], b"plain", armor=True),
]

lines = st.sampled_from(
    [
        b"age-encryption.org/v1",
        b"age-encryption.org/v2",
        b"-> X25519 " + b"A" * 43,
        b"-> X25519",
        b"-> mlkem768x25519 " + b"A" * 1494,
        b"-> scrypt " + b"A" * 22 + b" 4",
        b"-> scrypt " + b"A" * 22 + b" 99999999999999999999999999",
        b"-> ",
        b"->",
        b"A" * 64,
        b"A" * 43,
        b"",
        b"---",
        b"--- " + b"A" * 43,
        b"-----BEGIN AGE ENCRYPTED FILE-----",
        b"-----END AGE ENCRYPTED FILE-----",
        b"YWdl",
        b"\xff\x00",
    ]
)
shaped = st.lists(lines, max_size=12).map(b"\n".join)
headed = shaped.map(lambda rest: b"age-encryption.org/v1\n" + rest)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid file with a few splices."""
    data = bytearray(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 80))] = draw(st.binary(max_size=80))
    return bytes(data)


anything = st.binary(max_size=3000) | shaped | headed | mutated()


@given(anything)
@settings(deadline=None, max_examples=300)
@example(b"")
@example(b"-----")
def test_readers_raise_nothing_but_age_errors(data: bytes) -> None:
    with contextlib.suppress(AgeError):
        DecryptReader(BytesIO(data), IDENTITIES).read()
    with contextlib.suppress(AgeError):
        SeekReader(BytesSource(data), IDENTITIES).read_at(0, 1000)
    with contextlib.suppress(AgeError):
        SeekReader.with_file_key(BytesSource(data), bytes(16)).read_at(0, 1000)


@given(anything)
@settings(deadline=None, max_examples=300)
def test_both_readers_give_the_same_verdict(data: bytes) -> None:
    def verdict(read: Callable[[], bytes]) -> bytes | type[AgeError]:
        try:
            return read()
        except AgeError as error:
            return type(error)

    sequential = verdict(lambda: DecryptReader(BytesIO(data), IDENTITIES).read())
    seeking = verdict(lambda: SeekReader(BytesSource(data), IDENTITIES).read_at(0, 1 << 20))
    if is_armored(data):
        # The seeking reader sees all of the armor first, the sequential one the header first.
        assert isinstance(sequential, bytes) == isinstance(seeking, bytes)
    else:
        assert sequential == seeking


@given(anything)
def test_a_parsed_header_is_the_canonical_one(data: bytes) -> None:
    try:
        header = parse_header(data)
    except AgeError:
        return
    written = format_header(header.stanzas, bytes(16))
    assert written.startswith(header.authenticated + b" ")
    assert len(written) == header.length


@given(st.lists(st.tuples(st.lists(st.from_regex(rb"[!-~]+", fullmatch=True), min_size=1), st.binary())))
def test_a_written_header_parses_to_the_same_stanzas(parts: list[tuple[list[bytes], bytes]]) -> None:
    stanzas = tuple(Stanza(tuple(arguments), body) for arguments, body in parts)
    if stanzas:
        header = parse_header(format_header(stanzas, bytes(16)) + b"payload")
        assert header.stanzas == stanzas
        header.verify(bytes(16))


@given(st.binary(max_size=500), st.integers(1, 70))
def test_armor_comes_back_however_it_is_cut(data: bytes, step: int) -> None:
    armored = BytesIO()
    writer = ArmorWriter(armored)
    for at in range(0, len(data), step):
        writer.write(data[at : at + step])
    writer.finish()
    text = armored.getvalue()
    assert dearmor(text) == data
    assert dearmor(b" \r\n" + text.replace(b"\n", b"\r\n") + b"\t\n") == data

    class Dripping:
        """A source that gives a few bytes at a time, as a pipe may."""

        def __init__(self) -> None:
            self.source = BytesIO(text)

        def read(self, length: int, /) -> bytes:
            return self.source.read(min(length, step))

    reader = ArmorReader(Dripping())
    assert b"".join(iter(lambda: reader.read(step), b"")) == data


@given(st.text(max_size=200) | st.text("AGE-SCRTKYPQ1age1pqzry9x8gf2tvdw0s3jn54khce6mua7l#\n ", max_size=200))
@pytest.mark.parametrize("parse", [parse_identity, parse_recipient, parse_identities, parse_recipients])
def test_key_parsers_raise_only_key_format_errors(parse: Callable[[str], Any], text: str) -> None:
    with contextlib.suppress(KeyFormatError):
        parse(text)


@given(st.binary(max_size=100), st.from_regex("[a-z-]{1,20}", fullmatch=True))
def test_bech32_comes_back_in_both_cases(data: bytes, prefix: str) -> None:
    text = encode_bech32(prefix, data)
    assert decode_bech32(text) == (prefix, data)
    assert decode_bech32(text.upper()) == (prefix.upper(), data)


@given(st.binary(min_size=1, max_size=40), st.data())
def test_bech32_finds_up_to_four_mistyped_characters(data: bytes, draw: st.DataObject) -> None:
    text = list(encode_bech32("age", data))
    places = draw.draw(st.sets(st.integers(4, len(text) - 1), min_size=1, max_size=4))
    for place in places:
        others = sorted(set("qpzry9x8gf2tvdw0s3jn54khce6mua7l") - {text[place]})
        text[place] = draw.draw(st.sampled_from(others))
    with pytest.raises(KeyFormatError):
        decode_bech32("".join(text))


@given(st.binary(max_size=70))
def test_base64_has_one_text_for_each_value(text: bytes) -> None:
    data = decode_base64(text)
    assert data is None or encode_base64(data) == text


@given(st.binary(max_size=70))
def test_base64_comes_back(data: bytes) -> None:
    assert decode_base64(encode_base64(data)) == data
