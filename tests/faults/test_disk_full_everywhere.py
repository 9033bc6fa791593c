"""Each folder of a collector in turn lies on a disk that is full: what the run says, that nothing is lost,
and that the next run completes once there is space."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from archiver.disk import PARTIAL_PREFIX
from tests.cli.runner import Result, Runner
from tests.cli.stores import add_store
from tests.faults.folders import (
    Contents,
    check_nothing_half,
    copy_folder,
    make_folder,
    read_contents,
    sample,
)
from tests.faults.test_disk_full import fill
from tests.homes import Home
from tests.programs import NEEDS

ROOM = "12m"
OPTIONAL_TOLD = 3


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything in places of their own, and an export in its inbox."""
    folder = make_folder(tmp_path_factory.mktemp("made") / "v")
    settings = folder / "archiver.toml"
    text = settings.read_text().replace('state = "state.sqlite"', 'state = "state/state.sqlite"')
    settings.write_text(text)
    for name in ("state", "cache", "spool/log"):
        (folder / name).mkdir(exist_ok=True)
    with settings.open("a") as file:
        file.write('\n[cache]\nfolder = "cache"\n')
        file.write('\n[[account]]\nplatform = "x"\nid = "451207733"\n')
    sample(folder / "inbox" / "export.zip", months=2)
    return folder


@pytest.fixture(scope="module")
def contents(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What an undisturbed run gives."""
    from archiver.cli import main

    folder = copy_folder(made, tmp_path_factory.mktemp("whole") / "v")
    assert main(["--config", str(folder), "backup"]) == 0
    return read_contents(folder)


@contextmanager
def disk_at(place: Path) -> Iterator[Path]:
    """Put what lies there on a file system of its own; where that may not be mounted the test is skipped."""
    kept = place.with_name(f"{place.name}-kept")
    place.rename(kept)
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "none", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip(f"{NEEDS}the right to mount a small file system")
    try:
        subprocess.run(["cp", "-a", f"{kept}/.", str(place)], check=True)
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def full(place: Path, leaving_bytes: int = 0) -> Iterator[None]:
    ballast = place / "ballast"
    fill(ballast, leaving_bytes=leaving_bytes)
    try:
        yield
    finally:
        ballast.unlink()


def said_once(result: Result, code: int = 1) -> str:
    """A sentence that says what is full, with what to do; nothing else is an error. That the log could not
    be put into a store either is said as well."""
    assert result.code == code, result
    assert "Traceback" not in result.errors
    errors = [line for line in result.errors.splitlines() if line.startswith("archiver: error: ")]
    errors = [line for line in errors if not line.startswith("archiver: error: log: the disk is full")]
    assert len(errors) == 1, result.errors
    assert "the disk is full" in errors[0] or "no space left" in errors[0], errors
    assert "archiver: hint: " in result.errors
    return errors[0]


def completes(run: Runner, folder: Path, contents: Contents) -> None:
    """The next run has everything, once, and leaves nothing half."""
    result = run("--config", folder, "backup")
    assert result.code == 0, result
    check_nothing_half(folder)
    assert read_contents(folder) == contents
    assert list(folder.rglob(f"{PARTIAL_PREFIX}*")) == []
    assert [path.name for path in folder.joinpath("inbox").rglob("*.zip")] == ["export.zip"]


@pytest.mark.parametrize("leaving_bytes", [0, 20_000])
@pytest.mark.parametrize("where", ["spool", "spool/log", "state", "vault"])
def test_a_folder_of_the_run_that_is_full(
    run: Runner, made: Path, contents: Contents, tmp_path: Path, where: str, leaving_bytes: int
) -> None:
    folder = copy_folder(made, tmp_path / "v")
    with disk_at(folder / where) as place:
        with full(place, leaving_bytes):
            result = run("--config", folder, "backup")
        assert str(place) in said_once(result)
        if where != "spool/log" or not leaving_bytes:  # else it may be sealed before there is no space
            assert list((folder / "vault").rglob("manifest.json")) == []
        completes(run, folder, contents)


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("leaving_bytes", [0, 20_000])
def test_a_second_store_that_is_full(
    run: Runner, made: Path, contents: Contents, tmp_path: Path, required: bool, leaving_bytes: int
) -> None:
    folder = copy_folder(made, tmp_path / "v")
    copy_folder(folder / "vault", folder / "second")
    text = (folder / "archiver.toml").read_text().replace('vault = "vault"\n', "")
    (folder / "archiver.toml").write_text(text)
    for name in ("vault", "second"):
        add_store(Home(folder), name, required=required or name == "vault")
    with disk_at(folder / "second") as place:
        with full(place, leaving_bytes):
            result = run("--config", folder, "backup")
        assert result.code == (1 if required else OPTIONAL_TOLD), result
        assert "the disk is full" in result.errors
        assert "store second" in result.errors
        assert "Traceback" not in result.errors
        with Home(folder).open_spool() as spool:
            assert spool.is_empty() == (not required)
        completes(run, folder, contents)
        assert run("--config", folder, "sync").code == 0
        assert run("--config", folder, "verify", "--store", "second").code == 0


def test_an_inbox_that_is_full_keeps_its_export_until_it_can_be_moved(
    run: Runner, made: Path, contents: Contents, tmp_path: Path
) -> None:
    folder = copy_folder(made, tmp_path / "v")
    with disk_at(folder / "inbox") as place:
        with full(place):
            result = run("--config", folder, "backup")
        assert result.code in (0, 1), result
        assert "Traceback" not in result.errors
        completes(run, folder, contents)


def test_a_cache_that_is_full_takes_nothing_from_a_search(
    run: Runner, made: Path, contents: Contents, tmp_path: Path
) -> None:
    folder = copy_folder(made, tmp_path / "v")
    completes(run, folder, contents)
    words = ("--config", folder, "search", "--json", "--limit", "0", "burglary")
    with disk_at(folder / "cache") as place:
        with full(place):
            first = run(*words)
        assert first.code == 0, first
        again = run(*words)
        assert [line for line in again.json_lines() if line["type"] == "post"] == [
            line for line in first.json_lines() if line["type"] == "post"
        ]


@pytest.mark.parametrize(
    "words", [("search", "burglary"), ("keys", "add", "second", "RECIPIENT")], ids=lambda words: words[0]
)
def test_keys_on_a_disk_that_is_full(
    run: Runner, made: Path, contents: Contents, tmp_path: Path, words: Sequence[str]
) -> None:
    """What a host remembers of a keyholder's log lies beside the keys, as does the list of keyholders."""
    folder = copy_folder(made, tmp_path / "v")
    completes(run, folder, contents)
    out = tmp_path / "second.identity"
    made_key = run("--config", folder, "keys", "new", "second", "--out", out, "--classic", "--no-passphrase")
    command = [made_key.output.strip() if word == "RECIPIENT" else word for word in words]
    with disk_at(folder / "keys") as place:
        before = (place / "recipients.txt").read_bytes()
        with full(place):
            result = run("--config", folder, *command)
        said_once(result)
        assert result.output == ""
        assert (place / "recipients.txt").read_bytes() == before
        assert run("--config", folder, *command).code == 0
        assert run("--config", folder, "search", "burglary").code == 0


def test_a_journal_on_a_disk_that_is_full_ends_the_run_and_the_next_does_all(
    run: Runner, made: Path, contents: Contents, tmp_path: Path
) -> None:
    folder = copy_folder(made, tmp_path / "v")
    with disk_at(folder / "state") as place:
        with full(place):
            result = run("--config", folder, "run")
        assert str(place) in said_once(result)
        again = run("--config", folder, "run", "--only", "sync", "--only", "check")
        assert again.code == 0, again
        completes(run, folder, contents)


@pytest.mark.parametrize("leaving_bytes", [0, 100])
def test_a_log_file_on_a_disk_that_is_full_is_said_and_stops_nothing(
    run: Runner, made: Path, tmp_path: Path, leaving_bytes: int
) -> None:
    folder = copy_folder(made, tmp_path / "v")
    (folder / "logs").mkdir()
    with disk_at(folder / "logs") as place:
        with full(place, leaving_bytes):
            result = run("--config", folder, "run", "--only", "sync", "--log", place / "run.jsonl")
        assert result.code == 0, result
        assert f"the log {place / 'run.jsonl'} cannot be written" in result.errors
        again = run("--config", folder, "run", "--only", "check", "--log", place / "run.jsonl")
        assert (again.code, again.errors) == (0, "")
        assert '"event": "end"' in (place / "run.jsonl").read_text()


def test_everything_is_full_in_turn_during_one_months_runs(
    run: Runner, made: Path, contents: Contents, tmp_path: Path
) -> None:
    """One folder after the other, each once, and in between nothing is put right but the space."""
    folder = copy_folder(made, tmp_path / "v")
    with ExitStack() as disks:
        places = [disks.enter_context(disk_at(folder / name)) for name in ("state", "spool", "vault")]
        for place in places:
            with full(place, 20_000):
                assert run("--config", folder, "backup").code == 1
        completes(run, folder, contents)
