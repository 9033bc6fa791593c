"""A stored file that is read by requests, each for a part of it.

What came is kept as it came, at whatever place it begins: there is no grid of blocks. Whoever reads asks
for sealed chunks exactly (age's are 65,552 bytes, from wherever the header ends), and what is asked for
again lies within what was asked for before.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import TracebackType
from typing import Protocol, Self

from archiver.errors import ArchiverError, IntegrityError
from archiver.stores.base import Range, outcome
from archiver.stores.spans import Spans, gaps

COALESCE_BYTES = 128 * 1024
"""Two missing parts no further apart than this are one request: about 30 ms of a request's time are worth
the 128 KiB that a line of 35 Mbit/s moves in it, and so a sealed chunk between two others comes along."""
FIRST_AHEAD_BYTES = 64 * 1024
"""What is fetched at least where one read follows another: about one sealed chunk, so that two neighbours
read by chance cost nothing more. It doubles with each further miss, as an operating system reads ahead."""
MOST_AHEAD_BYTES = 4 * 1024 * 1024
"""Then a request takes longer by its bytes than by its beginning, and more ahead gains nothing."""
MOST_REQUEST_BYTES = 8 * 1024 * 1024
"""What is larger comes as several requests at once; one connection alone is slow on a long line."""
MEMORY_BYTES = 32 * 1024 * 1024
"""What is kept in memory of a file. What the last act brought stays, be it more."""

Fetch = Callable[[int, int], bytes]
"""Asks for a part: offset and length, both within the file."""


class Held(Protocol):
    """The parts of a file that lie on this machine already."""

    def extents(self) -> list[Range]:
        """Which there are: offset and length. They may overlap."""
        ...

    def get(self, start: int) -> bytes | None:
        """The part that begins there; None where it is damaged or gone."""
        ...

    def put(self, extents: Sequence[tuple[int, bytes]]) -> None: ...


def as_requests(missing: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Begin and end of each request for these parts: neighbours together, large ones in pieces."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(missing):
        if joined and start - joined[-1][1] <= COALESCE_BYTES:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [
        (piece, min(piece + MOST_REQUEST_BYTES, end))
        for start, end in joined
        for piece in range(start, end, MOST_REQUEST_BYTES)
    ]


class _Memory:
    """The bytes that came, none twice, the oldest dropped first."""

    def __init__(self) -> None:
        self.spans = Spans()
        self._data: dict[int, bytes] = {}
        self._bytes = 0

    @property
    def size(self) -> int:
        return self._bytes

    def add(self, start: int, data: bytes) -> None:
        for begin, end in gaps([self.spans], start, start + len(data)):
            self.spans.add(begin, end)
            self._data[begin] = data[begin - start : end - start]
            self._bytes += end - begin

    def take(self, start: int, end: int) -> bytes:
        """The bytes between two places, all of which are here."""
        parts = []
        position = start
        while position < end:
            begin = self.spans.holding(position)
            assert begin is not None  # noqa: S101 - the caller fetched what was missing
            part = self._data[begin][position - begin : end - begin]
            parts.append(part)
            position += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def count(self) -> int:
        return len(self._data)

    def drop_oldest(self, latest: int) -> None:
        """Come back to the limit, but for the `latest` parts."""
        for start in list(self._data)[: len(self._data) - latest]:
            if self._bytes <= MEMORY_BYTES:
                return
            self._bytes -= len(self._data.pop(start))
            self.spans.remove(start)


class RangedFile:
    """An open file of a store that is far away: `fetch` asks for a part of it, which is a request.

    Many parts are asked for at once through `executor`; the reader's own thread does its share, so that
    nothing waits for ever where all the executor's threads are busy. `held` is what lies on this machine;
    what is fetched goes there too. `together` goes around waiting for many parts, so that an interruption
    reaches those who fetch them. One reader at a time; `requests` and `bytes_fetched` count."""

    def __init__(
        self,
        name: str,
        size: int,
        fetch: Fetch,
        executor: Executor,
        held: Held | None = None,
        together: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._name = name
        self._size = size
        self._fetch = fetch
        self._executor = executor
        self._held = held
        self._together = together
        self._memory = _Memory()
        self._on_disk = Spans()
        for start, length in held.extents() if held else ():
            if 0 <= start < start + length <= size:
                self._on_disk.add(start, start + length)
        self._next = -1
        self._ahead = 0
        self._closed = False
        self.requests = 0
        self.bytes_fetched = 0

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`: `length` of them, fewer only where the file ends. Raise what `fetch`
        raises, and IntegrityError where other than what was asked for comes."""
        self._require_open()
        end = min(offset + length, self._size)
        if offset < 0 or end <= offset:
            return b""
        before = self._memory.count()
        self._take_from_disk(offset, end)
        self._obtain(self._missing_and_ahead(offset, end))
        data = self._memory.take(offset, end)
        self._drop(before)
        return data

    def prefetch(self, ranges: Sequence[Range]) -> None:
        """Have these parts at hand, all fetched together. Raise the first error when all have ended; what
        came in spite of it is kept."""
        self._require_open()
        before = self._memory.count()
        missing: list[tuple[int, int]] = []
        for offset, length in ranges:
            start, end = max(0, offset), min(offset + length, self._size)
            self._take_from_disk(start, end)
            missing += self._gaps(start, end)
        self._obtain(missing)
        self._drop(before)

    def is_at_hand(self, offset: int, length: int) -> bool:
        """Whether `read_at` of this needs no request."""
        return not self._gaps(max(0, offset), min(offset + length, self._size))

    def let_go_beyond(self, kept_bytes: int) -> None:
        """Let go of what is in memory, if it is more than so many bytes. What lies on this machine's disk
        stays known."""
        if self._memory.size > kept_bytes:
            self._memory = _Memory()

    def _require_open(self) -> None:
        if self._closed:
            raise ArchiverError(f"{self._name} is closed and cannot be read")

    def _gaps(self, start: int, end: int) -> list[tuple[int, int]]:
        return gaps([self._memory.spans, self._on_disk], start, end)

    def _take_from_disk(self, start: int, end: int) -> None:
        """Bring into memory what is held between two places. What does not come back counts as not held."""
        position = self._memory.spans.covered_to(start)
        while self._held is not None and position < end:
            begin = self._on_disk.holding(position)
            if begin is None:
                position = min(each.next_start(position, end) for each in (self._on_disk, self._memory.spans))
                position = self._memory.spans.covered_to(position)
                continue
            data = self._held.get(begin)
            self._on_disk.remove(begin)
            if data is not None and begin + len(data) <= self._size:
                self._on_disk.add(begin, begin + len(data))
                self._memory.add(begin, data)
            position = self._memory.spans.covered_to(position)

    def _missing_and_ahead(self, offset: int, end: int) -> list[tuple[int, int]]:
        """What a read must fetch. Where it follows the one before, more, up to what is there already."""
        follows = offset == self._next
        self._next = end
        missing = self._gaps(offset, end)
        if not follows:
            self._ahead = 0
        if not missing or not follows:
            return missing
        self._ahead = min(max(2 * self._ahead, FIRST_AHEAD_BYTES), MOST_AHEAD_BYTES)
        until = min(self._size, max(end, missing[0][0] + self._ahead))
        return [gap for gap in self._gaps(offset, until) if gap[0] < end]

    def _obtain(self, missing: Sequence[tuple[int, int]]) -> None:
        """Fetch these parts and keep what came; raise the first error when all have ended."""
        asked = as_requests(missing)
        if not asked:
            return
        came: list[tuple[int, bytes]] = []
        errors: list[ArchiverError] = []
        for (start, _), result in zip(asked, self._fetch_all(asked), strict=True):
            if isinstance(result, ArchiverError):
                errors.append(result)
            else:
                came.append((start, result))
        self._keep(came)
        if errors:
            raise errors[0]

    def _fetch_all(self, asked: Sequence[tuple[int, int]]) -> list[bytes | ArchiverError]:
        """What each request brought or ended in, all made at once."""
        self.requests += len(asked)
        first, *rest = [partial(outcome, partial(self._ask, start, end)) for start, end in asked]
        others = [self._executor.submit(act) for act in rest]
        try:
            with self._together():
                results = [first()]
                for act, other in zip(rest, others, strict=True):
                    waits_still = other.cancel()
                    results.append(act() if waits_still else other.result())
        finally:
            for other in others:
                other.cancel()
        return results

    def _ask(self, start: int, end: int) -> bytes:
        data = self._fetch(start, end - start)
        if len(data) != end - start:
            raise IntegrityError(
                f"{self._name}: {end - start} bytes from {start} were asked for and {len(data)} came",
                "the store does not give what it lists; see what it has: archiver verify --store NAME",
            )
        return data

    def _keep(self, came: Sequence[tuple[int, bytes]]) -> None:
        for start, data in came:
            self.bytes_fetched += len(data)
            self._memory.add(start, data)
        if self._held is not None and came:
            self._held.put(came)
            for start, data in came:
                self._on_disk.add(start, start + len(data))

    def _drop(self, before: int) -> None:
        """Drop from memory what is too much, if something was added; and never what was added just now."""
        added = self._memory.count() - before
        if added:
            self._memory.drop_oldest(added)

    def close(self) -> None:
        self._closed = True
        self._memory = _Memory()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
