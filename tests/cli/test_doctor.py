"""`archiver doctor`: numbered, each with what to do, and whatever hangs."""

import os
import re
from pathlib import Path

import pytest

from archiver.health.checks import keys
from archiver.health.checkup import Subject, examine
from archiver.times import system_clock
from tests.cli.runner import Runner
from tests.cli.stores import add_bucket
from tests.faults.folders import copy_folder
from tests.homes import Home, make_home
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("doctor"))


@pytest.fixture
def home(sealed: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(sealed.folder, tmp_path / "home"))


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
    }


def test_every_check_is_numbered_and_says_what_to_do(run: Runner, home: Home) -> None:
    before = files_of(home.folder)
    result = run("--config", home.folder, "doctor")
    assert (result.code, result.errors) == (3, ""), "one keyholder, and no runs"
    lines = result.output.splitlines()
    checks = [line for line in lines if re.match(r" *\d+\. (ok     |WARNING|FAILED ) \S", line)]
    assert [int(line.partition(".")[0]) for line in checks] == [*range(1, len(checks) + 1)]
    assert lines[0] == f"  1. ok      settings: {home.folder / 'archiver.toml'} is right: 1 account, 1 store"
    at = next(number for number, line in enumerate(lines) if "WARNING keyholders" in line)
    assert lines[at + 1] == (
        "             -> add another: archiver keys new NAME, then archiver keys add NAME RECIPIENT"
    )
    assert re.fullmatch(rf"{len(checks)} checks: \d+ ok, \d+ warnings?, 0 failed\.", lines[-1])
    assert files_of(home.folder) == before


def test_as_json_each_is_an_object_and_the_last_counts_them(run: Runner, home: Home) -> None:
    *checks, summary = run("--config", home.folder, "doctor", "--json").json_lines()
    assert {check["type"] for check in checks} == {"check"}
    assert [check["number"] for check in checks] == [*range(1, len(checks) + 1)]
    assert {check["verdict"] for check in checks} == {"ok", "warning"}
    assert summary["type"] == "summary"
    assert summary["code"] == 3
    assert summary["failed"] == 0
    assert int(str(summary["ok"])) + int(str(summary["warning"])) == len(checks)


def test_what_failed_ends_in_1_and_the_other_checks_are_made(run: Runner, home: Home) -> None:
    home.settings.signing_key.chmod(0o644)
    home.replace("vault.json", b"none")
    result = run("--config", home.folder, "doctor")
    assert result.code == 1
    assert f"chmod 600 {home.settings.signing_key}" in result.output
    assert "FAILED  store vault: vault.json in" in result.output
    assert re.search(r"(?m)^ *\d+\. (WARNING|ok     ) notices: ", result.output)


def test_a_spool_that_is_lost_and_a_damaged_state_are_failures_before_a_run_meets_them(
    run: Runner, home: Home
) -> None:
    spool = home.settings.spool / "spool.sqlite"
    kept = spool.read_bytes()
    spool.unlink()
    result = run("--config", home.folder, "doctor")
    assert result.code == 1
    assert f"FAILED  runs: {home.settings.spool}: pages are missing" in result.output
    assert "pages are missing" in run("--config", home.folder, "status").output
    spool.write_bytes(kept)
    home.settings.state.write_bytes(b"nonsense" * 1000)
    result = run("--config", home.folder, "doctor")
    assert result.code == 1
    assert f"FAILED  runs: {home.settings.state} is damaged" in result.output


def test_all_problems_of_settings_are_told_and_end_in_2(run: Runner, home: Home) -> None:
    with (home.folder / "archiver.toml").open("a") as file:
        file.write('\n[schedule]\nseal = "hourly"\nstale_days = 0\n')
    result = run("--config", home.folder, "doctor")
    assert (result.code, result.errors) == (2, "")
    assert "  1. FAILED  settings: schedule.seal: 'hourly' is not known\n" in result.output
    assert "  2. FAILED  settings: schedule.stale_days: 0 is outside 1 to 366\n" in result.output
    assert "ok      versions: archiver " in result.output
    *_, summary = run("--config", home.folder, "doctor", "--json").json_lines()
    assert (summary["code"], summary["failed"]) == (2, 2)


def test_without_settings_that_is_told(run: Runner, tmp_path: Path) -> None:
    result = run("--config", tmp_path, "doctor")
    assert result.code == 2
    assert "FAILED  settings: there is no settings file" in result.output
    assert "-> make a vault with: archiver init" in result.output


def test_a_program_for_a_secret_that_hangs_stops_nothing_and_is_ended(home: Home) -> None:
    """As `archiver doctor` looks at keys, but with a second where it has ten."""
    mark = home.folder / "process"
    text = (home.folder / "archiver.toml").read_text()
    line = next(one for one in text.splitlines() if one.startswith("identity = "))
    program = f"sh -c 'echo $$ >> {mark}; exec sleep 600'"
    (home.folder / "archiver.toml").write_text(
        text.replace(line, f'{line}\npassphrase = "command:{program}"')
    )
    keyholder = home.settings.keyholder
    assert keyholder is not None
    keyholder.identity.write_bytes(b"age-encryption.org/v1\n-> scrypt")
    checks = keys.checks(Subject(home.settings, os.environ, system_clock))
    found = {one.what: one.said for one in examine(checks, 1.0)}
    late = "it did not answer within 1 seconds"
    assert [what for what, said in found.items() if said == late] == ["identity", "archives' keys"]
    assert found["spool's identity"].startswith("opens")
    processes = mark.read_text().split()
    assert len(processes) == 2
    for process in processes:
        status = Path("/proc", process, "stat")
        assert not status.exists() or ") Z " in status.read_text()


def test_no_secret_is_said(run: Runner, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_TESTS", "a-secret-that-is-said-nowhere")
    with (home.folder / "archiver.toml").open("a") as file:
        file.write(
            '\n[x_api]\napi_base_url = "http://127.0.0.1:1"\nclient_id = "app"\n'
            'client_secret = "env:OF_TESTS"\n'
            '[[store]]\nname = "far"\nkind = "s3"\nbucket = "police-archive"\nrequired = false\n'
            'endpoint = "http://127.0.0.1:1"\naccess_key_id = "env:OF_TESTS"\n'
            'secret_access_key = "env:OF_TESTS"\n'
            '[[account]]\nplatform = "x"\nid = "7"\n[account.api]\ntoken = "env:OF_TESTS"\n'
        )
    for more in ((), ("--json",)):
        result = run("--config", home.folder, "doctor", *more)
        assert "said-nowhere" not in result.output + result.errors
        assert "store far" in result.output
        assert "token of @7" in result.output
        identity = (home.folder / "keys" / "records.identity").read_text()
        key = next(line for line in identity.splitlines() if line.startswith("AGE-SECRET-KEY"))
        assert key not in result.output + result.errors


def test_a_bucket_is_asked_and_its_clock_compared(run: Runner, home: Home, seaweed: Seaweed) -> None:
    add_bucket(home, "far", seaweed, seaweed.make_bucket(), required=False)
    empty = run("--config", home.folder, "doctor")
    assert "FAILED  store far: there is no vault in s3://" in empty.output
    assert run("--config", home.folder, "sync").code == 0
    output = run("--config", home.folder, "doctor").output
    assert re.search(r"ok      store far: s3://\S+ at \S+ can be read and has 1 archive,", output)
    assert "ok      clock of store far: the same, within half a minute" in output
    assert seaweed.secret_key not in output
    lines = run("--config", home.folder, "status", "--ask", "--json").json_lines()
    (far,) = [line for line in lines if line["type"] == "store" and line["name"] == "far"]
    assert (far["archives"], far["problem"]) == (1, None)
