"""Decrypting anywhere: a range of the plaintext costs only the chunks it lies in."""

from collections import OrderedDict
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from archiver.formats.age.armor import dearmor, is_armored
from archiver.formats.age.errors import ArmorError, HeaderError, PayloadError
from archiver.formats.age.header import MAX_HEADER_BYTES, Header, Identity, is_header_complete, parse_header
from archiver.formats.age.hkdf import payload_key
from archiver.formats.age.payload import (
    CHUNK_BYTES,
    NONCE_BYTES,
    SEALED_CHUNK_BYTES,
    Layout,
    chunk_nonce,
)
from archiver.formats.age.reader import HEAD_BYTES
from archiver.formats.age.sources import BytesSource, RandomSource

MAX_ARMORED_BYTES = 64 * 1024 * 1024
DEFAULT_CACHED_CHUNKS = 16
_RUN_CHUNKS = 64  # one read of the source asks for at most 4 MiB


class SeekReader:
    """Random access to the plaintext of `source`.

    Opening parses the header, unwraps the file key and authenticates the last chunk, so that `size`, the
    plaintext's length, is authentic; it takes one read for the header and one for the last chunk. It raises
    HeaderError, NoMatchError, HmacError, PayloadError or ArmorError. An armored source is decoded into
    memory first, up to 64 MiB. `file_key` is the key that was unwrapped, a secret: what opens this file, and
    no other, by a `FileKeyIdentity`. Not for several threads at once."""

    def __init__(
        self,
        source: RandomSource,
        identities: Sequence[Identity],
        *,
        cached_chunks: int = DEFAULT_CACHED_CHUNKS,
    ) -> None:
        self._prepare(source, cached_chunks)
        header = self._read_header()
        self._open(header, header.unwrap(identities))

    @classmethod
    def with_file_key(
        cls, source: RandomSource, file_key: bytes, *, cached_chunks: int = DEFAULT_CACHED_CHUNKS
    ) -> "SeekReader":
        """Open with the file key that the writer had, to read back what was just written; raise likewise."""
        reader = cls.__new__(cls)
        reader._prepare(source, cached_chunks)
        header = reader._read_header()
        header.verify(file_key)
        reader._open(header, file_key)
        return reader

    def __repr__(self) -> str:
        return f"SeekReader(size={self.size}, chunks_read={self.chunks_read}, bytes_read={self.bytes_read})"

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the plaintext from `offset` on: `length` bytes, fewer only at the end.

        Raise PayloadError, naming the chunk, if a chunk in that range is altered or cannot be read whole;
        ValueError on a negative number."""
        if offset < 0 or length < 0:
            raise ValueError("an offset and a length are not negative")
        end = min(offset + length, self.size)
        if offset >= end:
            return b""
        first, last = offset // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
        chunks = self._load(first, last)
        if first == last:
            return chunks[0][offset - first * CHUNK_BYTES : end - first * CHUNK_BYTES]
        chunks[0] = chunks[0][offset - first * CHUNK_BYTES :]
        chunks[-1] = chunks[-1][: end - last * CHUNK_BYTES]
        return b"".join(chunks)

    def locate(self, offset: int, length: int) -> tuple[int, int]:
        """Where in the source the chunks lie that hold this part of the plaintext: offset and length in
        bytes. For a reader who fetches several parts at once before reading them. Not of an armored
        source, which is in memory whole."""
        end = min(offset + length, self.size)
        first = self._layout.locate(min(offset, self.size) // CHUNK_BYTES)[0]
        tail_offset, tail_length = self._layout.locate(max(0, end - 1) // CHUNK_BYTES)
        return first, max(0, tail_offset + tail_length - first)

    def _prepare(self, source: RandomSource, cached_chunks: int) -> None:
        self.chunks_read = 0
        self.bytes_read = 0
        self._source = source
        self._start = b""
        self._cached_chunks = max(1, cached_chunks)
        self._cache: OrderedDict[int, bytes] = OrderedDict()

    def _read_source(self, offset: int, length: int) -> bytes:
        if offset + length <= len(self._start):  # while opening: a small file takes one read in all
            return self._start[offset : offset + length]
        data = self._source.read_at(offset, length)
        self.bytes_read += len(data)
        return data

    def _read_header(self) -> Header:
        """Read the file's first bytes, dearmoring where need be, until the header is whole."""
        start = self._read_source(0, HEAD_BYTES)
        if is_armored(start):
            if self._source.size > MAX_ARMORED_BYTES:
                raise ArmorError(f"an armored file above {MAX_ARMORED_BYTES} bytes has no random access")
            self._source = BytesSource(dearmor(self._read_source(0, self._source.size)))
            start = self._source.read_at(0, HEAD_BYTES)
        if not start:
            raise HeaderError("the file is empty")
        length = HEAD_BYTES
        while not is_header_complete(start) and len(start) == length:
            length = min(length * 4, MAX_HEADER_BYTES)
            start = self._read_source(0, length)
        self._start = start
        return parse_header(start)

    def _open(self, header: Header, file_key: bytes) -> None:
        nonce = self._read_source(header.length, NONCE_BYTES)
        payload_start = header.length + NONCE_BYTES
        if len(nonce) < NONCE_BYTES or self._source.size < payload_start:
            raise HeaderError("the payload's nonce is cut short")
        self.file_key = file_key
        self._cipher = ChaCha20Poly1305(payload_key(file_key, nonce))
        self._layout = Layout(payload_start, self._source.size - payload_start)
        self._layout.check()
        self._last_chunk = self._layout.chunks - 1
        self.size = self._layout.plain_bytes
        self._load(self._last_chunk, self._last_chunk)
        self._start = b""

    def _load(self, first: int, last: int) -> list[bytes]:
        """Return chunks `first` to `last`, reading neighbours that are not cached in one go."""
        chunks: list[bytes] = []
        at = first
        while at <= last:
            cached = self._cache.get(at)
            if cached is not None:
                self._cache.move_to_end(at)
                chunks.append(cached)
                at += 1
            else:
                run = self._read_run(at, last)
                chunks += run
                at += len(run)
        return chunks

    def _read_run(self, first: int, last: int) -> list[bytes]:
        end = first + 1
        while end <= last and end - first < _RUN_CHUNKS and end not in self._cache:
            end += 1
        start = self._layout.locate(first)[0]
        tail_offset, tail_length = self._layout.locate(end - 1)
        sealed = memoryview(self._read_source(start, tail_offset + tail_length - start))
        run = []
        for chunk in range(first, end):
            offset, length = self._layout.locate(chunk)
            part = sealed[offset - start : offset - start + length]
            if len(part) < length:
                raise PayloadError(chunk, "cannot be read: the file is shorter than it was")
            run.append(self._decrypt(chunk, part))
        return run

    def _decrypt(self, chunk: int, sealed: memoryview) -> bytes:
        final = chunk == self._last_chunk
        try:
            plain = self._cipher.decrypt(chunk_nonce(chunk, final=final), sealed, None)
        except InvalidTag as error:
            raise PayloadError(chunk, self._explain(chunk, sealed)) from error
        self.chunks_read += 1
        self._cache[chunk] = plain
        if len(self._cache) > self._cached_chunks:
            self._cache.popitem(last=False)
        return plain

    def _explain(self, chunk: int, sealed: memoryview) -> str:
        """A chunk that is authentic but for its place at the end says what happened to the file."""
        final = chunk == self._last_chunk
        if len(sealed) == SEALED_CHUNK_BYTES:
            try:
                self._cipher.decrypt(chunk_nonce(chunk, final=not final), sealed, None)
            except InvalidTag:
                return "failed authentication"
            return "is not the final one: the file is cut short" if final else "is final, yet more follows"
        return "failed authentication"
