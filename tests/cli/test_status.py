"""`archiver status`: whether all is well, accounts, archives, and what waits. Needs no key."""

import re
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archiver.health.gather import take_snapshot
from archiver.health.notices import Origin, stale_notice
from archiver.schedule.report import JOB_NAMES
from archiver.settings.api import DEFAULT_KINDS
from archiver.spool import Spool
from archiver.times import system_clock
from archiver.wiring.spool import load_identity
from tests.cli.runner import Runner
from tests.collected import fake_x
from tests.faults.folders import LATER, copy_folder, make_folder, sample
from tests.homes import Home, make_home
from tests.long_kept import DAY_MS, account_id, add_gap, make_long_kept
from tests.moderated import make_scene
from tests.unit.search.moderated import without_spool


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("status"))


@pytest.fixture
def home(sealed: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(sealed.folder, tmp_path / "home"))


def the_store(folder: Path, **fields: object) -> dict[str, object]:
    """As `status --json` says the one store of a folder, but for the space that is left."""
    return {
        "type": "store", "name": "vault", "kind": "local", "place": str(folder / "vault"), "required": True,
        "object_lock": "none", "lock_days": 0, "legal_hold": False, "read": True, "verified_at": None,
        "read_again_at": None, "archives": 1, "problem": None, **fields,
    }  # fmt: skip


def objects(run: Runner, folder: Path, *words: str, code: int = 3) -> dict[str, list[dict[str, Any]]]:
    """What `status --json` says, by type."""
    result = run("--config", folder, "status", "--json", *words)
    assert result.code == code, result
    found: dict[str, list[dict[str, Any]]] = {}
    for line in result.json_lines():
        line.pop("free_bytes", None), line.pop("spool_free_bytes", None)
        found.setdefault(str(line["type"]), []).append(line)
    return found


def test_an_empty_vault_says_what_to_do_first(run: Runner, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "new")
    result = run("--config", folder, "status")
    assert (result.code, result.errors) == (3, "")
    assert result.output == (
        "Not all is well: 1 thing needs somebody.\n"
        "  1. no account is archived yet\n"
        "     -> take an export in: archiver import --add-account EXPORT.zip\n"
        "Accounts\n  no account yet\n"
        f"Vault\n  store vault: {folder / 'vault'}, required\n  no archive yet\n  keyholders: records\n"
        "Waiting\n  inbox: empty\n  spool: 0 records wait to be sealed (0 bytes)\n"
        "Runs\n  archiver run was never started here; from cron: archiver schedule cron\n"
    )
    found = objects(run, folder)
    assert found["store"] == [the_store(folder, archives=0)]
    assert found["waiting"] == [
        {
            "type": "waiting", "inbox": [], "spool_records": 0, "spool_bytes": 0, "spool_since": None,
            "moderation_pending": 0,
        }
    ]  # fmt: skip
    (summary,) = found["summary"]
    assert (summary["healthy"], summary["problems"]) == (False, ["no account is archived yet"])


def test_an_inbox_that_cannot_be_read_is_said(run: Runner, tmp_path: Path) -> None:
    settings = make_long_kept(tmp_path / "home", now_ms=system_clock())
    settings.inbox.rename(settings.home / "elsewhere")
    result = run("--config", settings.home, "status")
    assert result.code == 3
    assert "  1. the inbox cannot be read: " in result.output
    assert "  inbox: CANNOT BE READ" in result.output.splitlines()
    assert objects(run, settings.home)["waiting"][0]["inbox"] is None


def test_where_all_is_well_that_is_the_first_line(run: Runner, tmp_path: Path) -> None:
    settings = make_long_kept(tmp_path / "home", archives=15, now_ms=system_clock())
    result = run("--config", settings.home, "status")
    assert (result.code, result.errors) == (0, "")
    lines = result.output.splitlines()
    assert lines[:3] == ["All is well.", "Accounts", lines[2]]
    assert lines[2].startswith("  account x @ExamplePolice0 (1000000001): no export taken here yet; newest ")
    assert lines[3].startswith("    from X 20")
    assert lines[3].endswith(": profile, posts, mentions, messages, following, blocks, mutes")
    assert "  3 archives before these: archiver status --json" in lines
    assert sum(line.startswith("  archive 20") for line in lines) == 12
    assert any(line.startswith("  collect: done 20") for line in lines)
    found = objects(run, settings.home, code=0)
    assert len(found["archive"]) == 15
    assert [one["job"] for one in found["job"]] == [*JOB_NAMES]
    kinds = [one for one in found["kind"] if one["account"] == "1000000002"]
    assert [one["kind"] for one in kinds] == [*DEFAULT_KINDS]
    assert {one["stale"] for one in kinds} == {False}
    assert kinds[1]["newest"] is not None
    assert found["keyholder"] == [{"type": "keyholder", "name": "records"}]
    (summary,) = found["summary"]
    assert (summary["healthy"], summary["code"], summary["archives"]) == (True, 0, 15)
    assert summary["head"] == {"sequence": 15, "sha256": found["archive"][-1]["sha256"]}
    assert summary["problems"] == summary["advice"] == []


def test_what_is_not_well_is_numbered_with_what_to_do(run: Runner, tmp_path: Path) -> None:
    settings = make_long_kept(tmp_path / "home", now_ms=system_clock() - 5 * DAY_MS)
    with closing(Spool(settings.spool, load_identity(settings.spool_identity))) as spool:
        add_gap(spool, account_id(0), system_clock())
    result = run("--config", settings.home, "status")
    assert (result.code, result.errors) == (3, "")
    lines = result.output.splitlines()
    assert lines[0] == "Not all is well: 5 things need somebody."
    assert [line[:5] for line in lines[1:11:2]] == [f"  {number}. " for number in range(1, 6)]
    assert all(line.startswith("     -> ") for line in lines[2:11:2])
    found = objects(run, settings.home)
    (gap,) = found["gap"]
    assert (gap["account"], gap["kind"], gap["sealed"]) == (account_id(0), "posts", False)
    assert len(found["summary"][0]["problems"]) == len(found["summary"][0]["advice"]) == 5


def test_accounts_archives_and_what_waits_are_listed(run: Runner, home: Home, tmp_path: Path) -> None:
    (archive,) = home.archives
    later = sample(home.settings.inbox / "later.zip", until=LATER, months=3)
    before = run("--config", home.folder, "status")
    said = (
        "  account x @SpringfieldPolice (451207733): last export made 2026-09-30, next due 2026-10-31; newest"
    )
    assert said in before.output
    assert f"  archive {archive.name}: " in before.output
    assert "posted 2026-08-01 to 2026-09-30\n" in before.output
    assert "  inbox: later.zip\n" in before.output
    assert run("--config", home.folder, "import", later).code == 0
    found = objects(run, home.folder, code=run("--config", home.folder, "status").code)
    (account,) = found["account"]
    assert {name: account[name] for name in account if name not in ("newest", "export_stale")} == {
        "type": "account", "platform": "x", "id": "451207733", "handle": "SpringfieldPolice",
        "last_export": "2026-10-31T23:59:59.000Z", "collected": {}, "unfinished": [], "gaps": [],
        "spent_usd": 0.0, "most_usd": None, "export_due": "2026-12-01T23:59:59.000Z",
    }  # fmt: skip
    assert found["store"] == [the_store(home.folder)]
    manifest = archive.manifest
    assert found["archive"] == [
        {
            "type": "archive", "archive": archive.name, "sequence": 1, "sealed_at": manifest.sealed_at,
            "covers_from": manifest.covers_from, "covers_to": manifest.covers_to,
            "records": sum(sum(file.records.values()) for file in manifest.files),
            "bytes": sum(file.size for file in manifest.files), "sha256": archive.head.sha256,
        }
    ]  # fmt: skip
    (waiting,) = found["waiting"]
    assert waiting["inbox"] == ["later.zip"]
    assert waiting["spool_records"] > 50
    assert waiting["spool_bytes"] > 10_000


def test_no_key_is_needed(run: Runner, home: Home) -> None:
    for path in home.folder.rglob("*.identity"):
        path.write_bytes(b"none")
    result = run("--config", home.folder, "status")
    assert (result.code, result.errors) == (3, ""), "its last export is of September"
    assert "last export made 2026-09-30" in result.output


def test_a_host_that_only_reads_says_how_old_the_newest_archive_is(run: Runner, home: Home) -> None:
    settings = home.settings
    text = settings.path.read_text()
    settings.path.write_text(re.sub(r"(?m)^\[collector\]\n(?:.+\n)*", "", text))
    shutil.rmtree(home.folder / "collector")
    settings.state.unlink()
    without_spool(home)
    settings.inbox.rmdir()
    result = run("--config", home.folder, "status")
    assert (result.code, result.errors) == (3, "")
    assert "  1. the newest archive is of 2026-10-26, and one is sealed monthly\n" in result.output
    assert "  account x @SpringfieldPolice (451207733)\n" in result.output
    assert "Runs" not in result.output
    assert objects(run, home.folder)["summary"][0]["collects"] is False


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
    found = objects(run, moderating.folder)
    ((account,), (waiting,)) = found["account"], found["waiting"]
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
    assert result.output.splitlines()[1].endswith("manifest.json has no signature beside it")
    assert "has no signature beside it" in result.errors


def test_a_vault_that_is_not_there_is_said_so(run: Runner, home: Home) -> None:
    (home.folder / "vault").rename(home.folder / "elsewhere")
    result = run("--config", home.folder, "status")
    assert result.code == 10
    assert result.errors.startswith("archiver: error: there is no folder ")
    assert "  1 archive, as far as is known here; no store was read: archiver status --ask\n" in result.output


def test_each_store_is_a_line_and_only_the_one_that_is_read_is_asked(run: Runner, home: Home) -> None:
    with (home.folder / "archiver.toml").open("a") as file:
        file.write(
            '\n[[store]]\nname = "away"\nkind = "local"\npath = "away"\nrequired = false\n'
            '[[store]]\nname = "far"\nkind = "s3"\nbucket = "police-archive"\n'
            'endpoint = "https://192.0.2.1:9"\nobject_lock = "governance"\nlock_days = 1\n'
        )
    result = run("--config", home.folder, "status")
    assert result.errors == ""
    lines = result.output.splitlines()
    at = lines.index("Vault")
    gone = f"there is no folder {home.folder}/away"
    assert lines[at + 1 : at + 4] == [
        f"  store vault: {home.folder}/vault, required; read here",
        f"  store away: {home.folder}/away, optional; {gone}",
        "  store far: s3://police-archive at 192.0.2.1:9, required, locked for 1 day (governance)",
    ]
    assert objects(run, home.folder, code=result.code)["store"] == [
        the_store(home.folder),
        the_store(
            home.folder, name="away", place=str(home.folder / "away"), required=False, read=False,
            archives=None, problem=gone,
        ),
        the_store(
            home.folder, name="far", kind="s3", place="s3://police-archive at 192.0.2.1:9",
            object_lock="governance", lock_days=1, read=False, archives=None,
        ),
    ]  # fmt: skip


def test_the_store_that_is_named_is_asked_alone(run: Runner, home: Home) -> None:
    shutil.copytree(home.folder / "vault", home.folder / "second")
    with (home.folder / "archiver.toml").open("a") as file:
        file.write('\n[[store]]\nname = "second"\nkind = "local"\npath = "second"\n')
    first, second = objects(run, home.folder, "--store", "second")["store"]
    assert (first["read"], first["archives"], second["read"], second["archives"]) == (False, None, True, 1)
    assert "there is no store third" in run.fails(2, "--config", home.folder, "status", "--store", "third")
    shutil.rmtree(home.folder / "second")
    assert run("--config", home.folder, "status", "--store", "second").code == 10


def test_a_store_far_away_is_asked_with_ask(run: Runner, home: Home) -> None:
    """Nothing listens there: it is said at once, and the vault at hand is read."""
    with (home.folder / "archiver.toml").open("a") as file:
        file.write(
            '\n[[store]]\nname = "far"\nkind = "s3"\nbucket = "police-archive"\n'
            'endpoint = "http://127.0.0.1:1"\ntries = 1\naccess_key_id = "env:HOME"\n'
            'secret_access_key = "env:HOME"\n'
        )
    assert objects(run, home.folder)["store"][1]["problem"] is None
    asked = objects(run, home.folder, "--ask")
    assert asked["store"][0]["archives"] == 1
    assert asked["store"][1]["problem"]
    assert any(one.startswith("store far: ") for one in asked["summary"][0]["problems"])


def test_names_that_would_steer_a_terminal_are_written_out(run: Runner, home: Home) -> None:
    (home.settings.inbox / "a\x1b[2Jb\nc.zip").write_bytes(b"none")
    output = run("--config", home.folder, "status").output
    assert "  inbox: a\\x1b[2Jb\\nc.zip\n" in output


def test_who_wants_a_notice_and_has_no_way_for_it_is_told(run: Runner, home: Home) -> None:
    error = run.fails(2, "--config", home.folder, "status", "--notify")
    assert "names no way for a notice" in error


def test_a_notice_says_what_is_wrong_in_lines_that_a_telephone_shows(home: Home) -> None:
    snapshot = take_snapshot(home.settings, system_clock(), {})
    notice = stale_notice(Origin("host", "archiver.toml"), snapshot)
    assert (notice.kind, notice.code) == ("stale", 3)
    assert notice.subject == "archiver on host: 1 thing late"
    long = [line for line in notice.text.splitlines() if len(line) > 78]
    assert all(" " not in line.strip() for line in long), "only a path is longer"
    assert " ".join(snapshot.problems[0].split()) in " ".join(notice.text.split())
    assert notice.facts["problems"] == list(snapshot.problems)
