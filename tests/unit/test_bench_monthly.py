"""The benchmark's monthly archives are months of one vault, and their peer answers from the same posts."""

import random
from itertools import pairwise
from pathlib import Path

import pytest

from archiver.search.language import parse_query
from archiver.settings import load_settings
from archiver.wiring.stores import open_vault
from bench.monthly import Months, build, month_span, months_before, prefix
from bench.monthly_measure import percentile_95
from bench.monthly_peer import build as build_peer
from bench.monthly_peer import count_by_month, find, open_peer, scan
from bench.monthly_queries import COMMONEST, month_bounds, queries
from bench.workplace import BenchError
from bench.x_posts import SNOWFLAKE_EPOCH_MS, PostWriter, time_of

ARCHIVES, POSTS = 3, 60


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("months") / "whole"
    build(home, ARCHIVES, POSTS)
    return home


def _covered(home: Path) -> list[tuple[str, str]]:
    """The months of each archive's first and last post."""
    archives = open_vault(load_settings(home / "archiver.toml")).list_archives().require_sound()
    files = [file for archive in archives for file in archive.manifest.segments]
    assert all(file.records["post"] == POSTS for file in files)
    return [((file.posted_from or "")[:7], (file.posted_to or "")[:7]) for file in files]


def test_each_archive_has_the_posts_of_one_month_the_oldest_first(home: Path) -> None:
    months = [f"{year}-{month:02}" for year, month in map(months_before, reversed(range(ARCHIVES)))]
    assert _covered(home) == [(month, month) for month in months]


def test_a_vault_of_fewer_months_is_the_beginning_of_the_chain_in_the_same_files(home: Path) -> None:
    other = home.parent / "fewer"
    prefix(home, other, 2)
    assert _covered(other) == _covered(home)[:2]
    segment = next(path for path in (other / "vault").rglob("records-*"))
    assert segment.stat().st_ino == (home / segment.relative_to(other)).stat().st_ino
    with pytest.raises(BenchError, match="has 3 archives, and 4 are wanted"):
        prefix(home, home.parent / "more", 4)


def test_the_peer_has_all_posts_and_counts_and_finds_among_them(home: Path) -> None:
    database = home.parent / "peer.db"
    assert build_peer(home, database)["posts"] == ARCHIVES * POSTS
    starts = [month_span(number).until_ms for number in (2, 1, 0)]
    bounds = [month_span(2).until_ms - month_span(2).length_ms, *starts]
    assert count_by_month(database, bounds) == [POSTS] * ARCHIVES
    connection = open_peer(database)
    rows = list(connection.execute("SELECT id, text FROM post ORDER BY posted_ms DESC"))
    connection.close()
    having = [post_id for post_id, text in rows if "of" in text.lower().split()]
    connection = open_peer(database)
    found = [row[0] for row in find(connection, "of", "newest")]
    connection.close()
    assert set(having[:20]) <= set(found)
    assert sum(count_by_month(database, bounds, "of")) >= len(having)
    part = rows[0][1][5:15]
    assert rows[0][0] in scan(database, part)["ids"]


def test_every_query_is_one_and_there_are_forty_of_them() -> None:
    asked = queries((2011, 11))
    assert len({question.text for question in asked}) == 40
    for question in asked:
        parse_query(question.text, exact=True)
    assert sum(question.peer is not None for question in asked) == 34
    assert COMMONEST in {question.text for question in asked}


def test_months_are_bounded_in_uk_time(tmp_path: Path) -> None:
    bounds = month_bounds(Months(tmp_path, 12, 0, tmp_path))
    assert len(bounds) == 14
    hours = [(after - before) / 3_600_000 for before, after in pairwise(bounds)]
    assert hours[4] == 31 * 24 - 1  # March 2007, when the clocks went forward
    assert hours[11] == 31 * 24 + 1  # October


@pytest.mark.parametrize("time_ms", [1_162_339_476_000, SNOWFLAKE_EPOCH_MS + 86_400_000])
def test_an_id_says_when_its_post_was_written_before_snowflakes_too(time_ms: int) -> None:
    (post_id,), (body,) = PostWriter(random.Random(7)).posts([time_ms])  # noqa: S311 - repeatable, not secret
    assert abs(time_of(post_id) - time_ms) < 5
    assert post_id > 0
    assert f'"id_str" : "{post_id}"' in body


def test_the_95th_percentile_of_forty_is_the_third_from_the_end() -> None:
    assert percentile_95(list(range(40, 0, -1))) == 38
    assert percentile_95([3]) == 3
