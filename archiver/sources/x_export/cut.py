"""Cut a JSON text that arrives in blocks into verbatim values, holding one value and one block at most.

How a cut is proved: an array is `[` value `,` value … `]`. Where one value is known to start, the bytes up
to a supposed border are decoded by msgspec, which accepts exactly one whole JSON value and nothing after
it; if it does, the value ends there, because no JSON value continues another. So borders may be guessed,
and are: the bytes between the first two elements are looked for again (`},` newline `{`, or `}},{"tweet":`
in a minified file). Where a guess fails, Python's own decoder finds the end of this one value (a tenth of
the speed). Bytes are taken as Latin-1 for it, so that its positions are byte positions; structure is ASCII
in UTF-8 text, so nothing changes.

msgspec refuses a lone surrogate escape, which X has written; Python's decoder takes it, so such an element
is cut the slow way and given to the caller undecoded.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Final, NoReturn, TypeVar

import msgspec

from archiver.errors import SourceError
from archiver.sources.x_export.limits import MEBIBYTE

T = TypeVar("T")
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on bytes it does not take: not JSON, another type, not UTF-8, nested too deep."""

HEADER_BYTES: Final = 4096
BATCH_BYTES: Final = MEBIBYTE // 8
"""Decoded at a time: what fits a processor's second-level cache, and is let go before the next comes."""
FIRST_WINDOW_BYTES: Final = 64 * 1024
BORDER_SEARCH_BYTES: Final = 2 * MEBIBYTE
BORDER_HEAD_BYTES: Final = 64
_SPACE = re.compile(rb"[ \t\r\n]*")
_NUMBER = re.compile(r"[-0-9][-+0-9.eE]*")
_COMMA, _CLOSE, _QUOTE = ord(","), ord("]"), ord('"')


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_EXACT = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)


class BrokenJsonError(SourceError):
    """The text stops being JSON at `offset` bytes from its start."""

    def __init__(self, offset: int, what: str) -> None:
        super().__init__(f"broken at byte {offset:,}: {what}")
        self.offset = offset


def _run_of_number(text: str) -> int:
    """How far characters of numbers go from the start; 0 for a value that is no number."""
    match = _NUMBER.match(text)
    return match.end() if match else 0


class _Border:
    """The bytes between two elements: the end of one, what separates them, the start of the next."""

    def __init__(self, tail: bytes, separator: bytes, head: bytes) -> None:
        self.pattern = tail + separator + head
        self.keep = len(tail)
        self.step = len(separator)


class JsonReader:
    """Reads values, and arrays element by element, from inflated blocks.

    Given any iterator of blocks and the size one value may have. Raises BrokenJsonError with the offset
    where the text is not JSON or ends early, and whatever the blocks raise."""

    def __init__(self, blocks: Iterator[bytes], element_limit: int) -> None:
        self._blocks = blocks
        self.limit = element_limit
        self._buffer = b""
        self._at = 0
        self._base = 0
        self._ended = False

    @property
    def offset(self) -> int:
        """Bytes of the text consumed so far."""
        return self._base + self._at

    def skip_assignment(self) -> bytes:
        """Go past the first `=`, as in `window.YTD.tweets.part0 = `; return what stood before it."""
        while (equals := self._buffer.find(b"=", self._at)) < 0:
            if len(self._buffer) > HEADER_BYTES or not self._grow():
                self._fail("no assignment at its start")
        if equals > HEADER_BYTES:
            self._fail("no assignment at its start")
        name = self._buffer[self._at : equals].strip()
        self._at = equals + 1
        return name

    def head(self, size: int) -> bytes:
        """Up to `size` of the next bytes, not consumed, white space before them left out."""
        while self.peek() != -1 and len(self._buffer) - self._at < size and self._grow():
            pass
        return self._buffer[self._at : self._at + size]

    def peek(self) -> int:
        """The next byte that is no white space, not consumed; -1 at the end of the text."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._grow():
                return -1

    def expect(self, character: str) -> None:
        """Consume this one ASCII character, white space before it included."""
        if self.peek() != ord(character):
            self._fail(f"{character!r} is missing")
        self._at += 1

    def accept(self, character: str) -> bool:
        """Consume this ASCII character if it is next; say whether it was."""
        if self.peek() != ord(character):
            return False
        self._at += 1
        return True

    def finish(self) -> None:
        """Require that only white space, or one semicolon, is left."""
        self.accept(";")
        if self.peek() != -1:
            self._fail("more follows the end of its JSON")

    def value(self) -> bytes:
        """The next value, verbatim and whole."""
        if self.peek() == -1:
            self._fail("it ends early")
        window = FIRST_WINDOW_BYTES
        while True:
            available = len(self._buffer) - self._at
            text = self._buffer[self._at : self._at + window].decode("latin-1")
            whole = self._ended and window >= available
            try:
                _, end = _EXACT.raw_decode(text)
            except json.JSONDecodeError as error:
                if whole:
                    self._fail(error.msg, error.pos)
            except ValueError as error:
                self._fail(str(error))
            except RecursionError:
                self._fail("nested too deep")
            else:
                # `0.` is the number 0 to the decoder, and may be the first half of `0.5`.
                if end <= self.limit and (whole or max(end, _run_of_number(text)) < len(text)):
                    return self._take(end)
            if len(text) > self.limit:
                self._fail(f"no value ends within {self.limit:,} bytes")
            if window >= available:
                self._grow()
            window = max(window * 4, available + 1)

    def elements(self, decode: Callable[[bytes], T]) -> Iterator[list[tuple[bytes, T | None]]]:
        """The elements of an array whose `[` was consumed, about a block's worth at a time; consumes its `]`.

        Each comes as (verbatim bytes, what `decode` made of them), with None where `decode` refused. A list
        that was read soundly before a break is yielded before the break is raised."""
        if self.accept("]"):
            return
        border: _Border | None = None
        batch: list[tuple[bytes, T | None]] = []
        yielded = self.offset
        more = True
        while more:
            try:
                if border is not None:
                    self._cut_at(border, decode, batch)
                border, more = self._cut_exactly(decode, batch, border)
            except SourceError:
                if batch:
                    yield batch
                raise
            if self.offset - yielded >= BATCH_BYTES or not more:
                yield batch
                batch, yielded = [], self.offset

    def _cut_at(
        self, border: _Border, decode: Callable[[bytes], T], batch: list[tuple[bytes, T | None]]
    ) -> None:
        """Take every element that ends at a place looking like `border`, until a guess proves wrong."""
        if (
            self._buffer.find(border.pattern, self._at) < 0
            and len(self._buffer) - self._at < BORDER_SEARCH_BYTES
        ):
            self._grow()
        buffer, at = self._buffer, self._at
        pattern, keep, step = border.pattern, border.keep, border.step
        find, append, limit = buffer.find, batch.append, self.limit
        stop = at + BATCH_BYTES
        while at < stop and (cut := find(pattern, at, at + limit)) >= 0:
            piece = buffer[at : cut + keep]
            try:
                append((piece, decode(piece)))
            except UNDECODABLE:
                break
            at = cut + keep + step
        self._at = at

    def _cut_exactly(
        self, decode: Callable[[bytes], T], batch: list[tuple[bytes, T | None]], border: _Border | None
    ) -> tuple[_Border | None, bool]:
        """Take one element by a real parse; learn what borders look like; say whether another follows."""
        if self.peek() == _CLOSE:
            self._fail("an element is missing")
        piece = self.value()
        try:
            batch.append((piece, decode(piece)))
        except UNDECODABLE:
            batch.append((piece, None))
        after = self.offset
        character = self.peek()
        if character == _CLOSE:
            self._at += 1
            return border, False
        if character != _COMMA:
            self._fail("',' or ']' is missing")
        self._at += 1
        self.peek()
        return self._learn(piece, after) or border, True

    def _learn(self, piece: bytes, after: int) -> _Border | None:
        """The border just passed, when enough of the next element is in the buffer to know it by."""
        start = after - self._base
        separator = self._buffer[start : self._at] if start >= 0 else b""
        head = self._buffer[self._at : self._at + BORDER_HEAD_BYTES]
        quote = head.find(b'"')
        if not separator or not piece.endswith(b"}") or not head.startswith(b"{") or quote < 0:
            return None
        quote = head.find(b'"', quote + 1)
        if quote < 0:
            return None
        # The first key belongs to it: in a minified file it tells elements from what is nested in them, and
        # the search is twice as fast for a pattern that ends with a rare character.
        line = piece.rfind(b"\n", len(piece) - 16) if len(piece) > 16 else -1
        indented = line >= 0 and not piece[line:-1].strip()
        return _Border(piece[line:] if indented else b"}", separator, head[: quote + 1])

    def _take(self, size: int) -> bytes:
        piece = self._buffer[self._at : self._at + size]
        self._at += size
        return piece

    def _grow(self) -> bool:
        """Drop what was consumed and add the next block; False when there is none."""
        if self._ended:
            return False
        block = next(self._blocks, None)
        if block is None:
            self._ended = True
            return False
        self._base += self._at
        self._buffer = self._buffer[self._at :] + block
        self._at = 0
        return True

    def _fail(self, what: str, ahead: int = 0) -> NoReturn:
        raise BrokenJsonError(self.offset + ahead, what)
