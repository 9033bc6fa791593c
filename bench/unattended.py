"""What `archiver run` costs where nothing is due, every hour for years: whole processes.

The folder is what ten years leave: 40 accounts, a run of all that is due for each of 120 months against the
fake of X on the loopback, the clock put on a month each time, the last one now.
"""

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archiver.jobs.run import run_due
from archiver.schedule.due import DAY_MS
from archiver.settings import load_settings
from archiver.times import system_clock
from bench.results import NOTHING, Asked, Row, significant
from bench.workplace import BenchError, Workplace, archiver, remove, run, say
from tests.collected import ALL_KINDS, Clock, XHome, fake_x, make_x_home
from tests.collected import Asked as AskedAccount

MONTHS = 120
ACCOUNTS = 40
ROUNDS = 15
IDLE = Asked(0.3, "s")
STATUS = Asked(0.5, "s")


@dataclass(frozen=True)
class Made:
    """A folder, and how long the months took in seconds."""

    folder: Path
    archives: int
    accounts: int
    seconds: float


def measure(
    place: Workplace, *, months: Sequence[int] = (1, MONTHS), accounts: int = ACCOUNTS, rounds: int = ROUNDS
) -> list[Row]:
    """Of a young and of an old folder: a run that finds nothing due; of the old one, `archiver status`."""
    rows: list[Row] = []
    for number in months:
        folder = place.folder / f"unattended-{number}"
        try:
            rows += _rows(make(folder, number, accounts), rounds, with_status=number == months[-1])
        finally:
            remove(folder)
    return rows


def make(folder: Path, months: int, accounts: int) -> Made:
    """So many months of so many accounts, each with a post a month and one kind of everything else."""
    remove(folder)
    clock = Clock(system_clock() - (months - 1) * 31 * DAY_MS)
    began = time.perf_counter()
    with fake_x(clock) as x:
        users = [x.world.add_user(f"force_{number}", f"Force {number}") for number in range(accounts)]
        home = make_x_home(folder, x, *(AskedAccount(user, kinds=ALL_KINDS) for user in users))
        for month in range(months):
            for user in users:
                x.world.add_post(user, f"Notice {month} of {user.handle}.", clock() - 60_000)
            report = run_due(load_settings(folder / "archiver.toml"), {}, clock)
            if {job.job for job in report.jobs} < {"collect", "seal", "sync"}:
                raise BenchError(f"month {month} did {[job.job for job in report.jobs]}")
            clock.forward(31 * DAY_MS)
    _require(home, months)
    return Made(folder, months, accounts, time.perf_counter() - began)


def _require(home: XHome, months: int) -> None:
    found = len(home.archives)
    if found != months:
        raise BenchError(f"{found} archives instead of {months}")


def _rows(made: Made, rounds: int, *, with_status: bool) -> list[Row]:
    counts = f"{made.archives:,} archives, {made.accounts} accounts of {len(ALL_KINDS)} kinds, {rounds} runs"
    idle = archiver(made.folder, "run", "--quiet")
    if run(idle, (0, 3)).output and run(idle, (0, 3)).output:
        raise BenchError("a run that was to find nothing due did something")
    rows = [_row("`archiver run`, nothing due, whole process", counts, idle, rounds, IDLE)]
    if with_status:
        command = archiver(made.folder, "status")
        rows.append(_row("`archiver status`, whole process", counts, command, rounds, STATUS))
        each = made.seconds / made.archives
        rows.append(
            Row(
                "a month's run: collect, seal, sync",
                counts.rpartition(",")[0],
                f"{significant(each)} s",
                NOTHING,
                each,
                "all that is due of all accounts at once, in one process, X on the loopback; the mean.",
                unit="s",
            )
        )
    return rows


def _row(what: str, counts: str, command: Sequence[str], rounds: int, asked: Asked) -> Row:
    seconds, used = [], []
    for _ in range(rounds):
        before = _used()
        seconds.append(run(command, (0, 3)).seconds)
        used.append(_used() - before)
    best = min(seconds)
    ours = f"{best:.3f} s (worst {max(seconds):.3f}; of the processor {min(used):.3f})"
    say(f"{what}, {counts}: {ours}")
    return Row(
        what,
        counts,
        ours,
        NOTHING,
        best,
        f"from starting the process to its end; the best of {rounds}.",
        asked,
        "s",
    )


def _used() -> float:
    """Seconds of the processor that ended processes took."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
