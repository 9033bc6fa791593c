"""`archiver repair`: what it says of each file, what it puts back, and its exit code."""

import shutil
from pathlib import Path

import pytest

from archiver.disk import Lock
from archiver.keys import new_identity, seal_archive_key
from tests.cli.runner import Runner
from tests.cli.stores import add_bucket, add_store
from tests.faults.folders import copy_folder
from tests.homes import Home, make_home
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = make_home(tmp_path_factory.mktemp("repair"))
    add_store(home, "offsite", required=False)
    copy_folder(home.folder / "vault", home.folder / "offsite")
    return home


@pytest.fixture
def home(sealed: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(sealed.folder, tmp_path / "home"))


@pytest.fixture
def segment(home: Home) -> str:
    """A damaged one."""
    (archive,) = home.archives
    name = archive.path(archive.manifest.files[0])
    sealed = bytearray((home.folder / "vault" / name).read_bytes())
    sealed[-1] ^= 1
    home.replace(name, bytes(sealed))
    return name


def test_where_all_is_right_that_is_said(run: Runner, home: Home) -> None:
    (archive,) = home.archives
    result = run("--config", home.folder, "repair", archive.name)
    assert (result.code, result.errors) == (0, "")
    assert result.output == f"Archive {archive.name}: 10 files in 2 stores, all good.\n"


def test_the_hint_of_a_failed_verification_is_the_command_that_repairs(
    run: Runner, home: Home, segment: str
) -> None:
    (archive,) = home.archives
    failed = run("--config", home.folder, "verify")
    assert failed.code == 20
    hint = failed.errors.splitlines()[1]
    assert hint == f"archiver: hint: restore it from another store: archiver repair {archive.name}"
    repaired = run("--config", home.folder, *hint.rpartition("archiver ")[2].split())
    assert repaired.code == 0
    assert repaired.output == (
        f"{segment}\n  vault: was altered; put back from offsite\n"
        f"Archive {archive.name}: 10 files in 2 stores, 1 put back.\n"
    )
    assert run("--config", home.folder, "verify", "--contents").code == 0


def test_a_dry_run_changes_nothing(run: Runner, home: Home, segment: str) -> None:
    (archive,) = home.archives
    result = run("--config", home.folder, "repair", archive.name, "--dry-run")
    assert result.code == 0
    assert "to be put back from offsite" in result.output
    assert "1 would be put back" in result.output
    assert run("--config", home.folder, "verify").code == 20


def test_a_program_gets_an_object_a_file_and_the_numbers(run: Runner, home: Home, segment: str) -> None:
    (archive,) = home.archives
    *files, last = run("--config", home.folder, "repair", archive.name, "--json").json_lines()
    assert len(files) == 10
    assert [one for one in files if one["state"] != "good"] == [
        {
            "type": "repair", "archive": archive.name, "store": "vault", "file": segment, "state": "put back",
            "found": "was altered", "source": "offsite", "error": None, "hint": None,
        }
    ]  # fmt: skip
    assert last == {
        "type": "repaired", "archive": archive.name, "dry_run": False, "files": 10, "good": 9, "put_back": 1,
        "to_put_back": 0, "not_repaired": 0,
    }  # fmt: skip


def test_what_is_good_nowhere_ends_in_20_and_names_every_store(run: Runner, home: Home, segment: str) -> None:
    (archive,) = home.archives
    (home.folder / "offsite" / segment).unlink()
    result = run("--config", home.folder, "repair", archive.name)
    assert result.code == 20
    assert "vault: was altered; NOT REPAIRED" in result.output
    assert f"error: {segment} in store vault was altered, and no other store has a good copy" in result.errors
    assert f"error: {segment} in store offsite is missing" in result.errors
    assert "hint: if there is one more copy of the vault" in result.errors


def test_with_one_store_it_is_said_how_a_copy_of_the_vault_helps(
    run: Runner, home: Home, segment: str
) -> None:
    (archive,) = home.archives
    path = home.folder / "archiver.toml"
    with_two = path.read_text()
    path.write_text(with_two.partition("\n[[store]]")[0] + "\n")
    told = run("--config", home.folder, "repair", archive.name)
    assert told.code == 20
    assert "there is no other store" in told.errors
    assert "name a copy of the vault in the settings" in told.errors
    path.write_text(with_two)
    assert run("--config", home.folder, "repair", archive.name).code == 0


def test_only_the_store_named_is_repaired(run: Runner, home: Home, segment: str) -> None:
    (archive,) = home.archives
    assert run("--config", home.folder, "repair", archive.name, "--store", "offsite").code == 0
    assert run("--config", home.folder, "verify").code == 20
    assert run("--config", home.folder, "repair", archive.name, "--store", "vault").code == 0
    assert run("--config", home.folder, "verify").code == 0
    assert "there is no store x" in run.fails(
        2, "--config", home.folder, "repair", archive.name, "--store", "x"
    )


def test_an_optional_store_that_is_away_ends_in_3_and_the_rest_is_done(run: Runner, home: Home) -> None:
    (archive,) = home.archives
    shutil.rmtree(home.folder / "offsite")
    result = run("--config", home.folder, "repair", archive.name)
    assert result.code == 3
    assert result.output == f"Archive {archive.name}: 5 files in 1 store, all good.\n"
    assert "error: store offsite: there is no folder" in result.errors
    run.fails(10, "--config", home.folder, "repair", archive.name, "--store", "offsite")


def test_it_does_not_run_beside_another_run(run: Runner, home: Home) -> None:
    (archive,) = home.archives
    with Lock(home.settings.lock):
        run.fails(11, "--config", home.folder, "repair", archive.name)


def test_the_keyholders_identity_tells_a_wrong_key_and_without_it_nothing_is_guessed(
    run: Runner, home: Home
) -> None:
    (archive,) = home.archives
    key = f"archives/{archive.name}/key.age"
    other = wrong_key(home)
    home.replace(key, other)
    identity = home.settings.keyholder
    assert identity is not None
    hidden = identity.identity.rename(identity.identity.with_suffix(".hidden"))
    result = run("--config", home.folder, "repair", archive.name)
    assert result.code == 20
    assert "no identity here tells which is right" in result.errors
    hidden.rename(identity.identity)
    result = run("--config", home.folder, "repair", archive.name)
    assert result.code == 0
    assert f"{key}\n  vault: was altered; put back from offsite\n" in result.output
    assert (home.folder / "vault" / key).read_bytes() == (home.folder / "offsite" / key).read_bytes()


def wrong_key(home: Home) -> bytes:
    """A key for the keyholder that is no archive's."""
    return seal_archive_key(new_identity(classic=True), [one.recipient() for one in home.identities])


def test_an_archive_is_put_back_into_a_bucket_that_lost_it(run: Runner, home: Home, seaweed: Seaweed) -> None:
    (archive,) = home.archives
    bucket = seaweed.make_bucket("versioned")
    add_bucket(home, "bucket", seaweed, bucket, required=True)
    client = seaweed.client()
    for name in ("vault.json", "allowed_signers"):
        client.put_object(Bucket=bucket, Key=name, Body=(home.folder / "vault" / name).read_bytes())
    assert run("--config", home.folder, "verify").code == 20
    result = run("--config", home.folder, "repair", archive.name)
    assert (result.code, result.errors) == (0, "")
    assert result.output.endswith(f"Archive {archive.name}: 16 files in 3 stores, 6 put back.\n")
    result = run("--config", home.folder, "verify")
    assert result.code == 0
    assert "bucket: Verified 1 archive, 2 files" in result.output
    told = "sizes of all 2 files, the server's own SHA-256 of 2 of them; --deep reads every byte."
    assert f"{told} No archive is missing.\n" in result.output
    deep = run("--config", home.folder, "verify", "--store", "bucket", "--deep", "--json").json_lines()
    assert [(one["read"], one["files"], one["contents"]) for one in deep] == [(True, 2, False)]
    assert run("--config", home.folder, "verify", "--store", "bucket", "--contents").code == 0


def test_an_optional_bucket_that_cannot_be_reached_ends_in_3(
    run: Runner, home: Home, seaweed: Seaweed
) -> None:
    (archive,) = home.archives
    bucket = seaweed.make_bucket("versioned")
    add_bucket(home, "bucket", seaweed, bucket, required=False, endpoint="http://127.0.0.1:9", tries=1)
    result = run("--config", home.folder, "repair", archive.name)
    assert result.code == 3
    assert "error: store bucket: " in result.errors
    assert result.output == f"Archive {archive.name}: 10 files in 2 stores, all good.\n"
    assert run("--config", home.folder, "verify").code == 3
