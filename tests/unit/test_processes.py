"""A process is known again by more than its number."""

import os
from pathlib import Path

import pytest

from archiver.processes import MOST_BYTES, holder_in, own_mark


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_a_process_that_is_there_is_known_by_its_mark(path: Path) -> None:
    path.write_text(own_mark())
    assert holder_in(path) == os.getpid()
    assert own_mark() == own_mark()
    assert len(own_mark()) < MOST_BYTES


def test_another_process_of_the_same_number_is_another(path: Path) -> None:
    number, mark = own_mark().split()
    boot, ticks = mark.split(".")
    for other in (f"{boot}.{int(ticks) + 1}", f"{boot[::-1]}.{ticks}"):
        path.write_text(f"{number}\n{other}\n")
        assert holder_in(path) is None


def test_a_number_alone_is_whoever_has_it(path: Path) -> None:
    path.write_text(f"{os.getpid()}\n")
    assert holder_in(path) == os.getpid()
    path.write_text("4194305\n")  # above what Linux gives
    assert holder_in(path) is None


@pytest.mark.parametrize("data", [b"", b"\n", b"no number\n", b"\xff\xfe\n", b"-1\n", b"9" * 500])
def test_anything_else_is_nobody(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert holder_in(path) is None


def test_no_file_is_nobody(path: Path) -> None:
    assert holder_in(path) is None
