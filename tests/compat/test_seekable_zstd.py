"""Seekable Zstandard against the program zstd and against pyzstd."""

import hashlib
import io
import subprocess
from pathlib import Path

import pytest
import pyzstd

from archiver.formats.seekable_zstd import SeekableReader, SeekableWriter
from tests.programs import require_program


class FileSource:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size

    def read_at(self, offset: int, length: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


def sample(size: int) -> bytes:
    """Half words, half noise."""
    words = b" ".join(b"%d" % (number * number % 99_991) for number in range(size // 12))
    return words + hashlib.shake_128(b"noise").digest(size - len(words))


SIZES = [0, 1, 65_535, 65_536, 65_537, 1_000_000]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("checksums", "threads"), [(False, 1), (True, 2)])
def test_the_program_zstd_decompresses_what_is_written(
    tmp_path: Path, size: int, checksums: bool, threads: int
) -> None:
    zstd = require_program("zstd")
    path = tmp_path / "file.zst"
    with path.open("wb") as file, SeekableWriter(file, checksums=checksums, threads=threads) as writer:
        writer.write(sample(size))
    result = subprocess.run([zstd, "-d", "-c", str(path)], capture_output=True, check=True)
    assert result.stdout == sample(size)


@pytest.mark.parametrize("size", SIZES)
def test_pyzstd_reads_and_seeks_in_what_is_written(tmp_path: Path, size: int) -> None:
    plain = sample(size)
    path = tmp_path / "file.zst"
    with path.open("wb") as file, SeekableWriter(file, frame_size=10_000) as writer:
        writer.write(plain[: size // 3])
        writer.end_frame()
        writer.write(plain[size // 3 :])
    with pyzstd.SeekableZstdFile(str(path), "r") as peer:
        assert peer.read() == plain
        for offset in (0, size // 3, size // 2, max(size - 1, 0)):
            peer.seek(offset)
            assert peer.read(20_000) == plain[offset : offset + 20_000]


@pytest.mark.parametrize("size", SIZES)
def test_what_pyzstd_writes_is_read(tmp_path: Path, size: int) -> None:
    plain = sample(size)
    path = tmp_path / "file.zst"
    with pyzstd.SeekableZstdFile(str(path), "w", max_frame_content_size=30_000) as peer:
        peer.write(plain)
    reader = SeekableReader(FileSource(path))
    assert reader.size == size
    assert b"".join(reader.iter_frames()) == plain
    for offset in (0, size // 3, size // 2, max(size - 1, 0)):
        assert reader.read_at(offset, 70_000) == plain[offset : offset + 70_000]


def test_what_is_written_in_two_runs_of_pyzstd_with_flushed_frames_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.zst"
    with pyzstd.SeekableZstdFile(str(path), "w") as peer:
        peer.write(b"one")
        peer.flush(pyzstd.SeekableZstdFile.FLUSH_FRAME)
        peer.write(b"two")
        peer.flush(pyzstd.SeekableZstdFile.FLUSH_BLOCK)
        peer.write(b"three")
    with pyzstd.SeekableZstdFile(str(path), "a") as peer:
        peer.write(b"four")
    reader = SeekableReader(FileSource(path))
    assert list(reader.iter_frames()) == [b"one", b"twothree", b"four"]
    assert reader.read_at(2, 6) == b"etwoth"


def test_the_seek_table_is_pyzstds_but_for_the_compressed_sizes() -> None:
    plain = sample(50_000)
    ours, theirs = io.BytesIO(), io.BytesIO()
    with SeekableWriter(ours, frame_size=10_000) as writer:
        writer.write(plain)
    with pyzstd.SeekableZstdFile(theirs, "w", max_frame_content_size=10_000) as peer:
        peer.write(plain)
    tables = [bytearray(file.getvalue()[-(17 + 5 * 8) :]) for file in (ours, theirs)]
    for table in tables:
        for number in range(5):
            # Another writer's frame headers need not be as long as ours.
            table[8 + 8 * number : 12 + 8 * number] = bytes(4)
    assert tables[0] == tables[1]
