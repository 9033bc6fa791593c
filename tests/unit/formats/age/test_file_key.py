"""A file key in an identity's place: it opens its own file, and is checked as whatever unwrapping gives."""

import pytest

from archiver.formats.age import (
    BytesSource,
    FileKeyIdentity,
    HmacError,
    HybridIdentity,
    KeyFormatError,
    PayloadError,
    SeekReader,
    X25519Identity,
    decrypt,
    encrypt,
)
from archiver.formats.age.payload import CHUNK_BYTES

PLAIN = bytes(range(256)) * 300


@pytest.mark.parametrize("kind", [X25519Identity, HybridIdentity])
def test_the_file_key_that_a_reader_found_opens_the_file_again(
    kind: type[X25519Identity] | type[HybridIdentity],
) -> None:
    identity = kind.generate()
    sealed = encrypt([identity.recipient()], PLAIN)
    key = SeekReader(BytesSource(sealed), [identity]).file_key
    assert decrypt([FileKeyIdentity(key)], sealed) == PLAIN
    again = SeekReader(BytesSource(sealed), [FileKeyIdentity(key)])
    assert (again.read_at(70_000, 10), again.file_key) == (PLAIN[70_000:70_010], key)
    assert SeekReader.with_file_key(BytesSource(sealed), key).file_key == key


def test_another_files_key_and_an_altered_header_are_refused_by_the_headers_mac() -> None:
    identity = X25519Identity.generate()
    sealed, other = (encrypt([identity.recipient()], PLAIN) for _ in range(2))
    key = FileKeyIdentity(SeekReader(BytesSource(sealed), [identity]).file_key)
    with pytest.raises(HmacError):
        SeekReader(BytesSource(other), [key])
    with pytest.raises(HmacError):
        decrypt([key], other)
    at = sealed.index(b"\n", 30) + 10  # in the stanza's body, which a file key has no need of
    altered = sealed[:at] + (b"A" if sealed[at : at + 1] != b"A" else b"B") + sealed[at + 1 :]
    with pytest.raises(HmacError):
        SeekReader(BytesSource(altered), [key])


def test_the_payload_is_authenticated_as_ever() -> None:
    identity = X25519Identity.generate()
    sealed = bytearray(encrypt([identity.recipient()], PLAIN))
    key = SeekReader(BytesSource(bytes(sealed)), [identity]).file_key
    sealed[-len(PLAIN) + CHUNK_BYTES // 2] ^= 1
    with pytest.raises(PayloadError):
        SeekReader(BytesSource(bytes(sealed)), [FileKeyIdentity(key)]).read_at(0, CHUNK_BYTES)


def test_what_is_no_file_key_is_refused_and_none_is_shown() -> None:
    with pytest.raises(KeyFormatError):
        FileKeyIdentity(bytes(15))
    key = bytes(range(65, 81))
    shown = repr(FileKeyIdentity(key))
    assert key.decode() not in shown
    assert key.hex() not in shown
