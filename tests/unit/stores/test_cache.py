"""The cache of sealed bytes: what is kept is given back exactly, and nothing that befalls it does harm."""

import multiprocessing
import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from archiver.stores.cache import FILE_NAME, StoreCache
from archiver.times import system_clock
from tests.programs import PROJECT

Clock = Callable[[], int]


class Hands:
    """A clock that is set by hand."""

    def __init__(self, now: int = 1_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "below" / "cache"


def opened(folder: Path, limit_bytes: int = 1 << 20, clock: Clock = system_clock) -> StoreCache:
    return StoreCache(folder, limit_bytes, 60, clock)


def test_parts_are_given_back_exactly_to_another_opening_of_the_cache(folder: Path) -> None:
    parts = [(start, os.urandom(length)) for start, length in ((7, 65_552), (0, 1), (200_000, 20_000))]
    first = opened(folder)
    first.file("v1").put(parts)
    first.close()
    second = opened(folder)
    assert second.file("v1").extents() == [(0, 1), (7, 65_552), (200_000, 20_000)]
    assert [(start, second.file("v1").get(start)) for start, _ in parts] == parts
    assert second.file("v1").get(1) is None
    assert second.file("v2").extents() == []
    assert second.file("v2").get(0) is None
    assert first.problem is None
    assert second.problem is None


def test_it_is_private_and_made_only_when_there_is_something_to_keep(folder: Path) -> None:
    cache = opened(folder)
    assert cache.file("v1").extents() == []
    assert cache.listing("names") is None
    cache.drop_listing("names")
    cache.close()
    assert not folder.exists()
    cache.file("v1").put([])
    assert not folder.exists()
    cache.file("v1").put([(0, b"data")])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_cache_of_no_size_does_not_touch_the_disk(folder: Path) -> None:
    cache = opened(folder, 0)
    cache.file("v1").put([(0, b"data")])
    cache.put_listing("names", b"[]")
    assert cache.file("v1").get(0) is None
    assert cache.listing("names") is None
    cache.close()
    assert not folder.parent.exists()


def test_of_two_parts_from_one_place_the_longer_is_kept(folder: Path) -> None:
    cache = opened(folder)
    for data in (b"12", b"1234", b"123"):
        cache.file("v1").put([(5, data)])
    assert cache.file("v1").extents() == [(5, 4)]
    assert cache.file("v1").get(5) == b"1234"


def test_the_least_recently_used_parts_go_first_and_the_limit_holds(folder: Path, clock: Hands) -> None:
    cache = opened(folder, 100_000, clock)
    for number in range(10):
        clock.now += 1000
        cache.file(f"v{number}").put([(0, bytes([number]) * 10_000)])
    clock.now += 1000
    assert cache.file("v0").get(0) == bytes(10_000)
    clock.now += 1000
    cache.file("v10").put([(0, bytes(10_000))])
    assert [number for number in range(11) if cache.file(f"v{number}").get(0) is None] == [1, 2]


def test_a_use_counts_for_the_next_process_as_well(folder: Path, clock: Hands) -> None:
    first = opened(folder, 30_000, clock)
    for number in range(3):
        clock.now += 1000
        first.file(f"v{number}").put([(0, bytes(10_000))])
    first.close()
    second = opened(folder, 30_000, clock)
    clock.now += 1000
    second.file("v0").get(0)
    second.close()
    third = opened(folder, 30_000, clock)
    third.file("v3").put([(0, bytes(5_000))])
    assert third.file("v0").get(0) is not None
    assert third.file("v1").get(0) is None


def test_a_part_larger_than_the_cache_is_not_kept_and_evicts_nothing(folder: Path) -> None:
    cache = opened(folder, 100_000)
    cache.file("v1").put([(0, bytes(50_000))])
    cache.file("v2").put([(0, bytes(100_001))])
    assert cache.file("v1").extents() == [(0, 50_000)]
    assert cache.file("v2").extents() == []


def test_the_file_shrinks_when_the_limit_was_lowered(folder: Path) -> None:
    cache = opened(folder, 10 << 20)
    cache.file("v1").put([(number << 20, os.urandom(1 << 20)) for number in range(8)])
    cache.close()
    assert (folder / FILE_NAME).stat().st_size > 8 << 20
    smaller = opened(folder, 1 << 20)
    smaller.file("v2").put([(0, os.urandom(1000))])
    smaller.close()
    assert (folder / FILE_NAME).stat().st_size < 2 << 20
    assert opened(folder).file("v2").extents() == [(0, 1000)]


def test_a_listing_counts_while_it_is_fresh_by_the_clock(folder: Path, clock: Hands) -> None:
    cache = opened(folder, clock=clock)
    cache.put_listing("names", b"old")
    cache.put_listing("names", b"[1]")
    saved = clock.now
    ages = {0: b"[1]", 59_999: b"[1]", 60_000: None, -1: None, 10**9: None}
    for age, expected in ages.items():
        clock.now = saved + age
        assert cache.listing("names") == expected, f"{age} ms later"
    clock.now = saved
    assert cache.listing("others") is None
    cache.drop_listing("names")
    assert cache.listing("names") is None


def held_bytes(folder: Path) -> tuple[int, int]:
    """Of parts and of listings, as the file itself has them."""
    with apsw.Connection(str(folder / FILE_NAME), flags=apsw.SQLITE_OPEN_READONLY) as database:
        sums = [f"SELECT coalesce(sum(length(data)), 0) FROM {name}" for name in ("body", "listing")]  # noqa: S608
        parts, listings = (database.execute(each).fetchone()[0] for each in sums)
    return parts, listings


def test_the_limit_holds_for_parts_and_listings_together(folder: Path, clock: Hands) -> None:
    cache = opened(folder, 100_000, clock)
    for number in range(10):
        clock.now += 1
        cache.put_listing(f"store {number}", bytes(20_000))
    assert held_bytes(folder) == (0, 80_000)
    assert [number for number in range(10) if cache.listing(f"store {number}")] == [6, 7, 8, 9]
    cache.file("v1").put([(number * 1_000, bytes(1_000)) for number in range(50)])
    parts, listings = held_bytes(folder)
    assert (parts, listings) == (10_000, 80_000)
    cache.put_listing("store 9", bytes(90_001))
    assert cache.listing("store 9") is None, "what does not fit is not kept, nor what it was to replace"
    assert held_bytes(folder) == (10_000, 60_000)


def test_a_listing_of_the_day_before_is_dropped_by_the_next_one_of_any_store(
    folder: Path, clock: Hands
) -> None:
    cache = opened(folder, clock=clock)
    cache.put_listing("old", b"names")
    clock.now += 24 * 60 * 60 * 1000
    cache.put_listing("later", b"names")
    assert held_bytes(folder) == (0, 10)
    clock.now += 1
    cache.put_listing("later", b"name")
    assert held_bytes(folder) == (0, 4)


def altered(folder: Path, statement: str) -> None:
    database = apsw.Connection(str(folder / FILE_NAME))
    database.execute(statement)
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE body SET data = CAST(x'00' || substr(data, 2) AS BLOB)",
        "UPDATE body SET data = substr(data, 2)",
        "UPDATE extent SET start = 8",
        "UPDATE extent SET key = 'v2'",
        "DELETE FROM body",
    ],
)
def test_a_part_that_is_not_what_was_kept_counts_as_absent(folder: Path, statement: str) -> None:
    cache = opened(folder)
    cache.file("v1").put([(7, b"data")])
    cache.close()
    altered(folder, statement)
    assert [cache.file(key).get(start) for key in ("v1", "v2") for start in (7, 8)] == [None] * 4
    cache.file("v1").put([(7, b"data")])
    assert cache.file("v1").get(7) == b"data", "what is put again takes its place"


def test_an_altered_listing_counts_as_absent(folder: Path, clock: Hands) -> None:
    cache = opened(folder, clock=clock)
    cache.put_listing("names", b"[1]")
    cache.close()
    altered(folder, "UPDATE listing SET saved_ms = saved_ms + 1")
    clock.now += 10
    assert cache.listing("names") is None


def work(cache: StoreCache) -> None:
    """Everything one can do with a cache; nothing of it may raise."""
    file = cache.file("v1")
    for start, length in file.extents():
        data = file.get(start)
        assert data is None or data == b"data"
        assert length > 0
    assert cache.listing("names") in (None, b"[]")
    file.put([(0, b"data"), (10, b"data")])
    cache.put_listing("names", b"[]")
    assert file.get(0) in (None, b"data")
    cache.drop_listing("others")
    cache.close()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "no database": lambda data: b"not a database, but as long as one" * 500,
    "cut in half": lambda data: data[: len(data) // 2],
    "cut in the first page": lambda data: data[:50],
    "empty": lambda data: b"",
    "zeros in the middle": lambda data: data[:16384] + bytes(32768) + data[49152:],
    "another program's": lambda data: another_programs(),
    "of a later version": lambda data: data[:60] + b"\0\0\0\x63" + data[64:],
}


def another_programs() -> bytes:
    database = sqlite3.connect(":memory:")
    database.executescript("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1); PRAGMA user_version = 1")
    data = database.serialize()
    database.close()
    return data


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_begun_anew(folder: Path, damage: str) -> None:
    cache = opened(folder)
    work(cache)
    path = folder / FILE_NAME
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    later = opened(folder)
    work(later)
    assert later.problem is None
    assert opened(folder).file("v1").get(0) == b"data"


def test_any_damage_to_any_page_does_no_harm(folder: Path) -> None:
    """Each part of the file overwritten in turn, as a failing disk might."""
    cache = opened(folder)
    work(cache)
    path = folder / FILE_NAME
    sound = path.read_bytes()
    for begin in range(0, len(sound), 256):
        for filler in (b"\0", b"\xff", b"\x37"):
            path.write_bytes(sound[:begin] + filler * 256 + sound[begin + 256 :])
            for name in (f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"):
                (folder / name).unlink(missing_ok=True)
            work(opened(folder))
            if sound[begin : begin + 256] == bytes(256):
                break


def test_a_folder_that_is_a_file_is_no_cache_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"")
    cache = opened(tmp_path / "cache")
    work(cache)
    assert cache.problem is not None
    assert str(tmp_path / "cache") in cache.problem
    assert (tmp_path / "cache").read_bytes() == b""


FULL = """
import resource, sys
from pathlib import Path
from archiver.stores.cache import StoreCache
from archiver.times import system_clock
cache = StoreCache(Path(sys.argv[1]), 1 << 30, 60, system_clock)
cache.file("v1").put([(0, b"kept")])
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
cache.file("v1").put([(10, bytes(1_000_000))])
cache.put_listing("names", b"[]")
print(cache.file("v1").extents(), cache.file("v1").get(0), cache.listing("names"), cache.problem is not None)
cache.close()
"""


def test_a_full_disk_ends_writing_and_not_reading(folder: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", FULL, str(folder)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert result.stdout == "[(0, 4)] b'kept' None True\n"
    assert result.stderr == ""
    assert opened(folder).file("v1").get(0) == b"kept"


READ_ONLY = """
import os, sys
from pathlib import Path
from archiver.stores.cache import StoreCache
from archiver.times import system_clock
os.setgid(65534); os.setuid(65534)
cache = StoreCache(Path(sys.argv[1]), 1 << 30, 60, system_clock)
print(cache.file("v1").extents()); cache.file("v1").put([(0, b"data")]); print(cache.problem is not None)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody who may not write")
def test_a_folder_of_somebody_else_is_no_cache(folder: Path) -> None:
    work(opened(folder))
    result = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(folder)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "[]\nTrue\n"


def test_one_that_is_locked_for_long_is_given_up_after_a_while(folder: Path) -> None:
    work(opened(folder))
    holder = apsw.Connection(str(folder / FILE_NAME))
    holder.execute("BEGIN IMMEDIATE")
    cache = opened(folder)
    cache.file("v1").put([(20, b"data")])
    cache.file("v1").put([(30, b"data")])
    assert cache.problem is not None
    assert cache.file("v1").get(20) is None
    assert cache.file("v1").get(0) == b"data", "reading does not wait for who writes"
    holder.execute("COMMIT")
    holder.close()
    assert opened(folder).file("v1").get(0) == b"data"


def test_many_threads_use_one_cache(folder: Path) -> None:
    cache = opened(folder, 400_000)
    wrong: list[object] = []

    def use(number: int) -> None:
        for round_ in range(30):
            file = cache.file(f"v{number % 3}")
            data = bytes([number % 3, round_]) * 1000
            file.put([(round_ * 10_000, data)])
            if (found := file.get(round_ * 10_000)) not in (None, data):
                wrong.append(found)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert cache.problem is None


def fill(cache: StoreCache, number: int) -> str | None:
    for round_ in range(30):
        data = bytes([number, round_]) * 500
        cache.file(f"v{number}").put([(round_ * 1000, data)])
        if cache.file(f"v{number}").get(round_ * 1000) != data:
            return f"lost {number} {round_}"
    cache.close()
    return cache.problem


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_many_processes_use_one_cache_made_by_all_at_once(folder: Path, way: str) -> None:
    cache = opened(folder, 10 << 20)
    if way == "fork":
        cache.file("parent").put([(0, b"data")])
    with multiprocessing.get_context(way).Pool(4) as pool:
        problems = pool.starmap(fill, [(cache, number) for number in range(8)], chunksize=1)
    assert problems == [None] * 8
    assert [len(cache.file(f"v{number}").extents()) for number in range(8)] == [30] * 8
    if way == "fork":
        assert cache.file("parent").get(0) == b"data"
    cache.close()


def test_a_forked_child_and_its_parent_both_go_on_with_the_same_object(folder: Path) -> None:
    cache = opened(folder)
    cache.file("v1").put([(0, b"before")])
    cache.file("v1").get(0)
    child = multiprocessing.get_context("fork").Process(target=fill, args=(cache, 7))
    child.start()
    cache.file("v1").put([(10, b"meanwhile")])
    child.join(30)
    assert child.exitcode == 0
    assert cache.file("v1").get(10) == b"meanwhile"
    assert len(cache.file("v7").extents()) == 30
    assert cache.problem is None


def test_a_pickled_cache_is_the_same_one_elsewhere(folder: Path) -> None:
    cache = opened(folder)
    cache.file("v1").put([(0, b"data")])
    again: StoreCache = pickle.loads(pickle.dumps(cache))  # noqa: S301 - made one line up
    assert again.file("v1").get(0) == b"data"
    assert (again.folder, again.limit_bytes, again.fresh_seconds) == (folder, 1 << 20, 60)


def test_a_cache_that_was_closed_is_opened_again_by_its_next_use(folder: Path) -> None:
    cache = opened(folder)
    cache.file("v1").put([(0, b"data")])
    cache.close()
    cache.close()
    assert cache.file("v1").get(0) == b"data"


def test_a_cache_deleted_while_in_use_does_no_harm(folder: Path) -> None:
    cache = opened(folder)
    cache.file("v1").put([(0, b"data")])
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    work(cache)


ENDING = """
import sys, threading
from pathlib import Path
from archiver.stores.cache import StoreCache
from archiver.times import system_clock
cache = StoreCache(Path(sys.argv[1]), 1 << 20, 60, system_clock)
cache.file("v1").put([(0, b"data")])
cache.file("v1").get(0)
def hold():
    with cache._database.lock:
        held.set()
        threading.Event().wait()
held = threading.Event()
threading.Thread(target=hold, daemon=True).start()
held.wait()
sys.exit(7)
"""


def test_a_process_ends_with_its_own_code_though_a_thread_uses_the_cache(folder: Path) -> None:
    command = [sys.executable, "-c", ENDING, str(folder)]
    result = subprocess.run(command, cwd=PROJECT, timeout=30, capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (7, b"")


FORKING = """
import os, sys, threading
from pathlib import Path
from archiver.stores.cache import StoreCache
from archiver.times import system_clock
sys.setswitchinterval(1e-6)
def make():
    return StoreCache(Path(sys.argv[1]), 1 << 20, 60, system_clock)
def go_on():
    while not ended.is_set():
        make()
ended = threading.Event()
kept = [make() for _ in range(1000)]
thread = threading.Thread(target=go_on)
thread.start()
for _ in range(30):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
ended.set()
thread.join()
"""


def test_caches_are_made_by_one_thread_while_another_forks(folder: Path) -> None:
    command = [sys.executable, "-c", FORKING, str(folder)]
    result = subprocess.run(command, cwd=PROJECT, timeout=60, capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (0, b"")
