import pytest

from archiver.errors import (
    ArchiverError,
    IncompleteError,
    IntegrityError,
    NewerVersionError,
    NoKeyError,
    NoVaultError,
    StoreError,
    ending_run,
    error_of,
    excused,
    parts_of,
    sentence_of,
    worse_code,
)


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


def test_a_store_that_need_not_be_there_is_excused_for_being_away_alone() -> None:
    for away in (StoreError("no answer", "wait"), NoVaultError("no vault", "mount it")):
        said = excused(away, required=False)
        assert (type(said), sentence_of(said)) == (IncompleteError, sentence_of(away))
        assert excused(away, required=True) is away
    for wrong in (IntegrityError("altered"), NewerVersionError("newer"), NoKeyError("no key")):
        assert excused(wrong, required=False) is wrong


def test_an_error_is_one_line_with_what_to_do_where_that_is_known() -> None:
    assert sentence_of(StoreError("no answer", "wait")) == "no answer (wait)"
    assert sentence_of(StoreError("no answer")) == "no answer"
