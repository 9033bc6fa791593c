"""Which of two exit codes counts."""

import pytest

from archiver.errors import worse_code


@pytest.mark.parametrize(
    ("one", "other", "worse"),
    [(0, 0, 0), (0, 3, 3), (3, 3, 3), (3, 1, 1), (1, 20, 20), (20, 3, 20), (0, 11, 11)],
)
def test_what_is_incomplete_counts_least_of_what_is_wrong(one: int, other: int, worse: int) -> None:
    assert worse_code(one, other) == worse == worse_code(other, one)
