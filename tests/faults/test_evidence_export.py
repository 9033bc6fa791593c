"""An evidence export when things go wrong while it is under way: a kill, an interrupt, a full disk, a folder
that nobody may write, a video that is larger than the memory that it may take. Nothing half is left, a number
that was taken is not used again, and nothing readable of an encrypted pack is on the disk at any instant."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.disk import PARTIAL_PREFIX
from archiver.formats import age
from tests.cli.runner import PROGRAM, Result, start_process
from tests.collected import Asked, Clock, XHome, fake_x
from tests.fakes.x_world import DAY_MS
from tests.faults.folders import make_folder
from tests.homes import Home
from tests.packs import (
    NAMED,
    SECRET_TEXT,
    WITHOUT_PDF,
    Rich,
    copied,
    export,
    read_pack,
    records_of,
    say,
    write_ids,
)
from tests.programs import NEEDS, PROJECT, require_program

LIMIT_SECONDS = 120
MARKERS = (SECRET_TEXT.encode(), SECRET_TEXT.encode("utf-16-le"), b"zoe_example77")


@pytest.fixture
def home(rich: Rich, tmp_path: Path) -> Home:
    (tmp_path / "out").mkdir()
    return copied(rich.home, tmp_path / "home")


@pytest.fixture
def words(home: Home, rich: Rich, tmp_path: Path) -> tuple[str, ...]:
    """An export of every kind of record, as `export` of the command line has it."""
    ids = write_ids(tmp_path / "ids", [rich.told, rich.own, rich.witnessed, rich.scene.reply])
    return ("evidence", "export", "--ids", str(ids), *NAMED, "--format", WITHOUT_PDF)


def run_limited(home: Home, words: tuple[str, ...], output: Path, file_bytes: int) -> Result:
    """A run that may make no file larger than that."""
    done = subprocess.run(
        [*PROGRAM, "--config", str(home.folder), *words, "-o", str(output)], cwd=PROJECT, capture_output=True,
        text=True, timeout=LIMIT_SECONDS, stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes)),
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)


def start(
    home: Home, words: tuple[str, ...], output: Path, step: int, watched: Path, **environ: str
) -> Result:
    """A run that is killed, or fails, before a step on the disk within a folder; 0: before none."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.killed_run", str(watched), str(step), "--config",
         str(home.folder), *words, "-o", str(output)],
        cwd=PROJECT, capture_output=True, text=True, timeout=LIMIT_SECONDS, stdin=subprocess.DEVNULL,
        env={**os.environ, **environ},
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)


def numbers(home: Home) -> list[tuple[Any, Any]]:
    lines = say(home, "--json", "evidence", "list").json_lines()
    return [(one["exhibit"], one["finished"]) for one in lines]


def left_in(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


# Kills


def test_the_number_of_a_killed_export_is_never_used_again_and_the_next_one_tidies_up(
    home: Home, words: tuple[str, ...], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    whole = start(home, words, out / "whole", 0, out)
    assert whole.code == 0, whole.errors
    steps = int(whole.errors.rpartition("steps ")[2])
    assert steps > 30
    for part in (1, 4, 7):
        killed = start(home, words, out / f"killed{part}", steps * part // 8, out)
        assert killed.code == -signal.SIGKILL, killed.errors
        assert not (out / f"killed{part}").exists()
        (_partial,) = [one for one in left_in(out) if one.startswith(PARTIAL_PREFIX)]
    say(home, *words, "-o", out / "after")
    assert left_in(out) == ["after", "whole"]
    assert numbers(home) == [
        ("ABC/1", True), ("ABC/2", False), ("ABC/3", False), ("ABC/4", False), ("ABC/5", True),
    ]  # fmt: skip
    assert records_of(read_pack(out / "after"))[0]["reference"] == "ABC/5/1"
    listed = say(home, "evidence", "list")
    assert listed.output.count("its pack was never finished") == 3
    acts = [
        one for one in say(home, "--json", "log", "show", "--limit", "0").json_lines()
        if one.get("command") == "evidence export"
    ]  # fmt: skip
    assert [one["ended_at"] is not None for one in acts] == [True, False, False, False, True]


def test_a_killed_export_into_a_zip_file_leaves_no_zip_file(
    home: Home, words: tuple[str, ...], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    steps = int(start(home, words, out / "whole.zip", 0, out).errors.rpartition("steps ")[2])
    for step in range(1, steps, 2):
        assert start(home, words, out / "killed.zip", step, out).code == -signal.SIGKILL
        if (out / "killed.zip").exists():  # the last steps are those after it is in place
            assert say(home, "evidence", "verify", out / "killed.zip").code == 0
            (out / "killed.zip").unlink()
    say(home, *words, "-o", out / "after.zip")
    assert left_in(out) == ["after.zip", "whole.zip"]


def test_an_interrupted_export_leaves_nothing_and_says_so(
    home: Home, words: tuple[str, ...], rich: Rich, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ids = write_ids(tmp_path / "all", rich.ids)
    process = start_process(
        "--config", home.folder, "evidence", "export", "--ids", ids, *NAMED, "-o", out / "p"
    )
    deadline = time.monotonic() + 60
    while not any(one.startswith(PARTIAL_PREFIX) for one in left_in(out)):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, ""), errors
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert left_in(out) == []
    assert numbers(home) == [("ABC/1", False)]
    export(home, out / "p", "is:moderated", "--format", "jsonl")
    assert numbers(home) == [("ABC/1", False), ("ABC/2", True)]


# The disk


@pytest.mark.parametrize("name", ["p", "p.zip"])
@pytest.mark.parametrize("file_bytes", [6_000, 20_000, 40_000])
def test_a_disk_that_fills_up_leaves_nothing(
    home: Home, words: tuple[str, ...], tmp_path: Path, name: str, file_bytes: int
) -> None:
    out = tmp_path / "out"
    result = run_limited(home, words, out / name, file_bytes)
    assert (result.code, result.output) == (1, ""), result
    assert result.errors.startswith("archiver: error: the disk is full while writing /"), result.errors
    assert left_in(out) == []
    assert all(not finished for _, finished in numbers(home))
    say(home, *words, "-o", out / name)
    assert say(home, "evidence", "verify", out / name).code == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 KB; the test is skipped where this process may mount none."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(place)]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip(f"{NEEDS}the right to mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("name", ["p", "p.zip", "p.age"])
def test_a_file_system_without_space_is_told_and_left_as_it_was(
    home: Home, words: tuple[str, ...], small_disk: Path, rich: Rich, tmp_path: Path, name: str
) -> None:
    ids = write_ids(tmp_path / "all", rich.ids)
    sealed = ("--encrypt-to", age.X25519Identity.generate().recipient().encode()) if name == "p.age" else ()
    command = ("evidence", "export", "--ids", ids, *NAMED, "-o", small_disk / name, *sealed)
    result = say(home, *command, code=1)
    assert "the disk is full" in result.errors
    assert left_in(small_disk) == []


def test_a_folder_that_nobody_may_write_is_named(home: Home, words: tuple[str, ...], tmp_path: Path) -> None:
    """Root may write everywhere but there."""
    folder = tmp_path / "out"
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        folder = Path("/sys")
    for name in ("ABC_1", "ABC_1.zip"):
        result = say(home, *words, "-o", folder / name, code=1)
        assert str(folder) in result.errors
        assert not (folder / name).exists()
    (tmp_path / "out").chmod(0o700)


# What is readable


def holds_marker(folder: Path) -> list[Path]:
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if any(one in data for one in MARKERS):
                found.append(path)
    return found


def test_nothing_readable_of_an_encrypted_pack_is_on_the_disk_at_the_instant_of_a_kill(
    home: Home, words: tuple[str, ...], tmp_path: Path
) -> None:
    public = age.X25519Identity.generate().recipient().encode()
    sealed = (*words, "--encrypt-to", public)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environ = {"TMPDIR": str(temporary), "SQLITE_TMPDIR": str(temporary)}
    assert holds_marker(tmp_path) == []
    for name in ("first.age", "whole.age"):  # the first search takes more steps
        whole = start(home, sealed, tmp_path / "out" / name, 0, tmp_path, **environ)
        assert whole.code == 0, whole.errors
    steps = int(whole.errors.rpartition("steps ")[2])
    assert holds_marker(tmp_path) == []
    for part in range(1, 8, 2):
        killed = start(home, sealed, tmp_path / "out" / "killed.age", steps * part // 8, tmp_path, **environ)
        assert killed.code == -signal.SIGKILL
        assert holds_marker(tmp_path) == []
        for path in (tmp_path / "out").iterdir():
            assert path.is_file()
            assert path.read_bytes()[:21] in (b"", b"age-encryption.org/v1")
        (tmp_path / "out" / "killed.age").unlink(missing_ok=True)  # of a kill after it was in place
    plain = start(home, words, tmp_path / "out" / "plain", 0, tmp_path, **environ)
    assert plain.code == 0
    assert holds_marker(tmp_path / "out"), "the search finds what is there"


def test_an_encrypted_pack_with_every_form_writes_no_file_but_its_own(
    home: Home, rich: Rich, tmp_path: Path
) -> None:
    """As the kernel sees it, the process that makes the PDF included."""
    trace, temporary = tmp_path / "trace", tmp_path / "temporary"
    temporary.mkdir()
    ids = write_ids(tmp_path / "ids", [rich.told, rich.own])
    public = age.X25519Identity.generate().recipient().encode()
    command = [
        require_program("strace"), "-f", "-y", "-s", "300", "-e", "trace=openat,open,creat,memfd_create",
        "-o", str(trace), *PROGRAM, "--config", str(home.folder), "evidence", "export", "--ids", str(ids),
        *NAMED, "--encrypt-to", public, "-o", str(tmp_path / "out" / "pack.age"),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=PROJECT, env={**os.environ, "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=LIMIT_SECONDS,
    )  # fmt: skip
    if "ptrace" in done.stderr.lower():
        pytest.skip("this host lets nobody trace a process")
    assert done.returncode == 0, done.stderr
    written = set()
    for line in trace.read_text(errors="replace").splitlines():
        found = re.search(r'"([^"]+)", ([A-Z_|]*(?:O_WRONLY|O_RDWR|O_CREAT)[A-Z_|]*)', line)
        if found and " = -1 " not in line:
            written.add(found[1])
    own = {str(home.folder), "/dev/null", "/dev/tty", "/proc", "/dev/shm"}
    others = [one for one in written if not any(one.startswith(beginning) for beginning in own)]
    assert others
    assert all(one.startswith(str(tmp_path / "out")) for one in others), others
    assert holds_marker(home.folder) == holds_marker(temporary) == []
    assert left_in(tmp_path / "out") == ["pack.age"]


# Much


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, str]:
    """A vault with a video of 100 MB, all zeros but its beginning, and the id of its post."""
    folder = tmp_path_factory.mktemp("film")
    clock = Clock(int(time.time() * 1000) - 3 * DAY_MS)
    home = XHome(make_folder(folder / "home"))
    with fake_x(clock) as x:
        force = x.world.add_user("SpringfieldPD", "Springfield Police")
        body = b"\0\0\0\x18ftypmp42" + bytes(100_000_000)
        key = x.world.add_video({2_176_000: body})
        post = x.world.add_post(force, "The road from above.", clock.now_ms - 600_000, media_keys=[key])
        home.configure(x, Asked(force, kinds=["posts"]))
        report = home.collect_one(clock)
        assert report.complete, report
        home.seal(clock.now_ms)
    return home, str(post.id)


@pytest.mark.parametrize("name", ["p", "p.zip"])
def test_a_video_of_100_megabytes_takes_no_more_memory_than_a_small_one(
    film: tuple[Home, str], tmp_path: Path, name: str
) -> None:
    home, post = film
    ids = write_ids(tmp_path / "ids", [post])
    words = ("evidence", "export", "--ids", str(ids), *NAMED, "--format", WITHOUT_PDF)
    assert peak_megabytes("--config", str(home.folder), *words, "-o", str(tmp_path / name)) < 300
    assert peak_megabytes("evidence", "verify", str(tmp_path / name)) < 300
    videos = {
        path: len(data) for path, data in read_pack(tmp_path / name).items() if path.startswith("data/media/")
    }
    assert max(videos.values()) == 100_000_012
    shutil.rmtree(tmp_path / name) if name == "p" else (tmp_path / name).unlink()


PEAK = """
import re, sys
from pathlib import Path
from archiver.cli import main
code = main(sys.argv[1:])
print("peak", re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1], file=sys.stderr)
sys.exit(code)
"""


def peak_megabytes(*arguments: str) -> float:
    """The most memory that a run had at once. wait4(2) would say that of this process, which begins it."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *arguments], cwd=PROJECT, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=LIMIT_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stderr.rpartition("peak ")[2]) / 1000
