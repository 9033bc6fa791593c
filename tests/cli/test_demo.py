"""`archiver demo`: the whole job on the sample, twice."""

import re
from pathlib import Path

from tests.cli.runner import Runner
from tests.homes import Home


def test_the_demo_makes_a_vault_and_a_second_run_finds_nothing_new(run: Runner, tmp_path: Path) -> None:
    folder = tmp_path / "first"
    result = run("demo", folder)
    assert result.code == 0, result
    assert f"Made {folder}: settings, keys and an empty vault.\n" in result.output
    for said in (
        "2,013 posts",
        "252 messages",
        "Sealed archive ",
        "Verified 1 archive, ",
        "No archive is missing or altered",
    ):
        assert said in result.output
    assert re.search(r"^2026-10-\d\d .* post  @SpringfieldPolice  \d+ ", result.output, re.MULTILINE)
    assert re.search(rf"^Check .* --config {folder} verify$", result.output, re.MULTILINE)
    again = run("demo", folder)
    assert again.code == 0
    assert "taken before, nothing new" in again.output
    assert "Nothing new to seal." in again.output
    assert "Made " not in again.output
    assert len(Home(folder).archives) == 1
    assert run("--config", folder, "verify", "--contents").code == 0


def test_a_folder_with_something_in_the_way_is_refused(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "ours").write_bytes(b"")
    assert "is there already" in run.fails(2, "demo", tmp_path)
