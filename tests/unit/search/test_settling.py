"""How many versions a hit has, and whether it is gone: by asking about each as by reading all there is."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.records import Gone
from archiver.search.hit import Hit
from archiver.search.in_time import find_in_time
from archiver.search.language import parse_query
from archiver.search.question import Question
from archiver.search.revised import Revised
from archiver.search.run import Searcher
from archiver.search.settling import FEW_FAR_AWAY, Settler
from archiver.search.sql.statement import MANY
from tests.made_vaults import ACCOUNT, DAY_MS, OTHER_ACCOUNT, Made, VaultMaker, like, message, post
from tests.memory_store import MemoryStore

POSTS = 90
MONTHS = 14


def gone(platform_id: str, noticed_ms: int, kind: str = "post", account: str = ACCOUNT) -> Gone:
    return Gone(platform="x", platform_id=platform_id, account=account, kind=kind, noticed_ms=noticed_ms,
                how="absent")  # fmt: skip


def _late(number: int, when: int, noticed: int) -> list[Made | Gone]:
    """What a later archive says of one post: nothing of most."""
    own = str(number)
    edited = post(f"{own}001", f"word edited {own}", when + 1000, record_id=own)
    cases: dict[int, list[Made | Gone]] = {
        1: [Made(edited, 2)],
        2: [Made(post(own, f"changed {own}", when), 2)],  # a newer one that does not match
        3: [Made(post(own, f"word {own}", when), 2, again=True)],
        4: [Made(post(own, f"word {own}", when), 1, again=True)],
        5: [Made(gone(own, noticed))],
        6: [Made(gone(own, noticed - 1)), Made(post(own, f"word {own}", when))],  # taken anew, later
        7: [Made(gone(own, noticed)), Made(edited, 2), Made(gone(f"{own}001", noticed + 1))],
        8: [Made(post(own, f"word older {own}", when), -2), Made(edited, 3)],
        9: [Made(gone(own, noticed, account=OTHER_ACCOUNT))],
        10: [Made(post(own, f"word of another {own}", when, account=OTHER_ACCOUNT), 2)],
    }
    return cases.get(number % 23, [])


@pytest.fixture(scope="module")
def maker(module_memory_path: Path) -> VaultMaker:
    """Each month has posts, and what became of those two months before."""
    maker = VaultMaker(module_memory_path / "vault")
    for month in range(MONTHS):
        begins = month * 30 * DAY_MS
        made: list[object] = []
        for number in range(month * POSTS, (month + 1) * POSTS):
            when = begins + number % POSTS * DAY_MS // 4
            made.append(Made(post(str(number), f"word {number}", when)))
            if month > 1:
                made += _late(number - 2 * POSTS, when - 60 * DAY_MS, begins)
        people = [message(f"m{month}", "word", begins + 5), like(f"l{month % 3}", "word", begins)]
        others = [*people, gone(f"m{month - 1}", begins, "message"), gone(f"l{month % 5}", begins, "like")]
        name = f"{2026 + month // 12}-{month % 12 + 1:02d}-01"
        maker.add(name, made, others, fetched_ms=begins)  # type: ignore[arg-type]
    return maker


@pytest.fixture(params=["near", "far"])
def searcher(maker: VaultMaker, request: pytest.FixtureRequest) -> Iterator[Searcher]:
    maker.is_far = request.param == "far"
    with closing(maker.searcher()) as searcher:
        yield searcher


ALL = "word (kind:post OR kind:message OR kind:like)"


def found(searcher: Searcher) -> tuple[Question, list[Hit]]:
    question = searcher.question(parse_query(ALL))
    return question, find_in_time(searcher.segments, question, MANY, 1)[0]


@pytest.mark.parametrize("is_version", [False, True])
def test_reading_all_says_of_every_hit_what_asking_about_it_alone_says(
    searcher: Searcher, is_version: bool
) -> None:
    question, hits = found(searcher)
    alone = []
    for hit in hits:
        one = Settler(Revised(searcher.segments))
        alone.append(one.settled(question, hit, is_version=is_version))
        assert not one._knows_all
    settler = Settler(Revised(searcher.segments))
    turning = [settler.settled(question, hit, is_version=is_version) for hit in hits]
    assert settler._knows_all
    known = [settler.settled(question, hit, is_version=is_version) for hit in hits]
    assert turning == alone
    assert known == alone
    assert {hit.versions for hit in alone} == {1, 2, 3}
    assert 100 < sum(hit.gone is not None for hit in alone) < 250 < len(alone)
    assert any(hit.superseded for hit in alone)


def test_only_before_many_hits_all_is_read(maker: VaultMaker) -> None:
    maker.is_far = True
    with closing(maker.searcher()) as searcher:
        question, hits = found(searcher)
        assert len(hits) > FEW_FAR_AWAY
        few, many = (Settler(Revised(searcher.segments)) for _ in range(2))
        few.fetch_ahead(hits[:FEW_FAR_AWAY])
        many.fetch_ahead(hits)
        for settler, knows_all in ((few, False), (many, True)):
            for hit in hits[:FEW_FAR_AWAY]:
                settler.settled(question, hit)
            assert settler._knows_all == knows_all


def test_far_away_all_hits_are_settled_in_rounds_that_do_not_grow_with_them(maker: VaultMaker) -> None:
    maker.is_far = True
    with closing(maker.searcher()) as searcher:
        store = searcher.segments._vault.store
        assert isinstance(store, MemoryStore)
        question, hits = found(searcher)
        store.forget_counts()
        settler = Settler(Revised(searcher.segments))
        settler.fetch_ahead(hits)
        settled = [settler.settled(question, hit) for hit in hits]
        assert sum(hit.versions > 1 for hit in settled) > 100
        assert store.rounds <= 3 * len(searcher.segments.all)


def test_what_an_archive_said_that_was_set_aside_is_forgotten(maker: VaultMaker) -> None:
    maker.is_far = False
    with closing(maker.searcher()) as searcher:
        revised = Revised(searcher.segments)
        before = sum(1 for _ in revised.rows()), len(revised.gone()), len(revised)
        assert any(row.segment.archive.name == "2026-05-01" for row in revised.rows())
        assert searcher.segments.set_aside("2026-05-01")
        after = sum(1 for _ in revised.rows()), len(revised.gone()), len(revised)
        assert not any(row.segment.archive.name == "2026-05-01" for row in revised.rows())
        assert all(fewer < more for fewer, more in zip(after, before, strict=True))


def test_a_vault_without_any_such_rows_is_asked_nothing(memory_path: Path) -> None:
    maker = VaultMaker(memory_path / "vault", is_far=True)
    for number in range(3):
        maker.add(f"2026-01-{number + 1:02d}", [post(str(number), "word", number)])
    with closing(maker.searcher()) as searcher:
        question, hits = found(searcher)
        before = searcher.effort()
        settler = Settler(Revised(searcher.segments))
        settler.fetch_ahead(hits)
        assert [settler.settled(question, hit) for hit in hits] == hits
        assert searcher.effort() == before
