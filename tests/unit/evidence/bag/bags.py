"""Small bags that tests write, alter and check, in a folder or in a ZIP file."""

import io
import zipfile
from pathlib import Path

from archiver.evidence.bag import FolderSource, Problem, ZipSource, finish_bag, make_bag_info, verify_bag
from archiver.evidence.sink import Sink, new_pack
from tests.exhibits import production

MADE_MS = 1_793_500_000_000
UNLISTED = ("tagmanifest-sha512.txt.sig", "tagmanifest-sha512.txt.tsr")
PAYLOAD = {
    "data/records.csv": b"id,text\n1,road\n",
    "data/records/ABC_1_1.json": b"{}",
    "data/media/ABC_1_1/été ☂.jpg": b"\xff\xd8 picture",
    "data/empty.txt": b"",
}
TAGS = {
    "case.jsonld": b'{"@graph": []}\n',
    "README.txt": b"What this is.\n",
    "manifest-chain/1.json": b"{}\n",
}


def write_bag(path: Path, files: dict[str, bytes] | None = None) -> Path:
    """The bag of these files, with a signature and a time stamp after it."""
    with new_pack(path, MADE_MS) as sink:
        for name, data in (files or PAYLOAD | TAGS).items():
            with sink.open(name) as file:
                file.write(data)
        finish(sink)
        for name in UNLISTED:
            with sink.open(name) as file:
                file.write(b"signed")
    return path


def finish(sink: Sink) -> dict[str, bytes]:
    """Write the bag's own files of all that the sink has."""

    def put(path: str, data: bytes) -> None:
        with sink.open(path) as file:
            file.write(data)

    return finish_bag(sink.files, put, make_bag_info(production(), sink.files))


def check_folder(path: Path) -> list[Problem]:
    return verify_bag(FolderSource(path), UNLISTED)


def check_zip(data: bytes) -> list[Problem]:
    return verify_bag(ZipSource(io.BytesIO(data)), UNLISTED)


def read_bag(path: Path) -> dict[str, bytes]:
    return {
        each.relative_to(path).as_posix(): each.read_bytes() for each in path.rglob("*") if each.is_file()
    }


def as_zip(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP file as another program makes it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()
