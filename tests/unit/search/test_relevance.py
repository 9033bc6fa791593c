"""Ranking in several processes: the same is found as in one, and what goes wrong is told."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from archiver.errors import IntegrityError
from archiver.search.language import parse_query
from archiver.search.run import Searcher
from archiver.search.sql.statement import Order
from tests.made_vaults import DAY_MS, Made, VaultMaker, like, message, post
from tests.unit.search.test_unsearched import damage


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    maker = VaultMaker(tmp_path / "vault")
    for month in range(5):
        texts = [f"{'flood ' * (n % 4)}road{' flooding' * (month % 2)} w{n}" for n in range(30)]
        made = [Made(post(f"{month}-{n}", text, month * 40 * DAY_MS + n)) for n, text in enumerate(texts)]
        made += [Made(message(f"m{month}", "a flood on the road", month)), Made(like(f"l{month}", "road", 1))]
        if month:
            made.append(Made(post(f"{month - 1}-1", "road changed flood", (month - 1) * 40 * DAY_MS + 1), 2))
        maker.add(f"2026-0{month + 1}-01", made)
    return maker


@contextmanager
def searchers(maker: VaultMaker, processes: int) -> Iterator[tuple[Searcher, Searcher]]:
    with closing(maker.searcher()) as alone, closing(maker.searcher(processes)) as together:
        together._best.side_by_side_records = 0
        yield alone, together


def test_several_processes_find_what_one_finds(maker: VaultMaker) -> None:
    with searchers(maker, 3) as (alone, together):
        for text in (
            "flood", "road", '"flood"', "flood OR road", "road -flood", "fl*", "road from:nobody", "nothere",
            "changed", "road kind:like", "-flood", '"flood road" OR w7', "road since:1970-02",
            "flood NEAR/2 w1",
        ):  # fmt: skip
            for limit in (7, 0):
                query = parse_query(text)
                expected = alone.search(query, order="relevance", limit=limit)
                assert together.search(query, order="relevance", limit=limit) == expected, (text, limit)
        assert together.effort().segments >= 5


def test_pages_made_in_several_processes_are_the_whole_answer(maker: VaultMaker) -> None:
    query = parse_query("flood OR w3")
    with searchers(maker, 3) as (alone, together):
        whole = alone.search(query, order="relevance", limit=0).hits
        hits, after = [], None
        for _ in range(9):
            page = together.search(query, order="relevance", limit=30, after=after)
            hits += page.hits
            after = page.ends_at
            if not page.more:
                break
    assert hits == whole
    assert len(whole) > 60


@pytest.mark.parametrize("month", [1, 5])
def test_damage_that_a_child_finds_names_its_archive(maker: VaultMaker, month: int) -> None:
    """All were catalogued before, so that nobody has looked at what is damaged since."""
    catalogue = maker.catalogue()
    damage(maker, month, 0.5)
    with closing(maker.searcher(3, catalogue=catalogue)) as searcher:
        searcher._best.side_by_side_records = 0
        hits = searcher.search(parse_query("flood OR road"), order="relevance", limit=0).hits
        ((archive, error),) = searcher.unsearched
    assert (archive, isinstance(error, IntegrityError)) == (f"2026-0{month}-01", True)
    assert archive in error.message
    assert {hit.archive for hit in hits} == {f"2026-0{n}-01" for n in range(1, 6)} - {archive}


def test_so_few_posts_are_ranked_in_one_process(maker: VaultMaker) -> None:
    with closing(maker.searcher(4)) as searcher:
        assert len(searcher._best.shares(searcher.segments.all)) == 1
        searcher._best.side_by_side_records = 100
        shares = searcher._best.shares(searcher.segments.all)
    assert len(shares) == 4
    assert sorted(one.archive.name for some in shares for one in some) == [
        f"2026-0{n}-01" for n in range(1, 6)
    ]


def pages(maker: VaultMaker, query: str, order: Order) -> list[str]:
    """What a search finds, one record a page."""
    with closing(maker.searcher()) as searcher:
        paged, after = [], None
        while True:
            page = searcher.search(parse_query(query), order=order, limit=1, after=after)
            paged += [hit.id for hit in page.hits]
            after = page.ends_at
            if not page.more:
                return paged


@pytest.mark.parametrize("order", ["relevance", "newest", "oldest"])
@pytest.mark.parametrize("query", ["flood OR kind:like", "flood (kind:like OR kind:post)", "kind:like"])
def test_pages_have_each_record_once_also_those_in_no_order_of_time(
    tmp_path: Path, query: str, order: Order
) -> None:
    maker = VaultMaker(tmp_path)
    first = [
        like("a", None, 9000),
        like("b", "flood", 1000),
        like("c", "flood", 5000),
        post("p", "flood", 10),
    ]
    maker.add("2026-01-01", first)
    # Before and between the two of b, so that one is found long before the other.
    many = [like(f"d{at}", "flood", at) for at in (*range(10, 90, 10), *range(2000, 2090, 10))]
    maker.add("2026-02-01", [Made(like("b", "flood flood flood", 8000), 2), like("a", None, 9500), *many])
    with closing(maker.searcher()) as searcher:
        every = searcher.search(parse_query(query), order=order, limit=0).hits
        assert searcher.count(parse_query(query)) == len(every)
    assert pages(maker, query, order) == [hit.id for hit in every]
    assert len({hit.id for hit in every}) == len(every)
