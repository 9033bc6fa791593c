"""A new pack at a place that the user names."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from archiver.disk import delete_partial_files, new_file
from archiver.evidence.sink.base import Sink
from archiver.evidence.sink.folder import FolderSink
from archiver.evidence.sink.zipped import ZipSink
from archiver.formats.age import Recipient, encrypt_stream


@contextmanager
def new_pack(path: Path, made_ms: int, recipients: Sequence[Recipient] = ()) -> Iterator[Sink]:
    """Give the sink of a new pack: with recipients one age file that holds a ZIP file; a ZIP file where the
    name ends in `.zip`; else a folder. It is there, whole and durable, when the body ends well.

    Raise TakenError where the place is taken, ArchiverError where the disk is full or a system call fails,
    AgeError for recipients that must not share a file. Nothing is left of what failed."""
    if not recipients and path.suffix.lower() != ".zip":
        with FolderSink(path) as folder:
            yield folder
        return
    with new_file(path) as file:
        delete_partial_files(path.parent, below=False)
        if not recipients:
            with ZipSink(file, made_ms) as sink:
                yield sink
        else:
            with encrypt_stream(recipients, file) as sealed, ZipSink(sealed, made_ms) as sink:
                yield sink
