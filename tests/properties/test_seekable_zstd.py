"""Seekable Zstandard under any sizes, any bytes and any flipped bit."""

import io
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.formats.seekable_zstd import SeekableError, SeekableReader, SeekableWriter


class BytesSource:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


@given(
    pieces=st.lists(st.one_of(st.binary(max_size=300), st.none()), max_size=30),
    frame_size=st.integers(1, 500),
    threads=st.sampled_from([1, 1, 1, 2]),
    cache_bytes=st.sampled_from([0, 100, 1000, 1 << 20]),
    reads=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), max_size=20),
)
@settings(deadline=None)
def test_what_is_written_in_any_pieces_is_read_back_in_any_ranges(
    pieces: list[bytes | None], frame_size: int, threads: int, cache_bytes: int, reads: list[tuple[int, int]]
) -> None:
    destination = io.BytesIO()
    with SeekableWriter(destination, frame_size=frame_size, threads=threads) as writer:
        for piece in pieces:
            if piece is None:
                writer.end_frame()
            else:
                writer.write(piece)
    plain = b"".join(piece or b"" for piece in pieces)
    reader = SeekableReader(BytesSource(destination.getvalue()), cache_bytes=cache_bytes)
    assert reader.size == writer.plain_size == len(plain)
    for offset, length in reads:
        assert reader.read_at(offset, length) == plain[offset : offset + length]
    frames = list(reader.iter_frames())
    assert b"".join(frames) == plain
    assert all(1 <= len(frame) <= frame_size for frame in frames)


def read_whole(data: bytes) -> bytes | None:
    """The plain bytes by both ways of reading, None where our error says no."""
    results: list[bytes | None] = []
    for way in ("read_at", "iter_frames"):
        try:
            reader = SeekableReader(BytesSource(data), max_frame_size=1 << 16)
            results.append(
                reader.read_at(0, reader.size) if way == "read_at" else b"".join(reader.iter_frames())
            )
        except SeekableError:
            results.append(None)
    if results[0] is not None and results[1] is not None:
        assert results[0] == results[1]
    return results[1]


def test_no_flipped_bit_changes_what_is_read() -> None:
    plain = b"".join(b"%d and %d; " % (i * i, i % 7) for i in range(60))
    destination = io.BytesIO()
    with SeekableWriter(destination, frame_size=200, checksums=True) as writer:
        writer.write(plain)
    data = destination.getvalue()
    void = []
    for position in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            result = read_whole(bytes(flipped))
            if result is not None:
                assert result == plain, f"bit {bit} of byte {position} of {len(data)} changed what was read"
                void.append((position, bit))
    # In the table only its descriptor's two unused bits are void; in the frames very few bits are (RFC 8878
    # has an unused one in each header, padding in the codes), and their content checksums stand for them.
    table_start = len(data) - 17 - 8 * writer.frame_count
    assert [place for place in void if place[0] >= table_start] == [(len(data) - 5, 0), (len(data) - 5, 1)]
    assert len(void) < len(data) * 8 // 50


@given(
    front=st.binary(max_size=200),
    words=st.lists(st.one_of(st.integers(0, 300), st.integers(0, 0xFFFFFFFF)), max_size=12),
    count=st.one_of(st.none(), st.integers(0, 0xFFFFFFFF)),
    descriptor=st.sampled_from([0, 0, 0, 0x80, 0x03, 0x04, 0xFF]),
)
def test_any_bytes_with_any_table_raise_only_our_error(
    front: bytes, words: list[int], count: int | None, descriptor: int
) -> None:
    body = struct.pack(f"<{len(words)}I", *words)
    entries = len(words) // (3 if descriptor & 0x80 else 2)
    footer = struct.pack("<IBI", entries if count is None else count, descriptor, 0x8F92EAB1)
    read_whole(front + struct.pack("<II", 0x184D2A5E, len(body) + 9) + body + footer)


@given(
    frames=st.lists(
        st.tuples(st.binary(min_size=8, max_size=60), st.integers(0, 200)), min_size=1, max_size=6
    ),
    zstandard_magic=st.booleans(),
)
def test_any_bytes_as_frames_under_a_fitting_table_raise_only_our_error(
    frames: list[tuple[bytes, int]], zstandard_magic: bool
) -> None:
    magic = b"\x28\xb5\x2f\xfd" if zstandard_magic else b""
    bodies = [(magic + body, size) for body, size in frames]
    table = b"".join(struct.pack("<II", len(body), size) for body, size in bodies)
    header = struct.pack("<II", 0x184D2A5E, len(table) + 9)
    footer = struct.pack("<IBI", len(bodies), 0, 0x8F92EAB1)
    result = read_whole(b"".join(body for body, _ in bodies) + header + table + footer)
    assert result is None or len(result) == sum(size for _, size in bodies)


@given(st.binary(max_size=300))
def test_any_bytes_at_all_raise_only_our_error(data: bytes) -> None:
    assert read_whole(data) is None or data[-4:] == b"\xb1\xea\x92\x8f"
