"""Whole answers of a platform's interface, and reading one where it lies in the vault."""

from typing import Final, NamedTuple

from archiver.errors import IntegrityError
from archiver.search.run import Searcher

_BODY: Final = "SELECT body FROM capture_part WHERE id = ?"


class Answer(NamedTuple):
    """An answer of a platform's interface: the segment (its name in the vault) and the part that hold it."""

    segment: str
    part: int


class AnswerReader:
    """Reads answers of the archives that are searched. Raise IntegrityError for altered bytes, StoreError
    where the store cannot be reached."""

    def __init__(self, searcher: Searcher) -> None:
        self._segments = searcher.segments
        self._by_path = {one.archive.path(one.file): one for one in searcher.segments.sealed}

    def read(self, segment: str, part: int) -> bytes:
        """A whole answer, as the platform sent it, by the segment's name in the vault and its part there."""
        rows = self._segments.rows(self._by_path[segment], _BODY, [part])
        if not rows:
            raise IntegrityError(f"{segment} has no part {part} of its captures")
        return bytes(rows[0][0])
