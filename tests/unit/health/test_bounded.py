"""What is done within a bounded time, whatever hangs in it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archiver.errors import IntegrityError
from archiver.health.bounded import TooLateError, bounded
from archiver.health.checkup import Check, Finding, examine, failed, find, ok, warning, worst


def test_what_is_done_in_time_is_returned_whole() -> None:
    data = os.urandom(3_000_000)
    assert bounded(lambda: data, 20) == data
    assert bounded(lambda: b"", 20) == b""


def is_there(process: int) -> bool:
    """Whether a process is still at work: not one that only its parent has to forget."""
    try:
        return ") Z " not in Path("/proc", str(process), "stat").read_text()
    except FileNotFoundError:
        return False


def test_what_hangs_is_killed_with_all_that_it_has_started(tmp_path: Path) -> None:
    def hang() -> bytes:
        program = "import time; time.sleep(600)"
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL)
        (tmp_path / "children").write_text(f"{os.getpid()} {child.pid}")
        time.sleep(600)
        return b""

    began = time.monotonic()
    with pytest.raises(TooLateError):
        bounded(hang, 1.5)
    assert time.monotonic() - began < 5
    children = [int(one) for one in (tmp_path / "children").read_text().split()]
    assert len(children) == 2
    until = time.monotonic() + 5
    while any(is_there(one) for one in children) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(is_there(one) for one in children)


def children_of(process: int) -> set[str]:
    """Other tests' programs may be among them."""
    return set(Path(f"/proc/{process}/task/{process}/children").read_text().split())


def test_nothing_of_this_process_is_done_twice(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = children_of(os.getpid())
    print("once", end="")
    assert bounded(lambda: b"done", 20) == b"done"
    assert capfd.readouterr().out == "once"
    assert children_of(os.getpid()) == before


def test_each_check_is_done_whatever_became_of_those_before_it() -> None:
    def refuse() -> list[Finding]:
        raise IntegrityError("it is altered", "repair it")

    def break_down() -> list[Finding]:
        raise ZeroDivisionError("secret")

    def vanish() -> list[Finding]:
        os._exit(9)

    def open_nothing() -> list[Finding]:
        Path("/nowhere/at/all").read_bytes()
        return []

    looks = (refuse, break_down, vanish, lambda: time.sleep(60) or [], open_nothing, lambda: [ok("a", "b")])
    found = list(examine((Check(f"check {number}", look) for number, look in enumerate(looks)), 1.0))
    assert [one.verdict for one in found] == ["failed"] * 5 + ["ok"]
    refused, broken, vanished, late, absent, _ = found
    assert (refused.said, refused.advice) == ("it is altered", "repair it")
    assert broken.said.startswith("a defect of this program: ZeroDivisionError at test_bounded.py:")
    assert "secret" not in broken.said
    assert "ended from outside" in vanished.said
    assert late.said == "it did not answer within 1 seconds"
    assert absent.said == "/nowhere/at/all: no such file or directory"
    assert [one.what for one in found] == [f"check {number}" for number in range(5)] + ["a"]


def test_several_findings_of_one_check_keep_their_order() -> None:
    check = Check("several", lambda: [ok("one", "1"), warning("two", "2", "do"), failed("three", "3")])
    assert list(examine([check])) == find(check) == list(check.look())
    assert worst(find(check)) == "failed"
    assert worst([ok("a", "b"), warning("a", "b")]) == "warning"
    assert worst([]) == "ok"
