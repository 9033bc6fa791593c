"""Segments read side by side for text that no index has: what they find is what one process finds."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.errors import IntegrityError
from archiver.formats.age.payload import CHUNK_BYTES
from archiver.search.catalogue import Catalogue
from archiver.search.hit import POSITION, Hit, edge_of
from archiver.search.in_time import FIRST_SEGMENTS, find_in_time
from archiver.search.language import parse_query
from archiver.search.run import Searcher
from archiver.search.sql.statement import MANY, Order
from tests.made_vaults import DAY_MS, Made, VaultMaker, post

SEGMENTS = 30
POSTS = 12
DAMAGED = 20
PROCESSES = 3


def _segment(number: int) -> list[Made]:
    """Half a segment's time is that of the next one too. `xrarex` is in three segments, far apart; the one to
    be damaged is of several chunks."""
    made = []
    for index in range(POSTS):
        key = number * POSTS + index
        when = number * 10 * DAY_MS + index * 20 * DAY_MS // POSTS // 1000 * 1000
        words = "xfoox " * (index % 4 == 0) + "xrarex" * (index == 5 and number in (0, 13, 29))
        noise = hashlib.shake_128(b"%d" % key).hexdigest(9_000 if number == DAMAGED else 9)
        made.append(Made(post(str(key), f"{words} {noise}", when)))
        if index == 4:  # changed in the same segment, and no hit any more; or still one
            text = "nothing" if number % 2 else "xfoox changed"
            made.append(Made(post(f"{key}001", text, when + 1000, record_id=str(key)), 2))
    return made


@pytest.fixture(scope="module")
def maker(module_memory_path: Path) -> VaultMaker:
    maker = VaultMaker(module_memory_path / "vault")
    for number in range(SEGMENTS):
        maker.add(f"{2026 + number // 12}-{number % 12 + 1:02d}-01", _segment(number))
    return maker


@pytest.fixture(scope="module")
def catalogue(maker: VaultMaker) -> Catalogue:
    """With it no segment is opened before one is read."""
    return maker.catalogue()


@pytest.fixture(scope="module")
def alone(maker: VaultMaker, catalogue: Catalogue) -> Iterator[Searcher]:
    with closing(maker.searcher(catalogue=catalogue)) as searcher:
        yield searcher


@pytest.fixture
def together(maker: VaultMaker, catalogue: Catalogue) -> Iterator[Searcher]:
    with closing(maker.searcher(PROCESSES, catalogue=catalogue)) as searcher:
        yield searcher


QUERIES = ("*foo*", "*rare*", "*nowhere*", "*foo* -*changed*", "*rar* OR *chang*")


@pytest.mark.parametrize("text", QUERIES)
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_scan_by_several_processes_answers_as_that_by_one_does(
    alone: Searcher, together: Searcher, text: str, order: Order
) -> None:
    query = parse_query(text)
    for limit in (0, 50, 5, 1):
        expected = alone.search(query, order=order, limit=limit)
        assert together.search(query, order=order, limit=limit) == expected, limit
        assert bool(expected.hits) == (text != "*nowhere*")
    assert together.segments._read_elsewhere.segments > 0


@pytest.mark.parametrize("text", QUERIES)
@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("fetch", [1, 5, 50, MANY])
def test_before_the_edge_nothing_is_left_out_and_as_much_lies_there_as_is_wanted(
    alone: Searcher, together: Searcher, text: str, order: Order, fetch: int
) -> None:
    position = POSITION[order]

    def find(searcher: Searcher, wanted: int, processes: int) -> tuple[list[Hit], tuple[float, float]]:
        question = searcher.question(parse_query(text), order)
        hits, edge = find_in_time(searcher.segments, question, wanted, processes)
        return sorted(hits, key=position), edge or (float("inf"), 0)

    everything, _ = find(alone, MANY, 1)
    for searcher, processes in ((alone, 1), (together, PROCESSES)):
        hits, edge = find(searcher, fetch, processes)
        assert len({position(hit) for hit in hits}) == len(hits)  # no segment was read twice
        certain = [hit for hit in everything if edge_of(position(hit)) < edge]
        assert [hit for hit in hits if edge_of(position(hit)) < edge] == certain
        assert len([hit for hit in hits if edge_of(position(hit)) <= edge]) >= min(fetch, len(everything))
        if fetch == MANY:
            assert edge == (float("inf"), 0)


def test_what_processes_read_is_counted_as_if_one_had_read_it(
    maker: VaultMaker, catalogue: Catalogue, together: Searcher
) -> None:
    with closing(maker.searcher(catalogue=catalogue)) as alone:
        for searcher in (alone, together):
            question = searcher.question(parse_query("*nowhere*"))
            assert find_in_time(searcher.segments, question, 50, searcher._best.processes) == ([], None)
        assert together.effort() == alone.effort()
        assert alone.effort().segments == SEGMENTS
    # Each child has its share of those that are not read before the first of them is started.
    share = (SEGMENTS - FIRST_SEGMENTS) // PROCESSES
    assert together.segments._read_elsewhere.segments in range(2 * share, 2 * share + PROCESSES)


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_one_after_the_other_have_every_hit_once(
    alone: Searcher, together: Searcher, order: Order
) -> None:
    query = parse_query("*foo*")
    expected = alone.search(query, order=order, limit=0).hits
    assert len(expected) > 80
    paged: list[Hit] = []
    page = together.search(query, order=order, limit=11)
    while page.more:
        paged += page.hits
        page = together.search(query, order=order, limit=11, after=page.ends_at)
    assert [*paged, *page.hits] == expected


def test_a_damaged_segment_that_another_process_reads_names_its_archive_and_the_others_are_answered_for(
    maker: VaultMaker, catalogue: Catalogue, alone: Searcher
) -> None:
    """It opens, as its first and its last chunk are whole; its posts are not."""
    archive = f"{2026 + DAMAGED // 12}-{DAMAGED % 12 + 1:02d}-01"
    path = maker.folder / "archives" / archive / "records-000.sqlite.zst.age"
    whole = path.read_bytes()
    altered = bytearray(whole)
    places = range(len(whole) - 2 * CHUNK_BYTES, CHUNK_BYTES, -CHUNK_BYTES)
    assert len(places) > 1
    for place in places:
        altered[place] ^= 1
    path.write_bytes(altered)
    try:
        with closing(maker.searcher(PROCESSES, catalogue=catalogue)) as searcher:
            found = searcher.search(parse_query("*foo*"), limit=0).hits
            ((name, error),) = searcher.unsearched
            assert searcher.segments._read_elsewhere.chunks > 0
    finally:
        path.write_bytes(whole)
    assert (name, isinstance(error, IntegrityError)) == (archive, True)
    assert "failed authentication" in error.message
    expected = [hit for hit in alone.search(parse_query("*foo*"), limit=0).hits if hit.archive != archive]
    assert found == expected
