"""The benchmark of unattended runs makes the archives it says, and measures runs that do nothing."""

from pathlib import Path

import pytest

from bench import unattended
from bench.workplace import BenchError, Workplace


def test_it_measures_a_folder_of_months_and_leaves_nothing(tmp_path: Path) -> None:
    rows = unattended.measure(Workplace(tmp_path, 0), months=(1, 2), accounts=1, rounds=1)
    assert [row.counts.split(",")[0] for row in rows] == ["1 archives", *["2 archives"] * 3]
    assert [str(row.asked) for row in rows[:3]] == ["≤ 0.3 s", "≤ 0.3 s", "≤ 0.5 s"]
    assert all(row.value and row.value > 0 for row in rows)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_lacks_archives_is_not_measured(tmp_path: Path) -> None:
    made = unattended.make(tmp_path / "home", 1, 1)
    with pytest.raises(BenchError, match="1 archives instead of 2"):
        unattended._require(unattended.XHome(made.folder), 2)
