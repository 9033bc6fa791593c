"""Work in several processes, in two steps: everything comes back, in order, and so do errors."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from archiver.errors import ArchiverError, IntegrityError
from archiver.search.side_by_side import Step, Work, in_two_steps


def first_steps(*steps: Step) -> list[bytes]:
    """What several first steps return: the second hands on what was made of all."""
    works = [Work(step, lambda combined, number=number: _part(combined, number))  # type: ignore[misc]  # bound at once
             for number, step in enumerate(steps)]  # fmt: skip
    return in_two_steps(works, lambda some: b"|".join(some))


def _part(combined: bytes, number: int) -> bytes:
    return combined.split(b"|")[number]


def nothing(combined: bytes) -> bytes:
    return b""


def test_each_work_runs_in_a_process_of_its_own_but_the_first() -> None:
    found = first_steps(*[lambda: str(os.getpid()).encode()] * 3)
    assert found[0] == str(os.getpid()).encode()
    assert len(set(found)) == 3


def test_results_larger_than_a_pipe_come_whole_and_in_order() -> None:
    found = first_steps(lambda: b"a", lambda: b"b" * 3_000_000, lambda: b"c")
    assert found == [b"a", b"b" * 3_000_000, b"c"]


def test_what_was_made_of_all_first_steps_is_given_to_each_second_one() -> None:
    works = [
        Work(lambda number=number: b"%d" % number, lambda combined, number=number: combined * number)  # type: ignore[misc]  # bound at once
        for number in range(1, 4)
    ]
    assert in_two_steps(works, b"+".join) == [b"1+2+3", b"1+2+31+2+3", b"1+2+31+2+31+2+3"]


@pytest.mark.parametrize("step", [0, 1])
def test_an_error_in_a_child_is_raised_here_with_its_hint_and_names_its_archive(step: int) -> None:
    def fail() -> bytes:
        error = IntegrityError("chunk 3 failed authentication", "look at a copy")
        error.archive = "2026-11-01"
        raise error

    child = Work(fail, nothing) if step == 0 else Work(lambda: b"", lambda combined: fail())
    with pytest.raises(IntegrityError, match=r"^chunk 3 failed authentication$") as caught:
        in_two_steps([Work(lambda: b"", nothing), child], b"".join)
    assert (caught.value.hint, caught.value.archive) == ("look at a copy", "2026-11-01")


@pytest.mark.parametrize("step", [0, 1])
def test_a_child_that_dies_is_told(step: int) -> None:
    def die(*_: bytes) -> bytes:
        os.kill(os.getpid(), 9)
        return b""

    child = Work(die, nothing) if step == 0 else Work(lambda: b"", die)
    with pytest.raises(ArchiverError, match="ended before its time"):
        in_two_steps([Work(lambda: b"", nothing), child, Work(lambda: b"", nothing)], b"".join)


@pytest.mark.parametrize("where", ["first", "combined", "second"])
def test_what_fails_here_leaves_no_child_behind(where: str) -> None:
    def fail(*_: object) -> bytes:
        raise IntegrityError("here")

    def combine(some: Sequence[bytes]) -> bytes:
        return fail() if where == "combined" else b"".join(some)

    own = Work(fail if where == "first" else lambda: b"", fail if where == "second" else nothing)
    before = children()
    with pytest.raises(IntegrityError, match="here"):
        in_two_steps([own, Work(lambda: b"x" * 3_000_000, lambda combined: b"y" * 3_000_000)], combine)
    assert children() == before


def children() -> str:
    """The ids of this process's children, ended ones that nobody waited for included."""
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
