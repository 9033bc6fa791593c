"""A scan of a segment far away waits for ever larger parts, whichever way it goes."""

import pytest

from archiver.archive.read_ahead import MOST_AHEAD_BYTES, ReadAhead
from archiver.archive.segment_file import FRAME_BYTES
from tests.unit.archive.test_vfs import Bytes

FRAMES = 2_000
PLAIN = b"".join(number.to_bytes(4, "big") * (FRAME_BYTES // 4) for number in range(FRAMES))


class Far:
    """Frames come when they are fetched, and stay; `fetched` are the parts asked for."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.fetched: list[tuple[int, int]] = []
        self.source = ReadAhead(Bytes(PLAIN), self.is_at_hand, self.fetch)

    def is_at_hand(self, offset: int, length: int) -> bool:
        return offset // FRAME_BYTES in self.held and (offset + length - 1) // FRAME_BYTES in self.held

    def fetch(self, offset: int, length: int) -> None:
        assert 0 <= offset < len(PLAIN)
        self.fetched.append((offset, length))
        self.held |= set(range(offset // FRAME_BYTES, -(-(offset + length) // FRAME_BYTES)))

    def read(self, frame: int) -> None:
        data = self.source.read_at(frame * FRAME_BYTES, FRAME_BYTES)
        assert data == PLAIN[frame * FRAME_BYTES : (frame + 1) * FRAME_BYTES]


@pytest.mark.parametrize("step", [1, -1, 3, -3])
def test_a_scan_either_way_takes_few_waits(step: int) -> None:
    far = Far()
    assert far.source.size == len(PLAIN)
    frames = range(FRAMES)[::step]
    for frame in frames:
        far.read(frame)
    least = FRAMES * FRAME_BYTES // MOST_AHEAD_BYTES
    assert least <= len(far.fetched) <= least + 10


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("read", [1, 2, 3, 10, 100])
def test_no_more_than_thrice_what_is_read_is_fetched(read: int, way: int) -> None:
    far = Far()
    for frame in list(range(500, 500 + 2 * read, 1))[:read][::way]:
        far.read(frame)
    assert sum(length for _, length in far.fetched) <= 3 * read * FRAME_BYTES


def test_scans_that_go_on_side_by_side_are_each_followed() -> None:
    far = Far()
    for number in range(400):
        far.read(1_900 - number)
        far.read(100 + number)
        far.read(700 + number)
    assert len(far.fetched) <= 3 * 12


def test_waits_here_and_there_fetch_only_what_they_are_for() -> None:
    far = Far()
    for frame in (5, 1_000, 400, 1_500, 800, 60, 1_200, 300):
        far.read(frame)
    assert {length for _, length in far.fetched} == {FRAME_BYTES}
