"""What a scan of a segment far away will read next, fetched before it is asked for.

SQLite reads one page after the other: rows newest first from a table's end to its beginning, others the
other way, an index beside them. Each page would be a wait of its own.
"""

from collections.abc import Callable

from archiver.archive.segment_file import FRAME_BYTES, PlainSource

MOST_AHEAD_BYTES = 16 * 1024 * 1024
"""Of the plain database, some 4 MiB sealed."""
_NEAR_BYTES = 4 * FRAME_BYTES
"""Two waits no further apart belong to the same scan: a page that was at hand may lie between, or a word
stands on few pages."""
_MOST_SCANS = 4
"""Followed at the same time: rows, and an index for each of some words."""


class _Scan:
    """Where a scan has come to: what was fetched for it last, and how much is fetched ahead."""

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.ahead = FRAME_BYTES


class ReadAhead:
    """A plain database that is read through this; `fetch` has a part of it at hand.

    A wait next to one before fetches twice as much as that did, in the direction that it goes, so that of
    what a scan fetches at most half is in vain. Waits elsewhere fetch what they are for."""

    def __init__(
        self,
        source: PlainSource,
        is_at_hand: Callable[[int, int], bool],
        fetch: Callable[[int, int], None],
    ) -> None:
        self._source = source
        self._is_at_hand = is_at_hand
        self._fetch = fetch
        self._scans: list[_Scan] = []

    @property
    def size(self) -> int:
        return self._source.size

    def read_at(self, offset: int, length: int) -> bytes:
        """As the source's."""
        if not self._is_at_hand(offset, length):
            self._fetch_with_more(offset, offset + length)
        return self._source.read_at(offset, length)

    def _fetch_with_more(self, start: int, end: int) -> None:
        scan = next((one for one in self._scans if 0 <= start - one.end <= _NEAR_BYTES), None)
        if scan is not None:
            end = max(end, start + self._further(scan))
        elif scan := next((one for one in self._scans if 0 <= one.start - end <= _NEAR_BYTES), None):
            start = max(0, min(start, end - self._further(scan)))
        else:
            scan = _Scan(start, end)
            self._scans = [*self._scans[-_MOST_SCANS + 1 :], scan]
        scan.start, scan.end = start, end
        self._fetch(start, end - start)

    @staticmethod
    def _further(scan: _Scan) -> int:
        scan.ahead = min(2 * scan.ahead, MOST_AHEAD_BYTES)
        return scan.ahead
