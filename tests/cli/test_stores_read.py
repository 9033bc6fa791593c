"""Which store is read: the first that can be, said where it is not the first; and one that is named."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.stores.local import LocalStore
from archiver.stores.s3 import S3Store
from tests.cli.runner import Runner
from tests.faults.folders import copy_folder, make_folder
from tests.homes import Home
from tests.programs import PROJECT
from tests.seaweed import Seaweed, seaweed
from tests.unit.search.moderated import make_register_home

__all__ = ["seaweed"]
RECORD = "00000001-0000-4000-8000-000000000001"
OPTIONAL = "store bucket is not a required one: newer archives may be missing from it\n"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_register_home(tmp_path_factory.mktemp("stores-read"))


@pytest.fixture
def home(sealed: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(sealed.folder, tmp_path / "home"))


def add_store(home: Home, name: str, *lines: str) -> None:
    with (home.folder / "archiver.toml").open("a") as file:
        file.write("\n".join(["", "[[store]]", f'name = "{name}"', *lines, ""]))


@pytest.fixture(scope="module")
def filled(sealed: Home, seaweed: Seaweed) -> str:
    """A bucket that holds the same vault."""
    bucket = seaweed.make_bucket("versioned")
    source, target = LocalStore(sealed.folder / "vault"), S3Store(seaweed.options(bucket))
    for name in source.list():
        target.put_new(name, source.read(name, 1 << 26))
    return bucket


@pytest.fixture
def add_bucket(home: Home, filled: str, seaweed: Seaweed, tmp_path: Path) -> Callable[[bool], None]:
    """Name the bucket in the settings, its keys in files."""

    def add(required: bool) -> None:
        for name, key in (("id", seaweed.access_key), ("secret", seaweed.secret_key)):
            (tmp_path / name).touch(0o600)
            (tmp_path / name).write_text(key)
        add_store(
            home, "bucket", 'kind = "s3"', f'bucket = "{filled}"', f'endpoint = "{seaweed.endpoint}"',
            'region = "us-east-1"', 'addressing = "path"', f"required = {str(required).lower()}",
            f'access_key_id = "file:{tmp_path}/id"', f'secret_access_key = "file:{tmp_path}/secret"',
        )  # fmt: skip

    return add


def test_where_the_folder_is_away_the_bucket_is_read_and_both_is_said(
    run: Runner, home: Home, add_bucket: Callable[[bool], None]
) -> None:
    near = run("--config", home.folder, "search", "police", "--json")
    assert near.code == 0
    assert len(near.json_lines()) > 2
    add_bucket(True)
    (home.folder / "vault").rename(home.folder / "elsewhere")
    far = run("--config", home.folder, "search", "police", "--json")
    note = f"store vault: there is no folder {home.folder}/vault; reading from bucket\n"
    assert (far.code, far.output) == (0, near.output)
    assert note in far.errors
    assert "not a required one" not in far.errors


def test_what_was_read_of_a_bucket_is_kept_at_hand_unless_the_settings_say_otherwise(
    run: Runner, home: Home, add_bucket: Callable[[bool], None]
) -> None:
    add_bucket(True)
    arguments = ("--config", home.folder, "search", "police", "--store", "bucket")
    cache = home.folder / "cache"
    path = home.folder / "archiver.toml"
    without = path.read_text()
    path.write_text(f"{without}\n[cache]\nmebibytes = 0\n")
    assert (run(*arguments).code, cache.exists()) == (0, False)
    path.write_text(without)
    found = run(*arguments)
    assert found.code == 0
    assert sum(one.stat().st_size for one in cache.iterdir()) > 100_000
    assert b"police" not in b"".join(one.read_bytes().lower() for one in cache.iterdir())
    assert run(*arguments) == found


def test_a_command_that_read_an_optional_store_ends_in_3_after_all_it_found(
    run: Runner, home: Home, add_bucket: Callable[[bool], None]
) -> None:
    """Where nothing tells what the newest archive is, as on a host that does not collect."""
    (home.folder / "state.sqlite").unlink()
    (archive, *_) = home.archives
    commands: list[tuple[str, ...]] = [
        ("search", "police", "--json"),
        ("show", RECORD),
        ("moderation", "list"),
        ("moderation", "show", "00000001"),
        ("moderation", "summary"),
        ("moderation", "export"),
        ("rebuild",),
    ]
    near = {one: run("--config", home.folder, *one) for one in commands}
    assert {result.code for result in near.values()} == {0}
    add_bucket(False)
    (home.folder / "vault").rename(home.folder / "elsewhere")
    for one in commands:
        far = run("--config", home.folder, *one)
        assert (far.code, far.output) == (3, near[one].output), one
        assert far.errors.count(OPTIONAL) == 1
        assert far.errors.count("; reading from bucket\n") == 1
    status = run("--config", home.folder, "status", "--ask")
    assert status.code == 3
    assert f"  archive {archive.name}: " in status.output
    named = run("--config", home.folder, "rebuild", archive.name)
    assert (named.code, OPTIONAL in named.errors) == (0, True)
    assert run("--config", home.folder, "restore", archive.name, "--to", home.folder / "out").code == 0


def test_an_optional_store_that_holds_what_this_host_sealed_last_lacks_nothing(
    run: Runner, home: Home, add_bucket: Callable[[bool], None]
) -> None:
    add_bucket(False)
    for command in (("search", "police"), ("show", RECORD), ("rebuild",)):
        near = run("--config", home.folder, *command)
        far = run("--config", home.folder, *command, "--store", "bucket")
        assert (far.code, near.code) == (0, 0), far.errors
        assert "newer archives" not in far.errors
        assert far.output == near.output


def test_an_optional_store_without_what_this_host_sealed_last_ends_in_3(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    copy_folder(home.folder / "vault", tmp_path / "old")
    add_store(home, "old", 'kind = "local"', f'path = "{tmp_path}/old"', "required = false")
    assert run("--config", home.folder, "search", "police", "--store", "old").code == 0
    newest = sorted((tmp_path / "old" / "archives").iterdir())[-1]
    shutil.rmtree(newest)
    found = run("--config", home.folder, "search", "police", "--store", "old")
    assert found.code == 3
    assert found.errors.count(OPTIONAL.replace("bucket", "old")) == 1


def test_a_search_in_the_folder_asks_no_bucket_and_loads_nothing_for_one(home: Home) -> None:
    """The bucket's key is not to be had and its server does not answer: neither is noticed."""
    add_store(
        home, "far", 'kind = "s3"', 'bucket = "absent"', 'endpoint = "http://192.0.2.1:9"',
        'access_key_id = "env:ABSENT"', 'secret_access_key = "env:ABSENT"',
    )  # fmt: skip
    script = """
import sys
from archiver.cli import main
code = main(sys.argv[1:])
print([name for name in ("boto3", "botocore", "s3transfer", "urllib3") if name in sys.modules])
sys.exit(code)
"""
    arguments = ["--config", str(home.folder), "search", "--limit", "1", "police"]
    result = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=PROJECT, env=dict(os.environ), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert result.stdout.splitlines()[-1] == "[]"
    assert "store" not in result.stderr


def test_a_store_that_is_named_is_read_and_no_other(
    run: Runner, home: Home, add_bucket: Callable[[bool], None]
) -> None:
    (archive, *_) = home.archives
    add_bucket(True)
    add_store(home, "share", 'kind = "local"', f'path = "{home.folder}/share"')
    for one in (
        ("search", "police"), ("show", "1"), ("show", RECORD),
        ("rebuild",),
        ("restore", archive.name, "--to", str(home.folder / "out")),
    ):  # fmt: skip
        error = run.fails(10, "--config", home.folder, *one, "--store", "share")
        assert error.startswith(f"there is no folder {home.folder}/share\n"), one
        error = run.fails(2, "--config", home.folder, *one, "--store", "tape")
        assert error.startswith("there is no store tape in "), one
        assert error.endswith("archiver: hint: one of: vault, bucket, share")
    shutil.rmtree(home.folder / "vault")
    found = run("--config", home.folder, "search", "police", "--store", "bucket")
    assert (found.code, "reading from" in found.errors) == (0, False)
    assert found.output
    error = run.fails(10, "--config", home.folder, "search", "police", "--store", "vault")
    assert error.startswith("there is no folder ")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "access_key_id: the environment has no variable FAR_ID; reading from near"),
        ({"FAR_ID": "key", "FAR_SECRET": "hunter2"}, "s3://absent at 127.0.0.1:9"),
    ],
)
def test_a_bucket_that_cannot_be_reached_is_passed_over_with_a_note(
    run: Runner, home: Home, keys: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    path = home.folder / "archiver.toml"
    path.write_text(path.read_text().replace('\nvault = "vault"\n', "\n"))
    add_store(
        home, "far", 'kind = "s3"', 'bucket = "absent"', 'endpoint = "http://127.0.0.1:9"', "tries = 1",
        'region = "us-east-1"', 'access_key_id = "env:FAR_ID"', 'secret_access_key = "env:FAR_SECRET"',
    )  # fmt: skip
    add_store(home, "near", 'kind = "local"', 'path = "vault"')
    result = run("--config", home.folder, "search", "police")
    assert result.code == 0
    (note,) = [line for line in result.errors.splitlines() if line.startswith("store far: ")]
    assert said in note
    assert note.endswith("; reading from near")
    assert "hunter2" not in result.errors


def test_a_copy_of_another_vault_is_not_read(run: Runner, home: Home, tmp_path: Path) -> None:
    other = make_folder(tmp_path / "other")
    add_store(home, "share", 'kind = "local"', f'path = "{other}/vault"')
    assert run("--config", home.folder, "rebuild").code == 0
    error = run.fails(20, "--config", home.folder, "rebuild", "--store", "share")
    assert error.startswith(f"{other}/vault holds another vault (")


def spoil(vault: Path) -> None:
    (vault / "vault.json").chmod(0o644)
    (vault / "vault.json").write_bytes(b"{}")


def test_a_damaged_store_that_was_passed_over_is_told_and_the_command_ends_in_3(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    copy_folder(home.folder / "vault", tmp_path / "copy")
    add_store(home, "copy", 'kind = "local"', f'path = "{tmp_path}/copy"')
    (archive, *_) = home.archives
    commands: list[tuple[str, ...]] = [
        ("search", "police"), ("show", RECORD), ("moderation", "list"),
        ("rebuild", archive.name), ("restore", archive.name, "--to", str(tmp_path / "out")),
    ]  # fmt: skip
    assert {run("--config", home.folder, *one).code for one in commands[:-1]} == {0}
    spoil(home.folder / "vault")
    for one in commands:
        found = run("--config", home.folder, *one)
        assert found.code == 3, one
        assert found.output
        assert "is not a vault's description; reading from copy\n" in found.errors
        assert "store vault is damaged: see archiver verify --store vault\n" in found.errors
    named = run("--config", home.folder, "search", "police", "--store", "copy")
    assert (named.code, "damaged" in named.errors) == (0, False)


def test_while_the_folder_is_away_a_longer_chain_of_another_vault_is_refused(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    """The bucket's place was written wrongly: another collector's vault lies there, with as many archives."""
    other = make_register_home(tmp_path / "other-register")
    (home.folder / "vault").rename(home.folder / "elsewhere")
    for required in ("true", "false"):
        settings = home.folder / "archiver.toml"
        before = settings.read_text()
        add_store(home, "share", 'kind = "local"', f'path = "{other.folder}/vault"', f"required = {required}")
        for command in (("search", "police"), ("search", "kind:moderation"), ("rebuild",)):
            found = run("--config", home.folder, *command)
            assert (found.code, found.output) == (20, ""), command
            assert "error: store share: its archive number " in found.errors
            assert "another vault, or one written anew: correct its place in " in found.errors
        assert run("--config", home.folder, "verify", "--store", "share").code == 20
        settings.write_text(before)


def test_while_the_folder_is_away_a_shorter_chain_ends_in_3_and_is_told(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    other = make_folder(tmp_path / "other")
    (home.folder / "vault").rename(home.folder / "elsewhere")
    add_store(home, "share", 'kind = "local"', f'path = "{other}/vault"')
    found = run("--config", home.folder, "search", "police")
    assert (found.code, found.output) == (3, "")
    assert (
        "store share has not what was sealed here last: archives are missing from it, or it" in found.errors
    )
    for command in (("status",), ("verify", "--store", "share")):
        assert run("--config", home.folder, *command).code == 20
