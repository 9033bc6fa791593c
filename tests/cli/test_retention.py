"""`archiver retention`: what is due, who decided, and disposing of it."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archiver.stores.local import LocalStore
from archiver.stores.s3 import S3Store
from archiver.vault import Vault
from tests.cli.retained import REVIEWER, again, dispose, make_two, review
from tests.cli.runner import Runner, run_on_terminal
from tests.cli.stores import add_bucket, add_store
from tests.faults.folders import sample
from tests.homes import Home
from tests.programs import PROJECT
from tests.seaweed import Kind, Seaweed, seaweed

__all__ = ["seaweed"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_two(tmp_path_factory.mktemp("made"))


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return again(made, tmp_path / "home")


@pytest.fixture
def old(home: Home) -> str:
    return home.archives[0].name


def key(home: Home, archive: str, store: str = "vault") -> Path:
    return home.folder / store / "archives" / archive / "key.age"


# What is due


def test_what_is_due_is_told_without_any_key(run: Runner, home: Home, old: str) -> None:
    for path in (home.folder / "keys").glob("*.identity"):
        path.write_bytes(b"AGE-SECRET-KEY-1NONE\n")
    line = f"{old}  due since 2021-09-13, rule one year: dispose\n"
    result = run("--config", home.folder, "retention", "due")
    assert (result.code, result.output) == (0, line)
    assert "holds and reviews could not be read: " in result.errors
    run.fails(2, "--config", home.folder, "retention", "due", "--holds")
    for path in (home.folder / "keys").glob("*.identity"):
        path.unlink()
    result = run("--config", home.folder, "retention", "due")
    assert (result.code, result.output) == (0, line)
    assert "Holds and reviews are not shown" in result.errors
    run.fails(12, "--config", home.folder, "retention", "due", "--holds")
    whole = run("--config", home.folder, "retention", "due", "--all").output.splitlines()
    assert whole[1] == "5000-01-01  due on 5001-01-01, rule one year: dispose"


def test_a_review_and_what_holds_an_archive_are_told_with_an_identity(
    run: Runner, home: Home, old: str
) -> None:
    review(run, home, old, "keep", "--until", "4999-01-01")
    assert run("--config", home.folder, "retention", "due").output == ""
    told = run("--config", home.folder, "retention", "due", "--all").output
    assert f"reviewed {told.split('reviewed ')[1][:10]} by {REVIEWER}: keep until 4999-01-01" in told
    (first, *_) = run("--config", home.folder, "retention", "due", "--all", "--json").json_lines()
    assert (first["archive"], first["due"], first["due_at"]) == (old, True, "2021-09-13T12:26:40.000Z")
    assert first["review"]["decision"] == "keep"  # type: ignore[index]


def test_what_no_rule_covers_is_never_due_and_is_named(run: Runner, home: Home, old: str) -> None:
    settings = home.folder / "archiver.toml"
    settings.write_text(settings.read_text() + 'kinds = ["post"]\n')
    told = run("--config", home.folder, "retention", "due", "--all")
    assert f"{old}  never due: no rule covers account of account 451207733 by export and" in told.output
    review(run, home, old)
    assert "never due" in dispose(run, home, old).errors


# Disposing


def test_an_archive_is_disposed_of_for_good_and_everything_says_so(
    run: Runner, home: Home, old: str, tmp_path: Path
) -> None:
    hits = run("--config", home.folder, "search", "the", "--limit", "0", "--json").json_lines()
    assert any(one.get("archive") == old for one in hits)
    reviewed = review(run, home, old)
    assert f"Then: archiver retention dispose {old}" in reviewed.errors
    result = dispose(run, home, old)
    assert result.code == 0, result
    assert result.output.endswith("  store vault: its key was destroyed\n")
    assert "What may still exist elsewhere" in result.errors
    assert not key(home, old).exists()
    certificate = json.loads((key(home, old).parent / "disposed.json").read_bytes())
    assert (certificate["keyholder"], certificate["rule"]) == ("records", "one year")
    assert REVIEWER not in json.dumps(certificate)

    found = run("--config", home.folder, "search", "the", "--limit", "0", "--json")
    assert found.code == 0
    assert f"1 archive is not read, disposed of: {old}" in found.errors
    assert {one.get("archive") for one in found.json_lines()[:-1]} == {"5000-01-01"}
    assert found.json_lines()[-1]["disposed"] == [old]
    verified = run("--config", home.folder, "verify", "--contents")
    assert verified.code == 0
    assert f"archive {old} was disposed of on " in verified.output
    (listed,) = (
        line
        for line in run("--config", home.folder, "status").output.splitlines()
        if line.startswith(f"  archive {old}: ")
    )
    assert "; disposed of on " in listed, "nobody should look for records in it"
    assert f"{old} was disposed of" in run.fails(
        1, "--config", home.folder, "restore", old, "--to", tmp_path / "restored"
    )
    assert f"{old} was disposed of" in run.fails(1, "--config", home.folder, "rebuild", old)
    assert run("--config", home.folder, "rebuild").code == 0
    assert run("--config", home.folder, "keys", "rewrap").code == 0
    assert run("--config", home.folder, "repair", old).code == 0
    assert not key(home, old).exists()
    again_ = dispose(run, home, old)
    assert (again_.code, again_.output.splitlines()[1]) == (0, "  store vault: has no key of it")
    assert run("--config", home.folder, "retention", "due").output == ""


def test_the_next_archive_is_chained_to_one_that_was_disposed_of(
    run: Runner, home: Home, old: str, tmp_path: Path
) -> None:
    review(run, home, old)
    review(run, home, "5000-01-01")
    assert dispose(run, home, old).code == 0
    home.take(sample(tmp_path / "more.zip", months=3))
    assert run("--config", home.folder, "verify").code == 0
    assert len(home.archives) == 3
    manifest = home.archives[2].manifest
    assert "_custody.records" in manifest.logs


def test_nothing_goes_without_a_recorded_decision_or_before_its_time(
    run: Runner, home: Home, old: str
) -> None:
    assert "nobody has decided" in dispose(run, home, old).errors
    review(run, home, "5000-01-01")
    assert "is kept until 5001-01-01 at least" in dispose(run, home, "5000-01-01").errors
    review(run, home, old)
    review(run, home, old, "keep")
    assert f"is kept: decided by {REVIEWER}" in dispose(run, home, old).errors
    settings = home.folder / "archiver.toml"
    settings.write_text(settings.read_text().replace("minimum_years = 1", "minimum_years = 200"))
    review(run, home, old)
    assert "the minimum is not reached" in dispose(run, home, old).errors
    assert key(home, old).exists()
    assert run("--config", home.folder, "log", "show", "--verb", "erase").output.count("RefusedError") == 4


def test_a_person_on_a_terminal_types_the_name_once_more(run: Runner, home: Home, old: str) -> None:
    review(run, home, old)
    command = ("--config", home.folder, "retention", "dispose", old)
    refused = run(*command)
    assert (refused.code, refused.output) == (2, "")
    assert "no terminal to say so on" in refused.errors
    code, shown = run_on_terminal(command, {"to destroy its key": "yes"})
    assert (code, key(home, old).exists()) == (2, True)
    assert f"that is not {old}" in shown
    code, shown = run_on_terminal(command, {"to destroy its key": old})
    assert (code, key(home, old).exists()) == (0, False)
    assert f"{REVIEWER} decided on " in shown


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("review", "1999-01-01", "--decision", "keep", "--reviewer", "A", "--reason", "x"), "no archive"),
        (("review", "OLD", "--decision", "burn", "--reviewer", "A", "--reason", "x"), "burn"),
        (("review", "OLD", "--decision", "keep", "--reviewer", " ", "--reason", "x"), "needs a reviewer"),
        (("review", "OLD", "--decision", "keep", "--reviewer", "A", "--reason", ""), "needs a reason"),
        (
            ("review", "OLD", "--decision", "keep", "--reviewer", "A", "--reason", "x", "--until", "soon"),
            "is no day",
        ),
        (
            ("review", "OLD", "--decision", "keep", "--reviewer", "A", "--reason", "x", "--until",
             "2001-01-01"),
            "is over",
        ),
        (
            ("review", "OLD", "--decision", "dispose", "--reviewer", "A", "--reason", "x", "--until",
             "4000-01-01"),
            "--until goes with --decision keep",
        ),
        (("dispose", "1999-01-01", "--yes"), "there is no archive 1999-01-01"),
        (("dispose", "../../etc", "--yes"), "there is no archive"),
    ],
)  # fmt: skip
def test_what_was_typed_wrong_is_said_and_nothing_is_kept(
    run: Runner, home: Home, old: str, arguments: tuple[str, ...], why: str
) -> None:
    typed = [old if one == "OLD" else one for one in arguments]
    assert why in run.fails(2, "--config", home.folder, "retention", *typed)
    assert "reviewed" not in run("--config", home.folder, "retention", "due", "--all").output


# Several stores


@pytest.fixture
def two(run: Runner, home: Home) -> Home:
    add_store(home, "second", required=True)
    (home.folder / "second").mkdir()
    assert run("--config", home.folder, "sync").code == 0
    return home


def test_a_store_that_is_away_is_one_in_which_it_is_not_done_until_it_is_back(
    run: Runner, two: Home, old: str
) -> None:
    review(run, two, old)
    away = two.folder / "away"
    settings = two.folder / "archiver.toml"
    text = settings.read_text()
    (two.folder / "second").rename(away)
    refused = dispose(run, two, old)
    assert refused.code == 1
    assert "store second is away, and a hold may be in it" in refused.errors
    assert key(two, old).exists()
    settings.write_text(text.replace('name = "second"\nrequired = true', 'name = "second"\nrequired = false'))
    half = dispose(run, two, old)
    assert half.code == 3, half
    assert "store second: the key is not destroyed there yet" in half.errors
    assert not key(two, old).exists()
    away.rename(two.folder / "second")
    assert key(two, old, "second").exists()
    verified = run("--config", two.folder, "verify")
    assert verified.code == 3
    assert "this store does not say so" in verified.errors
    assert dispose(run, two, old).code == 0
    assert not key(two, old, "second").exists()
    assert run("--config", two.folder, "verify").code == 0


def test_sync_finishes_it_in_a_store_that_comes_back(run: Runner, two: Home, old: str) -> None:
    review(run, two, old)
    shutil.copytree(two.folder / "second", two.folder / "before")
    assert dispose(run, two, old).code == 0
    shutil.rmtree(two.folder / "second")
    (two.folder / "before").rename(two.folder / "second")
    assert key(two, old, "second").exists()
    assert run("--config", two.folder, "sync").code == 0
    assert not key(two, old, "second").exists()
    assert run("--config", two.folder, "verify").code == 0
    assert run("--config", two.folder, "retention", "due", "--all").output.startswith(f"{old}  disposed of")


def test_a_hold_that_only_the_other_store_has_counts(run: Runner, two: Home, old: str) -> None:
    review(run, two, old)
    vault, second = two.folder / "vault", two.folder / "second"
    shutil.copytree(vault / "audit", two.folder / "before")
    assert run("--config", two.folder, "hold", "add", "--everything", "--reason", "x").code == 0
    for name in os.listdir(vault / "audit"):  # the first store is as it was before: what it lacks is known
        if name.startswith("_custody."):
            shutil.rmtree(vault / "audit" / name)
            shutil.copytree(two.folder / "before" / name, vault / "audit" / name)
    assert (second / "audit/_custody.records/00000002.tar").exists()
    assert not (vault / "audit/_custody.records/00000002.tar").exists()
    assert f"archive {old} is held" in dispose(run, two, old).errors


# A bucket


@pytest.mark.parametrize("kind", ["versioned", "locked"])
def test_in_a_bucket_every_version_goes_and_what_is_locked_stays_until_its_day(
    run: Runner, home: Home, old: str, seaweed: Seaweed, kind: Kind
) -> None:
    bucket = seaweed.make_bucket(kind)
    lock = {"object_lock": "compliance", "lock_days": 2} if kind == "locked" else {}
    add_bucket(home, "far", seaweed, bucket, required=False, **lock)
    assert run("--config", home.folder, "sync").code == 0
    assert run("--config", home.folder, "keys", "rewrap").code == 0
    options = seaweed.options(bucket)
    name = f"archives/{old}/key.age"
    client = S3Store(options)
    assert len(client.read_versions(name, 1 << 20)) == 2
    review(run, home, old)
    result = dispose(run, home, old)
    assert not key(home, old).exists()
    if kind == "versioned":
        assert result.code == 0, result
        assert client.look(name, 1 << 20) is None
        assert run("--config", home.folder, "verify").code == 0
        assert run("--config", home.folder, "search", "the", "--store", "far").code == 0
        return
    assert result.code == 3, result
    assert "store far: the key is not destroyed there yet" in result.errors
    assert f"under a lock until {datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}" in result.errors
    assert run("--config", home.folder, "verify").code == 3
    assert run("--config", home.folder, "sync").code == 3
    assert f"{old}" in run("--config", home.folder, "search", "the", "--store", "far").errors
    assert dispose(run, home, old).code == 3


# Killed


def test_killed_before_any_step_the_same_command_finishes_it(
    run: Runner, two: Home, old: str, tmp_path: Path
) -> None:
    review(run, two, old)
    arguments = ["retention", "dispose", old, "--yes"]

    def killed_at(step: int, folder: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.faults.killed_run", folder, str(step), "--config", folder]
        return subprocess.run(
            [str(one) for one in (*command, *arguments)], cwd=PROJECT, capture_output=True, text=True,
            check=False, env={**os.environ, "COVERAGE_PROCESS_START": ""},
        )  # fmt: skip

    whole = again(two, tmp_path / "whole")
    counted = killed_at(0, whole.folder)
    assert counted.returncode == 0, counted.stderr
    steps = int(counted.stderr.strip().splitlines()[-1].split()[1])
    assert steps > 20
    for number, step in enumerate(range(1, steps + 1, 5)):
        one = again(two, tmp_path / f"killed{number}")
        assert killed_at(step, one.folder).returncode == -9
        for store in ("vault", "second"):
            found = Vault(LocalStore(one.folder / store)).list_archives()
            assert found.problems == ()
            disposed = [each.name for each in found.disposed]
            assert disposed == [old] or key(one, old, store).exists()
        assert run("--config", one.folder, "verify").code in (0, 3)
        finished = dispose(run, one, old)
        assert finished.code == 0, (step, finished)
        assert not key(one, old).exists()
        assert not key(one, old, "second").exists()
        assert run("--config", one.folder, "verify").code == 0
        assert run("--config", one.folder, "log", "verify").code == 0
        shutil.rmtree(one.folder)


def test_a_certificate_of_which_the_register_knows_nothing_is_damage_to_a_keyholder(
    run: Runner, home: Home, old: str
) -> None:
    review(run, home, old)
    assert dispose(run, home, old).code == 0
    assert run("--config", home.folder, "verify", "--contents").code == 0
    for name in ("_custody.records", "_custody"):
        shutil.rmtree(home.folder / "vault/audit" / name)
    signers = home.folder / "vault/audit/_custody.records/allowed_signers"
    signers.parent.mkdir()
    key_of = (home.folder / "vault/audit/records/allowed_signers").read_bytes()
    signers.write_bytes(key_of.replace(b"records ", b"_custody.records ").replace(b"evidence", b"disposal"))
    (home.folder / "keys/_custody.records.log-head").unlink()
    assert (
        "names a decision that the custody register has not"
        in run("--config", home.folder, "verify", "--contents", old).errors
    )
