"""Making forms of a pack beside the rest, in a process of their own, where there are cores for it.

The child is forked, so that it has the exhibits already; it writes the files into the folder itself, and
tells through a pipe what they are. A ZIP file is written from front to back, so nothing of it is made apart.
"""

import gc
import os
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

import msgspec

from archiver.errors import ArchiverError, error_of, parts_of
from archiver.evidence.model import PackFile
from archiver.evidence.sink import FolderSink

Forms = Sequence[tuple[str, Callable[[], Iterable[bytes]]]]
"""Files of the pack: where each goes, and what makes its pieces."""


class _Answer(msgspec.Struct):
    files: dict[str, PackFile] = {}
    error: tuple[str, str, str | None] | None = None


class Rendering:
    """Files that a child makes in a folder, one after the other. `finish` has to be called, or `give_up`."""

    def __init__(self, sink: FolderSink, forms: Forms) -> None:
        self._sink = sink
        reading, writing = os.pipe()
        # Looking for garbage touches every object, and each page that is touched is held twice from then on.
        gc.freeze()
        self._process = os.fork()
        if not self._process:
            gc.set_threshold(
                2_000, 10, 10
            )  # templates leave cycles, and memory is short where all are at work
            _make(sink, forms, reading, writing)
        gc.unfreeze()
        os.close(writing)
        self._pipe = open(reading, "rb")  # noqa: SIM115  # closed by `_end`

    def finish(self) -> None:
        """Wait until all are made; the pack has them then. Raise what making them raised."""
        try:
            data = self._pipe.read()
        finally:
            self._end()
        try:
            answer = msgspec.msgpack.decode(data, type=_Answer)
        except msgspec.DecodeError as error:
            raise ArchiverError(
                "a process that made a part of the pack ended before its time", "run it again"
            ) from error
        if answer.error is not None:
            raise error_of(answer.error)
        self._take(answer.files)

    def _take(self, files: Mapping[str, PackFile]) -> None:
        for path, file in files.items():
            self._sink.take_name(path)
            self._sink.note_finished(path, file)

    def give_up(self) -> None:
        """End it, whatever it was doing."""
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        self._end()

    def _end(self) -> None:
        self._pipe.close()
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)


def _make(sink: FolderSink, forms: Forms, reading: int, writing: int) -> None:
    """In the child, which ends here and never in its parent's code."""
    try:
        os.close(reading)
        with open(writing, "wb") as pipe:
            answer = _Answer()
            try:
                for path, make in forms:
                    with sink.open(path) as file:
                        for piece in make():
                            file.write(piece)
                    answer.files[path] = sink.files[path]
            except ArchiverError as error:
                answer = _Answer(error=parts_of(error))
            pipe.write(msgspec.msgpack.encode(answer))
    except BaseException:  # noqa: BLE001, S110  # nobody is there to be told: the parent sees no answer
        pass
    finally:
        os._exit(0)
