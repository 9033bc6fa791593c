"""age streams under any size, any pattern of writes and reads, and any damage."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.formats.age import (
    AgeError,
    BytesSource,
    DecryptReader,
    PayloadError,
    SeekReader,
    X25519Identity,
    decrypt,
    encrypt,
    encrypt_stream,
)
from archiver.formats.age.payload import CHUNK_BYTES, SEALED_CHUNK_BYTES

IDENTITY = X25519Identity(bytes(range(32)))
RECIPIENT = IDENTITY.recipient()
BORDERS = [0, 1, 65535, 65536, 65537, 131071, 131072, 131073, 262144, 262145, 327680]
PLAIN = bytes(index * 2654435761 >> 13 & 255 for index in range(BORDERS[-1] + 70_000))

sizes = st.sampled_from(BORDERS) | st.integers(0, len(PLAIN))
steps = st.lists(st.sampled_from([1, 7, 4096, 65535, 65536, 65537, 200_000]), min_size=1, max_size=8)

# One file of four chunks, the last one short, for all damage.
DAMAGED_PLAIN = PLAIN[: 3 * CHUNK_BYTES + 1000]
SEALED = encrypt([RECIPIENT], DAMAGED_PLAIN)
PAYLOAD_START = len(SEALED) - len(DAMAGED_PLAIN) - 4 * 16


def release_all(sealed: bytes) -> tuple[bytes, AgeError | None]:
    """Everything the sequential reader releases, and what stopped it."""
    released = bytearray()
    try:
        reader = DecryptReader(BytesIO(sealed), [IDENTITY])
        while part := reader.read1(50_000):
            released += part
    except AgeError as error:
        return bytes(released), error
    return bytes(released), None


def assert_refused(sealed: bytes) -> None:
    """Both readers raise, and neither releases a byte that is not the plaintext's at that place."""
    released, error = release_all(sealed)
    assert error is not None
    assert DAMAGED_PLAIN.startswith(released)
    assert len(released) % CHUNK_BYTES in (0, 1000)
    with pytest.raises(AgeError):
        decrypt([IDENTITY], sealed)
    failures = []
    try:
        reader = SeekReader(BytesSource(sealed), [IDENTITY])
    except AgeError:
        return
    for offset in range(0, reader.size, CHUNK_BYTES):
        try:
            assert reader.read_at(offset, CHUNK_BYTES) == DAMAGED_PLAIN[offset : offset + CHUNK_BYTES]
        except PayloadError as payload_error:
            failures.append((payload_error.chunk, offset // CHUNK_BYTES))
    assert failures
    assert all(named == asked for named, asked in failures)


@given(sizes, steps, steps, st.booleans())
@settings(deadline=None)
def test_any_writes_read_back_by_any_reads(
    size: int, write_steps: list[int], read_steps: list[int], armor: bool
) -> None:
    sealed = BytesIO()
    with encrypt_stream([RECIPIENT], sealed, armor=armor) as writer:
        at = 0
        while at < size:
            for step in write_steps:
                at += writer.write(PLAIN[at : min(size, at + step)])
    assert writer.plain_bytes == size
    reader = DecryptReader(BytesIO(sealed.getvalue()), [IDENTITY])
    plain = bytearray()
    finished = False
    while not finished:
        for step in read_steps:
            part = reader.read(step)
            plain += part
            finished = finished or len(part) < step
    assert plain == PLAIN[:size]
    assert reader.read(1) == b""


@given(sizes, st.lists(st.tuples(st.integers(0, len(PLAIN)), st.integers(0, 150_000)), max_size=10))
@settings(deadline=None)
def test_any_range_reads_as_a_slice_does(size: int, ranges: list[tuple[int, int]]) -> None:
    reader = SeekReader(BytesSource(encrypt([RECIPIENT], PLAIN[:size])), [IDENTITY], cached_chunks=2)
    assert reader.size == size
    for offset, length in ranges:
        assert reader.read_at(offset, length) == PLAIN[:size][offset : offset + length]


@pytest.mark.parametrize("size", BORDERS)
def test_sizes_around_chunk_borders_come_back_whole(size: int) -> None:
    sealed = encrypt([RECIPIENT], PLAIN[:size])
    assert decrypt([IDENTITY], sealed) == PLAIN[:size]
    reader = SeekReader(BytesSource(sealed), [IDENTITY])
    assert reader.size == size
    assert reader.read_at(0, size + 1) == PLAIN[:size]


@given(st.integers(0, len(SEALED) - 1) | st.integers(0, PAYLOAD_START), st.integers(1, 255))
@settings(deadline=None)
def test_a_flipped_byte_anywhere_is_refused(at: int, change: int) -> None:
    assert_refused(SEALED[:at] + bytes([SEALED[at] ^ change]) + SEALED[at + 1 :])


@given(
    st.integers(0, len(SEALED) - 1)
    | st.sampled_from([PAYLOAD_START + chunk * SEALED_CHUNK_BYTES for chunk in range(4)])
)
@settings(deadline=None)
def test_a_cut_anywhere_is_refused(length: int) -> None:
    assert_refused(SEALED[:length])


@given(st.binary(min_size=1, max_size=100) | st.binary(min_size=70_000, max_size=70_000))
@settings(deadline=None, max_examples=30)
def test_anything_appended_is_refused(tail: bytes) -> None:
    assert_refused(SEALED + tail)


@given(st.permutations(range(4)).filter(lambda order: list(order) != [0, 1, 2, 3]))
def test_chunks_in_another_order_are_refused(order: list[int]) -> None:
    payload = SEALED[PAYLOAD_START:]
    chunks = [payload[at : at + SEALED_CHUNK_BYTES] for at in range(0, len(payload), SEALED_CHUNK_BYTES)]
    assert_refused(SEALED[:PAYLOAD_START] + b"".join(chunks[chunk] for chunk in order))


@given(st.sets(st.integers(0, 3), min_size=1))
def test_a_chunk_left_out_is_refused(left_out: set[int]) -> None:
    payload = SEALED[PAYLOAD_START:]
    chunks = [payload[at : at + SEALED_CHUNK_BYTES] for at in range(0, len(payload), SEALED_CHUNK_BYTES)]
    kept = [chunk for number, chunk in enumerate(chunks) if number not in left_out]
    assert_refused(SEALED[:PAYLOAD_START] + b"".join(kept))


def test_a_chunk_of_another_file_is_refused() -> None:
    other = encrypt([RECIPIENT], DAMAGED_PLAIN)
    border = PAYLOAD_START + SEALED_CHUNK_BYTES
    assert_refused(SEALED[:border] + other[border : border + SEALED_CHUNK_BYTES] + SEALED[-1000:])
    assert_refused(other[:PAYLOAD_START] + SEALED[PAYLOAD_START:])
