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


def the_store(folder: Path, **fields: object) -> dict[str, object]:
    """As `status --json` says the one store of a folder."""
    return {
        "type": "store", "name": "vault", "kind": "local", "place": str(folder / "vault"), "required": True,
        "object_lock": "none", "lock_days": 0, "legal_hold": False, "read": True, **fields,
    }  # fmt: skip


def test_an_empty_vault_says_so(run: Runner, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "new")
    assert run("--config", folder, "status").output == (
        f"Vault\n  store vault: {folder / 'vault'}, required\n  no archive yet\n  inbox: empty\n"
        "  spool: 0 records wait to be sealed (0 bytes)\n"
    )
    assert run("--config", folder, "status", "--json").json_lines() == [
        the_store(folder),
        {"type": "waiting", "inbox": [], "spool_records": 0, "spool_bytes": 0, "moderation_pending": 0},
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
    account, store, listed, waiting = run("--config", home.folder, "status", "--json").json_lines()
    assert account == {
        "type": "account", "platform": "x", "id": "451207733", "handle": "SpringfieldPolice",
        "last_export": "2026-10-31T23:59:59.000Z", "collected": {}, "unfinished": [], "gaps": [],
        "spent_usd": 0.0,
    }  # fmt: skip
    assert store == the_store(home.folder)
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
    account, _, waiting = run("--config", moderating.folder, "status", "--json").json_lines()
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


def test_each_store_is_a_line_and_only_the_one_that_is_read_is_asked(run: Runner, home: Home) -> None:
    with (home.folder / "archiver.toml").open("a") as file:
        file.write(
            '\n[[store]]\nname = "away"\nkind = "local"\npath = "away"\nrequired = false\n'
            '[[store]]\nname = "far"\nkind = "s3"\nbucket = "police-archive"\n'
            'endpoint = "https://192.0.2.1:9"\nobject_lock = "governance"\nlock_days = 1\n'
        )
    result = run("--config", home.folder, "status")
    assert (result.code, result.errors) == (0, "")
    assert result.output.splitlines()[:4] == [
        "Vault",
        f"  store vault: {home.folder}/vault, required; read here",
        f"  store away: {home.folder}/away, optional",
        "  store far: s3://police-archive at 192.0.2.1:9, required, locked for 1 day (governance)",
    ]
    lines = run("--config", home.folder, "status", "--json").json_lines()
    assert [one for one in lines if one["type"] == "store"] == [
        the_store(home.folder),
        the_store(
            home.folder, name="away", place=str(home.folder / "away"), required=False, read=False
        ),
        the_store(
            home.folder, name="far", kind="s3", place="s3://police-archive at 192.0.2.1:9",
            object_lock="governance", lock_days=1, read=False,
        ),
    ]  # fmt: skip
