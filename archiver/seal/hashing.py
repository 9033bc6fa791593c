"""Counting and hashing what is sealed."""

from typing import TYPE_CHECKING

from archiver.stores.base import HashingWriter, Writer

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class MeasuringWriter(HashingWriter):
    """Passes bytes on and knows their number, too, and their SHA-256 (hexadecimal)."""

    def __init__(self, target: Writer) -> None:
        super().__init__(target)
        self.size = 0

    def write(self, data: "ReadableBuffer", /) -> int:
        super().write(data)
        length = memoryview(data).nbytes
        self.size += length
        return length

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()
