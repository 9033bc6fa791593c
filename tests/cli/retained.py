"""A folder with two archives, the first of which is due by a rule of its settings, made once for a module."""

from pathlib import Path

from tests.cli.runner import Result, Runner
from tests.faults.folders import LATER, copy_folder, make_folder, sample
from tests.homes import Home

RULES = """
[retention]
minimum_years = 1
[[retention.rule]]
name = "one year"
trigger = "sealed"
years = 1
then = "dispose"
"""
SEALED_MS = 1_600_000_000_000
"""In September 2020: by any clock of today the first archive is due."""
LATER_MS = 95_617_584_000_000
"""In the year 5000: the second is not."""
REVIEWER = "A. B. Clerk"


def make_two(folder: Path) -> Home:
    """`2020-09-13`, and `5000-01-01`, which holds what came in a month more; with the rules."""
    home = Home(make_folder(folder / "home"))
    home.take(sample(folder / "sample.zip", months=1), now_ms=SEALED_MS)
    home.take(sample(folder / "later.zip", months=2, until=LATER), now_ms=LATER_MS)
    with (home.folder / "archiver.toml").open("a", encoding="utf-8") as file:
        file.write(RULES)
    return home


def again(home: Home, folder: Path) -> Home:
    return Home(copy_folder(home.folder, folder))


def review(run: Runner, home: Home, archive: str, decision: str = "dispose", *more: str) -> Result:
    result = run(
        "--config", home.folder, "retention", "review", archive, "--decision", decision,
        "--reviewer", REVIEWER, "--reason", "the period is over", *more,
    )  # fmt: skip
    assert result.code == 0, result
    return result


def dispose(run: Runner, home: Home, archive: str, *more: str) -> Result:
    return run("--config", home.folder, "retention", "dispose", archive, "--yes", *more)
