"""`archiver verify`: what was checked, every problem, and the exit code of the worst."""

import shutil
from pathlib import Path

import pytest

from archiver.chain import Head
from archiver.cli.verify import parse_head
from archiver.disk import Lock
from archiver.errors import UsageError
from archiver.state import Sealing
from tests.cli.runner import Runner
from tests.cli.stores import add_bucket, add_store
from tests.faults.folders import copy_folder
from tests.homes import Home, make_home
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]


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
        "type": "verified", "archives": [archive.name], "disposed": [], "files": 2,
        "bytes": sum(file.size for file in archive.manifest.files), "contents": False,
        "summed": 0, "sampled": 0, "time_stamps": {"right": 0, "not_checked": 0, "lacking": 1},
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
    told = run("--config", home.folder, "verify")
    assert told.code == 20
    assert "archive number 1 is missing, which audit/_collector/" in told.errors, "the log has noted it too"
    shutil.rmtree(home.folder / "vault/audit")
    shutil.rmtree(home.settings.log_queue)
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


# Several stores


@pytest.fixture
def two(home: Home) -> Home:
    """The vault, and an optional copy of it."""
    add_store(home, "offsite", required=False)
    copy_folder(home.folder / "vault", home.folder / "offsite")
    return home


def test_every_store_is_checked_and_named(run: Runner, two: Home) -> None:
    (archive,) = two.archives
    result = run("--config", two.folder, "verify")
    assert result.code == 0
    first, _, second, _ = result.output.splitlines()
    assert first.startswith("vault: Verified 1 archive, 2 files, ")
    assert second == first.replace("vault", "offsite")
    told = run("--config", two.folder, "verify", "--json").json_lines()
    assert [(one["store"], one["required"], one["read"], one["archives"]) for one in told] == [
        ("vault", True, True, [archive.name]),
        ("offsite", False, True, [archive.name]),
    ]


def test_an_optional_store_that_is_away_or_behind_ends_in_3_and_is_named(run: Runner, two: Home) -> None:
    (archive,) = two.archives
    shutil.rmtree(two.folder / "offsite/archives")
    result = run("--config", two.folder, "verify")
    assert result.code == 3
    assert result.errors == (
        f"archiver: error: store offsite: lacks {archive.name}, which vault has\n"
        "archiver: hint: fill it: archiver sync\n"
    )
    assert run("--config", two.folder, "verify", "--store", "offsite").code == 3
    shutil.rmtree(two.folder / "offsite")
    result = run("--config", two.folder, "verify", "--json")
    assert result.code == 3
    assert [(one["store"], one["read"]) for one in result.json_lines()] == [
        ("vault", True),
        ("offsite", False),
    ]
    assert "error: store offsite: there is no folder" in result.errors


def test_what_another_run_may_be_filling_is_no_damage_yet(run: Runner, two: Home) -> None:
    """The first copy into a new store takes hours."""
    (archive,) = two.archives
    settings = two.folder / "archiver.toml"
    settings.write_text(settings.read_text().replace("required = false", "required = true"))
    shutil.rmtree(two.folder / "offsite/archives")
    hint = "archiver: hint: another run is at work and may be filling it: look again when that is over\n"
    lacks = f"archiver: error: store offsite: lacks {archive.name}, which vault has\n"
    assert run("--config", two.folder, "verify").code == 20
    with Lock(two.settings.lock):
        result = run("--config", two.folder, "verify")
        assert (result.code, result.errors) == (3, lacks + hint)
    (two.folder / "offsite/vault.json").unlink()
    assert run("--config", two.folder, "verify").code == 10
    with Lock(two.settings.lock):
        result = run("--config", two.folder, "verify")
        assert (result.code, result.errors.endswith(hint)) == (3, True)
        damaged = two.folder / "vault" / archive.path(archive.manifest.files[0])
        damaged.chmod(0o600)
        damaged.write_bytes(b"")
        assert run("--config", two.folder, "verify").code == 20


def test_a_required_store_that_is_away_or_damaged_has_its_own_code(run: Runner, home: Home) -> None:
    add_store(home, "second", required=True)
    assert run("--config", home.folder, "verify").code == 10
    copy_folder(home.folder / "vault", home.folder / "second")
    assert run("--config", home.folder, "verify").code == 0
    (archive,) = home.archives
    (home.folder / "second" / archive.path(archive.manifest.files[0])).unlink()
    result = run("--config", home.folder, "verify")
    assert result.code == 20
    assert f"hint: restore it from another store: archiver repair {archive.name}" in result.errors


def test_damage_counts_before_what_is_only_missing(run: Runner, two: Home) -> None:
    (archive,) = two.archives
    shutil.rmtree(two.folder / "offsite")
    two.replace(archive.path(archive.manifest.files[0]), b"")
    assert run("--config", two.folder, "verify").code == 20
    (two.folder / "vault/vault.json").unlink()
    assert run("--config", two.folder, "verify").code == 10


def test_only_the_store_named_is_checked(run: Runner, two: Home) -> None:
    (archive,) = two.archives
    two.replace(archive.path(archive.manifest.files[0]), b"")
    assert run("--config", two.folder, "verify", "--store", "offsite").code == 0
    assert run("--config", two.folder, "verify", "--store", "vault").code == 20
    told = run.fails(2, "--config", two.folder, "verify", "--store", "nowhere")
    assert "there is no store nowhere" in told
    assert told.endswith("one of: vault, offsite")


def test_what_is_inside_is_checked_in_every_store(run: Runner, two: Home) -> None:
    result = run("--config", two.folder, "verify", "--contents", "--json")
    assert [(one["store"], one["contents"], one["files"]) for one in result.json_lines()] == [
        ("vault", True, 2),
        ("offsite", True, 2),
    ]


def test_a_required_bucket_that_cannot_be_reached_counts_before_an_optional_store_that_is_behind(
    run: Runner, two: Home, seaweed: Seaweed
) -> None:
    add_bucket(two, "far", seaweed, "any", required=True, endpoint="http://127.0.0.1:9", tries=1)
    shutil.rmtree(two.folder / "offsite/archives")
    result = run("--config", two.folder, "verify")
    assert result.code == 1
    assert "error: store far: " in result.errors
    assert "error: store offsite: lacks " in result.errors
