"""Folders that earlier versions left, each made by that version's own program, are gone on with here."""

import io
import sqlite3
import tarfile
from collections import Counter
from pathlib import Path

import pytest
import zstandard

import archiver
from archiver.sample import write_sample_export
from tests.cli.runner import Result, Runner
from tests.compat.make import MADE_BY, VERSIONS, WAITING_UNTIL
from tests.faults.folders import Contents, check_nothing_half, read_contents, same_but_once
from tests.homes import Home

EVERY = tuple(VERSIONS)
WITH_INTERFACE, WITH_MODERATION, WITH_STORES = EVERY[1:], EVERY[2:], EVERY[3:]
SEALED_ONLY, IN_THE_SPOOL = "burglary until:2026-09", "burglary since:2026-10"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


def unpack(version: str, folder: Path) -> Home:
    """The folder as that version left it."""
    packed = (MADE_BY / f"{version}.tar.zst").read_bytes()
    plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=64 * 1024 * 1024)
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        archive.extractall(folder, filter="data")
    return Home(folder / "home")


def say(run: Runner, home: Home, *words: str | Path, code: int = 0) -> Result:
    result = run("--config", home.folder, *words)
    assert result.code == code, result
    assert "Traceback" not in result.errors
    return result


def found(run: Runner, home: Home, *query: str) -> set[object]:
    lines = say(run, home, "search", "--json", "--limit", "0", *query).json_lines()
    assert lines[-1]["type"] == "summary"
    return {line["id"] for line in lines[:-1]}


def moderated(run: Runner, home: Home) -> set[object]:
    """The moderation records, in the vault and in the spool."""
    return {line["record"] for line in say(run, home, "moderation", "list", "--json").json_lines()[:-1]}


def check_once(home: Home) -> Contents:
    """Fail where a record is there twice, but for what a moderation record stands on, which it has with it;
    all records."""
    contents = read_contents(home.folder)
    same_but_once(Counter({row: number for row, number in contents.items() if not comes_along(row)}))
    return contents


def comes_along(row: tuple[object, ...]) -> bool:
    return "Notice 0" in str(row[4]) or "you are all idle" in str(row[4])


def test_there_is_a_folder_of_every_version_before_this_one() -> None:
    kept = {path.name.removesuffix(".tar.zst") for path in MADE_BY.glob("*.zst")}
    assert kept == set(EVERY)
    this = int(archiver.__version__.split(".")[1])
    assert {f"0.{number}" for number in range(1, this)} <= kept


@pytest.mark.parametrize("version", EVERY)
def test_it_is_what_that_version_made(version: str, tmp_path: Path) -> None:
    home = unpack(version, tmp_path)
    assert {one.manifest.tool for one in home.archives} == {f"archiver {version}.0"}
    with home.open_spool() as spool:
        assert {page.kind for page in spool.pages()} >= {"post"}
        assert bool(spool.progress.cursors()) == (version in WITH_INTERFACE)
        assert len(spool.register.all()) == (2 if version in WITH_MODERATION else 0)
    assert (home.folder / "second" / "vault.json").exists() == (version in WITH_STORES)


@pytest.mark.parametrize("version", EVERY)
def test_what_it_sealed_is_whole_and_made_again_alike(run: Runner, version: str, tmp_path: Path) -> None:
    home = unpack(version, tmp_path)
    say(run, home, "config", "check")
    say(run, home, "sync")  # what was searched last is in the log of one store
    assert "No archive is missing or altered" in say(run, home, "verify", "--deep").output
    assert "all equal" in say(run, home, "rebuild").output
    assert say(run, home, "status", "--json").json_lines()


@pytest.mark.parametrize("version", EVERY)
def test_what_it_sealed_and_what_it_left_is_found_shown_and_restored(
    run: Runner, version: str, tmp_path: Path
) -> None:
    home = unpack(version, tmp_path)
    sealed, waiting = found(run, home, SEALED_ONLY), found(run, home, IN_THE_SPOOL)
    assert sealed
    assert waiting
    for name in (min(map(str, sealed)), min(map(str, waiting))):
        assert "burglary" in say(run, home, "show", name).output.lower()
    if version in WITH_INTERFACE:
        assert len(found(run, home, "Main Street is closed")) == 5
        assert found(run, home, "Main Street is open again")
    if version in WITH_MODERATION:
        assert len(found(run, home, "kind:moderation")) == 2
        assert len(moderated(run, home)) == 2
    (archive,) = home.archives
    say(run, home, "restore", archive.name, "--to", tmp_path / "out")
    (database,) = (tmp_path / "out").rglob("records-000.sqlite")
    (count,) = sqlite3.connect(database).execute("SELECT count(*) FROM post").fetchone()
    assert count >= len(sealed)


@pytest.mark.parametrize("version", EVERY)
def test_the_spool_it_left_is_sealed_and_everything_is_there_once(
    run: Runner, version: str, tmp_path: Path
) -> None:
    home = unpack(version, tmp_path)
    before, waiting = read_contents(home.folder), found(run, home, IN_THE_SPOOL)
    say(run, home, "seal")
    after = check_once(home)
    assert after > before
    assert found(run, home, "--no-spool", IN_THE_SPOOL) == waiting
    with home.open_spool() as spool:
        assert spool.is_empty()
    say(run, home, "sync")
    say(run, home, "verify", "--deep")
    assert "all equal" in say(run, home, "rebuild").output
    check_nothing_half(home.folder)
    assert [one.manifest.tool for one in home.archives][-1] == f"archiver {archiver.__version__}"


@pytest.mark.parametrize("version", EVERY)
def test_what_it_had_seen_is_known_when_the_next_export_repeats_it(
    run: Runner, version: str, tmp_path: Path
) -> None:
    home = unpack(version, tmp_path)
    write_sample_export(tmp_path / "again.zip", until=WAITING_UNTIL, months=2)
    assert "nothing new" in say(run, home, "import", tmp_path / "again.zip").output
    later = WAITING_UNTIL.replace(month=11, day=25)
    write_sample_export(tmp_path / "later.zip", until=later, months=3)
    say(run, home, "import", tmp_path / "later.zip")
    say(run, home, "seal")
    assert found(run, home, "burglary since:2026-11")
    check_once(home)


@pytest.mark.parametrize("version", EVERY)
def test_its_vault_goes_to_a_new_store_and_to_a_new_keyholder(
    run: Runner, version: str, tmp_path: Path
) -> None:
    home = unpack(version, tmp_path)
    settings = home.folder / "archiver.toml"
    (home.folder / "third").mkdir()
    third = '\n[[store]]\nname = "third"\nkind = "local"\npath = "third"\n'
    text = settings.read_text()
    if version not in WITH_STORES:
        text = text.replace('vault = "vault"\n', "", 1)
        third = f'\n[[store]]\nname = "vault"\nkind = "local"\npath = "vault"\n{third}'
    settings.write_text(text + third)
    say(run, home, "sync")
    assert "No archive is missing or altered" in say(run, home, "verify", "--store", "third").output
    classic = ["--classic"] if "age1pq" not in home.settings.recipients.read_text() else []
    say(
        run, home, "keys", "new", "second", "--out", tmp_path / "second.identity", "--no-passphrase", *classic
    )
    recipient = (tmp_path / "second.identity").read_text().split("public key: ")[1].split()[0]
    say(run, home, "keys", "add", "second", recipient)
    assert found(run, home, "--store", "third", SEALED_ONLY)


@pytest.mark.parametrize("version", WITH_INTERFACE)
def test_where_it_was_in_x_is_where_this_one_goes_on(run: Runner, version: str, tmp_path: Path) -> None:
    home = unpack(version, tmp_path)
    planned = say(run, home, "collect", "--dry-run", "--json").json_lines()
    assert planned
    with home.open_spool() as spool:
        cursors = spool.progress.cursors()
    assert all(one.finished_ms for one in cursors.values())


@pytest.mark.parametrize("version", WITH_MODERATION)
def test_a_moderation_record_that_waited_is_finished(run: Runner, version: str, tmp_path: Path) -> None:
    home = unpack(version, tmp_path)
    (pending,) = say(run, home, "moderation", "pending", "--json", code=3).json_lines()[:-1]
    say(run, home, "moderate", "done", str(pending["record"]))
    say(run, home, "seal")
    assert len(moderated(run, home)) == 2
    assert not say(run, home, "moderation", "pending", "--json").json_lines()[:-1]


def test_an_older_log_and_register_of_exhibits_are_gone_on_with(run: Runner, tmp_path: Path) -> None:
    home = unpack("0.6", tmp_path)
    say(run, home, "sync")
    say(run, home, "log", "verify")
    (before,) = say(run, home, "evidence", "list", "--json").json_lines()
    pack = ("--case", "1", "--exhibit", "ABC", "--produced-by", "Springfield Police", "--format", "csv", "-o")
    say(run, home, "evidence", "export", SEALED_ONLY, *pack, tmp_path / "pack")
    listed = say(run, home, "evidence", "list", "--json").json_lines()
    assert listed[0] == before
    assert [one["exhibit"] for one in listed] == ["ABC/1", "ABC/2"]
    say(run, home, "sync")
    say(run, home, "log", "verify")
