"""Evidence packs and the log: how long a pack of 10,000 records takes, a PDF, and an entry of the log.

    python -m bench.evidence --acts 200 FOLDER

writes that many acts into the log of the vault in a folder, and prints how long each entry took.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench import monthly
from bench.memory import watched
from bench.results import NOTHING, Asked, Row
from bench.workplace import Workplace, archiver, module, remove, run, say

ARCHIVES = 12
POSTS = 1_000
"""In each archive."""
RECORDS = 10_000
PRINTED = 1_000
ROUNDS = 3
ACTS = 100
_MEBIBYTE = 1 << 20
_MEMORY = Path("/dev/shm")  # noqa: S108  # of the bench, and removed after each run
_WITHOUT_PDF = "html,csv,jsonl,load,originals,captures,media,case"


def measure(place: Workplace) -> list[Row]:
    """All rows, of a vault of its own."""
    home = place.folder / "evidence"
    remove(home)
    monthly.build(home, ARCHIVES, POSTS)
    try:
        return [*_measure_packs(home), _measure_paper(home), _measure_log(home)]
    finally:
        if not place.keep:
            remove(home)


def _months(records: int) -> str:
    """The query that finds so many posts: those of the last whole months."""
    year, month = monthly.months_before(records // POSTS - 1)
    return f"since:{year:04}-{month:02}-01T00:00:00Z"


def _command(home: Path, records: int, forms: str, output: Path) -> list[str]:
    options = ("--case", "bench", "--exhibit", "ABC", "--produced-by", "bench", "--format", forms)
    return archiver(home, "--json", "evidence", "export", _months(records), *options, "-o", str(output))


def _measure_packs(home: Path) -> list[Row]:
    seconds: list[float] = []
    peaks: list[int] = []
    found = 0
    for number in range(ROUNDS):
        output = _MEMORY / f"archiver-bench-{os.getpid()}-{number}"
        done = run(_command(home, RECORDS, _WITHOUT_PDF, output))
        remove(output)
        found = json.loads(done.output.splitlines()[-1])["records"]
        seconds.append(done.seconds)
        say(f"pack of {found:,} records: {done.seconds:.2f} s")
    for number in range(ROUNDS):  # apart, as looking costs the process its time
        output = _MEMORY / f"archiver-bench-{os.getpid()}-{number}"
        _, sampled = watched(_command(home, RECORDS, _WITHOUT_PDF, output))
        remove(output)
        peaks.append(sampled.pss_bytes)
        say(f"pack of {found:,} records: {sampled.pss_bytes / _MEBIBYTE:.0f} MiB")
    speed = found / median(seconds)
    counts = f"{found:,} posts of {ARCHIVES} archives, {ROUNDS} runs"
    meaning = (
        "`archiver evidence export` of all forms but the PDF into a folder in memory (/dev/shm), the whole"
        " process: on a disk the file system is measured, 20,000 plain files taking from 0.5 to 10 s."
    )
    return [
        Row("evidence pack, records", counts, _spread(seconds), NOTHING, speed, meaning,
            Asked(2_000, "/s", at_least=True), "/s"),
        Row("evidence pack, memory", counts, f"{max(peaks) / _MEBIBYTE:.0f} MiB", NOTHING,
            max(peaks) / 1e6, "the same: the largest sum of what its processes held (PSS).", Asked(300, "MB"),
            "MB"),
    ]  # fmt: skip


def _measure_paper(home: Path) -> Row:
    output = home / "paper"
    done = run(_command(home, PRINTED, "pdf", output), accepted=(0, 3))
    found = json.loads(done.output.splitlines()[-1])["records"]
    remove(output)
    say(f"PDF of {found:,} records: {done.seconds:.1f} s")
    return Row(
        "evidence pack, PDF", f"{found:,} posts", f"{done.seconds:.1f} s", NOTHING, done.seconds,
        "`archiver evidence export --format pdf`, the whole process.", Asked(60, "s"), "s",
    )  # fmt: skip


def _measure_log(home: Path) -> Row:
    done = run(module("evidence", "--acts", str(ACTS), str(home)))
    times = sorted(json.loads(done.output))
    middle, high = median(times), times[int(len(times) * 0.95)]
    say(f"an entry of the log: {middle:.1f} ms, 95th percentile {high:.1f}")
    return Row(
        "entry of the log, local", f"{len(times)} entries", f"{middle:.1f} ms (95 %: {high:.1f})", NOTHING,
        middle, "made, encrypted, signed, and synced to the disk; median.", Asked(15, "ms"), "ms",
    )  # fmt: skip


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.2f} s (best {min(seconds):.2f}, worst {max(seconds):.2f})"


def _time_acts(home: Path, acts: int) -> list[float]:
    """Milliseconds of each entry, two an act."""
    from archiver.audit.entry import Asked as AskedOf
    from archiver.cli._session import Session

    session = Session({}, config=home)
    session.list_archives(session.open_vault())
    times: list[float] = []
    with session.act(AskedOf("search", "bench")):  # the first one opens the log
        pass
    for _ in range(acts):
        started = time.perf_counter()
        with session.act(AskedOf("search", "bench", query="words to be found", reason="bench")) as act:
            begun = time.perf_counter()
            act.end(results=1)
            times += [(begun - started) * 1000, (time.perf_counter() - begun) * 1000]
    return times


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.evidence")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--acts", type=int, default=ACTS)
    arguments = parser.parse_args()
    print(json.dumps(_time_acts(arguments.folder, arguments.acts)))


if __name__ == "__main__":
    main()
