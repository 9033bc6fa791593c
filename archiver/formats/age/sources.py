"""Where a seeking reader gets its bytes: memory, a file, or whatever has these two members."""

import os
from pathlib import Path
from types import TracebackType
from typing import Protocol


class RandomSource(Protocol):
    """Bytes of known length that can be read anywhere."""

    @property
    def size(self) -> int: ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from `offset` on: `length` of them, fewer only at the end."""
        ...


class BytesSource:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


class FileSource:
    """A regular file by path, or by a descriptor that stays the caller's; raises OSError."""

    def __init__(self, file: str | Path | int) -> None:
        self._owned = not isinstance(file, int)
        self._descriptor = file if isinstance(file, int) else os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._descriptor).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        data = os.pread(self._descriptor, length, offset)
        if len(data) == length or offset + len(data) >= self.size:
            return data
        return self._read_rest(offset, length, data)

    def _read_rest(self, offset: int, length: int, data: bytes) -> bytes:
        """A single pread gives 2 GiB at most and may be interrupted."""
        parts = [data]
        read = len(data)
        while parts[-1] and read < length:
            parts.append(os.pread(self._descriptor, length - read, offset + read))
            read += len(parts[-1])
        return b"".join(parts)

    def close(self) -> None:
        """Close the file if it was opened by path."""
        if self._owned:
            self._owned = False
            os.close(self._descriptor)

    def __enter__(self) -> "FileSource":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
