"""`archiver restore`: asked for by name, told where it went."""

from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.homes import Home, make_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("restore"))


def test_the_files_and_where_they_are_are_told(run: Runner, home: Home, tmp_path: Path) -> None:
    (archive,) = home.archives
    result = run("--config", home.folder, "restore", archive.name, "--to", tmp_path / "one")
    files = [path for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert result.code == 0
    assert result.output == (
        f"Restored {archive.name}: {len(files)} files in {tmp_path / 'one' / archive.name},"
        " not encrypted any more.\n"
    )
    again = run("--config", home.folder, "restore", "--json", archive.name, "--to", tmp_path / "two")
    (told,) = again.json_lines()
    assert told["type"] == "restored"
    assert all(Path(path).is_file() for path in told["files"])
    assert len(told["files"]) == len(files)


def test_an_archive_that_is_not_there_is_a_usage_error(run: Runner, home: Home, tmp_path: Path) -> None:
    error = run.fails(2, "--config", home.folder, "restore", "2020-01-01", "--to", tmp_path / "out")
    assert error.startswith("there is no archive 2020-01-01\n")
    assert not (tmp_path / "out").exists()
    assert "missing option '--to'" in run.fails(2, "--config", home.folder, "restore", "2020-01-01")


def test_a_second_time_into_the_same_folder_is_refused(run: Runner, home: Home, tmp_path: Path) -> None:
    (archive,) = home.archives
    assert run("--config", home.folder, "restore", archive.name, "--to", tmp_path).code == 0
    assert "is there already" in run.fails(
        2, "--config", home.folder, "restore", archive.name, "--to", tmp_path
    )
