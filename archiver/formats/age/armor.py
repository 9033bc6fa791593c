"""ASCII armor: strict PEM with 64 columns and no headers ("ASCII armor", RFC 7468 section 3)."""

import binascii
from typing import Protocol

from archiver.formats.age.errors import ArmorError
from archiver.formats.age.header import VERSION_PREFIX

BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
END = b"-----END AGE ENCRYPTED FILE-----"
DETECTION_BYTES = 1024
_COLUMNS = 64
_LINE_BYTES = 48
_WHITESPACE = b" \t\r\n"
_MAX_OUTSIDE_BYTES = 1024  # whitespace before and after the block, together
_READ_BYTES = 64 * 1024


class Source(Protocol):
    """What can be read from front to back; b"" is its end."""

    def read(self, length: int, /) -> bytes | None: ...


class Destination(Protocol):
    """What can be written to; a short write is told by the number of bytes taken, as raw files do."""

    def write(self, data: bytes | memoryview, /) -> int | None: ...


def write_all(destination: Destination, data: bytes | memoryview) -> None:
    """Write everything, also to a raw file that takes a part at a time."""
    view = memoryview(data)
    while view:
        taken = destination.write(view)
        view = view[len(view) if taken is None else taken :]


def is_armored(start: bytes) -> bool:
    """Tell from a file's start, its first 1,024 bytes, whether to take it for an armored one.

    Anything with dashes that is no binary age file counts, so that garbage before the block or a wrong
    label is reported as what it is: a malformed armor."""
    return not start.startswith(VERSION_PREFIX) and b"-----" in start[:DETECTION_BYTES]


def dearmor(text: bytes) -> bytes:
    """Decode a whole armored file; raise ArmorError."""
    decoder = _Decoder()
    return decoder.feed(text) + decoder.finish()


class ArmorReader:
    """Decodes an armored source as it is read; raises ArmorError where the armor is malformed."""

    def __init__(self, source: Source, start: bytes = b"") -> None:
        """`start` is what has been read of the source already."""
        self._source = source
        self._decoder = _Decoder()
        self._decoded = self._decoder.feed(start)
        self._ended = False

    def read(self, length: int, /) -> bytes:
        """Return up to `length` bytes, b"" only after a complete block and nothing but whitespace."""
        while not self._decoded and not self._ended:
            text = self._source.read(_READ_BYTES)
            if text:
                self._decoded = self._decoder.feed(text)
            else:
                self._decoded = self._decoder.finish()
                self._ended = True
        part, self._decoded = self._decoded[:length], self._decoded[length:]
        return part


class ArmorWriter:
    """Encodes what is written; the block is closed only by `finish`."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._pending = b""
        write_all(destination, BEGIN + b"\n")

    def write(self, data: bytes | memoryview, /) -> int:
        plain = self._pending + data
        whole = len(plain) - len(plain) % _LINE_BYTES
        self._pending = plain[whole:]
        if whole:
            write_all(self._destination, _armor_lines(plain[:whole]))
        return len(data)

    def finish(self) -> None:
        write_all(self._destination, _armor_lines(self._pending) + END + b"\n")
        self._pending = b""


def _armor_lines(data: bytes) -> bytes:
    text = binascii.b2a_base64(data, newline=False)
    return b"".join(text[at : at + _COLUMNS] + b"\n" for at in range(0, len(text), _COLUMNS))


class _Decoder:
    """Decodes line by line: whitespace, BEGIN, full lines, at most one short line, END, whitespace."""

    def __init__(self) -> None:
        self._text = b""
        self._begun = False
        self._last_line_seen = False
        self._ended = False
        self._outside_bytes = 0

    def feed(self, text: bytes) -> bytes:
        """Decode what can be decoded by now; the rest is kept."""
        self._text += text
        if not self._begun:
            self._skip_whitespace()
        *lines, self._text = self._text.split(b"\n")
        if len(self._text) > _READ_BYTES + _COLUMNS:
            raise ArmorError("the armor has an overlong line")
        return b"".join([self._decode_line(line.removesuffix(b"\r")) for line in lines])

    def finish(self) -> bytes:
        """Take the end of the source; raise ArmorError unless the block is complete."""
        rest, self._text = self._text, b""
        decoded = self._decode_line(rest.removesuffix(b"\r")) if rest else b""
        if not self._ended:
            raise ArmorError("the armor has no end line")
        return decoded

    def _skip_whitespace(self) -> None:
        stripped = self._text.lstrip(_WHITESPACE)
        self._count_outside(len(self._text) - len(stripped))
        self._text = stripped

    def _count_outside(self, count: int) -> None:
        self._outside_bytes += count
        if self._outside_bytes > _MAX_OUTSIDE_BYTES:
            raise ArmorError("too much whitespace surrounds the armor")

    def _decode_line(self, line: bytes) -> bytes:
        if self._ended:
            self._count_outside(len(line) + 1)
            if line.strip(_WHITESPACE):
                raise ArmorError("something follows the armor")
        elif not self._begun:
            if line != BEGIN:
                raise ArmorError("the armor's first line is malformed")
            self._begun = True
        elif line == END:
            self._ended = True
        else:
            return self._decode_body(line)
        return b""

    def _decode_body(self, line: bytes) -> bytes:
        if self._last_line_seen or not 0 < len(line) <= _COLUMNS:
            raise ArmorError("the armor has a line of the wrong length")
        try:
            data = binascii.a2b_base64(line)
        except binascii.Error as error:
            raise ArmorError("the armor has a line that is not base64") from error
        # The lenient decoder skips foreign characters and loose trailing bits; encoding again finds both.
        if binascii.b2a_base64(data, newline=False) != line:
            raise ArmorError("the armor has a line that is not canonical base64")
        self._last_line_seen = len(data) < _LINE_BYTES
        return data
