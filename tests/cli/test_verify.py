"""`archiver verify`: what was checked, every problem, and the exit code of the worst."""

from pathlib import Path

import pytest

from archiver.chain import Head
from archiver.cli.verify import parse_head
from archiver.errors import UsageError
from archiver.state import Sealing
from tests.cli.runner import Runner
from tests.faults.folders import copy_folder
from tests.homes import Home, make_home


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("verify"))


@pytest.fixture
def home(sealed: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(sealed.folder, tmp_path / "home"))


def test_a_whole_vault_is_said_to_be_whole_with_its_head(run: Runner, home: Home) -> None:
    (archive,) = home.archives
    result = run("--config", home.folder, "verify")
    assert result.code == 0
    assert result.output.startswith("Verified 1 archive, 2 files, ")
    assert result.output.endswith(f"  chain head 1:{archive.head.sha256}\n")
    assert "every byte inside" not in result.output
    assert "every byte inside" in run("--config", home.folder, "verify", "--contents", archive.name).output


def test_no_private_key_is_needed(run: Runner, home: Home) -> None:
    for path in [*(home.folder / "keys").glob("*.identity"), home.settings.spool_identity]:
        path.write_bytes(b"AGE-SECRET-KEY-1NONE\n")
    assert run("--config", home.folder, "verify").code == 0


def test_a_program_gets_one_object_with_everything(run: Runner, home: Home) -> None:
    (archive,) = home.archives
    (told,) = run("--config", home.folder, "verify", "--json").json_lines()
    assert told == {
        "type": "verified", "archives": [archive.name], "files": 2,
        "bytes": sum(file.size for file in archive.manifest.files), "contents": False,
        "head": {"sequence": 1, "sha256": archive.head.sha256}, "problems": [],
    }  # fmt: skip


def test_every_problem_is_told_and_the_worst_gives_the_code(run: Runner, home: Home) -> None:
    (archive,) = home.archives
    for file in archive.manifest.files:
        path = home.folder / "vault" / archive.path(file)
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        home.replace(archive.path(file), bytes(data))
    result = run("--config", home.folder, "verify", "--json")
    assert result.code == 20
    (told,) = result.json_lines()
    assert [problem["hint"] is not None for problem in told["problems"]] == [True, True]
    assert result.errors.count("archiver: error: ") == 2
    for_a_person = run("--config", home.folder, "verify")
    assert for_a_person.output == ""
    assert for_a_person.errors == result.errors


def test_the_end_cut_off_shows_against_what_the_collector_remembers_or_a_notice_says(
    run: Runner, home: Home
) -> None:
    (archive,) = home.archives
    head = f"{archive.head.sequence}:{archive.head.sha256.upper()}"
    assert run("--config", home.folder, "verify", "--head", head).code == 0
    for path in (home.folder / "vault/archives" / archive.name).iterdir():
        path.unlink()
    assert run("--config", home.folder, "verify").code == 20
    home.settings.state.unlink()
    assert run("--config", home.folder, "verify").code == 0
    assert run("--config", home.folder, "verify", "--head", head).code == 20


def test_an_archive_that_the_collector_is_sealing_is_no_problem(run: Runner, home: Home) -> None:
    (home.folder / "vault/archives/2027-01-01").mkdir()
    (home.folder / "vault/archives/2027-01-01/key.age").write_bytes(b"half")
    assert run("--config", home.folder, "verify").code == 20
    with home.open_state() as state, state.transaction():
        state.set_sealing(Sealing("2027-01-01", "mark", 1, 1, 1))
    assert run("--config", home.folder, "verify").code == 0


def test_an_archive_that_is_not_there_is_a_usage_error(run: Runner, home: Home) -> None:
    assert run.fails(2, "--config", home.folder, "verify", "2020-01-01") == (
        "there is no archive 2020-01-01\narchiver: hint: see which there are: archiver status"
    )


def test_a_head_is_read_as_a_notice_gives_it() -> None:
    assert parse_head("12:" + "aB" * 32) == Head(12, "ab" * 32)
    for text in (
        "",
        "12",
        "12:",
        "12:ab",
        ":" + "ab" * 32,
        "x:" + "ab" * 32,
        "²:" + "ab" * 32,
        "1:" + "g" * 64,
    ):
        with pytest.raises(UsageError):
            parse_head(text)
