"""The benchmark of collecting takes every post, ours and the peer's, and says so where one is missing."""

from pathlib import Path

import pytest

pytest.importorskip("sqlcipher3", reason="the bench's peer is not installed: make .venv/.ready-bench")

from bench import x_api
from bench.workplace import BenchError, Workplace


def test_both_take_every_post_and_the_tables_say_what_it_took(tmp_path: Path) -> None:
    place = Workplace(tmp_path, 0)
    found = x_api.measure(place, posts=150, timed=2, held=(1, 2), rounds=1)
    assert [(one.posts, one.pages) for one in (*found.ours, *found.peers)] == [(300, 4), (300, 4)]
    assert all(one.cpu_seconds > 0 and one.left_bytes > 100_000 for one in (*found.ours, *found.peers))
    assert [one.posts for one in found.held] == [150, 300]
    rows = {row.what: row for row in found.rows()}
    assert str(rows["collecting from X, CPU time a page"].asked) == "≤ 20 ms"
    assert rows["peak memory of collecting, 2 accounts to 1"].asked is not None
    assert 0 < (rows["collecting from X, bytes a post"].value or 0) < 1
    assert [len(detail.rows) for detail in found.details()] == [2, 2]
    assert not list(tmp_path.iterdir())


def test_a_run_that_lacks_posts_is_not_measured(tmp_path: Path) -> None:
    with x_api.serving(1, 150) as server:
        with pytest.raises(BenchError, match="instead of"):
            x_api.collect(tmp_path / "ours", server, 1, 151)
        with pytest.raises(BenchError, match="150 of 151 posts"):
            x_api.collect_plainly(tmp_path / "peer", server, 1, 151)
