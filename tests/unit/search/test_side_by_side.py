"""Work in several processes: everything comes back, in order, and so do errors."""

import os
from pathlib import Path

import pytest

from archiver.errors import ArchiverError, IntegrityError
from archiver.search.side_by_side import each_in_a_process


def test_each_task_runs_in_a_process_of_its_own_but_the_first() -> None:
    found = each_in_a_process([lambda: str(os.getpid()).encode()] * 3)
    assert found[0] == str(os.getpid()).encode()
    assert len(set(found)) == 3


def test_results_larger_than_a_pipe_come_whole_and_in_order() -> None:
    assert each_in_a_process([lambda: b"a", lambda: b"b" * 3_000_000, lambda: b"c"]) == [
        b"a",
        b"b" * 3_000_000,
        b"c",
    ]


def test_an_error_in_a_child_is_raised_here_with_its_hint() -> None:
    def fail() -> bytes:
        raise IntegrityError("chunk 3 failed authentication", "look at a copy")

    with pytest.raises(IntegrityError, match=r"^chunk 3 failed authentication$") as caught:
        each_in_a_process([lambda: b"", fail])
    assert caught.value.hint == "look at a copy"


def test_a_child_that_dies_is_told() -> None:
    def die() -> bytes:
        os.kill(os.getpid(), 9)
        return b""

    with pytest.raises(ArchiverError, match="ended before its time"):
        each_in_a_process([lambda: b"", die])


def test_what_fails_here_leaves_no_child_behind() -> None:
    def fail() -> bytes:
        raise IntegrityError("here")

    before = children()
    with pytest.raises(IntegrityError, match="here"):
        each_in_a_process([fail, lambda: b"x" * 3_000_000])
    assert children() == before


def children() -> str:
    """The ids of this process's children, ended ones that nobody waited for included."""
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
