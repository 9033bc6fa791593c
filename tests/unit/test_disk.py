"""Files that are there whole or not at all, and the lock, with real files and real processes."""

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from archiver import disk
from archiver.errors import ArchiverError, LockedError
from archiver.processes import own_mark
from tests.programs import PROJECT, require_program


def run_child(script: str, *arguments: object) -> "subprocess.Popen[str]":
    """A Python process with the package, its standard output readable."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for_line(child: "subprocess.Popen[str]") -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_a_file_is_replaced_whole_and_private_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "settings"
    disk.write_atomically(path, b"old")
    disk.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(tmp_path) == ["settings"]


def test_a_reader_meets_the_old_bytes_or_the_new_ones_but_no_mixture(tmp_path: Path) -> None:
    path = tmp_path / "file"
    whole = {bytes([letter]) * 300_000 for letter in b"ab"}
    disk.write_atomically(path, b"a" * 300_000)
    met: set[bytes] = set()
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            met.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        disk.write_atomically(path, b"ab"[number % 2 : number % 2 + 1] * 300_000)
    ended.set()
    reader.join()
    assert met
    assert met <= whole


def test_a_failing_writer_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write_half() -> None:
        with disk.new_file(path, replace=True) as file:
            file.write(b"half of the new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_file_is_invisible_until_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with disk.new_file(path) as file:
        file.write(b"all of it")
        assert not path.exists()
    assert path.read_bytes() == b"all of it"


def test_a_file_can_be_named_after_what_was_written(tmp_path: Path) -> None:
    written: list[bytes] = []
    with disk.new_file(tmp_path / "unknown", named=lambda: tmp_path / written[0].decode()) as file:
        file.write(b"all of it")
        written.append(b"name")
    assert names(tmp_path) == ["name"]
    with (
        pytest.raises(disk.TakenError, match="name is there already"),
        disk.new_file(tmp_path / "unknown", named=lambda: tmp_path / "name") as file,
    ):
        file.write(b"something else")
    assert names(tmp_path) == ["name"]
    assert (tmp_path / "name").read_bytes() == b"all of it"


def test_an_existing_file_is_never_overwritten_by_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "key"
    disk.create_exclusively(path, b"first")
    with pytest.raises(disk.TakenError, match="is there already"):
        disk.create_exclusively(path, b"second")
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["key"]


def test_a_name_taken_while_writing_stays_with_the_one_who_took_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    writer = disk.new_file(path)
    writer.__enter__().write(b"late")
    path.write_bytes(b"early")
    with pytest.raises(disk.TakenError):
        writer.__exit__(None, None, None)
    assert path.read_bytes() == b"early"
    assert names(tmp_path) == ["file"]


def test_a_dangling_link_counts_as_taken(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(disk.TakenError, match="is there already"):
        disk.create_exclusively(tmp_path / "link", b"data")
    assert names(tmp_path) == ["link"]


def test_without_hard_links_a_taken_name_is_still_not_replaced(tmp_path: Path) -> None:
    """FAT and some network shares have none; which file systems a test may mount differs, so this calls
    the way around them itself."""
    (tmp_path / "taken").write_bytes(b"first")
    (tmp_path / "partial").write_bytes(b"second")
    with pytest.raises(disk.TakenError):
        disk._rename_to_free_name(tmp_path / "partial", tmp_path / "taken")
    assert (tmp_path / "taken").read_bytes() == b"first"
    disk._rename_to_free_name(tmp_path / "partial", tmp_path / "free")
    assert names(tmp_path) == ["free", "taken"]


FILL = """
import os, resource, sys
from pathlib import Path
from archiver import disk
from archiver.errors import ArchiverError
folder, limit = Path(sys.argv[1]), int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
(folder / "kept").write_bytes(b"old")
for replace, name in ((True, "kept"), (False, "new")):
    try:
        with disk.new_file(folder / name, replace=replace) as file:
            for _ in range(64):
                file.write(bytes(65536))
        print("no error")
    except ArchiverError as error:
        print(error.message, "|", error.hint)
print(sorted(os.listdir(folder)), (folder / "kept").read_bytes())
"""


def check_filled(output: str, folder: Path) -> None:
    hint = "free some space and run the same command again"
    assert output.splitlines() == [
        f"the disk is full while writing {folder}/kept | {hint}",
        f"the disk is full while writing {folder}/new | {hint}",
        "['kept'] b'old'",
    ]


def test_a_file_over_its_size_limit_is_reported_as_a_full_disk_and_nothing_is_left(tmp_path: Path) -> None:
    child = run_child(FILL, tmp_path, 100_000)
    output, _ = child.communicate(timeout=30)
    check_filled(output, tmp_path)


def test_a_disk_that_is_really_full_leaves_nothing_half_written(tmp_path: Path) -> None:
    unshare = require_program("unshare")
    if subprocess.run([unshare, "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount in a namespace of its own")
    mount = 'mount -t tmpfs -o size=256k tmpfs "$1" && exec "$2" -c "$3" "$1" 0'
    result = subprocess.run(
        [unshare, "-rm", "sh", "-c", mount, "sh", str(tmp_path), sys.executable, FILL],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    check_filled(result.stdout, tmp_path)


def test_errors_name_the_file_and_what_was_being_done(tmp_path: Path) -> None:
    with pytest.raises(ArchiverError, match=r"nowhere/file: no such file or directory while creating it"):
        disk.write_atomically(tmp_path / "nowhere" / "file", b"")
    with pytest.raises(ArchiverError, match=r"nowhere: no such file or directory while syncing it"):
        disk.sync_directory(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.EACCES, "check who owns it and its mode: ls -ld"),
        (errno.EROFS, "the file system is mounted read-only"),
        (errno.EDQUOT, "free some space and run the same command again"),
        (errno.EIO, None),
    ],
)
def test_errors_that_a_person_can_mend_come_with_a_hint(code: int, hint: str | None) -> None:
    error = disk.translate_os_error(OSError(code, os.strerror(code)), "writing", "vault/file")
    assert "vault/file" in error.message
    assert error.hint == hint


def test_directories_are_made_with_all_that_is_missing_above_them(tmp_path: Path) -> None:
    disk.make_directories(tmp_path / "a" / "b" / "c", 0o700)
    disk.make_directories(tmp_path / "a" / "b" / "c", 0o700)
    assert (tmp_path / "a" / "b" / "c").is_dir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArchiverError, match="while creating it"):
        disk.make_directories(tmp_path / "file" / "below")


HALF = """
import sys, time
from pathlib import Path
from archiver import disk
with disk.new_file(Path(sys.argv[1])) as file:
    file.write(bytes(100_000))
    print("half", flush=True)
    sys.stdin.readline()
"""


def test_what_a_killed_writer_left_is_deleted_and_a_living_writer_is_not_disturbed(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    killed = run_child(HALF, tmp_path / "below" / "killed")
    living = run_child(HALF, tmp_path / "below" / "living")
    assert wait_for_line(killed) == wait_for_line(living) == "half"
    killed.kill()
    killed.communicate()
    assert len(names(tmp_path / "below")) == 2
    assert disk.delete_partial_files(tmp_path) == 1
    living.communicate("go on\n", timeout=30)
    assert living.returncode == 0
    assert names(tmp_path / "below") == ["living"]
    assert disk.delete_partial_files(tmp_path) == 0
    assert (tmp_path / "below" / "living").stat().st_size == 100_000


HOLD = """
import sys
from pathlib import Path
from archiver.disk import Lock
with Lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_second_run_is_told_which_process_holds_the_lock(tmp_path: Path) -> None:
    holder = run_child(HOLD, tmp_path / "lock")
    assert wait_for_line(holder) == "held"
    with pytest.raises(LockedError) as caught, disk.Lock(tmp_path / "lock"):
        pass
    assert f"process {holder.pid} is at work" in caught.value.message
    assert caught.value.exit_code == 11
    holder.communicate("end\n", timeout=30)
    (tmp_path / "lock").write_text("1234567890123\n")  # of a machine with longer process ids
    with disk.Lock(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text() == own_mark()


def test_a_lock_ends_with_its_process_even_when_that_is_killed(tmp_path: Path) -> None:
    holder = run_child(HOLD, tmp_path / "lock")
    assert wait_for_line(holder) == "held"
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    with disk.Lock(tmp_path / "lock"):
        pass


def test_a_lock_that_is_waited_for_is_had_as_soon_as_it_is_free(tmp_path: Path) -> None:
    holder = run_child(HOLD, tmp_path / "lock")
    assert wait_for_line(holder) == "held"
    release = threading.Timer(0.3, holder.communicate, ("end\n",))
    release.start()
    began = time.monotonic()
    with disk.Lock(tmp_path / "lock", wait_seconds=30):
        waited = time.monotonic() - began
        assert (tmp_path / "lock").read_text() == own_mark()
    release.join()
    assert 0.2 < waited < 10


def test_a_lock_is_waited_for_no_longer_than_allowed(tmp_path: Path) -> None:
    holder = run_child(HOLD, tmp_path / "lock")
    assert wait_for_line(holder) == "held"
    began = time.monotonic()
    with (
        pytest.raises(LockedError, match=f"process {holder.pid} is at work"),
        disk.Lock(tmp_path / "lock", wait_seconds=0.3),
    ):
        pass
    assert 0.3 <= time.monotonic() - began < 10
    holder.communicate("end\n", timeout=30)


def test_of_many_processes_that_wait_each_holds_the_lock_alone(tmp_path: Path) -> None:
    script = """
import os, sys, time
from pathlib import Path
from archiver.disk import Lock
folder = Path(sys.argv[1])
for _ in range(5):
    with Lock(folder / "lock", wait_seconds=60):
        os.close(os.open(folder / "inside", os.O_CREAT | os.O_EXCL))
        time.sleep(0.01)
        (folder / "inside").unlink()
"""
    children = [run_child(script, tmp_path) for _ in range(4)]
    for child in children:
        child.communicate(timeout=60)
    assert [child.returncode for child in children] == [0] * 4


def test_of_many_processes_at_once_only_one_holds_the_lock(tmp_path: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from archiver.disk import Lock
from archiver.errors import LockedError
while time.time() < float(sys.argv[2]):
    pass
try:
    with Lock(Path(sys.argv[1])):
        print("won", flush=True)
        sys.stdin.readline()
except LockedError:
    print("lost", flush=True)
"""
    start = time.time() + 1.0
    children = [run_child(script, tmp_path / "lock", start) for _ in range(6)]
    lines = sorted(wait_for_line(child) for child in children)
    for child in children:
        child.communicate("end\n", timeout=30)
    assert lines == ["lost"] * 5 + ["won"]


def test_a_lock_in_a_folder_that_is_not_there_names_it(tmp_path: Path) -> None:
    with (
        pytest.raises(ArchiverError, match=r"nowhere/lock: .* while locking it"),
        disk.Lock(tmp_path / "nowhere" / "lock"),
    ):
        pass


CLEANER = """
import sys
from pathlib import Path
from archiver.disk import delete_partial_files
print("cleaning", flush=True)
while not Path(sys.argv[1], "stop").exists():
    delete_partial_files(Path(sys.argv[1]))
"""


def test_a_cleaner_that_never_rests_takes_nothing_from_a_writer(tmp_path: Path) -> None:
    """Between its making and its locking a partial file looks abandoned."""
    command = [sys.executable, "-c", CLEANER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as cleaner:
        assert cleaner.stdout is not None
        cleaner.stdout.readline()
        try:
            for number in range(300):
                disk.write_atomically(tmp_path / f"{number:03}", b"whole")
        finally:
            (tmp_path / "stop").touch()
    assert cleaner.returncode == 0
    assert {path.read_bytes() for path in tmp_path.glob("[0-9]*")} == {b"whole"}
    assert len(list(tmp_path.glob("[0-9]*"))) == 300
