"""Planning a sealing: every record once, in order of time, each page read once; segments alike in size."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from archiver.seal.plan import PLAIN_BYTES_PER_PAYLOAD, in_time_order, plan_segments
from archiver.spool import Page, PageInfo

times = st.lists(st.integers(0, 200), max_size=12).map(sorted)
"""Of one page; it has none where all its records were erased."""


def spooled(pages: list[list[int]], kind: str = "post") -> tuple[list[PageInfo], dict[int, Page]]:
    infos, bodies = [], {}
    for number, posted in enumerate(pages, start=1):
        ids = [f"{number}-{index}" for index in range(len(posted))]
        first, last = (posted[0], posted[-1]) if posted else (None, None)
        infos.append(PageInfo(number, 1, kind, len(ids), first, last, 100 * len(ids)))
        count = len(ids)
        bodies[number] = Page(
            "x", "1", 0, ids, posted, [1] * count, ["new"] * count, [b""] * count, [0] * count, {}, {}, b""
        )
    return infos, bodies


@given(st.lists(times, max_size=12), st.randoms(use_true_random=False))
def test_every_record_comes_once_in_order_of_time_and_every_page_is_read_once(
    pages: list[list[int]], shuffled: object
) -> None:
    infos, bodies = spooled(pages)
    shuffled.shuffle(infos)
    read: Counter[int] = Counter()

    def read_page(number: int) -> Page:
        read[number] += 1
        return bodies[number]

    passed = [
        (run.page.posted_ms[index], run.page.ids[index])
        for run in in_time_order(infos, read_page)
        for index in range(run.start, run.stop)
    ]
    assert [posted for posted, _ in passed] == sorted(posted for page in pages for posted in page)
    assert Counter(one for _, one in passed) == Counter(one for page in bodies.values() for one in page.ids)
    assert read == {number: 1 for number, page in bodies.items() if page.ids}


@given(st.integers(2, 200), st.integers(1, 8))
def test_few_pages_are_open_at_once_where_pages_hardly_overlap(count: int, size: int) -> None:
    infos, bodies = spooled([[number * 10 + step for step in range(size)] for number in range(count)])
    open_pages: set[int] = set()
    most = 0
    for run in in_time_order(infos, lambda number: open_pages.add(number) or bodies[number]):
        most = max(most, len(open_pages))
        if run.stop == len(run.page.ids):
            open_pages.remove(run.info.id)
    assert most <= 2
    assert not open_pages


infos = st.lists(
    st.builds(
        lambda kind, posted, size: PageInfo(0, 1, kind, 1, posted, posted, size),
        st.sampled_from(["post", "message", "follower", "account", "gone"]),
        st.one_of(st.none(), st.integers(0, 1000)),
        st.integers(1, 1_000_000),
    ),
    max_size=80,
).map(
    lambda found: [
        PageInfo(number, one.capture, one.kind, 1, one.posted_from, one.posted_to, one.plain_bytes)
        for number, one in enumerate(found, start=1)
    ]
)


@given(infos, st.integers(1_000_000, 20_000_000))
def test_segments_hold_every_page_once_and_are_about_equal_in_size(
    pages: list[PageInfo], segment_bytes: int
) -> None:
    plans = plan_segments(pages, segment_bytes)
    assert sorted(page.id for plan in plans for page in plan.pages) == [page.id for page in pages]
    assert [plan.number for plan in plans] == list(range(len(plans)))
    total = sum(page.plain_bytes for page in pages)
    sizes = [sum(page.plain_bytes for page in plan.pages) for plan in plans]
    largest_page = max((page.plain_bytes for page in pages), default=0)
    assert all(size <= segment_bytes / PLAIN_BYTES_PER_PAYLOAD + largest_page for size in sizes)
    assert len(plans) <= max(1, -(-int(total * PLAIN_BYTES_PER_PAYLOAD) // segment_bytes))


@given(infos, st.integers(1_000_000, 20_000_000))
def test_dated_pages_run_through_the_segments_in_time_and_undated_ones_follow(
    pages: list[PageInfo], segment_bytes: int
) -> None:
    ordered = [page for plan in plan_segments(pages, segment_bytes) for page in plan.pages]
    dated = [page for page in ordered if page.kind in ("post", "message")]
    assert ordered[: len(dated)] == dated
    begun = [page.posted_from or 0 for page in dated]
    assert begun == sorted(begun)


def test_nothing_to_seal_is_no_segment() -> None:
    assert plan_segments([], 1_000_000) == []
    assert list(in_time_order([], lambda number: None)) == []
