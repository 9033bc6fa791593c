"""`archiver backup`: inbox, spool, vault and verification in one run, and in the next one nothing twice."""

from pathlib import Path

import pytest

from archiver.disk import Lock
from tests.cli.runner import Runner
from tests.faults.folders import LATER, make_folder, rewrite, sample
from tests.homes import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(make_folder(tmp_path / "home"))


def backup(run: Runner, home: Home, code: int = 0) -> list[dict[str, object]]:
    result = run("--config", home.folder, "backup", "--json", "--add-account")
    assert result.code == code, result
    return result.json_lines()


def test_with_nothing_to_do_all_is_well(run: Runner, home: Home) -> None:
    result = run("--config", home.folder, "backup")
    assert result.code == 0
    assert result.output.startswith("Nothing new to seal.\n")
    assert result.errors == ""


def test_an_export_in_the_inbox_is_taken_sealed_verified_and_moved(run: Runner, home: Home) -> None:
    sample(home.settings.inbox / "export.zip")
    imported, sealed, verified = backup(run, home)
    assert (imported["type"], imported["export"], imported["complete"]) == ("import", "export.zip", True)
    assert (sealed["type"], sealed["sequence"]) == ("sealed", 1)
    assert (verified["type"], verified["problems"]) == ("verified", [])
    assert verified["head"] == {"sequence": 1, "sha256": sealed["manifest_sha256"]}
    assert [path.name for path in (home.settings.inbox / "done").iterdir()] == ["export.zip"]
    sealed, verified = backup(run, home)
    assert sealed == {"type": "sealed", "archive": None}
    assert len(home.archives) == 1


def test_the_same_export_again_brings_nothing_twice(run: Runner, home: Home) -> None:
    for _ in range(2):
        sample(home.settings.inbox / "export.zip")
        lines = backup(run, home)
    assert lines[0]["repeated"] is True
    assert lines[1] == {"type": "sealed", "archive": None}
    sample(home.settings.inbox / "later.zip", until=LATER, months=3)
    imported, sealed, _ = backup(run, home)
    assert imported["counts"]["post"]["unchanged"] > 100
    assert imported["counts"]["post"].get("changed", 0) == 0
    assert sealed["sequence"] == 2


def test_a_refused_export_stays_and_the_others_are_taken(run: Runner, home: Home) -> None:
    sample(home.settings.inbox / "good.zip")
    (home.settings.inbox / "bad.zip").write_bytes(b"no zip")
    refused, imported, sealed, verified = backup(run, home, code=3)
    assert (refused["type"], refused["export"]) == ("refused", "bad.zip")
    assert imported["complete"]
    assert sealed["archive"]
    assert verified["problems"] == []
    assert sorted(path.name for path in home.settings.inbox.iterdir()) == ["bad.zip", "done"]


def test_where_every_export_is_refused_the_run_fails_as_they_did(run: Runner, home: Home) -> None:
    (home.settings.inbox / "bad.zip").write_bytes(b"no zip")
    result = run("--config", home.folder, "backup")
    assert result.code == 1
    assert result.errors.startswith("archiver: error: ")


def test_an_incomplete_export_is_taken_and_said_to_be_incomplete(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    whole = sample(tmp_path / "whole.zip")
    rewrite(whole, home.settings.inbox / "broken.zip", {"data/block.js": b"window.YTD.block.part0 = ["})
    result = run("--config", home.folder, "backup", "--add-account")
    assert result.code == 3
    assert "  PROBLEM " in result.output
    assert "  Incomplete: what is missing is listed above and in the archive.\n" in result.output
    assert (home.settings.inbox / "done" / "broken.zip").is_file()


def test_an_altered_vault_is_not_backed_up_onto(run: Runner, home: Home) -> None:
    sample(home.settings.inbox / "one.zip")
    backup(run, home)
    (archive,) = home.archives
    home.replace(f"archives/{archive.name}/manifest.json", None)
    sample(home.settings.inbox / "two.zip", until=LATER, months=3)
    result = run("--config", home.folder, "backup")
    assert result.code == 20
    assert (home.settings.inbox / "two.zip").is_file()


def test_a_second_run_at_the_same_time_is_refused(run: Runner, home: Home) -> None:
    with Lock(home.settings.lock):
        assert "is at work here" in run.fails(11, "--config", home.folder, "backup")
