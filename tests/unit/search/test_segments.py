"""What is held in memory of the segments that are open: so much together, however many they are."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.read import FRAME_CACHE_BYTES, KEPT_BYTES, PAGE_CACHE_BYTES, SegmentReader
from archiver.search.language import parse_query
from archiver.search.run import Searcher
from archiver.search.segments import FRAME_BYTES, PAGE_BYTES
from tests.made_vaults import Made, VaultMaker, post
from tests.memory_store import MemoryStore

POSTS = 3_000


def page_bytes(reader: SegmentReader) -> int:
    """What SQLite may keep; it says so in KiB, as a negative number."""
    (kibibytes,) = reader.connection.execute("PRAGMA cache_size").fetchone()  # type: ignore[misc]  # one row
    return -1024 * int(kibibytes)


@pytest.mark.parametrize("is_far", [False, True])
def test_all_open_segments_share_what_is_kept_of_them(tmp_path: Path, is_far: bool) -> None:
    maker = VaultMaker(tmp_path / "vault", is_far=is_far)
    for number in range(24):
        maker.add(f"2026-01-{number + 1:02d}", [post(str(number), "word", number)])
    with closing(maker.searcher()) as searcher:
        searcher.search(parse_query("word"), limit=1)
        few = [page_bytes(reader) for _, reader, _ in list(searcher.readers())[-1:]]
        searcher.search(parse_query("word"), limit=0)
        sizes = [page_bytes(reader) for _, reader, _ in searcher.readers()]
    assert few[0] <= PAGE_CACHE_BYTES
    assert len(sizes) == 24
    assert sum(sizes) <= PAGE_BYTES
    assert FRAME_BYTES >= 4 * FRAME_CACHE_BYTES


def test_of_a_few_open_segments_each_keeps_as_much_as_it_may(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path / "vault")
    for number in range(4):
        maker.add(f"2026-01-{number + 1:02d}", [post(str(number), "word", number)])
    with closing(maker.searcher()) as searcher:
        sizes = [page_bytes(reader) for _, reader, _ in searcher.readers()]
    assert sizes == [PAGE_CACHE_BYTES] * 4


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    """Two segments of 12 MB whose bytes cannot be compressed."""
    maker = VaultMaker(tmp_path_factory.mktemp("segments") / "vault", is_far=True)
    for number in range(2):
        made = []
        for index in range(POSTS):
            key = number * POSTS + index
            text = f"common {hashlib.shake_128(b'%d' % key).hexdigest(2_500)}"
            made.append(Made(post(str(key), text, key)))
        maker.add(f"2026-01-{number + 1:02d}", made)
    return maker


@pytest.fixture
def far(large: VaultMaker) -> Iterator[tuple[Searcher, MemoryStore]]:
    with closing(large.searcher()) as searcher:
        store = searcher.segments._vault.store
        assert isinstance(store, MemoryStore)
        yield searcher, store


def at_hand(reader: SegmentReader) -> int:
    """How many of a segment's sealed bytes are in memory, to 64 KiB."""
    size, step = reader._stored.size, 1 << 16
    return sum(step for place in range(0, size, step) if reader._stored.is_at_hand(place, 1))


@pytest.mark.parametrize("text", ["from:nobody", "from:nobody common"])
def test_what_was_read_through_far_away_is_read_once_and_let_go_of(
    far: tuple[Searcher, MemoryStore], text: str
) -> None:
    searcher, store = far
    size = sum(file.size for _, _, file in searcher.readers())
    assert size > 16_000_000
    assert searcher.search(parse_query(text)).hits == []
    assert store.bytes_read < 1.1 * size
    assert searcher.effort().bytes < 1.3 * size
    assert sum(at_hand(reader) for _, reader, _ in searcher.readers()) <= 2 * KEPT_BYTES


def test_what_was_let_go_of_is_fetched_again_where_it_is_asked_for(
    far: tuple[Searcher, MemoryStore], large: VaultMaker
) -> None:
    searcher, _ = far
    assert searcher.search(parse_query("from:nobody")).hits == []
    before = searcher.effort().requests
    found = searcher.search(parse_query("common"), order="oldest", limit=3)
    assert [hit.id for hit in found.hits] == ["0", "1", "2"]
    assert searcher.effort().requests >= before > 4
