from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.search.counting import BYS, By, Group, group_of
from archiver.search.language import parse_query
from archiver.search.run import Searcher
from archiver.uk_time import uk_day_bounds
from tests.made_vaults import (
    ACCOUNT,
    HANDLE,
    IN_MEMORY,
    OTHER_ACCOUNT,
    Made,
    VaultMaker,
    like,
    message,
    moderation,
    post,
)

JULY, _ = uk_day_bounds(2026, 7, 1)
DAY_MS = 86_400_000
QUERIES = (
    "word",
    "word OR other",
    "since:2026-07-15",
    "kind:post OR kind:message",
    "kind:like",
    "-other",
    '"word"',
)


def _counted(searcher: Searcher, query: str, by: By) -> dict[str, int]:
    return {group.name: group.records for group in searcher.count_by(parse_query(query), by)}


def _assert_counts_are_what_is_found(searcher: Searcher, query: str) -> None:
    hits = searcher.search(parse_query(query), limit=0).hits
    assert searcher.count(parse_query(query)) == len(hits)
    for by in BYS:
        if by != "hashtag":
            assert _counted(searcher, query, by) == Counter(group_of(hit, by) for hit in hits), by
    versions = searcher.search(parse_query(query), limit=0, versions=True).hits
    assert searcher.count(parse_query(query), versions=True) == len(versions)


@pytest.mark.parametrize("is_far", [False, True])
@pytest.mark.parametrize("query", QUERIES)
def test_records_with_several_rows_count_once(tmp_path: Path, query: str, is_far: bool) -> None:
    maker = VaultMaker(tmp_path, is_far=is_far)
    first = [post(str(number), f"word {number}", JULY + number * DAY_MS) for number in range(1, 60)]
    maker.add("2026-08-01", first[:30], [*first[30:], message("900", "word", JULY + DAY_MS)])
    changed = Made(post("7", "word other", JULY + 7 * DAY_MS), version=2)
    edited = post("70", "word other", JULY + 7 * DAY_MS + 1, record_id="8")
    repeat = Made(post("9", "word 9", JULY + 9 * DAY_MS), version=2, again=True)
    maker.add("2026-09-01", [changed, edited, repeat, like("5", "word"), like("6", "word")])
    # A collector that had lost its state takes everything anew; another account has the same post.
    maker.add("2026-09-02", first[20:40], [post("10", "word", JULY + 10 * DAY_MS, account=OTHER_ACCOUNT)])
    searcher = maker.searcher()
    _assert_counts_are_what_is_found(searcher, query)
    assert searcher.count(parse_query("word kind:post")) == 60
    searcher.close()


def test_a_post_counts_with_each_of_its_hashtags_once(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path)
    tagged = [
        post(str(number), "word", JULY + number, hashtags=("Flood", "flood", "Éire")) for number in range(3)
    ]
    maker.add("2026-08-01", [*tagged, post("9", "word", JULY + 9)])
    maker.add("2026-08-02", [Made(post("1", "word", JULY + 1, hashtags=("New", "flood")), version=2)])
    searcher = maker.searcher()
    assert _counted(searcher, "word", "hashtag") == {"flood": 3, "eire": 2, "new": 1}
    searcher.close()


def test_months_are_those_of_the_united_kingdom(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path)
    maker.add("2026-08-01", [post(str(number), "word", JULY - 5 + number) for number in range(10)])
    searcher = maker.searcher()
    assert _counted(searcher, "word", "month") == {"2026-06": 5, "2026-07": 5}
    assert searcher.count(parse_query("since:2026-07 until:2026-07")) == 5
    searcher.close()


def test_several_processes_count_what_one_does(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path)
    for month in range(1, 6):
        posts = [
            post(f"{month}{number}", f"word w{number % 7}", JULY + month * 40 * DAY_MS + number)
            for number in range(90)
        ]
        maker.add(f"2027-0{month}-01", posts)
    alone, several = maker.searcher(), maker.searcher(processes=3)
    several._counting.side_by_side_records = 10
    for query in ("word", "w3 OR w4"):
        for by in BYS:
            assert _counted(several, query, by) == _counted(alone, query, by)
    alone.close()
    several.close()


ROWS = st.lists(
    st.tuples(
        st.integers(1, 6), st.integers(-2, 3).filter(bool), st.sampled_from(["word", "other", "word other"]),
        st.integers(0, 50), st.booleans(),
    ),
    max_size=12,
    unique_by=lambda row: row[:2],  # a collector numbers the versions that it takes
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(ROWS, min_size=1, max_size=4))
def test_a_count_is_what_a_search_without_a_limit_shows(
    archives: list[list[tuple[int, int, str, int, bool]]],
) -> None:
    with TemporaryDirectory(dir=IN_MEMORY) as folder:
        maker = VaultMaker(Path(folder))
        for number, rows in enumerate(archives):
            made = [
                Made(post(str(own), text, JULY + own * DAY_MS), version=version, again=again and version != 1)
                for own, version, text, _, again in sorted(rows)
            ]
            maker.add(f"2027-01-{number + 1:02}", made)
        searcher = maker.searcher()
        for query in ("word", "other", "-other", "kind:post"):
            _assert_counts_are_what_is_found(searcher, query)
        searcher.close()


def test_groups_are_called_by_the_names_of_their_accounts_and_nobody_elses(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path)
    entry = moderation("m1", text="word", author_id="99", author_handle="loud", account_handle=HANDLE)
    maker.add("2026-08-01", [post("1", "word", JULY), entry])
    maker.add("2026-08-02", [post("2", "word", JULY + 1, author_id="99", author_handle="louder")])
    searcher = maker.searcher()
    query = parse_query("word (kind:post OR kind:moderation)")
    assert searcher.count_by(query, "account") == [Group(ACCOUNT, 3, HANDLE)]
    assert searcher.count_by(parse_query("kind:moderation"), "account") == [Group(ACCOUNT, 1, HANDLE)]
    assert set(searcher.count_by(query, "author")) == {Group("99", 2, "louder"), Group(ACCOUNT, 1, HANDLE)}
    assert {group.handle for group in searcher.count_by(query, "month")} == {None}
    assert searcher.count_by(query, "hashtag") == []
    searcher.close()
