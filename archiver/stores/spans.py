"""Which parts of a file are there, and which are missing between two places."""

from bisect import bisect_right, insort
from collections.abc import Sequence


class Spans:
    """Parts of a file in order: where each begins and ends. None lies within another."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: dict[int, int] = {}

    def holding(self, position: int) -> int | None:
        """Where the part begins that holds this byte."""
        index = bisect_right(self._starts, position) - 1
        if index < 0 or self._ends[self._starts[index]] <= position:
            return None
        return self._starts[index]

    def covered_to(self, position: int) -> int:
        """Where the part ends that holds this byte; the position itself where none does."""
        start = self.holding(position)
        return position if start is None else self._ends[start]

    def next_start(self, position: int, end: int) -> int:
        """Where the first part behind this byte begins, `end` at most."""
        index = bisect_right(self._starts, position)
        return min(end, self._starts[index]) if index < len(self._starts) else end

    def add(self, start: int, end: int) -> None:
        """A part more, unless another holds all of it; those it holds are dropped."""
        if start >= end or self.covered_to(start) >= end:
            return
        if start in self._ends:
            self.remove(start)
        index = bisect_right(self._starts, start)
        while index < len(self._starts) and self._ends[self._starts[index]] <= end:
            del self._ends[self._starts.pop(index)]
        insort(self._starts, start)
        self._ends[start] = end

    def remove(self, start: int) -> None:
        self._starts.remove(start)
        del self._ends[start]


def gaps(spans: Sequence[Spans], start: int, end: int) -> list[tuple[int, int]]:
    """What none of them covers between two places: begin and end of each gap, in order."""
    found = []
    position = start
    while position < end:
        covered = max(each.covered_to(position) for each in spans)
        if covered > position:
            position = covered
            continue
        stop = min(each.next_start(position, end) for each in spans)
        found.append((position, stop))
        position = stop
    return found
