"""A stored file read by requests: what is asked for, how often, and what is given back."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from archiver.errors import ArchiverError, IntegrityError, StoreError
from archiver.stores import ranged
from archiver.stores.cache import FILE_NAME, StoreCache
from archiver.stores.ranged import COALESCE_BYTES, MEMORY_BYTES, MOST_REQUEST_BYTES, RangedFile

SEALED_CHUNK = 65_552
FAR = 1 << 20
"""Further apart than parts that are fetched together."""


class Server:
    """A file far away, and the requests made for parts of it: offset and length."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[tuple[int, int]] = []
        self.broken: set[int] = set()
        self.at_once = 0
        self.most_at_once = 0
        self.gather = threading.Barrier(1)
        self._lock = threading.Lock()

    def fetch(self, offset: int, length: int) -> bytes:
        with self._lock:
            self.asked.append((offset, length))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.gather.wait(20)
        with self._lock:
            self.at_once -= 1
        if offset in self.broken:
            raise StoreError(f"nothing from {offset}")
        return self.data[offset : offset + length]

    def open(self, executor: Executor, held: ranged.Held | None = None) -> RangedFile:
        return RangedFile("a/b", len(self.data), self.fetch, executor, held)


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture
def server() -> Server:
    return Server(os.urandom(5 << 20))


@pytest.fixture
def cache(tmp_path: Path) -> StoreCache:
    return StoreCache(tmp_path / "cache", 1 << 30, 60, lambda: 1_000)


def test_a_part_is_asked_for_exactly_and_never_twice(server: Server, executor: Executor) -> None:
    with server.open(executor) as file:
        assert file.read_at(300, SEALED_CHUNK) == server.data[300 : 300 + SEALED_CHUNK]
        assert file.read_at(300, SEALED_CHUNK) == server.data[300 : 300 + SEALED_CHUNK]
        assert file.read_at(1000, 10) == server.data[1000:1010]
        assert server.asked == [(300, SEALED_CHUNK)]
        assert (file.requests, file.bytes_fetched) == (1, SEALED_CHUNK)


def test_what_lies_beyond_the_end_is_not_asked_for(server: Server, executor: Executor) -> None:
    size = len(server.data)
    with server.open(executor) as file:
        assert file.read_at(size - 5, 100) == server.data[-5:]
        file.prefetch([(size - 20, 100), (size, 10), (size + 100, 10)])
        assert [file.read_at(place, 10) for place in (size, size + 7)] == [b"", b""]
        assert file.read_at(0, 0) == b""
    assert server.asked == [(size - 5, 5), (size - 20, 15)]


def test_only_the_missing_part_of_a_read_is_fetched(server: Server, executor: Executor) -> None:
    with server.open(executor) as file:
        file.read_at(FAR, 1000)
        assert file.read_at(FAR - 500, 2000) == server.data[FAR - 500 : FAR + 1500]
    assert server.asked == [(FAR, 1000), (FAR - 500, 2000)], "two gaps near each other are one request"
    server.asked.clear()
    with server.open(executor) as file:
        file.read_at(500_000, 400_000)
        file.read_at(400_000, 600_000)
    assert sorted(server.asked) == [(400_000, 100_000), (500_000, 400_000), (900_000, 100_000)]


def test_parts_wanted_together_are_fetched_together_and_neighbours_in_one_request(
    server: Server, executor: Executor
) -> None:
    wanted = [(3 * FAR, 100), (0, 100), (FAR, 100), (FAR + 100 + COALESCE_BYTES, 50), (FAR + 40, 10)]
    server.gather = threading.Barrier(3)
    with server.open(executor) as file:
        assert not file.is_at_hand(0, 100)
        file.prefetch(wanted)
        assert sorted(server.asked) == [(0, 100), (FAR, 150 + COALESCE_BYTES), (3 * FAR, 100)]
        assert server.most_at_once == 3
        server.gather = threading.Barrier(1)
        for offset, length in wanted:
            assert file.is_at_hand(offset, length)
            assert file.read_at(offset, length) == server.data[offset : offset + length]
        assert not file.is_at_hand(0, 101)
        file.prefetch(wanted)
        assert file.requests == len(server.asked) == 3


def test_a_large_part_comes_as_several_requests_at_once(executor: Executor) -> None:
    server = Server(os.urandom(2 * MOST_REQUEST_BYTES + 5))
    server.gather = threading.Barrier(3)
    with server.open(executor) as file:
        assert file.read_at(0, len(server.data)) == server.data
    assert [length for _, length in sorted(server.asked)] == [MOST_REQUEST_BYTES, MOST_REQUEST_BYTES, 5]
    assert server.most_at_once == 3


def test_reading_on_fetches_ahead_twice_as_much_each_time_and_a_jump_ends_it(
    server: Server, executor: Executor
) -> None:
    with server.open(executor) as file:
        position = 100
        while position < 3_000_000:
            assert file.read_at(position, 10_000) == server.data[position : position + 10_000]
            position += 10_000
        lengths = [length for _, length in server.asked]
        assert lengths[:6] == [10_000, 65_536, 131_072, 262_144, 524_288, 1_048_576]
        assert len(lengths) <= 8
        server.asked.clear()
        file.read_at(5 * FAR - 1000, 10)
        assert server.asked == [(5 * FAR - 1000, 10)]


def test_reading_ahead_stops_at_the_end_and_at_what_is_there(server: Server, executor: Executor) -> None:
    with server.open(executor) as file:
        file.read_at(50_000, 10)
        file.read_at(0, 10)
        file.read_at(10, 10)
        assert server.asked[-1] == (10, 49_990)
        end = len(server.data)
        file.read_at(end - 100, 10)
        file.read_at(end - 90, 10)
        assert server.asked[-1] == (end - 90, 90)


def test_the_first_error_comes_when_all_have_ended_and_what_came_is_kept(
    server: Server, executor: Executor
) -> None:
    server.broken = {FAR, 3 * FAR}
    with server.open(executor) as file:
        with pytest.raises(StoreError, match=f"nothing from {FAR}$"):
            file.prefetch([(place * FAR, 100) for place in range(5)])
        assert len(server.asked) == 5
        assert [file.is_at_hand(place * FAR, 100) for place in range(5)] == [True, False, True, False, True]
        server.broken.clear()
        assert file.read_at(FAR, 100) == server.data[FAR : FAR + 100]


@pytest.mark.parametrize("came", [b"", b"123", b"12345"])
def test_other_than_what_was_asked_for_is_refused(executor: Executor, came: bytes) -> None:
    with RangedFile("a/b", 100, lambda offset, length: came, executor) as file:
        with pytest.raises(
            IntegrityError, match=rf"^a/b: 4 bytes from 10 were asked for and {len(came)} came$"
        ):
            file.read_at(10, 4)
        assert not file.is_at_hand(10, 1)


def test_a_closed_file_is_not_read_even_where_it_was_read_before(server: Server, executor: Executor) -> None:
    file = server.open(executor)
    file.read_at(0, 10)
    file.close()
    file.close()
    for attempt in (lambda: file.read_at(0, 10), lambda: file.prefetch([(0, 10)])):
        with pytest.raises(ArchiverError, match="a/b is closed"):
            attempt()


def test_a_busy_executor_does_not_keep_a_reader_waiting_for_ever(server: Server) -> None:
    free = threading.Event()
    with ThreadPoolExecutor(1) as pool, server.open(pool) as file:
        pool.submit(free.wait, 60)
        file.prefetch([(0, 10), (FAR, 10), (2 * FAR, 10)])
        assert len(server.asked) == 3
        free.set()


def test_memory_is_bounded_but_what_was_just_fetched_stays(executor: Executor) -> None:
    server = Server(bytes(3 * MEMORY_BYTES))
    with server.open(executor) as file:
        file.read_at(0, 1000)
        file.prefetch([(FAR, 2 * MEMORY_BYTES)])
        assert file.is_at_hand(FAR, 2 * MEMORY_BYTES)
        assert not file.is_at_hand(0, 1)
        file.read_at(0, 1000)
        assert file.is_at_hand(0, 1000)
        held = sum(file.is_at_hand(place, 1) for place in range(0, 3 * MEMORY_BYTES, 1 << 20)) << 20
        assert held <= MEMORY_BYTES + (1 << 20)


def test_what_was_fetched_is_not_fetched_again_by_who_opens_it_later(
    server: Server, executor: Executor, cache: StoreCache
) -> None:
    wanted = [(5, 100), (FAR, SEALED_CHUNK), (2 * FAR, 10)]
    with server.open(executor, cache.file("v1")) as file:
        file.prefetch(wanted)
    server.asked.clear()
    with server.open(executor, cache.file("v1")) as file:
        assert all(file.is_at_hand(*part) for part in wanted)
        assert not file.is_at_hand(0, 6)
        file.prefetch(wanted)
        for offset, length in [*wanted, (FAR + 20, 30)]:
            assert file.read_at(offset, length) == server.data[offset : offset + length]
        assert file.requests == 0
    assert server.asked == []
    with server.open(executor, cache.file("v2")) as file:
        file.read_at(5, 100)
    assert server.asked == [(5, 100)]


def test_what_the_cache_does_not_give_back_is_fetched_with_the_rest(
    server: Server, executor: Executor, cache: StoreCache
) -> None:
    with server.open(executor, cache.file("v1")) as file:
        file.prefetch([(0, 100), (FAR, 100)])
    with server.open(executor, cache.file("v1")) as file:
        with closing(apsw.Connection(str(cache.folder / FILE_NAME))) as database:
            database.execute("DELETE FROM extent")  # as another process does that makes room
        server.asked.clear()
        server.gather = threading.Barrier(3)
        file.prefetch([(0, 100), (FAR, 100), (2 * FAR, 100)])
        server.gather = threading.Barrier(1)
        assert file.read_at(0, 100) == server.data[:100]
        assert sorted(server.asked) == [(0, 100), (FAR, 100), (2 * FAR, 100)]


def test_what_memory_dropped_comes_again_from_the_cache(executor: Executor, cache: StoreCache) -> None:
    server = Server(os.urandom(MEMORY_BYTES + 4 * FAR))
    with server.open(executor, cache.file("v1")) as file:
        file.read_at(0, 1000)
        file.prefetch([(2 * FAR, MEMORY_BYTES)])
        count = file.requests
        assert file.is_at_hand(0, 1000)
        assert file.read_at(0, 1000) == server.data[:1000]
        assert file.requests == count


def test_a_cache_that_says_more_than_the_file_has_is_not_believed(
    server: Server, executor: Executor, cache: StoreCache
) -> None:
    size = len(server.data)
    cache.file("v1").put([(size - 5, b"0123456789"), (size + 5, b"0123456789")])
    with server.open(executor, cache.file("v1")) as file:
        assert not file.is_at_hand(size - 5, 5)
        assert file.read_at(size - 5, 5) == server.data[-5:]


def test_what_was_let_go_of_comes_from_the_cache_or_is_fetched_again(
    server: Server, executor: Executor, cache: StoreCache
) -> None:
    for held, fetches in ((cache.file("v1"), 0), (None, 1)):
        with server.open(executor, held) as file:
            file.prefetch([(0, 1000)])
            server.asked.clear()
            file.let_go_beyond(1000)
            assert file.read_at(0, 1000) == server.data[:1000]
            assert server.asked == []
            file.let_go_beyond(999)
            assert file.is_at_hand(0, 1000) is (held is not None)
            assert file.read_at(0, 1000) == server.data[:1000]
            assert len(server.asked) == fetches
