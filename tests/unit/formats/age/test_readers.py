"""Reading: what a reader gives, when it raises, and what a range costs."""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from archiver.formats.age import (
    ArmorError,
    BytesSource,
    DecryptReader,
    FileSource,
    HeaderError,
    HmacError,
    HybridIdentity,
    NoMatchError,
    PayloadError,
    SeekReader,
    X25519Identity,
    decrypt,
    encrypt,
)
from archiver.formats.age.header import MAX_HEADER_BYTES, Stanza, format_header
from archiver.formats.age.payload import CHUNK_BYTES, SEALED_CHUNK_BYTES

IDENTITY = X25519Identity(bytes(range(32)))
RECIPIENT = IDENTITY.recipient()
PLAIN = bytes(index * 2654435761 >> 13 & 255 for index in range(10 * CHUNK_BYTES + 100))
SEALED = encrypt([RECIPIENT], PLAIN)
PAYLOAD_START = len(SEALED) - len(PLAIN) - 11 * 16


class CountingSource(BytesSource):
    """Bytes in memory that note every read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.reads: list[tuple[int, int]] = []

    def read_at(self, offset: int, length: int) -> bytes:
        data = super().read_at(offset, length)
        self.reads.append((offset, len(data)))
        return data


def damage_chunk(chunk: int) -> bytes:
    at = PAYLOAD_START + chunk * SEALED_CHUNK_BYTES + 5
    return SEALED[:at] + bytes([SEALED[at] ^ 1]) + SEALED[at + 1 :]


def test_a_read_that_meets_damage_raises_and_read1_gives_all_before_it() -> None:
    sealed = damage_chunk(2)
    reader = DecryptReader(io.BytesIO(sealed), [IDENTITY])
    assert reader.read(CHUNK_BYTES) == PLAIN[:CHUNK_BYTES]
    with pytest.raises(PayloadError, match=r"^chunk 2 failed authentication$"):
        reader.read(CHUNK_BYTES + 1)
    with pytest.raises(PayloadError) as caught:
        reader.read(1)
    assert caught.value.chunk == 2
    reader = DecryptReader(io.BytesIO(sealed), [IDENTITY])
    assert reader.read1(10) == PLAIN[:10]
    assert reader.read1() == PLAIN[10 : 2 * CHUNK_BYTES]
    for _ in range(2):
        with pytest.raises(PayloadError):
            reader.read1()


def test_a_cut_and_an_appended_file_are_told_apart_from_an_altered_one() -> None:
    border = PAYLOAD_START + 3 * SEALED_CHUNK_BYTES
    with pytest.raises(PayloadError, match=r"^chunk 3 is missing: the file is cut short$"):
        decrypt([IDENTITY], SEALED[:border])
    with pytest.raises(PayloadError, match=r"^chunk 2 is not the final one: the file is cut short$"):
        SeekReader(BytesSource(SEALED[:border]), [IDENTITY])
    whole = encrypt([RECIPIENT], PLAIN[: 3 * CHUNK_BYTES])
    with pytest.raises(PayloadError, match=r"^chunk 3 follows the final chunk: something was appended$"):
        decrypt([IDENTITY], whole + bytes(100))
    with pytest.raises(PayloadError, match=r"^chunk 3 failed authentication$"):
        SeekReader(BytesSource(whole + bytes(100)), [IDENTITY])


def test_a_reader_serves_whoever_wants_a_file(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as pack:
        entry = tarfile.TarInfo("plain")
        entry.size = len(PLAIN)
        pack.addfile(entry, io.BytesIO(PLAIN))
    reader = DecryptReader(io.BytesIO(encrypt([RECIPIENT], packed.getvalue())), [IDENTITY])
    with tarfile.open(fileobj=reader, mode="r|") as pack:
        member = pack.next()
        assert member is not None
        content = pack.extractfile(member)
        assert content is not None
        assert content.read() == PLAIN
    buffer = bytearray(100_000)
    reader = DecryptReader(io.BytesIO(SEALED), [IDENTITY])
    assert reader.readinto(buffer) == 100_000
    assert buffer == PLAIN[:100_000]
    assert reader.read() == PLAIN[100_000:]
    assert reader.readinto(buffer) == 0


def test_a_reader_takes_a_pipe() -> None:
    reading, writing = os.pipe()
    sealed = encrypt([RECIPIENT], PLAIN[:30_000])
    with os.fdopen(reading, "rb", buffering=0) as source:
        with os.fdopen(writing, "wb", buffering=0) as destination:
            destination.write(sealed)
        assert DecryptReader(source, [IDENTITY]).read() == PLAIN[:30_000]


@pytest.mark.parametrize("identity", [IDENTITY, HybridIdentity(bytes(range(32)))])
def test_opening_takes_one_read_for_the_header_and_one_for_the_last_chunk(
    identity: X25519Identity | HybridIdentity,
) -> None:
    source = CountingSource(encrypt([identity.recipient()], PLAIN))
    reader = SeekReader(source, [identity])
    assert source.reads == [(0, 4096), (source.size - 116, 116)]
    assert (reader.chunks_read, reader.bytes_read, reader.size) == (1, 4096 + 116, len(PLAIN))


def test_a_small_file_takes_one_read_in_all() -> None:
    source = CountingSource(encrypt([RECIPIENT], b"plain"))
    reader = SeekReader(source, [IDENTITY])
    assert reader.read_at(0, 5) == b"plain"
    assert source.reads == [(0, source.size)]


def test_a_range_costs_only_its_chunks_in_one_read() -> None:
    source = CountingSource(SEALED)
    reader = SeekReader(source, [IDENTITY])
    source.reads.clear()
    assert reader.read_at(3 * CHUNK_BYTES - 1, 2) == PLAIN[3 * CHUNK_BYTES - 1 : 3 * CHUNK_BYTES + 1]
    assert source.reads == [(PAYLOAD_START + 2 * SEALED_CHUNK_BYTES, 2 * SEALED_CHUNK_BYTES)]
    assert reader.chunks_read == 3
    reader.read_at(2 * CHUNK_BYTES, 2 * CHUNK_BYTES)
    assert len(source.reads) == 1
    reader.read_at(CHUNK_BYTES, 4 * CHUNK_BYTES)
    assert [length // SEALED_CHUNK_BYTES for _, length in source.reads[1:]] == [1, 1]


def test_only_so_many_chunks_are_kept() -> None:
    reader = SeekReader(BytesSource(SEALED), [IDENTITY], cached_chunks=2)
    for chunk in (0, 1, 0, 2):  # 2 pushes out 1, which was used longest ago
        reader.read_at(chunk * CHUNK_BYTES, 1)
    assert reader.chunks_read == 4
    reader.read_at(0, 1)
    assert reader.chunks_read == 4
    reader.read_at(CHUNK_BYTES, 1)
    assert reader.chunks_read == 5


def test_a_damaged_chunk_leaves_the_others_readable() -> None:
    reader = SeekReader(BytesSource(damage_chunk(7)), [IDENTITY])
    with pytest.raises(PayloadError, match=r"^chunk 7 failed authentication$"):
        reader.read_at(6 * CHUNK_BYTES, 2 * CHUNK_BYTES)
    assert reader.read_at(8 * CHUNK_BYTES, 10) == PLAIN[8 * CHUNK_BYTES : 8 * CHUNK_BYTES + 10]


def test_a_file_that_shrinks_while_open_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sealed.age"
    path.write_bytes(SEALED)
    with FileSource(path) as source:
        reader = SeekReader(source, [IDENTITY])
        os.truncate(path, PAYLOAD_START + 5 * SEALED_CHUNK_BYTES + 10)
        with pytest.raises(PayloadError, match=r"^chunk 5 cannot be read"):
            reader.read_at(4 * CHUNK_BYTES, 2 * CHUNK_BYTES)


def test_a_file_source_takes_a_path_or_a_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "sealed.age"
    path.write_bytes(SEALED)
    with FileSource(str(path)) as source:
        assert SeekReader(source, [IDENTITY]).read_at(0, len(PLAIN)) == PLAIN
    with pytest.raises(OSError, match="Bad file descriptor"):
        source.read_at(0, 1)
    with path.open("rb") as file:
        with FileSource(file.fileno()) as source:
            assert source.size == len(SEALED)
        assert FileSource(file.fileno()).read_at(source.size - 3, 10) == SEALED[-3:]


def test_reads_outside_the_plaintext_give_nothing_and_negative_ones_are_a_mistake() -> None:
    reader = SeekReader(BytesSource(SEALED), [IDENTITY])
    assert reader.read_at(len(PLAIN), 5) == b""
    assert reader.read_at(len(PLAIN) - 2, 5) == PLAIN[-2:]
    assert reader.read_at(0, 0) == b""
    for offset, length in ((-1, 5), (0, -1)):
        with pytest.raises(ValueError, match="negative"):
            reader.read_at(offset, length)


def test_a_header_with_many_recipients_is_read_in_few_steps() -> None:
    recipient = HybridIdentity(bytes(range(32))).recipient()
    sealed = encrypt([recipient] * 60, PLAIN[:100_000])
    source = CountingSource(sealed)
    assert SeekReader(source, [HybridIdentity(bytes(range(32)))]).read_at(0, 9) == PLAIN[:9]
    assert [length for _, length in source.reads[:4]] == [4096, 16384, 65536, len(sealed)]
    assert decrypt([HybridIdentity(bytes(range(32)))], sealed) == PLAIN[:100_000]


def test_a_header_without_end_is_given_up_at_the_limit() -> None:
    endless = b"age-encryption.org/v1\n-> a\n" + b"A" * 64 * 20_000
    source = CountingSource(endless)
    with pytest.raises(HeaderError, match="no end within"):
        SeekReader(source, [IDENTITY])
    assert max(length for _, length in source.reads) == MAX_HEADER_BYTES
    file = io.BytesIO(endless)
    with pytest.raises(HeaderError, match="no end within"):
        DecryptReader(file, [IDENTITY])
    assert file.tell() <= 2 * MAX_HEADER_BYTES


def test_a_header_with_more_than_256_stanzas_is_refused() -> None:
    stanzas = [Stanza((b"a",), b"")] * 257
    with pytest.raises(HeaderError, match="more than 256"):
        decrypt([IDENTITY], format_header(stanzas, bytes(16)))
    with pytest.raises(NoMatchError):
        decrypt([IDENTITY], format_header(stanzas[:256], bytes(16)))


@pytest.mark.parametrize("code", [0, 9, 13, 31, 127, 128, 255])
def test_an_argument_of_other_than_visible_characters_is_refused(code: int) -> None:
    stanzas = [Stanza((b"a", b"b" + bytes([code])), b"")]
    with pytest.raises(HeaderError, match="malformed argument"):
        decrypt([IDENTITY], format_header(stanzas, bytes(16)))


def test_a_stanza_added_by_somebody_shows() -> None:
    first_line, rest = SEALED.split(b"\n", 1)
    with pytest.raises(HmacError):
        decrypt([IDENTITY], first_line + b"\n-> grease\n\n" + rest)


def test_a_passphrase_stanza_beside_another_is_refused_whatever_the_identity() -> None:
    file_key = bytes(16)
    stanzas = [RECIPIENT.wrap(file_key), Stanza((b"scrypt", b"A" * 22, b"4"), bytes(32))]
    with pytest.raises(HeaderError, match="beside another"):
        decrypt([IDENTITY], format_header(stanzas, file_key) + bytes(100))


def test_no_identity_at_all_matches_nothing() -> None:
    with pytest.raises(NoMatchError):
        decrypt([], SEALED)


def test_an_armored_file_that_is_too_large_has_no_random_access() -> None:
    class Huge(BytesSource):
        """A source that says it is larger than it is."""

        def __init__(self, data: bytes) -> None:
            super().__init__(data)
            self.size = 1 << 40

    with pytest.raises(ArmorError, match="no random access"):
        SeekReader(Huge(encrypt([RECIPIENT], b"plain", armor=True)), [IDENTITY])


def test_endless_whitespace_around_armor_is_given_up() -> None:
    armored = encrypt([RECIPIENT], b"plain", armor=True)
    assert decrypt([IDENTITY], b"\n" * 900 + armored + b"\r\n \t" * 20) == b"plain"
    with pytest.raises(ArmorError, match="whitespace"):
        decrypt([IDENTITY], armored + b"\n" * 2000)


def test_importing_age_loads_neither_hpke_nor_scrypt_nor_the_rest_of_the_package() -> None:
    script = (
        "import sys, archiver.formats.age\n"
        "primitives = 'cryptography.hazmat.primitives.'\n"
        "heavy = (primitives + 'hpke', primitives + 'kdf', 'cryptography.x509')\n"
        "print([name for name in sys.modules if name.startswith(heavy)\n"
        "  or name.startswith('archiver.') and not name.startswith('archiver.formats')])\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert result.stdout == "[]\n"
