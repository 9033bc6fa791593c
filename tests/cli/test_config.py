"""`archiver config check`: what would stop a later run is said now."""

from pathlib import Path

import pytest

from archiver.formats.ssh_signature import SigningKey
from tests.cli.runner import Runner

UNLOCKED = {"required": True, "object_lock": "none", "lock_days": 0, "legal_hold": False}


@pytest.fixture
def home(run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert run("init", tmp_path / "v", "--holder", "records", "--no-passphrase", "--classic").code == 0
    monkeypatch.chdir(tmp_path / "v")
    return tmp_path / "v"


def test_what_is_right_is_said_to_be_right(run: Runner, home: Path) -> None:
    result = run("config", "check")
    assert (result.code, result.errors) == (0, "")
    assert result.output.startswith(f"{home}/archiver.toml is right.\n")
    assert "none yet: archiver import --add-account EXPORT.zip" in result.output
    with (home / "archiver.toml").open("a") as file:
        file.write('[[account]]\nplatform = "x"\nid = "7"\nhandle = "seven"\n')
        file.write('[[account]]\nplatform = "x"\nid = "8"\n')
        file.write('[account.api]\nbearer_token = "env:BEARER"\nkinds = ["posts", "profile"]\n')
    assert run("config", "check").output.splitlines()[2:4] == [
        "  accounts    x seven: its exports only",
        "              x 8: X is asked for profile, posts; at most 25 USD a month",
    ]
    (line,) = run("config", "check", "--json").json_lines()
    digest = line.pop("digest")
    assert isinstance(digest, str)
    assert len(digest) == 64
    assert line == {
        "type": "config",
        "settings": f"{home}/archiver.toml",
        "stores": [{"name": "vault", "kind": "local", "place": f"{home}/vault", **UNLOCKED}],
        "accounts": ["x seven", "x 8"],
        "collecting": [
            {
                "account": "x 8",
                "kinds": ["profile", "posts"],
                "media": True,
                "max_spend_micro_usd": 25_000_000,
            }
        ],
        "keyholders": ["records"],
    }


def test_all_problems_of_the_file_are_said(run: Runner, home: Path) -> None:
    (home / "archiver.toml").write_text('colour = 1\n[[account]]\nplatform = "x"\nid = "a"\n')
    error = run.fails(2, "config", "check")
    assert "archiver.toml: 2 problems\n" in error
    assert "  account[1].id: 'a' cannot be right" in error
    assert "  colour: this is not a setting" in error


def test_a_key_that_is_readable_by_others_is_named(run: Runner, home: Path) -> None:
    (home / "collector" / "signing_key").chmod(0o644)
    error = run.fails(2, "config", "check")
    assert error.startswith("the private key ")
    assert error.endswith(f"archiver: hint: chmod 600 {home}/collector/signing_key")


def test_a_signing_key_that_the_vault_does_not_know_is_named(run: Runner, home: Path) -> None:
    key = SigningKey.generate()
    (home / "collector" / "signing_key").write_bytes(key.to_openssh())
    error = run.fails(2, "config", "check")
    assert f"what {home}/collector/signing_key signs is not valid in {home}/vault" in error
    assert key.fingerprint() in error


def test_a_keyholder_who_is_not_listed_or_whose_identity_is_away_is_named(run: Runner, home: Path) -> None:
    text = (home / "archiver.toml").read_text()
    (home / "archiver.toml").write_text(text.replace('name = "records"', 'name = "bert"'))
    assert "keyholder.name: bert is not in " in run.fails(2, "config", "check")
    (home / "keys" / "records.identity").unlink()
    assert "keyholder.identity: there is no file " in run.fails(2, "config", "check")


def test_a_vault_that_is_not_there_is_exit_10(run: Runner, home: Path) -> None:
    (home / "vault").rename(home / "elsewhere")
    assert run.fails(10, "config", "check").startswith(f"there is no folder {home}/vault")


def test_several_things_that_would_stop_a_run_are_said_together(run: Runner, home: Path) -> None:
    (home / "vault" / "vault.json").unlink()
    (home / "collector" / "spool.identity").write_bytes(b"nonsense")
    (home / "keys" / "recipients.txt").write_text("")
    error = run.fails(2, "config", "check")
    assert error.startswith(f"{home}/archiver.toml: 3 problems\n")
    assert "  vault.json is missing from " in error
    assert "spool.identity is not an age identity file" in error
    assert "recipients.txt has no keyholder" in error


def test_a_host_that_only_searches_needs_no_collectors_keys(run: Runner, home: Path) -> None:
    for path in (home / "collector").iterdir():
        path.unlink()
    text = (home / "archiver.toml").read_text()
    head, rest = text.split("[collector]")
    (home / "archiver.toml").write_text(head + rest[rest.index("[keyholder]") :])
    assert run("config", "check").code == 0


# Stores


def add(home: Path, *lines: str) -> None:
    with (home / "archiver.toml").open("a") as file:
        file.write("\n".join(["", "[[store]]", *lines, ""]))


def test_every_store_is_reported_with_its_place_and_its_lock_and_no_bucket_is_asked(
    run: Runner, home: Path
) -> None:
    add(home, 'name = "share"', 'kind = "local"', 'path = "share"', "required = false")
    add(
        home, 'name = "far"', 'kind = "s3"', 'bucket = "police-archive"', 'prefix = "vault"',
        'endpoint = "http://192.0.2.1:9"', 'object_lock = "compliance"', "lock_days = 2555",
        "legal_hold = true",
    )  # fmt: skip
    result = run("config", "check")
    assert result.code == 0
    far = "s3://police-archive/vault at 192.0.2.1:9"
    lock = "locked for 2,555 days (compliance), with a legal hold"
    assert result.output.splitlines()[1:4] == [
        f"  stores      vault: {home}/vault, required",
        f"              share: {home}/share, optional",
        f"              far: {far}, required, {lock}, NOT ENCRYPTED ON THE WAY (http)",
    ]
    assert result.errors.splitlines() == [
        f"store share: there is no folder {home}/share now; it is optional",
        "No bucket was asked whether it can do this: archiver stores check",
    ]
    (line,) = run("config", "check", "--json").json_lines()
    assert line["stores"] == [
        {"name": "vault", "kind": "local", "place": f"{home}/vault", **UNLOCKED},
        {"name": "share", "kind": "local", "place": f"{home}/share", **UNLOCKED, "required": False},
        {
            "name": "far", "kind": "s3", "place": "s3://police-archive/vault at 192.0.2.1:9",
            "required": True, "object_lock": "compliance", "lock_days": 2555, "legal_hold": True,
        },
    ]  # fmt: skip


def test_a_required_folder_that_is_away_and_a_key_that_is_not_to_be_had_are_problems(
    run: Runner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAR_ID", "hunter2")
    monkeypatch.delenv("FAR_SECRET", raising=False)
    add(home, 'name = "share"', 'kind = "local"', 'path = "share"')
    add(
        home, 'name = "far"', 'kind = "s3"', 'bucket = "police-archive"', 'access_key_id = "env:FAR_ID"',
        'secret_access_key = "env:FAR_SECRET"',
    )  # fmt: skip
    error = run.fails(2, "config", "check")
    assert error.startswith(f"{home}/archiver.toml: 2 problems\n  there is no folder {home}/share (")
    assert "\n  store far: secret_access_key: the environment has no variable FAR_SECRET (" in error
    assert "hunter2" not in error
    monkeypatch.setenv("FAR_SECRET", "hunter3")
    (home / "share").mkdir()
    result = run("config", "check")
    assert result.code == 0
    assert "hunter" not in result.output + result.errors


def test_the_vault_is_looked_for_in_the_first_required_folder(run: Runner, home: Path) -> None:
    text = (home / "archiver.toml").read_text().replace('\nvault = "vault"\n', "\n")
    (home / "archiver.toml").write_text(text)
    add(home, 'name = "far"', 'kind = "s3"', 'bucket = "police-archive"')
    (home / "vault" / "vault.json").rename(home / "kept")
    assert run("config", "check").code == 0
    add(home, 'name = "empty"', 'kind = "local"', 'path = "empty"', "required = false")
    add(home, 'name = "near"', 'kind = "local"', 'path = "vault"')
    assert run.fails(20, "config", "check").startswith(f"vault.json is missing from {home}/vault\n")
    (home / "kept").rename(home / "vault" / "vault.json")
    assert run("config", "check").code == 0


def test_a_host_that_only_reads_needs_no_required_store(run: Runner, home: Path) -> None:
    (home / "vault").rename(home / "share")
    table = '[[store]]\nname = "share"\nkind = "local"\npath = "share"\nrequired = false\n'
    reader = '[keyholder]\nname = "records"\nidentity = "keys/records.identity"\n'
    (home / "archiver.toml").write_text(table + reader)
    (home / "collector" / "spool.identity").unlink()
    result = run("config", "check")
    assert (result.code, result.errors) == (0, "")
    assert "  accounts    none: this host only reads\n" in result.output
    assert run("verify").code == 0
    assert run("search", "flood").code == 3, "newer archives may be missing there"
    (home / "archiver.toml").write_text(f"[collector]\n{table}")
    assert "none of them is required" in run.fails(2, "config", "check")
