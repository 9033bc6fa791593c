"""Whole processes as a person starts them: `archiver --version` and `archiver search`."""

from collections.abc import Sequence
from statistics import median

from bench.main_job import ensure_built
from bench.results import NOTHING, Asked, Row
from bench.words import query_words
from bench.workplace import Workplace, archiver, program, run, say

RUNS = 10


def measure_version() -> Row:
    """`archiver --version`, Python's start included."""
    command = [program(), "--version"]
    run(command)
    return _row(
        "`archiver --version`, whole process",
        f"{RUNS} runs",
        [run(command).seconds for _ in range(RUNS)],
        f"from starting the process to its end; median of {RUNS} runs after one that is not counted.",
        Asked(0.15, "s"),
    )


def measure_search(place: Workplace) -> Row:
    """`archiver search` with every other of the bench's words, the vault in the page cache."""
    ensure_built(place)
    words = query_words()[::2]
    commands = [archiver(place.home, "search", word) for word in words]
    for command in commands:
        run(command)
    return _row(
        "`archiver search WORD`, whole process",
        f"{len(words)} words in {place.posts:,} posts, {RUNS} runs",
        [run(command).seconds for command in commands],
        f"from starting the process to its end, the 50 newest printed: imports, key unwrap and opening"
        f" included; median over {len(words)} words of rare to most common, each run once before.",
        Asked(0.4, "s"),
    )


def _row(what: str, counts: str, seconds: Sequence[float], meaning: str, asked: Asked) -> Row:
    middle = median(seconds)
    ours = f"{middle:.3f} s (best {min(seconds):.3f}, worst {max(seconds):.3f})"
    say(f"{what}: {ours}")
    return Row(what, counts, ours, NOTHING, middle, meaning, asked, "s")
