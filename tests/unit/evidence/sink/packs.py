"""Packs that tests write, and what is read of them again."""

import os
import zipfile
from contextlib import AbstractContextManager
from pathlib import Path

from archiver.evidence.sink import Sink

MADE_MS = 1_793_500_000_000
FILES = {
    "bagit.txt": b"BagIt-Version: 1.0\n",
    "data/records.csv": b"id,text\n" * 40_000,
    "data/records/ABC_1_1.json": b"{}",
    "data/media/clip.mp4": os.urandom(300_000),
    "data/empty": b"",
}


def write_all(sink: Sink, files: dict[str, bytes] = FILES) -> None:
    """One after the other, in pieces, the last ones of known size."""
    for number, (path, data) in enumerate(files.items()):
        with sink.open(path, size=len(data) if number > 2 else None) as file:
            for at in range(0, len(data), 50_000):
                file.write(data[at : at + 50_000])


def read_folder(path: Path) -> dict[str, bytes]:
    return {
        each.relative_to(path).as_posix(): each.read_bytes() for each in path.rglob("*") if each.is_file()
    }


def read_zip(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def fail_in(pack: AbstractContextManager[Sink], error: BaseException) -> None:
    """Write a pack but for its end: files of both ways are open when it fails."""
    with pack as sink:
        write_all(sink)
        sink.open("open").write(b"half")
        sink.open("large", size=1_000_000).write(bytes(500_000))
        raise error
