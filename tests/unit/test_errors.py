import pytest

from archiver.errors import ArchiverError, ending_run, error_of, parts_of, worse_code


@pytest.mark.parametrize(
    ("one", "other", "worse"),
    [(0, 0, 0), (0, 3, 3), (3, 0, 3), (3, 3, 3), (3, 1, 1), (1, 3, 1), (2, 20, 20), (20, 3, 20), (0, 11, 11)],
)
def test_of_two_exit_codes_incomplete_is_the_least(one: int, other: int, worse: int) -> None:
    assert worse_code(one, other) == worse


def test_an_error_ends_a_run_only_where_that_is_said() -> None:
    error = ending_run(ArchiverError("the disk is full"))
    assert error.ends_run
    assert not ArchiverError("the disk is full").ends_run
    assert not error_of(parts_of(error)).ends_run, "what crosses a pipe is of another process"
