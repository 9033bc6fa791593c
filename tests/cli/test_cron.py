"""The one line for cron: in the environment that cron gives, and started by Debian's cron itself."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archiver.inbox.exports import import_exports
from archiver.wiring.collector import open_collector
from tests.crontab import own_crontab
from tests.faults.folders import copy_folder, make_folder, read_contents, same_but_once, sample
from tests.homes import Home
from tests.programs import NEEDS, require_program

BARE = {"HOME": "/", "LOGNAME": "root", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
"""All that a job of cron has (crontab(5))."""
WAIT_SECONDS = 90
"""Cron starts its jobs with each minute."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A folder whose spool holds the short sample."""
    folder = tmp_path_factory.mktemp("cron")
    home = Home(make_folder(folder / "home"))
    with open_collector(home.settings) as collector:
        export = sample(folder / "export.zip")
        import_exports(collector, [export], may_add_account=True, clock=lambda: 1_793_000_000_000)
    with home.settings.path.open("a") as file:  # in the account's table: the sample gets older every day
        file.write("export_every_days = 0\n")
    return home


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    """In a folder whose name a shell would take apart."""
    return Home(copy_folder(made.folder, tmp_path / "police archive's"))


def cron_line(home: Home) -> str:
    """What a person types behind the five stars."""
    program = Path(sys.executable).with_name("archiver")
    assert program.is_file()
    words = (program, "--config", home.folder, "run", "--quiet", "--log", home.folder / "run.jsonl")
    return shlex.join(map(str, words))


def test_the_line_works_in_the_bare_environment_of_cron(home: Home) -> None:
    def start() -> "subprocess.CompletedProcess[bytes]":
        line = [
            "env",
            "-i",
            *(f"{name}={value}" for name, value in BARE.items()),
            "sh",
            "-c",
            cron_line(home),
        ]
        return subprocess.run(line, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, check=False)

    first = start()
    assert first.returncode == 0
    assert b"Only one keyholder" in first.stderr, "which a person is told once a month"
    assert len(home.archives) == 1
    second = start()
    assert (second.returncode, second.stdout, second.stderr) == (0, b"", b""), "so that cron sends no mail"
    same_but_once(read_contents(home.folder))


@contextmanager
def running_cron() -> Iterator[None]:
    """One of our own, unless one is running here: cron allows no second."""
    process = subprocess.Popen(
        [require_program("cron"), "-f"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(0.5)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def test_debians_cron_starts_it_within_a_minute_and_a_half(home: Home) -> None:
    require_program("cron")
    if os.getuid():
        pytest.skip(f"{NEEDS}root, who alone may start cron")
    line = "* * * * * " + cron_line(home).replace("%", r"\%")
    log = home.folder / "run.jsonl"
    with own_crontab() as crontab, running_cron():
        crontab.write((crontab.read() or b"") + f"{line}\n".encode())
        deadline = time.monotonic() + WAIT_SECONDS
        while not log.exists() or '"event": "end"' not in log.read_text():
            assert time.monotonic() < deadline, crontab.read()
            time.sleep(0.2)
    assert len(home.archives) == 1
    same_but_once(read_contents(home.folder))
