"""The benchmark's tables say what was measured, and its instruments measure it."""

import sys
from datetime import date
from pathlib import Path

import pytest

from bench.results import NOTHING, Asked, Detail, Report, Row, machine, significant, table

BUSY_CHILD = "held = bytearray(b'x') * 60_000_000; import time; time.sleep(0.6)"


def _row(value: float | None, asked: Asked | None) -> Row:
    return Row("a thing", "2 posts", "1 s", "2 s", value, "what it is.", asked)


@pytest.mark.parametrize(
    ("value", "asked", "reached"),
    [
        (0.4, Asked(0.4), "yes"),
        (0.4004, Asked(0.4), "no"),
        (0.8, Asked(0.8, at_least=True), "yes"),
        (0.79, Asked(0.8, at_least=True), "no"),
        (0.5, None, NOTHING),
        (None, Asked(0.4), "not measured"),
    ],
)
def test_a_row_is_reached_at_its_limit_and_not_beyond(
    value: float | None, asked: Asked | None, reached: str
) -> None:
    assert _row(value, asked).reached == reached


def test_a_limit_reads_as_it_was_asked_for() -> None:
    assert [str(one) for one in (Asked(0.24), Asked(15, "ms"), Asked(0.8, at_least=True))] == [
        "≤ 0.24",
        "≤ 15 ms",
        "≥ 0.8",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0427, "0.0427"),
        (0.4004, "0.4"),
        (0.406, "0.406"),
        (3.14159, "3.14"),
        (12.34, "12.3"),
        (1234.5, "1,234"),
    ],
)
def test_numbers_keep_three_digits(value: float, text: str) -> None:
    assert significant(value) == text


def test_a_bar_or_a_line_end_in_a_cell_does_not_break_the_table() -> None:
    assert table(["one", "two"], [["a|b", "c\nd"]]) == "| one | two |\n| --- | --- |\n| a\\|b | c d |"


def test_the_report_has_every_row_with_its_meaning_and_names_what_was_missed() -> None:
    rows = [_row(0.5, Asked(0.4)), _row(0.3, Asked(0.4)), _row(None, Asked(0.4))]
    detail = Detail("More", "In words.", ["x"], [["1"]])
    report = Report(date(2026, 11, 30), ["2 cores"], ["2 posts"], rows, [detail])
    text = report.markdown()
    assert "2026-11-30" in text
    assert "| a thing | 2 posts | 1 s | 2 s | 0.5 | ≤ 0.4 | no |" in text
    assert text.count("- **a thing**: what it is.") == 3
    assert "## More\n\nIn words.\n\n| x |" in text
    assert report.missed() == ["a thing", "a thing"]


def test_the_machine_is_described_without_its_name() -> None:
    described = " ".join(machine())
    assert "cores" in described
    assert "SQLite" in described
    assert Path("/proc/sys/kernel/hostname").read_text().strip() not in described.split()


def test_the_memory_of_a_command_is_that_of_all_its_processes() -> None:
    pytest.importorskip("sqlcipher3", reason="the bench's peer is not installed: make .venv/.ready-bench")
    from bench.memory import watched

    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY_CHILD!r}], check=True)"
    _, sampled = watched([sys.executable, "-c", parent])
    assert sampled.processes == 2
    assert 60_000_000 < sampled.pss_bytes < 120_000_000
    assert sampled.largest_rss_bytes > 60_000_000


def test_a_command_that_fails_is_not_measured() -> None:
    pytest.importorskip("sqlcipher3", reason="the bench's peer is not installed: make .venv/.ready-bench")
    from bench.memory import watched
    from bench.workplace import BenchError, run

    for measured in (run, watched):
        with pytest.raises(BenchError, match="ended with 4"):
            measured([sys.executable, "-c", "raise SystemExit(4)"], (0, 3))


def test_a_file_dropped_from_the_page_cache_is_no_longer_in_it(tmp_path: Path) -> None:
    from bench.page_cache import drop_from_cache, resident_bytes

    if _kept_in_memory(tmp_path):
        pytest.skip("the temporary folder lies in memory")
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1_000_000)
    assert resident_bytes(path) >= 1_000_000
    drop_from_cache([path])
    assert resident_bytes(path) == 0


def _kept_in_memory(folder: Path) -> bool:
    kinds = {}
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if folder.is_relative_to(where):
            kinds[len(where)] = kind
    return kinds[max(kinds)] in ("tmpfs", "ramfs")
