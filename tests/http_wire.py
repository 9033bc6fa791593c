"""As much of HTTP/1.1 as a proxy needs: heads, and bodies by length, in chunks or until the end (RFC 9112,
sections 4 to 6). Bytes are passed on as they came."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_HEAD_BYTES = 1 << 16
PIECE_BYTES = 1 << 16


class BrokenOffError(Exception):
    """The other side ended in the middle of something."""


@dataclass
class Head:
    """The first line and the headers of a request or an answer, as they came and taken apart."""

    raw: bytes
    first: tuple[str, str, str] = field(init=False)
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        first, *lines = self.raw.decode("latin-1").split("\r\n")
        words = [*first.split(" ", 2), "", ""]
        self.first = (words[0], words[1], words[2])
        pairs = (line.partition(":") for line in lines if ":" in line)
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}

    @property
    def status(self) -> int:
        return int(self.first[1])

    @property
    def is_chunked(self) -> bool:
        return self.headers.get("transfer-encoding", "").lower().endswith("chunked")

    @property
    def length(self) -> int | None:
        """How many bytes follow, where the head says so."""
        length = self.headers.get("content-length")
        return None if length is None or self.is_chunked else int(length)

    @property
    def ends_connection(self) -> bool:
        return self.headers.get("connection", "").lower() == "close" or "HTTP/1.0" in (
            self.first[0],
            self.first[2],
        )


@dataclass(frozen=True)
class Piece:
    """A part of a body: the bytes on the wire, and how many of them are the body's own."""

    raw: bytes
    payload: bytes


class Wire:
    """One end of a connection, read through a buffer. Each wait lasts `timeout_seconds` at most."""

    def __init__(self, connection: socket.socket, timeout_seconds: float) -> None:
        self.socket = connection
        self._buffer = bytearray()
        connection.settimeout(timeout_seconds)

    def has_more_at_hand(self) -> bool:
        """Whether bytes were taken from the connection that were not read yet."""
        pending = self.socket.pending() if isinstance(self.socket, ssl.SSLSocket) else 0
        return bool(self._buffer) or pending > 0

    def _fill(self) -> bool:
        """Take in what comes next; False at the end."""
        data = self.socket.recv(PIECE_BYTES)
        self._buffer += data
        return bool(data)

    def _until(self, mark: bytes) -> bytes | None:
        """What comes up to and with the mark; None where nothing comes any more."""
        while (end := self._buffer.find(mark)) < 0:
            if len(self._buffer) > MOST_HEAD_BYTES:
                raise BrokenOffError("a head without an end")
            if not self._fill():
                if self._buffer:
                    raise BrokenOffError("in the middle of a head")
                return None
        return self._take(end + len(mark))

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def read_head(self) -> Head | None:
        """The next head; None where the other side ended the connection between messages."""
        raw = self._until(b"\r\n\r\n")
        return None if raw is None else Head(raw)

    def body(self, head: Head, *, until_end: bool = False) -> Iterator[Piece]:
        """The body that follows a head. `until_end`: one without a length goes on to the connection's end,
        as an answer's does. Raise BrokenOffError where less comes than was said."""
        if head.is_chunked:
            yield from self._chunks()
        elif head.length is not None:
            for data in self._exactly(head.length):
                yield Piece(data, data)
        elif until_end:
            while self._buffer or self._fill():
                data = self._take(PIECE_BYTES)
                yield Piece(data, data)

    def _exactly(self, count: int) -> Iterator[bytes]:
        while count > 0:
            if not self._buffer and not self._fill():
                raise BrokenOffError(f"{count} bytes before a body's end")
            data = self._take(min(count, PIECE_BYTES))
            count -= len(data)
            yield data

    def _chunks(self) -> Iterator[Piece]:
        while True:
            line = self._line()
            size = int(line.split(b";")[0], 16)
            if size == 0:
                yield Piece(line + self._trailer(), b"")
                return
            yield Piece(line, b"")
            for data in self._exactly(size):
                yield Piece(data, data)
            yield Piece(self._line(), b"")

    def _trailer(self) -> bytes:
        """The headers behind the last chunk, up to and with the empty line."""
        lines = b""
        while (line := self._line()) != b"\r\n":
            lines += line
        return lines + line

    def _line(self) -> bytes:
        line = self._until(b"\r\n")
        if line is None:
            raise BrokenOffError("in the middle of a body in chunks")
        return line
