"""`archiver status`: accounts, archives, and what waits. Needs no key."""

import re
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.collected import fake_x
from tests.faults.folders import LATER, copy_folder, make_folder, sample
from tests.homes import Home, make_home
from tests.moderated import make_scene
from tests.unit.search.moderated import without_spool


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("status"))


@pytest.fixture
def home(sealed: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(sealed.folder, tmp_path / "home"))


def test_an_empty_vault_says_so(run: Runner, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "new")
    assert run("--config", folder, "status").output == (
        f"Vault {folder / 'vault'}\n  no archive yet\n  inbox: empty\n"
        "  spool: 0 records wait to be sealed (0 bytes)\n"
    )
    assert run("--config", folder, "status", "--json").json_lines() == [
        {"type": "waiting", "inbox": [], "spool_records": 0, "spool_bytes": 0, "moderation_pending": 0}
    ]


def test_accounts_archives_and_what_waits_are_listed(run: Runner, home: Home, tmp_path: Path) -> None:
    (archive,) = home.archives
    later = sample(home.settings.inbox / "later.zip", until=LATER, months=3)
    before = run("--config", home.folder, "status")
    assert before.code == 0
    assert "  account x @SpringfieldPolice (451207733): last export made 2026-09-30\n" in before.output
    assert f"  archive {archive.name}: " in before.output
    assert "posted 2026-08-01 to 2026-09-30\n" in before.output
    assert "  inbox: later.zip\n" in before.output
    assert run("--config", home.folder, "import", later).code == 0
    account, listed, waiting = run("--config", home.folder, "status", "--json").json_lines()
    assert account == {
        "type": "account", "platform": "x", "id": "451207733", "handle": "SpringfieldPolice",
        "last_export": "2026-10-31T23:59:59.000Z", "collected": {}, "unfinished": [], "gaps": [],
        "spent_usd": 0.0,
    }  # fmt: skip
    manifest = archive.manifest
    assert listed == {
        "type": "archive", "archive": archive.name, "sequence": 1, "sealed_at": manifest.sealed_at,
        "covers_from": manifest.covers_from, "covers_to": manifest.covers_to,
        "records": sum(sum(file.records.values()) for file in manifest.files),
        "bytes": sum(file.size for file in manifest.files), "sha256": archive.head.sha256,
    }  # fmt: skip
    assert waiting["inbox"] == ["later.zip"]
    assert waiting["spool_records"] > 50
    assert waiting["spool_bytes"] > 10_000


def test_no_key_is_needed_and_a_searching_host_has_no_collector(run: Runner, home: Home) -> None:
    for path in home.folder.rglob("*.identity"):
        path.write_bytes(b"none")
    home.settings.state.unlink()
    without_spool(home)
    home.settings.inbox.rmdir()
    result = run("--config", home.folder, "status")
    assert result.code == 0
    assert "no export taken here yet" in result.output


def test_what_moderation_alone_has_cost_is_shown_before_anything_is_sealed(
    run: Runner, tmp_path: Path
) -> None:
    with fake_x() as x:
        scene = make_scene(x)
        moderating = scene.home(tmp_path / "home")
        done = run(
            "--config", moderating.folder, "moderate", scene.url, "--reason", "abusive", "--action", "hide"
        )
        assert done.code == 0, done
    account, waiting = run("--config", moderating.folder, "status", "--json").json_lines()
    assert float(str(account["spent_usd"])) > 0
    assert int(str(waiting["spool_records"])) > 2
    shown = re.search(r"spent this month: (\S+) USD of", run("--config", moderating.folder, "status").output)
    assert shown is not None
    assert float(shown[1]) == account["spent_usd"]


def test_a_broken_chain_is_told_after_what_is_there(run: Runner, home: Home) -> None:
    (archive,) = home.archives
    home.replace(f"archives/{archive.name}/manifest.json.sig", None)
    result = run("--config", home.folder, "status")
    assert result.code == 20
    assert "  no archive yet\n" in result.output
    assert "has no signature beside it" in result.errors


def test_a_vault_that_is_not_there_is_said_so(run: Runner, home: Home) -> None:
    (home.folder / "vault").rename(home.folder / "elsewhere")
    assert run.fails(10, "--config", home.folder, "status").startswith("there is no folder ")
