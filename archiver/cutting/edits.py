"""Changes of some bytes in place: what is cut or replaced, and where every other byte is then."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """The bytes from `start` up to `end` become `new`, which is empty where they are cut."""

    start: int
    end: int
    new: bytes = b""


class Edits:
    """Changes of one body, none within another: of two that overlap the larger one counts, as it cuts what
    the other would change."""

    def __init__(self, edits: Iterable[Edit]) -> None:
        self._edits: list[Edit] = []
        for edit in sorted(set(edits), key=lambda one: (one.start, -one.end)):
            if self._edits and edit.start < self._edits[-1].end:
                last = self._edits[-1]
                if edit.end > last.end:  # they overlap in part: both are cut
                    self._edits[-1] = Edit(last.start, edit.end)
                continue
            self._edits.append(edit)
        self._starts = [edit.start for edit in self._edits]
        self._shifts = [0]
        for edit in self._edits:
            self._shifts.append(self._shifts[-1] + len(edit.new) - (edit.end - edit.start))

    def __bool__(self) -> bool:
        return bool(self._edits)

    def apply(self, body: bytes) -> bytes:
        """The body as it becomes."""
        pieces, at = [], 0
        for edit in self._edits:
            pieces += [body[at : edit.start], edit.new]
            at = edit.end
        return b"".join([*pieces, body[at:]])

    def place(self, start: int, end: int) -> tuple[int, int] | None:
        """Where the bytes from `start` up to `end`, or what replaces them, are then: offset and length; None
        where they are cut, as a whole or with a part of what lies around them."""
        if start == end:
            return self._moved(start), 0
        first = bisect_right(self._starts, start) - 1
        if first >= 0:
            edit = self._edits[first]
            if edit[:2] == (start, end) and edit.new:
                return self._moved(start), len(edit.new)
            if edit.end >= end or edit.start < start < edit.end:
                return None
        last = bisect_right(self._starts, end - 1) - 1
        if last >= 0 and self._edits[last].end > end:
            return None
        moved = self._moved(start)
        return moved, end + self._shifts[last + 1] - moved

    def touch(self, start: int, end: int) -> bool:
        """Whether any of the bytes from `start` up to `end` change."""
        last = bisect_right(self._starts, end - 1) - 1
        return last >= 0 and self._edits[last].end > start

    def _moved(self, start: int) -> int:
        return start + self._shifts[bisect_right(self._starts, start - 1)]
