"""Which segments a query asks, in which order, and which of their keys lie within its times."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archiver.search.language import parse_query
from archiver.search.question import first_key, tables_of
from archiver.search.run import Searcher
from archiver.search.sql.statement import Keys, Order
from archiver.times import parse_time
from tests.made_vaults import DAY_MS, IN_MEMORY, OTHER_ACCOUNT, VaultMaker, like, message, post


@contextmanager
def opened(*segments: list[int]) -> Iterator[Searcher]:
    """Posts of these times, an archive each."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        maker = VaultMaker(Path(folder) / "vault")
        for number, times in enumerate(segments):
            maker.add(
                f"2026-01-{number + 1:02d}",
                [post(f"{number}-{at}", "word", time) for at, time in enumerate(times)],
            )
        with closing(maker.searcher()) as searcher:
            yield searcher


times = st.one_of(
    st.lists(st.integers(0, 5), min_size=1, max_size=40),
    st.lists(st.integers(0, 10**13), min_size=1, max_size=40),
    st.tuples(st.integers(0, 10**6), st.integers(1, 60)).map(lambda one: [one[0]] * one[1]),
)


@settings(max_examples=40)
@given(times, st.lists(st.integers(-1, 10**13 + 1), max_size=4))
@example([0, 0, 0, 10**12] + [10**12] * 30, [1, 10**12 - 1])
def test_the_first_key_of_a_time_is_what_looking_at_every_row_finds(
    times: list[int], others: list[int]
) -> None:
    ordered = sorted(times)
    with opened(times) as searcher:
        (segment,) = searcher.segments.all
        for at_ms in {*others, *times, *(time + 1 for time in times), *(time - 1 for time in times)}:
            expected = next((key for key, time in enumerate(ordered, 1) if time >= at_ms), len(ordered) + 1)
            assert first_key(searcher.segments, segment, "post", at_ms) == expected


@settings(max_examples=25, deadline=None)
@given(
    st.lists(times, min_size=1, max_size=3), st.integers(0, 8), st.integers(0, 8),
    st.sampled_from(["newest", "oldest"])
)  # fmt: skip
def test_within_days_what_is_found_is_what_was_posted_on_them(
    segments: list[list[int]], first: int, days: int, order: Order
) -> None:
    scaled = [[time % 9 * DAY_MS + time % 1000 for time in some] for some in segments]
    since, until = (f"1970-01-{day + 1:02d}" for day in (first, first + days))
    query = parse_query(f"since:{since}T00:00Z until:{until}T23:59Z")
    with opened(*scaled) as searcher:
        found = [hit.posted_ms for hit in searcher.search(query, order=order, limit=0).hits]
    end = parse_time(f"{until}T23:59Z") + 60_000
    expected = sorted(time for some in scaled for time in some if parse_time(f"{since}T00:00Z") <= time < end)
    assert found == (expected[::-1] if order == "newest" else expected)


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    maker = VaultMaker(tmp_path_factory.mktemp("question") / "vault")
    for month in range(6):
        first = month * 31 * DAY_MS
        maker.add(
            f"2026-0{month + 1}-01",
            [post(f"{month}{day}", "word", first + day * DAY_MS) for day in range(10)],
        )
    maker.add("2026-07-01", [like("9", "word", 5)])
    maker.add("2026-08-01", [message("8", "word", 400 * DAY_MS, account=OTHER_ACCOUNT)])
    with closing(maker.searcher()) as searcher:
        yield searcher


@pytest.mark.parametrize(
    ("query", "order", "archives"),
    [
        ("word", "newest", "8654321"),
        ("word", "oldest", "1234568"),
        ("word until:1970-01", "newest", "1"),
        ("word since:1970-06", "newest", "86"),
        ("word since:1970-02-01 until:1970-03-31", "oldest", "23"),
        ("kind:post since:1970-06", "newest", "6"),
        ("kind:like", "newest", "7"),
        ("kind:like since:1980", "newest", "7"),
        ("kind:like OR kind:post since:1970-06", "newest", "76"),
        ("since:1970-06 OR word", "newest", "8654321"),
        ("absent", "newest", ""),
        ("word absent", "newest", ""),
        ("word -absent", "newest", "8654321"),
        ("absent OR word", "newest", "8654321"),
        ("kind:reply since:1990", "newest", ""),
    ],
)  # fmt: skip
def test_segments_that_can_hold_no_hit_are_left_out(
    months: Searcher, query: str, order: Order, archives: str
) -> None:
    months.search(parse_query("word"), limit=1)  # all are catalogued with the first search
    asked = months.question(parse_query(query), order).in_order()
    assert "".join(segment.archive.name[6] for segment, _, _ in asked) == archives


def test_only_keys_within_the_times_are_asked_for_and_none_where_all_are(months: Searcher) -> None:
    question = months.question(parse_query("word since:1970-01-03T00:00Z until:1970-02-02T23:59Z"))
    first, second, third, *_ = months.segments.all
    assert question.asked(first, "post").keys == Keys(3, 11)
    assert question.asked(second, "post").keys == Keys(1, 3)
    assert question.asked(third, "post").keys == Keys(1, 1)
    assert months.question(parse_query("word since:1970")).asked(second, "post").keys is None


def test_the_tables_are_those_that_hold_wanted_kinds() -> None:
    assert tables_of(parse_query("word")) == ["post", "message"]
    assert tables_of(parse_query("word kind:like")) == ["relation"]
    assert tables_of(parse_query("word -kind:message")) == ["post"]
    assert tables_of(parse_query("kind:moderation")) == []
