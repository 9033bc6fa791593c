"""Runs `archiver run` at times that it is told, each in a process of its own that may be killed.

    python -m tests.faults.decade_run FOLDER

Each line on standard input is an order: `now_ms`, what the clock shows; `kill`, before which step on the disk
the process is killed (see `killed_run`), 0 for none; `without`, jobs that are left out. The answer, a line
each, says what became of it. The program is loaded once; for each order the process forks, so that a run
starts in milliseconds and ends, or is killed, as a process of its own.
"""

import gc
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

import msgspec

from archiver.collect.connect import collect_from_x
from archiver.jobs.registry import load_job, registered
from archiver.jobs.run import run_due
from archiver.jobs.work import collected, imported, sealed, synced  # noqa: F401  # loaded before the forks
from archiver.settings import load_settings
from archiver.sources.x_api.endpoints import ENDPOINTS
from tests.faults.decade import DEPTH, PAGE
from tests.faults.killed_run import Steps


def _run(folder: Path, now_ms: int, kill: int, without: list[str]) -> dict[str, object]:
    steps = Steps(str(folder), kill)
    steps.install()
    started = time.monotonic()
    report = run_due(
        load_settings(folder / "archiver.toml"),
        {},
        lambda: now_ms + int((time.monotonic() - started) * 1000),
        only=[name for name in registered() if name not in without],
    )
    return {
        "code": report.code,
        "steps": steps.number,
        "jobs": {one.job: one.code for one in report.jobs},
        "problems": [*report.problems, *(problem for one in report.jobs for problem in one.problems)],
    }


def _answer(folder: Path, now_ms: int, kill: int, without: list[str]) -> dict[str, object]:
    """What a run of its own process says; `killed` where it ended before it could."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            answer = json.dumps(_run(folder, now_ms, kill, without))
        except BaseException:  # noqa: BLE001  # whatever it is, the test wants to read it
            answer = json.dumps({"error": traceback.format_exc()[-3000:]})
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        told = pipe.read()
    _, status, used = os.wait4(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return {**(json.loads(told) if told else {}), "killed": killed, "kibibytes": used.ru_maxrss}


def main() -> None:
    folder = Path(sys.argv[1])
    for name in registered():
        load_job(name)
    defaults = collect_from_x.__kwdefaults__
    assert defaults is not None
    defaults["sleep"] = lambda seconds: None
    # X shows as much as the fake does, in pages as much smaller.
    ENDPOINTS["posts"] = msgspec.structs.replace(ENDPOINTS["posts"], depth=DEPTH, page=PAGE)
    gc.freeze()  # what is loaded stays shared with every run
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(_answer(folder, order["now_ms"], order["kill"], order["without"])), flush=True)


if __name__ == "__main__":
    main()
