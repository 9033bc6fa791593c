"""Time stamps as a person meets them: sealed with one, without one for a while, verified, put back. The
authority is the openssl program behind HTTP on loopback, and openssl judges."""

import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.archive.manifest import TOKEN
from tests.authority import Answer, Authority, authority, openssl_verifies, unused_url
from tests.cli.runner import Runner
from tests.cli.stores import add_store
from tests.faults.folders import check_nothing_half, copy_folder, make_folder, sample
from tests.homes import Home
from tests.programs import PROJECT

KILL = """
import os, signal, sys
from archiver.cli import main
from archiver.stores.local import LocalStore

put_new = LocalStore.put_new

def put_or_die(self, name, source, **options):
    if name.endswith("/manifest.json"):
        os.kill(os.getpid(), signal.SIGKILL)
    put_new(self, name, source, **options)

LocalStore.put_new = put_or_die
sys.exit(main())
"""


@pytest.fixture(scope="module")
def spooled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export in its inbox."""
    folder = make_folder(tmp_path_factory.mktemp("spooled") / "home")
    sample(folder / "inbox" / "september.zip", months=1)
    return folder


@pytest.fixture
def home(spooled: Path, tmp_path: Path) -> Home:
    return Home(copy_folder(spooled, tmp_path / "home"))


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Authority]:
    with authority(tmp_path / "authority") as running:
        yield running


def add(home: Home, text: str) -> None:
    with (home.folder / "archiver.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def without_authorities(home: Home) -> None:
    path = home.folder / "archiver.toml"
    path.write_text(path.read_text().partition("\n[[timestamp]]")[0])


def archives(home: Home, store: str = "vault") -> list[Path]:
    return sorted((home.folder / store / "archives").iterdir())


def assert_stamped(folder: Path, one: Authority) -> None:
    token, manifest = ((folder / name).read_bytes() for name in (TOKEN, "manifest.json"))
    assert openssl_verifies(token, manifest, one.root_path, one.folder)


def backup(run: Runner, home: Home, code: int = 0, *options: str) -> str:
    result = run("--config", home.folder, *options, "backup", "--add-account")
    assert result.code == code, result
    return result.output + result.errors


def add_october(home: Home) -> None:
    sample(home.folder / "inbox" / "october.zip", months=2, until=dt.date(2026, 10, 31))


def test_an_archive_is_sealed_with_a_time_stamp_in_every_store(
    run: Runner, home: Home, one: Authority
) -> None:
    add_store(home, "copy", required=True)
    (home.folder / "copy").mkdir()
    add(home, one.settings())
    told = backup(run, home)
    (first,), (second,) = archives(home), archives(home, "copy")
    assert f"time stamp of {first.name}: 20" in told
    assert "by test" in told
    assert told.count("time stamps of 1 of them are right") == 2
    assert_stamped(first, one)
    assert (first / TOKEN).read_bytes() == (second / TOKEN).read_bytes()
    assert len(one.queries) == 1


def test_a_program_is_told_of_time_stamps(run: Runner, home: Home, one: Authority) -> None:
    add(home, one.settings())
    result = run("--config", home.folder, "--json", "backup", "--add-account")
    (stamped,) = [line for line in result.json_lines() if line["type"] == "stamped"]
    (archive,) = archives(home)
    assert (stamped["archive"], stamped["authority"], stamped["serial"]) == (archive.name, "test", "2")
    (verified,) = [line for line in result.json_lines() if line["type"] == "verified"]
    assert verified["time_stamps"] == {"right": 1, "not_checked": 0, "lacking": 0}
    one.answer = lambda query: Answer(b"", 500)
    add_october(home)
    result = run("--config", home.folder, "--json", "backup")
    assert result.code == 3
    (unstamped,) = [line for line in result.json_lines() if line["type"] == "unstamped"]
    assert unstamped["archives"] == [archives(home)[1].name]


@pytest.mark.parametrize("later", ["seal", "backup", "sync"])
def test_while_the_authority_is_down_sealing_goes_on_and_a_later_run_brings_the_time_stamp(
    run: Runner, home: Home, one: Authority, later: str
) -> None:
    add_store(home, "copy", required=False)
    (home.folder / "copy").mkdir()
    add(home, one.settings())
    one.down()
    told = backup(run, home, 3)
    (archive,) = archives(home)
    assert f"archive {archive.name}: no time stamp was to be had: test: no answer (ConnectionError)" in told
    assert f"without a time stamp: {archive.name}" in told
    assert "archive has no time stamp: archiver sync asks for it" in told
    check_nothing_half(home.folder)
    before = (archive / "manifest.json").read_bytes()
    assert not (archive / TOKEN).exists()
    assert run("--config", home.folder, "verify").code == 0
    one.up()
    result = run("--config", home.folder, later)
    assert result.code == 0, result
    assert f"time stamp of {archive.name}: 20" in result.output
    for store in ("vault", "copy"):
        assert_stamped(archives(home, store)[0], one)
    assert (archive / "manifest.json").read_bytes() == before
    assert run("--config", home.folder, "verify").code == 0
    assert len(one.queries) == 1


def test_archives_from_before_authorities_were_set_are_stamped_with_the_next_one(
    run: Runner, home: Home, one: Authority
) -> None:
    backup(run, home)
    add(home, one.settings())
    add_october(home)
    told = backup(run, home)
    for folder in archives(home):
        assert f"time stamp of {folder.name}" in told
        assert_stamped(folder, one)


def test_the_second_authority_stands_in_and_why_is_told(run: Runner, home: Home, one: Authority) -> None:
    add(home, one.settings(name="first", url=unused_url()))
    add(home, one.settings())
    told = backup(run, home)
    assert "an authority before it gave no time stamp: first: no answer (ConnectionError)" in told
    assert_stamped(archives(home)[0], one)


def test_a_kill_between_time_stamp_and_manifest_leaves_no_archive_and_the_next_run_makes_one(
    run: Runner, home: Home, one: Authority
) -> None:
    add(home, one.settings())
    environ = {**os.environ, "ARCHIVER_CONFIG": str(home.folder)}
    killed = subprocess.run(
        [sys.executable, "-c", KILL, "backup", "--add-account"], cwd=PROJECT, env=environ, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL
    (left,) = archives(home)
    token = (left / TOKEN).read_bytes()
    assert not (left / "manifest.json").exists()
    backup(run, home)
    check_nothing_half(home.folder)
    (archive,) = archives(home)
    assert (archive / TOKEN).read_bytes() != token
    assert_stamped(archive, one)
    assert len(one.queries) == 2


def test_a_wrong_time_stamp_is_named_and_repaired_from_another_store(
    run: Runner, home: Home, one: Authority
) -> None:
    add_store(home, "copy", required=True)
    (home.folder / "copy").mkdir()
    add(home, one.settings())
    backup(run, home)
    (archive,) = archives(home)
    home.replace(f"archives/{archive.name}/{TOKEN}", one.stamp(b"another manifest"))
    result = run("--config", home.folder, "verify")
    assert result.code == 20
    assert f"archives/{archive.name}/{TOKEN}: the time stamp is of other bytes" in result.errors
    assert "store vault" in result.errors
    assert f"archiver repair {archive.name}" in result.errors
    assert run("--config", home.folder, "repair", archive.name).code == 0
    assert_stamped(archive, one)
    assert run("--config", home.folder, "verify").code == 0


def test_a_time_stamp_of_an_authority_that_left_the_settings_is_not_checked_and_no_fault(
    run: Runner, home: Home, one: Authority, tmp_path: Path
) -> None:
    add(home, one.settings())
    backup(run, home)
    without_authorities(home)
    for more in ("", None):
        if more is None:
            with authority(tmp_path / "next", "next") as other:
                add(home, other.settings())
        result = run("--config", home.folder, "verify")
        assert result.code == 0
        assert "1 time stamp not checked: no certificate of the authority is in the settings" in result.errors
        assert "of them are right" not in result.output


def test_verify_says_how_many_archives_have_none_only_where_authorities_are_set(
    run: Runner, home: Home, one: Authority
) -> None:
    backup(run, home)
    result = run("--config", home.folder, "verify")
    assert "time stamp" not in result.output + result.errors
    add(home, one.settings())
    result = run("--config", home.folder, "verify")
    assert result.code == 0
    assert "1 archive has no time stamp: archiver sync asks for it" in result.errors


def test_a_certificate_that_cannot_be_read_stops_with_its_place(
    run: Runner, home: Home, one: Authority
) -> None:
    add(home, one.settings(certificate="nowhere.pem"))
    told = run.fails(2, "--config", home.folder, "verify")
    assert f"timestamp[1].certificate: there is no file {home.folder / 'nowhere.pem'}" in told
