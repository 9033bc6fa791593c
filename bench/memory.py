"""Peak memory of import and of seal, all their processes together, at two sizes of export.

Every 50 ms the proportional set size (PSS, `/proc/PID/smaps_rollup`) of each process of the session is
read and summed: a page that two processes share counts once, where RSS would count it twice.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.main_job import Built, run_main_job
from bench.results import NOTHING, Asked, Detail, Row, megabytes
from bench.workplace import ROOT, Export, Finished, Workplace, make_export, remove, require_exit_code, say

SAMPLE_SECONDS = 0.05
LIMIT_MB = 500
GROWTH = 1.15


class Sampled(NamedTuple):
    """The most a command took: of all its processes together (PSS), and of the largest one (RSS)."""

    pss_bytes: int
    largest_rss_bytes: int
    processes: int
    samples: int


class Peak(NamedTuple):
    """What a command of the main job took, at so many posts."""

    command: str
    posts: int
    pss_bytes: int
    largest_rss_bytes: int
    processes: int
    samples: int


def watched(command: Sequence[str], accepted: tuple[int, ...] = (0,)) -> tuple[Finished, Sampled]:
    """Run a command in a session of its own, sampling its memory; raise BenchError for other exit codes."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=errors, cwd=ROOT, start_new_session=True)  # noqa: S603 - the command is made by the bench
        try:
            code, sampled = _sample(process)
        finally:
            if process.returncode is None:  # we were interrupted, and its session is not the terminal's
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        seconds = time.perf_counter() - started
        output.seek(0)
        errors.seek(0)
        require_exit_code(command, code, accepted, errors.read())
        return Finished(seconds, output.read()), sampled


def _sample(process: "subprocess.Popen[bytes]") -> tuple[int, Sampled]:
    """Sample until the process ends; `ru_maxrss` is the largest of it and its children, as the kernel saw."""
    peak = most = samples = 0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, Sampled(peak, usage.ru_maxrss * 1024, most, samples)
        sizes = [pss_bytes(member) for member in session_members(process.pid)]
        peak, most, samples = max(peak, sum(sizes)), max(most, len(sizes)), samples + 1
        time.sleep(SAMPLE_SECONDS)


def session_members(session: int) -> Iterator[int]:
    """The processes of a session: the one that began it and all that came of it."""
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            with suppress(OSError):
                stat = Path("/proc", entry, "stat").read_text()
                # proc(5): a name in parentheses that may hold anything; then state, parent, group, session.
                if int(stat.rpartition(")")[2].split()[3]) == session:
                    yield int(entry)


def pss_bytes(pid: int) -> int:
    """A process's proportional set size; 0 where it has ended."""
    with suppress(OSError):
        for line in Path("/proc", str(pid), "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


@dataclass(frozen=True)
class Memory:
    """The peaks of import and seal, at the size asked for and at twice that."""

    peaks: tuple[Peak, ...]
    peer_bytes: int | None = None

    def of(self, command: str, posts: int) -> Peak:
        return next(peak for peak in self.peaks if (peak.command, peak.posts) == (command, posts))

    def rows(self) -> list[Row]:
        once, twice = sorted({peak.posts for peak in self.peaks})
        rows = [self._limit_row(command, once) for command in ("import", "seal")]
        return rows + [self._growth_row(command, once, twice) for command in ("import", "seal")]

    def _limit_row(self, command: str, posts: int) -> Row:
        peak = self.of(command, posts)
        return Row(
            f"peak memory of {command}",
            f"{posts:,} posts; processes at most: {peak.processes}",
            megabytes(peak.pss_bytes),
            NOTHING if self.peer_bytes is None else f"{megabytes(self.peer_bytes)} (build)",
            peak.pss_bytes / 1e6,
            f"the most that all processes of `archiver {command}` held together: the sum of their"
            " proportional set sizes (PSS), every 50 ms, in a run of its own that is not timed. The peer's is"
            " the `ru_maxrss` of its one process.",
            Asked(LIMIT_MB, "MB"),
            "MB",
        )

    def _growth_row(self, command: str, once: int, twice: int) -> Row:
        small, large = self.of(command, once), self.of(command, twice)
        return Row(
            f"peak memory of {command} at twice the posts",
            f"{twice:,} to {once:,} posts",
            f"{megabytes(large.pss_bytes)} to {megabytes(small.pss_bytes)}",
            NOTHING,
            large.pss_bytes / small.pss_bytes,
            "the same measurement on an export of twice as many posts, divided by the one above.",
            Asked(GROWTH),
        )

    def detail(self) -> Detail:
        return Detail(
            "Memory",
            "PSS summed over all processes, sampled every 50 ms; beside it the largest single process by the"
            " kernel's own account (`ru_maxrss`, which counts shared pages in full and misses no moment).",
            ["command", "posts", "processes", "peak PSS, all", "largest process, RSS", "samples"],
            [
                [
                    peak.command,
                    f"{peak.posts:,}",
                    str(peak.processes),
                    megabytes(peak.pss_bytes),
                    megabytes(peak.largest_rss_bytes),
                    str(peak.samples),
                ]
                for peak in self.peaks
            ],
        )


def measure(place: Workplace, peer_bytes: int | None = None) -> Memory:
    """Run the main job at both sizes, sampled; the vaults are removed at once."""
    peaks: list[Peak] = []
    for posts in (place.posts, 2 * place.posts):
        export = make_export(place.folder, posts)
        peaks += _peaks_of_main_job(place.folder / f"archiver-memory-{posts}", export)
    return Memory(tuple(peaks), peer_bytes)


def _peaks_of_main_job(home: Path, export: Export) -> list[Peak]:
    peaks: list[Peak] = []

    def runner(command: Sequence[str], accepted: tuple[int, ...]) -> Finished:
        finished, sampled = watched(command, accepted)
        name = "import" if "import" in command else "seal"
        peaks.append(Peak(name, export.posts, *sampled))
        return finished

    try:
        built: Built = run_main_job(home, export, runner)
    finally:
        remove(home)
    held = ", ".join(f"{peak.command} {megabytes(peak.pss_bytes)}" for peak in peaks)
    say(f"memory at {export.posts:,} posts: {held} (sampled run {built.seconds:.1f} s)")
    return peaks
