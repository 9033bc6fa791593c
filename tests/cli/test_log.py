"""`archiver log`, and what each command leaves in it."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from archiver.keys import new_identity
from tests.cli.runner import Runner
from tests.faults.folders import copy_folder, make_folder, sample
from tests.homes import Home, make_home


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("made"))


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(made.folder, tmp_path / "home"))


def acts(run: Runner, home: Home, *options: str) -> list[dict[str, object]]:
    """What the log has, without the act of asking."""
    done = run("--config", home.folder, "log", "show", "--limit", "0", "--json", *options)
    assert done.code == 0, done
    found = [one for one in done.json_lines() if one["type"] == "act"]
    return [one for one in found if one["command"] != "log show"]


def with_setting(home: Home, *lines: str) -> None:
    path = home.folder / "archiver.toml"
    path.write_text(path.read_text() + "\n" + "\n".join(lines) + "\n")


def test_a_search_and_a_view_are_shown_with_who_what_why_and_how_many(run: Runner, home: Home) -> None:
    assert run("--config", home.folder, "search", "the", "--reason", "complaint", "--case", "C/17").code == 0
    post = json.loads(
        run("--config", home.folder, "search", "--json", "--limit", "1", "the").output.split("\n")[0]
    )
    assert run("--config", home.folder, "show", str(post["id"])).code == 0
    first, second, third = acts(run, home, "--by", "records")
    assert (first["verb"], first["query"], first["case"], first["reason"]) == (
        "search", "the", "C/17", "complaint",
    )  # fmt: skip
    assert first["outcome"] == second["outcome"] == third["outcome"] == "done"
    assert second["results"] == 1
    assert second["ids"] == [post["id"]]
    assert (third["verb"], third["ids"]) == ("show", [post["id"]])
    assert first["keyholder"] == "records"
    assert first["host"]
    assert first["system_account"]
    line = run("--config", home.folder, "log", "show", "--case", "C/17").output
    assert "records  search  the  case C/17  reason: complaint  [done, " in line


def test_acts_are_found_by_verb_day_and_who(run: Runner, home: Home) -> None:
    assert run("--config", home.folder, "search", "the").code == 0
    assert run("--config", home.folder, "verify").code == 0
    assert {one["verb"] for one in acts(run, home)} == {"key", "search", "verify"}
    assert {one["verb"] for one in acts(run, home, "--verb", "verify")} == {"verify"}
    assert acts(run, home, "--since", "2999") == []
    assert acts(run, home, "--until", "1971") != [], "when the folder was made, its clock stood at 1970"
    assert "is after" in run.fails(
        2, "--config", home.folder, "log", "show", "--since", "2027", "--until", "2026"
    )
    done = run("--config", home.folder, "log", "show", "--limit", "1")
    assert len(done.output.splitlines()) == 1
    assert "There is more" in done.errors


def test_an_act_that_fails_or_was_cut_off_says_so(run: Runner, home: Home) -> None:
    home.damage()
    assert run("--config", home.folder, "rebuild").code == 20
    (failed,) = acts(run, home, "--by", "records")
    assert failed["outcome"] == "failed: IntegrityError"
    shown = run("--config", home.folder, "log", "show").output.splitlines()
    assert shown[-1].endswith("[no end: cut off, or under way]"), "it is itself under way"


@pytest.mark.parametrize(
    ("arguments", "verb", "command"),
    [
        (("verify",), "verify", "verify"),
        (("seal",), "seal", "seal"),
        (("sync",), "seal", "sync"),
        (("repair",), "alter", "repair"),
        (("stores", "check"), "config", "stores check"),
        (("keys", "rewrap"), "key", "keys rewrap"),
        (("log", "verify"), "verify", "log verify"),
    ],
)
def test_what_the_collecting_host_does_is_in_its_chain(
    run: Runner, home: Home, arguments: tuple[str, ...], verb: str, command: str
) -> None:
    assert run("--config", home.folder, *arguments).code == 0
    last = acts(run, home)[-1]
    assert (last["chain"], last["verb"], last["command"], last["keyholder"]) == (
        "_collector", verb, command, None,
    )  # fmt: skip
    assert last["outcome"] == "done"


def test_a_moderation_record_is_logged_before_it_is_made(run: Runner, home: Home) -> None:
    shutil.rmtree(home.folder / "spool" / "log")
    (home.folder / "spool" / "log").write_text("in its place")
    told = run.fails(
        1, "--config", home.folder, "moderate", "1588091220244369409", "--reason", "abusive",
        "--action", "none",
        "--text", "x", "--author", "nobody_1", "--posted-at", "2026-10-01T00:00Z",
    )  # fmt: skip
    assert "nothing was recorded, and nothing was done" in told
    with home.open_spool() as spool:
        assert list(spool.register.all()) == []


def test_a_reason_may_be_demanded(run: Runner, home: Home) -> None:
    with_setting(home, "[log]", 'reason = "required"')
    for command in (
        ("search", "the"), ("show", "1"), ("rebuild",), ("restore", "2026-10-26", "--to", "x"),
        ("moderation", "list"), ("moderation", "show", "abcd"), ("moderation", "export"),
        ("moderation", "summary"), ("log", "show"), ("log", "export"),
    ):  # fmt: skip
        told = run.fails(2, "--config", home.folder, *command)
        assert told.startswith("a reason must be given for this, and there is none"), command
    assert run("--config", home.folder, "search", "the", "--reason", "complaint").code == 0
    assert run("--config", home.folder, "verify").code == 0
    assert len(acts(run, home, "--by", "records", "--reason", "an audit")) == 1


def test_auditors_of_their_own_read_the_log_and_the_keyholder_does_not(run: Runner, home: Home) -> None:
    auditor = new_identity(classic=True)
    (home.folder / "keys" / "auditors.txt").write_text(auditor.recipient().encode() + "\n")
    with_setting(home, "[log]", 'recipients = "keys/auditors.txt"')
    assert run("--config", home.folder, "search", "the").code == 0
    done = run("--config", home.folder, "log", "show")
    assert "entries sealed to others: not shown." in done.errors
    assert "search" not in done.output
    identity = home.folder / "keys" / "records.identity"
    signing = home.folder / "keys" / "records.signing_key.age"
    identity.chmod(0o600)
    identity.write_text(identity.read_text() + auditor.encode() + "\n")
    assert signing.exists()
    assert len(acts(run, home, "--verb", "search")) == 1


def test_the_log_is_exported_with_its_cells_guarded(run: Runner, home: Home, tmp_path: Path) -> None:
    assert run("--config", home.folder, "search", "the", "--reason", "=cmd()").code == 0
    done = run("--config", home.folder, "log", "export", "--by", "records", "--to", "the inspector")
    rows = list(csv.DictReader(io.StringIO(done.output)))
    assert rows[0]["reason"] == "'=cmd()"
    assert (rows[0]["verb"], rows[0]["outcome"]) == ("search", "done")
    out = tmp_path / "log.jsonl"
    assert run("--config", home.folder, "log", "export", "--format", "jsonl", "-o", out).code == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines[-2]["to"] == "the inspector"
    assert (lines[-1]["verb"], lines[-1]["outcome"]) == ("export", None), "it is itself under way"
    assert "is there already" in run.fails(1, "--config", home.folder, "log", "export", "-o", out)


def test_verifying_needs_no_key_and_finds_what_was_cut_off(run: Runner, home: Home) -> None:
    for _ in range(2):
        assert run("--config", home.folder, "search", "the").code == 0
    (home.folder / "keys" / "records.identity").unlink()
    done = run("--config", home.folder, "log", "verify")
    assert done.code == 0
    assert "Nothing is missing or altered." in done.output
    (head,) = [line.strip() for line in done.output.splitlines() if line.startswith("  records:")]
    assert run("--config", home.folder, "log", "verify", "--head", head).code == 0
    last = home.folder / "vault" / "audit" / "records" / "00000004.tar"
    last.unlink()
    told = run("--config", home.folder, "log", "verify")
    assert told.code == 20
    assert "NOT WHOLE." in told.output
    assert "the log of records ends at entry 3" in told.errors
    assert run("--config", home.folder, "verify").code == 20
    (home.folder / "keys" / "records.log-head").unlink()
    assert run("--config", home.folder, "log", "verify").code == 0, "nothing knows of it any more"
    told = run("--config", home.folder, "log", "verify", "--head", head)
    assert (told.code, "--head has noted entry 4" in told.errors) == (20, True)
    for wrong in ("records", "records:1", "../x:1:" + "a" * 64):
        run.fails(2, "--config", home.folder, "log", "verify", "--head", wrong)


def test_a_manifest_names_the_ends_of_the_log_and_they_must_be_there(run: Runner, home: Home) -> None:
    assert run("--config", home.folder, "search", "the").code == 0
    later = sample(home.folder.parent / "later.zip", months=3)
    assert run("--config", home.folder, "import", later).code == 0
    assert run("--config", home.folder, "seal").code == 0
    logs = home.archives[-1].manifest.logs
    assert logs["records"].sequence == 2
    assert logs["_collector"].sequence >= 5
    shutil.rmtree(home.folder / "vault" / "audit" / "records")
    (home.folder / "keys" / "records.log-head").unlink()
    told = run("--config", home.folder, "log", "verify")
    assert told.code == 20
    assert "the log of records ends at entry 0, and archives/" in told.errors


def test_a_log_that_was_cut_off_stops_the_keyholder_until_sync_mends_it(run: Runner, home: Home) -> None:
    for _ in range(2):
        assert run("--config", home.folder, "search", "the").code == 0
    audit = home.folder / "vault" / "audit" / "records"
    (audit / "00000004.tar").unlink()
    told = run.fails(20, "--config", home.folder, "search", "the")
    assert "has not entry 4 of the log of records" in told
    assert run("--config", home.folder, "sync").code == 0
    assert run("--config", home.folder, "search", "the").code == 0
    assert run("--config", home.folder, "log", "verify").code == 0


def test_sync_brings_the_log_to_a_second_store_and_back(run: Runner, home: Home) -> None:
    (home.folder / "copy").mkdir()
    with_setting(home, "[[store]]", 'name = "copy"', 'kind = "local"', 'path = "copy"', "required = false")
    assert run("--config", home.folder, "search", "the").code == 0
    assert run("--config", home.folder, "sync").code == 0
    copied = home.folder / "copy" / "audit" / "records"
    assert sorted(path.name for path in copied.iterdir()) == [
        "00000001.tar",
        "00000002.tar",
        "allowed_signers",
    ]
    (home.folder / "vault").rename(home.folder / "away")
    done = run("--config", home.folder, "search", "the")
    assert done.code in (0, 3), done
    assert (copied / "00000004.tar").exists(), "the next store takes over"
    (home.folder / "away").rename(home.folder / "vault")
    assert run("--config", home.folder, "sync").code == 0
    assert (home.folder / "vault" / "audit" / "records" / "00000004.tar").exists()
    done = run("--config", home.folder, "log", "verify")
    assert done.code == 0, done
    (copied / "00000004.tar").unlink()
    (copied / "00000003.tar").unlink()
    behind = run("--config", home.folder, "log", "verify")
    assert behind.code == 3
    assert "the log of records is behind: store vault has entry 4" in behind.errors
    (copied / "00000001.tar").chmod(0o600)
    (copied / "00000001.tar").write_bytes((copied / "00000002.tar").read_bytes())
    told = run("--config", home.folder, "sync")
    assert told.code == 20
    assert "audit/records/00000001.tar is another one in store vault" in told.errors


def test_a_vault_of_before_gets_a_signing_key_with_its_first_search(run: Runner, home: Home) -> None:
    (home.folder / "keys" / "records.signing_key.age").unlink()
    done = run("--config", home.folder, "search", "the")
    assert done.code == 0
    assert "records.signing_key.age was made: it signs what records does in the log." in done.errors
    assert "was made" not in run("--config", home.folder, "search", "the").errors
    (home.folder / "keys" / "records.signing_key.age").unlink()
    told = run.fails(2, "--config", home.folder, "search", "the")
    assert "records.signing_key.age is missing, which signs the log of records" in told


def test_a_host_that_only_reads_searches_and_says_of_verify_that_it_is_not_logged(
    run: Runner, home: Home
) -> None:
    for name in ("collector", "spool", "state.sqlite"):
        path = home.folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    path = home.folder / "archiver.toml"
    text = path.read_text().replace('signing_key = "collector/signing_key"\n', "")
    path.write_text(text.replace('spool_identity = "collector/spool.identity"\n', ""))
    assert run("--config", home.folder, "search", "the").code == 0
    done = run("--config", home.folder, "verify")
    assert done.code == 0
    assert (
        "This is not in the log: neither the collector's signing key is here nor an identity." in done.errors
    )
    assert len(acts(run, home, "--by", "records")) == 1


def test_showing_the_log_needs_an_identity(run: Runner, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "v")
    (folder / "keys" / "records.identity").unlink()
    run.fails(12, "--config", folder, "log", "show")
    run.fails(12, "--config", folder, "log", "export")


def test_init_begins_the_log(run: Runner, tmp_path: Path) -> None:
    assert run("init", tmp_path / "v", "--holder", "records", "--classic", "--no-passphrase").code == 0
    (first,) = acts(run, Home(tmp_path / "v"))
    assert (first["chain"], first["verb"], first["command"]) == ("_collector", "key", "init")
    assert run("--config", tmp_path / "v", "log", "verify").code == 0
