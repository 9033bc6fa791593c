"""`archiver stores check`: a line a proof, and the exit code."""

import shutil
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.cli.stores import add_bucket, add_store
from tests.faults.folders import copy_folder, make_folder
from tests.homes import Home
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(make_folder(tmp_path / "home"))
    (home.folder / "vault").chmod(0o755)
    return home


def test_a_line_a_proof_for_each_store(run: Runner, home: Home) -> None:
    add_store(home, "offsite", required=False)
    (home.folder / "offsite").mkdir(mode=0o755)
    result = run("--config", home.folder, "stores", "check")
    assert (result.code, result.errors) == (0, "")
    lines = result.output.splitlines()
    assert lines[0] == f"vault: {home.folder / 'vault'}, required"
    assert lines[10] == f"offsite: {home.folder / 'offsite'}, optional"
    assert all(line.startswith("  ok      ") for line in lines[1:10] + lines[11:])
    assert not (home.folder / "vault" / "checks").exists()


def test_a_failed_proof_ends_in_1_where_the_store_is_required_and_in_3_where_not(
    run: Runner, home: Home
) -> None:
    add_store(home, "offsite", required=False)
    offsite = home.folder / "offsite"
    offsite.mkdir()
    offsite.chmod(0o777)
    result = run("--config", home.folder, "stores", "check")
    assert result.code == 3
    assert f"  FAILED  who may write: everybody on this machine: {offsite}" in result.output
    assert result.errors == (
        f"archiver: error: store offsite: who may write: everybody on this machine: {offsite}\n"
        f"archiver: hint: chmod o-w {offsite}\n"
    )
    assert run("--config", home.folder, "stores", "check", "vault").code == 0
    (home.folder / "vault").chmod(0o777)
    assert run("--config", home.folder, "stores", "check").code == 1


def test_a_store_that_is_away_fails_and_the_others_are_checked(run: Runner, home: Home) -> None:
    add_store(home, "offsite", required=False)
    result = run("--config", home.folder, "stores", "check", "--json")
    assert result.code == 3
    told = result.json_lines()
    assert {one["type"] for one in told} == {"check"}
    assert [(one["store"], one["what"], one["location"]) for one in told if not one["ok"]] == [
        ("offsite", "opens", None)
    ]
    assert {one["required"] for one in told if one["store"] == "vault"} == {True}


def test_a_store_that_holds_another_vault_fails_though_it_alone_is_asked_for(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    other = Home(make_folder(tmp_path / "other"))
    add_store(home, "offsite", required=True)
    copy_folder(other.folder / "vault", home.folder / "offsite")
    (home.folder / "offsite").chmod(0o755)
    result = run("--config", home.folder, "stores", "check", "offsite")
    assert result.code == 1
    assert "  FAILED  holds this vault: holds another vault, " in result.output
    shutil.rmtree(home.folder / "offsite")
    copy_folder(home.folder / "vault", home.folder / "offsite")
    assert run("--config", home.folder, "stores", "check", "offsite").code == 0


def test_a_store_that_is_not_in_the_settings_is_a_usage_error(run: Runner, home: Home) -> None:
    told = run.fails(2, "--config", home.folder, "stores", "check", "nowhere")
    assert told.startswith("there is no store nowhere in ")


def test_a_bucket_is_proved_and_nothing_secret_is_said(run: Runner, home: Home, seaweed: Seaweed) -> None:
    bucket = seaweed.make_bucket("locked")
    add_bucket(home, "far", seaweed, bucket, required=True, object_lock="governance", lock_days=30)
    weak = seaweed.make_bucket("plain")
    add_bucket(home, "weak", seaweed, weak, required=False)
    result = run("--config", home.folder, "stores", "check")
    assert result.code == 3
    assert "  NOT PROVEN  public access block: not known there (NotImplemented)\n" in result.output
    assert "  ok      lock holds, in parts: removing the locked version was refused" in result.output
    assert "  ok      lock holds: removing the locked version was refused" in result.output
    assert result.errors.startswith("archiver: error: store weak: versions: versioning is off")
    everything = result.output + result.errors
    told = run("--config", home.folder, "stores", "check", "--json")
    everything += told.output
    unproven = {(one["store"], one["what"]) for one in told.json_lines() if one["ok"] and not one["proven"]}
    assert unproven == {("far", "public access block"), ("weak", "public access block")}
    for secret in (seaweed.secret_key, seaweed.access_key):
        assert secret not in everything
