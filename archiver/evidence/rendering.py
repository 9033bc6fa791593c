"""Making the forms of a pack beside each other, a process for each batch, where there are cores for it.

A child is forked, so that it has the exhibits already; it sends what it makes through a pipe. The parent
takes that in by a thread, which waits and hashes while the parent does its own part.
"""

import os
import signal
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO, Final, NamedTuple

import msgspec

from archiver.errors import ArchiverError, error_of, parts_of
from archiver.evidence.sink import SinkFile

_HEAD: Final = struct.Struct("=HI")
"""Before each piece: which form it is of, and its length."""
_FAILED: Final = 0xFFFF
_END: Final = 0xFFFE
_PIECE_BYTES: Final = 256 * 1024


class Form(NamedTuple):
    """A file of the pack: where it goes, and what makes its pieces."""

    file: SinkFile
    pieces: Callable[[], Iterable[bytes]]


class Rendering:
    """Forms that a child process makes, one after the other; none where there are none. `finish` has to be
    called, or `give_up`."""

    def __init__(self, forms: Sequence[Form]) -> None:
        self._forms = forms
        self._error: BaseException | None = None
        self._is_whole = not forms
        if not forms:
            return
        reading, writing = os.pipe()
        self._process = os.fork()
        if not self._process:
            _make(forms, reading, writing)
        os.close(writing)
        self._pipe = open(reading, "rb", buffering=1 << 20)  # noqa: SIM115  # closed by `_end`
        self._thread = threading.Thread(target=self._take, name="form", daemon=True)
        self._thread.start()

    def _take(self) -> None:
        try:
            for number, piece in _pieces(self._pipe):
                if number == _FAILED:
                    raise error_of(msgspec.msgpack.decode(piece, type=tuple[str, str, str | None]))
                if number == _END:
                    self._is_whole = True
                else:
                    self._forms[number].file.write(piece)
        except BaseException as error:  # noqa: BLE001  # raised again by `finish`
            self._error = error
            self._pipe.close()  # the child then ends at its next piece

    def finish(self) -> None:
        """Wait for all of it, and close the files. Raise what making or writing it raised."""
        if self._forms:
            self._end()
        if self._error is not None:
            raise self._error
        if not self._is_whole:
            raise ArchiverError(
                "a process that made a part of the pack ended before its time", "run it again"
            )
        for form in self._forms:
            form.file.close()

    def give_up(self) -> None:
        """End it, whatever it was doing."""
        if self._forms:
            with suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)
            self._end()

    def _end(self) -> None:
        self._thread.join()
        self._pipe.close()
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)


def _make(forms: Sequence[Form], reading: int, writing: int) -> None:
    """In the child, which ends here and never in its parent's code."""
    try:
        os.close(reading)
        with open(writing, "wb", buffering=1 << 20) as pipe:
            try:
                for number, form in enumerate(forms):
                    for piece in _joined(form.pieces()):
                        pipe.write(_HEAD.pack(number, len(piece)) + piece)
                pipe.write(_HEAD.pack(_END, 0))
            except ArchiverError as error:
                said = msgspec.msgpack.encode(parts_of(error))
                pipe.write(_HEAD.pack(_FAILED, len(said)) + said)
    except BaseException:  # noqa: BLE001, S110  # nobody is there to be told: the parent sees no end
        pass
    finally:
        os._exit(0)


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in larger pieces: each costs the parent a turn of its interpreter."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _PIECE_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _pieces(pipe: BinaryIO) -> Iterator[tuple[int, bytes]]:
    while len(head := pipe.read(_HEAD.size)) == _HEAD.size:
        number, length = _HEAD.unpack(head)
        piece = pipe.read(length)
        if len(piece) < length:
            return
        yield number, piece
