"""Seekable Zstandard: what is written, what is read of it, and every table and frame that is refused."""

import hashlib
import io
import struct
import threading
import tracemalloc
from collections.abc import Sequence

import pytest
import zstandard

from archiver.formats import FormatError
from archiver.formats.seekable_zstd import MAX_FRAME_SIZE, SeekableError, SeekableReader, SeekableWriter

SKIPPABLE = struct.pack("<II", 0x184D2A5F, 12) + b"not the data"


class RecordedSource:
    """Bytes that may be read anywhere, and a list of what was asked of them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.requests: list[tuple[int, int]] = []

    @property
    def size(self) -> int:
        return len(self.data)

    def read_at(self, offset: int, length: int) -> bytes:
        self.requests.append((offset, length))
        return self.data[offset : offset + length]


def sample(size: int) -> bytes:
    """Compressible bytes without a period: any shift in a read shows."""
    return b"".join(b"%d;" % (i * i * 2654435761 % 2**32 + 10**7) for i in range(size // 9 + 1))[:size]


def noise(size: int) -> bytes:
    """Bytes that do not compress, the same every time."""
    return hashlib.shake_128(b"noise").digest(size)


def written(plain: bytes, *, frame_size: int = 65536, checksums: bool = False) -> bytes:
    destination = io.BytesIO()
    with SeekableWriter(destination, frame_size=frame_size, checksums=checksums) as writer:
        writer.write(plain)
    return destination.getvalue()


def frame(plain: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(plain)


def undeclared_frame(plain: bytes, window_log: int = 17) -> bytes:
    """A frame whose header does not say how many bytes it holds."""
    parameters = zstandard.ZstdCompressionParameters(window_log=window_log, write_content_size=False)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return stream.compress(plain) + stream.flush()


def table(
    entries: Sequence[tuple[int, ...]],
    *,
    count: int | None = None,
    descriptor: int = 0,
    skippable_magic: int = 0x184D2A5E,
    frame_size: int | None = None,
    seekable_magic: int = 0x8F92EAB1,
) -> bytes:
    """A seek table of (compressed size, plain size[, checksum]) entries, any part of it as asked for."""
    body = b"".join(struct.pack(f"<{len(entry)}I", *entry) for entry in entries)
    stated_size = len(body) + 9 if frame_size is None else frame_size
    stated_count = len(entries) if count is None else count
    header = struct.pack("<II", skippable_magic, stated_size)
    return header + body + struct.pack("<IBI", stated_count, descriptor, seekable_magic)


def opened(data: bytes, **options: int) -> SeekableReader:
    return SeekableReader(RecordedSource(data), **options)


def read_all(reader: SeekableReader) -> bytes:
    return reader.read_at(0, reader.size)


class TestWriting:
    def test_frames_hold_exactly_the_frame_size_whatever_the_sizes_written(self) -> None:
        plain = sample(1000)
        destination = io.BytesIO()
        with SeekableWriter(destination, frame_size=100) as writer:
            for start, end in [(0, 1), (1, 99), (99, 101), (101, 101), (101, 550), (550, 1000)]:
                assert writer.write(plain[start:end]) == end - start
        reader = opened(destination.getvalue())
        assert [len(part) for part in reader.iter_frames()] == [100] * 10
        assert read_all(reader) == plain

    def test_a_frame_ended_early_begins_the_next_at_that_byte_and_an_empty_one_is_not_written(self) -> None:
        destination = io.BytesIO()
        with SeekableWriter(destination, frame_size=100) as writer:
            writer.end_frame()
            writer.write(b"a" * 30)
            writer.end_frame()
            writer.end_frame()
            writer.write(b"b" * 120)
        assert list(opened(destination.getvalue()).iter_frames()) == [b"a" * 30, b"b" * 100, b"b" * 20]

    def test_the_frame_size_can_change_between_and_within_frames(self) -> None:
        destination = io.BytesIO()
        with SeekableWriter(destination, frame_size=10) as writer:
            writer.write(b"a" * 15)
            writer.frame_size = 3
            writer.write(b"b" * 4)
            writer.frame_size = 6
            writer.write(b"c" * 7)
        assert [len(part) for part in opened(destination.getvalue()).iter_frames()] == [10, 5, 3, 6, 2]

    @pytest.mark.parametrize("size", [0, -1, MAX_FRAME_SIZE + 1])
    def test_an_impossible_frame_size_is_refused(self, size: int) -> None:
        with pytest.raises(ValueError, match="frame size"):
            SeekableWriter(io.BytesIO(), frame_size=size)

    def test_nothing_written_makes_a_valid_file_of_no_bytes(self) -> None:
        reader = opened(written(b""))
        assert (reader.size, reader.frame_count, reader.read_at(0, 10)) == (0, 0, b"")

    def test_the_counts_are_those_of_the_file(self) -> None:
        plain = sample(250_000)
        destination = io.BytesIO()
        with SeekableWriter(destination) as writer:
            writer.write(plain)
        assert (writer.plain_size, writer.frame_count) == (250_000, 4)
        assert writer.compressed_size == len(destination.getvalue())

    def test_every_frame_declares_its_size_and_carries_a_checksum_where_asked(self) -> None:
        for checksums in (False, True):
            parameters = zstandard.get_frame_parameters(written(b"x" * 500, checksums=checksums))
            assert (parameters.content_size, parameters.has_checksum) == (500, checksums)

    def test_threads_write_the_same_bytes_even_when_the_caller_reuses_its_memory(self) -> None:
        plain = sample(8_000_000)
        destination = io.BytesIO()
        reused = bytearray(100_000)
        with SeekableWriter(destination, threads=2) as writer:
            for start in range(0, len(plain), len(reused)):
                reused[:] = plain[start : start + len(reused)]
                writer.write(memoryview(reused))
            reused[:] = bytes(len(reused))
        assert destination.getvalue() == written(plain)

    @pytest.mark.parametrize("threads", [1, 2])
    def test_an_exception_leaves_no_seek_table_and_no_thread(self, threads: int) -> None:
        destination = io.BytesIO()

        def interrupted() -> None:
            with SeekableWriter(destination, threads=threads) as writer:
                writer.write(sample(4_000_000))
                raise KeyError

        with pytest.raises(KeyError):
            interrupted()
        with pytest.raises(SeekableError, match=r"no seek table|too few"):
            opened(destination.getvalue())
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("zstd")]

    @pytest.mark.parametrize("threads", [1, 2])
    def test_a_full_disk_passes_through_and_leaves_no_thread(self, threads: int) -> None:
        with (
            open("/dev/full", "wb", buffering=0) as full,
            pytest.raises(OSError, match="No space left"),
            SeekableWriter(full, threads=threads) as writer,
        ):
            writer.write(sample(200_000))
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("zstd")]

    def test_a_closed_writer_takes_nothing_more_and_writes_its_table_once(self) -> None:
        destination = io.BytesIO()
        writer = SeekableWriter(destination)
        writer.write(b"abc")
        writer.close()
        writer.close()
        assert destination.getvalue() == written(b"abc")
        with pytest.raises(ValueError, match="closed"):
            writer.write(b"d")


class TestReading:
    def test_ranges_within_across_and_beyond_frames_are_those_of_the_plain_bytes(self) -> None:
        plain = sample(1000)
        reader = opened(written(plain, frame_size=64))
        for offset in (0, 1, 63, 64, 65, 500, 960, 999, 1000, 2000):
            for length in (0, 1, 63, 64, 65, 400, 5000):
                assert reader.read_at(offset, length) == plain[offset : offset + length]

    @pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, -1)])
    def test_a_negative_offset_or_length_is_refused(self, offset: int, length: int) -> None:
        with pytest.raises(ValueError, match="cannot read"):
            opened(written(b"abc")).read_at(offset, length)

    def test_opening_asks_for_the_footer_and_the_table_only(self) -> None:
        source = RecordedSource(written(sample(1000), frame_size=100))
        reader = SeekableReader(source)
        assert source.requests == [(source.size - 9, 9), (source.size - 9 - 88, 88)]
        assert (reader.frames_read, reader.bytes_read, reader.frame_count) == (0, 97, 10)

    def test_a_read_asks_for_its_frame_only_and_neighbours_come_in_one_request(self) -> None:
        source = RecordedSource(written(sample(1000), frame_size=100))
        reader = SeekableReader(source)
        del source.requests[:]
        reader.read_at(350, 10)
        reader.read_at(505, 300)
        assert len(source.requests) == 2
        assert reader.frames_read == 1 + 4

    def test_a_read_over_frames_already_held_asks_only_for_the_others(self) -> None:
        plain = sample(1000)
        source = RecordedSource(written(plain, frame_size=100))
        reader = SeekableReader(source)
        reader.read_at(450, 10)
        del source.requests[:]
        assert read_all(reader) == plain
        assert (len(source.requests), reader.frames_read) == (2, 10)

    def test_neighbours_are_fetched_in_requests_of_about_a_megabyte(self) -> None:
        plain = noise(3_000_000)
        source = RecordedSource(written(plain))
        assert read_all(SeekableReader(source)) == plain
        assert max(length for _, length in source.requests) <= 1 << 20
        assert len(source.requests) == 2 + 3

    def test_a_frame_read_again_comes_from_memory_until_others_pushed_it_out(self) -> None:
        reader = opened(written(sample(1000), frame_size=100), cache_bytes=250)
        for offset, frames_read in [(0, 1), (50, 1), (100, 2), (0, 2), (200, 3), (0, 3), (100, 4)]:
            reader.read_at(offset, 10)
            assert reader.frames_read == frames_read

    def test_without_a_cache_every_read_decompresses(self) -> None:
        reader = opened(written(sample(1000)), cache_bytes=0)
        reader.read_at(0, 10)
        reader.read_at(0, 10)
        assert reader.frames_read == 2

    def test_a_frame_that_does_not_declare_its_size_is_read(self) -> None:
        plain = sample(5000)
        data = undeclared_frame(plain)
        assert read_all(opened(data + table([(len(data), 5000)]))) == plain

    def test_entries_with_checksums_are_read_and_unused_bits_ignored(self) -> None:
        first, second = frame(b"first"), frame(b"second")
        entries = [(len(first), 5, 0xDEADBEEF), (len(second), 6, 1)]
        assert read_all(opened(first + second + table(entries, descriptor=0x83))) == b"firstsecond"

    def test_skippable_and_empty_frames_between_the_others_hold_no_bytes(self) -> None:
        empty, data = frame(b""), frame(b"data")
        entries = [(len(empty), 0), (len(data), 4), (len(SKIPPABLE), 0), (len(data), 4), (len(empty), 0)]
        reader = opened(empty + data + SKIPPABLE + data + empty + table(entries))
        assert read_all(reader) == b"datadata"
        assert [reader.read_at(offset, 1) for offset in range(8)] == [b"d", b"a", b"t", b"a"] * 2
        assert b"".join(reader.iter_frames()) == b"datadata"

    def test_a_skippable_frame_larger_than_any_data_frame_is_not_read_into_memory(self) -> None:
        skippable = struct.pack("<II", 0x184D2A50, 3 << 20) + bytes(3 << 20)
        source = RecordedSource(
            skippable + frame(b"data") + table([(len(skippable), 0), (len(frame(b"data")), 4)])
        )
        reader = SeekableReader(source, max_frame_size=1000)
        assert list(reader.iter_frames()) == [b"", b"data"]
        assert max(length for _, length in source.requests) < 100

    def test_a_table_of_twenty_thousand_frames_finds_each(self) -> None:
        frames = [frame(b"%05d" % number) for number in range(100)]
        body = b"".join(frames) * 200
        reader = opened(body + table([(len(part), 5) for part in frames] * 200))
        assert reader.size == 100_000
        assert reader.read_at(5 * 12_345, 5) == b"00045"


DATA = frame(b"d" * 100)


class TestHostileTables:
    """Each is refused on opening, with a sentence of its own."""

    def refuse(self, data: bytes, sentence: str, **options: int) -> None:
        with pytest.raises(SeekableError, match=sentence) as caught:
            opened(data, **options)
        assert isinstance(caught.value, FormatError)

    def test_fewer_bytes_than_a_table_takes(self) -> None:
        self.refuse(b"", "0 bytes are too few")
        self.refuse(table([])[1:], "16 bytes are too few")

    def test_a_plain_zstandard_file(self) -> None:
        self.refuse(frame(sample(1000)), "no seek table at the end")

    def test_a_wrong_seekable_magic(self) -> None:
        self.refuse(DATA + table([(len(DATA), 100)], seekable_magic=0x8F92EAB0), "no seek table at the end")

    @pytest.mark.parametrize("bit", range(2, 7))
    def test_a_reserved_bit(self, bit: int) -> None:
        self.refuse(DATA + table([(len(DATA), 100)], descriptor=1 << bit), "reserved bits")

    def test_a_wrong_skippable_magic(self) -> None:
        entries = [(len(DATA), 100)]
        self.refuse(DATA + table(entries, skippable_magic=0x184D2A5F), "begins where it should")

    def test_a_wrong_size_of_the_tables_own_frame(self) -> None:
        self.refuse(DATA + table([(len(DATA), 100)], frame_size=18), "begins where it should")

    def test_a_count_that_does_not_fit_the_file(self) -> None:
        self.refuse(DATA + table([(len(DATA), 100)], count=50), "50 frames does not fit")

    def test_the_largest_count(self) -> None:
        self.refuse(DATA + table([(len(DATA), 100)], count=0xFFFFFFFF), "4294967295 frames does not fit")

    def test_a_count_above_the_formats_limit_in_a_file_that_has_the_room(self) -> None:
        class Vast(RecordedSource):
            @property
            def size(self) -> int:
                return 1 << 40

            def read_at(self, offset: int, length: int) -> bytes:
                assert length == 9, "more than the footer was asked for"
                return table([], count=0x8000001)[-9:]

        with pytest.raises(SeekableError, match="134217729 frames does not fit"):
            SeekableReader(Vast(b""))

    def test_a_count_one_too_small_or_too_large(self) -> None:
        twice = [(len(DATA), 100)] * 2
        self.refuse(DATA + DATA + table(twice, count=1), "begins where it should")
        self.refuse(DATA + DATA + table(twice, count=3), "begins where it should")

    def test_a_checksum_flag_over_entries_without_checksums(self) -> None:
        self.refuse(DATA + table([(len(DATA), 100)], descriptor=0x80), "begins where it should")

    def test_a_table_cut_at_its_front(self) -> None:
        data = DATA + table([(len(DATA), 100)])
        self.refuse(data[len(DATA) + 1 :], "does not fit 24 bytes")

    def test_a_table_cut_at_its_end(self) -> None:
        self.refuse((DATA + table([(len(DATA), 100)]))[:-1], "no seek table at the end")

    def test_frames_that_overlap_the_table(self) -> None:
        self.refuse(DATA + table([(len(DATA) + 1, 100)]), f"take {len(DATA) + 1} bytes, before it are")

    def test_frames_that_leave_bytes_over(self) -> None:
        self.refuse(b"?" + DATA + table([(len(DATA), 100)]), f"take {len(DATA)} bytes, before it are")

    def test_sizes_whose_sum_is_right_only_in_32_bits(self) -> None:
        entries = [(0x80000000, 0), (0x80000000, 0), (len(DATA), 100)]
        self.refuse(DATA + table(entries), f"take {2**32 + len(DATA)} bytes")

    def test_a_frame_above_the_limit(self) -> None:
        self.refuse(DATA + table([(len(DATA), 101)]), "frame 0 would be 101 bytes", max_frame_size=100)
        self.refuse(DATA + table([(len(DATA), 0xFFFFFFFF)]), "frame 0 would be 4294967295 bytes")

    def test_a_frame_too_short_to_be_one(self) -> None:
        self.refuse(DATA + b"1234567" + table([(len(DATA), 100), (7, 1)]), "frame 1 is said to take 7 bytes")
        self.refuse(DATA + table([(len(DATA), 100), (0, 100)]), "frame 1 is said to take 0 bytes")

    def test_a_frame_much_longer_than_its_plain_bytes_can_need(self) -> None:
        entries = [(len(DATA), 100), (40_000_000, 100)]
        self.refuse(DATA + table(entries), "frame 1 is said to take 40000000 bytes for 100")

    def test_a_source_that_ends_before_its_size(self) -> None:
        class Short(RecordedSource):
            def read_at(self, offset: int, length: int) -> bytes:
                return super().read_at(offset, length)[:-1]

        with pytest.raises(SeekableError, match=r"9 bytes at \d+ were asked for, 8 came"):
            SeekableReader(Short(written(b"abc")))


class TestHostileFrames:
    """Each opens and is refused when the frame is read, named by its number."""

    def refuse(self, bad: bytes, plain_size: int, sentence: str, **options: int) -> None:
        data = DATA + bad + table([(len(DATA), 100), (len(bad), plain_size)])
        for read in (read_all, lambda reader: list(reader.iter_frames())):
            with pytest.raises(SeekableError, match=f"frame 1 .*{sentence}"):
                read(opened(data, **options))
        assert opened(data, **options).read_at(0, 100) == b"d" * 100

    def test_a_declared_size_above_or_below_the_entrys(self) -> None:
        self.refuse(frame(b"x" * 50), 49, "declares 50 bytes, its entry 49")
        self.refuse(frame(b"x" * 50), 51, "declares 50 bytes, its entry 51")

    def test_an_undeclared_size_above_or_below_the_entrys(self) -> None:
        self.refuse(undeclared_frame(b"x" * 50), 49, "cannot be decompressed")
        self.refuse(undeclared_frame(b"x" * 50), 51, "has 50 bytes, its entry says 51")

    def test_bytes_after_the_frame(self) -> None:
        self.refuse(frame(b"x" * 50) + b"!", 50, "cannot be decompressed")

    def test_two_frames_in_one_entry(self) -> None:
        self.refuse(frame(b"x" * 50) * 2, 50, "cannot be decompressed")

    def test_a_frame_cut_short(self) -> None:
        self.refuse(frame(sample(500))[:-1], 500, "cannot be decompressed")

    def test_bytes_that_are_no_frame(self) -> None:
        self.refuse(b"not a frame", 50, "cannot be decompressed")

    def test_a_skippable_frame_where_bytes_should_be(self) -> None:
        self.refuse(SKIPPABLE, 12, "declares 0 bytes, its entry 12")

    def test_a_skippable_frame_of_another_length(self) -> None:
        data = SKIPPABLE + b"!" + table([(len(SKIPPABLE) + 1, 0)])
        with pytest.raises(SeekableError, match="frame 0 is skippable and not as long as its entry says"):
            list(opened(data).iter_frames())

    def test_a_large_frame_of_no_bytes_that_is_not_skippable(self) -> None:
        # Beyond twice the frame limit plus a kilobyte and beyond one request, its header alone is read.
        large = frame(noise(2_000_000))
        reader = opened(large + table([(len(large), 0)]), max_frame_size=1000)
        with pytest.raises(SeekableError, match=r"frame 0 of \d+ bytes is not the skippable one"):
            list(reader.iter_frames())

    @pytest.mark.parametrize(
        "bad",
        [
            frame(b"x"),
            frame(b"") + b"!",
            undeclared_frame(b"x"),
            frame(b"")[:-1],
            frame(sample(200)),
            b"12345678",
        ],
        ids=["a byte", "trailing", "undeclared", "cut", "long", "no frame"],
    )
    def test_a_frame_said_to_be_empty_that_is_not(self, bad: bytes) -> None:
        data = bad + table([(len(bad), 0)])
        with pytest.raises(SeekableError, match="frame 0 "):
            list(opened(data).iter_frames())

    @pytest.mark.parametrize("stated_size", [0, 1000])
    def test_a_frame_of_a_hundred_megabytes_said_to_be_small_takes_no_memory(self, stated_size: int) -> None:
        bomb = undeclared_frame(bytes(100_000_000))
        reader = opened(bomb + table([(len(bomb), stated_size)]))
        tracemalloc.start()
        try:
            with pytest.raises(SeekableError, match="frame 0 "):
                list(reader.iter_frames())
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()

    def test_a_window_far_above_the_frame_limit_is_refused(self) -> None:
        data = undeclared_frame(b"x" * 50, window_log=27)
        with pytest.raises(SeekableError, match="too much memory"):
            read_all(opened(data + table([(len(data), 50)])))

    def test_a_failed_frame_fails_again_and_the_others_are_still_read(self) -> None:
        plain = sample(300)
        data = bytearray(written(plain, frame_size=100, checksums=True))
        reader = opened(bytes(data))
        second = reader._starts[1]
        data[second + 30] ^= 1
        reader = opened(bytes(data))
        for _ in range(2):
            with pytest.raises(SeekableError, match="frame 1 "):
                reader.read_at(0, 300)
        assert reader.read_at(0, 100) + reader.read_at(200, 100) == plain[:100] + plain[200:]
