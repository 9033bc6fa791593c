"""The files of a pack that checks read as a whole or line by line."""

from collections.abc import Iterator

from archiver.errors import IntegrityError
from archiver.evidence.bag import PackSource

MAXIMUM_BYTES = 64 * 1024 * 1024
"""Of a file that is read as a whole; manifests of archives are far below."""
MAXIMUM_LINE_BYTES = 64 * 1024 * 1024


class Files:
    """What is in a pack, by path."""

    def __init__(self, source: PackSource) -> None:
        self._source = source
        self.sizes = {one.path: one.size for one in source.entries() if one.fault is None}

    @property
    def count(self) -> int:
        return len(self.sizes)

    @property
    def size(self) -> int:
        return sum(self.sizes.values())

    def has(self, path: str) -> bool:
        return path in self.sizes

    def below(self, folder: str, end: str = "") -> list[str]:
        """Paths in a folder, sorted."""
        return sorted(path for path in self.sizes if path.startswith(f"{folder}/") and path.endswith(end))

    def read(self, path: str) -> bytes:
        """A whole file. Raise IntegrityError where it is missing, too large or cannot be read."""
        data = bytearray()
        for piece in self.pieces(path):
            data += piece
            if len(data) > MAXIMUM_BYTES:
                raise IntegrityError(f"{path} is too large to be what its name says")
        return bytes(data)

    def pieces(self, path: str) -> Iterator[bytes]:
        """A file's bytes in pieces. Raise IntegrityError where it is missing or cannot be read."""
        if not self.has(path):
            raise IntegrityError(f"{path} is missing")
        try:
            yield from self._source.read(path)
        except IntegrityError as error:
            raise IntegrityError(f"{path} {error.message}") from error

    def lines(self, path: str, end: bytes = b"\n") -> Iterator[bytes]:
        """The lines of a file without their ends. Raise IntegrityError where the last one has none."""
        held = b""
        for piece in self.pieces(path):
            *whole, held = (held + piece).split(end)
            yield from whole
            if len(held) > MAXIMUM_LINE_BYTES:
                raise IntegrityError(f"{path} has a line that is too long")
        if held:
            raise IntegrityError(f"{path} does not end with its last line")
