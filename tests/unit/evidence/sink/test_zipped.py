"""The ZIP sink: other programs open it, the bytes are the same each time, memory stays small, it encrypts."""

import io
import os
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import ArchiverError
from archiver.evidence.sink import ZipSink, new_pack
from archiver.formats.age import X25519Identity, decrypt
from tests.programs import PROJECT, require_program
from tests.unit.evidence.sink.packs import FILES, MADE_MS, fail_in, read_zip, write_all


def test_another_program_finds_the_zip_file_good_and_takes_the_files_out(tmp_path: Path) -> None:
    with new_pack(tmp_path / "p.zip", MADE_MS) as sink:
        write_all(sink)
        sink.open("data/été ☂.txt").close()
    subprocess.run([require_program("unzip"), "-tqq", "p.zip"], cwd=tmp_path, check=True, timeout=60)
    subprocess.run(["unzip", "-qq", "p.zip", "-d", "out"], cwd=tmp_path, check=True, timeout=60)
    assert {each: (tmp_path / "out" / each).read_bytes() for each in FILES} == FILES
    assert (tmp_path / "out" / "data" / "été ☂.txt").exists()
    assert {each.stat().st_mode & 0o777 for each in (tmp_path / "out").rglob("*") if each.is_file()} == {
        0o600
    }


def test_the_same_calls_give_the_same_bytes() -> None:
    packs = []
    for _ in range(2):
        written = io.BytesIO()
        with ZipSink(written, MADE_MS) as sink:
            write_all(sink)
        packs.append(written.getvalue())
    assert packs[0] == packs[1]


def test_a_zip_file_is_written_forwards_only_and_says_nothing_of_this_machine() -> None:
    class Pipe:
        """Takes bytes, a few at a time, and can do nothing else."""

        def __init__(self) -> None:
            self.taken = bytearray()

        def write(self, data: bytes | memoryview, /) -> int:
            self.taken += data[:60_000]
            return min(60_000, len(data))

    pipe = Pipe()
    with ZipSink(pipe, MADE_MS) as sink:
        write_all(sink)
    with zipfile.ZipFile(io.BytesIO(pipe.taken)) as archive:
        assert archive.testzip() is None
        assert {each.date_time for each in archive.infolist()} == {(2026, 11, 1, 2, 26, 40)}
        assert {each.extra for each in archive.infolist()} == {b""}


def test_an_encrypted_pack_opens_with_its_identity_and_holds_the_same_zip_file(tmp_path: Path) -> None:
    identity = X25519Identity.generate()
    for path, recipients in ((tmp_path / "p.zip.age", [identity.recipient()]), (tmp_path / "p.zip", [])):
        with new_pack(path, MADE_MS, recipients) as sink:
            write_all(sink)
    assert decrypt([identity], (tmp_path / "p.zip.age").read_bytes()) == (tmp_path / "p.zip").read_bytes()
    assert read_zip(tmp_path / "p.zip") == FILES


def test_an_encrypted_pack_that_fails_leaves_nothing(tmp_path: Path) -> None:
    pack = new_pack(tmp_path / "p.age", MADE_MS, [X25519Identity.generate().recipient()])
    with pytest.raises(RuntimeError, match="wrong"):
        fail_in(pack, RuntimeError("wrong"))
    assert list(tmp_path.iterdir()) == []


class FullOnce(io.BytesIO):
    """Refuses one write and has space again afterwards."""

    room = 400_000

    def write(self, data: Any, /) -> int:
        if self.room < len(data):
            self.room = 10**9
            raise ArchiverError("the disk is full")
        self.room -= len(data)
        return super().write(data)


def write_on(destination: FullOnce) -> None:
    """Go on after each failure, as one should not."""
    with ZipSink(destination, MADE_MS) as sink:
        for number in range(8):
            with suppress(ArchiverError), sink.open(f"{number}.mp4") as file:
                file.write(os.urandom(200_000))


def test_after_a_failed_write_no_more_is_written_even_if_somebody_goes_on() -> None:
    full = FullOnce()
    with pytest.raises(ValueError, match="given up"):
        write_on(full)
    assert full.room == 10**9
    assert len(full.getvalue()) < 400_000
    assert not zipfile.is_zipfile(io.BytesIO(full.getvalue()))


def test_a_time_that_no_zip_file_can_tell_is_refused() -> None:
    for made_ms in (0, 10**14):
        with pytest.raises(ValueError, match="1980 to 2107"):
            ZipSink(io.BytesIO(), made_ms)


_LARGE = """
import resource, sys
from archiver.evidence.sink import ZipSink
class Nowhere:
    def write(self, data, /): return len(data)
with ZipSink(Nowhere(), 1793500000000) as sink:
    pages = [sink.open(name) for name in ("report.html", "records.csv", "records.jsonl", "case.jsonld")]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.argv[1] == "records":
        for number in range(10_000):
            for page in pages:
                page.write(b"The road at Example Street is closed until %d. " % (number * 7919) * 20)
            for name in ("records/ABC_1_%d.json", "text/ABC_1_%d.txt"):
                with sink.open(name % number) as file:
                    file.write(b"%d" % number * 300)
    else:
        with sink.open("clip.mp4", size=400_000_000) as file:
            for _ in range(400):
                file.write(bytes(1_000_000))
    for page in pages:
        page.close()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(("what", "most_mib"), [("records", 70), ("media", 10)])
def test_memory_stays_small_for_many_records_and_for_a_large_video(what: str, most_mib: int) -> None:
    """All the process adds to what it has when it begins: the compressed pages, and what a ZIP file has to
    know of each of its 20,004 files to the end."""
    done = subprocess.run(
        [sys.executable, "-c", _LARGE, what],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=PROJECT,
    )
    assert int(done.stdout) < most_mib
