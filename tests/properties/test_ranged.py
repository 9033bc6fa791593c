"""A stored file read by requests, under any reads, any cache and any failing of it: the bytes are right,
and what is there is not asked for."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.errors import StoreError
from archiver.stores import ranged
from archiver.stores.ranged import RangedFile, as_requests
from archiver.stores.spans import Spans, gaps

SIZE = 600_000
DATA = bytes((place * 31 + (place >> 8) * 7) & 0xFF for place in range(SIZE))
POOL = ThreadPoolExecutor(4)
PLACES = st.one_of(st.integers(0, SIZE + 100), st.integers(0, 300), st.just(131_072))
RANGES = st.tuples(PLACES, st.one_of(st.integers(0, 3000), st.integers(0, SIZE), st.just(65_552)))
READS = st.tuples(st.just("read"), RANGES)
PREFETCHES = st.tuples(st.just("prefetch"), st.lists(RANGES, max_size=6))
ACTS = st.one_of(READS, PREFETCHES, st.tuples(st.just("on"), st.integers(1, 70_000)))


class Forgetful:
    """A cache that loses parts when it is told to, and gives some back shorter than it said."""

    def __init__(self, parts: Sequence[tuple[int, int]], loses: set[int], shortens: set[int]) -> None:
        self.parts = {
            start: DATA[start : start + length] for start, length in parts if length and start < SIZE
        }
        self.loses = loses
        self.shortens = shortens

    def extents(self) -> list[tuple[int, int]]:
        return [(start, len(data)) for start, data in self.parts.items()]

    def get(self, start: int) -> bytes | None:
        number = list(self.parts).index(start) if start in self.parts else -1
        if number < 0 or number in self.loses:
            return None
        data = self.parts[start]
        return data[: len(data) // 2] if number in self.shortens else data

    def put(self, extents: Sequence[tuple[int, bytes]]) -> None:
        for start, data in extents:
            assert data == DATA[start : start + len(data)]
            self.parts[start] = data


@given(
    acts=st.lists(ACTS, max_size=15),
    parts=st.lists(RANGES, max_size=5),
    loses=st.sets(st.integers(0, 8)),
    shortens=st.sets(st.integers(0, 8)),
    with_cache=st.booleans(),
    fails=st.sets(st.integers(0, 30), max_size=3),
)
@settings(max_examples=300)
def test_any_reads_give_the_right_bytes_and_ask_only_for_what_is_not_at_hand(
    acts: list[tuple[str, object]],
    parts: list[tuple[int, int]],
    loses: set[int],
    shortens: set[int],
    with_cache: bool,
    fails: set[int],
) -> None:
    asked: list[tuple[int, int]] = []

    def fetch(offset: int, length: int) -> bytes:
        asked.append((offset, length))
        assert 0 <= offset < offset + length <= SIZE
        if len(asked) in fails:
            raise StoreError("gone")
        return DATA[offset : offset + length]

    held = Forgetful(parts, loses, shortens) if with_cache else None
    position = 0
    with RangedFile("a", SIZE, fetch, POOL, held) as file:
        for kind, what in acts:
            before = len(asked)
            try:
                if kind == "prefetch":
                    assert isinstance(what, list)
                    file.prefetch(what)
                    after = len(asked)
                    for offset, length in what:
                        assert file.is_at_hand(offset, length)
                        assert file.read_at(offset, length) == DATA[offset : offset + length]
                    assert len(asked) == after, "what was fetched ahead is not asked for again"
                    continue
                offset, length = (position, what) if kind == "on" else what  # type: ignore[misc]
                at_hand = file.is_at_hand(offset, length)
                position = min(offset + length, SIZE)
                assert file.read_at(offset, length) == DATA[offset : offset + length]
                if held is None:
                    assert (len(asked) == before) == at_hand
            except StoreError:
                assert len(asked) > before
        assert file.requests == len(asked)


@given(RANGES.map(lambda part: [part]), st.lists(RANGES, max_size=12))
def test_requests_cover_what_is_missing_and_lie_apart(
    first: list[tuple[int, int]], more: list[tuple[int, int]]
) -> None:
    missing = [(start, start + length) for start, length in first + more if length]
    requests = as_requests(missing)
    assert all(0 < end - start <= ranged.MOST_REQUEST_BYTES for start, end in requests)
    assert all(before[1] <= after[0] for before, after in pairwise(requests))
    for start, end in missing:
        spans = Spans()
        for begin, until in requests:
            spans.add(begin, until)
        assert gaps([spans], start, end) == []


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=12),
    st.integers(0, 80),
    st.integers(0, 80),
)
def test_gaps_are_exactly_what_no_part_covers(parts: list[tuple[int, int]], start: int, end: int) -> None:
    spans = Spans()
    for begin, length in parts:
        spans.add(begin, begin + length)
    covered = {place for begin, length in parts for place in range(begin, begin + length)}
    found = gaps([spans], start, end)
    assert [place for begin, until in found for place in range(begin, until)] == [
        place for place in range(start, end) if place not in covered
    ]
    assert all(before[1] < after[0] for before, after in pairwise(found))
