"""Which of two exit codes counts."""

import itertools

import pytest

from archiver.errors import worse_code

CODES = (0, 1, 2, 3, 10, 11, 12, 20)


@pytest.mark.parametrize(("one", "other"), list(itertools.product(CODES, CODES)))
def test_the_worse_counts_whichever_comes_first_and_incomplete_is_the_least(one: int, other: int) -> None:
    order = {code: place for place, code in enumerate((0, 3, 1, 2, 10, 11, 12, 20))}
    assert worse_code(one, other) == max(one, other, key=order.__getitem__)
